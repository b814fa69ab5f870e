"""What an edit may do: validity, protection, budget, the two-gate rule."""
