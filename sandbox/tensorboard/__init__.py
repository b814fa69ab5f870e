"""A run's events as TensorBoard files."""
