"""Exact sums of floating-point numbers: the mantissas of each exponent are added as whole numbers."""

from __future__ import annotations

import numpy as np

from ..jit.compile import device, kernel

EXPONENTS = 2048  # of a float64, the one of infinities and NaN included
MOST = 1 << 30  # numbers whose halves of mantissas, below 2³², surely fit into sums of 64 bits

I = np.int64  # noqa: E741
DIGITS, HIDDEN, LOW = I((1 << 52) - 1), I(1 << 52), I(0xFFFFFFFF)


@device
def book(value, bins):  # type: ignore[no-untyped-def]
    """Add a number to the bins of its exponent; returns that exponent."""
    bits = np.float64(value).view(np.int64)
    exponent = (bits >> I(52)) & I(EXPONENTS - 1)
    mantissa = (bits & DIGITS) | (HIDDEN if exponent else I(0))
    sign = bits >> I(63)  # 0 or -1: x ^ sign - sign is ±x
    bins[exponent, 0] += ((mantissa & LOW) ^ sign) - sign
    bins[exponent, 1] += ((mantissa >> I(32)) ^ sign) - sign
    return exponent


@kernel
def add_up(values, bins):  # type: ignore[no-untyped-def]
    """Add at most MOST numbers to `bins`, int64 of shape (2, EXPONENTS, 2): the low 32 and the high 21 digits of the mantissas.
    Returns the place of the first number that is not finite, or -1. Neighbours, whose exponents are often equal, go to different
    tables, so that an addition seldom waits for the one before it."""
    last = I(EXPONENTS - 1)
    even, odd = bins[0], bins[1]
    for i in range(0, values.size - 1, 2):
        first, second = book(values[i], even), book(values[i + 1], odd)
        if first == last or second == last:
            return i if first == last else i + 1
    if values.size % 2 and book(values[values.size - 1], even) == last:
        return values.size - 1
    return -1
