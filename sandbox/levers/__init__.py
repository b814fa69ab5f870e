"""The shelf of levers: one file a part."""
