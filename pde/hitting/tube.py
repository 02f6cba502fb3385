"""Walks that are the same all along one axis without an end: what becomes of a walker that has stepped over the edge of a window.

Across that axis the sites of a level are n; a step leads to the level before, to the same or to the next one, with matrices of
probabilities: a quasi-birth-death process. The probabilities R(i, j) of coming one level nearer, from site i to site j, are the
least solution of

    R = toward + along R + away R²,

found by logarithmic reduction (Latouche and Ramaswami, J. Appl. Probab. 30, 650, 1993): all sums have terms of one sign, the
diagonal is what leaves, and rows are kept at a sum of 1 with what is lost, so that a walk that comes back for certain does. The
moments of the time follow from R(z) = z (toward + along R(z) + away R(z)²) by linear equations X = C + W X R.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from randwalk.inputs.memory import require
from randwalk.model.coefficient import Floats, coordinate
from randwalk.model.walk import LatticeWalk
from randwalk.tables.window import table_on

from .site_chain import Gone, Over, SiteChain

DOUBLINGS: Final = 60
SETTLED: Final = 1e-18
OF_A_PAIR: Final = 400.0  # bytes for each pair of sites of a level
ROUNDING: Final = 1e-13  # of a probability of never coming back
DRIFTS: Final = 1e-13  # of the speed of a step: a mean speed along the axis that is not rounding


@dataclass(frozen=True, eq=False)
class Levels:
    """The steps from any level: `toward` the window, `along` the level and `away`, (n, n) each; `leave` (exits, n)."""

    toward: Floats
    along: Floats
    away: Floats
    leave: Floats

    @cached_property
    def nearer(self) -> Floats:
        """R, (n, n)."""
        lost = self.leave.sum(axis=0)
        near, far, gone = _left_at_once(self.along, self.toward, self.away, lost)
        found, ahead = near, far
        for _ in range(DOUBLINGS):
            both = far @ near + near @ far
            near, far, gone = _left_at_once(both, near @ near, far @ far, gone + (near + far) @ gone)
            more = ahead @ near
            found, ahead = found + more, ahead @ far
            if more.max() <= SETTLED:
                break
        return np.asarray(found)

    @cached_property
    def over(self) -> Floats:
        """The probabilities of stepping over the edge from site i and being back first at site j, (n, n)."""
        return np.asarray(self.away @ self.nearer)

    @cached_property
    def moments(self) -> tuple[Floats, Floats] | None:
        """Mean and variance of the number of steps of such an excursion, (n, n) each; None where there is no mean."""
        if self._slopes is None:
            return None
        return _timed(self.over, *(self.away @ slope for slope in self._slopes))

    @cached_property
    def gone(self) -> Gone | None:
        """The excursions over the edge that end there by an exit; None if nobody leaves there.

        From the next level on ℓ(z) = z (leave + along ℓ + away (1 + R(z)) ℓ) is the generating function of their steps.
        """
        if self._slopes is None or not self.leave.any():
            return None
        first, second = self._slopes
        matrix = np.eye(self.toward.shape[0]) - self._inverse @ self.away

        def solved(source: Floats) -> Floats:
            return np.asarray(np.linalg.solve(matrix, self._inverse @ source))

        left = np.maximum(solved(self.leave.T), 0.0)
        slope = solved(left + self.away @ first @ left)
        curve = solved(2.0 * (slope - left) + self.away @ (second @ left + 2.0 * first @ slope))
        chance = self.away @ left
        return Gone(chance.T, *(value.T for value in _timed(chance, self.away @ slope, self.away @ curve)))

    @cached_property
    def _inverse(self) -> Floats:
        """(I - along - away R)⁻¹."""
        return np.asarray(np.linalg.inv(np.eye(self.toward.shape[0]) - self.along - self.away @ self.nearer))

    @cached_property
    def _slopes(self) -> tuple[Floats, Floats] | None:
        """The first two derivatives of R(z) at 1; None where they are infinite."""
        if self._endless:
            return None
        r, inverse = self.nearer, self._inverse
        carried = inverse @ self.away
        first = _summed(inverse @ r, carried, r)
        return first, _summed(inverse @ (2.0 * (first - r) + 2.0 * self.away @ first @ first), carried, r)

    @property
    def _endless(self) -> bool:
        """Whether walkers come back for certain, but in no finite mean time: nobody leaves, and the mean speed is 0."""
        if self.leave.any():
            return False
        n = self.toward.shape[0]
        across = self.toward + self.along + self.away - np.eye(n)
        law = np.linalg.lstsq(np.vstack([across.T, np.ones(n)]), np.append(np.zeros(n), 1.0), rcond=None)[0]
        speeds = law @ self.away, law @ self.toward
        return bool(abs(speeds[0].sum() - speeds[1].sum()) <= DRIFTS * (speeds[0].sum() + speeds[1].sum()))


def _timed(chance: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of the number of steps of excursions with this `chance`, of one step over the edge and, beyond, of steps
    of which `first` and `second` are the derivatives at 1 of the generating function."""
    share = np.where(chance > 0.0, chance, 1.0)
    mean = 1.0 + first / share
    return mean, np.maximum((2.0 * first + second) / share + mean - mean**2, 0.0)


