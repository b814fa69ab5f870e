"""Objectives that a scenario can name, one file a part."""
