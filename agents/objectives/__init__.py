"""The shelf of objectives: one file a part."""
