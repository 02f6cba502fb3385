"""CUDA drivers: launch, memory and reduction, a thread a walker. The only file that imports CUDA.

The physics is in `step`, `bits`, `functionals`, `occupation.split`, `binomial` and `philox`, compiled here for the GPU from the
same source as for the CPU. Counts are whole numbers, so the order in which threads add does not show in them.

With NUMBA_ENABLE_CUDASIM=1 the kernels run in Numba's simulator, where a thread is a Python thread and the device functions
are the CPU's: they return Python integers there, which is why words are cast where they look as if they need not be.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock

import numba.cuda
import numpy as np
from numpy.typing import NDArray

from ..run.device import DeviceError, Keys, Levels
from .alias import draw, settle_draw
from .bits import always, balance, next_digit, screen, settle, spread
from .constant import walk_constant
from .functionals import above, highest, passage
from .occupation import split
from .philox import HALF, JUMP, LOW, START, STEPS, TIES, U, philox, words64
from .step import (
    ALL,
    BITS,
    I32,
    ONE,
    U32,
    ZERO,
    column,
    half_step,
    halves,
    moves,
    popcount,
    table_step,
    trailing_zeros,
)
from .vector import apart

F = Callable[..., Any]
T = TypeVar("T")

cuda: Any = numba.cuda  # the simulator looks for the module under a global name
nvvm: Any = import_module("numba.cuda.cudadrv.nvvm")
_settings: Any = numba.config
SIMULATED = bool(_settings.ENABLE_CUDASIM)

THREADS = 32 if SIMULATED else 256  # of a block
WIDTH, MARGIN = (32, 4) if SIMULATED else (256, 32)  # sites of a block of the occupation method, and those on each side
WAVES = 32  # blocks to a multiprocessor, at most
SHARED = 48 * 1024  # bytes of shared memory that every device gives a block
CAPACITIES = (8, 512, 4096)  # columns of step tables in shared memory; larger ones are read through the cache
SHARE = 0.8  # of the free memory that walkers may take
LEAST, MOST = 1 << 14, 1 << 30  # walkers of a batch
WORK = 1 << 38  # steps of walkers in a launch: about a second on a table, so that Ctrl-C is heard
NO_LEVELS: Levels = (np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))
BATCH = 1 << 42  # steps of walkers in a batch, where there are walkers enough
COUNT = np.dtype(np.int32)  # of bins in shared memory; the simulator wants an instance
FARTHEST = 2147483646  # an outer site that nobody reaches

_lock = threading.RLock()


# ---------------------------------------------------------------- compiling


@contextmanager
def _plain_arithmetic() -> Iterator[None]:
    """No fused multiply-add: the bits of `portable` must be the CPU's. Numba has no option for it, NVVM has."""
    original = getattr(nvvm, "compile_ir", None)
    if original is None:  # the simulator
        yield
        return

    def compile_ir(source: Any, **options: Any) -> Any:
        return original(source, **(options | {"fma": 0}))

    with _lock, mock.patch.object(nvvm, "compile_ir", compile_ir):
        yield


class Kernel:
    """A kernel compiled when first launched, without contraction."""

    def __init__(self, function: F) -> None:
        # Not through the decorator form, which loses the option; link-time optimisation would contract after all.
        self.jit: Any = cuda.jit(function, **({} if SIMULATED else {"lto": False}))
        self.function = function

    def __call__(self, blocks: int, threads: int, *arguments: Any, shared: int = 0) -> None:
        with _lock, _plain_arithmetic():
            self.jit[blocks, threads, 0, shared](*arguments)


def _in_kernel(function: F) -> F:
    """A device function that is given arrays: the simulator's arrays are not the CPU's."""
    return function.py_func if SIMULATED else function  # type: ignore[attr-defined]


_apart = (lambda: None) if SIMULATED else apart
_table_step, _draw, _settle_draw = (_in_kernel(f) for f in (table_step, draw, settle_draw))


# ---------------------------------------------------------------- kernels: walkers


@Kernel
def _place(site, first_walker, index, upper, k0, k1):  # type: ignore[no-untyped-def]
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        low, high = 0, upper.size - 1
        if high > 0:
            walker = U(first_walker + j)
            word = np.int64(U(words64(walker & LOW, walker >> HALF, U(0), START, k0, k1)[0]) >> U(11))
            while low < high:
                middle = (low + high) // 2
                if word < upper[middle]:
                    high = middle
                else:
                    low = middle + 1
        site[j] = index[low]


