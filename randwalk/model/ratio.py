"""Spacings that fit a domain and make a tensor's rates positive."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from .coefficient import Floats
from .domain import Axis, Domain
from .lattice import spacing
from .tensor import ROUNDING, NoStencil, Tensor, aspect

FURTHER = 8  # times as many sites as now are looked at
MARGINS = (0.05, 0.0)  # of the largest rate along an axis, so that a drift leaves rates positive, if that can be


def check_directions(tensor: Tensor, spacings: Sequence[float], domain: Domain) -> None:
    """Refuse a constant tensor that has a negative rate on the lattice, with spacings or numbers of sites that have none."""
    if tensor.matrix is None or tensor.diagonal:
        return
    try:
        tensor.directions(spacings)
    except NoStencil as error:
        fit = fitting_spacings(tensor.matrix, spacings, domain.axes)
        if fit is None:
            raise
        dx = ", ".join(f"{size:.12g}" for size in fit)
        bounded = any(math.isfinite(axis.high - axis.low) for axis in domain.axes)
        raise NoStencil(
            f"{error}; {f'the nearest that fits {domain} is' if bounded else 'for example'} dx=({dx})"
        ) from None


def fitting_spacings(matrix: Floats, spacings: Sequence[float], axes: Sequence[Axis]) -> tuple[float, ...] | None:
    """The spacings nearest to the given ones that fit the lengths of bounded axes and give a tensor of numbers no negative rate;
    None if none are found."""
    ratio = aspect(matrix)
    if ratio is None:
        return None
    bounded = [i for i, axis in enumerate(axes) if math.isfinite(axis.high - axis.low)]
    if not bounded:
        scale = float(np.prod(np.asarray(spacings) / ratio)) ** (1.0 / len(axes))
        return tuple((scale * ratio).tolist())
    found = (_nearest(matrix, ratio, spacings, axes, bounded, margin) for margin in MARGINS)
    return next((fit for fit in found if fit is not None), None)


def _nearest(
    matrix: Floats,
    ratio: Floats,
    spacings: Sequence[float],
    axes: Sequence[Axis],
    bounded: Sequence[int],
    margin: float,
) -> tuple[float, ...] | None:
    """The nearest spacings that fit the `bounded` axes and leave each axis a rate of at least the `margin`."""
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
            if far < least and _is_dominant(matrix, chosen, margin):
                best, least = chosen, far
    return best


def _sites(axis: Axis, dx: float) -> int:
    return max(1, round((axis.high - axis.low) / dx))


def _near(axis: Axis, *sizes: float) -> list[float]:
    """The spacings that fit an axis next to the sizes."""
    counts = {max(1, _sites(axis, size) + more) for size in sizes for more in (-1, 0, 1)}
    return [spacing(axis, count) for count in sorted(counts)]


def _is_dominant(matrix: Floats, spacings: Sequence[float], margin: float) -> bool:
    """Whether the rate along each axis is at least the margin."""
    scaled = np.abs(matrix) / np.outer(spacings, spacings)
    whole = np.diag(scaled)
    return bool((2.0 * whole - scaled.sum(axis=1) >= (margin - ROUNDING) * whole).all())
