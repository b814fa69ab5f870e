"""Property tests: the same examples every time; ``make test-all`` tries fresh ones."""

from hypothesis import settings

settings.register_profile("repeat", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=500, deadline=None)
settings.load_profile("repeat")
