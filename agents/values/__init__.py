"""Models of somebody else's values that a scenario can name, one file a part."""
