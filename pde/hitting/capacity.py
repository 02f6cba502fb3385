"""Hitting a finite set of sites of a lattice without ends, by Green's function or the potential kernel of the walk.

With S the sites at which walkers stop and 1_A one at those of the target, the chance of hitting the target from x is
h(x) = Σ_S G(y - x) w_y, where w makes it 1_A on S; after a first step from x in S it is h(x) - w_x (Spitzer, *Principles of
Random Walk*, 1976, chapter VI; Lawler and Limic, *Random Walk*, 2010, 6.5). A recurrent walk has c - Σ_S a(y - x) w_y with
Σ w = 0 in its place; with walls G is a sum over images (:mod:`randwalk.pde.hitting.mirrors`), and of a recurrent walk before a
wall that absorbs, that of -a. The generating function E[z^T; hit] of the time T is the same sum of G_z, and its derivatives at
1 are taken from values on a circle around 1 (Cauchy's formula).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from randwalk.inputs.memory import require
from randwalk.model.coefficient import Floats

from .lattice_green import Complex, Moves, Whole, kernel, mean_visit, visits
from .mirrors import Mirror, images
from .passage import HittingTime

ON_CIRCLE: Final = 16  # values of a generating function
OF_GAP: Final = 1.0 / 8.0  # the radius, of the distance of the nearest singularity of Green's function from 1
CELLS: Final = 1 << 22  # of a box that is searched
OF_A_PAIR: Final = 64.0  # bytes of two sites while equations are solved


@dataclass(frozen=True, eq=False)
class Capture:
    """The capture of walkers by the sites of a `target`, or by death, unless they come to those that are `stopped` before.

    Attributes
    ----------
    moves : Moves
    target, stopped : (n, d) arrays of whole numbers
        Different sites.
    killing : bool
        Whether being killed is the hit; then there is no `target`.
    mirrors : tuple of Mirror
        Walls.
    """

    moves: Moves
    target: Whole
    stopped: Whole
    killing: bool
    mirrors: tuple[Mirror, ...] = ()

    @property
    def absorbed(self) -> bool:
        """Whether a wall absorbs."""
        return any(mirror.sign < 0 for mirror in self.mirrors)

    def probability(self, starts: Whole, stepped: bool) -> Floats:
        """The probability of a hit from each of the sites `starts` (n, d), or from there after a first step."""
        count = len(self._sites)
        require(OF_A_PAIR * count * (count + len(starts)), f"the equations of {count} sites", "take fewer")
        if self.moves.recurrent and not self.absorbed:
            return self._recurrent(starts, stepped)
        absorbed = np.zeros(len(starts), dtype=bool)  # where the images cancel, but for rounding
        for mirror in self.mirrors:
            absorbed |= (mirror.sign < 0) & (2 * starts[:, mirror.axis] == mirror.twice)
        return np.where(absorbed, 0.0, np.clip(self._generated(starts, stepped, None), 0.0, 1.0))

    def time(self, starts: Whole, stepped: bool) -> HittingTime:
        """The time in steps as well, which counts the first step."""
        probability = self.probability(starts, stepped)
        mean, variance = self._moments(starts, stepped, np.where(probability > 0.0, probability, 1.0))
        at_once = (not stepped) & self._among(starts, self.target)
        for values in (mean, variance):
            values[at_once], values[probability == 0.0] = 0.0, math.nan
        return HittingTime(probability, mean, variance)

    def encloses(self, starts: Whole, stepped: bool) -> bool:
        """Whether walkers from all of `starts`, or from there after a first step, never come past the sites where they stop."""
        sites, steps = self._sites, self.moves.steps
        if len(sites) <= self.moves.dimension:
            return False
        low, high = sites.min(axis=0), sites.max(axis=0)
        stops = set(map(tuple, sites.tolist()))
        first = (starts[:, None] + steps).reshape(-1, steps.shape[1]) if stepped else starts
        waiting = deque(dict.fromkeys(map(tuple, first.tolist())))
        seen = set(waiting)
        while waiting:
            site = waiting.pop()  # the last one first, which leaves the box soon
            if site in stops:
                continue
            if not all(a < k < b for k, a, b in zip(site, low, high, strict=True)) or len(seen) > CELLS:
                return False
            for step in steps.tolist():
                there = tuple(k + e for k, e in zip(site, step, strict=True))
                if there not in seen:
                    seen.add(there)
                    waiting.append(there)
        return True

    @cached_property
    def _sites(self) -> Whole:
        """Where walkers stop, (n, d): the target first."""
        return np.concatenate([self.target, self.stopped])

    def _visits(self, apart: Whole, more: Complex | None) -> Any:
        """Visits at z of places so far apart; of a recurrent walk less what is the same for all of a coset."""
        if not self.moves.recurrent:
            return visits(self.moves, apart, more)
        found, there = np.zeros(len(apart)), ~self.moves.class_of(apart).any(axis=1)
        if there.any():
            found[there] = -kernel(self.moves, apart[there])
        return found

    def _generated(self, starts: Whole, stepped: bool, more: Complex | None) -> Any:
        """E[z^T; hit] of each start, (n,) at 1 or with `more` = z - 1 (z, n)."""
        if not self.killing:
            return self._through(starts, stepped, more, np.arange(len(self._sites)) < len(self.target))
        # of walkers killed before they stop: those killed at all but for those that stop before
        zeta: Any = 0.0 if more is None else more[:, None]
        killed = self.moves.lost * (1.0 + zeta) / (self.moves.lost - zeta * (1.0 - self.moves.lost))
        stop = (
            self._through(starts, stepped, more, np.ones(len(self._sites)))
            if len(self._sites)
            else np.zeros(len(starts))
        )
        return killed * (1.0 - stop)

    def _through(self, starts: Whole, stepped: bool, more: Complex | None, hit: NDArray[Any]) -> Any:
        """Σ G_z(y - x) w_y with the weights that make it `hit` on the sites where walkers stop."""
        sites = self._sites
        between, reach = _between(sites, starts, lambda apart: self._visits(apart, more), self.mirrors)
        weights = np.linalg.solve(between, hit.astype(np.float64)[:, None])[..., 0]
        found = np.einsum("...xy,...y->...x", reach, weights)
        on = (starts[:, None] == sites[None]).all(axis=2)
        if stepped:
            return found - weights @ on.T  # zPh = h - w
        return np.where(on.any(axis=1), on @ hit, found)

    def _moments(self, starts: Whole, stepped: bool, scale: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the time, given that the target is hit with probability `scale`."""
        moves = self.moves
        if not moves.lost and not moves.drift.any():
            # P(T = n) falls as n^-½d does, and by n⁻¹ more for each wall that absorbs
            power = 0.5 * moves.dimension + sum(mirror.sign < 0 for mirror in self.mirrors)
            if power > 2.0 and self.absorbed:
                raise ValueError(
                    "the mean time of hitting places behind a wall that absorbs, without drift or killing, is not known on an "
                    "unbounded domain: ask hitting_probability, or put far walls"
                )
            endless = np.full(len(starts), math.inf)
            return endless if power <= 2.0 else self._slope(starts, stepped) / scale, endless.copy()
        radius = OF_GAP * (min(moves.lost, moves.gap) if self.killing else moves.gap)
        more = radius * np.exp(2j * math.pi * (np.arange(ON_CIRCLE) + 0.5) / ON_CIRCLE)
        values = self._generated(starts, stepped, more) / scale
        first, second = ((values / more[:, None] ** k).mean(axis=0).real for k in (1, 2))
        return first, 2.0 * second + first - first**2

    def _slope(self, starts: Whole, stepped: bool) -> Floats:
        """The derivative of the generating function at 1, Σ G'w + Gw' with Gw' = -G'w on the sites where walkers stop."""
        sites, hit = self._sites, np.arange(len(self._sites)) < len(self.target)
        between, reach = _between(sites, starts, lambda apart: visits(self.moves, apart), self.mirrors)
        slopes, slopes_of_reach = _between(sites, starts, lambda apart: mean_visit(self.moves, apart), self.mirrors)
        weights = np.linalg.solve(between, hit.astype(np.float64))
        change = np.linalg.solve(between, -(slopes @ weights))
        found = slopes_of_reach @ weights + reach @ change
        on = (starts[:, None] == sites[None]).all(axis=2)
        return np.asarray(found - on @ change if stepped else np.where(on.any(axis=1), 0.0, found))

    def _recurrent(self, starts: Whole, stepped: bool) -> Floats:
        """The probability where walkers come back for certain: of each coset of the sublattice that the steps span by itself."""
        probability = np.zeros(len(starts))
        classes, kinds = self.moves.class_of(starts), self.moves.class_of(self._sites)
        hit = np.arange(len(self._sites)) < len(self.target)
        for kind in np.unique(classes, axis=0):
            of, here = (classes == kind).all(axis=1), (kinds == kind).all(axis=1)
            if hit[here].all() or not hit[here].any():
                probability[of] = float(hit[here].any())
                continue
            sites, n = self._sites[here], int(here.sum())
            between, reach = _between(sites, starts[of], lambda apart: kernel(self.moves, apart), self.mirrors)
            matrix = np.ones((n + 1, n + 1))
            matrix[:n, 1:], matrix[n, 0] = -between, 0.0
            solved = np.linalg.solve(matrix, np.append(hit[here].astype(np.float64), 0.0))
            found = solved[0] - reach @ solved[1:]
            on = (starts[of][:, None] == sites[None]).all(axis=2)
            settled = found - on @ solved[1:] if stepped else np.where(on.any(axis=1), on @ hit[here], found)
            probability[of] = np.clip(settled, 0.0, 1.0)
        return probability

    def _among(self, starts: Whole, sites: Whole) -> NDArray[np.bool_]:
        """Which starts are among sites."""
        among = set(map(tuple, sites.tolist()))
        return np.array([site in among for site in map(tuple, starts.tolist())], dtype=bool)


def _between(
    sites: Whole, starts: Whole, of: Callable[[Whole], Any], mirrors: tuple[Mirror, ...] = ()
) -> tuple[Any, Any]:
    """A function of the way to a site and, with their signs, to its images, from each of the sites and from each of the starts,
    ([…,] from, to), worked out once for every difference."""
    begin = np.concatenate([sites, starts])
    signs, ends = zip(*images(sites, mirrors), strict=True)
    apart = (np.array(ends)[:, None] - begin[None, :, None]).reshape(-1, sites.shape[1])
    different, back = np.unique(apart, axis=0, return_inverse=True)
    values = of(different)[..., back.reshape(-1)]
    values = values.reshape(*values.shape[:-1], len(signs), len(begin), len(sites))
    values = np.tensordot(values, np.array(signs), axes=(-3, 0)) if mirrors else values[..., 0, :, :]
    return values[..., : len(sites), :], values[..., len(sites) :, :]
