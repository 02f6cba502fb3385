"""The master equation of a walk in any number of dimensions, from its declaration alone: a dictionary from places to
probabilities, and no table, layout or kernel. A place is a tuple of lattice numbers, or the name of an exit. The tests compare
exact laws with it."""

from __future__ import annotations

import itertools
import math
from typing import Any

import randwalk as rw

Site = tuple[int, ...]
Place = Site | str
Law = dict[Place, float]


def point(walk: rw.LatticeWalk, site: Site) -> tuple[float, ...]:
    return tuple(lattice.origin + lattice.dx * k for lattice, k in zip(walk.lattices, site, strict=True))


def value(coefficient: Any, walk: rw.LatticeWalk, site: Site, t: float) -> float:
    where = point(walk, site)
    return float(coefficient(where if len(where) > 1 else where[0], t))


def crossed(walk: rw.LatticeWalk, site: Site) -> list[Any]:
    """The faces beyond which a site lies, one for each such axis."""
    found = []
    for axis, (lattice, k) in enumerate(zip(walk.lattices, site, strict=True)):
        if lattice.periodic:
            continue
        low, high = lattice.first is not None and k < lattice.first, lattice.last is not None and k > lattice.last
        if low or high:
            (face,) = (f for f in walk.domain.faces if f.axis == axis and (f.inward > 0) == low)
            found.append(face)
    return found


def robin(walk: rw.LatticeWalk, wall: Any, axis: int, outward: int, site: Site, t: float) -> float:
    """MATH.md item 8 where D does not depend on the place: the probability of a step out across a wall half a dx away."""
    d = walk.diffusion if len(site) == 1 else walk.diffusion[axis, axis]
    a = walk.declared_drift if len(site) == 1 else walk.declared_drift[axis]
    dx, inward = walk.spacings[axis], -outward * value(a, walk, site, t)
    k = wall.reactivity
    for other in range(len(site)) if slanted(walk) else ():  # the conormal leads to another place of the face
        lattice, walls = walk.lattices[other], (walk.domain.axes[other].left, walk.domain.axes[other].right)
        for end, there, sign in zip((lattice.first, lattice.last), walls, (1, -1), strict=True):
            if other != axis and there is not None and not there.on_site and site[other] == end:
                mixed = value(walk.diffusion[axis, other], walk, site, t) / value(d, walk, site, t)
                k *= 1.0 + 0.5 * sign * outward * mixed * dx / lattice.dx
    return k * walk.dt / dx / (1.0 + (k + inward) * dx / (2.0 * value(d, walk, site, t)))


def slanted(walk: rw.LatticeWalk) -> bool:
    """Whether a walk was made from a diffusion that is not diagonal."""
    return walk.declared is not None and not walk.declared.tensor.diagonal


def along(free: dict[Site, float], axis: int) -> dict[Site, float]:
    """The steps added beside a face half way between sites: for every pair of steps e, f across it of which s_e = p(e) + p(-e)
    and b_e = (p(e) - p(-e))/s_e, ¼ s_e s_f/Σs (1 + b_e - b_f) of e - f."""
    back = {e: free[tuple(-c for c in e)] for e in free}
    over = [e for e in free if e[axis] == 1 and free[e] + back[e] > 0.0]
    s = {e: free[e] + back[e] for e in over}
    found: dict[Site, float] = {}
    for e, f in itertools.permutations(over, 2):
        step = tuple(c - d for c, d in zip(e, f, strict=True))
        if max(map(abs, step)) == 1:
            bias = (free[e] - back[e]) / s[e] - (free[f] - back[f]) / s[f]
            found[step] = found.get(step, 0.0) + 0.25 * s[e] * s[f] / sum(s.values()) * (1.0 + bias)
    return found


def across(walk: rw.LatticeWalk, face: Any, free: float, site: Site, t: float) -> float:
    """The probability of a step out across a face, which has the probability `free` away from walls."""
    if math.isinf(face.wall.reactivity):
        return free
    return robin(walk, face.wall, face.axis, -round(face.inward), site, t) if face.wall.reactivity > 0.0 else 0.0


