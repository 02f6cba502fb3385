"""Steps through the walls of regions: what is left of the chains of an operator beside a wall, and the rates through it.

A wall that absorbs is crossed where it stands: the step into the region, or to a face that is in it, ends at the place where the
distance to the wall, or a level, says that it does, else half way. Others cut cells (:mod:`randwalk.pde.solver.cut_cells`):
steps go through the open shares of faces, and what the wall lets through leaves the cells that hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from randwalk.model.bernoulli import bernoulli
from randwalk.model.coefficient import Floats, Point
from randwalk.model.shape import Inside

from .cut_cells import CutCells
from .ends import outflows
from .lines import Faces
from .mesh import Mesh
from .reading import summed
from .wall_distance import met, normals

SHORTEST: Final = 1e-3  # of a step: the least distance to a wall
TINY: Final = 1e-200  # in place of no wall, as a divisor


def stop(
    up: Floats, down: Floats, faces: Faces, rate: Floats, w: Floats, entry: Callable[[int, int, Point], Floats]
) -> None:
    """Take out of the rates of a chain the steps from and to cells in regions, but for those that leave through the wall of
    one; `rate` and `w` are those of the steps through `faces`, and `entry` gives D_ij at places."""
    mesh = faces.mesh
    before, behind = mesh.region[faces.before], mesh.region[faces.behind]
    forth, back = mesh.inner(up)[faces.before], mesh.inner(down)[faces.behind]
    forth[(before >= 0) | (behind >= 0)] = 0.0
    back[(before >= 0) | (behind >= 0)] = 0.0
    for number, region in enumerate(mesh.domain.regions):
        k = region.wall.reactivity
        if k == 0.0 or number in mesh.cutting:
            continue
        for rates, here, there, sign in ((forth, before, behind, 1.0), (back, behind, before, -1.0)):
            leaving = np.nonzero((here < 0) & (there == number))
            if leaving[0].size:
                part, own = _part(number, faces, leaving, sign), rate[leaving]
                reach = k if np.isinf(k) else k * _area(number, faces, leaving, sign, part, own, entry)
                rates[leaving] = outflows(reach, -sign * part * w[leaving], own / part)
    mesh.inner(up)[faces.before] = forth
    mesh.inner(down)[faces.behind] = back


def spans(faces: Faces) -> Floats:
    """(layout,) half the length of the steps of a chain to both sides of each cell, over that of a whole step: below 1 where
    one is cut by an absorbing wall of a region. The rates of a cell over it are those of a difference of second order with
    steps of different lengths (Shortley and Weller, J. Appl. Phys. 9, 334, 1938), which does not keep mass."""
    mesh = faces.mesh
    halves = np.ones(mesh.size)
    before, behind = mesh.region[faces.before], mesh.region[faces.behind]
    for number, region in enumerate(mesh.domain.regions):
        if not np.isinf(region.wall.reactivity):
            continue
        for cells, here, there, sign in ((faces.before, before, behind, 1.0), (faces.behind, behind, before, -1.0)):
            leaving = np.nonzero((here < 0) & (there == number))
            if leaving[0].size:
                mesh.inner(halves)[cells][leaving] -= 0.5 * (1.0 - _part(number, faces, leaving, sign))
    return halves


def before_face(mesh: Mesh, number: int, axis: int, side: int, at: Any) -> tuple[Floats, Floats]:
    """Of the half steps to a face from the cells `at` of the layer before it, whose wall in front is that of a region: the part
    that lies before this wall, and the length of the normal's component across the face."""
    grid, centres = mesh.axes[axis], [np.broadcast_to(x, mesh.shape)[mesh.layer(axis, side)][at] for x in mesh.centres]
    outward = -0.5 * grid.h if side == 0 else 0.5 * grid.h

    def places(part: Floats) -> Point:
        return tuple(x + outward * part * (a == axis) for a, x in enumerate(centres))

    part = _met(mesh, number, places, centres[0].size)
    return part, np.abs(normals(mesh.domain.sets[number], places(part), mesh.spacings)[axis])


def _part(number: int, faces: Faces, at: Any, sign: float) -> Floats:
    """The part of the steps `at` into a region that lies before its wall."""
    if faces.mesh.domain.sets[number].level is None:
        return np.full(at[0].size, 0.5)
    return _met(faces.mesh, number, lambda part: _along(faces, at, sign, part), at[0].size)


