"""Threads that compile or run kernels. One that compiles cannot be ended: nobody waits for it after Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

NAME = "randwalk"  # begins the names of the threads

T = TypeVar("T")


def pool_of(most: int) -> ThreadPoolExecutor:
    """So many threads; none is started before it is used."""
    return ThreadPoolExecutor(most, NAME)


@contextmanager
def threads(most: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads, whose work is waited for unless there is an error or Ctrl-C."""
    pool = pool_of(most)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def apart(work: Callable[[], T]) -> T:
    """The result of `work`, which a thread of its own does where the main thread asks: then Ctrl-C is heard at once, while the
    thread goes on."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    with threads(1) as pool:
        return pool.submit(work).result()


def left() -> bool:
    """Whether there are still such threads."""
    return any(thread.name.startswith(NAME) for thread in threading.enumerate())
