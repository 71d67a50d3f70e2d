"""What `make benchmark` compares the layer with."""
