"""What value models, and the objectives that use them, share."""
