"""The physics of a lattice walk: one walker, one step, on values already fetched. Every backend calls these functions."""

from __future__ import annotations

import numpy as np

from .compile import device
from .philox import LOW, STEPS, TIES, U, words64
from .program import BITS, LIVE, PART
from .vector import ones, zeros_below

I32 = np.int32
U32 = np.uint32

DRAWN = 16  # digits of a uniform that every step of a table walk has; the others are drawn where these do not decide
TIE_BITS = U32(PART - DRAWN)
MOST = U32(0xFFFF)

ALL = U(0xFFFFFFFFFFFFFFFF)
ONE, ZERO = U(1), U(0)


@device
def column(site, program):  # type: ignore[no-untyped-def]
    """The column of the table that holds the thresholds of a site."""
    return program.column[site] if program.column.size else I32(site)


@device
def rests(site, program):  # type: ignore[no-untyped-def]
    """Whether a walker on a cell has left for good."""
    return program.exit_of[site] != LIVE


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
    c, moves = column(site, program), len(program.offsets)
    for k in range(moves):
        if less(word, program, row, k, c, lacking):
            there = I32(site + program.offsets[k])
            return program.home[there] if program.home.size else there
    return I32(site) if less(word, program, row, moves, c, lacking) else I32(program.exit_of.size - 1)


@device
def after(word, digits):  # type: ignore[no-untyped-def]
    """The digits of a uniform after the first `digits` ones, from the first word of its block of ties: those up to the 31st are
    the top digits of the low half of the word, the last 31 are the top digits of its high half."""
    return (((word & LOW) >> U(1 + digits)) << U(PART)) | (word >> U(33))


@device
def half(t):  # type: ignore[no-untyped-def]
    """The 16 high bits of a threshold. A threshold of 1 ties at 0xFFFF."""
    return min(t >> TIE_BITS, MOST)


@device
def compare(site, bits, pair, first, second):  # type: ignore[no-untyped-def]
    """(the site, whether `bits` tie) after a comparison with two thresholds, the 16 high bits of both in one word: `first` and
    `second` are added to the site if the uniform is below each."""
    high, low = U32(pair >> U32(16)), U32(pair & MOST)
    moved = (first if bits < high else I32(0)) + (second if bits < low else I32(0))
    return I32(site + moved), (bits == high) | (bits == low)


@device
def half_step(site, bits, row, c, pairs, lives, program):  # type: ignore[no-untyped-def]
    """(the site after a step, whether that is not decided) from the 16 high `bits` of a uniform and those of the thresholds on
    column `c`: two a word in `pairs`, (rows, ⌈K/2⌉, columns), the last ones in `lives`. program.changes is what is added to the
    site if the uniform is below each of the thresholds in `pairs`."""
    there, tied = I32(site), bits == lives[row, c]
    for m in range(len(program.changes) // 2):
        there, tie = compare(
            there, bits, pairs[row, m, c], I32(program.changes[2 * m]), I32(program.changes[2 * m + 1])
        )
        tied |= tie
    if program.home.size:
        there = program.home[there]
    return there if bits < lives[row, c] else I32(program.exit_of.size - 1), tied


@device
def table_step(site, half, walker, n, program, row, keys):  # type: ignore[no-untyped-def]
    """Step number `n` of `walker`, with its 16 bits `half`. The others are drawn if those tie with a threshold."""
    c, tied = column(site, program), False
    for k in range(len(program.offsets) + 1):
        tied |= half == program.thresholds[row, k, c] >> TIE_BITS
    if tied:
        more, _ = words64(walker & LOW, walker >> U(32), U(n), TIES, keys[0], keys[1])
        word = (U(half) << U(BITS - DRAWN)) | U(after(U(more), DRAWN))
        return step(site, np.int64(word), program, row, 0)
    return step(site, half, program, row, BITS - DRAWN)


@device
def plane(walker, number, keys):  # type: ignore[no-untyped-def]
    """Bit plane `number` of a walker: one random binary digit for each of 64 steps."""
    first, second = words64(walker & LOW, walker >> U(32), U(number >> 1), STEPS, keys[0], keys[1])
    return second if number & 1 else first


@device
def trailing_zeros(word):  # type: ignore[no-untyped-def]
    """The number of zeros below the lowest one of a word that is not 0."""
    return U(zeros_below(U(word)))


@device
def popcount(word):  # type: ignore[no-untyped-def]
    """Ones in a 64-bit word."""
    return U(ones(U(word)))
