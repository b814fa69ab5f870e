"""All trials of a scenario into one run folder: workers, progress, replay, verification."""
