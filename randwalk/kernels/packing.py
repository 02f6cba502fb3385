"""Displacements along several axes in one 32-bit whole number: a digit for each axis, in a base that is large enough for so many
steps. Kernels add offsets to it as they add them to the number of a cell."""

from __future__ import annotations

import numpy as np

from .compile import device


def packing(axes: int) -> tuple[int, tuple[int, ...]]:
    """(the steps along each axis that a displacement may have, what a step along each axis adds to its number).

    >>> packing(3)
    (811, (2634129, 1623, 1))
    """
    most = (int((1 << 32) ** (1.0 / axes)) - 2) // 2
    return most, tuple((2 * most + 1) ** (axes - 1 - axis) for axis in range(axes))


@device
def add_digits(packed, strides, numbers, j):  # type: ignore[no-untyped-def]
    """Add a packed displacement to the numbers of walker j along each axis, numbers[:, j]. Strides are odd, and what is less than
    half of one is a displacement along the axes after."""
    rest = np.int64(packed)
    for axis in range(len(strides)):
        digit = (rest + strides[axis] // 2) // strides[axis]
        rest -= digit * strides[axis]
        numbers[axis, j] += digit
