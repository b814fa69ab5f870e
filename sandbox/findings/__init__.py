"""The finding of a finished, registered run, as one file to commit."""
