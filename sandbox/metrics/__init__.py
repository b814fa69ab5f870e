"""The shelf of metrics: one file a part."""
