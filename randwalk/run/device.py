"""Where walkers are moved and counted: on the host's processor, or on CUDA devices. The results are the same, bit for bit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from ..kernels import constant, cpu
from ..kernels import occupation as counted
from ..kernels.compile import check_compiler
from ..kernels.cpu import BLOCK
from ..tables.table import Thresholds

if TYPE_CHECKING:
    from ..ensemble import Ensemble

BACKENDS = ("cpu", "cuda", "auto")
WORTH = (
    2.0  # predicted seconds on the reference CPU from which `auto` looks for a device: compiling for it takes as long
)
ALONE = 1 << 20  # walker-steps that one thread does sooner than several can start
PIECE = 256  # sites from which a thread is worth its start
INSTALL = 'pip install "randwalk-pde[cuda]"'

NOTHING = np.empty(0, dtype=np.int32)
EVERYWHERE = (-(2**31), 2**31 - 1)

Keys: TypeAlias = tuple[np.uint64, np.uint64]
Levels: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int32]]
T = TypeVar("T")


class DeviceError(OSError):
    """A device is missing or failed. After a failure during a run `ensemble` holds the walkers that were finished, as a run of
    that many would have given them (None if there are none); ``ensemble.extend(walkers)`` goes on, on any backend."""

    ensemble: Ensemble | None = None


class Backend(Protocol):
    """What a run needs of a machine. Sites and states are arrays of the backend's own; `host` brings them here."""

    @property
    def name(self) -> str: ...

    # The drivers of `kernels.cpu` and `kernels.constant`, with the same arguments; `leave_table` keeps the passage alone of a
    # state.
    def walk_table(self, *arguments: Any, **named: Any) -> None: ...
    def leave_table(self, *arguments: Any, **named: Any) -> None: ...
    def walk_constant(self, *arguments: Any, **named: Any) -> None: ...
    def follow_table(self, *arguments: Any, **named: Any) -> None: ...
    def follow_constant(self, *arguments: Any, **named: Any) -> None: ...
    def jump(self, *arguments: Any, **named: Any) -> None: ...

    def occupy(
        self, counts: NDArray[np.int64], start: int, stop: int, thresholds: Thresholds, layout: tuple[int, ...],
        first: int, gone: NDArray[np.int64], k0: np.uint64, k1: np.uint64,
    ) -> None:  # fmt: skip
        """Advance the walkers on the live sites (`counts`, index 0 … sites + 2) from step `start` to `stop`, in place;
        gone[step, way] = those that left. See :mod:`randwalk.kernels.occupation`."""
        ...

    def batches(
        self, walkers: range, size: int, steps: int, width: int, work: Callable[[range], T]
    ) -> Iterator[tuple[range, T]]:
        """Give `work` one batch of walkers after another: (batch, result). `size` suits the host; `width` is the number of
        int32 kept for each walker."""
        ...

    def place(self, batch: range, index: NDArray[np.int32], masses: NDArray[np.int64], keys: Keys) -> Any:
        """The start sites of a batch."""
        ...

    def copy(self, site: Any) -> Any:
        """The sites as they are now."""
        ...

    def begin(self, site: Any, levels: Levels) -> Any:
        """The functionals of paths of no steps (see :mod:`randwalk.run.paths`)."""
        ...

    def columns(self, state: Any) -> Sequence[Any]:
        """The functionals one by one, each for all walkers."""
        ...

    def histogram(
        self, values: Any, size: int, shift: int = 0, minus: Any = None, live: tuple[int, int] | None = None
    ) -> NDArray[np.int64]:
        """How many have `values` - `minus` + `shift` = 0 … `size` - 1, ends included; only those with `values` in `live`."""
        ...

    def passages(self, site: Any, passage: Any, steps: int, outer: int) -> NDArray[np.int64]:
        """How many left after 0 … `steps` steps: to the left, to the right (site `outer`), killed; shape (steps + 1, 3)."""
        ...

    def host(self, site: Any) -> NDArray[np.int32]:
        """The sites as a NumPy array."""
        ...


