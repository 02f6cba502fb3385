"""Linear systems of M-matrices of many cells, by iterations: BiCGSTAB [van der Vorst, SIAM J. Sci. Stat. Comput. 13, 631, 1992]
with symmetric Gauss–Seidel sweeps, which cost next to nothing more than products with the matrix [Eisenstat, SIAM J. Sci. Stat.
Comput. 2, 1, 1981].

With rows over their diagonals a matrix is I + L + U, of what is below the diagonal and above it, and
(I + L)⁻¹(I + L + U)(I + U)⁻¹ v = z + (I + L)⁻¹(v - z) with z = (I + U)⁻¹ v: a sweep back and a sweep forth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from randwalk.jit.compile import kernel
from randwalk.jit.pools import apart
from randwalk.model.coefficient import Floats

RESIDUAL: Final = 1e-12  # after a sweep, of what is to be solved for
ITERATIONS: Final = 1000
MANY: Final = 2**16  # unknowns from which on iterations may take a second, in which Ctrl-C is heard
TINY = 1e-290  # what is smaller is dropped: denormal numbers are a hundred times slower


@kernel
def _forth(ends, middles, columns, values, b, x):  # type: ignore[no-untyped-def]
    """x = (I + L)⁻¹ b."""
    for i in range(b.size):
        rest = b[i]
        for k in range(ends[i], middles[i]):
            rest -= values[k] * x[columns[k]]
        x[i] = rest if abs(rest) > TINY else 0.0


@kernel
def _back(ends, middles, columns, values, b, x):  # type: ignore[no-untyped-def]
    """x = (I + U)⁻¹ b."""
    for i in range(b.size - 1, -1, -1):
        rest = b[i]
        for k in range(middles[i], ends[i + 1]):
            rest -= values[k] * x[columns[k]]
        x[i] = rest if abs(rest) > TINY else 0.0


@kernel
def _product(a, b):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@kernel
def _swept(ends, middles, columns, values, v, z, new):  # type: ignore[no-untyped-def]
    """new = (I + L)⁻¹(I + L + U)(I + U)⁻¹ v, with z as room."""
    _back(ends, middles, columns, values, v, z)
    for i in range(v.size):
        new[i] = v[i] - z[i]
    _forth(ends, middles, columns, values, new, new)
    for i in range(v.size):
        new[i] += z[i]


@kernel
def _iterated(ends, middles, columns, values, b, guess, residual, most):  # type: ignore[no-untyped-def]
    """(the solution, how many iterations it took, or `most` if there is none). A guess that is the solution is kept."""
    size = b.size
    x, v, w, z = np.zeros(size), np.empty(size), np.empty(size), np.empty(size)
    r = np.empty(size)
    _forth(ends, middles, columns, values, b, r)
    goal, count = residual * residual * _product(r, r), 0
    for i in range(size):
        v[i] = b[i] - guess[i]
        for k in range(ends[i], ends[i + 1]):
            v[i] -= values[k] * guess[columns[k]]
    _forth(ends, middles, columns, values, v, r)
    shadow, p = r.copy(), r.copy()
    rho = _product(r, r)
    while not _product(r, r) <= goal and count < most:
        count += 1
        _swept(ends, middles, columns, values, p, z, v)
        alpha = rho / _product(shadow, v)
        for i in range(size):
            r[i] -= alpha * v[i]
        _swept(ends, middles, columns, values, r, z, w)
        square = _product(w, w)
        omega = _product(w, r) / square if square > 0.0 else 0.0
        for i in range(size):
            x[i] += alpha * p[i] + omega * r[i]
            r[i] -= omega * w[i]
        before, rho = rho, _product(shadow, r)
        beta = rho / before * (alpha / omega) if omega != 0.0 else 0.0
        for i in range(size):
            p[i] = r[i] + beta * (p[i] - omega * v[i])
    _back(ends, middles, columns, values, x, x)
    return guess + x, count


@dataclass(frozen=True, eq=False)
class Sweeps:
    """A matrix with rows over their diagonals: `columns` and `values` off the diagonal, in order, those of row i from entry
    i of `ends` to the next, and from entry i of `middles` on above the diagonal."""

    diagonal: Floats
    ends: NDArray[np.int32]
    middles: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: Floats

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> Sweeps:
        """Of a `matrix` with a diagonal of positive numbers."""
        matrix.sort_indices()
        diagonal, rows = matrix.diagonal(), np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        below, off = matrix.indices < rows, matrix.indices != rows
        before = np.append(0, np.cumsum(off))[matrix.indptr].astype(np.int32)
        middles = before[:-1] + np.bincount(rows[below], minlength=diagonal.size).astype(np.int32)
        return cls(diagonal, before, middles, matrix.indices[off].astype(np.int32), (matrix.data / diagonal[rows])[off])

    def solve(self, b: Floats) -> Floats:
        """The solution for `b` (n,), from b itself: equilibria are kept to rounding."""
        rows = self.ends, self.middles, self.columns, self.values
        given = b / self.diagonal, b, RESIDUAL, ITERATIONS
        found, count = apart(lambda: _iterated(*rows, *given)) if b.size > MANY else _iterated(*rows, *given)
        if count == ITERATIONS:
            raise ValueError("the steps of all chains together did not converge: take a larger tolerance")
        return np.asarray(found)
