"""Learning in NumPy, beneath Stable-Baselines3's models: towers whose shape an edit may change."""
