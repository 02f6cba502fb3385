"""Threads that compile or run kernels. One that compiles cannot be ended: nobody waits for it after Ctrl-C, nor does Python at
its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

NAME = "randwalk"  # begins the names of the threads

T = TypeVar("T")


class Pool(Executor):
    """So many threads; none is started before it is used. They are daemons, which those of the standard library are not."""

    def __init__(self, most: int) -> None:
        self._most, self._closed, self._lock = most, False, threading.Lock()
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, work: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        job = Future[T]()
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool has been shut down")
            self._jobs.put((job, lambda: work(*given, **named)))
            if len(self._threads) < self._most:
                name = f"{NAME}_{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._serve, name=name, daemon=True))
                self._threads[-1].start()
        return job

    def _serve(self) -> None:
        while (told := self._jobs.get()) is not None:
            _do(*told)
            del told  # else it holds the result until there is more to do

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._closed = True
            with suppress(Empty):
                while cancel_futures:
                    if (told := self._jobs.get_nowait()) is not None:
                        told[0].cancel()
            for _ in self._threads:
                self._jobs.put(None)
        for thread in self._threads if wait else ():
            thread.join()


def _do(job: Future[T], work: Callable[[], T]) -> None:
    if job.set_running_or_notify_cancel():
        try:
            job.set_result(work())
        except BaseException as error:
            job.set_exception(error)


@contextmanager
def threads(most: int) -> Iterator[Pool]:
    """So many threads, whose work is waited for unless there is an error or Ctrl-C."""
    pool = Pool(most)
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
