"""Tridiagonal and cyclic M-matrices, factorised once and solved often, and their transposes.

A matrix is given by what a birth–death chain gives: row i is ``excess[i] + lower[i] + upper[i]`` on the diagonal,
``-lower[i]`` before it and ``-upper[i]`` after it, none of them negative. Pivots then are sums of positive terms
[Grassmann, Taksar & Heyman 1985], and so are solutions for right-hand sides that are not negative: nothing cancels, signs
are kept to the last bit, and there is nothing to pivot. (LAPACK's ``gttrs``, which looks for pivots, takes six times as long.)
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from randwalk.kernels.compile import kernel
from randwalk.model.coefficient import Floats

TINY = 1e-290  # what is smaller is dropped: denormal numbers are a hundred times slower


@kernel
def _inverse_pivots(lower, excess, upper):  # type: ignore[no-untyped-def]
    inverse = np.empty(excess.size)
    rest = excess[0]  # of the excess after elimination
    inverse[0] = 1.0 / (rest + upper[0])
    for i in range(1, excess.size):
        rest = excess[i] + lower[i] * rest * inverse[i - 1]
        inverse[i] = 1.0 / (rest + upper[i])
    return inverse


@kernel
def _solve(below, inverse, above, b):  # type: ignore[no-untyped-def]
    """Substitute forth with the multipliers `below` and back with `above`."""
    size = b.size
    x = np.empty(size)
    value = b[0]
    x[0] = value
    for i in range(1, size):
        value = b[i] + below[i - 1] * value
        if abs(value) < TINY:
            value = 0.0
        x[i] = value
    value *= inverse[size - 1]
    x[size - 1] = value
    for i in range(size - 2, -1, -1):
        value = x[i] * inverse[i] + above[i] * value
        if abs(value) < TINY:
            value = 0.0
        x[i] = value
    return x


class Tridiagonal:
    """The matrix of `lower`, `excess` and `upper`, each (n,); ``lower[0]`` and ``upper[-1]`` are not used and must be 0."""

    def __init__(self, lower: Floats, excess: Floats, upper: Floats) -> None:
        inverse = _inverse_pivots(lower, excess, upper)
        self._rows = lower[1:] * inverse[:-1], inverse, upper[:-1] * inverse[:-1]
        self._columns = self._rows[2], inverse, self._rows[0]

    def solve(self, b: Floats) -> Floats:
        """x with T x = `b` (n,)."""
        return _solve(*self._rows, b)

    def solve_transposed(self, b: Floats) -> Floats:
        """x with Tᵀx = `b` (n,)."""
        return _solve(*self._columns, b)


class Cyclic:
    """The matrix closed to a ring: ``lower[0]`` leads from row 0 to column n - 1 and ``upper[-1]`` back.

    The last unknown is eliminated by bordering.
    """

    def __init__(self, lower: Floats, excess: Floats, upper: Floats) -> None:
        size = excess.size - 1
        self._column, self._row = np.zeros(size), np.zeros(size)
        self._column[0], self._row[0] = lower[0], upper[-1]
        self._column[-1] += upper[-2]
        self._row[-1] += lower[-1]
        self._body = Tridiagonal(np.append(0.0, lower[1:-1]), excess[:-1] + self._column, np.append(upper[:-2], 0.0))
        self._rest = self._body.solve(self._column)  # of the other unknowns, for each unit of the last one
        self._pivot = excess[-1] + lower[-1] + upper[-1] - _ends(self._row, self._rest)

    def solve(self, b: Floats) -> Floats:
        """x with T x = `b` (n,)."""
        return self._bordered(self._body.solve(b[:-1]), b[-1], self._row, self._rest)

    def solve_transposed(self, b: Floats) -> Floats:
        """x with Tᵀx = `b` (n,)."""
        return self._bordered(self._body.solve_transposed(b[:-1]), b[-1], self._column, self._rest_transposed)

    @cached_property
    def _rest_transposed(self) -> Floats:
        return self._body.solve_transposed(self._row)

    def _bordered(self, x: Floats, last: float, border: Floats, rest: Floats) -> Floats:
        """The solution whose last unknown meets its own row, from the one `x` in which it is 0: a sum of what is not negative."""
        value = (last + _ends(border, x)) / self._pivot
        return np.append(x + value * rest, value)


def _ends(border: Floats, x: Floats) -> float:
    """The product of `border`, of which only the first and the last element are not 0, with `x`."""
    return float(border[0] * x[0] + border[-1] * x[-1])
