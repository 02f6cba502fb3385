"""Spacings that fit a domain and make a tensor's rates positive."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .domain import Axis
from .lattice import spacing
from .tensor import ROUNDING, aspect

FURTHER = 8  # times as many sites as now are looked at


def fitting_spacings(
    matrix: NDArray[np.float64], spacings: Sequence[float], axes: Sequence[Axis]
) -> tuple[float, ...] | None:
    """The spacings nearest to the given ones that fit the lengths of bounded axes and give a tensor of numbers no negative rate;
    None if none are found."""
    ratio = aspect(matrix)
    if ratio is None:
        return None
    bounded = [i for i, axis in enumerate(axes) if math.isfinite(axis.high - axis.low)]
    if not bounded:
        scale = float(np.prod(np.asarray(spacings) / ratio)) ** (1.0 / len(axes))
        return tuple((scale * ratio).tolist())
    first, best, least = bounded[0], None, math.inf
    for count in range(1, FURTHER * _sites(axes[first], spacings[first]) + FURTHER):
        size = spacing(axes[first], count)
        wanted = size * ratio / ratio[first]
        choices = [
            [size] if i == first else _near(axes[i], wanted[i], spacings[i]) if i in bounded else [float(wanted[i])]
            for i in range(len(axes))
        ]
        for chosen in itertools.product(*choices):
            far = sum(math.log(new / old) ** 2 for new, old in zip(chosen, spacings, strict=True))
            if far < least and _is_dominant(matrix, chosen):
                best, least = chosen, far
    return best


def _sites(axis: Axis, dx: float) -> int:
    return max(1, round((axis.high - axis.low) / dx))


def _near(axis: Axis, *sizes: float) -> list[float]:
    """The spacings that fit an axis next to the sizes."""
    counts = {max(1, _sites(axis, size) + more) for size in sizes for more in (-1, 0, 1)}
    return [spacing(axis, count) for count in sorted(counts)]


def _is_dominant(matrix: NDArray[np.float64], spacings: Sequence[float]) -> bool:
    scaled = np.abs(matrix) / np.outer(spacings, spacings)
    return bool((2.0 * np.diag(scaled) - scaled.sum(axis=1) >= -ROUNDING * np.diag(scaled)).all())
