"""Edits that an editor can propose, one file a part."""
