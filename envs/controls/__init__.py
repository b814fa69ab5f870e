"""The shelf of controls: one file a part."""
