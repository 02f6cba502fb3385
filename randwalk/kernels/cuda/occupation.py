"""The occupation method on the device: a thread a site."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..backend import Keys, TableProgram
from ..occupation import split
from ..philox import LOW, U
from ..step import I32, column
from .compile import SIMULATED, Kernel, cuda
from .walkers import on_device

WIDTH, MARGIN = (
    (32, 4) if SIMULATED else (256, 32)
)  # sites of a block, and those computed on each side that are not its own


@Kernel
def _occupy(after, before, gone, span, program, first, keys):  # type: ignore[no-untyped-def]
    """Steps span[0] … span[1] - 1 of the histogram, a thread a site; row 0 of `gone` is step span[2].

    Random numbers depend only on site and step, so blocks need not communicate: each block also computes MARGIN extra sites on
    either side. Values at the ends of the extended range become invalid, one more site per step, and never reach the block's own
    sites within MARGIN steps. A block that holds all sites computes any number of steps.
    """
    thresholds, layout = program
    k0, k1 = keys
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


def occupy(
    counts: NDArray[np.int64],
    program: TableProgram,
    start: int,
    stop: int,
    first: int,
    gone: NDArray[np.int64],
    keys: Keys,
) -> None:
    """See :meth:`randwalk.kernels.backend.Machine.occupy`."""
    sites = program.layout[3] - 2
    whole = sites <= WIDTH
    blocks, stretch = (1, stop - start) if whole else (math.ceil(sites / (WIDTH - 2 * MARGIN)), MARGIN)
    before, after, there = cuda.to_device(counts), cuda.to_device(counts), on_device(program)
    left = cuda.to_device(np.zeros((stop - start, 3), dtype=np.int64))
    for begin in range(start, stop, stretch):
        steps = begin, min(begin + stretch, stop), start
        _occupy(blocks, WIDTH, after, before, left, steps, there, first % (1 << 32), keys)
        before, after = after, before
    counts[1 : sites + 1] = before.copy_to_host()[1 : sites + 1]
    gone[:] = left.copy_to_host()
