"""The shelf of value models: one file a part."""
