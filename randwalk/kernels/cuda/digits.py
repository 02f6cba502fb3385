"""Kernels of walks with constant probabilities on an unbounded lattice: 64 steps of a walker to a machine word, a thread a
walker."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from ...jit.compile import device
from ...jit.cuda.compile import THREADS, Kernel, blocks_for, cuda, in_kernel
from ...jit.cuda.words import ones
from ...jit.vector import joined, zeros_below
from ...jit.vector import ones as ones_of
from ..bits import always, follow, next_digit, remainder, screen, spread
from ..philox import HALF, LOW, TIES, U, words64
from ..program import FULL, PLANES, DigitsProgram, Keys, Span, Walkers
from ..step import ALL, I32, ONE, U32, ZERO, after, change
from .stream import drawn, of_block, of_walker, parts_of, round_keys

FAIR = FULL // 2, FULL
MOST = 8  # blocks of a fair walk for which a kernel is compiled
ROOM = 16  # words of a thread in shared memory
REGISTERS = 64  # of a thread, so that a multiprocessor has four blocks
MASK = np.dtype(np.uint64)  # in shared memory; the simulator wants an instance
_follow, _change, _screen, _spread, _ones = (in_kernel(f) for f in (follow, change, screen, spread, ones))
_of_walker, _drawn = in_kernel(of_walker), in_kernel(drawn)


@cache
def toss(blocks: int) -> Kernel:
    """A kernel for p = ½ for each of two offsets, of which the ones take the second: 128 steps a block. What the first two rounds
    make of the blocks, and which digits of the first and of the last block are steps, are arguments, the same for all
    walkers."""

    def walk(walkers, program, parts, masks, span, keys):  # type: ignore[no-untyped-def]
        (_, start, stop), site, (first, second) = span, walkers.site, program.offsets
        (key0, key1, early, late), steps = keys, I32(stop - start)
        for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
            words = _drawn(_of_walker(U32(U(walkers.first + j) & LOW), key0, key1), parts, early, late)
            site[j] = I32(site[j] + first * steps + (second - first) * I32(_ones(words, masks)))

    return Kernel(walk)


def masks_of(blocks: range, start: int, stop: int) -> tuple[np.uint32, ...]:
    """Which digits of the first and of the last of some blocks are steps."""
    masks = [screen(64 * n, start, stop) for block in (blocks[0], blocks[-1]) for n in (2 * block, 2 * block + 1)]
    return tuple(np.array(masks, np.uint64).view(np.uint32))


def _toss(walkers: Walkers, program: DigitsProgram, span: Span, keys: Keys) -> None:
    """The steps of a span, in launches of MOST blocks; the high word of the walkers' numbers is one for each launch."""
    size, ahead = walkers.site.size, (1 << 32) - walkers.first % (1 << 32)
    for low, high in ((0, min(size, ahead)), (min(size, ahead), size)):
        some = walkers._replace(first=walkers.first + low, site=walkers.site[low:high])
        for start in range(span[1] // 128 * 128, span[2] if low < high else 0, 128 * MOST):
            here = span[0], max(start, span[1]), min(start + 128 * MOST, span[2])
            blocks = range(here[1] // 128, (here[2] + 127) // 128)
            parts = parts_of(blocks, int(some.first) >> 32, keys)
            masks = masks_of(blocks, *here[1:])
            toss(len(blocks))(blocks_for(high - low), THREADS, some, program, parts, masks, here, round_keys(keys))


def _comparison(moves: int, planes: int) -> Any:
    """What the drawn digits say of 64 steps: the masks of those below each threshold, and of those that tie with it. Digits are
    compared lowest first, so the last block comes first."""
    even, blocks = planes % 2 == 0, (planes + 1) // 2

    def compared(part, word, high, digits, key0, key1, below, tie):  # type: ignore[no-untyped-def]
        for k in range(moves):
            below[k], tie[k] = ZERO, ALL
        early, before = 0 if even else I32(word & 1), U32(word * planes // 2)  # digits of the word before, and blocks
        for i in range(I32(blocks)):
            block = I32(blocks - 1 - i)
            words = drawn(part, of_block(U32(before + U32(block)), high, key0, key1), key0, key1)
            for first in range(I32(2)):
                digit = I32(2 * block + 1 - first - early)
                random = joined(U(words[0]), U(words[1])) if first else joined(U(words[2]), U(words[3]))
                if even or 0 <= digit < planes:
                    for k in range(moves):
                        spread_one = digits[U32(U32(digit) + U32(k * planes))]
                        below[k], tie[k] = next_digit(below[k], tie[k], random, spread_one)

    return in_kernel(device(compared))


def _counting(moves: int, planes: int, names: int) -> Any:
    """Count of 64 steps, those of which are `wanted`, how many are below each threshold, as far as digits decide. Those that tie
    are the first of `marks`; the others are the digits of the number of a threshold that each of them ties with."""

    def counted(below, tie, wanted, thresholds, taken, marks):  # type: ignore[no-untyped-def]
        for m in range(names + 1):
            marks[m] = ZERO
        for k in range(moves):
            if remainder(thresholds[k], planes):
                others = tie[k] & wanted & ~marks[0]
                for m in range(names):
                    marks[m + 1] |= others if (k >> m) & 1 else ZERO
                marks[0] |= others
        for k in range(moves):
            taken[k] += I32(ones_of((below[k] | always(thresholds[k])) & wanted & ~marks[0]))

    return in_kernel(device(counted))


def _settling(moves: int, planes: int, names: int) -> Any:
    """Count the steps of the words put aside of a thread, of which there are `size` from a word on, each by a block of its
    own."""

    def settled(aside, me, size, first, walker, thresholds, taken, keys):  # type: ignore[no-untyped-def]
        i, none, ties = U32(0), U32(0), aside[U32(0), U32(0), me]
        while True:
            while ties == ZERO and U32(i + U32(1)) < size:
                i = U32(i + U32(1))
                ties = aside[i, none, me]
            if ties == ZERO:
                break
            lane = ties & (~ties + ONE)
            ties ^= lane
            step = U(first + i) * U(64) + zeros_below(lane)
            more, _ = words64(walker & LOW, walker >> HALF, step, TIES, keys[0], keys[1])
            uniform = ZERO
            for k in range(moves):
                same = True
                for m in range(names):
                    same &= ((aside[i, U32(m + 1), me] & lane) != ZERO) == ((k >> m) & 1 == 1)
                if same:
                    uniform = (U(thresholds[k]) ^ remainder(thresholds[k], planes)) | after(more, planes)
            for k in range(moves):
                taken[k] += I32(uniform < U(thresholds[k]))

    return in_kernel(device(settled))


@cache
def walk_digits(moves: int, planes: int) -> Kernel:
    """A kernel for walks with this number of moves, and of binary digits that are drawn for every step.

    Steps that these digits do not decide are put aside, and those of some words settled together: few of the 32 walkers of a
    warp have one in the same word, and the others would wait.
    """
    names = max(moves - 1, 1).bit_length()  # digits of the number of a threshold
    rows, room, undecided, size = 1 + names, ROOM // (1 + names), planes == PLANES, moves * planes
    compared, counted = _comparison(moves, planes), _counting(moves, planes, names)
    settled = _settling(moves, planes, names)

    def walk(walkers, program, span, keys):  # type: ignore[no-untyped-def]
        (_, start, stop), site, thresholds = span, walkers.site, program.thresholds
        key0, key1, me, aside = U32(keys[0]), U32(keys[1]), U32(cuda.threadIdx.x), 0
        digits = cuda.shared.array(size, MASK)
        if undecided:
            aside = cuda.shared.array((room, rows, THREADS), MASK)
        whole, broken = I32((start + 63) // 64), I32(stop // 64)  # the first whole word, and the one after the last
        for i in range(me, size, cuda.blockDim.x):
            digits[i] = _spread(thresholds[i // planes], i % planes)
        cuda.syncthreads()
        below, tie = cuda.local.array(moves, np.uint64), cuda.local.array(moves, np.uint64)
        taken, marks, end = cuda.local.array(moves, np.int32), cuda.local.array(rows, np.uint64), I32((stop + 63) // 64)
        for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
            walker, here, filled = U(walkers.first + j), site[j], U32(0)
            high, part = U32(walker >> HALF), _of_walker(U32(walker & LOW), key0, key1)
            for k in range(moves):
                taken[k] = 0
            for word in range(I32(start // 64), end):
                compared(part, word, high, digits, key0, key1, below, tie)
                wanted = ALL if whole <= word < broken else U(_screen(64 * np.int64(word), start, stop))
                counted(below, tie, wanted, thresholds, taken, marks)
                if undecided:
                    for m in range(rows):
                        aside[filled, U32(m), me] = marks[m]  # type: ignore[index]
                    filled = U32(filled + U32(1))
                    if filled == room or word == end - 1:
                        settled(aside, me, filled, np.int64(word) + 1 - filled, walker, thresholds, taken, keys)
                        filled = U32(0)
            for k in range(moves):
                here = I32(here + I32(_change(program.offsets, k)) * taken[k])
            site[j] = here

    return Kernel(walk, REGISTERS if moves <= 4 else None)


@cache
def follow_digits(moves: int) -> Kernel:
    """As :func:`walk_digits`; functionals of the paths are kept in `state`."""

    def walk(walkers, program, span, keys):  # type: ignore[no-untyped-def]
        room = cuda.local.array(moves, np.uint64), cuda.local.array(moves, np.uint64)
        for j in range(cuda.grid(1), walkers.site.size, cuda.gridsize(1)):
            walker = U(walkers.first + j)
            _follow(walkers.site, walkers.state, j, walkers.levels, walker, program, span[1:], room, keys)

    return Kernel(walk)


def advance(walkers: Walkers, program: DigitsProgram, spans: Iterable[Span], keys: Keys) -> None:
    """See :data:`randwalk.run.cuda.machine.Advance`."""
    moves, planes, size = len(program.offsets), program.planes, walkers.site.size
    for span in spans:
        if walkers.state.size:
            follow_digits(moves)(blocks_for(size), THREADS, walkers, program, span, keys)
        elif program.thresholds == FAIR:
            _toss(walkers, program, span, keys)
        else:
            walk_digits(moves, planes)(blocks_for(size), THREADS, walkers, program, span, keys)
