"""What the worlds of one family share: races, side effects, long plans."""
