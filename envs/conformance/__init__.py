"""The promises of a world, as checks that run on any world."""
