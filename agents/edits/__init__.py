"""The shelf of edits: one file a part."""
