"""The simulated platform: a world (world), its weeks (week, quality) and their files (columns)."""
