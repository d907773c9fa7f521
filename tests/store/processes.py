"""Processes of their own for tests: forked from a server that has imported the clinic, so quick to begin."""
from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext


def processes() -> ForkServerContext:
    """Where to start them: the server has one thread, so that a fork is safe, and holds no open connection."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.store.contenders", "tests.store.revisions"])
    return context
