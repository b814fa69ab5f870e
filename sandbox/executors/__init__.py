"""What runs trials: one file an executor."""
