"""The marts' numbers once more, from the raw files, by other means than the layer's SQL."""
