"""Property tests: the same examples every time in ``make test``, fresh ones in ``make test-all``."""

from hypothesis import settings

settings.register_profile("repeat", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=500, deadline=None)
settings.load_profile("repeat")
