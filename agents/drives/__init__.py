"""What intrinsic objectives share: features, forward models, distances, counts."""
