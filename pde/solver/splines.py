"""Splines through the centres of the cells of a mesh, in one dimension and more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline, NdBSpline, make_interp_spline

from randwalk.model.coefficient import Floats

from .grid import Piecewise
from .mesh import Mesh

CONTINUED: Final = 16  # cells into a region, of which a spline beside it sees 0.27^16 of what lies farther
WRAPPED: Final = 6  # cells beyond the seam of a ring

Curve: TypeAlias = Callable[[tuple[Floats, ...]], Floats]  # of a point


def through_centres(mesh: Mesh, u: Floats, joints: Floats, degree: int = 3) -> Curve:
    """The spline through the values at the centres; in one dimension a cubic that also goes through those at the `joints` of the
    grid that are known."""
    if mesh.dimension == 1:
        line = Piecewise.through_centres(mesh.axes[0], u, joints, CubicSpline)
        return lambda point: line(point[0])
    spline = _spline(mesh, u, degree)
    return lambda point: np.asarray(spline(np.stack(point, axis=-1)))


def means(values: Floats, mesh: Mesh, coarse: Mesh | None = None) -> Floats:
    """The `values` at the centres of a finer mesh at those of one with half the cells (or with as many): by the cubic through
    the cells along each axis, beside an end or a region as a parabola."""
    for a, grid in enumerate(mesh.axes):
        if coarse is not None and coarse.shape[a] == grid.cells:
            continue
        cells = np.moveaxis(values, a, 0)
        nothing = np.full_like(cells[:1], math.nan)
        wide = np.concatenate([cells[-1:], cells, cells[:1]] if grid.periodic else [nothing, cells, nothing])
        wide = _onward(wide, (0,))
        pairs = (9.0 * (wide[1:-1:2] + wide[2::2]) - wide[0:-2:2] - wide[3::2]) / 16.0
        plain = 0.5 * (cells[0::2] + cells[1::2])
        values = np.moveaxis(np.where(np.isnan(pairs), plain, pairs), 0, a)
    return values


def _onward(values: Floats, axes: Iterable[int], order: int = 3) -> Floats:
    """The values with those that are not known, next to three or four along one of the axes that are, continued as a parabola or,
    at `order` 4, a cubic."""
    total, count = np.zeros(values.shape), np.zeros(values.shape)
    for a in axes:
        for turn in (slice(None), slice(None, None, -1)):
            along, sums, counts = (np.moveaxis(x, a, 0)[turn] for x in (values, total, count))
            onward = 3.0 * along[1:-2] - 3.0 * along[2:-1] + along[3:]
            if order == 4:
                cubic = onward[:-1] - np.diff(along[1:], n=3, axis=0)
                onward[:-1] = np.where(np.isnan(cubic), onward[:-1], cubic)
            found = np.isnan(along[:-3]) & ~np.isnan(onward)
            sums[:-3][found] += onward[found]
            counts[:-3][found] += 1.0
    return np.where(count > 0.0, total / np.maximum(count, 1.0), values)


def _spline(mesh: Mesh, u: Floats, degree: int) -> NdBSpline:
    """The spline through the values at the centres; those that are not known, in regions, go on from those around."""
    if np.isnan(u).any():
        for _ in range(CONTINUED if degree > 1 else 0):
            u = _onward(u, range(mesh.dimension), 4)
        nearest = ndimage.distance_transform_edt(np.isnan(u), return_distances=False, return_indices=True)
        u = u[tuple(nearest)]
    knots: list[Floats] = []
    for a, grid in enumerate(mesh.axes):
        values, x = np.moveaxis(u, a, 0), grid.x
        if grid.periodic:
            values = np.concatenate([values[-WRAPPED:], values, values[:WRAPPED]])
            x = np.concatenate([x[-WRAPPED:] - (grid.high - grid.low), x, x[:WRAPPED] + (grid.high - grid.low)])
        made = make_interp_spline(x, values, k=degree)
        u = np.moveaxis(made.c, 0, a)
        knots.append(made.t)
    return NdBSpline(tuple(knots), u, degree, extrapolate=True)
