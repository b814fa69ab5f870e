"""What editors share: bounds, mutation, progress and trends of returns."""
