"""Starts of continuous walks: a coordinate of each walker from the words of its start-block, whose third word is the axis."""

from __future__ import annotations

import numpy as np

from .compile import kernel
from .philox import HALF, LOW, START, U, words64
from .wall import quantile


@kernel
def place_uniform(x, first, axis, low, high, keys):  # type: ignore[no-untyped-def]
    """Uniform between the ends: the middles of 2⁵³ cells, by the top 53 bits of the first word."""
    for j in range(x.size):
        walker = U(first + j)
        word, _ = words64(walker & LOW, walker >> HALF, U(axis), START, keys[0], keys[1])
        part = (np.float64(np.int64(U(word) >> U(11))) + 0.5) * 2.0**-53
        x[j] = low + (high - low) * part


@kernel
def place_normal(x, first, axis, mean, sd, keys):  # type: ignore[no-untyped-def]
    """Normal, by the quantile of the middles of 2³² cells: the top 32 bits of the first word."""
    for j in range(x.size):
        walker = U(first + j)
        word, _ = words64(walker & LOW, walker >> HALF, U(axis), START, keys[0], keys[1])
        part = (np.float64(np.int64(U(word) >> HALF)) + 0.5) * 2.0**-32
        x[j] = mean + sd * quantile(part)


@kernel
def place_atom(x, first, axis, points, upper, keys):  # type: ignore[no-untyped-def]
    """One of the points, shape (d, atoms), by the first of the cumulative masses in `upper`, whole numbers of 2⁻⁵³, that exceeds
    the top 53 bits of the first word; `x` has the shape (d, walkers)."""
    for j in range(x.shape[1]):
        walker = U(first + j)
        word, _ = words64(walker & LOW, walker >> HALF, U(axis), START, keys[0], keys[1])
        uniform, low, high = np.int64(U(word) >> U(11)), 0, upper.size - 1
        while low < high:
            middle = (low + high) // 2
            if uniform < upper[middle]:
                high = middle
            else:
                low = middle + 1
        for a in range(x.shape[0]):
            x[a, j] = points[a, low]
