"""Kernels of walks on a step table, a thread a walker."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..functionals import highest
from ..philox import HALF, LOW, STEPS, U, philox
from ..program import TableProgram
from ..step import I32, U32, column, half, half_step, rests, step, table_step
from .compile import THREADS, Kernel, apart, blocks_for, cuda, in_kernel
from .walkers import tally

CAPACITIES = (8, 512, 4096)  # columns of step tables in shared memory; larger ones are read through the cache
PAIRS = 1  # words of high halves of a column in shared memory; tables of more steps are read through the cache
_column, _rests = in_kernel(column), in_kernel(rests)
_step, _half_step = in_kernel(step, column=_column), in_kernel(half_step)
_table_step = in_kernel(table_step, column=_column, step=_step)


class DeviceTable(NamedTuple):
    """A :class:`TableProgram` in the device's memory, with the high halves of its thresholds: two a word (rows, ⌈K/2⌉, columns),
    and those of the last ones (rows, columns). `changes` is what is added to the site if a uniform is below each threshold."""

    offsets: tuple[int, ...]
    changes: tuple[int, ...]
    pairs: Any
    lives: Any
    thresholds: Any
    column: Any
    home: Any
    exit_of: Any

    @classmethod
    def of(cls, program: TableProgram) -> DeviceTable:
        """A table of one row is copied so that every cell has a column, if it then fits shared memory."""
        offsets, thresholds, column, home, exit_of, *_ = program
        if column.size and thresholds.shape[0] == 1 and column.size <= CAPACITIES[-1]:
            thresholds, column = np.ascontiguousarray(thresholds[:, :, column]), column[:0]
        moves, (rows, _, columns) = len(offsets), thresholds.shape
        changes = [a - b for a, b in zip(offsets, (*offsets[1:], 0), strict=True)]
        table = cuda.to_device(thresholds)
        pairs = cuda.device_array((rows, (moves + 1) // 2, columns), np.uint32)
        lives = cuda.device_array((rows, columns), np.uint32)
        halve(blocks_for(rows * columns), THREADS, pairs, lives, table)
        maps = (cuda.to_device(values) for values in (column, home, exit_of))
        return cls(offsets, (*changes, 0) if moves % 2 else tuple(changes), pairs, lives, table, *maps)

    def rows(self, begin: int, end: int) -> DeviceTable:
        """The table of steps `begin` … `end` - 1."""
        if self.thresholds.shape[0] == 1:
            return self
        pairs, lives, thresholds = (part[begin:end] for part in (self.pairs, self.lives, self.thresholds))
        return self._replace(pairs=pairs, lives=lives, thresholds=thresholds)

    @property
    def capacity(self) -> int:
        """The smallest shared table that holds this one; 0 if it is read from device memory."""
        rows, _, columns = self.thresholds.shape
        fits = rows == 1 and self.pairs.shape[1] <= PAIRS
        return next((c for c in CAPACITIES if fits and columns <= c), 0)


@Kernel
def halve(pairs, lives, thresholds):  # type: ignore[no-untyped-def]
    columns, moves = thresholds.shape[2], thresholds.shape[1] - 1
    for i in range(cuda.grid(1), thresholds.shape[0] * columns, cuda.gridsize(1)):
        row, c = i // columns, i % columns
        for m in range(pairs.shape[1]):
            high, low = half(thresholds[row, 2 * m, c]), half(thresholds[row, min(2 * m + 1, moves - 1), c])
            pairs[row, m, c] = U32(U32(high) << U32(16)) | U32(low)
        lives[row, c] = half(thresholds[row, moves, c])


@cuda.jit(device=True)
def _fetch(pairs, lives, program):  # type: ignore[no-untyped-def]
    """A block copies the halves of the one row of a table to its shared memory."""
    for i in range(cuda.threadIdx.x, program.lives.shape[1], cuda.blockDim.x):
        lives[0, i] = program.lives[0, i]
        for m in range(program.pairs.shape[1]):
            pairs[0, m, i] = program.pairs[0, m, i]
    cuda.syncthreads()


@cuda.jit(device=True)
def _settle(site, bits, walker, n, program, row, keys):  # type: ignore[no-untyped-def]
    apart()
    return _table_step(site, bits, walker, n, program, row, keys)


@cache
def walk_table(capacity: int, followed: bool) -> Kernel:
    """A kernel for tables of at most `capacity` columns, whose halves it reads from shared memory; 0: any table, read from device
    memory. If `followed`, functionals of the paths are kept in `state`."""
    room = max(capacity, 1)

    def walk(walkers, program, start, stop, keys):  # type: ignore[no-untyped-def]
        site, state = walkers.site, walkers.state
        killed = I32(program.exit_of.size - 1)
        if capacity:
            pairs = cuda.shared.array(
                (1, PAIRS, room), np.uint32
            )  # the simulator tells shared arrays apart by their lines
            lives = cuda.shared.array((1, room), np.uint32)
            _fetch(pairs, lives, program)
        else:
            pairs, lives = program.pairs, program.lives
        streamed = program.thresholds.shape[0] > 1
        for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
            walker = U(walkers.first + j)
            here, left, top = site[j], I32(0), I32(0)
            if followed:
                left, top = state[0, j], state[1, j]
            for eight in range(start // 8, (stop + 7) // 8):
                if _rests(here, program):
                    break  # a walker that has left stays where it is
                y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, U(eight), STEPS, keys[0], keys[1])
                w0, w1, w2, w3 = U32(y0 & LOW), U32(y1 & LOW), U32(y2 & LOW), U32(y3 & LOW)
                begin, end = I32(max(start - 8 * eight, 0)), I32(min(stop - 8 * eight, 8))
                for i in range(I32(8)):
                    bits = U32(w0 >> U32(16))
                    w0, w1, w2, w3 = w1, w2, w3, U32(w0 << U32(16))  # high halves first, then the low ones
                    if begin <= i < end and (not followed or not _rests(here, program)):
                        n = 8 * eight + i
                        row, c = U(0) if capacity else U(n - start if streamed else 0), U32(_column(here, program))
                        there, tied = _half_step(here, bits, row, c, pairs, lives, program)
                        if tied:
                            there = _settle(here, bits, walker, n, program, row, keys)
                        there = I32(there)
                        if followed:
                            if _rests(there, program):
                                left = I32(n + 1)
                            top = I32(highest(there, killed, top))
                            tally(here, there, n, j, state, walkers.levels, killed)
                        here = there
            site[j] = here
            if followed:
                state[0, j], state[1, j] = left, top

    return Kernel(walk)