def made(walk: rw.LatticeWalk, site: Site, t: float) -> dict[Site, float]:
    """The probabilities of the displacements, as the faces let them be made."""
    if walk.axis_steps is not None:
        axes = []
        for axis, (up, down) in enumerate(walk.axis_steps):
            here = {1: value(up, walk, site, t), -1: value(down, walk, site, t)}
            for side in (1, -1):
                for face in crossed(walk, tuple(k + side * (i == axis) for i, k in enumerate(site))):
                    here[side] = across(walk, face, here[side], site, t)
            here[0] = 1.0 - here[1] - here[-1]
            axes.append(here)
        return {step: math.prod(p[c] for p, c in zip(axes, step, strict=True)) for step in walk.probabilities}
    free = {e: value(p, walk, site, t) for e, p in walk.probabilities.items()}
    chances = dict(free)
    ends = itertools.product(range(len(site)), (1, -1))
    beside = [(face, *end) for end in ends for face in crossed(walk, reached(site, straight_on(end, len(site))))]
    for face, axis, _ in beside if slanted(walk) else ():
        for e, p in along(free, axis).items() if not face.wall.on_site else ():
            chances[e] = chances.get(e, 0.0) + p
    for face, axis, side in sorted(beside, key=lambda one: one[0].wall.reactivity > 0.0):  # those that reflect first
        over = [e for e in chances if e[axis] == side]
        straight = [e for e in over if sum(map(abs, e)) == 1]
        total = sum(chances[e] for e in over)
        out = across(walk, face, total, site, t)
        if math.isinf(face.wall.reactivity):
            continue
        if face.wall.reactivity > 0.0 and not straight:
            beyond = {e: [other for other in crossed(walk, reached(site, e)) if not other.wall.on_site] for e in over}
            alone = [e for e in over if len(beyond[e]) == 1 and chances[e] > 0.0]
            for e in over:
                chances[e] = 0.0 if alone and e not in alone else chances[e]
            total = sum(chances[e] for e in over)
        for e in over:
            share = float(e in straight) if straight else chances[e] / total if total else float(e == over[0])
            chances[e] = out * share
    return chances


def straight_on(end: tuple[int, int], dimension: int) -> Site:
    axis, side = end
    return tuple(side * (i == axis) for i in range(dimension))


def reached(site: Site, e: Site) -> Site:
    return tuple(k + c for k, c in zip(site, e, strict=True))


def inside(walk: rw.LatticeWalk, region: Any, site: Site) -> bool:
    """Whether a site is in a region, or an image of it one turn away; one on the boundary is if the wall stands on sites."""
    found = region.shape.touches if region.wall.on_site else region.shape.contains
    turns = [(-1, 0, 1) if lattice.periodic else (0,) for lattice in walk.lattices]
    lengths = [lattice.dx * lattice.sites if lattice.periodic else 0.0 for lattice in walk.lattices]  # type: ignore[operator]
    return any(
        found(tuple(x + n * length for x, n, length in zip(point(walk, site), turn, lengths, strict=True)))
        for turn in itertools.product(*turns)
    )


def transitions(walk: rw.LatticeWalk, site: Site, t: float) -> Law:
    """The probabilities of the places after one step from a site."""
    alive = math.exp(-value(walk.killing, walk, site, t) * walk.dt)
    after: Law = {"killing": 1.0 - alive}
    stay = 1.0
    for e, p in made(walk, site, t).items():
        there = reached(site, e)
        faces = crossed(walk, there)
        letting = [face for face in faces if face.wall.reactivity > 0.0] or faces
        end: Place = letting[0].exit if faces else there
        if not faces:
            end = there = tuple(
                k % (x.sites or 1) if x.periodic else k for x, k in zip(walk.lattices, there, strict=True)
            )
            for region in walk.domain.regions:
                if inside(walk, region, there):
                    moving = [axis for axis, c in enumerate(e) if c]
                    if region.wall.reactivity == 0.0 or (math.isfinite(region.wall.reactivity) and len(moving) > 1):
                        p = 0.0
                    elif math.isfinite(region.wall.reactivity):
                        p = robin(walk, region.wall, moving[0], e[moving[0]], site, t)
                    end = region.name if p else site
                    break
        after[end] = after.get(end, 0.0) + alive * p
        stay -= p
    after[site] = after.get(site, 0.0) + alive * stay
    return after


def advance(walk: rw.LatticeWalk, law: Law, n: int) -> Law:
    """The law after step number `n`."""
    after: Law = {}
    for place, mass in law.items():
        moves = {place: 1.0} if isinstance(place, str) else transitions(walk, place, n * walk.dt)
        for end, p in moves.items():
            after[end] = after.get(end, 0.0) + p * mass
    return after


def law(walk: rw.LatticeWalk, begin: Law, steps: int) -> Law:
    """The law after so many steps from a law of sites."""
    for n in range(steps):
        begin = advance(walk, begin, n)
    return begin