def _area(
    number: int,
    faces: Faces,
    at: Any,
    sign: float,
    part: Floats,
    rate: Floats,
    entry: Callable[[int, int, Point], Floats],
) -> Floats:
    """The area of the wall of a region for which the steps `at` with the `rate` λ stand that meet it, over the volume of a cell
    (1/length). With the normal n a direction e takes the share λ(n·e)²/D_nn of what the wall lets through, and |n·e| over that
    volume of its steps cross a unit of the area. At walls of sites the axes take all."""
    mesh, e, d = faces.mesh, faces.direction, range(faces.mesh.dimension)
    if mesh.domain.sets[number].level is None:
        return np.full(part.shape, 1.0 / mesh.spacings[e.index(1)] if sum(map(abs, e)) == 1 else 0.0)
    place = _along(faces, at, sign, part)
    normal = normals(mesh.domain.sets[number], place, mesh.spacings)
    across = np.abs(summed(n * c * h for n, c, h in zip(normal, e, mesh.spacings, strict=True)))
    spread = summed(normal[i] * normal[j] * entry(i, j, place) for i in d for j in d)
    return np.asarray(rate * across / np.maximum(spread, TINY * min(mesh.spacings) ** 2))


def _along(faces: Faces, at: Any, sign: float, part: Floats) -> Point:
    """The places at parts of the steps `at`, which begin before the faces (`sign` 1) or behind them (-1)."""
    return tuple(
        np.broadcast_to(x, faces.shape)[at] + sign * (part - 0.5) * c * h
        for x, c, h in zip(faces.point(0.0), faces.direction, faces.mesh.spacings, strict=True)
    )


def _met(mesh: Mesh, number: int, places: Callable[[Floats], Point], size: int) -> Floats:
    """The parts, from 0 to 1, of so many ways into a region at which they meet its wall; `places` are those at parts of them."""
    level, on_site = mesh.domain.sets[number].level, mesh.domain.regions[number].wall.on_site
    assert level is not None

    def inside(part: Floats) -> Inside:
        height = level(places(part))
        return (height >= 0.0) if on_site else (height > 0.0)

    return np.maximum(met(inside, size), SHORTEST)


def narrow(cuts: CutCells, up: Floats, down: Floats, faces: Faces) -> None:
    """Let steps through the open shares of `faces` alone, from the parts of cells where mass can be."""
    mesh, parts = faces.mesh, np.where(cuts.parts > 0.0, cuts.parts, 1.0)
    forth, back = 1.0 / parts, 1.0 / parts
    open_ = cuts.between(faces)
    forth[faces.before] *= open_
    back[faces.behind] *= open_
    for axis, side, _ in mesh.faces():
        if sign := faces.direction[axis]:
            layer = tuple(side if b == axis else slice(None) for b in range(mesh.dimension))
            (forth if sign * (1 + 2 * side) < 0 else back)[layer] *= cuts.faces[axis][layer]
    mesh.inner(up)[...] *= forth
    mesh.inner(down)[...] *= back


def through(mesh: Mesh, number: int, entry: Callable[[int, int], Floats], slopes: Sequence[Floats]) -> Floats:
    """The rates through the wall of a region that cuts cells, from the entries of D and b = `slopes` at their centres. The
    density at the wall, where the conormal from a centre meets it, is that of a centre before it as in
    :func:`randwalk.pde.solver.ends.outflows`; of a centre behind it, to first order in the distance, so that it is not
    negative."""
    cuts, d = mesh.cuts, range(mesh.dimension)
    assert cuts is not None
    k, wall = mesh.domain.regions[number].wall.reactivity, cuts.wall
    normal = cuts.walls / np.maximum(wall, TINY)
    conormal = [summed(normal[j] * entry(i, j) for j in d) for i in d]
    least = TINY * min(mesh.spacings) ** 2
    spread = np.maximum(summed(n * c for n, c in zip(normal, conormal, strict=True)), least)
    w = cuts.depth * summed(c * b for c, b in zip(conormal, slopes, strict=True)) / spread
    out, into = bernoulli(w)
    reach = k * cuts.depth / spread / into
    share = out / into * np.where(reach > 0.0, 1.0 / (1.0 + np.abs(reach)), 1.0 + np.abs(reach))
    here = mesh.live & (cuts.nearest == number) & (wall > 0.0)
    return np.where(here, k * wall * share / np.where(here, cuts.parts, 1.0), 0.0)