@dataclass(frozen=True)
class Host:
    """The processor this runs on, and a number of threads of it."""

    threads: int = 1
    name = "cpu"
    walk_constant = staticmethod(constant.walk_constant)
    follow_table = staticmethod(cpu.follow_table)
    follow_constant = staticmethod(constant.follow_constant)
    jump = staticmethod(cpu.jump)

    def walk_table(self, site: NDArray[np.int32], *arguments: Any) -> None:
        cpu.walk_table(site, NOTHING, *arguments)

    def leave_table(self, site: NDArray[np.int32], state: NDArray[np.int32], *arguments: Any) -> None:
        cpu.walk_table(site, state[:, 0], *arguments)

    def occupy(
        self, counts: NDArray[np.int64], start: int, stop: int, thresholds: Thresholds, layout: tuple[int, ...],
        first: int, gone: NDArray[np.int64], k0: np.uint64, k1: np.uint64,
    ) -> None:  # fmt: skip
        """Pieces of the lattice on threads, some steps together; each piece steps as many sites beyond its ends, too."""
        wrap, sites = layout[2], layout[3] - 2
        pieces = max(1, min(self.threads, sites // PIECE))
        together = stop - start if pieces == 1 and not wrap else max(32, sites // (16 * pieces))
        ends = np.linspace(1, sites + 1, pieces + 1).astype(int)
        before, after = counts, counts.copy()
        with ThreadPoolExecutor(pieces) as pool:  # starts no thread before it is used
            each = pool.map if pieces > 1 else map
            for begin in range(start, stop, together):
                end = min(begin + together, stop)
                rows = thresholds if thresholds.shape[0] == 1 else thresholds[begin - start : end - start]
                left = np.zeros((pieces, end - begin, gone.shape[1]), dtype=np.int64)

                def advance(i: int) -> None:
                    span = int(ends[i]), int(ends[i + 1]) - 1, begin, end  # noqa: B023 - done before the next round
                    counted.occupy(before, after, *span, rows, layout, first, left[i], k0, k1)  # noqa: B023

                list(each(advance, range(pieces)))
                gone[begin - start : end - start] = left.sum(axis=0)
                before, after = after, before
        counts[:] = before

    def batches(
        self, walkers: range, size: int, steps: int, width: int, work: Callable[[range], T]
    ) -> Iterator[tuple[range, T]]:
        """In order; threads work ahead of what is asked for by a batch each."""
        if len(walkers) * steps > ALONE:  # as many for each thread, in whole blocks
            rounds = -(-len(walkers) // (size * self.threads))
            size = -(-len(walkers) // (rounds * self.threads * BLOCK)) * BLOCK
        batches = (range(i, min(i + size, walkers.stop)) for i in range(walkers.start, walkers.stop, size))
        if self.threads == 1 or size >= len(walkers):
            yield from ((batch, work(batch)) for batch in batches)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            jobs: deque[tuple[range, Future[T]]] = deque()
            try:
                for batch in batches:
                    jobs.append((batch, pool.submit(work, batch)))
                    if len(jobs) > 2 * self.threads:
                        first, job = jobs.popleft()
                        yield first, job.result()
                while jobs:
                    first, job = jobs.popleft()
                    yield first, job.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def place(self, batch: range, index: NDArray[np.int32], masses: NDArray[np.int64], keys: Keys) -> NDArray[np.int32]:
        if index.size == 1:
            return np.full(len(batch), index[0], dtype=np.int32)
        site = np.empty(len(batch), dtype=np.int32)
        cpu.place(site, batch.start, index, np.cumsum(masses), *keys)
        return site

    def copy(self, site: NDArray[np.int32]) -> NDArray[np.int32]:
        return site.copy()

    def begin(self, site: NDArray[np.int32], levels: Levels) -> NDArray[np.int32]:
        visits, positives = levels
        state = np.zeros((2 + visits.size + positives.size, site.size), dtype=np.int32).T
        state[:, 1] = site
        state[:, 2 : 2 + visits.size] = np.where(site[:, None] == visits, 0, -1)
        return state

    def columns(self, state: NDArray[np.int32]) -> Sequence[NDArray[np.int32]]:
        return list(state.T)

    def histogram(
        self,
        values: NDArray[np.int32],
        size: int,
        shift: int = 0,
        minus: NDArray[np.int32] | None = None,
        live: tuple[int, int] | None = None,
    ) -> NDArray[np.int64]:
        counts, values = np.zeros(size, dtype=np.int64), np.ascontiguousarray(values)
        if minus is None and live is None:
            cpu.count(values, shift, counts)
        else:
            nothing = np.zeros_like(values) if minus is None else minus
            cpu.count_differences(values, nothing, shift, *(live or EVERYWHERE), counts)
        return counts

    def passages(
        self, site: NDArray[np.int32], passage: NDArray[np.int32], steps: int, outer: int
    ) -> NDArray[np.int64]:
        gone = (site < 1) | (site >= outer)
        way = np.where(site == 0, 0, np.where(site == outer, 1, 2))
        return np.bincount(3 * passage[gone].astype(np.int64) + way[gone], minlength=3 * (steps + 1)).reshape(-1, 3)

    def host(self, site: NDArray[np.int32]) -> NDArray[np.int32]:
        return site


def choose(backend: str, devices: Sequence[int] | None, seconds: float, threads: int) -> Backend:
    """The backend that was asked for; `seconds` is the predicted time on the reference CPU, by which "auto" decides. A host
    is given `threads`.

    Raises
    ------
    ValueError
        for an unknown backend or a device index that does not exist.
    CompilerOff
        where NUMBA_DISABLE_JIT is set.
    DeviceError
        where "cuda" is asked for and cannot be had, with the reason and the remedy.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend = {backend!r}: must be one of {', '.join(BACKENDS)}")
    if devices is not None and backend == "cpu":
        raise ValueError(f"devices = {devices!r} are CUDA devices: give backend='cuda' too, or leave them out")
    check_compiler()
    if backend == "cpu" or (backend == "auto" and (seconds < WORTH or why_not_cuda() is not None)):
        return Host(threads)
    reason = why_not_cuda()
    if reason is not None:
        raise DeviceError(f"backend = 'cuda' cannot run here: {reason}")
    from ..kernels import cuda

    return cuda.Cuda(devices)


def why_not_cuda() -> str | None:
    """What is missing for CUDA, with the remedy; None where it can be used."""
    settings: Any = numba.config
    if not settings.ENABLE_CUDASIM and find_spec("numba_cuda") is None:
        return f"the CUDA extra is not installed: {INSTALL}"
    try:
        from ..kernels import cuda

        cuda.load()
    except Exception as error:  # half an installation can fail in any way
        why = f"does not load ({type(error).__name__}: {error})"
        if "numpy" in str(error) and np.lib.NumpyVersion(np.__version__) >= "2.5.0":
            return f'numba-cuda {why}: no release of it is known to load with NumPy {np.__version__}; pip install "numpy<2.5"'
        return f"numba-cuda is installed but {why}: reinstall it, {INSTALL}"
    return cuda.why_not()


def report() -> list[tuple[str, str]]:
    """What ``randwalk info`` says about devices: (name, value) rows, with a line for what is missing."""
    reason = why_not_cuda()
    if reason is not None:
        return [("cuda", f"no: {reason}")]
    from ..kernels import cuda

    return cuda.report()
