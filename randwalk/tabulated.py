"""Coefficients given by a table of values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from .coefficient import ZERO, Coefficient, Floats
from .columns import read_columns


class Table(Coefficient):
    """A function of x given by its values at increasing points, linear between them.

    Outside the tabulated range there is no value: asking for one is an error at the place that needs it, because holding
    the last value or extrapolating would be a guess about the physics.

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

    depends_on_x = True
    depends_on_t = False

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
        """Read the columns named `x` and `value` of a CSV file with a header (:mod:`randwalk.columns`).

        What cannot be read, or does not increase, is a ValueError with file, line and column.
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

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        tolerance = 1e-9 * (self.x[-1] - self.x[0])
        values = np.interp(x, self.x, self.values)
        outside = (x < self.x[0] - tolerance) | (x > self.x[-1] + tolerance)
        if outside.any():
            place = float(np.atleast_1d(x)[np.atleast_1d(outside)][0])
            raise ValueError(
                f"the table covers x from {self.x[0]:g} to {self.x[-1]:g} and is needed at x = {place:g}: "
                "give more rows, or put walls inside the table"
            )
        return values

    def derivative(self, variable: str) -> Coefficient:
        if variable != "x":
            return ZERO
        return Table(self.x, np.gradient(self.values, self.x, edge_order=2 if self.x.size > 2 else 1))

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
