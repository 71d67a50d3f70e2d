"""What the fault catalogue is made of: a healthy world, ways to spoil it, and what names them."""
