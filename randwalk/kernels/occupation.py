"""The occupation method: how many walkers stand on each site, one step after another.

Independent walkers on one site are exchangeable, so of n on a site the numbers that step right, left and stay are
multinomial, drawn by exact binomials. The cost does not depend on the number of walkers.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from .binomial import binomial
from .compile import device, kernel, parallel_kernel
from .philox import LOW, SPLIT, U
from .step import I32, column

FULL = np.int64(1 << 31)
DRAW = U(16)  # the low bits of the third counter word number the attempts of a draw, the next ones the draw
RIGHT, LEFT, DIED, PLACED = U(0), U(1) << DRAW, U(2) << DRAW, U(3) << DRAW
STRIPE = 64  # sites that one thread takes at a time


@kernel
def scatter(counts, walkers, index, masses, first, k0, k1):  # type: ignore[no-untyped-def]
    """Multinomial start counts: of the walkers left, those on the next site, with its share of the mass left (units 2⁻⁵³)."""
    rest = np.int64(1) << np.int64(53)
    for i in range(index.size):
        here = binomial(walkers, masses[i], rest, U(first + index[i]) & LOW, U(0), PLACED, SPLIT, k0, k1)
        counts[index[i]] += here
        walkers -= here
        rest -= masses[i]


@device
def split(here, t_right, t_left, t_live, site, step, k0, k1):  # type: ignore[no-untyped-def]
    """Of `here` walkers on a site: how many step right, step left and die in a step. Thresholds are int64."""
    right = binomial(here, t_right, FULL, site, step, RIGHT, SPLIT, k0, k1)
    left = binomial(here - right, t_left - t_right, FULL - t_right, site, step, LEFT, SPLIT, k0, k1)
    died = np.int64(0)
    if t_live < FULL:
        died = binomial(here - right - left, FULL - t_live, FULL - t_left, site, step, DIED, SPLIT, k0, k1)
    return right, left, died


@parallel_kernel
def occupy(counts, moves, start, stop, thresholds, layout, first, gone, k0, k1):  # type: ignore[no-untyped-def]
    """Advance `counts` (index 0 … sites + 2) from step `start` to `stop`. `first` is the lattice number of index 0.

    `moves` (3, sites + 3), zero, is scratch for the numbers that step right, left and die. gone[step, way] receives the
    walkers that left in that step (left, right, killed).
    """
    low, high, wrap, killed = layout
    sites = killed - 2
    for n in range(start, stop):
        row = n - start if thresholds.shape[0] > 1 else 0
        for stripe in prange((sites + STRIPE - 1) // STRIPE):
            for i in range(1 + stripe * STRIPE, min(1 + (stripe + 1) * STRIPE, sites + 1)):
                here = counts[i]
                moves[0, i] = 0
                moves[1, i] = 0
                if here == 0:
                    continue
                c = column(I32(i), low, high)
                t_right, t_left = np.int64(thresholds[row, 0, c]), np.int64(thresholds[row, 1, c])
                t_live = np.int64(thresholds[row, 2, c])
                site, step = U(first + i) & LOW, U(n)
                right, left, died = split(here, t_right, t_left, t_live, site, step, k0, k1)
                moves[0, i], moves[1, i] = right, left
                if died:
                    counts[i] = here - died
                    moves[2, i] = died
        if wrap:
            moves[0, 0], moves[1, sites + 1] = moves[0, sites], moves[1, 1]
        else:
            gone[n - start, 0], gone[n - start, 1] = moves[1, 1], moves[0, sites]
            counts[0] += moves[1, 1]
            counts[sites + 1] += moves[0, sites]
        died = np.int64(0)
        for i in range(1, sites + 1):
            counts[i] += moves[0, i - 1] + moves[1, i + 1] - moves[0, i] - moves[1, i]
            died += moves[2, i]
            moves[2, i] = 0
        gone[n - start, 2] = died
        counts[killed] += died
