"""Displacements along several axes in one whole number, a field of so many bits for each. Kernels add offsets to it as they add
them to the number of a cell."""

from __future__ import annotations

import numpy as np

from ..jit.compile import device


def packing(axes: int, digits: int) -> tuple[int, int, tuple[int, ...]]:
    """(bits of a field, the steps along each axis that a displacement may have, what a step along each axis adds to its number),
    of a number that has so many binary digits.

    >>> packing(3, 32)
    (10, 511, (1048576, 1024, 1))
    """
    bits = digits // axes
    return bits, (1 << (bits - 1)) - 1, tuple(1 << bits * (axes - 1 - axis) for axis in range(axes))


@device
def field(packed, bits, place):  # type: ignore[no-untyped-def]
    """The displacement in a field of a packed one, the lowest in place 0; those in lower ones are less than half a step of it."""
    shift, half = bits * place, np.int64(1) << (bits - 1)
    rounded = (np.int64(packed) + (np.int64(1) << shift >> 1)) >> shift
    return ((rounded + half) & (2 * half - 1)) - half
