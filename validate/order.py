"""Orders of the sites of a lattice in which neighbours are neighbours in space, and of places by their distance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats
from randwalk.model.domain import Axis

SAME = 1e-9  # of the largest distance: distances as close as that are one


def morton(shape: Sequence[int]) -> NDArray[np.int64]:
    """The flat numbers (in C order) of the sites of an array in Morton's order (G. M. Morton, IBM Ltd., Ottawa, 1966): by the
    binary digits of their indices, those of all axes side by side. In one dimension the sites in their own order.

    >>> morton((2, 4)).tolist()
    [0, 1, 4, 5, 2, 3, 6, 7]
    """
    axes = len(shape)
    places = np.indices(shape, dtype=np.int64).reshape(axes, math.prod(shape))
    code = np.zeros(places.shape[1], dtype=np.int64)
    for digit in range(max(n - 1 for n in shape).bit_length()):
        for axis in range(axes):
            code |= ((places[axis] >> digit) & 1) << (axes * digit + axes - 1 - axis)
    return np.argsort(code, kind="stable")


def by_distance(
    places: Sequence[Floats], axes: Sequence[Axis], centre: Sequence[float]
) -> tuple[Floats, NDArray[np.int64]]:
    """(distances from a centre, increasing; the number of its distance for every point of the product of `places`, flat); on a
    ring the shorter way round counts."""
    along = []
    for x, axis, middle in zip(places, axes, centre, strict=True):
        apart = np.abs(x - middle)
        if axis.periodic:
            length = axis.high - axis.low
            apart = np.minimum(apart % length, length - apart % length)
        along.append(apart)
    distance = np.sqrt(sum(part**2 for part in np.meshgrid(*along, indexing="ij"))).ravel()
    order = np.argsort(distance, kind="stable")
    first = np.append(True, np.diff(distance[order]) > SAME * distance.max(initial=0.0))
    number = np.empty(distance.size, dtype=np.int64)
    number[order] = np.cumsum(first) - 1
    return distance[order][first], number
