"""The occupation method: how many walkers stand on each site, one step after another.

Independent walkers on one site are exchangeable, so of n on a site the numbers that step right, left and stay are
multinomial, drawn by exact binomials. The cost does not depend on the number of walkers.
"""

from __future__ import annotations

import numpy as np

from .binomial import binomial, binomials, workspace
from .compile import device, kernel
from .philox import LOW, SPLIT, U
from .step import I32, column, mortal

FULL = np.int64(1 << 31)
DRAW = U(16)  # the low bits of the third counter word number the attempts of a draw, the next ones the draw
RIGHT, LEFT, DIED, PLACED = U(0), U(1) << DRAW, U(2) << DRAW, U(3) << DRAW
STRIPE = 256  # sites drawn for together, in the first-level cache


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
def odds(t_right, t_left, t_live):  # type: ignore[no-untyped-def]
    """(right, left, others, dead, rest) from the thresholds of a site, as int64: out of FULL walkers `right` step right, out
    of the `others` `left` step left, and out of the `rest` `dead` die."""
    right, both, live = np.int64(t_right), np.int64(t_left), np.int64(t_live)
    return right, both - right, FULL - right, FULL - live, FULL - both


@device
def split(here, t_right, t_left, t_live, site, step, k0, k1):  # type: ignore[no-untyped-def]
    """Of `here` walkers on a site: how many step right, step left and die in a step."""
    right, left, others, dead, rest = odds(t_right, t_left, t_live)
    to_right = binomial(here, right, FULL, site, step, RIGHT, SPLIT, k0, k1)
    to_left = binomial(here - to_right, left, others, site, step, LEFT, SPLIT, k0, k1)
    died = np.int64(0)
    if dead > 0:
        died = binomial(here - to_right - to_left, dead, rest, site, step, DIED, SPLIT, k0, k1)
    return to_right, to_left, died


@kernel
def occupy(counts, after, low, high, start, stop, thresholds, layout, first, gone, k0, k1):  # type: ignore[no-untyped-def]
    """after[low : high + 1] = the walkers on those sites at step `stop`, from `counts` (index 0 … sites + 2) at step `start`.

    Sites further off than the steps done together do not matter, and what steps from a site is a pure function of site and
    step: pieces of the lattice are advanced apart from each other, each with as many sites beyond its ends as steps.
    `first` is the lattice number of index 0. gone[step, way] receives the walkers that left from here (left, right, killed).
    """
    left_end, right_end, wrap, killed = layout
    sites, steps = killed - 2, stop - start
    begin = low - steps if wrap else max(low - steps, 1)
    end = high + steps if wrap else min(high + steps, sites)
    size = end - begin + 1
    here, number = np.empty(size, np.int64), np.empty(size, np.uint64)
    columns, kills = np.empty(size, np.int64), mortal(thresholds)
    for i in range(size):
        index = (begin + i - 1) % wrap + 1 if wrap else begin + i
        here[i], number[i] = counts[index], U(first + index) & LOW
        columns[i] = column(I32(index), left_end, right_end)
    right, left, others = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    dead, rest = np.empty(size, np.int64), np.empty(size, np.int64)
    full = np.empty(STRIPE, np.int64)
    for k in range(STRIPE):
        full[k] = FULL
    to_right, to_left = np.zeros(size + 2, np.int64), np.zeros(size + 2, np.int64)  # one place beyond each end
    remaining = np.empty(STRIPE, np.int64)
    work = workspace(STRIPE)
    for n in range(start, stop):
        if n == start or thresholds.shape[0] > 1:
            row = thresholds[n - start]
            for i in range(size):
                c = columns[i]
                right[i], left[i], others[i], dead[i], rest[i] = odds(row[0, c], row[1, c], row[2, c])
        left_off = n - start if begin > 1 or wrap else 0  # no longer right, for want of what steps in from beyond
        right_off = n - start if end < sites or wrap else 0
        for i in range(left_off, size - right_off, STRIPE):
            j = min(i + STRIPE, size - right_off)
            binomials(
                here[i:j], right[i:j], full, number[i:j], U(n), RIGHT, SPLIT, k0, k1, to_right[i + 1 :], work, j - i
            )
            for k in range(j - i):
                remaining[k] = here[i + k] - to_right[i + k + 1]
            binomials(
                remaining, left[i:j], others[i:j], number[i:j], U(n), LEFT, SPLIT, k0, k1, to_left[i + 1 :], work, j - i
            )
            if kills:
                for k in range(j - i):
                    alive = remaining[k] - to_left[i + k + 1]
                    died = binomial(alive, dead[i + k], rest[i + k], number[i + k], U(n), DIED, SPLIT, k0, k1)
                    here[i + k] -= died
                    if low <= begin + i + k <= high:
                        gone[n - start, 2] += died
        if not wrap and low == 1:
            gone[n - start, 0] = to_left[1]
        if not wrap and high == sites:
            gone[n - start, 1] = to_right[size]
        for i in range(left_off, size - right_off):
            j = U(i)
            here[j] += to_right[j] + to_left[j + U(2)] - to_right[j + U(1)] - to_left[j + U(1)]
    for index in range(low, high + 1):
        after[index] = here[index - begin]
