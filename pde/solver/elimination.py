"""The elimination of a birth–death chain: M-matrices that join cell i of a flat layout to cells i ± offset, and their transposes.

A matrix is given by what a birth–death chain gives: row i is ``excess[i] + lower[i] + upper[i]`` on the diagonal,
``-lower[i]`` at i - offset and ``-upper[i]`` at i + offset, none of them negative. Pivots then are sums of positive terms
[Grassmann, Taksar & Heyman 1985], and so are solutions for right-hand sides that are not negative: nothing cancels, signs
are kept to the last bit, and there is nothing to pivot. Cell i - offset comes before cell i in flat order, so one pass over
all cells eliminates every chain of the offset. (LAPACK's ``gttrs``, which looks for pivots, takes six times as long.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from randwalk.jit.compile import kernel
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
    for i in range(min(offset, size)):
        rests[i] = excess[i]
        inverse[i] = 1.0 / (rests[i] + upper[i])
    for begin in range(offset, size, offset):  # no cell of such a stretch needs another one of it
        for i in range(begin, min(begin + offset, size)):
            rests[i] = excess[i] + lower[i] * rests[i - offset] * inverse[i - offset]
            inverse[i] = 1.0 / (rests[i] + upper[i])
    return inverse


@kernel
def _solve(below, inverse, above, b, offset, x):  # type: ignore[no-untyped-def]
    """Substitute forth with the multipliers `below` and back with `above`; the solution is written to `x`."""
    size = b.size
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
    for i in range(min(offset, size)):
        x[i] = b[i]
    for begin in range(offset, size, offset):
        for i in range(begin, min(begin + offset, size)):
            value = b[i] + below[i - offset] * x[i - offset]
            x[i] = 0.0 if abs(value) < TINY else value
    for i in range(max(size - offset, 0), size):
        x[i] *= inverse[i]
    for end in range(size - offset, 0, -offset):
        for i in range(max(end - offset, 0), end):
            value = x[i] * inverse[i] + above[i] * x[i + offset]
            x[i] = 0.0 if abs(value) < TINY else value
    return x


@kernel
def _close(first, last, pivot, rest, b, offset, x):  # type: ignore[no-untyped-def]
    """Set the last `offset` unknowns, whose rows have `first` and `last` at their ends, and add what they bring to others."""
    size = x.size - offset
    for j in range(offset):
        x[size + j] = (b[size + j] + (first[j] * x[j] + last[j] * x[size - offset + j])) / pivot[j]
    for begin in range(0, size, offset):
        for j in range(offset):
            x[begin + j] += x[size + j] * rest[begin + j]


class Elimination:
    """The matrix of `lower`, `excess` and `upper`, each (n,), factorised. The first `offset` of `lower` and the last of `upper`
    are not used and must be 0."""

    def __init__(self, lower: Floats, excess: Floats, upper: Floats, offset: int = 1) -> None:
        inverse = _inverse_pivots(lower, excess, upper, offset)
        self._rows = lower[offset:] * inverse[:-offset], inverse, upper[:-offset] * inverse[:-offset]
        self._columns = self._rows[2], inverse, self._rows[0]
        self._offset = offset

    def solve(self, b: Floats, x: Floats | None = None) -> Floats:
        """x with T x = `b` (n,), in a new array or in `x`."""
        return _solve(*self._rows, b, self._offset, np.empty(b.size) if x is None else x)

    def solve_transposed(self, b: Floats, x: Floats | None = None) -> Floats:
        """x with Tᵀx = `b` (n,), in a new array or in `x`."""
        return _solve(*self._columns, b, self._offset, np.empty(b.size) if x is None else x)


class Cyclic:
    """The same of rings: `offset` of them side by side, of which each has every `offset`-th cell. The first `offset` of `lower`
    lead from the first cells of the rings to their last ones, and the last `offset` of `upper` back.

    Bordering eliminates the last unknown of each ring.
    """

    def __init__(self, lower: Floats, excess: Floats, upper: Floats, offset: int = 1) -> None:
        lower, excess, upper = (rates.reshape(-1, offset) for rates in (lower, excess, upper))
        self._column, self._row = np.zeros((2, len(excess) - 1, offset))
        self._column[0], self._row[0] = lower[0], upper[-1]
        self._column[-1] += upper[-2]
        self._row[-1] += lower[-1]
        inner_lower, inner_upper = lower[:-1].copy(), upper[:-1].copy()
        inner_lower[0], inner_upper[-1] = 0.0, 0.0
        inner = excess[:-1] + self._column
        self._body = Elimination(inner_lower.ravel(), inner.ravel(), inner_upper.ravel(), offset)
        self._rest = self._body.solve(self._column.ravel())  # for each unit of the last unknown
        self._pivot = excess[-1] + lower[-1] + upper[-1]
        self._pivot -= self._row[0] * self._rest[:offset] + self._row[-1] * self._rest[-offset:]
        self._offset = offset

    def solve(self, b: Floats, x: Floats | None = None) -> Floats:
        """x with T x = `b` (n,), in a new array or in `x`."""
        return self._bordered(self._body.solve, b, self._row, self._rest, x)

    def solve_transposed(self, b: Floats, x: Floats | None = None) -> Floats:
        """x with Tᵀx = `b` (n,), in a new array or in `x`."""
        return self._bordered(self._body.solve_transposed, b, self._column, self._rest_transposed, x)

    @cached_property
    def _rest_transposed(self) -> Floats:
        return self._body.solve_transposed(self._row.ravel())

    def _bordered(
        self, solve: Callable[[Floats, Floats], Floats], b: Floats, border: Floats, rest: Floats, x: Floats | None
    ) -> Floats:
        """The solution whose last unknowns meet their own rows, from that of the others in which they are 0: sums of what is
        not negative."""
        x = np.empty(b.size) if x is None else x
        solve(b[: -self._offset], x[: -self._offset])
        _close(border[0], border[-1], self._pivot, rest, b, self._offset, x)
        return x
