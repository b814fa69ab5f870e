"""The process that trials are forked from: it has imported everything that a trial could need."""

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

from sandbox.execution.processes import no_main, one_thread

PRELOAD = ["sandbox.execution.preloaded"]


def start() -> ForkServerContext:
    """Let it start if it does not run yet, without waiting for it; returns what starts processes.

    It takes seconds to import all that; who calls this early can do something else meanwhile.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    with no_main(), one_thread():
        forkserver.ensure_running()
    return context
