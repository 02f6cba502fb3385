"""Kernels of walks with constant probabilities on an unbounded lattice: 64 steps to a machine word, a thread a walker."""

from __future__ import annotations

import numpy as np

from ..bits import always, below, next_digit, remainder, screen, settled, spread
from ..functionals import NOWHERE, highest
from ..philox import HALF, LOW, STEPS, TIES, U, philox, words64
from ..step import ALL, I32, ONE, ZERO, popcount, trailing_zeros
from .compile import Kernel, cuda
from .walkers import tally

MOVES = 32  # steps that a walk chooses from at most


@Kernel
def toss(walkers, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Two steps of probability ½, 128 to a Philox block: the second one is taken where the digit is 1. Whole blocks first, then
    what is before and after them."""
    site, (k0, k1) = walkers.site, keys
    begin, end = I32((start + 127) // 128), I32(stop // 128)
    change = program.offsets[1] - program.offsets[0]
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(walkers.first + j)
        taken = I32(0)
        for block in range(begin, end):
            first, second = words64(walker & LOW, walker >> HALF, U(block), STEPS, k0, k1)
            taken = I32(taken + I32(popcount(U(first))) + I32(popcount(U(second))))
        if 128 * np.int64(begin) > start:
            taken = I32(taken + _part(walker, start // 128, start, stop, k0, k1))
        if begin <= end and 128 * np.int64(end) < stop:
            taken = I32(taken + _part(walker, end, start, stop, k0, k1))
        site[j] = I32(site[j] + program.offsets[0] * (stop - start) + change * taken)


@cuda.jit(device=True)
def _part(walker, block, start, stop, k0, k1):  # type: ignore[no-untyped-def]
    """Ones among the digits of those steps of a block that are from `start` to `stop`."""
    first, second = words64(walker & LOW, walker >> HALF, U(block), STEPS, k0, k1)
    early, late = U(screen(128 * block, start, stop)), U(screen(128 * block + 64, start, stop))
    return I32(popcount(U(first) & early)) + I32(popcount(U(second) & late))


@cuda.jit(device=True)
def _change(program, k):  # type: ignore[no-untyped-def]
    """What the site changes by if a uniform is below threshold k."""
    last = k + 1 == len(program.offsets)
    return program.offsets[k] - (0 if last else program.offsets[k + 1])


@Kernel
def walk_digits(walkers, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Blocks outside, their two words inside, last first: a run of 128 steps takes `planes` blocks, whatever their number."""
    site, planes, (k0, k1) = walkers.site, program.planes, keys
    less, ties = cuda.local.array(MOVES, np.uint64), cuda.local.array(MOVES, np.uint64)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(walkers.first + j)
        net = np.int64(0)
        for pair in range(start // 128, (stop + 127) // 128):
            first = ZERO
            for number in range(2 * planes - 1, -1, -1):
                digit, word = number % planes, 2 * pair + number // planes
                if number & 1:
                    first, plane = words64(
                        walker & LOW, walker >> HALF, U(pair * planes + (number >> 1)), STEPS, k0, k1
                    )
                else:
                    plane = first
                for k in range(len(program.thresholds)):
                    if digit == planes - 1:
                        less[k], ties[k] = ZERO, ALL
                    wanted = U(spread(program.thresholds[k], digit))
                    less[k], ties[k] = next_digit(U(less[k]), U(ties[k]), U(plane), wanted)
                if digit == 0:
                    wanted = U(screen(64 * word, start, stop))
                    for k in range(len(program.thresholds)):
                        net += _change(program, k) * _below(walker, word, wanted, less[k], ties[k], program, k, keys)
        site[j] = I32(site[j] + net)


@cuda.jit(device=True)
def _below(walker, word, wanted, less, tie, program, k, keys):  # type: ignore[no-untyped-def]
    """How many of the `wanted` steps of a word are below threshold k, of which the drawn digits say `less` or that they `tie`."""
    t, planes = program.thresholds[k], program.planes
    ties = U(tie) & wanted if remainder(t, planes) else ZERO
    count = np.int64(popcount((U(less) | U(always(t))) & wanted & ~ties))
    while ties:
        n = U(word) * U(64) + U(trailing_zeros(ties))
        ties &= ties - ONE
        more, _, _, _ = philox(walker & LOW, walker >> HALF, n, TIES, keys[0], keys[1])
        if settled(t, planes, U(more)):
            count += 1
    return count


@Kernel
def follow_digits(walkers, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """As :func:`walk_digits`, with functionals of the paths in `state`."""
    site, state = walkers.site, walkers.state
    masks = cuda.local.array(MOVES, np.uint64)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(walkers.first + j)
        here, top = site[j], state[1, j]
        for word in range(start // 64, (stop + 63) // 64):
            for k in range(len(program.thresholds)):
                masks[k] = below(walker, word, program.planes, program.thresholds[k], keys)
            for n in range(max(64 * word, start), min(64 * word + 64, stop)):
                there = here
                for k in range(len(program.thresholds)):
                    there = I32(there + _change(program, k) * np.int64((masks[k] >> U(n - 64 * word)) & ONE))
                top = I32(highest(there, NOWHERE, top))
                tally(here, there, n, j, state, walkers.levels, NOWHERE)
                here = there
        site[j], state[1, j] = here, top
