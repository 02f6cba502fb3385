"""Coefficients given by values on a grid of points in several dimensions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import numbers
from .coefficient import ZERO, At, Coefficient, Floats, Point, coordinate
from .coefficient.variables import index_of
from .tabulated import refuse_outside

AT = 1e-9  # of the distance to the next point: a place so near to a point of the grid is at it


class Grid(Coefficient):
    """A function of the coordinates given by its values at the points of a rectangular grid, multilinear between them.

    Outside the grid there is no value, and evaluation there is an error that names the place. In one dimension it is a
    :class:`Table`.

    Parameters
    ----------
    axes : list of array_like
        The increasing coordinates of the points along each axis, one or more of them. Along an axis with one point the function
        is constant.
    values : array_like, shape (points along x, points along y, …)

    Examples
    --------
    >>> float(Grid([[0.0, 1.0], [0.0, 2.0]], [[0.0, 2.0], [1.0, 3.0]])((0.5, 1.0)))
    1.5
    """

    def __init__(self, axes: Sequence[ArrayLike], values: ArrayLike, stepped: frozenset[int] = frozenset()) -> None:
        self.axes = tuple(numbers(f"axes[{i}] of a grid", axis) for i, axis in enumerate(axes))
        self.values = np.array(numbers("values of a grid", values))
        self.stepped = stepped  # axes along which there is one value between every two neighbouring points
        wanted = tuple(axis.size - (i in stepped) for i, axis in enumerate(self.axes))
        if any(axis.ndim != 1 or not axis.size for axis in self.axes) or self.values.shape != wanted:
            raise ValueError(
                f"a grid needs a list of coordinates for each axis and as many values: the axes have "
                f"{' × '.join(map(str, wanted))} points, values the shape {self.values.shape}"
            )
        if not all(np.isfinite(array).all() for array in (*self.axes, self.values)):
            raise ValueError("axes and values of a grid must be finite")
        for i, axis in enumerate(self.axes):
            if (np.diff(axis) <= 0).any():
                raise ValueError(f"axes[{i}] of a grid must increase")
        for array in (*self.axes, self.values):
            array.setflags(write=False)
        self.variables = frozenset(coordinate(i) for i, axis in enumerate(self.axes) if axis.size > 1)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        cells, parts = zip(*(self._place(i, point[i]) for i in range(len(self.axes))), strict=True)
        if all(((part == 0.0) | (part == 1.0)).all() for part in parts):  # at points of the grid
            return np.asarray(
                self.values[tuple(cell + part.astype(np.int64) for cell, part in zip(cells, parts, strict=True))]
            )
        total: Floats | float = 0.0
        for corner in itertools.product((0, 1), repeat=len(self.axes)):
            weight: Floats | float = 1.0
            for side, part in zip(corner, parts, strict=True):
                weight = weight * (part if side else 1.0 - part)
            at = tuple(
                np.clip(cell + side, 0, size - 1)
                for cell, side, size in zip(cells, corner, self.values.shape, strict=True)
            )
            total = total + weight * self.values[at]
        return np.asarray(total)

    def _place(self, axis: int, x: Floats) -> tuple[NDArray[np.int64], Floats]:
        """For places along an axis, the number of the value before and the weight of the next one."""
        knots = self.axes[axis]
        if knots.size == 1:
            return np.zeros(np.shape(x), dtype=np.int64), np.zeros(np.shape(x))
        refuse_outside(knots, x, "grid", coordinate(axis), "points")
        cell = np.clip(np.searchsorted(knots, x, "right") - 1, 0, knots.size - 2)
        part = np.clip((x - knots[cell]) / (knots[cell + 1] - knots[cell]), 0.0, 1.0)
        part = np.where(part < AT, 0.0, np.where(part > 1.0 - AT, 1.0, part))
        if axis not in self.stepped:
            return cell, part
        # at a point the mean of both sides, elsewhere the value between
        before = np.where((part == 0.0) & (cell > 0), cell - 1, cell)
        inner = ((part == 0.0) & (cell > 0)) | ((part == 1.0) & (cell < knots.size - 2))
        return before, np.where(inner, 0.5, 0.0)

    def regular_derivative(self, variable: str) -> Coefficient:
        axis = index_of(variable)
        if variable not in self.variables or axis in self.stepped:
            return ZERO
        width = np.diff(self.axes[axis]).reshape([-1 if i == axis else 1 for i in range(len(self.axes))])
        return Grid(self.axes, np.diff(self.values, axis=axis) / width, self.stepped | {axis})

    def _shifted(self, variable: str, by: float) -> Coefficient:
        moved = [axis - by if coordinate(i) == variable else axis for i, axis in enumerate(self.axes)]
        return Grid(moved, self.values, self.stepped)

    def _places(self, variable: str) -> tuple[float, ...]:
        return tuple(self.axes[index_of(variable)][1:-1].tolist()) if variable in self.variables else ()

    def _own_steps(self, variable: str) -> tuple[float, ...]:
        return self._places(variable) if index_of(variable) in self.stepped else ()

    def _covered(self, variable: str) -> tuple[float, float]:
        if variable not in self.variables:
            return -math.inf, math.inf
        knots = self.axes[index_of(variable)]
        return float(knots[0]), float(knots[-1])

    def _known_width(self, variable: str, low: float, high: float, at: At) -> float | None:
        if variable not in self.variables:
            return math.inf
        return float(np.diff(self.axes[index_of(variable)]).min())

    def latex(self) -> str:
        return rf"\mathrm{{grid}}({', '.join(sorted(self.variables))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[object, ...]:
        return *(axis.tobytes() for axis in self.axes), self.values.tobytes(), self.stepped

    def __repr__(self) -> str:
        return f"Grid({' × '.join(str(axis.size) for axis in self.axes)} points)"

    __str__ = __repr__
