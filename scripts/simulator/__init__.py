"""The simulated platform: a world, what goes wrong in it (incidents), its weeks and their files."""
