"""Property tests: the same examples every time; ``make test-all`` tries fresh ones."""

import signal

from hypothesis import settings

# A shell's background job, as under nohup, is started ignoring Ctrl-C and hands that on to every
# program that tests start and interrupt. What has a handler here is not handed on.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("repeat", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=500, deadline=None)
settings.load_profile("repeat")
