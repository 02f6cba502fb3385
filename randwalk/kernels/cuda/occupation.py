"""The occupation method on the device: a thread a cell."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..backend import Numbering
from ..occupation import odds, share
from ..philox import U
from ..program import LIVE, Keys, TableProgram
from ..step import column
from .compile import SIMULATED, Kernel, cuda, in_kernel
from .walkers import on_device

WIDTH, MARGIN = (32, 4) if SIMULATED else (256, 32)  # cells of a block, and steps that a block makes without the others
MOVES = 8  # steps that a walker chooses from at most
_column, _share = in_kernel(column), in_kernel(share, odds=in_kernel(odds))


@Kernel
def _occupy(after, before, gone, span, program, piece, keys):  # type: ignore[no-untyped-def]
    """Steps span[0] … span[1] - 1 of the histogram, a thread a cell; row 0 of `gone` is step span[2].

    Random numbers depend only on site and step, so blocks need not communicate: each block also computes neighbours of its own
    cells. Values at the ends of the extended range become invalid, `farthest` cells a step, and do not reach the block's own
    cells. piece = (cells of each block in a row, -1 for none; which of them are its own; addresses of cells).
    """
    cells, owned, address = piece
    start, stop, base = span
    moves, thread, killed = len(program.offsets), cuda.threadIdx.x, program.exit_of.size - 1
    cell = cells[cuda.blockIdx.x, thread]
    own, live = owned[cuda.blockIdx.x, thread] != 0, cell >= 0 and program.exit_of[cell] == LIVE
    moved = cuda.shared.array((MOVES, WIDTH), np.int64)
    here = before[cell] if live else np.int64(0)
    c = _column(cell, program) if live else 0
    for n in range(start, stop):
        limits = program.thresholds[n - base if program.thresholds.shape[0] > 1 else 0]
        for k in range(moves):
            taken = np.int64(0)
            if live and here > 0:
                taken = np.int64(_share(k, here, limits, c, U(address[cell]), U(n), keys))
            moved[k, thread] = taken
            here -= taken
        if program.kills and live and here > 0:
            died = np.int64(_share(moves, here, limits, c, U(address[cell]), U(n), keys))
            here -= died
            if own and died:
                cuda.atomic.add(gone, (n - base, program.exit_of[killed]), died)
        cuda.syncthreads()
        for k in range(moves):
            other = thread - program.offsets[k]
            if 0 <= other < WIDTH:
                here += moved[k, other]
        cuda.syncthreads()
        if cell >= 0 and not live:
            if own and here:
                cuda.atomic.add(gone, (n - base, program.exit_of[cell]), here)
            here = np.int64(0)
    if own and live:
        after[cell] = here


def occupy(
    counts: NDArray[np.int64], program: TableProgram, layout: Numbering, start: int, stop: int,
    gone: NDArray[np.int64], keys: Keys,
) -> None:  # fmt: skip
    """See :meth:`randwalk.kernels.backend.Machine.occupy`."""
    whole = counts.size - 1 <= WIDTH and not layout.periodic[0]  # one block holds all cells, for any number of steps
    pieces = 1 if whole else math.ceil(layout.shape[0] / (WIDTH - 2 * MARGIN - 2))
    stretch = stop - start if whole else MARGIN
    cells, owned = np.full((pieces, WIDTH), -1, np.int32), np.zeros((pieces, WIDTH), np.uint8)
    for i, own in enumerate(layout.slabs(pieces)):
        row, begin, end, *_ = layout.slab(own, stretch, max(map(abs, program.offsets)))
        cells[i, : row.size], owned[i, begin:end] = row, 1
    piece = tuple(cuda.to_device(values) for values in (cells, owned, layout.address))
    before, after, there = cuda.to_device(counts), cuda.to_device(counts), on_device(program)
    left = cuda.to_device(np.zeros_like(gone))
    for begin in range(start, stop, stretch):
        _occupy(pieces, WIDTH, after, before, left, (begin, min(begin + stretch, stop), start), there, piece, keys)
        before, after = after, before
    counts[:] = before.copy_to_host()
    gone[:] = left.copy_to_host()
