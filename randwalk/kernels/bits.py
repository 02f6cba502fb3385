"""Constant probabilities, 64 steps to a machine word: binary digits of all uniforms compared with those of a threshold at
once, the lowest first. The word-wise side of the physics in `step`; what stays undecided is settled by `step` itself."""

from __future__ import annotations

import numpy as np

from .compile import device
from .philox import LOW, U
from .step import ALL, BITS, I32, ONE, ZERO, step
from .vector import ones


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
def balance(below_right, below_left, wanted):  # type: ignore[no-untyped-def]
    """Steps to the right minus steps to the left, of those wanted."""
    return ones(below_right & wanted) - ones(below_left & ~below_right & wanted)


@device
def settle(t_right, t_left, top, rest, planes):  # type: ignore[no-untyped-def]
    """Where a step goes (-1, 0, 1) whose uniform begins with the `planes` digits of `top` and goes on with those of `rest`, a
    word of ties-block."""
    word = top | ((rest & LOW) >> U(32 - BITS + planes))
    return np.int64(step(I32(0), word, t_right, t_left, ONE << U(BITS), 0, 0))
