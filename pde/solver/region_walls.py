"""Steps through the walls of regions: what is left of the chains of an operator beside a wall, and the rates through it.

A wall that absorbs is crossed where it stands: the step into the region, or to a face that is in it, ends at the place where the
distance to the wall, or a level, says that it does, else half way. Others cut cells (:mod:`randwalk.pde.solver.cut_cells`): steps go through the open shares of faces,
and what the wall lets through leaves the cells that hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from randwalk.model.bernoulli import bernoulli
from randwalk.model.coefficient import Floats, Point

from .cut_cells import CutCells
from .ends import outflows
from .levels import length, slopes
from .lines import Faces
from .mesh import Mesh
from .reading import summed

SHORTEST: Final = 1e-3  # of a step: the least distance to a wall
BISECTIONS: Final = 44
TINY: Final = 1e-200  # in place of no wall, as a divisor


def stop(up: Floats, down: Floats, faces: Faces, rate: Floats, w: Floats) -> None:
    """Take out of the rates of a chain the steps from and to cells in regions, but for those that leave through the wall of
    one; `rate` and `w` are those of the steps through `faces`."""
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
                part, normal = _crossing(number, faces, leaving, sign)
                reach = k if np.isinf(k) else k * normal
                rates[leaving] = outflows(reach, -sign * part * w[leaving], rate[leaving] / part)
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
                mesh.inner(halves)[cells][leaving] -= 0.5 * (1.0 - _crossing(number, faces, leaving, sign)[0])
    return halves


def before_face(mesh: Mesh, number: int, axis: int, side: int, at: Any) -> tuple[Floats, Floats]:
    """Of the half steps to a face from the cells `at` of the layer before it, whose wall in front is that of a region: the part
    that lies before this wall, and the length of the normal's component across the face."""
    grid, centres = mesh.axes[axis], [np.broadcast_to(x, mesh.shape)[mesh.layer(axis, side)][at] for x in mesh.centres]
    outward = -0.5 * grid.h if side == 0 else 0.5 * grid.h

    def places(part: Floats) -> Point:
        return tuple(x + outward * part * (a == axis) for a, x in enumerate(centres))

    return _met(mesh, number, places, centres[0].size, axis)


def _crossing(number: int, faces: Faces, at: Any, sign: float) -> tuple[Floats, Floats]:
    """Of the steps `at` into a region: the part that lies before its wall, and, in 1/length, the share of the wall's area
    that the faces across them stand for."""
    mesh, e = faces.mesh, faces.direction
    h, size, single = mesh.spacings, at[0].size, sum(map(abs, faces.direction)) == 1
    inverse = 1.0 / h[e.index(1)] if single else 0.0
    if mesh.domain.sets[number].level is None:
        return np.full(size, 0.5), np.full(size, inverse)

    def places(part: Floats) -> Point:
        points = faces.point(0.0)
        return tuple(
            np.broadcast_to(x, faces.shape)[at] + sign * (part - 0.5) * c * s
            for x, c, s in zip(points, e, h, strict=True)
        )

    part, normal = _met(mesh, number, places, size, e.index(1))
    return part, inverse * normal


def _met(mesh: Mesh, number: int, places: Callable[[Floats], Point], size: int, axis: int) -> tuple[Floats, Floats]:
    """The parts, from 0 to 1, of so many ways into a region at which they meet its wall, and the length of the normal's component
    along an axis there; `places` are those at parts of the ways."""
    level, on_site = mesh.domain.sets[number].level, mesh.domain.regions[number].wall.on_site
    assert level is not None
    low, high = np.zeros(size), np.ones(size)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        height = level(places(middle))
        inside = (height >= 0.0) if on_site else (height > 0.0)
        low, high = np.where(inside, low, middle), np.where(inside, middle, high)
    part = np.maximum(0.5 * (low + high), SHORTEST)
    gradient = slopes(level, places(part), mesh.spacings)
    steepness = length(gradient)
    return part, np.divide(np.abs(gradient[axis]), steepness, out=np.ones(size), where=steepness > 0.0)


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
    density at the wall is that of a centre before it as in :func:`randwalk.pde.solver.ends.outflows`; of a centre behind it, to
    first order in the distance, so that it is not negative."""
    cuts, d = mesh.cuts, range(mesh.dimension)
    assert cuts is not None
    k, wall = mesh.domain.regions[number].wall.reactivity, cuts.wall
    normal = cuts.walls / np.maximum(wall, TINY)
    spread = summed(normal[i] * normal[j] * entry(i, j) for i in d for j in d)
    w = cuts.depth * summed(n * b for n, b in zip(normal, slopes, strict=True))
    out, into = bernoulli(w)
    reach = k * cuts.depth / np.maximum(spread, TINY * min(mesh.spacings) ** 2) / into
    share = out / into * np.where(reach > 0.0, 1.0 / (1.0 + np.abs(reach)), 1.0 + np.abs(reach))
    here = mesh.live & (cuts.nearest == number) & (wall > 0.0)
    return np.where(here, k * wall * share / np.where(here, cuts.parts, 1.0), 0.0)
