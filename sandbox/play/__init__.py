"""Worlds for people: played, shown as a card, listed, recorded as demonstrations."""
