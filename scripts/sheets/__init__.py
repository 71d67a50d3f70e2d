"""The DSA's transparency sheets as files: their form, their sums, their versions and their page."""