@Kernel
def _toss(site, first_walker, start, stop, k0, k1):  # type: ignore[no-untyped-def]
    """p = ½: 128 steps a Philox block, of which the ones go left. Whole blocks first, then what is before and after them."""
    begin, end = I32((start + 127) // 128), I32(stop // 128)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(first_walker + j)
        left = I32(0)
        for block in range(begin, end):
            first, second = words64(walker & LOW, walker >> HALF, U(block), STEPS, k0, k1)
            left = I32(left + I32(popcount(U(first))) + I32(popcount(U(second))))
        if 128 * np.int64(begin) > start:
            left = I32(left + _part(walker, start // 128, start, stop, k0, k1))
        if begin <= end and 128 * np.int64(end) < stop:
            left = I32(left + _part(walker, end, start, stop, k0, k1))
        site[j] = I32(site[j] + (stop - start) - 2 * left)


@cuda.jit(device=True)
def _part(walker, block, start, stop, k0, k1):  # type: ignore[no-untyped-def]
    """Steps to the left among those steps of a block that are from `start` to `stop`."""
    first, second = words64(walker & LOW, walker >> HALF, U(block), STEPS, k0, k1)
    early, late = U(screen(128 * block, start, stop)), U(screen(128 * block + 64, start, stop))
    return I32(popcount(U(first) & early)) + I32(popcount(U(second) & late))


@Kernel
def _walk_constant(site, first_walker, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Blocks outside, their two words inside, last first: a run of 128 steps takes `planes` blocks, whatever their number."""
    shift = U(BITS - planes)
    low = (ONE << shift) - ONE
    always_right, always_left = U(always(t_right)), U(always(t_left))
    rest_right, rest_left = ALL if t_right & low else ZERO, ALL if t_left & low else ZERO
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(first_walker + j)
        net = np.int64(0)
        for pair in range(start // 128, (stop + 127) // 128):
            word, digit = 2 * pair + 1, planes - 1
            right, left, tie_right, tie_left = ZERO, ZERO, ALL, ALL
            first = ZERO
            for number in range(2 * planes - 1, -1, -1):
                if number & 1:
                    first, plane = words64(
                        walker & LOW, walker >> HALF, U(pair * planes + (number >> 1)), STEPS, k0, k1
                    )
                else:
                    plane = first
                right, tie_right = next_digit(U(right), U(tie_right), U(plane), U(spread(t_right, digit)))
                left, tie_left = next_digit(U(left), U(tie_left), U(plane), U(spread(t_left, digit)))
                digit -= 1
                if digit >= 0:
                    continue
                wanted = U(screen(64 * word, start, stop))
                ties = ((U(tie_right) & rest_right) | (U(tie_left) & rest_left)) & wanted
                decided = wanted & ~ties
                to_right, to_left = U(right) | always_right, U(left) | always_left
                net += balance(U(to_right), U(to_left), U(decided))
                while ties:
                    lane = ties & (~ties + ONE)
                    ties ^= lane
                    top = t_right if U(tie_right) & rest_right & lane else t_left
                    n = U(word) * U(64) + U(trailing_zeros(lane))
                    rest, _, _, _ = philox(walker & LOW, walker >> HALF, n, TIES, k0, k1)
                    net += settle(t_right, t_left, U(top & ~low), U(rest), planes)
                word, digit = word - 1, planes - 1
                right, left, tie_right, tie_left = ZERO, ZERO, ALL, ALL
        site[j] = I32(site[j] + net)


@Kernel
def _halve(pairs, lives, thresholds):  # type: ignore[no-untyped-def]
    columns = thresholds.shape[2]
    for i in range(cuda.grid(1), thresholds.shape[0] * columns, cuda.gridsize(1)):
        row, c = i // columns, i % columns
        pairs[row, c], lives[row, c] = halves(thresholds[row, 0, c], thresholds[row, 1, c], thresholds[row, 2, c])


@cuda.jit(device=True)
def _fetch(here, there):  # type: ignore[no-untyped-def]
    """A block copies the one row of a table to its shared memory."""
    for i in range(cuda.threadIdx.x, there.shape[1], cuda.blockDim.x):
        here[0, i] = there[0, i]
    cuda.syncthreads()


@cuda.jit(device=True)
def _settle(site, half, walker, n, thresholds, row, layout, k0, k1):  # type: ignore[no-untyped-def]
    _apart()
    low, high, wrap, killed = layout
    return _table_step(site, half, walker, n, thresholds, row, low, high, wrap, killed, k0, k1)


@cache
def _walk_table(capacity: int) -> Kernel:
    """For tables of at most `capacity` columns, whose halves are read from shared memory; 0: any table, where it is."""
    room = max(capacity, 1)

    def walk_table(site, first_walker, start, stop, halved, thresholds, layout, k0, k1):  # type: ignore[no-untyped-def]
        low, high, wrap, killed = I32(layout[0]), I32(layout[1]), I32(layout[2]), I32(layout[3])
        if capacity:
            pairs = cuda.shared.array((1, room), np.uint32)  # the simulator tells shared arrays apart by their lines
            lives = cuda.shared.array((1, room), np.uint32)
            _fetch(pairs, halved[0])
            _fetch(lives, halved[1])
        else:
            pairs, lives = halved
        streamed = thresholds.shape[0] > 1
        for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
            walker = U(first_walker + j)
            here = site[j]
            for eight in range(start // 8, (stop + 7) // 8):
                if here < 1 or here > killed - 2:
                    break  # a walker that has left stays where it is
                y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, U(eight), STEPS, k0, k1)
                w0, w1, w2, w3 = U32(y0 & LOW), U32(y1 & LOW), U32(y2 & LOW), U32(y3 & LOW)
                begin, end = I32(max(start - 8 * eight, 0)), I32(min(stop - 8 * eight, 8))
                for i in range(I32(8)):
                    half = U32(w0 >> U32(16))
                    w0, w1, w2, w3 = w1, w2, w3, U32(w0 << U32(16))  # high halves first, then the low ones
                    if begin <= i < end:
                        n = 8 * eight + i
                        row, c = U(0) if capacity else U(n - start if streamed else 0), U32(column(here, low, high))
                        there, tied = half_step(here, half, pairs[row, c], lives[row, c], wrap, killed)
                        if tied:
                            there = _settle(here, half, walker, n, thresholds, row, layout, k0, k1)
                        here = I32(there)
            site[j] = here

    return Kernel(walk_table)


@Kernel
def _jump(site, first_walker, interval, first, bits, cells, rests, k0, k1):  # type: ignore[no-untyped-def]
    """A thread for the four walkers of a Philox block."""
    early = first_walker % 4
    for quarter in range(cuda.grid(1), (early + site.size + 3) // 4, cuda.gridsize(1)):
        group = U(first_walker // 4 + quarter)
        y0, y1, y2, y3 = philox(group & LOW, group >> HALF, U(interval), JUMP, k0, k1)
        w0, w1, w2, w3 = U(y0 & LOW), U(y1 & LOW), U(y2 & LOW), U(y3 & LOW)
        for j in range(4 * quarter - early, 4 * quarter - early + 4):
            word, w0, w1, w2 = w0, w1, w2, w3
            if 0 <= j < site.size:
                drawn, tied = _draw(word, bits, cells)
                site[j] = I32(site[j] + first + drawn)
                if tied:
                    site[j] += _settle_draw(word, bits, cells, rests, U(first_walker + j), interval, k0, k1)


@Kernel
def _begin(state, site, visits):  # type: ignore[no-untyped-def]
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        for i in range(state.shape[0]):
            state[i, j] = 0
        state[1, j] = site[j]
        for i in range(visits.size):
            state[2 + i, j] = 0 if site[j] == visits[i] else -1


@cuda.jit(device=True)
def _tally(before, site, n, j, state, visits, positives, outer):  # type: ignore[no-untyped-def]
    """Functionals at levels, which are many and change seldom: they stay in memory."""
    for i in range(visits.size):
        if site == visits[i]:
            state[2 + i, j] = n + 1
    for i in range(positives.size):
        if above(before, site, positives[i], outer):
            state[2 + visits.size + i, j] += 1


@cache
def _follow_table(capacity: int) -> Kernel:
    """As :func:`_walk_table`, with functionals of the paths in `state`."""
    room = max(capacity, 1)

    def follow_table(site, state, first_walker, start, stop, halved, thresholds, layout, levels, k0, k1):  # type: ignore[no-untyped-def]
        low, high, wrap, killed = I32(layout[0]), I32(layout[1]), I32(layout[2]), I32(layout[3])
        visits, positives = levels
        if capacity:
            pairs = cuda.shared.array((1, room), np.uint32)  # the simulator tells shared arrays apart by their lines
            lives = cuda.shared.array((1, room), np.uint32)
            _fetch(pairs, halved[0])
            _fetch(lives, halved[1])
        else:
            pairs, lives = halved
        streamed = thresholds.shape[0] > 1
        for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
            walker = U(first_walker + j)
            here, left, top = site[j], state[0, j], state[1, j]
            for eight in range(start // 8, (stop + 7) // 8):
                if here < 1 or here > killed - 2:
                    break
                y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, U(eight), STEPS, k0, k1)
                w0, w1, w2, w3 = U32(y0 & LOW), U32(y1 & LOW), U32(y2 & LOW), U32(y3 & LOW)
                begin, end = I32(max(start - 8 * eight, 0)), I32(min(stop - 8 * eight, 8))
                for i in range(I32(8)):
                    half = U32(w0 >> U32(16))
                    w0, w1, w2, w3 = w1, w2, w3, U32(w0 << U32(16))
                    if begin <= i < end and 0 < here < killed - 1:
                        n = 8 * eight + i
                        row, c = U(0) if capacity else U(n - start if streamed else 0), U32(column(here, low, high))
                        there, tied = half_step(here, half, pairs[row, c], lives[row, c], wrap, killed)
                        if tied:
                            there = _settle(here, half, walker, n, thresholds, row, layout, k0, k1)
                        there = I32(there)
                        left = I32(passage(here, there, n, killed - 1, left))
                        top = I32(highest(there, killed - 1, top))
                        _tally(here, there, n, j, state, visits, positives, killed - 1)
                        here = there
            site[j], state[0, j], state[1, j] = here, left, top

    return Kernel(follow_table)


@Kernel
def _follow_constant(site, state, first_walker, start, stop, planes, t_right, t_left, levels, k0, k1):  # type: ignore[no-untyped-def]
    visits, positives = levels
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(first_walker + j)
        here, top = site[j], state[1, j]
        for word in range(start // 64, (stop + 63) // 64):
            right, left = moves(walker, word, planes, t_right, t_left, k0, k1)
            right, left = U(right), U(left)
            for n in range(max(64 * word, start), min(64 * word + 64, stop)):
                bit = U(n - 64 * word)
                there = I32(here + I32((right >> bit) & ONE) - I32((left >> bit) & ONE))
                top = I32(highest(there, FARTHEST, top))
                _tally(here, there, n, j, state, visits, positives, FARTHEST)
                here = there
        site[j], state[1, j] = here, top


# ---------------------------------------------------------------- kernels: counting


@cuda.jit(device=True)
def _count(bins, counts, private, bin):  # type: ignore[no-untyped-def]
    if private:
        cuda.atomic.add(bins, bin, 1)
    else:
        cuda.atomic.add(counts, bin, 1)


@cuda.jit(device=True)
def _clear(bins, size):  # type: ignore[no-untyped-def]
    for i in range(cuda.threadIdx.x, size, cuda.blockDim.x):
        bins[i] = 0
    cuda.syncthreads()


@cuda.jit(device=True)
def _empty(bins, counts):  # type: ignore[no-untyped-def]
    cuda.syncthreads()
    for i in range(cuda.threadIdx.x, counts.size, cuda.blockDim.x):
        if bins[i]:
            cuda.atomic.add(counts, i, np.int64(bins[i]))


@Kernel
def _histogram(counts, private, values, minus, times, shift, lowest, highest):  # type: ignore[no-untyped-def]
    """A block counts for itself in shared memory where the bins fit, and adds to the others' counts at the end."""
    bins = cuda.shared.array(0, COUNT)
    if private:
        _clear(bins, counts.size)
    for j in range(cuda.grid(1), values.size, cuda.gridsize(1)):
        value = np.int64(values[j])
        if lowest <= value <= highest:
            bin = value - times * np.int64(minus[j]) + shift
            _count(bins, counts, private, min(max(bin, 0), counts.size - 1))
    if private:
        _empty(bins, counts)


@Kernel
def _passages(counts, private, site, passage, outer):  # type: ignore[no-untyped-def]
    bins = cuda.shared.array(0, COUNT)
    if private:
        _clear(bins, counts.size)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        here = site[j]
        if here < 1 or here >= outer:
            _count(bins, counts, private, 3 * np.int64(passage[j]) + (0 if here == 0 else 1 if here == outer else 2))
    if private:
        _empty(bins, counts)


# ---------------------------------------------------------------- kernels: occupation


@Kernel
def _occupy(after, before, gone, span, thresholds, layout, first, k0, k1):  # type: ignore[no-untyped-def]
    """Steps span[0] … span[1] - 1 of the histogram, a thread a site; row 0 of `gone` is step span[2].

    Draws are addresses, so blocks need not talk: each also steps MARGIN sites beyond its own on either side, and what is wrong
    at its edges comes one site nearer at each step. A block that holds all sites goes as many steps as it likes.
    """
    low, high, wrap, killed = layout
    start, stop, base = span
    sites = killed - 2
    whole = sites <= WIDTH
    margin = 0 if whole else MARGIN
    thread = cuda.threadIdx.x
    place = cuda.blockIdx.x * (WIDTH - 2 * margin) + thread - margin
    own = margin <= thread and thread < WIDTH - margin and place < sites
    i = place % sites + 1 if wrap else place + 1
    live = i >= 1 and i <= sites and (place < sites or not whole)
    ring = wrap > 0 and whole
    under = (thread - 1 if thread > 0 else sites - 1) if ring else thread - 1
    over = (thread + 1 if thread < sites - 1 else 0) if ring else thread + 1
    to_right = cuda.shared.array(WIDTH, np.int64)
    to_left = cuda.shared.array(WIDTH, np.int64)
    here, c = np.int64(0), np.int64(0)
    if live:
        here, c = before[i], np.int64(column(I32(i), low, high))
    for n in range(start, stop):
        row = n - base if thresholds.shape[0] > 1 else 0
        right, left, died = np.int64(0), np.int64(0), np.int64(0)
        if live and here > 0:
            t_right, t_left, t_live = thresholds[row, 0, c], thresholds[row, 1, c], thresholds[row, 2, c]
            right, left, died = split(here, t_right, t_left, t_live, U(first + i) & LOW, U(n), k0, k1)
        to_right[thread], to_left[thread] = right, left
        cuda.syncthreads()
        here += -right - left - died
        if under >= 0:
            here += to_right[under]
        if over < WIDTH:
            here += to_left[over]
        cuda.syncthreads()
        if own and died:
            cuda.atomic.add(gone, (n - base, 2), died)
        if own and not wrap and i == 1:
            gone[n - base, 0] = left
        if own and not wrap and i == sites:
            gone[n - base, 1] = right
    if own:
        after[i] = here


# ---------------------------------------------------------------- kernels: measuring


@Kernel
def _blocks(out, blocks, k0, k1):  # type: ignore[no-untyped-def]
    """Philox alone: the exclusive or of `blocks` blocks a thread."""
    for j in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        mixed = ZERO
        for n in range(blocks):
            first, second = words64(U(j), U(0), U(n), STEPS, k0, k1)
            mixed ^= U(first) ^ U(second)
        out[j] = mixed


# ---------------------------------------------------------------- the backend


def _blocks_for(size: int) -> int:
    processors = getattr(cuda.current_context().device, "MULTIPROCESSOR_COUNT", 1)
    return max(1, min(math.ceil(size / THREADS), processors * WAVES // (WAVES // 2 if SIMULATED else 1)))


def _allocate(shape: int | tuple[int, int]) -> Any:
    """Plain device memory, never managed: more of that than a card has can hang it."""
    return cuda.device_array(shape, np.int32)


class Cuda:
    """CUDA devices; a batch of walkers stays on one, and comes back as counts."""

    name = "cuda"

    def __init__(self, devices: Sequence[int] | None = None) -> None:
        self.devices = _checked(devices)
        self._stopped = threading.Event()

    def batches(
        self, walkers: range, size: int, steps: int, width: int, work: Callable[[range], T]
    ) -> Iterator[tuple[range, T]]:
        """Devices take turns. Where memory runs out, the batch is halved and tried again."""
        size, begin = self._size(steps, width), walkers.start
        with ThreadPoolExecutor(1 if SIMULATED else len(self.devices)) as pool:
            try:
                while begin < walkers.stop:
                    firsts = range(begin, walkers.stop, size)[: len(self.devices)]
                    pieces = [range(first, min(first + size, walkers.stop)) for first in firsts]
                    jobs = [pool.submit(self._on, d, work, p) for d, p in zip(self.devices, pieces, strict=False)]
                    for piece in pieces:
                        result = _result(jobs.pop(0))
                        if result is None:
                            size = _halved(size)
                            for job in jobs:  # beyond the gap: made again
                                _result(job)
                            break
                        yield piece, result
                        begin = piece.stop
            finally:
                self._stopped.set()

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

    def _on(self, device: int, work: Callable[..., T], *arguments: Any) -> T:
        """`work` on a device; out of memory comes as MemoryError, any other failure of CUDA as DeviceError."""
        try:
            with cuda.gpus[device]:
                return work(*arguments)
        except Exception as error:
            if "OUT_OF_MEMORY" in str(error):
                raise MemoryError(str(error)) from None  # without its frames, which hold arrays on the device
            if type(error).__module__.split(".")[0] == "cuda" or type(error).__module__.startswith("numba.cuda"):
                raise DeviceError(
                    f"CUDA device {device} failed: {error}. Go on with error.ensemble.extend(…) where there is one; a device "
                    "that has failed needs a new process, and backend='cpu' gives the same walkers"
                ) from error
            raise

    def _stretches(self, walkers: int, start: int, stop: int, cost: int = 1) -> Iterator[tuple[int, int]]:
        """A run of steps in launches of bounded time, between which it can be stopped; one, unless it is long."""
        size = max(1, WORK // cost // max(walkers, 1) // 128) * 128
        for begin in range(start, stop, size):
            if begin > start:
                cuda.synchronize()
                if self._stopped.is_set():
                    raise KeyboardInterrupt
            yield begin, min(begin + size, stop)

    # ---- the drivers of kernels.cpu and kernels.constant

    def place(self, batch: range, index: NDArray[np.int32], masses: NDArray[np.int64], keys: Keys) -> Any:
        site = _allocate(len(batch))
        tables = cuda.to_device(index), cuda.to_device(np.cumsum(masses))
        _place(_blocks_for(site.size), THREADS, site, batch.start, *tables, *keys)
        return site

    def walk_constant(
        self, site: Any, first: int, start: int, stop: int, planes: int, right: int, left: int, *keys: np.uint64
    ) -> None:
        blocks = _blocks_for(site.size)
        fair = (right, left) == (1 << (BITS - 1), 1 << BITS)
        for begin, end in self._stretches(site.size, start, stop):
            if fair:
                _toss(blocks, THREADS, site, first, begin, end, *keys)
            else:
                _walk_constant(blocks, THREADS, site, first, begin, end, planes, U(right), U(left), *keys)

    def walk_table(
        self, site: Any, first: int, start: int, stop: int, thresholds: Any, layout: tuple[int, ...], *keys: np.uint64
    ) -> None:
        walk, blocks, table = _walk_table(_capacity(thresholds)), _blocks_for(site.size), _on_device(thresholds)
        for begin, end in self._stretches(site.size, start, stop):
            walk(blocks, THREADS, site, first, begin, end, *_rows(table, begin - start, end - start), layout, *keys)

    def jump(
        self, site: Any, walker: int, interval: int, first: int, bits: int,
        cells: Any, rests: Any, *keys: np.uint64,
    ) -> None:  # fmt: skip
        tables = cuda.to_device(cells), cuda.to_device(rests)
        _jump(_blocks_for(site.size // 4), THREADS, site, walker, interval, first, bits, *tables, *keys)

    def follow_constant(
        self, site: Any, state: Any, first: int, start: int, stop: int, planes: int, right: int, left: int,
        levels: Levels, *keys: np.uint64,
    ) -> None:  # fmt: skip
        there = cuda.to_device(levels[0]), cuda.to_device(levels[1])
        for begin, end in self._stretches(site.size, start, stop, 4):
            _follow_constant(
                _blocks_for(site.size), THREADS, site, state, first, begin, end, planes, U(right), U(left), there, *keys
            )

    def follow_table(
        self, site: Any, state: Any, first: int, start: int, stop: int, thresholds: Any, layout: tuple[int, ...],
        levels: Levels, *keys: np.uint64,
    ) -> None:  # fmt: skip
        walk, blocks, table = _follow_table(_capacity(thresholds)), _blocks_for(site.size), _on_device(thresholds)
        there = cuda.to_device(levels[0]), cuda.to_device(levels[1])
        for begin, end in self._stretches(site.size, start, stop, 4):
            rows = _rows(table, begin - start, end - start)
            walk(blocks, THREADS, site, state, first, begin, end, *rows, layout, there, *keys)

    def leave_table(self, site: Any, state: Any, first: int, start: int, stop: int, *arguments: Any) -> None:
        thresholds, layout, *keys = arguments
        self.follow_table(site, state, first, start, stop, thresholds, layout, NO_LEVELS, *keys)

    def occupy(self, *arguments: Any) -> None:
        """On the first device."""
        self._on(self.devices[0], _occupation, *arguments)

    # ---- counting

    def copy(self, site: Any) -> Any:
        other = _allocate(site.size)
        other.copy_to_device(site)
        return other

    def begin(self, site: Any, levels: Levels) -> Any:
        state = _allocate((2 + levels[0].size + levels[1].size, site.size))
        _begin(_blocks_for(site.size), THREADS, state, site, cuda.to_device(levels[0]))
        return state

    def columns(self, state: Any) -> Sequence[Any]:
        return [state[i] for i in range(state.shape[0])]

    def histogram(
        self, values: Any, size: int, shift: int = 0, minus: Any = None, live: tuple[int, int] | None = None
    ) -> NDArray[np.int64]:
        lowest, highest = live or (-(2**31), 2**31 - 1)
        other, times = (values, 0) if minus is None else (minus, 1)
        return _counted(_histogram, size, values.size, values, other, times, shift, lowest, highest)

    def passages(self, site: Any, passage: Any, steps: int, outer: int) -> NDArray[np.int64]:
        return _counted(_passages, 3 * (steps + 1), site.size, site, passage, outer).reshape(-1, 3)

    def host(self, site: Any) -> NDArray[np.int32]:
        return site.copy_to_host()


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


def _capacity(thresholds: Any) -> int:
    """The smallest shared table that holds the step table; 0 where it stays in device memory."""
    rows, _, columns = thresholds.shape
    return next((c for c in CAPACITIES if rows == 1 and columns <= c), 0)


def _on_device(thresholds: Any) -> tuple[Any, Any, Any]:
    """A step table on the device: halves of right and left, halves of live, and all digits."""
    table, shape = cuda.to_device(thresholds), (thresholds.shape[0], thresholds.shape[2])
    pairs, lives = cuda.device_array(shape, np.uint32), cuda.device_array(shape, np.uint32)
    _halve(_blocks_for(shape[0] * shape[1]), THREADS, pairs, lives, table)
    return pairs, lives, table


def _rows(table: tuple[Any, Any, Any], begin: int, end: int) -> tuple[tuple[Any, Any], Any]:
    """The rows of some steps, as the kernels take them."""
    pairs, lives, whole = table if table[2].shape[0] == 1 else (part[begin:end] for part in table)
    return (pairs, lives), whole


def _counted(kernel: Kernel, bins: int, walkers: int, *arguments: Any) -> NDArray[np.int64]:
    counts = cuda.to_device(np.zeros(bins, dtype=np.int64))
    private = 4 * bins <= SHARED
    kernel(_blocks_for(walkers), THREADS, counts, private, *arguments, shared=4 * bins if private else 4)
    return counts.copy_to_host()


def _occupation(
    counts: NDArray[np.int64], start: int, stop: int, thresholds: Any, layout: tuple[int, ...],
    first: int, gone: NDArray[np.int64], k0: np.uint64, k1: np.uint64,
) -> None:  # fmt: skip
    sites = layout[3] - 2
    whole = sites <= WIDTH
    blocks, stretch = (1, stop - start) if whole else (math.ceil(sites / (WIDTH - 2 * MARGIN)), MARGIN)
    before, after, table = cuda.to_device(counts), cuda.to_device(counts), cuda.to_device(thresholds)
    left = cuda.to_device(np.zeros((stop - start, 3), dtype=np.int64))
    for begin in range(start, stop, stretch):
        span = begin, min(begin + stretch, stop), start
        _occupy(blocks, WIDTH, after, before, left, span, table, layout, first % (1 << 32), k0, k1)
        before, after = after, before
    counts[1 : sites + 1] = before.copy_to_host()[1 : sites + 1]
    gone[:] = left.copy_to_host()


# ---------------------------------------------------------------- what there is


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


def load() -> None:
    """Import what numba-cuda itself imports when it compiles its first kernel only, and may then fail with a NumPy that is newer
    than it knows."""
    if not SIMULATED:
        with suppress(ModuleNotFoundError):  # older ones use Numba's own
            import_module("numba.cuda.np.arrayobj")


def why_not() -> str | None:
    """Why CUDA cannot be used in this process, with the remedy; None where it can."""
    if SIMULATED:
        return None
    if getattr(cuda, "implementation", "") == "Built-in":
        return 'Numba\'s own CUDA target is deprecated and not used: pip install "randwalk-pde[cuda]"'
    if not cuda.is_available():
        return (
            f"no usable NVIDIA GPU or driver ({_first_line(_driver_error())}): `nvidia-smi` must list a GPU; "
            "install or update the driver from https://www.nvidia.com/drivers"
        )
    try:
        toolkit, driver = cuda.runtime.get_version(), _driver().get_version()
        nvvm.NVVM()
    except Exception as error:  # whatever a missing library raises
        return f'the CUDA toolkit libraries are incomplete ({_first_line(error)}): pip install "numba-cuda[cu13]"'
    if driver < (toolkit[0], 0):
        return (
            f"the driver supports CUDA {driver[0]}.{driver[1]} and the toolkit is {toolkit[0]}.{toolkit[1]}: update the driver, "
            f'or pip install "numba-cuda[cu{driver[0]}]"'
        )
    return None


def _driver_error() -> object:
    return _driver().initialization_error or "no device"


def _driver() -> Any:
    return import_module("numba.cuda.cudadrv.driver").driver


def _first_line(error: object) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "unknown reason")


def report() -> list[tuple[str, str]]:
    """Devices, driver, toolkit and memory, and whether a kernel really ran on each device."""
    if SIMULATED:
        return [("cuda", "Numba's simulator (NUMBA_ENABLE_CUDASIM=1)"), ("self-test", _self_test(0))]
    driver, toolkit = _driver().get_version(), cuda.runtime.get_version()
    rows = [("cuda", f"driver {driver[0]}.{driver[1]}, toolkit {toolkit[0]}.{toolkit[1]}")]
    for number, name, capability, free, total in described():
        memory = f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
        rows.append((f"device {number}", f"{name}, sm_{capability}, {memory}; self-test {_self_test(number)}"))
    return rows


def described() -> list[tuple[int, str, str, int, int]]:
    """(number, name, compute capability, free bytes, bytes) of each device."""
    found = []
    for number in range(len(cuda.gpus)):
        with cuda.gpus[number]:
            device, memory = cuda.current_context().device, cuda.current_context().get_memory_info()
            name = getattr(device, "name", "simulator")
            name = name.decode() if isinstance(name, bytes) else str(name)
            found.append((number, name, "".join(map(str, device.compute_capability)), memory.free, memory.total))
    return found


def _self_test(device: int) -> str:
    """A fair walk here and there, site by site; small enough for a millisecond."""
    size, steps, keys = (64, 256, (U(1), U(2))) if SIMULATED else (1 << 16, 1 << 13, (U(1), U(2)))

    def on_device() -> tuple[NDArray[np.int32], float]:
        site = cuda.to_device(np.zeros(size, dtype=np.int32))
        for _ in range(2):  # the first time is compiling
            begin = time.perf_counter()
            _toss(_blocks_for(size), THREADS, site, 0, 0, steps, *keys)
            cuda.synchronize()
        return site.copy_to_host(), time.perf_counter() - begin

    try:
        site, seconds = Cuda([device])._on(device, on_device)
    except Exception as error:  # whatever goes wrong is what this is for
        return f"failed: {_first_line(error)}"
    wanted = np.zeros(size, dtype=np.int32)
    for _ in range(2):
        walk_constant(wanted, 0, 0, steps, 1, 1 << (BITS - 1), 1 << BITS, *keys)  # type: ignore[no-untyped-call]
    agree = np.array_equal(site, wanted)
    verdict = "agrees with the CPU" if agree else "DISAGREES with the CPU: do not use this device"
    return f"{verdict} ({1e3 * seconds:.2f} ms)"


# ---------------------------------------------------------------- without a GPU


def compile_all(capability: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Every kernel as PTX for a compute capability, with no GPU and no driver: (name, PTX)."""
    dispatcher, types = import_module("numba.cuda.dispatcher"), import_module("numba.cuda.types")
    device = SimpleNamespace(compute_capability=capability)
    for name, kernel, arguments in _signatures(types):
        with mock.patch.object(dispatcher, "get_current_device", lambda: device), _plain_arithmetic():
            yield name, cuda.compile_ptx(kernel.function, types.void(*arguments), cc=capability)[0]


def _signatures(types: Any) -> Iterator[tuple[str, Kernel, tuple[Any, ...]]]:
    i64, u64, flag = types.int64, types.uint64, types.boolean
    sites, longs, words = types.int32[::1], types.int64[::1], types.uint64[::1]
    state, gone, table = types.int32[:, ::1], types.int64[:, ::1], types.uint32[:, :, ::1]
    keys, layout, span = (u64, u64), types.UniTuple(i64, 4), types.UniTuple(i64, 3)
    half = types.uint32[:, ::1]
    halved = types.UniTuple(half, 2)
    levels = types.UniTuple(sites, 2)
    yield "place", _place, (sites, i64, sites, longs, *keys)
    yield "toss", _toss, (sites, i64, i64, i64, *keys)
    yield "walk_constant", _walk_constant, (sites, i64, i64, i64, i64, u64, u64, *keys)
    yield "halve", _halve, (half, half, table)
    for capacity in (0, *CAPACITIES):
        yield f"walk_table[{capacity}]", _walk_table(capacity), (sites, i64, i64, i64, halved, table, layout, *keys)
        yield (
            f"follow_table[{capacity}]",
            _follow_table(capacity),
            (sites, state, i64, i64, i64, halved, table, layout, levels, *keys),
        )
    yield "follow_constant", _follow_constant, (sites, state, i64, i64, i64, i64, u64, u64, levels, *keys)
    yield "jump", _jump, (sites, i64, i64, i64, i64, words, types.uint32[::1], *keys)
    yield "begin", _begin, (state, sites, sites)
    yield "histogram", _histogram, (longs, flag, sites, sites, i64, i64, i64, i64)
    yield "passages", _passages, (longs, flag, sites, sites, i64)
    yield "occupy", _occupy, (longs, longs, gone, span, table, layout, i64, *keys)
    yield "blocks", _blocks, (words, i64, *keys)
