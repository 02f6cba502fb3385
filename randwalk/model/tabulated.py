"""Coefficients given by a table of values."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.columns import read_columns
from .coefficient import ZERO, At, Coefficient, Floats, Point

ROUNDING = 1e-9  # of the length of a table: a place so little outside it is at its end


class Table(Coefficient):
    """A function of x given by its values at increasing points, linear between them.

    Outside the tabulated range there is no value, and evaluation there is an error that names the place: to hold the last
    value or to extrapolate would be a guess about the physics.

    Parameters
    ----------
    x, values : array_like of the same length, at least 2, `x` strictly increasing

    Raises
    ------
    ValueError
        for columns of different lengths, numbers that are not finite, or `x` that does not increase.

    Examples
    --------
    >>> Table([0.0, 1.0, 3.0], [2.0, 0.0, 4.0])(2.0)
    array(2.)
    """

    variables = frozenset({"x"})

    def __init__(self, x: ArrayLike, values: ArrayLike) -> None:
        self.x, self.values = np.array(x, dtype=np.float64), np.array(values, dtype=np.float64)
        if self.x.ndim != 1 or self.x.shape != self.values.shape or self.x.size < 2:
            raise ValueError(
                f"a table needs two one-dimensional lists of the same length ≥ 2: x has shape {self.x.shape}, "
                f"values {self.values.shape}"
            )
        for name, column in (("x", self.x), ("values", self.values)):
            if not np.isfinite(column).all():
                raise ValueError(
                    f"{name} of a table is {column[~np.isfinite(column)][0]} in row {np.argmin(np.isfinite(column))}"
                )
        if (np.diff(self.x) <= 0).any():
            row = int(np.argmax(np.diff(self.x) <= 0)) + 1
            raise ValueError(
                f"x of a table must increase: row {row} has {self.x[row]} after {self.x[row - 1]}; sort the rows"
            )
        self.x.setflags(write=False)
        self.values.setflags(write=False)

    @classmethod
    def from_csv(cls, path: str | Path, x: str, value: str) -> Table:
        """Read the columns named `x` and `value` of a CSV file with a header (:mod:`randwalk.inputs.columns`).

        A file that cannot be read, or whose `x` does not increase, is a ValueError with file, line and column.
        """
        columns = read_columns(path, [x, value])
        numbers = columns.numbers([x, value])
        for line, before, here in zip(columns.lines[1:], numbers[x], numbers[x][1:], strict=False):
            if here <= before:
                raise ValueError(
                    f"{columns.path}, line {line}: {x} = {here:g} comes after {before:g} and must increase: sort the rows, "
                    "and give each place once"
                )
        if len(columns.lines) < 2:
            raise ValueError(f"{columns.path} has one row, on line {columns.lines[0]}: a table needs two or more")
        return cls(numbers[x], numbers[value])

    def evaluate(self, point: Point, t: Floats) -> Floats:
        (x,) = point[:1]
        refuse_outside(self.x, x)
        return np.interp(x, self.x, self.values)

    def regular_derivative(self, variable: str) -> Coefficient:
        if variable != "x":
            return ZERO
        return StepTable(self.x, np.diff(self.values) / np.diff(self.x))

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return Table(self.x - by, self.values)

    def _places(self, variable: str) -> tuple[float, ...]:
        return _changes(self.x, np.diff(self.values) / np.diff(self.x)) if variable == "x" else ()

    def _covered(self, variable: str) -> tuple[float, float]:
        return _range(self.x, variable)

    def _known_width(self, variable: str, low: float, high: float, at: At) -> float | None:
        if variable != "x":
            return math.inf
        changing = (np.diff(self.values) != 0.0) & (self.x[:-1] < high) & (self.x[1:] > low)
        bent = changing if len(self._places("x")) else np.zeros_like(changing)
        return float(np.min(np.diff(self.x), where=bent, initial=np.inf))

    def latex(self) -> str:
        return r"\mathrm{table}(x)"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Table) and np.array_equal(self.x, other.x) and np.array_equal(self.values, other.values)
        )

    def __hash__(self) -> int:
        return hash((self.x.tobytes(), self.values.tobytes()))

    def __repr__(self) -> str:
        return f"Table({self.x.size} rows, x from {self.x[0]:g} to {self.x[-1]:g})"

    __str__ = __repr__


class StepTable(Coefficient):
    """A function of x with one value between every two neighbouring points of `x`, and at a point the mean of the values on
    both sides: the slope of a :class:`Table`. `values` has one number less than `x`."""

    variables = frozenset({"x"})

    def __init__(self, x: Floats, values: Floats) -> None:
        self.x, self.values = x, values

    def evaluate(self, point: Point, t: Floats) -> Floats:
        (x,) = point[:1]
        refuse_outside(self.x, x)
        sides = [np.searchsorted(self.x, x, side) for side in ("left", "right")]
        before, after = (self.values[np.clip(at - 1, 0, self.values.size - 1)] for at in sides)
        return 0.5 * (before + after)

    def regular_derivative(self, variable: str) -> Coefficient:
        return ZERO

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return StepTable(self.x - by, self.values)

    def _own_steps(self, variable: str) -> tuple[float, ...]:
        return self._places(variable)

    def _places(self, variable: str) -> tuple[float, ...]:
        return _changes(self.x, self.values) if variable == "x" else ()

    def _covered(self, variable: str) -> tuple[float, float]:
        return _range(self.x, variable)

    def latex(self) -> str:
        return r"\mathrm{table}'(x)"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, StepTable)
            and np.array_equal(self.x, other.x)
            and np.array_equal(self.values, other.values)
        )

    def __hash__(self) -> int:
        return hash((self.x.tobytes(), self.values.tobytes()))

    def __repr__(self) -> str:
        return f"StepTable({self.values.size} steps, x from {self.x[0]:g} to {self.x[-1]:g})"

    __str__ = __repr__


def refuse_outside(knots: Floats, x: Floats, what: str = "table", name: str = "x", more: str = "rows") -> None:
    """Refuse places outside the `knots`, by more than rounding; the message names the first of them."""
    tolerance = ROUNDING * (knots[-1] - knots[0])
    outside = (x < knots[0] - tolerance) | (x > knots[-1] + tolerance)
    if outside.any():
        place = float(np.atleast_1d(x)[np.atleast_1d(outside)][0])
        raise ValueError(
            f"the {what} covers {name} from {knots[0]:g} to {knots[-1]:g} and is needed at {name} = {place:g}: give more "
            f"{more}, or put walls inside the {what}"
        )


def _changes(knots: Floats, values: Floats) -> tuple[float, ...]:
    """The inner knots at which the values of the pieces differ by more than rounding."""
    size = np.maximum(np.abs(values[1:]), np.abs(values[:-1]))
    return tuple(knots[1:-1][np.abs(np.diff(values)) > 1e-12 * size].tolist())


def _range(knots: Floats, variable: str) -> tuple[float, float]:
    return (float(knots[0]), float(knots[-1])) if variable == "x" else (-math.inf, math.inf)
