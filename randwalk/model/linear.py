"""Affine drifts b + A x in any number of dimensions, as a matrix and a vector, and read from the trees of components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite_numbers
from ..inputs.wording import shown
from .coefficient import ZERO, Affine, Coefficient, Constant, Product, Sum, Variable, coordinate
from .coefficient.variables import index_of


@dataclass(frozen=True, init=False, eq=False)
class Linear:
    """The vector field b + A x, with A a `matrix` of d × d numbers and b the `intercept`, d numbers (0 if left out).

    The drift of an Ornstein–Uhlenbeck process in d dimensions; beyond 16 dimensions a drift that depends on the place is one.

    >>> import randwalk as rw
    >>> turning = rw.Linear([[-1.0, -2.0], [2.0, -1.0]], [0.5, 0.0])
    >>> [str(component) for component in turning.components]
    ['-x - 2*y + 0.5', '2*x - y']
    """

    matrix: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def __init__(self, matrix: ArrayLike, intercept: ArrayLike = 0.0) -> None:
        square = np.array(finite_numbers("Linear: matrix", matrix))
        if square.ndim != 2 or square.shape[0] != square.shape[1] or not square.size:
            raise ValueError(f"Linear: matrix has the shape {square.shape}: give d rows of d numbers")
        given = finite_numbers("Linear: intercept", intercept)
        if given.ndim and given.shape != square.shape[:1]:
            raise ValueError(
                f"Linear: intercept = {shown(intercept)} has the shape {given.shape}: give {len(square)} numbers, one a row"
            )
        shift = np.array(np.broadcast_to(given, square.shape[:1]))
        for array in (square, shift):
            array.setflags(write=False)
        object.__setattr__(self, "matrix", square)
        object.__setattr__(self, "intercept", shift)

    @property
    def dimension(self) -> int:
        return len(self.matrix)

    @property
    def components(self) -> tuple[Coefficient, ...]:
        """The components as coefficients."""
        return tuple(
            _affine(row, shift) for row, shift in zip(self.matrix.tolist(), self.intercept.tolist(), strict=True)
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Linear):
            return NotImplemented
        return np.array_equal(self.matrix, other.matrix) and np.array_equal(self.intercept, other.intercept)

    def __hash__(self) -> int:
        return hash((self.matrix.tobytes(), self.intercept.tobytes()))

    def __reduce__(self) -> tuple[type[Linear], tuple[object, ...]]:
        return Linear, (self.matrix, self.intercept)

    def __repr__(self) -> str:
        return f"Linear({self.matrix.tolist()}, {self.intercept.tolist()})"


def _affine(row: Sequence[float], shift: float) -> Coefficient:
    terms: list[Coefficient] = [slope * Variable(coordinate(i)) for i, slope in enumerate(row) if slope]
    if shift or not terms:
        terms.append(Constant(shift))
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def linear_form(components: Sequence[Coefficient]) -> Linear | None:
    """The affine form that components have by their structure; None if one of them has another."""
    dimension = len(components)
    matrix, intercept = np.zeros((dimension, dimension)), np.zeros(dimension)
    for row, component in enumerate(components):
        terms = component.terms if isinstance(component, Sum) else (component,)
        for term in terms:
            if term == ZERO:
                continue
            read = monomial(term)
            if read is None:
                return None
            column, slope, shift = read
            if column is not None:
                matrix[row, column] += slope
            intercept[row] += shift
    return Linear(matrix, intercept)


def monomial(term: Coefficient) -> tuple[int | None, float, float] | None:
    """(number of a coordinate, its slope, a number) of an affine term in one coordinate; None for another term."""
    match term:
        case Constant(value):
            return None, 0.0, value
        case Affine(intercept, slope):
            return 0, slope, intercept
        case Variable(name) if (index := index_of(name)) >= 0:
            return index, 1.0, 0.0
        case Product((Constant(value), inner)) if (read := monomial(inner)) is not None:
            return read[0], value * read[1], value * read[2]
    return None
