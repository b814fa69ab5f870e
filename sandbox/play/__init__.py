"""Worlds for people: played, shown as a card, recorded as demonstrations."""
