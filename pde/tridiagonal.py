"""Tridiagonal and cyclic M-matrices, factorised once and solved often.

Elimination without pivoting is stable for column-diagonally dominant matrices, and for an M-matrix it only ever adds terms
of one sign to a right-hand side that is not negative: solutions keep their sign to the last bit. LAPACK's ``gttrs`` takes
six times as long, most of it on the pivoting that is never needed.
"""

from __future__ import annotations

import numpy as np

from randwalk.coefficient import Floats
from randwalk.kernels.compile import kernel

TINY = 1e-290  # what is smaller is dropped: denormal numbers are a hundred times slower


@kernel
def _factorise(lower, diagonal, upper):  # type: ignore[no-untyped-def]
    """LU of the matrix with `diagonal` and the off-diagonals -`lower`, -`upper`: (multipliers, 1/pivots, upper/pivots)."""
    size = diagonal.size
    multipliers, inverse, scaled = np.zeros(size), np.empty(size), np.zeros(size)
    inverse[0] = 1.0 / diagonal[0]
    for i in range(1, size):
        multipliers[i] = lower[i - 1] * inverse[i - 1]
        scaled[i - 1] = upper[i - 1] * inverse[i - 1]
        inverse[i] = 1.0 / (diagonal[i] - multipliers[i] * upper[i - 1])
    return multipliers, inverse, scaled


@kernel
def _solve(multipliers, inverse, scaled, b):  # type: ignore[no-untyped-def]
    size = b.size
    x = np.empty(size)
    value = 0.0
    for i in range(size):
        value = b[i] + multipliers[i] * value
        if abs(value) < TINY:
            value = 0.0
        x[i] = value
    value = 0.0
    for i in range(size - 1, -1, -1):
        value = x[i] * inverse[i] + scaled[i] * value
        if abs(value) < TINY:
            value = 0.0
        x[i] = value
    return x


class Tridiagonal:
    """The matrix with `diagonal` (n,) and the off-diagonals -`lower` (n - 1,) and -`upper` (n - 1,)."""

    def __init__(self, lower: Floats, diagonal: Floats, upper: Floats) -> None:
        self._factors = _factorise(lower, diagonal, upper)

    def solve(self, b: Floats) -> Floats:
        """The solution for the right-hand side `b` (n,), in a new array."""
        return _solve(*self._factors, b)


class Cyclic:
    """A tridiagonal matrix closed to a ring: all three arrays are (n,), -`lower[-1]` is the element (0, n - 1) and
    -`upper[-1]` the element (n - 1, 0).

    The last unknown is eliminated by bordering.
    """

    def __init__(self, lower: Floats, diagonal: Floats, upper: Floats) -> None:
        self._body = Tridiagonal(lower[:-2], diagonal[:-1], upper[:-2])
        self._row, column = np.zeros(diagonal.size - 1), np.zeros(diagonal.size - 1)
        self._row[0], column[0] = upper[-1], lower[-1]
        self._row[-1] += lower[-2]
        column[-1] += upper[-2]
        self._response = self._body.solve(column)
        self._pivot = diagonal[-1] - self._row @ self._response

    def solve(self, b: Floats) -> Floats:
        """The solution for the right-hand side `b` (n,), in a new array."""
        body = self._body.solve(b[:-1])
        last = (b[-1] + self._row @ body) / self._pivot
        return np.append(body + last * self._response, last)
