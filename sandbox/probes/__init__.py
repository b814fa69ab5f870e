"""The shelf of probes: one file a part."""
