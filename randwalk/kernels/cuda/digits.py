"""Kernels of walks with constant probabilities on an unbounded lattice: 64 steps of a walker to a machine word, a thread a
walker."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..bits import always, next_digit, remainder, screen, settled, spread
from ..functionals import NOWHERE, highest, tally
from ..philox import HALF, LOW, STEPS, TIES, U, words64
from ..program import FULL, DigitsProgram
from ..step import ALL, I32, ONE, ZERO, popcount, trailing_zeros
from .compile import Kernel, cuda, in_kernel

FAIR = FULL // 2, FULL
_tally = in_kernel(tally)


@Kernel
def toss(walkers, offsets, start, stop, keys):  # type: ignore[no-untyped-def]
    """p = ½ for each of two offsets: 128 steps a Philox block, of which the ones take the second. Whole blocks first, then what
    is before and after them."""
    site, (k0, k1) = walkers.site, keys
    begin, end = I32((start + 127) // 128), I32(stop // 128)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(walkers.first + j)
        second = I32(0)
        for block in range(begin, end):
            early, late = words64(walker & LOW, walker >> HALF, U(block), STEPS, k0, k1)
            second = I32(second + I32(popcount(U(early))) + I32(popcount(U(late))))
        if 128 * np.int64(begin) > start:
            second = I32(second + _part(walker, start // 128, start, stop, k0, k1))
        if begin <= end and 128 * np.int64(end) < stop:
            second = I32(second + _part(walker, end, start, stop, k0, k1))
        site[j] = I32(site[j] + offsets[0] * (stop - start) + (offsets[1] - offsets[0]) * second)


@cuda.jit(device=True)
def _part(walker, block, start, stop, k0, k1):  # type: ignore[no-untyped-def]
    """Steps by the second offset among those steps of a block that are from `start` to `stop`."""
    first, second = words64(walker & LOW, walker >> HALF, U(block), STEPS, k0, k1)
    early, late = U(screen(128 * block, start, stop)), U(screen(128 * block + 64, start, stop))
    return I32(popcount(U(first) & early)) + I32(popcount(U(second) & late))


@cuda.jit(device=True)
def _settle(below, tie, wanted, walker, word, program, keys):  # type: ignore[no-untyped-def]
    """Decide the steps of a word that its `planes` digits leave undecided, each by the digits of a block of its own."""
    ties = ZERO
    for k in range(len(program.thresholds)):
        below[k] |= U(always(program.thresholds[k]))
        tie[k] = tie[k] & wanted if remainder(program.thresholds[k], program.planes) else ZERO
        ties |= tie[k]
    while ties:
        lane = ties & (~ties + ONE)
        ties ^= lane
        n = U(word) * U(64) + U(trailing_zeros(lane))
        more, _ = words64(walker & LOW, walker >> HALF, n, TIES, keys[0], keys[1])
        for k in range(len(program.thresholds)):
            if tie[k] & lane and settled(program.thresholds[k], program.planes, U(more)):
                below[k] |= lane


@cache
def walk_digits(moves: int, followed: bool) -> Kernel:
    """A kernel for walks with this number of moves. If `followed`, functionals of the paths are kept in `state`.

    The digits of a word of steps are compared lowest first, so their blocks come last first. Where the number of digits is odd,
    the block of a word's lowest digit is also that of the next word's highest one, which is kept until then: 128 steps take
    `planes` blocks.
    """

    def walk(walkers, program, start, stop, keys):  # type: ignore[no-untyped-def]
        site, state, planes = walkers.site, walkers.state, program.planes
        below, tie = cuda.local.array(moves, np.uint64), cuda.local.array(moves, np.uint64)
        for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
            walker, here, top, first, kept = U(walkers.first + j), site[j], I32(0), ZERO, ZERO
            if followed:
                top = state[1, j]
            for word in range(start // 128 * 2, (stop + 63) // 64):
                for k in range(moves):
                    below[k], tie[k] = ZERO, ALL
                for digit in range(planes - 1, -1, -1):
                    number, plane = word * planes + digit, first
                    if number & 1 and planes & 1 and digit == 0:
                        plane = kept
                    elif number & 1 or digit == planes - 1:
                        block = U(number >> 1)
                        first, second = words64(walker & LOW, walker >> HALF, block, STEPS, keys[0], keys[1])
                        first, second = U(first), U(second)
                        plane = second if number & 1 else first
                        if not number & 1:
                            kept = second
                    for k in range(moves):
                        digits = U(spread(program.thresholds[k], digit))
                        below[k], tie[k] = next_digit(U(below[k]), U(tie[k]), U(plane), digits)
                wanted = U(screen(64 * word, start, stop))
                _settle(below, tie, wanted, walker, word, program, keys)
                if followed:
                    for n in range(max(64 * word, start), min(64 * word + 64, stop)):
                        bit, there = U(n & 63), here
                        for k in range(moves - 1, -1, -1):
                            if (below[k] >> bit) & ONE:
                                there = I32(here + I32(program.offsets[k]))
                        top = I32(highest(there, I32(NOWHERE), top))
                        _tally(here, there, n, state, j, walkers.levels, I32(NOWHERE))
                        here = there
                else:
                    for k in range(moves):
                        change = program.offsets[k] - (program.offsets[k + 1] if k + 1 < moves else 0)
                        here = I32(here + I32(change) * I32(popcount(U(below[k]) & wanted)))
            site[j] = here
            if followed:
                state[1, j] = top

    return Kernel(walk)


def driver(program: DigitsProgram, followed: bool) -> tuple[Kernel, Callable[[int, int], tuple[Any, ...]]]:
    """See :data:`randwalk.kernels.cuda.compile.Driver`."""
    if program.thresholds == FAIR and not followed:
        return toss, lambda begin, end: (program.offsets,)
    return walk_digits(len(program.offsets), followed), lambda begin, end: (program,)
