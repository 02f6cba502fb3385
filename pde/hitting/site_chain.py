"""A walk as a chain of sites that walkers leave, and the sums over its paths: u = Pu + f, without a subtraction.

Rows are given by their steps and by what leaves, and the diagonal of I - P is the sum of both (Grassmann, Taksar and Heyman,
Operations Research 33, 1107, 1985), so that a small probability of leaving keeps its digits. In one dimension the elimination
runs along the sites, from the last to the first, and every number has an exponent of its own: products of probabilities
have a wider range than doubles. Beyond one dimension the matrix is sparse.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from randwalk.inputs.memory import require
from randwalk.jit.compile import kernel, maker
from randwalk.model.coefficient import Floats
from randwalk.tables.table import StepTable

FAR = 1100  # a number smaller by so many powers of 2 does not change a sum
OF_AN_ENTRY = 16.0  # bytes of an entry of a sparse factor
FILL = 40.0  # entries of a factor for each site, times log2 of the sites in the plane, or sites^(1/3) beyond

RESTARTS = 6  # of an iteration, each for the residual of the one before
ITERATIONS = 2000
RESIDUAL = 2e-15  # of the largest value: rounding


class Over(NamedTuple):
    """Excursions beyond the sites, as steps from the sites `begin` to `to` with a `chance`, each (m,); the `mean` and the
    `variance` of the number of steps that they take, and whether this has no mean."""

    begin: NDArray[np.intp]
    to: NDArray[np.intp]
    chance: Floats
    mean: Floats
    variance: Floats
    endless: NDArray[np.bool_]


class Gone(NamedTuple):
    """Excursions beyond the sites that end there, by an exit: their `chance` from each site, and the `mean` and the `variance` of
    the number of steps that they take, (exits, n) each."""

    chance: Floats
    mean: Floats
    variance: Floats


@dataclass(frozen=True)
class SiteChain:
    """The steps of a walk between the n sites of a table, in flat order, with the probabilities that are declared: those of the
    thresholds are the same to 2⁻⁶³. From sites of obstacles and traps nobody steps.

    Attributes
    ----------
    to : (K, n) array
        The site that each of the K steps leads to, -1 where it leads out.
    chance : (K, n) array
        The probability of each step to another site; 0 where it leads out.
    leave : (exits, n) array
        The probability of leaving by each exit in one step; by those that are edges of a window, of stepping over the edge.
    position : (cells,) array
        The site of each cell of the layout; of a cell where walkers rest, n + the number of its exit.
    shape : tuple of int
        The sites of each axis.
    ring : bool
        Whether the only axis closes on itself.
    over : Over, optional
        Excursions over the edges of a window; `leave` then has what they do not bring back.
    gone : Gone, optional
        The excursions on which walkers leave by an exit, which `leave` has too.
    """

    to: NDArray[np.intp]
    chance: Floats
    leave: Floats
    position: NDArray[np.intp]
    shape: tuple[int, ...]
    ring: bool
    over: Over | None = None
    gone: Gone | None = None

    @classmethod
    def of(cls, table: StepTable) -> SiteChain:
        layout, walk = table.layout, table.walk
        cells, free = layout.inner(np.arange(layout.cells)).reshape(-1), table.around.free
        position = cells.size + layout.exit_of.astype(np.intp)
        position[cells[free]] = free
        now = np.zeros((1, 1))
        gone = -np.expm1(-walk.killing_rate(table.around.point(free), now) * walk.dt)[0]
        to, chance = (np.full((len(table.offsets), cells.size), value) for value in (-1, 0.0))
        leave = np.zeros((len(layout.exits), cells.size))
        for k, (offset, made) in enumerate(zip(table.offsets, table.around.chances(free, now), strict=True)):
            there, probability = cells[free] + offset, made[0] * (1.0 - gone)
            there = position[layout.home[there] if layout.home.size else there]
            inside = there < cells.size
            to[k, free[inside]], chance[k, free[inside]] = there[inside], probability[inside]
            taken = ~inside & (probability > 0.0)
            np.add.at(leave, (there[taken] - cells.size, free[taken]), probability[taken])
        leave[-1, free] += gone
        ring = layout.periodic == (True,)
        return cls(to, chance, leave, position, layout.shape, ring)

    @property
    def stay(self) -> Floats:
        """The probability of staying, (n,)."""
        stay = 1.0 - self.total(self.moves.chance) - self.leave.sum(axis=0)
        return np.where(stay > 2.0**-50, stay, 0.0)

    @cached_property
    def moves(self) -> Over:
        """All steps, in arrays that broadcast to (K, n); with excursions one after another, (m,)."""
        every = np.arange(self.to.shape[1])[None]
        one, none, never = np.ones((1, 1)), np.zeros((1, 1)), np.zeros((1, 1), dtype=bool)
        plain = Over(every, self.to, self.chance, one, none, never)
        if self.over is None:
            return plain
        flat = (np.broadcast_to(values, self.to.shape).ravel() for values in plain)
        return Over(*(np.concatenate(both) for both in zip(flat, self.over, strict=True)))

    def at(self, values: Floats) -> Floats:
        """`values` (n,) where each of the moves leads; 0 where it leads out."""
        return np.where(self.moves.to >= 0, values[self.moves.to], 0.0)

    def total(self, values: Floats) -> Floats:
        """The sum over the moves from each site, (n,)."""
        if self.over is None:
            return np.broadcast_to(values, self.to.shape).sum(axis=0)
        return np.asarray(np.bincount(self.moves.begin, values, self.to.shape[1]), dtype=np.float64)

    def sums(self, chance: Floats, excess: Floats) -> Callable[[Floats], Floats]:
        """The solution u of u = Pu + f as a function of f ≥ 0, where P has the :attr:`moves` with these `chance` and, besides,
        walkers leave with probability `excess` (n,); sites from which none leaves count as left at once, with 0."""
        if len(self.shape) == 1:
            right, left = chance.reshape(2, -1)
            return lambda f: _along(right, left, excess, f, self.ring)
        return _Sparse(self, chance, excess)


class _Sparse:
    """The same of a sparse matrix, on the sites from which walkers leave: factorised in the plane, by iteration in space."""

    def __init__(self, chain: SiteChain, chance: Floats, excess: Floats) -> None:
        from scipy import sparse
        from scipy.sparse import csgraph

        n = excess.size
        made = (chance > 0.0) & (chain.moves.to >= 0)
        site, there, values = np.broadcast_to(chain.moves.begin, made.shape)[made], chain.moves.to[made], chance[made]
        # backward from a place that stands for leaving
        out = np.flatnonzero(excess > 0.0)
        back = sparse.csr_array(
            (np.ones(site.size + out.size), (np.append(there, np.full(out.size, n)), np.append(site, out))),
            (n + 1, n + 1),
        )
        reached = csgraph.breadth_first_order(back, n, return_predecessors=False)
        self._active = np.sort(reached[reached < n])
        number = np.full(n, -1)
        number[self._active] = np.arange(self._active.size)
        rest = excess + np.bincount(site, values, n)
        kept = (number[site] >= 0) & (number[there] >= 0) & (there != site)
        rest -= np.bincount(site[there == site], values[there == site], n)
        rows, columns = number[site[kept]], number[there[kept]]
        size = self._active.size
        matrix = sparse.csc_array((-values[kept], (rows, columns)), (size, size)) + sparse.diags_array(
            rest[self._active], format="csc"
        )
        self._size, self._matrix, self._axes = n, matrix.tocsc(), len(chain.shape)

    def __call__(self, f: Floats) -> Floats:
        values = np.zeros(self._size)
        if self._active.size:
            given = f[self._active]
            solved = self._iterated(given) if self._axes > 2 else None
            if solved is None:
                solved = self._factor.solve(given)
                solved += self._factor.solve(given - self._matrix @ solved)  # one refinement
            values[self._active] = solved
        return values

    def _iterated(self, f: Floats) -> Floats | None:
        """The solution by iteration, which in space takes less than a factorisation; None if it does not come to rounding."""
        from scipy.sparse import diags_array, linalg

        scale = diags_array(1.0 / self._matrix.diagonal(), format="csc")
        solved, size = np.zeros(f.size), np.abs(f).max()
        for _ in range(RESTARTS):
            rest = f - self._matrix @ solved
            if np.abs(rest).max() <= RESIDUAL * max(size, np.abs(solved).max()):
                return solved
            solved += linalg.bicgstab(self._matrix, rest, rtol=1e-8, atol=0.0, maxiter=ITERATIONS, M=scale)[0]
        return None

    @cached_property
    def _factor(self) -> Any:
        from scipy.sparse import linalg

        n = self._active.size
        entries = FILL * n * (math.log2(n + 1.0) if self._axes == 2 else n ** (1.0 / 3.0))
        require(OF_AN_ENTRY * entries, f"a factorisation on {n} sites", "take a larger dx")
        return linalg.splu(self._matrix)


@maker
def _sum(a, i, b, j):  # type: ignore[no-untyped-def]
    """a 2ⁱ + b 2ʲ as a number and an exponent."""
    if a == 0.0 or (b != 0.0 and j - i > FAR):
        return b, j
    if b == 0.0 or i - j > FAR:
        return a, i
    total, shift = math.frexp(a + math.ldexp(b, j - i) if i >= j else math.ldexp(a, i - j) + b)
    return total, shift + max(i, j)


@maker
def _times(a, i, b, j):  # type: ignore[no-untyped-def]
    """a 2ⁱ × b 2ʲ."""
    product, shift = math.frexp(a * b)
    return product, shift + i + j


@kernel
def _along(right, left, excess, f, ring):  # type: ignore[no-untyped-def]
    """u with (right + left + excess) u_k - right u_(k+1) - left u_(k-1) = f, all ≥ 0, each (n,).

    Sites n - 1, …, 1 are eliminated. `on` is the probability from the last site on to site 0, which only a `ring` has, and
    `back` that from site 0 to the last one.
    """
    n = f.size
    pivot, pivot_e = np.empty(n), np.zeros(n, np.int64)
    value, value_e = np.empty(n), np.zeros(n, np.int64)
    ons, ons_e = np.empty(n), np.zeros(n, np.int64)
    on, on_e = math.frexp(right[n - 1] if ring else 0.0)
    back, back_e = math.frexp(left[0] if ring and n > 1 else 0.0)
    rest, rest_e = math.frexp(excess[n - 1])
    paid, paid_e = math.frexp(f[n - 1])
    first, first_e = math.frexp(excess[0])
    gain, gain_e = math.frexp(f[0])
    for m in range(n - 1, 0, -1):
        if m == 1:
            up, up_e = math.frexp(right[0])
            back, back_e = _sum(back, back_e, up, up_e)
        down, down_e = math.frexp(left[m])
        total, total_e = _sum(down, down_e, on, on_e)
        total, total_e = _sum(total, total_e, rest, rest_e)
        if total == 0.0:  # nobody leaves: as if all left at once
            total, total_e, rest, rest_e, paid = 1.0, 0, 1.0, 0, 0.0
        pivot[m], pivot_e[m], value[m], value_e[m], ons[m], ons_e[m] = total, total_e, paid, paid_e, on, on_e
        share, share_e = _times(back, back_e, 1.0 / total, -total_e)
        x, i = _times(share, share_e, rest, rest_e)
        first, first_e = _sum(first, first_e, x, i)
        x, i = _times(share, share_e, paid, paid_e)
        gain, gain_e = _sum(gain, gain_e, x, i)
        back, back_e = _times(share, share_e, down, down_e)
        if m > 1:
            x, i = math.frexp(right[m - 1])
            share, share_e = _times(x, i, 1.0 / total, -total_e)
            on, on_e = _times(share, share_e, on, on_e)
            x, i = math.frexp(excess[m - 1])
            rest, rest_e = _times(share, share_e, rest, rest_e)
            rest, rest_e = _sum(x, i, rest, rest_e)
            x, i = math.frexp(f[m - 1])
            paid, paid_e = _times(share, share_e, paid, paid_e)
            paid, paid_e = _sum(x, i, paid, paid_e)
    u = np.zeros(n)
    start, start_e = (0.0, 0) if first == 0.0 else _times(gain, gain_e, 1.0 / first, -first_e)
    u[0] = math.ldexp(start, min(max(start_e, -2000), 2000))
    x, i = start, start_e
    for m in range(1, n):
        y, j = math.frexp(left[m])
        x, i = _times(x, i, y, j)
        x, i = _sum(x, i, value[m], value_e[m])
        y, j = _times(ons[m], ons_e[m], start, start_e)
        x, i = _sum(x, i, y, j)
        x, i = _times(x, i, 1.0 / pivot[m], -pivot_e[m])
        u[m] = math.ldexp(x, min(max(i, -2000), 2000))
    return u
