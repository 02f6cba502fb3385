"""The occupation method: how many walkers stand on each site, one step after another.

Independent walkers on one site are exchangeable, so of n on a site the numbers that take each of the K steps, stay and die are
multinomial, drawn by exact binomials one after another. The cost does not depend on the number of walkers.
"""

from __future__ import annotations

import numpy as np

from ..jit.compile import device, kernel
from ..jit.lanes import LANES
from ..jit.vector import wide
from .binomial import binomial
from .binomials import binomials, workspace
from .philox import SPLIT, U
from .portable import real
from .program import FULL, LIVE
from .step import column, limit

DRAW = U(16)  # the low bits of the third counter word number the attempts of a draw, the next ones the draw
STRIPE = 2048  # sites drawn for together, in the second-level cache


@device
def draw(number):  # type: ignore[no-untyped-def]
    """The third counter word of a draw: 0 … K - 1 are those of the K steps of a site, K that of the deaths, K + 1 the start."""
    return U(number) << DRAW


@kernel
def scatter(counts, walkers, start, moves, address, keys):  # type: ignore[no-untyped-def]
    """Multinomial start counts of a walk with K = `moves` steps: of the walkers left, those on the next cell, with its share of
    the mass left; start = (cells, masses in units of 2⁻⁵³)."""
    rest = np.int64(1) << np.int64(53)
    cells, masses = start
    for i in range(cells.size):
        number = address[cells[i]]
        here = binomial(walkers, masses[i], rest, number, U(0), draw(moves + 1), SPLIT, keys[0], keys[1])
        counts[cells[i]] += here
        walkers -= here
        rest -= masses[i]


@device
def odds(program, row, k, c):  # type: ignore[no-untyped-def]
    """(a, b): of b walkers on column c that take none of the steps before number k, a take it; k = K stands for being killed."""
    before = FULL - (limit(program, row, k - 1, c) if k else np.int64(0))
    after = FULL - limit(program, row, k, c)
    return (after if k == len(program.offsets) else before - after), before


@device
def share(k, left, program, row, c, address, keys):  # type: ignore[no-untyped-def]
    """Of `left` walkers on column c that take none of the steps before number k, how many take it; address = (that of the site,
    step)."""
    a, b = odds(program, row, k, c)
    return binomial(left, a, b, address[0], address[1], draw(k), SPLIT, keys[0], keys[1])


@device
def _split(here, padded, far, chances, numbers, span, n, work, keys):  # type: ignore[no-untyped-def]
    """The walkers of the cells from span[0] to span[1] - 1 that take each step in step `n`, and those that die if any can, into
    rows of `padded` from `far` on, and the others into work[1]. chances[k] = the first ones of :func:`odds`; the second ones are
    what these leave, made where they are needed: in memory they would take twice as much as all else."""
    wide()
    (room, rest, total, inverse), (begin, end) = work, span
    for i in range(begin, end, STRIPE):
        j = min(i + STRIPE, end)
        left, before = rest[i:], here[i:j]
        for q in range(before.size):
            left[q], total[q] = before[q], FULL
        for k in range(padded.shape[0]):
            taken, chance = padded[k][far + i : far + j], chances[k, i:]
            for q in range(taken.size):
                inverse[q] = 1.0 / real(U(total[q]))
            binomials(
                left, chance, total, inverse, numbers[i:], U(n), draw(k), SPLIT, keys[0], keys[1], taken, room, j - i
            )
            for q in range(taken.size):
                left[q] -= taken[q]
                total[q] -= chance[q]


@device
def _arrive(here, rest, padded, offsets, first):  # type: ignore[no-untyped-def]
    """Those who stay, and all who come: padded[k, first + i - offsets[k]] of step k to cell i."""
    wide()
    for i in range(here.size):
        here[i] = rest[i]
    for k in range(len(offsets)):
        come = padded[k, first - offsets[k] :]
        for i in range(here.size):
            here[i] += come[i]


@kernel
def occupy(counts, after, piece, program, address, span, gone, keys):  # type: ignore[no-untyped-def]
    """after[cell] = the walkers on each site of a piece at step span[1], from `counts` of all cells at step span[0].

    What steps from a site is a pure function of its address and the step, and sites further off than the steps done together do
    not matter: pieces are advanced apart from each other, each with neighbours enough. piece = (cells, begin and end of its own
    ones, cells at the low and at the high end that are wrong after each step, for want of neighbours). gone[step, exit] receives
    the walkers of the piece that left.
    """
    wide()
    (cells, own, stop, lost_low, lost_high), (first, last) = piece, span
    moves, size, far = len(program.offsets), cells.size, 0
    for k in range(moves):
        far = max(far, abs(program.offsets[k]))
    room = size + LANES  # for whole vectors
    here, numbers = np.empty(size, np.int64), np.empty(room, np.uint64)
    special, ends = np.empty(size, np.int64), 0  # cells at which nobody stays
    for i in range(size):
        cell = cells[i]
        here[i] = counts[cell] if program.exit_of[cell] == LIVE else 0
        numbers[i] = address[cell]
        special[ends] = i
        ends += program.exit_of[cell] != LIVE or (program.home.size > 0 and program.home[cell] != cell)
    padded = np.zeros((moves + program.kills, size + 2 * far), np.int64)
    chances, total = np.empty((moves + program.kills, room), np.int64), np.empty(STRIPE + LANES, np.int64)
    work = workspace(STRIPE), np.empty(room, np.int64), total, np.empty(total.size, np.float64)
    for n in range(first, last):
        done = n - first
        if done == 0 or program.thresholds.shape[0] > 1:
            for k in range(padded.shape[0]):
                for i in range(size):
                    chances[k, i], _ = odds(program, done, k, column(cells[i], program))
        begin, end = done * lost_low, size - done * lost_high
        _split(here, padded, far, chances, numbers, (begin, end), n, work, keys)
        if program.kills:
            for i in range(max(begin, own), min(end, stop)):
                gone[done, program.exit_of[program.exit_of.size - 1]] += padded[moves, far + i]
        _arrive(here[begin:end], work[1][begin:end], padded, program.offsets, far + begin)
        for s in range(ends):
            i = special[s]
            cell = cells[i]
            if not begin <= i < end:
                continue
            if program.exit_of[cell] != LIVE:
                if own <= i < stop:
                    gone[done, program.exit_of[cell]] += here[i]
                here[i] = 0
            else:
                here[i + program.home[cell] - cell] += here[i]
                here[i] = 0
    for i in range(own, stop):
        if program.exit_of[cells[i]] == LIVE:
            after[cells[i]] = here[i]
