"""The elimination of a birth–death chain: M-matrices that join cell i of a flat layout to cells i ± offset, and their transposes.

A matrix is given by what a birth–death chain gives: row i is ``excess[i] + lower[i] + upper[i]`` on the diagonal,
``-lower[i]`` at i - offset and ``-upper[i]`` at i + offset, none of them negative. Pivots then are sums of positive terms
[Grassmann, Taksar & Heyman 1985], and so are solutions for right-hand sides that are not negative: nothing cancels, signs
are kept to the last bit, and there is nothing to pivot. Cell i - offset comes before cell i in flat order, so one pass over
all cells eliminates every chain of the offset. (LAPACK's ``gttrs``, which looks for pivots, takes six times as long.)
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from randwalk.kernels.compile import kernel
from randwalk.model.coefficient import Floats

TINY = 1e-290  # what is smaller is dropped: denormal numbers are a hundred times slower


@kernel
def _inverse_pivots(lower, excess, upper, offset):  # type: ignore[no-untyped-def]
    size = excess.size
    inverse, rests = np.empty(size), np.empty(size if offset > 1 else 0)
    rest = excess[0]  # of the excess after elimination
    inverse[0] = 1.0 / (rest + upper[0])
    if offset == 1:  # the last number stays in a register, which takes a fifth less time
        for i in range(1, size):
            rest = excess[i] + lower[i] * rest * inverse[i - 1]
            inverse[i] = 1.0 / (rest + upper[i])
        return inverse
    for i in range(size):
        rests[i] = excess[i] if i < offset else excess[i] + lower[i] * rests[i - offset] * inverse[i - offset]
        inverse[i] = 1.0 / (rests[i] + upper[i])
    return inverse


@kernel
def _solve(below, inverse, above, b, offset):  # type: ignore[no-untyped-def]
    """Substitute forth with the multipliers `below` and back with `above`."""
    size = b.size
    x = np.empty(size)
    if offset == 1:
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
    for i in range(size):
        value = b[i] if i < offset else b[i] + below[i - offset] * x[i - offset]
        x[i] = 0.0 if abs(value) < TINY else value
    for i in range(size - 1, -1, -1):
        value = x[i] * inverse[i]
        if i < size - offset:
            value += above[i] * x[i + offset]
        x[i] = 0.0 if abs(value) < TINY else value
    return x


class Elimination:
    """The matrix of `lower`, `excess` and `upper`, each (n,), factorised. The first `offset` of `lower` and the last of `upper`
    are not used and must be 0."""

    def __init__(self, lower: Floats, excess: Floats, upper: Floats, offset: int = 1) -> None:
        inverse = _inverse_pivots(lower, excess, upper, offset)
        self._rows = lower[offset:] * inverse[:-offset], inverse, upper[:-offset] * inverse[:-offset]
        self._columns = self._rows[2], inverse, self._rows[0]
        self._offset = offset

    def solve(self, b: Floats) -> Floats:
        """x with T x = `b` (n,)."""
        return _solve(*self._rows, b, self._offset)

    def solve_transposed(self, b: Floats) -> Floats:
        """x with Tᵀx = `b` (n,)."""
        return _solve(*self._columns, b, self._offset)


class Cyclic:
    """The same of a layout whose cells, all but the first and the last one, are a ring: ``lower[1]`` leads from row 1 to column
    n - 2 and ``upper[-2]`` back. The first and the last row are those of the identity.

    Bordering eliminates the last unknown of the ring.
    """

    def __init__(self, lower: Floats, excess: Floats, upper: Floats) -> None:
        lower, excess, upper = lower[1:-1], excess[1:-1], upper[1:-1]
        size = excess.size - 1
        self._column, self._row = np.zeros(size), np.zeros(size)
        self._column[0], self._row[0] = lower[0], upper[-1]
        self._column[-1] += upper[-2]
        self._row[-1] += lower[-1]
        self._body = Elimination(np.append(0.0, lower[1:-1]), excess[:-1] + self._column, np.append(upper[:-2], 0.0))
        self._rest = self._body.solve(self._column)  # of the other unknowns, for each unit of the last one
        self._pivot = excess[-1] + lower[-1] + upper[-1] - _ends(self._row, self._rest)

    def solve(self, b: Floats) -> Floats:
        """x with T x = `b` (n,)."""
        return self._bordered(self._body.solve(b[1:-2]), b, self._row, self._rest)

    def solve_transposed(self, b: Floats) -> Floats:
        """x with Tᵀx = `b` (n,)."""
        return self._bordered(self._body.solve_transposed(b[1:-2]), b, self._column, self._rest_transposed)

    @cached_property
    def _rest_transposed(self) -> Floats:
        return self._body.solve_transposed(self._row)

    def _bordered(self, x: Floats, b: Floats, border: Floats, rest: Floats) -> Floats:
        """The solution whose last unknown meets its own row, from the one `x` in which it is 0: a sum of what is not negative."""
        value = (b[-2] + _ends(border, x)) / self._pivot
        return np.concatenate([b[:1], x + value * rest, [value], b[-1:]])


def _ends(border: Floats, x: Floats) -> float:
    """The product of `border`, of which only the first and the last element are not 0, with `x`."""
    return float(border[0] * x[0] + border[-1] * x[-1])
