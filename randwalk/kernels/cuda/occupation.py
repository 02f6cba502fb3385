"""The occupation method on the device: a thread a cell, a block of threads a tile of the lattice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...jit.cuda.compile import SIMULATED, Kernel, cuda, in_kernel, on_device
from ..occupation import share
from ..program import LIVE, Keys, Numbering, TableProgram
from ..step import column

MOST, WIDTH = (64, 32) if SIMULATED else (512, 256)  # cells of a tile, and along one axis of it, at most
GROUP = 8  # moves for which there is shared memory at a time
_share, _column = in_kernel(share), in_kernel(column)


@Kernel
def occupy_tiles(after, before, tiles, program, address, span, gone, keys):  # type: ignore[no-untyped-def]
    """Steps span[0] … span[1] - 1 of the walkers on every cell; row 0 of `gone` is step span[2]; tiles are those of
    :func:`_tiles`.

    Random numbers depend only on cell and step, so blocks need not communicate: each also computes cells around its own. Values
    at the sides of a tile become invalid, a layer more with each step, and never reach its own cells.
    """
    (start, stop, base), (cells, owned, shifts) = span, tiles
    block, thread, moves = cuda.blockIdx.x, cuda.threadIdx.x, len(program.offsets)
    moved = cuda.shared.array((GROUP, MOST), np.int64)
    cell, own, here = np.int64(cells[block, thread]), owned[block, thread], np.int64(0)
    way = program.exit_of[cell] if cell >= 0 else LIVE
    if cell >= 0 and way == LIVE:
        here = before[cell]
    c = np.int64(_column(max(cell, 0), program))
    for n in range(start, stop):
        row, come = n - base if program.thresholds.shape[0] > 1 else 0, np.int64(0)
        for first in range(0, moves, GROUP):
            last = min(first + GROUP, moves)
            for k in range(first, last):
                taken = np.int64(0)
                if here > 0:
                    taken = np.int64(_share(k, here, program, row, c, (address[cell], n), keys))
                moved[k - first, thread] = taken
                here -= taken
            cuda.syncthreads()
            for k in range(first, last):
                origin = thread - shifts[k]
                if 0 <= origin < cuda.blockDim.x:
                    come += moved[k - first, origin]
            cuda.syncthreads()
        if program.kills and here > 0:
            died = np.int64(_share(moves, here, program, row, c, (address[cell], n), keys))
            here -= died
            if own and died:
                cuda.atomic.add(gone, (n - base, program.exit_of[program.exit_of.size - 1]), died)
        here += come
        if way != LIVE:
            if own and here:
                cuda.atomic.add(gone, (n - base, way), here)
            here = np.int64(0)
    if own and way == LIVE:
        after[cell] = here


def occupy(
    counts: NDArray[np.int64], program: TableProgram, layout: Numbering, start: int, stop: int,
    gone: NDArray[np.int64], keys: Keys,
) -> None:  # fmt: skip
    """See :meth:`randwalk.run.machine.Machine.occupy`."""
    tiles, together = _tiles(program, layout)
    before, after = cuda.to_device(counts), cuda.to_device(counts)
    left, address = cuda.to_device(np.zeros_like(gone)), cuda.to_device(layout.address)
    table, there = on_device(program), tuple(cuda.to_device(array) for array in tiles)
    for begin in range(start, stop, together):
        span = begin, min(begin + together, stop), start
        occupy_tiles(*tiles[0].shape, after, before, there, table, address, span, left, keys)
        before, after = after, before
    live = program.exit_of == LIVE
    counts[live] = before.copy_to_host()[live]
    gone[:] = left.copy_to_host()


def _tiles(program: TableProgram, layout: Numbering) -> tuple[tuple[NDArray[Any], ...], int]:
    """((cells (tiles, cells of a tile), -1 for none; which of them are the tile's own; what each move adds to the place of a cell
    in its tile), the number of steps that they can make together)."""
    dimension = len(layout.shape)
    width = min(WIDTH, int(MOST ** (1 / dimension) + 1e-9))
    steps = max(1, width // 8)
    cells, owned = np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_)
    rest, shifts = np.array(program.offsets), np.zeros(len(program.offsets), np.int64)
    for n, ring, stride in zip(layout.shape, layout.periodic, layout.strides, strict=True):
        first, last = (1, n) if ring else (0, n + 1)
        begin = np.arange(first, last + 1, width - 2 * steps)[:, None]
        places = begin - steps + np.arange(width)
        own = (places >= begin) & (places < begin + width - 2 * steps) & (places <= last)
        there = (places - 1) % n + 1 if ring else np.where((places < first) | (places > last), -(1 << 40), places)
        cells = (cells[:, None, :, None] + (there * stride)[:, None, :]).reshape(-1, cells.shape[1] * width)
        owned = (owned[:, None, :, None] & own[:, None, :]).reshape(cells.shape)
        component = np.rint(rest / stride).astype(np.int64)
        rest, shifts = rest - component * stride, shifts * width + component
    return (np.maximum(cells, -1).astype(np.int32), owned, shifts), steps
