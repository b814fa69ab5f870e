"""Models of another agent's values that a scenario can name, one file a part."""
