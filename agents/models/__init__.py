"""Small NumPy models and statistics that objectives, value models and editors share."""
