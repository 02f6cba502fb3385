"""CUDA devices as a machine: batches, memory, launches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...jit.compile import DeviceError
from ...jit.cuda.compile import (
    SHARED,
    SIMULATED,
    THREADS,
    allocate,
    blocks_for,
    cuda,
    filled,
    on_device,
    processors,
    sent,
)
from ...kernels.cuda import digits, ito, occupation, spheres, table
from ...kernels.cuda.walkers import FEW, MANY, begin, count, count_sites, jump, place, unpack
from ...kernels.ito import State
from ...kernels.program import (
    LIVE,
    NO_LEVELS,
    DigitsProgram,
    JumpProgram,
    Keys,
    Levels,
    Program,
    Span,
    Start,
    TableProgram,
    Walkers,
)
from ...model.coefficient import Floats
from ...tables.ito_program import ItoProgram
from ...tables.layout import Layout
from ...tables.sphere_program import SphereProgram
from ..pieces import COUPLED, finished, pieces
from .sites import NO_STATE, Tossed, array_of

SHARE = 0.8  # of the free memory that walkers may take
LEAST, MOST = 1 << 14, 1 << 30  # walkers of a batch
WORK = 1 << 38  # steps of walkers in a launch: about a second on a table, so that Ctrl-C is heard
FOLLOWED = 4  # times as much work is a step with functionals
BATCH = 1 << 42  # steps of walkers in a batch, where there are walkers enough
EVERYWHERE = -(2**31), 2**31 - 1
NOBODY, NO_WAYS = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.uint8)

Advance = Callable[[Walkers, Any, Iterable[Span], Keys], None]
"""Makes the steps of some spans of walkers that are on the device, by a program."""

ADVANCE: dict[type, Advance] = {TableProgram: table.advance, DigitsProgram: digits.advance}

T = TypeVar("T")


class Cuda:
    """CUDA devices. A batch of walkers stays on one of them, and comes back as counts."""

    name, packed = "cuda", np.int32

    def __init__(self, devices: Sequence[int] | None = None) -> None:
        self.devices = _checked(devices)
        self._stopped = threading.Event()
        self.late: list[Any] = []

    def batches(
        self, walkers: range, size: int, steps: int, width: int, work: Callable[[range], T], most: int | None = None
    ) -> Iterator[tuple[range, T]]:
        """Devices take turns. Where memory runs out, the batch is halved and tried again."""
        size, begin, jobs = min(self._size(steps, width), most or MOST), walkers.start, list[Future[T]]()
        self._stopped.clear()
        try:
            while begin < walkers.stop:
                firsts = range(begin, walkers.stop, size)[: len(self.devices)]
                pieces = [range(first, min(first + size, walkers.stop)) for first in firsts]
                jobs += [_thread(i).submit(self.on, self.devices[i], work, p) for i, p in enumerate(pieces)]
                for piece in pieces:
                    result = _result(jobs.pop(0))
                    if result is None:
                        size = _halved(size)
                        while jobs:  # beyond the gap: made again
                            _result(jobs.pop())
                        break
                    yield piece, result
                    begin = piece.stop
        finally:
            self._stopped.set()
            self.late[:] = finished(wait(jobs).done)

    def _size(self, steps: int, width: int) -> int:
        """Walkers of a batch: so many that it takes a second or so, if they fit."""
        if SIMULATED:
            return 1 << 10
        fit = MOST
        for device in set(self.devices):
            with cuda.gpus[device]:
                free = cuda.current_context().get_memory_info().free
            fit = min(fit, int(SHARE * free / self.devices.count(device) / (4 * width)))
        return max(1, min(fit, max(1 << 22, BATCH // max(1, steps))))

    def on(self, device: int, work: Callable[..., T], *arguments: Any) -> T:
        """`work` on a device; out of memory comes as MemoryError, any other failure of CUDA as DeviceError."""
        try:
            with cuda.gpus[device]:
                return work(*arguments)
        except Exception as error:
            if "OUT_OF_MEMORY" in str(error):
                raise MemoryError(str(error)) from None  # without its frames, which hold arrays on the device
            if type(error).__module__.split(".")[0] == "cuda" or type(error).__module__.startswith("numba.cuda"):
                raise DeviceError(
                    f"CUDA device {device} failed: {error}. Continue with error.ensemble.extend(…) if there is one; a device "
                    "that has failed needs a new process, and backend='cpu' gives the same walkers"
                ) from error
            raise

    def _stretches(self, walkers: Walkers, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """A run of steps in launches of bounded time, between which it can be stopped; one launch, unless it is long."""
        cost = 1 if walkers.state is None else FOLLOWED
        size = max(1, WORK // cost // max(walkers.site.size, 1) // 128) * 128
        for first in range(start, stop, size):
            if first > start:
                cuda.synchronize()
                if self.ended():
                    raise KeyboardInterrupt
            yield first, min(first + size, stop)

    def place(self, batch: range, start: Sequence[Start], keys: Keys) -> Any:
        cell = sum(int(part.sites[0]) for part in start if part.sites.size == 1)
        if all(part.sites.size == 1 for part in start):
            return Tossed(len(batch), cell)
        site = filled(len(batch), cell)
        for axis, part in enumerate(start):
            if part.sites.size > 1:
                tables = sent(part.sites), sent(np.cumsum(part.masses))
                place(blocks_for(site.size), THREADS, site, batch.start, axis, *tables, keys)
        return site

    def begin(self, site: Any, levels: Levels) -> Any:
        state = allocate((levels.rows, site.size))
        begin(blocks_for(site.size), THREADS, state, array_of(site), on_device(levels))
        return state

    def advance(self, walkers: Walkers, program: Program, start: int, stop: int, keys: Keys) -> None:
        if isinstance(walkers.site, Tossed) and walkers.site.toss(walkers, program, (start, start, stop), keys):
            return
        walkers = walkers._replace(site=array_of(walkers.site))
        if isinstance(program, JumpProgram):
            jump(blocks_for(walkers.site.size), THREADS, walkers.site, walkers.first, on_device(program), keys)
            return
        spans = ((start, *stretch) for stretch in self._stretches(walkers, start, stop))
        ADVANCE[type(program)](_there(walkers), program, spans, keys)

    def ended(self) -> bool:
        return self._stopped.is_set()

    def move(
        self, program: ItoProgram, state: State, first: int, start: int, stop: int, dt: float, keys: Keys,
        pairs: int = 1,
    ) -> None:  # fmt: skip
        """On the current device."""
        for done, end in pieces(start, stop, pairs * COUPLED * state.x.size, self.ended):
            ito.advance(program.module, state, first, done, end, dt, pairs, program.parameters, keys)

    def spheres(
        self, program: SphereProgram, walkers: range, start: Sequence[float], epsilon: float, most: int, keys: Keys
    ) -> Floats:
        """On the current device."""
        return program.walked(partial(spheres.walk, program.module), walkers, start, (epsilon, most), keys)

    def occupy(
        self, counts: NDArray[np.int64], program: TableProgram, layout: Layout, start: int, stop: int,
        gone: NDArray[np.int64], keys: Keys,
    ) -> None:  # fmt: skip
        """On the first device."""
        width, together = occupation.size(len(layout.shape))
        tiles, steps = layout.tiles(program.offsets, width, together), range(start, stop)
        self.on(self.devices[0], occupation.occupy, counts, program, tiles, together, layout.address, steps, gone, keys)

    def unpack(self, packed: Any, bits: int, numbers: Any) -> None:
        unpack(blocks_for(packed.size), THREADS, packed, bits, numbers)

    def array(self, values: NDArray[Any]) -> Any:
        return cuda.to_device(values)

    def copy(self, site: Any) -> Any:
        other = allocate(site.size)
        other.copy_to_device(array_of(site))
        return other

    def columns(self, state: Any) -> Sequence[Any]:
        return [state[i] for i in range(state.shape[0])]

    def histogram(
        self, values: Any, size: int, shift: int = 0, minus: Any = None, live: tuple[int, int] | None = None
    ) -> NDArray[np.int64]:
        if isinstance(values, Tossed) and minus is None and live is None:
            counts = values.counted(size, shift)
            if counts is not None:
                return counts
        values = array_of(values)
        others, times = (values, 0) if minus is None else (array_of(minus), -1)
        return _counted(size, values, others, NO_WAYS, (times, shift, *(live or EVERYWHERE)))

    def passages(self, site: Any, passage: Any, steps: int, exit_of: NDArray[np.uint8]) -> NDArray[np.int64]:
        exits = int(exit_of[-1]) + 1
        return _counted(exits * (steps + 1), array_of(site), passage, exit_of, (exits, 0, 0, LIVE - 1)).reshape(
            -1, exits
        )

    def host(self, site: Any) -> NDArray[np.int32]:
        return array_of(site).copy_to_host()


def _counted(
    size: int, values: Any, others: Any, ways: NDArray[np.uint8], binning: tuple[int, int, int, int]
) -> NDArray[np.int64]:
    """The counts of :func:`randwalk.kernels.cuda.walkers.count` in `size` bins."""
    counts, private = filled(size, 0, np.int64), 4 * size <= SHARED
    blocks, shared = blocks_for(values.size), 4 * size if private else 4
    if private and others is values and not ways.size and binning[2:] == EVERYWHERE and abs(binning[1]) < 1 << 30:
        lowest = -binning[1]
        count_sites(min(blocks, processors() * FEW), MANY, counts, values, lowest, lowest + size - 1, shared=shared)
    else:
        count(blocks, THREADS, counts, private, values, others, sent(ways), binning, shared=shared)
    return counts.copy_to_host()


@cache
def _thread(number: int) -> ThreadPoolExecutor:
    """A thread for a device, kept from run to run with the context of CUDA that it has; the simulator has one thread."""
    return _thread(0) if SIMULATED and number else ThreadPoolExecutor(1)


def _there(walkers: Walkers) -> Any:
    """The walkers as kernels take them."""
    state = sent(NO_STATE) if walkers.state is None else walkers.state
    levels = NO_LEVELS if walkers.leaving else walkers.levels
    places = NOBODY if walkers.places is None else walkers.places
    return walkers._replace(state=state, levels=on_device(levels).told, places=sent(places))


def _result(job: Future[T]) -> T | None:
    """What a job made; None where memory ran out."""
    try:
        return job.result()
    except MemoryError:
        return None


def _halved(size: int) -> int:
    if size <= LEAST // (LEAST if SIMULATED else 1):
        raise DeviceError(
            f"the CUDA device has no memory for {size:,} walkers and what is counted of them: close other programs on it, "
            "record fewer times, or take backend='cpu'"
        )
    return size // 2


def _checked(devices: Sequence[int] | None) -> tuple[int, ...]:
    """Device indices that exist; an index given twice makes two devices of one."""
    count = len(cuda.gpus)
    chosen = (0,) if devices is None else tuple(devices)
    for device in chosen:
        if isinstance(device, bool) or not isinstance(device, (int, np.integer)) or not 0 <= device < count:
            there = ", ".join(str(i) for i in range(count))
            raise ValueError(f"devices = {list(chosen)}: {device!r} is not a CUDA device here; there are {there}")
    if not chosen:
        raise ValueError("devices = []: give at least one, or leave it out")
    return tuple(int(device) for device in chosen)
