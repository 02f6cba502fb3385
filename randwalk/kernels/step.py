"""The physics of a lattice walk: one walker, one step, on values already fetched. Every backend calls these functions."""

from __future__ import annotations

import numpy as np

from .compile import device
from .philox import LOW, STEPS, TIES, U, philox, words64
from .vector import ones, zeros_below

I32 = np.int32
U32 = np.uint32

TIE_BITS = U32(15)  # drawn only when the 16 bits that every step has do not decide
PLANES = 8  # binary digits of a constant probability that every step has
BITS = 31

ALL = U(0xFFFFFFFFFFFFFFFF)
ONE, ZERO = U(1), U(0)


@device
def step(site, word, t_right, t_left, t_live, wrap, killed):  # type: ignore[no-untyped-def]
    """The site after a step: `word` below `t_right` goes right, below `t_left` left, below `t_live` stays, else is killed.

    `wrap` is the number of sites of a ring (live sites 1 … wrap), 0 elsewhere. Word and thresholds are in the same units.
    """
    moved = I32(site + I32(2) * I32(word < t_right) - I32(word < t_left))
    if wrap:
        moved = I32(wrap) if moved == 0 else I32(1) if moved == I32(wrap + 1) else moved
    return moved if word < t_live else I32(killed)


@device
def mortal(thresholds):  # type: ignore[no-untyped-def]
    """Whether anybody is ever killed on a step table."""
    kills = False
    for row in range(thresholds.shape[0]):
        for c in range(thresholds.shape[2]):
            kills |= thresholds[row, 2, c] < U32(1 << BITS)
    return kills


@device
def column(site, low, high):  # type: ignore[no-untyped-def]
    """The column of the step table that holds the thresholds of a site."""
    return I32(min(site, low) + max(I32(site - high), I32(0)))


@device
def halves(t_right, t_left, t_live):  # type: ignore[no-untyped-def]
    """The 16 high bits of the thresholds of a site, (right and left in a word, live). A threshold of 1 ties at 0xFFFF."""
    most = U32(0xFFFF)
    right, left, live = t_right >> TIE_BITS, t_left >> TIE_BITS, t_live >> TIE_BITS
    return U32(min(right, most) << U32(16)) | min(left, most), min(live, most)


@device
def half_step(site, half, pair, live, wrap, killed):  # type: ignore[no-untyped-def]
    """(the site after a step, whether that is not decided) from the 16 high bits of a uniform and those of the thresholds."""
    right, left = U32(pair >> U32(16)), U32(pair & U32(0xFFFF))
    tied = (half == right) | (half == left) | (half == live)
    return step(site, half, right, left, live, wrap, killed), tied


@device
def table_step(site, half, walker, n, thresholds, row, low, high, wrap, killed, k0, k1):  # type: ignore[no-untyped-def]
    """Step number `n` of `walker`, with its 16 bits `half`. Fifteen more are drawn if those tie with a threshold."""
    c = column(site, low, high)
    t_right, t_left, t_live = thresholds[row, 0, c], thresholds[row, 1, c], thresholds[row, 2, c]
    h_right, h_left, h_live = t_right >> TIE_BITS, t_left >> TIE_BITS, t_live >> TIE_BITS
    if (half == h_right) | (half == h_left) | (half == h_live):
        rest, _, _, _ = philox(walker & LOW, walker >> U(32), U(n), TIES, k0, k1)
        word = U32((half << TIE_BITS) | U32((rest & LOW) >> U(17)))
        return step(site, word, t_right, t_left, t_live, wrap, killed)
    return step(site, half, h_right, h_left, h_live, wrap, killed)


@device
def plane(walker, number, k0, k1):  # type: ignore[no-untyped-def]
    """Bit plane `number` of a walker: one random binary digit for each of 64 steps."""
    first, second = words64(walker & LOW, walker >> U(32), U(number >> 1), STEPS, k0, k1)
    return second if number & 1 else first


@device
def trailing_zeros(word):  # type: ignore[no-untyped-def]
    """The number of zeros below the lowest one of a word that is not 0."""
    return U(zeros_below(U(word)))


@device
def popcount(word):  # type: ignore[no-untyped-def]
    """Ones in a 64-bit word."""
    return U(ones(U(word)))


@device
def moves(walker, word, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """The steps 64 `word` … 64 `word` + 63 of a walk with constant probabilities, as two masks: (right, left).

    The top digits of the 64 uniforms are `planes` random words, compared with those of the thresholds all at once, last
    digit first: below = digit of t ? ~r | below : ~r & below. Where they tie, the rest of the digits is drawn.
    """
    shift = U(BITS - planes)
    top_right, top_left = U(t_right) >> shift, U(t_left) >> shift
    below_right, below_left = ZERO, ZERO
    tie_right, tie_left = ALL, ALL
    for digit in range(planes):
        r = ~plane(walker, word * planes + planes - 1 - digit, k0, k1)
        one = (top_right >> U(digit)) & ONE
        below_right = (r | below_right) if one else (r & below_right)
        tie_right &= ~r if one else r
        one = (top_left >> U(digit)) & ONE
        below_left = (r | below_left) if one else (r & below_left)
        tie_left &= ~r if one else r
    if top_right >> U(planes):  # a threshold of 1: its digits are those of 0
        below_right = ALL
    if top_left >> U(planes):
        below_left = ALL
    rest_right, rest_left = U(t_right) & ((ONE << shift) - ONE), U(t_left) & ((ONE << shift) - ONE)
    ties = (tie_right if rest_right else ZERO) | (tie_left if rest_left else ZERO)
    while ties:
        lane = ties & (~ties + ONE)
        n = U(word) * U(64) + trailing_zeros(lane)
        rest, _, _, _ = philox(walker & LOW, walker >> U(32), n, TIES, k0, k1)
        low = (rest & LOW) >> U(32 - BITS + planes)
        if tie_right & lane and low < rest_right:
            below_right |= lane
        if tie_left & lane and low < rest_left:
            below_left |= lane
        ties ^= lane
    return below_right, below_left & ~below_right
