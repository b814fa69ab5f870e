"""Worlds as pictures: tiles, sprites and captions."""
