"""Several reports together."""
