"""Kernels of walks with constant probabilities on the whole line: 64 steps of a walker to a machine word, a thread a walker."""

from __future__ import annotations

import numpy as np

from ..bits import always, balance, next_digit, screen, settle, spread
from ..functionals import highest
from ..philox import HALF, LOW, STEPS, TIES, U, philox, words64
from ..step import ALL, BITS, I32, ONE, ZERO, moves, popcount, trailing_zeros
from .compile import Kernel, cuda
from .walkers import tally

FARTHEST = 2147483646  # an outer site that no walker reaches


@Kernel
def toss(walkers, start, stop, keys):  # type: ignore[no-untyped-def]
    """p = ½: 128 steps a Philox block, of which the ones go left. Whole blocks first, then what is before and after them."""
    site, (k0, k1) = walkers.site, keys
    begin, end = I32((start + 127) // 128), I32(stop // 128)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(walkers.first + j)
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
def walk_digits(walkers, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Blocks outside, their two words inside, last first: a run of 128 steps takes `planes` blocks, whatever their number."""
    site, (k0, k1) = walkers.site, keys
    planes, t_right, t_left = program.digits, U(program.right), U(program.left)
    shift = U(BITS - planes)
    low = (ONE << shift) - ONE
    always_right, always_left = U(always(t_right)), U(always(t_left))
    rest_right, rest_left = ALL if t_right & low else ZERO, ALL if t_left & low else ZERO
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(walkers.first + j)
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
def follow_digits(walkers, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """As :func:`walk_digits`, with functionals of the paths in `state`."""
    site, state, (k0, k1) = walkers.site, walkers.state, keys
    t_right, t_left = U(program.right), U(program.left)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker = U(walkers.first + j)
        here, top = site[j], state[1, j]
        for word in range(start // 64, (stop + 63) // 64):
            right, left = moves(walker, word, program.digits, t_right, t_left, k0, k1)
            right, left = U(right), U(left)
            for n in range(max(64 * word, start), min(64 * word + 64, stop)):
                bit = U(n - 64 * word)
                there = I32(here + I32((right >> bit) & ONE) - I32((left >> bit) & ONE))
                top = I32(highest(there, FARTHEST, top))
                tally(here, there, n, j, state, walkers.levels, FARTHEST)
                here = there
        site[j], state[1, j] = here, top
