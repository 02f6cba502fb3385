"""Constant probabilities, 64 steps to a machine word: binary digits of all uniforms compared with those of a threshold at
once, most significant first. The word-wise side of the physics in `step`; what stays undecided is settled by `step` itself."""

from __future__ import annotations

import numpy as np

from .compile import device
from .philox import HALF, LOW, TIES, U, philox
from .step import ALL, BITS, I32, ONE, ZERO, step


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
def next_digit(below, tie, random, digit):  # type: ignore[no-untyped-def]
    """One more binary digit of 64 uniforms compared with `digit` of a threshold: (those below it, those that still tie)."""
    if digit:
        return below | (tie & ~random), tie & random
    return below, tie & ~random


@device
def settle(walker, n, top, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Where step `n` goes (-1, 0, 1), whose uniform begins with the digits `top`: the others are drawn."""
    rest, _, _, _ = philox(walker & LOW, walker >> HALF, n, TIES, k0, k1)
    word = top | ((rest & LOW) >> U(32 - BITS + planes))
    return np.int64(step(I32(0), word, t_right, t_left, ONE << U(BITS), 0, 0))
