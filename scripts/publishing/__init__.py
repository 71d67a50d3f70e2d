"""What was published, kept for good, and why a number is another one today."""
