"""Spacings that fit a domain and make a tensor's rates positive."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .coefficient import Floats
from .domain import Axis, Domain
from .lattice import FIT, spacing
from .tensor import ROUNDING, NoStencil, Tensor, aspect

FURTHER = 8  # times as many sites as now are looked at
COUNTS = 300  # numbers of sites more and fewer that are tried for given proportions
BETWEEN = 100  # ratios that are tried between the present and the best one
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


def proportional_spacings(ratio: Floats, spacings: Sequence[float], axes: Sequence[Axis]) -> tuple[float, ...] | None:
    """The spacings in the proportions `ratio` that fit the lengths of bounded axes, nearest to the given one of the first such
    axis; those with the given one along x where no axis is bounded, and None if none are found."""
    bounded = [i for i, axis in enumerate(axes) if math.isfinite(axis.high - axis.low)]
    if not bounded:
        return tuple((spacings[0] * ratio / ratio[0]).tolist())
    first = bounded[0]
    sites = _sites(axes[first], spacings[first])
    for count in sorted(range(max(1, sites - COUNTS), sites + COUNTS), key=lambda count: abs(math.log(count / sites))):
        chosen: list[float] = (spacing(axes[first], count) * ratio / ratio[first]).tolist()
        if all(abs(_fitted(axes[i], chosen[i]) / chosen[i] - 1.0) < FIT for i in bounded):
            return tuple(chosen)
    return None


def _nearest(
    matrix: Floats,
    ratio: Floats,
    spacings: Sequence[float],
    axes: Sequence[Axis],
    bounded: Sequence[int],
    margin: float,
) -> tuple[float, ...] | None:
    """The nearest spacings that fit the `bounded` axes and leave each axis a rate of at least the `margin`."""
    first, old = bounded[0], np.asarray(spacings)
    best, least = None, math.inf
    for count in range(1, FURTHER * _sites(axes[first], spacings[first]) + FURTHER):
        size = spacing(axes[first], count)
        if math.log(size / spacings[first]) ** 2 >= least:
            continue
        wanted = size * ratio / ratio[first]
        for part in np.linspace(0.0, 1.0, BETWEEN):  # from the given spacings towards the best ratio
            sizes = old ** (1.0 - part) * wanted**part
            sizes[first] = size
            chosen = tuple(
                _fitted(axis, s) if i in bounded else s
                for i, (axis, s) in enumerate(zip(axes, sizes.tolist(), strict=True))
            )
            if _is_dominant(matrix, chosen, margin):
                far = float(np.sum(np.log(np.array(chosen) / old) ** 2))
                best, least = (chosen, far) if far < least else (best, least)
                break
    return best


def _sites(axis: Axis, dx: float) -> int:
    return max(1, round((axis.high - axis.low) / dx))


def _fitted(axis: Axis, dx: float) -> float:
    """The spacing nearest to dx that fits a bounded axis."""
    counts = (max(1, _sites(axis, dx) + more) for more in (-1, 0, 1))
    return min((spacing(axis, count) for count in counts), key=lambda size: abs(math.log(size / dx)))


def _is_dominant(matrix: Floats, spacings: Sequence[float], margin: float) -> bool:
    """Whether the rate along each axis is at least the margin."""
    scaled = np.abs(matrix) / np.outer(spacings, spacings)
    whole = np.diag(scaled)
    return bool((2.0 * whole - scaled.sum(axis=1) >= (margin - ROUNDING) * whole).all())
