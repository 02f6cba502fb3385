"""Starts of continuous walks: a coordinate of each walker from the words of its start-block, whose third word is the axis."""

from __future__ import annotations

import numpy as np

from ..jit.compile import device, kernel
from .normal import normal_pair
from .philox import HALF, LOW, START, U, words64
from .step import chosen


@device
def start_words(walker, axis, keys):  # type: ignore[no-untyped-def]
    """The two 64-bit words of a walker's start along an axis."""
    return words64(U(walker) & LOW, U(walker) >> HALF, U(axis), START, keys[0], keys[1])


@kernel
def place_uniform(x, first, axis, ends, keys):  # type: ignore[no-untyped-def]
    """Uniform between the ends: the middles of 2⁵³ cells, by the top 53 bits of the first word."""
    for j in range(x.size):
        word, _ = start_words(first + j, axis, keys)
        part = (np.float64(np.int64(U(word) >> U(11))) + 0.5) * 2.0**-53
        x[j] = ends[0] + (ends[1] - ends[0]) * part


@kernel
def place_normal(x, first, axis, mean, sd, keys):  # type: ignore[no-untyped-def]
    """Normal: the first of the pair that Box and Muller's method makes of the two words."""
    for j in range(x.size):
        a, b = start_words(first + j, axis, keys)
        z, _ = normal_pair(U(a), U(b))
        x[j] = mean + sd * z


@kernel
def place_atom(x, first, axis, points, upper, keys):  # type: ignore[no-untyped-def]
    """One of the points, shape (d, atoms), with cumulative masses `upper`, by the first word; `x` has the shape (d, walkers)."""
    for j in range(x.shape[1]):
        word, _ = start_words(first + j, axis, keys)
        atom = chosen(word, upper)
        for a in range(x.shape[0]):
            x[a, j] = points[a, atom]
