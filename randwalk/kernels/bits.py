"""Constant probabilities, 64 steps to a machine word: binary digits of all uniforms compared with those of a threshold at
once, the lowest first. The only place where they are compared; words are uint64 or lanes."""

from __future__ import annotations

from .compile import device
from .philox import LOW, TIES, U, words64
from .program import BITS
from .step import ALL, ONE, ZERO, after, plane, trailing_zeros


@device
def screen(n, start, stop):  # type: ignore[no-untyped-def]
    """Which of the steps n … n + 63 lie in start … stop - 1, as a mask."""
    mask = ALL
    if n < start:
        mask = mask << U(start - n) if start - n < 64 else ZERO
    if n + 64 > stop:
        mask &= ALL >> U(n + 64 - stop) if n + 64 - stop < 64 else ZERO
    return mask


@device
def spread(t, digit):  # type: ignore[no-untyped-def]
    """The binary digit of weight 2^-1-digit of a threshold, in all 64 places of a word."""
    return ALL if (U(t) >> U(BITS - 1 - digit)) & ONE else ZERO


@device
def next_digit(below, tie, random, digit):  # type: ignore[no-untyped-def]
    """One more binary digit, a higher one, of 64 uniforms compared with that of a threshold (a :func:`spread` one): (those
    below it, those that still tie). Where random digit and digit agree the lower ones decide, elsewhere the digit does."""
    agree = ~(random ^ digit)
    return digit ^ (agree & (digit ^ below)), tie & agree


@device
def always(t):  # type: ignore[no-untyped-def]
    """The steps that are below a threshold whatever their digits: all if it is 1, whose digits are those of 0."""
    return ALL if U(t) >> U(BITS) else ZERO


@device
def remainder(t, planes):  # type: ignore[no-untyped-def]
    """The digits of a threshold after the first `planes`; 0 if those decide every step."""
    return U(t) & ((ONE << U(BITS - planes)) - ONE)


@device
def prefix(t, planes):  # type: ignore[no-untyped-def]
    """A threshold without its digits after the first `planes`."""
    return U(t) & ~((ONE << U(BITS - planes)) - ONE)


@device
def settled(t, planes, more):  # type: ignore[no-untyped-def]
    """Whether a uniform whose first `planes` digits are those of a threshold is below it; `more` is the first word of its block
    of ties, which has the other digits."""
    return after(more, planes) < remainder(t, planes)


@device
def below(walker, word, planes, t, keys):  # type: ignore[no-untyped-def]
    """Which of the steps 64 `word` … 64 `word` + 63 of a walker have uniforms below a threshold, as a mask."""
    if always(t):
        return ALL
    less, tie = ZERO, ALL
    for digit in range(planes - 1, -1, -1):
        less, tie = next_digit(less, tie, U(plane(walker, word * planes + digit, keys)), spread(t, digit))
    ties = tie if remainder(t, planes) else ZERO
    while ties:
        lane = ties & (~ties + ONE)
        n = U(word) * U(64) + trailing_zeros(lane)
        more, _ = words64(walker & LOW, walker >> U(32), n, TIES, keys[0], keys[1])
        if settled(t, planes, more):
            less |= lane
        ties ^= lane
    return less
