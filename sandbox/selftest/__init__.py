"""Every number that is known exactly, computed again here and now, by the code that trials run."""
