"""Learners that a scenario can name, one file a part: settings of the algorithms."""
