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

from .site_chain import Over, SiteChain

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
        r, n = self.nearer, self.toward.shape[0]
        inverse = np.linalg.inv(np.eye(n) - self.along - self.away @ r)
        carried = inverse @ self.away
        if self._endless:
            return None
        first = _summed(inverse @ r, carried, r)
        second = _summed(inverse @ (2.0 * (first - r) + 2.0 * self.away @ first @ first), carried, r)
        share = np.where(self.over > 0.0, self.over, 1.0)
        mean = 1.0 + self.away @ first / share
        return mean, np.maximum((2.0 * self.away @ first + self.away @ second) / share + mean - mean**2, 0.0)

    @cached_property
    def left(self) -> Floats:
        """The probabilities of stepping over the edge from each site and leaving there by each exit, (exits, n)."""
        n = self.toward.shape[0]
        if not self.leave.any():
            return np.zeros_like(self.leave)
        inverse = np.linalg.inv(np.eye(n) - self.along - self.away @ self.nearer)
        left = np.linalg.solve(np.eye(n) - inverse @ self.away, inverse @ self.leave.T)
        return np.asarray((self.away @ np.maximum(left, 0.0)).T)

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
    parts, leave, told = [], chain.leave.copy(), np.zeros(len(chain.leave), dtype=bool)
    for exit, levels in edges.items():
        edge = sites[-1 if exit % 2 else 0].ravel()
        chance = levels.over
        here, there = np.nonzero(chance > 0.0)
        moments = levels.moments
        mean, variance = (np.ones_like(chance), np.zeros_like(chance)) if moments is None else moments
        endless = np.full(here.size, moments is None)
        at = here, there
        parts.append(Over(edge[here], edge[there], chance[at], mean[at], variance[at], endless))
        left = levels.left
        told |= left.any(axis=1)
        leave[:, edge] += left
        leave[exit, edge] = np.maximum(levels.away.sum(axis=1) - chance.sum(axis=1) - left.sum(axis=0), 0.0)
        leave[exit, edge[leave[exit, edge] < ROUNDING]] = 0.0
    return replace(
        chain, leave=leave, over=Over(*(np.concatenate(values) for values in zip(*parts, strict=True))), untimed=told
    )
