"""The physics of a lattice walk: one walker, one step, on values already fetched. Every backend calls these functions."""

from __future__ import annotations

import numpy as np

from ..jit.compile import device
from ..jit.vector import where
from .philox import LOW, START, TIES, U, words64
from .program import BITS, DRAWN, LIVE, PART

I32 = np.int32
U32 = np.uint32

TIE_BITS = U32(PART - DRAWN)
MOST = U32(0xFFFF)

ALL = U(0xFFFFFFFFFFFFFFFF)
ONE, ZERO = U(1), U(0)


@device
def column(site, program):  # type: ignore[no-untyped-def]
    """The column of the table that holds the thresholds of a site."""
    return U(program.column[U(site)]) if program.column.size else U(site)  # a sign would cost a test for each column


@device
def rests(site, program):  # type: ignore[no-untyped-def]
    """Whether a walker on a cell has left for good."""
    return program.exit_of[U(site)] != LIVE


@device
def change(offsets, k):  # type: ignore[no-untyped-def]
    """What a threshold above the uniform adds to the site: offset number k minus the next one. Sums take no branch."""
    return offsets[k] - (offsets[k + 1] if k + 1 < len(offsets) else 0)


@device
def limit(program, row, k, c):  # type: ignore[no-untyped-def]
    """Threshold k of a column, in units of 2⁻⁶²; an int64."""
    limits, rows = program.thresholds, len(program.offsets) + 1
    high = np.int64(limits[row, k, c]) << np.int64(PART)
    return high | np.int64(limits[row, rows + k, c]) if limits.shape[1] > rows else high


@device
def less(word, program, row, k, c, lacking):  # type: ignore[no-untyped-def]
    """Whether a uniform is below threshold k of a column, if the lowest `lacking` digits of both are left out."""
    if lacking < PART:
        return word < limit(program, row, k, c) >> lacking
    return word < program.thresholds[row, k, c] >> U32(lacking - PART)


@device
def step(site, word, program, row, lacking):  # type: ignore[no-untyped-def]
    """The site after a step by the first offset whose threshold exceeds `word`. Both lack the lowest `lacking` of 62 digits."""
    c, moves, there = column(site, program), len(program.offsets), I32(site)
    for k in range(moves):
        if less(word, program, row, k, c, lacking):
            there = I32(there + change(program.offsets, k))
    if program.home.size:
        there = program.home[there]
    return there if less(word, program, row, moves, c, lacking) else I32(program.exit_of.size - 1)


@device
def after(word, digits):  # type: ignore[no-untyped-def]
    """The digits of a uniform after the first `digits` ones, from the first word of its block of ties: those up to the 31st are
    the top digits of the low half of the word, the last 31 are the top digits of its high half."""
    return (((word & LOW) >> U(1 + digits)) << U(PART)) | (word >> U(33))


@device
def half_moves(site, word, pair, first, second):  # type: ignore[no-untyped-def]
    """(the site after two of the moves, whether that is undecided) from the 16 high bits of a uniform and those of two
    thresholds, `pair`. A threshold above the uniform changes the site by `first` or by `second`, an offset minus the next. All
    are uint32, or cells."""
    high, low = pair >> U32(16), pair & MOST
    there = site + where(word < high, first, U32(0)) + where(word < low, second, U32(0))
    return there & U32(LOW), (word == high) | (word == low)


@device
def uniform(half, walker, n, keys):  # type: ignore[no-untyped-def]
    """The uniform of step `n` of a walker, of which the 16 high bits are known: `half`."""
    more, _ = words64(walker & LOW, walker >> U(32), U(n), TIES, keys[0], keys[1])
    return np.int64((U(half) << U(BITS - DRAWN)) | U(after(U(more), DRAWN)))


@device
def table_step(site, half, walker, n, program, row, keys):  # type: ignore[no-untyped-def]
    """Step number `n` of `walker`, with its 16 bits `half`. The others are drawn if those tie with a threshold."""
    c, tied = column(site, program), False
    for k in range(len(program.offsets) + 1):
        tied |= half == program.thresholds[row, k, c] >> TIE_BITS
    if tied:
        return step(site, uniform(half, walker, n, keys), program, row, 0)
    return step(site, half, program, row, BITS - DRAWN)


@device
def chosen(word, upper):  # type: ignore[no-untyped-def]
    """The number of the first cumulative mass in `upper`, whole numbers of 2⁻⁵³, that exceeds the top 53 bits of a word."""
    uniform, low, high = np.int64(U(word) >> U(11)), 0, upper.size - 1
    while low < high:
        middle = (low + high) // 2
        if uniform < upper[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@device
def start_cell(walker, axis, index, upper, keys):  # type: ignore[no-untyped-def]
    """The part of a walker's start that belongs to an axis: one of `index`, with cumulative masses `upper`."""
    word, _ = words64(walker & LOW, walker >> U(32), U(axis), START, keys[0], keys[1])
    return index[chosen(word, upper)]
