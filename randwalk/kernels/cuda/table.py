"""Kernels of walks on a step table, a thread a walker."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..functionals import highest, tally
from ..philox import HALF, LOW, STEPS, U, philox
from ..program import TableProgram
from ..step import I32, U32, half, half_moves, rests, settle, tie_bits
from .compile import SHARED, THREADS, Kernel, apart, blocks_for, cuda, in_kernel, on_device

CAPACITIES = (8, 512, 4096)  # columns of step tables in shared memory; larger tables are read through the cache
_rests, _settle, _tally = in_kernel(rests), in_kernel(settle), in_kernel(tally)


class Halves(NamedTuple):
    """The high halves of the thresholds of a table in the device's memory.

    Attributes
    ----------
    pairs
        Two moves a word, shape (rows, ⌈K/2⌉, columns).
    lives
        Those of the last thresholds, shape (rows, columns).
    changes
        What a move adds to the site minus what the next one adds, for each move; an even number of them.
    mapped
        Whether the column of a cell has to be looked up.
    """

    pairs: Any
    lives: Any
    changes: tuple[int, ...]
    mapped: bool

    @classmethod
    def of(cls, program: TableProgram) -> Halves:
        """From a program in the device's memory. A small table gets a column for every cell."""
        rows, moves, columns = program.thresholds.shape[0], len(program.offsets), program.thresholds.shape[2]
        cells = program.column.size
        spread = rows == 1 and 0 < cells <= CAPACITIES[-1]
        shape = rows, (moves + 1) // 2, cells if spread else columns
        pairs, lives = cuda.device_array(shape, np.uint32), cuda.device_array((rows, shape[2]), np.uint32)
        halve(blocks_for(rows * shape[2]), THREADS, pairs, lives, program, spread)
        changes = [a - b for a, b in zip(program.offsets, (*program.offsets[1:], 0), strict=True)]
        return cls(pairs, lives, (*changes, *[0] * (moves % 2)), cells > 0 and not spread)

    def rows(self, begin: int, end: int) -> Halves:
        """Those of the rows `begin` … `end` - 1."""
        return self._replace(pairs=self.pairs[begin:end], lives=self.lives[begin:end])

    @property
    def capacity(self) -> int:
        """The smallest shared table that holds this one; 0 if it is read from device memory."""
        rows, pairs, columns = self.pairs.shape
        fits = (c for c in CAPACITIES if rows == 1 and columns <= c and 4 * c * (pairs + 1) <= SHARED)
        return next(fits, 0)


@Kernel
def halve(pairs, lives, program, spread):  # type: ignore[no-untyped-def]
    moves, columns = len(program.offsets), lives.shape[1]
    for i in range(cuda.grid(1), lives.size, cuda.gridsize(1)):
        row, to = i // columns, i % columns
        c = program.column[to] if spread else to
        for m in range(pairs.shape[1]):
            high, low = program.thresholds[row, 2 * m, c], program.thresholds[row, min(2 * m + 1, moves - 1), c]
            pairs[row, m, to] = U32(half(high) << U32(16)) | U32(half(low))
        lives[row, to] = half(program.thresholds[row, moves, c])


@cuda.jit(device=True)
def _fetch(here, there):  # type: ignore[no-untyped-def]
    """A block copies the one row of a table to its shared memory."""
    for m in range(there.shape[0]):
        for i in range(cuda.threadIdx.x, there.shape[1], cuda.blockDim.x):
            here[m, i] = there[m, i]


@cuda.jit(device=True)
def _tie_bits(walker, n, k0, k1):  # type: ignore[no-untyped-def]
    apart()
    return tie_bits(walker, n, (k0, k1))


@cache
def walk_table(capacity: int, pairs_of_moves: int, followed: bool) -> Kernel:
    """A kernel for tables of at most `capacity` columns, whose halves it reads from shared memory; 0: any table, read from device
    memory. If `followed`, functionals of the paths are kept in `state`."""
    room, words = max(capacity, 1), pairs_of_moves

    def walk(walkers, program, halves, start, stop, keys):  # type: ignore[no-untyped-def]
        site, state, places = walkers.site, walkers.state, walkers.places
        if capacity:
            pairs = cuda.shared.array(
                (words, room), np.uint32
            )  # the simulator tells shared arrays apart by their lines
            lives = cuda.shared.array((1, room), np.uint32)
            _fetch(pairs, halves.pairs[0])
            _fetch(lives, halves.lives)
            cuda.syncthreads()
        else:
            pairs, lives = halves.pairs[0], halves.lives
        streamed, killed = program.thresholds.shape[0] > 1, I32(program.exit_of.size - 1)
        for i in range(cuda.grid(1), places.size if places.size else site.size, cuda.gridsize(1)):
            j = np.int64(places[i]) if places.size else i
            walker, here, left, top = U(walkers.first + j), site[j], I32(0), I32(0)
            if followed:
                left, top = state[0, j], state[1, j]
            for eight in range(start // 8, (stop + 7) // 8):
                gone = _rests(here, program)
                if gone:
                    break  # a walker that has left stays where it is
                y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, U(eight), STEPS, keys[0], keys[1])
                w0, w1, w2, w3 = U32(y0 & LOW), U32(y1 & LOW), U32(y2 & LOW), U32(y3 & LOW)
                begin, end = I32(max(start - 8 * eight, 0)), I32(min(stop - 8 * eight, 8))
                for k in range(I32(8)):
                    word = U32(w0 >> U32(16))
                    w0, w1, w2, w3 = w1, w2, w3, U32(w0 << U32(16))  # high halves first, then the low ones
                    if begin <= k < end and not gone:
                        n = 8 * eight + k
                        row = U(n - start if streamed else 0)
                        c = U32(program.column[U32(here)] if halves.mapped else here)
                        there, tied = here, False
                        for m in range(words):
                            pair = pairs[m, c] if capacity else halves.pairs[row, m, c]
                            there, tie = half_moves(
                                there, word, pair, I32(halves.changes[2 * m]), I32(halves.changes[2 * m + 1])
                            )
                            there, tied = I32(there), tied | tie
                        if program.home.size:
                            there = program.home[U32(there)]
                        if program.kills:
                            live = lives[0, c] if capacity else halves.lives[row, c]
                            tied |= word == live
                            there = there if word < live else killed
                        if tied:
                            there = _settle(here, word, _tie_bits(walker, n, keys[0], keys[1]), program, row)
                        there = I32(there)
                        if followed:
                            gone = _rests(there, program)
                            left = I32(n + 1 if gone else left)
                            top = I32(highest(there, killed, top))
                            _tally(here, there, n, state, j, walkers.levels, killed)
                        here = there
            site[j] = here
            if followed:
                state[0, j], state[1, j] = left, top

    return Kernel(walk)


def driver(program: TableProgram, followed: bool) -> tuple[Kernel, Callable[[int, int], tuple[Any, ...]]]:
    """See :data:`randwalk.kernels.cuda.compile.Driver`."""
    there = on_device(program)
    halves = Halves.of(there)

    def told(begin: int, end: int) -> tuple[Any, ...]:
        if there.thresholds.shape[0] == 1:
            return there, halves
        return there._replace(thresholds=there.thresholds[begin:end]), halves.rows(begin, end)

    return walk_table(halves.capacity, halves.pairs.shape[1], followed), told
