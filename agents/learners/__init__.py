"""The shelf of learners: one file a part."""
