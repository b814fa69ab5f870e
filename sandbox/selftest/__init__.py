"""Known numbers, computed again by the code that trials run."""
