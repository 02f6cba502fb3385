"""The step probabilities of the second account of a lattice walk (:mod:`randwalk.validate.plain`), written out from the drift and
the diffusion that were declared.

The formulas are those of :class:`randwalk.Rule`, :class:`randwalk.Convention` and of the theory of walls, in numbers: no formula
tree is made, and none is read but for its values and its breaks.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats
from randwalk.model.convention import Convention
from randwalk.model.domain import Face
from randwalk.model.neighbourhood import Moore
from randwalk.model.rule import Rule

from .plain_sites import Places, PlainSites

Step = tuple[int, ...]
Chances = dict[Step, Floats]  # the probability of each displacement, on all sites


@dataclass(frozen=True, eq=False)
class PlainSteps:
    """The probabilities of the steps from all sites."""

    sites: PlainSites

    def made(self, t: float) -> Chances:
        """The probabilities of the displacements at time t, as faces and regions let them be made."""
        walk, d = self.sites.walk, len(self.sites.axes)
        if d == 1 or (walk.declared is not None and self._diagonal and isinstance(walk.declared.neighbourhood, Moore)):
            chances = self._product(t)
        else:
            chances = self._together(t)
        return self._into_regions(chances, t)

    @property
    def _diagonal(self) -> bool:
        return self.sites.walk.declared is not None and self.sites.walk.declared.tensor.diagonal

    def _full(self, values: Any) -> Floats:
        return np.array(np.broadcast_to(values, self.sites.shape), dtype=np.float64)

    def _product(self, t: float) -> Chances:
        """Each axis steps by itself, and a face acts on its axis alone."""
        axes = []
        for axis in range(len(self.sites.axes)):
            both = {side: self._full(p) for side, p in self._along(axis, t).items()}
            for face, beside in self._faces(axis):
                side = -round(face.inward)
                both[side][beside] = self._out(face.axis, side, face.wall.reactivity, face.place, t)[beside]
            axes.append({**both, 0: 1.0 - both[1] - both[-1]})
        steps = [step for step in itertools.product((-1, 0, 1), repeat=len(axes)) if any(step)]
        return {step: math.prod(both[e] for both, e in zip(axes, step, strict=True)) for step in steps}  # type: ignore[misc]

    def _together(self, t: float) -> Chances:
        """The steps share the probability, and faces act on all that cross them."""
        walk, d = self.sites.walk, len(self.sites.axes)
        more: list[Chances] = [{}] * d
        if walk.declared is None:
            free = {e: self.sites.value(p, self.sites.point, t) for e, p in walk.probabilities.items()}
        elif self._diagonal:
            free = {_unit(d, i, side): p for i in range(d) for side, p in self._along(i, t).items()}
        else:
            free, more = self._directed(t)
        chances = {e: self._full(p) for e, p in free.items()}
        faces = [pair for axis in range(d) for pair in self._faces(axis)]
        for face, beside in faces:
            for e, p in more[face.axis].items():
                chances.setdefault(e, self._full(0.0))[beside] += self._full(p)[beside]
        for face, beside in sorted(faces, key=lambda pair: pair[0].wall.reactivity):
            side = -round(face.inward)
            over = [e for e in chances if e[face.axis] == side]
            straight = [e for e in over if sum(map(abs, e)) == 1]
            lone = {e: np.where(self._leaves_twice(e), 0.0, chances[e]) for e in over}
            some = np.any([p > 0.0 for p in lone.values()], axis=0)
            kept = {e: np.where(some, lone[e], chances[e]) for e in over}
            total = np.sum(list(kept.values()), axis=0) + self._full(0.0)
            out = self._out(face.axis, side, face.wall.reactivity, face.place, t)
            for e in over:
                with np.errstate(invalid="ignore"):
                    share = np.where(total > 0.0, kept[e] / total, float(e == over[0]))
                chances[e][beside] = ((float(e in straight) if straight else share) * out)[beside]
        return chances

    def _leaves_twice(self, step: tuple[int, ...]) -> NDArray[np.bool_]:
        """Whether a step from each site leads across faces of several axes half way between sites."""
        crossed = self._full(0.0)
        for axis, e in enumerate(step):
            for face, beside in self._faces(axis):
                crossed += beside & (e == -face.inward)
        return crossed > 1.0

    def _faces(self, axis: int) -> list[tuple[Face, NDArray[np.bool_]]]:
        """The faces of an axis that stand half way between sites, and the sites beside them, where the first or the last site is
        the last before the wall."""
        found = []
        for face in self.sites.walk.domain.faces:
            index = 0 if face.inward > 0.0 else -1
            place, dx = self.sites.axes[axis][index], self.sites.walk.spacings[axis]
            if face.axis == axis and not face.wall.on_site and abs(place - face.place) < 0.75 * dx:
                beside = np.zeros(self.sites.shape, dtype=bool)
                np.moveaxis(beside, axis, 0)[index] = True
                found.append((face, beside))
        return found

    def _along(self, axis: int, t: float) -> dict[int, Floats]:
        """The probabilities of steps up and down an axis away from walls: D^λ times the mean of D^(1-λ) over the bond, which is
        harmonic in D^(λ-1), and the bias by that of a/D; at the site alone for Itô, where λ = 1."""
        sites, walk = self.sites, self.sites.walk
        if walk.declared is None:
            units = {side: _unit(len(sites.axes), axis, side) for side in (1, -1)}
            return {side: sites.value(walk.probabilities[e], sites.point, t) for side, e in units.items()}
        declared, dx, dt = walk.declared, walk.spacings[axis], walk.dt
        drift, diffusion, power = declared.vector[axis], declared.tensor[axis, axis], _power(declared.convention)

        def a(x: Places) -> Floats:
            return sites.of_step(drift, x, t)

        def d(x: Places) -> Floats:
            return sites.of_step(diffusion, x, t)

        m, rule, found = dt / dx * a(sites.point), declared.rule, dict[int, Floats]()
        shared = len(sites.axes) > 1 and not isinstance(declared.neighbourhood, Moore)
        for side in (1, -1):
            end = sites.point[axis] + side * dx
            if rule is Rule.TWO_WAY and not shared:
                found[side] = 0.5 * (1.0 + side * m)
                continue
            if power == 1.0:
                s = 2.0 * dt / dx**2 * d(sites.point)
            else:
                flux = sites.of_bond(lambda x: d(x) ** (power - 1.0), [diffusion], axis, end)
                s = np.asarray(2.0 * dt / dx**2 * d(sites.point) ** power / flux)
            if rule not in (Rule.FITTED, Rule.CAPPED):
                found[side] = 0.5 * (s + (m**2 if rule is Rule.EXACT_VARIANCE else 0.0) + side * m)
                continue
            w = (
                side
                * dx
                * (
                    sites.of_bond(lambda x: a(x) / d(x), [drift, diffusion], axis, end)
                    if power != 1.0
                    else a(sites.point) / d(sites.point)
                )
            )
            fitted = 0.5 * s * _bernoulli(-w) if rule is Rule.FITTED else s / (1.0 + np.exp(-w))
            found[side] = np.asarray(fitted)
        return found

    def _directed(self, t: float) -> tuple[Chances, list[Chances]]:
        """(the probabilities away from walls, for each axis those that are added along its faces) of a tensor that is not
        diagonal: S = Σ s_e e eᵀ over axes and diagonals, s_e = |S_ij| of the sign of S_ij."""
        d = len(self.sites.axes)
        pairs = list(itertools.combinations(range(d), 2))
        over = [*(_unit(d, i, 1) for i in range(d)), *(_diagonal(d, i, j, s) for i, j in pairs for s in (1, -1))]
        free: Chances = {}
        for e in over:
            free |= self._both_ways(e, lambda s: self._rates(s)[e], t)  # noqa: B023 (called at once)
        more: list[Chances] = []
        for n in range(d):
            across = [tuple(e[n] * c for c in e) for e in over if e[n]]
            added: Chances = {}
            for e, f in itertools.combinations(across, 2):
                step = tuple(x - y for x, y in zip(e, f, strict=True))
                if max(map(abs, step)) > 1:
                    continue

                def rate(s: Floats, e: Step = e, f: Step = f, n: int = n) -> Floats:
                    known = self._rates(s)
                    known |= {tuple(-c for c in g): r for g, r in known.items()}
                    return 0.5 * known[e] * known[f] / s[..., n, n]

                for to, p in self._both_ways(step, rate, t).items():
                    added[to] = added.get(to, 0.0) + p
            more.append(added)
        return free, more

    @staticmethod
    def _rates(s: Floats) -> Chances:
        """s_e of the tensor S, shape (…, d, d)."""
        d = s.shape[-1]
        found = {_unit(d, i, 1): s[..., i, i].copy() for i in range(d)}
        for i, j in itertools.combinations(range(d), 2):
            for sign in (1, -1):
                rate = np.maximum(sign * s[..., i, j], 0.0)
                found[_diagonal(d, i, j, sign)] = rate
                for k in (i, j):
                    found[_unit(d, k, 1)] = found[_unit(d, k, 1)] - rate
        return found

    def _both_ways(self, e: Step, rate: Any, t: float) -> Chances:
        """The probabilities of e and -e, given their `rate` as a function of S: in the Fick form half way to the next site."""
        declared = self.sites.walk.declared
        assert declared is not None
        found, here = {}, self._moments(self.sites.point, t)
        for sign in (1, -1):
            step, there = tuple(sign * c for c in e), here
            if declared.convention is Convention.FICK:
                half = zip(self.sites.point, step, self.sites.walk.spacings, strict=True)
                there = self._moments(
                    tuple(self.sites.moved(i, x + 0.5 * c * dx)[i] for i, (x, c, dx) in enumerate(half)), t
                )
            up, bias, at_site = rate(there[0]), there[1] @ np.array(step, float), here[1] @ np.array(step, float)
            if declared.rule is Rule.FITTED:
                found[step] = 0.5 * up * _bernoulli(-2.0 * bias)
            elif declared.rule is Rule.CAPPED:
                found[step] = up / (1.0 + np.exp(-2.0 * bias))
            else:
                found[step] = 0.5 * (up + rate(here[0]) * at_site)
        return found

    def _moments(self, point: Places, t: float) -> tuple[Floats, Floats]:
        """(S, S⁻¹m) at points, shapes (…, d, d) and (…, d): 2 D_ij dt/(dx_i dx_j), with m mᵀ for exact variances."""
        sites, walk, declared = self.sites, self.sites.walk, self.sites.walk.declared
        assert declared is not None
        d, dt, dx = len(sites.axes), walk.dt, walk.spacings
        s, m = np.empty((*sites.shape, d, d)), np.empty((*sites.shape, d))
        for i in range(d):
            m[..., i] = dt / dx[i] * sites.of_step(declared.vector[i], point, t)
            for j in range(d):
                s[..., i, j] = 2.0 * dt / (dx[i] * dx[j]) * sites.of_step(declared.tensor[i, j], point, t)
        if declared.rule is Rule.EXACT_VARIANCE and declared.convention is not Convention.FICK:
            s += m[..., :, None] * m[..., None, :]
        return s, (np.linalg.pinv(s, hermitian=True) @ m[..., None])[..., 0]

    def _into_regions(self, chances: Chances, t: float) -> Chances:
        """No step is made into a region that reflects, and a part of the straight ones into one that absorbs in part."""
        walk = self.sites.walk
        for number, region in enumerate(walk.domain.regions):
            if region.wall.on_site:
                continue
            for e, p in chances.items():
                ends = self._region_after(e) == number
                p[ends] = 0.0
                if region.wall.reactivity > 0.0 and sum(map(abs, e)) == 1:
                    (axis,) = np.flatnonzero(e)
                    half = self.sites.point[axis] + 0.5 * e[axis] * walk.spacings[axis]
                    p[ends] = self._out(int(axis), e[axis], region.wall.reactivity, half, t)[ends]
        return chances

    def _region_after(self, e: Step) -> NDArray[np.int64]:
        """The number of the region in which each site is that a step leads to, -1 for none."""
        wide = np.pad(self.sites.region, 1, constant_values=-1)
        for axis, ends in enumerate(self.sites.walk.domain.axes):
            if ends.periodic:
                rows = np.moveaxis(wide, axis, 0)
                rows[0], rows[-1] = rows[-2].copy(), rows[1].copy()
        return wide[tuple(slice(1 + c, 1 + c + n) for c, n in zip(e, self.sites.shape, strict=True))]

    def _out(self, axis: int, side: int, reactivity: float, wall: Any, t: float) -> Floats:
        """The probability of leaving through a wall half way, from every site as if it were beside it: no flux but Kρ_w crosses,
        with u = D^λ ρ, a counted inward and F the mean of D^(1-λ) over the half bond. The plain rules have
        (u - u_w) F = (K + a) ρ_w dx/2 there, the fitted ones the steady flux (2F/dx) (β(w/2) u - β(-w/2) u_w)."""
        if reactivity == 0.0:
            return self._full(0.0)
        sites, walk = self.sites, self.sites.walk
        dx, dt = walk.spacings[axis], walk.dt
        power = 1.0 if walk.declared is None else _power(walk.declared.convention)
        x = sites.point[axis]
        at_wall = *sites.point[:axis], wall, *sites.point[axis + 1 :]
        a = -side * self._first(axis, sites.point, t)
        d, d_wall = self._second(axis, sites.point, t), self._second(axis, at_wall, t)
        if walk.declared is None:  # known at sites alone: by the line through the next one inward
            inward = *sites.point[:axis], x - side * dx, *sites.point[axis + 1 :]
            d_wall = d if sites.shape[axis] == 1 else np.maximum(1.5 * d - 0.5 * self._second(axis, inward, t), 0.0)
        conductance: Floats | float = 2.0 / dx
        if power != 1.0:
            broken = [walk.declared.tensor[axis, axis]]  # type: ignore[union-attr]
            conductance /= sites.of_bond(lambda at: self._second(axis, at, t) ** (power - 1.0), broken, axis, wall)
        k = reactivity * self._pieces(axis, side, t)
        if walk.rule in (Rule.FITTED, Rule.CAPPED):
            w = 0.5 * dx * a / d
            u_wall = conductance * _bernoulli(w) / (k / d_wall**power + conductance * _bernoulli(-w))
            return self._full(dt / dx * k * u_wall * (d / d_wall) ** power)
        return self._full(dt / dx * k / ((d_wall / d) ** power + (k + a) / (d**power * conductance)))

    def _first(self, axis: int, point: Places, t: float) -> Floats:
        """The drift along an axis."""
        walk = self.sites.walk
        if walk.declared is not None:
            return self.sites.of_step(walk.declared.vector[axis], point, t)
        parts = [e[axis] * self.sites.value(p, point, t) for e, p in walk.probabilities.items()]
        return np.asarray(walk.spacings[axis] / walk.dt * sum(parts))

    def _second(self, axis: int, point: Places, t: float) -> Floats:
        """The diffusion along an axis."""
        walk = self.sites.walk
        if walk.declared is not None:
            return self.sites.of_step(walk.declared.tensor[axis, axis], point, t)
        parts = [abs(e[axis]) * self.sites.value(p, point, t) for e, p in walk.probabilities.items()]
        return np.asarray(walk.spacings[axis] ** 2 / (2.0 * walk.dt) * sum(parts))

    def _pieces(self, axis: int, side: int, t: float) -> Floats | float:
        """The lengths of the pieces of a wall, in dx: with a tensor that is not diagonal the conormal leads to a place
        ½ (D_nt/D_nn) dx_n/dx_t further along, so that the last piece before another wall half way is shorter or longer."""
        walk, lengths = self.sites.walk, self._full(1.0)
        if walk.declared is None or walk.declared.tensor.diagonal:
            return lengths
        own = self._second(axis, self.sites.point, t)
        for other in range(len(self.sites.axes)):
            mixed = self.sites.of_step(walk.declared.tensor[axis, other], self.sites.point, t)
            shift = self._full(0.5 * side * mixed / own * walk.spacings[axis] / walk.spacings[other])
            for face, beside in self._faces(other) if other != axis else ():
                lengths[beside] *= 1.0 + round(face.inward) * shift[beside]
        return lengths


def _unit(d: int, axis: int, side: int) -> Step:
    return tuple(side * (i == axis) for i in range(d))


def _diagonal(d: int, i: int, j: int, sign: int) -> Step:
    return tuple((k == i) + sign * (k == j) for k in range(d))


def _power(convention: Convention) -> float:
    """λ of the flux aρ - D^(1-λ) ∂(D^λ ρ)."""
    return {Convention.ITO: 1.0, Convention.STRATONOVICH: 0.5, Convention.FICK: 0.0}[convention]


def _bernoulli(w: Floats) -> Floats:
    """w/(e^w - 1)."""
    small = np.abs(w) < 1e-9
    return np.where(small, 1.0 - 0.5 * w, np.where(small, 1.0, w) / np.where(small, 1.0, np.expm1(w)))
