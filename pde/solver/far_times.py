"""Recorded times that lie far apart, each with cells and steps of its own.

A law from a point needs short cells while it is young, and long ones do later; and it fills the window only in the end. Where all
chains make one step together, which takes most of the time there is, times that lie far apart are solved apart, all from the
start, and their masses are brought onto one mesh, as fine as the finest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, Final

import numpy as np

from randwalk.model.coefficient import Floats

from ..equation import FokkerPlanck
from .arguments import fits
from .mesh import Mesh
from .mosaic import Mosaic
from .solution import Solution
from .together import joint

SPAN: Final = 8.0  # times of one solution are at most so many times its first


def groups(equation: FokkerPlanck, times: Floats, mesh: Mesh) -> list[Floats]:
    """The increasing `times` that are solved together."""
    if mesh.dimension == 1 or not joint(equation, mesh):
        return [times]
    found, begin = [], 0
    while begin < times.size:
        end = int(np.searchsorted(times, SPAN * times[begin], side="right"))
        found.append(times[begin:end])
        begin = end
    return found


def joined(laws: Sequence[Solution]) -> Solution | None:
    """The law of all recorded times of increasing `laws` of an equation, on the window of the last one; None where there is no
    memory for as many cells as the finest one has there. What has left until the first age of a law is what the one before
    says."""
    last, times = laws[-1], np.concatenate([law.times for law in laws])
    finest = np.min([law.mesh.spacings for law in laws], axis=0)
    mesh, cells = last.mesh, last.mesh.cells
    while (np.array(mesh.spacings) > 1.01 * finest).any():
        cells *= 2
        mesh = last.mesh.with_cells(cells)
        if not fits(mesh.shape, times.size):
            return None
    density, errors, until = list[Floats](), list[float](), 0.0
    ages, left = [np.zeros(1)], [np.zeros((1, len(mesh.exits)))]
    for law in laws:
        own = np.where(law.mesh.cut & ~mesh.cut, 0.0, law.left_so_far)
        later = law.ages > until
        ages.append(np.asarray(law.ages[later]))
        left.append(np.maximum(own[later], left[-1][-1]))
        until = float(law.times[-1])
        for masses, error, t in zip(law.density * law.mesh.volumes, law.errors, law.times, strict=True):
            moved, wrong = brought(masses, law.mesh, mesh)
            alive = 1.0 - left[-1][np.searchsorted(ages[-1], t)].sum()
            density.append(moved * (alive / moved.sum()) / mesh.volumes)
            errors.append(error + wrong)
    return replace(
        last, mesh=mesh, times=times, density=np.array(density), errors=np.array(errors), ages=np.concatenate(ages),
        left_so_far=np.concatenate(left), passage_error=max(law.passage_error for law in laws),
        extrapolated=any(law.extrapolated for law in laws),
    )  # fmt: skip


def brought(masses: Floats, before: Mesh, mesh: Mesh) -> tuple[Floats, float]:
    """(the `masses` of cells `before` in those of a `mesh`, the most that this may change of a cumulative probability there).
    Those of each cell are shared by the parts of others in it, where mass can be: as the density in the cells says
    (:class:`randwalk.pde.solver.mosaic.Mosaic`), and what sharing alike would make of them is how far that may be off."""
    if before.shape == mesh.shape:
        return masses, 0.0
    edges = [grid.edges for grid in mesh.axes]
    smooth = Mosaic(before, masses).mass(edges)
    if before.live.all():
        return np.where(mesh.live, smooth, 0.0), 0.0
    overlaps = [_overlaps(grid.edges, edge) for grid, edge in zip(before.axes, edges, strict=True)]

    def shared(weights: Floats) -> Floats:
        room = _along([overlap.T for overlap in overlaps], weights)
        return weights * _along(overlaps, np.divide(masses, room, out=np.zeros_like(masses), where=room > 0.0))

    alike: Any = np.where(mesh.live, mesh.volumes, 0.0) / np.prod(mesh.spacings)
    moved = shared(alike * smooth)
    apart = reduce(lambda total, a: np.cumsum(total, axis=a), range(mesh.dimension), moved - shared(alike))
    return moved, float(np.abs(apart).max())


def _overlaps(edges: Floats, others: Floats) -> Floats:
    """(others, cells): the lengths that other cells have in common with those between `edges`."""
    low = np.maximum(others[:-1, None], edges[None, :-1])
    high = np.minimum(others[1:, None], edges[None, 1:])
    return np.maximum(high - low, 0.0)


def _along(matrices: Sequence[Floats], values: Floats) -> Floats:
    """A matrix applied along each axis."""
    for a, matrix in enumerate(matrices):
        values = np.moveaxis(np.tensordot(matrix, values, axes=([1], [a])), 0, a)
    return values
