"""The workers of the command line: processes of this machine, or those of a Dask scheduler."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, cast

PATIENCE = 30.0  # seconds in which a scheduler must answer, that may be begun only now


@contextmanager
def workers(processes: int | None, dask: str | None) -> Iterator[Any]:
    """The `executor` of a run: None for neither, a function that makes pools of so many processes, or the client of a scheduler.

    Raises
    ------
    ValueError
        for both at once, and for an address at which no scheduler answers.
    ImportError
        if Dask is not installed.
    """
    if processes is not None and dask is not None:
        raise ValueError(f"--dask {dask}: --workers makes processes of this machine; leave one of them out")
    if processes is not None:
        with _pools(processes) as make:
            yield make
    elif dask is not None:
        with _client(dask) as client:
            yield client
    else:
        yield None


@contextmanager
def _pools(processes: int) -> Iterator[Callable[[], ProcessPoolExecutor]]:
    """A function that makes pools, one after another has broken. At an error, or Ctrl-C, their work ends at once."""
    pools: list[ProcessPoolExecutor] = []

    def make() -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        pools.append(ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin))
        return pools[-1]

    try:
        yield make
    except BaseException:
        for pool in pools:
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.terminate()
        raise
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """In a worker: Ctrl-C is for its parent to hear, and it ends with its parent, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """A client of a Dask scheduler."""
    try:
        from dask import distributed
    except ImportError:
        raise ImportError(
            f'--dask {address}: needs dask.distributed: pip install "randwalk-pde[distributed]"'
        ) from None
    try:
        client: Any = cast(Any, distributed).Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--dask {address}: no Dask scheduler answers ({error}); start one with `dask scheduler` and give its address, "
            "like tcp://node1:8786"
        ) from None
    with client:
        yield client
