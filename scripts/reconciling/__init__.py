"""Whether the numbers agree: the checks in words, the headline recomputed, rows side by side."""