def _left_at_once(stay: Floats, near: Floats, far: Floats, gone: Floats) -> tuple[Floats, Floats, Floats]:
    """(I - stay)⁻¹ of the others, whose sum with `stay` is 1 in each row; the diagonal is what leaves."""
    matrix = -stay
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, near.sum(axis=1) + far.sum(axis=1) + gone - matrix.sum(axis=1))
    solved = np.maximum(np.linalg.solve(matrix, np.concatenate([near, far, gone[:, None]], axis=1)), 0.0)
    solved /= solved.sum(axis=1, keepdims=True)
    n = stay.shape[0]
    return solved[:, :n], solved[:, n : 2 * n], solved[:, 2 * n]


def _summed(source: Floats, left: Floats, right: Floats) -> Floats:
    """Σ left^k source right^k, by squaring."""
    total = source
    for _ in range(DOUBLINGS):
        more = left @ total @ right
        total = total + more
        if np.abs(more).max() <= 1e-16 * np.abs(total).max():
            break
        left, right = left @ left, right @ right
    return total


def open_axis(walk: LatticeWalk) -> int | None:
    """The only axis without an end of a walk in several dimensions whose probabilities do not depend on it; None if there is no
    such axis, or a region without a bound along it."""
    open_axes = [a for a, lattice in enumerate(walk.lattices) if lattice.sites is None]
    if walk.dimension == 1 or len(open_axes) != 1:
        return None
    (axis,) = open_axes
    read = (*walk.probabilities.values(), walk.killing)
    bounded = all(np.isfinite(shape.bounds[axis]).all() for shape in walk.domain.sets)
    return axis if bounded and not any(c.depends_on(coordinate(axis)) for c in read) else None


def levels_of(walk: LatticeWalk, axis: int, beyond: int, way: int) -> Levels:
    """The steps of a walk from the level `beyond` along an axis; away leads to the next level up (`way` = 1) or down (-1)."""
    ends = [(lattice.first, lattice.last) for lattice in walk.lattices]
    ends[axis] = beyond - 1, beyond + 1
    n = math.prod(lattice.sites or 1 for lattice in walk.lattices)
    require(OF_A_PAIR * n * n, f"the {n} sites of a level", "take a larger dx")
    chain = SiteChain.of(table_on(walk, ends))  # type: ignore[arg-type]
    level = np.moveaxis(np.arange(3 * n).reshape(chain.shape), axis, 0).reshape(3, n)
    number = np.full(3 * n, -1)
    for sites in level:
        number[sites] = np.arange(n)
    blocks = np.zeros((3, n, n))
    middle = level[1]
    for there, chance in zip(chain.to[:, middle], chain.chance[:, middle], strict=True):
        for block, sites in zip(blocks, level, strict=True):
            here = np.flatnonzero((chance > 0.0) & np.isin(there, sites))
            np.add.at(block, (here, number[there[here]]), chance[here])
    blocks[1][np.arange(n), np.arange(n)] += chain.stay[middle]
    down, along, up = blocks
    toward, away = (down, up) if way > 0 else (up, down)
    return Levels(toward, along, away, chain.leave[:, middle])


def folded(chain: SiteChain, axis: int, edges: dict[int, Levels]) -> SiteChain:
    """The chain of a window with the excursions over its edges, by their exits, as steps from and to their sites."""
    sites = np.moveaxis(np.arange(chain.to.shape[1]).reshape(chain.shape), axis, 0)
    parts, leave, gone = [], chain.leave.copy(), Gone(*(np.zeros_like(chain.leave) for _ in range(3)))
    for exit, levels in edges.items():
        edge = sites[-1 if exit % 2 else 0].ravel()
        chance = levels.over
        here, there = np.nonzero(chance > 0.0)
        moments = levels.moments
        mean, variance = (np.ones_like(chance), np.zeros_like(chance)) if moments is None else moments
        endless = np.full(here.size, moments is None)
        at = here, there
        parts.append(Over(edge[here], edge[there], chance[at], mean[at], variance[at], endless))
        left = 0.0
        if levels.gone is not None:
            for values, found in zip(gone, levels.gone, strict=True):
                values[:, edge] = found
            leave[:, edge] += levels.gone.chance
            left = levels.gone.chance.sum(axis=0)
        leave[exit, edge] = np.maximum(levels.away.sum(axis=1) - chance.sum(axis=1) - left, 0.0)
        leave[exit, edge[leave[exit, edge] < ROUNDING]] = 0.0
    return replace(
        chain, leave=leave, over=Over(*(np.concatenate(values) for values in zip(*parts, strict=True))), gone=gone
    )
