"""A scenario file becomes a checked scenario and its trials; every error has its line."""
