"""The shelf of editors: one file a part."""
