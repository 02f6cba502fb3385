"""Atoms on sites gathered into bins, and spread over their cells.

Values stand on the sites of one axis, along their first axis; those of further axes are carried along.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..model.coefficient import Floats
from ..model.domain import Axis
from .lookup import check_edges

ON_EDGE = 1e-9  # of dx: a site this close to an edge is on it


def each_axis(values: np.ndarray, change: Callable[[int, np.ndarray], np.ndarray]) -> np.ndarray:
    """The values after `change(axis, values with that axis first)` of every axis, one after the other."""
    for axis in range(values.ndim):
        values = np.moveaxis(change(axis, np.moveaxis(values, axis, 0)), 0, axis)
    return values


def bin_atoms(x: Floats, values: np.ndarray, edges: ArrayLike, dx: float) -> np.ndarray:
    """Sums of `values`, which stand at the increasing places `x`, over bins closed on the left, the last on both sides."""
    array = check_edges(edges)
    bounds = np.searchsorted(x, array - ON_EDGE * dx, side="left")
    bounds[-1] = np.searchsorted(x, array[-1] + ON_EDGE * dx, side="right")
    if values.dtype.kind == "f":  # not as differences of a running sum, which would lose the small ones
        return np.array([values[a:b].sum(axis=0) for a, b in itertools.pairwise(bounds)])
    total = _running(values)
    return total[bounds[1:]] - total[bounds[:-1]]


def up_to(x: Floats, values: np.ndarray, places: Floats, dx: float) -> np.ndarray:
    """Sums of `values`, which stand at the increasing places `x`, up to each of the `places`, which belong to them."""
    return _running(values)[np.searchsorted(x, places + ON_EDGE * dx, side="right")]


def _running(values: np.ndarray) -> np.ndarray:
    """The sums of none, one, two, … of the values."""
    return np.concatenate([np.zeros((1, *values.shape[1:]), dtype=values.dtype), np.cumsum(values, axis=0)])


def spread(x: Floats, values: np.ndarray, dx: float, width: int, axis: Axis) -> tuple[Floats, np.ndarray]:
    """(edges of pieces, value of each piece) of atoms that are spread evenly over cells `width` times dx wide.

    The value of a piece is the sum of those of the cells that cover it, so that value / (width dx) is a density. `x` are sites
    dx apart. A cell that crosses a half-way wall is folded back; on a ring, what crosses the seam lies at the other end.
    """
    covered = np.zeros((x.size + width - 1, *values.shape[1:]), dtype=values.dtype)
    for shift in range(width):
        covered[shift : shift + x.size] += values
    if width % 2 == 0 and any(not face.wall.on_site for face in axis.faces):  # the wall is in the middle of a piece
        edges, covered = x[0] + 0.5 * dx * np.arange(-width, 2 * x.size + width - 1), np.repeat(covered, 2, axis=0)
    else:
        edges = x[0] + dx * (np.arange(x.size + width) - 0.5 * width)
    if axis.periodic:
        return _around(edges, covered, dx, axis)
    return _folded(edges, covered, dx, axis)


def _folded(edges: Floats, covered: np.ndarray, dx: float, axis: Axis) -> tuple[Floats, np.ndarray]:
    """Pieces beyond half-way walls added to their mirror images."""
    middle = 0.5 * (edges[1:] + edges[:-1])
    first, stop = np.searchsorted(middle, (axis.low, axis.high)).tolist()
    below, kept, above = np.split(covered, [first, stop])
    kept = kept.copy()
    kept[: len(below)] += below[::-1]
    kept[len(kept) - len(above) :] += above[::-1]
    edges = edges[first : stop + 1].copy()
    for end, place in ((0, axis.low), (-1, axis.high)):
        if abs(edges[end] - place) < 0.25 * dx:
            edges[end] = place
    return edges, kept


def _around(edges: Floats, covered: np.ndarray, dx: float, axis: Axis) -> tuple[Floats, np.ndarray]:
    """Pieces of a ring in order from its low end, the piece on the seam in two."""
    sites = round((axis.high - axis.low) / dx)
    start = (edges[:-1] - axis.low) / dx
    value = np.zeros((sites, *covered.shape[1:]), dtype=covered.dtype)
    first = int(np.floor(start[0] + ON_EDGE))
    np.add.at(value, (first + np.arange(len(covered))) % sites, covered)
    offset = start[0] - first  # of a dx, by which the pieces begin after the places low + k dx
    if offset <= 2.0 * ON_EDGE:
        return np.linspace(axis.low, axis.high, sites + 1), value
    inner = axis.low + dx * (offset + np.arange(sites))
    return np.concatenate([[axis.low], inner, [axis.high]]), np.concatenate([value[-1:], value])


def parts(edges: Floats, density: Floats, cut: Floats) -> Floats:
    """The integrals between increasing places `cut` of a density that is constant between `edges`: sums of parts of pieces, so
    that a small one keeps its digits."""
    cut = np.clip(cut, edges[0], edges[-1])
    fine = np.union1d(cut, edges)
    piece = pieces(edges, 0.5 * (fine[1:] + fine[:-1]))
    part = density[piece] * np.diff(fine).reshape(-1, *(1,) * (density.ndim - 1))
    return np.array([part[a:b].sum(axis=0) for a, b in itertools.pairwise(np.searchsorted(fine, cut))])


def pieces(edges: Floats, x: Floats) -> NDArray[np.int64]:
    """The number of the piece between `edges` that each of the `x` lies on, of the nearest one if it is outside."""
    return np.clip(np.searchsorted(edges, x, side="right") - 1, 0, edges.size - 2)


def on_axis(axis: Axis, x: Floats) -> Floats:
    """Places on an axis; on a ring, places one turn apart are the same, and are moved between its ends."""
    if not axis.periodic:
        return x
    known = np.isfinite(x)
    return np.where(known, axis.low + np.mod(np.where(known, x, 0.0) - axis.low, axis.high - axis.low), x)
