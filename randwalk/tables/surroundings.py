"""What a walker meets one step away from each site: faces of the domain, obstacles and traps. They decide which steps are made.

A step onto an absorbing face or region is made, and the walker rests there. A step across a reflecting face or into a
reflecting region is not made, and the walker stays; beside a face half way between sites, a diffusion that is not diagonal adds
steps along it (`LatticeWalk.face_steps`). Of the step straight across a partially absorbing face so much is made as
:func:`randwalk.model.outlet.absorption` says, and no diagonal one; where there are only diagonal ones, so much of all together,
of each in proportion to its probability, but of none that crosses another face half way between sites where one does not. Into a
partially absorbing region so much is made of a step along an axis, and no diagonal step. Where every axis steps by itself (a
Moore walk, and any walk on one axis) a face acts on its axis alone, so that the walk stays a product of walks on one axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.program import LIVE
from ..model.checks import checked
from ..model.coefficient import Floats
from ..model.domain import Face
from ..model.outlet import absorption, check_room
from ..model.steps import unit
from ..model.walk import LatticeWalk
from .layout import SHUT, Layout, Numbers
from .quantise import WHOLE

FREE, CLOSED = 0, 1  # what the end of a step is; 2 + i: in region number i, into which a part of the steps is made

Kinds = NDArray[np.uint8]
Outflow = tuple[Face, Numbers, Floats]  # a face, some of the sites, the probability with which walkers leave there


def with_regions(layout: Layout, walk: LatticeWalk) -> Layout:
    """The layout with the sites of the regions of the domain taken. Of regions that overlap the first one counts."""
    if not walk.domain.regions:
        return layout
    axes = (lattice.x(layout.along(axis)) for axis, lattice in enumerate(walk.lattices))
    point = tuple(np.meshgrid(*axes, indexing="ij", sparse=True))
    ways = [layout.exits.index(region.name) if region.wall.reactivity > 0.0 else SHUT for region in walk.domain.regions]
    taken = np.array([*ways, LIVE], dtype=np.uint8)[walk.domain.region_at(point)]  # -1 where there is no region
    return replace(layout, taken=taken)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The sites of a layout that walkers can be on, and what is around each."""

    walk: LatticeWalk
    layout: Layout

    @cached_property
    def free(self) -> Numbers:
        """The sites that walkers can be on, numbered in C order."""
        return np.flatnonzero(self.layout.free)

    @cached_property
    def faces(self) -> list[tuple[Face, NDArray[np.bool_]]]:
        """The faces across which not every step is made, each with the sites beside it, shape (all sites,)."""
        found, layout = [], self.layout
        for face in self.walk.domain.faces:
            if face.wall.on_site or layout.edges[layout.exits.index(face.exit)]:
                continue
            beside = np.zeros(layout.shape, dtype=bool)
            beside[(*(slice(None),) * face.axis, 0 if face.inward > 0.0 else -1)] = True
            found.append((face, beside.reshape(-1)))
        return found

    @cached_property
    def ends(self) -> list[Kinds]:
        """What the end of each step is, seen from every site, shape (all sites,); empty where no region is."""
        layout = self.layout
        if layout.taken is None:
            return []
        kinds = np.full(layout.cells, FREE, dtype=np.uint8)
        inner = layout.inner(kinds)
        inner[layout.taken == SHUT] = CLOSED
        for number, region in enumerate(self.walk.domain.regions):
            if not region.wall.on_site and region.wall.reactivity > 0.0:
                inner[layout.taken == layout.exits.index(region.name)] = 2 + number
        if layout.home.size:
            kinds = kinds[layout.home]
        box = kinds[: layout.killed].reshape(layout.padded)
        shifted = (
            box[tuple(slice(1 + e, 1 + e + n) for e, n in zip(step, layout.shape, strict=True))]
            for step in self.walk.probabilities
        )
        return [np.ascontiguousarray(kind).reshape(-1) for kind in shifted]

    @cached_property
    def codes(self) -> Numbers:
        """A number for each free site: equal where surroundings are, 0 where all steps are made."""
        code, most = np.zeros(self.free.size, dtype=np.int64), 1
        for mark in (*(beside for _, beside in self.faces), *self.ends):
            here = mark[self.free].astype(np.int64)
            more = int(here.max(initial=0)) + 1
            if most * more > 1 << 62:
                code = np.unique(np.append(code, 0), return_inverse=True)[1][:-1]  # 0 stays 0
                most = code.size + 1
            code, most = code * more + here, most * more
        return code

    @cached_property
    def alike(self) -> tuple[Numbers, Numbers]:
        """(the first site of each kind of surroundings, increasing; for each free site the number of its kind)."""
        special = np.flatnonzero(self.codes)
        plain = np.flatnonzero(self.codes == 0)[:1]
        _, first, kind = np.unique(self.codes[special], return_index=True, return_inverse=True)
        kinds = np.zeros(self.free.size, dtype=np.int64)
        kinds[special] = kind + plain.size
        sites = self.free[np.concatenate([plain, special[first]])]
        return np.sort(sites), np.argsort(np.argsort(sites))[kinds]

    def point(self, sites: Numbers) -> Any:
        """The places of sites, as coefficients take them."""
        numbers = np.unravel_index(sites, self.layout.shape)
        placed = zip(self.walk.lattices, numbers, self.layout.first, strict=True)
        return as_point([lattice.x(k + first) for lattice, k, first in placed])

    def chances(self, sites: Numbers, t: Floats) -> list[Floats]:
        """The probabilities of the K steps that are made from `sites` at times `t` of shape (rows, 1): K arrays (rows, sites).

        Raises
        ------
        ValueError
            for probabilities that are not ones, with the place, the time and a remedy.
        """
        walk, point = self.walk, self.point(sites)
        declared, let_out = [_probability(values) for values in checked(walk, point, t)], list[Outflow]()
        if walk.axis_steps is None:
            made = declared
            for face, beside in self.faces:
                at = np.flatnonzero(beside[sites])
                for step, more in walk.face_steps[face.axis].items() if at.size else ():
                    made[walk.displacements.index(step)][:, at] += _probability(more(_some(point, at), t))
            reactive = sorted(self.faces, key=lambda pair: pair[0].wall.reactivity)
            for face, beside in reactive:  # those that reflect first
                at = np.flatnonzero(beside[sites])
                let_out += self._let_out(face, at, self._across(face, made, sites, at), point, t)
        else:
            made = self._by_axis(declared, sites, point, t)
        steps = zip(walk.probabilities, made, self.ends, strict=False)
        let_out += [
            out for step, chance, end in steps for out in self._into_regions(step, chance, end[sites], point, t)
        ]
        self._check_room(let_out, made, made if walk.axis_steps is None else declared, point, t)
        return made

    def _check_room(
        self, let_out: Sequence[Outflow], made: Sequence[Floats], linear: Sequence[Floats], point: Any, t: Floats
    ) -> None:
        """Refuse what leaves by walls that absorb in part where all steps that are `made` are more probable than 1 together. The
        remedy is a dt: of products of what axes do the sum is not linear in it, but below that of the axes, which is `linear`."""
        if not let_out:
            return
        total, most = np.sum(made, axis=0), np.sum(linear, axis=0)
        if linear is not made:
            for _, at, out in let_out:
                most[:, at] += out
        for face, at, out in let_out:
            longest = self.walk.dt / float(np.max([most[:, some].max() for _, some, _ in let_out]))
            check_room(self.walk, face, _some(point, at), t, out, total[:, at] - out, longest)

    def _across(self, face: Face, made: Sequence[Floats], sites: Numbers, at: Numbers) -> list[Floats]:
        """The probabilities of the steps across a face by which walkers may leave there, those of the others set to 0 in place,
        for the sites `at` it: of the step straight across alone; without one, of those that cross no other of the faces, if there
        are any."""
        over = {e: p for e, p in zip(self.walk.displacements, made, strict=True) if e[face.axis] == -face.inward}
        straight = unit(self.walk.dimension, {face.axis: -int(face.inward)})
        if straight in over:  # takes all that leaves, since a diagonal step may cross another face as well
            for e in over.keys() - {straight}:
                over.pop(e)[:, at] = 0.0
            return list(over.values())
        alone = {e: ~self._crosses(e, face.axis, sites[at]) for e in over}
        some = np.any([alone[e] & (p[:, at] > 0.0) for e, p in over.items()], axis=0)
        for e, p in over.items():
            p[:, at] = np.where(some & ~alone[e], 0.0, p[:, at])
        return list(over.values())

    def _crosses(self, step: tuple[int, ...], axis: int, sites: Numbers) -> NDArray[np.bool_]:
        """Whether a step from each site leads across one of the faces of another axis than `axis`."""
        others = (beside[sites] for face, beside in self.faces if face.axis != axis and step[face.axis] == -face.inward)
        return np.any([np.zeros(sites.size, dtype=bool), *others], axis=0)

    def _by_axis(self, declared: Sequence[Floats], sites: Numbers, point: Any, t: Floats) -> list[Floats]:
        """The products of what each axis does by itself, up and down, of walks whose axes do."""
        axes: list[dict[int, Floats]] = []
        for axis, (p, q) in enumerate(zip(declared[::2], declared[1::2], strict=True)):
            let_out = []
            for face, beside in self.faces:
                if face.axis == axis:
                    at = np.flatnonzero(beside[sites])
                    let_out += self._let_out(face, at, [q if face.inward > 0.0 else p], point, t)
            both_ways = [p, q]
            self._check_room(let_out, both_ways, both_ways, point, t)
            axes.append({1: p, -1: q})
        if len(axes) == 1:
            return list(axes[0].values())
        for both in axes:
            total = both[1] + both[-1]
            both[0] = np.where(total >= WHOLE, 0.0, 1.0 - total)
        made = []
        for step in self.walk.probabilities:
            chance = axes[0][step[0]]
            for both, e in zip(axes[1:], step[1:], strict=True):
                chance = chance * both[e]
            made.append(chance)
        return made

    def _let_out(self, face: Face, at: Numbers, across: Sequence[Floats], point: Any, t: Floats) -> list[Outflow]:
        """Change the probabilities of the steps `across` a face, in place, for the sites `at` it."""
        if at.size == 0:
            return []
        if face.wall.reactivity == 0.0:
            for chance in across:
                chance[:, at] = 0.0
            return []
        out = absorption(self.walk, face, _some(point, at), t)
        total = np.sum([chance[:, at] for chance in across], axis=0)
        for k, chance in enumerate(across):
            nothing = np.full(total.shape, 1.0 if k == 0 else 0.0)
            chance[:, at] = out * np.divide(chance[:, at], total, out=nothing, where=total > 0.0)
        return [(face, at, out)]

    def _into_regions(
        self, step: tuple[int, ...], chance: Floats, end: Kinds, point: Any, t: Floats
    ) -> Iterator[Outflow]:
        """Change the probability of a step where its end is in a region, in place; what walls that absorb in part let out."""
        axes = np.flatnonzero(step)
        for kind in np.unique(end[end != FREE]):
            at = np.flatnonzero(end == kind)
            if kind == CLOSED or axes.size > 1:
                chance[:, at] = 0.0
                continue
            region, axis, here = self.walk.domain.regions[kind - 2], int(axes[0]), _some(point, at)
            place = here[axis] + 0.5 * step[axis] * self.walk.spacings[axis]
            face = Face(region.name, region.wall, place, -float(step[axis]), axis)
            chance[:, at] = out = absorption(self.walk, face, here, t)
            yield face, at, out


def _probability(values: Floats) -> Floats:
    return np.clip(values, 0.0, 1.0)


def as_point(coordinates: Sequence[Floats]) -> Any:
    """A point as coefficients take it: a tuple of coordinates, on one axis the coordinate."""
    return coordinates[0] if len(coordinates) == 1 else tuple(coordinates)


def _some(point: Any, at: Numbers) -> Any:
    """The point of some of the sites."""
    return tuple(x[at] for x in point) if isinstance(point, tuple) else point[at]
