"""Cells that walls of regions cut: of each the part where mass can be, of each face the part that is open, and the area of wall.

The signed distance to the walls is linear between the corners of cells, on the simplices of Kuhn's triangulation, which agree
about the faces that cells share: parts of cells and of faces are exact for a plane, and of second order for a curved wall. The
open parts of the faces of a cell say how much wall it has, and where that points, since all sides of a body balance.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats

from .wall_distance import depths

if TYPE_CHECKING:
    from .lines import Faces
    from .mesh import Mesh

SAME: Final = 1e-9  # of a cell: corners so close to a wall are on it
LEAST: Final = 1e-2  # of a cell: smaller parts count as that much, so that rates stay bounded


@dataclass(frozen=True, eq=False)
class CutCells:
    """Attributes
    ----------
    parts : (cells of each axis) array
        The shares of the cells where mass can be, 0 or at least :data:`LEAST`.
    faces : for each axis an array, with one more along it than cells
        The open shares of the faces across the axis.
    nearest : (cells of each axis) array
        The number of the region whose wall is the nearest.
    depth : (cells of each axis) array
        The distance of the centres to that wall, negative in the region (length).
    walls : (axes, cells of each axis) array
        The area of wall in a cell over the volume of a whole cell, times the unit vector away from the region (1/length).
    """

    parts: Floats
    faces: tuple[Floats, ...]
    nearest: NDArray[np.int64]
    depth: Floats
    walls: Floats

    @classmethod
    def of(cls, mesh: Mesh, regions: Sequence[int]) -> CutCells:
        """Those of the `regions` of a mesh, whose shapes have a level."""
        sets, every = mesh.domain.sets, range(mesh.dimension)
        found = [depths(sets[r], [grid.edges for grid in mesh.axes], mesh.spacings) for r in regions]
        level = -np.max([corners for corners, _ in found], axis=0)
        centres = [-own for _, own in found]
        level[np.abs(level) < SAME * min(mesh.spacings)] = 0.0
        parts = open_shares(level, every)
        faces = tuple(open_shares(level, [b for b in every if b != a]) for a in every)
        return cls(
            np.where(parts > 0.0, np.maximum(parts, LEAST), 0.0), faces,
            np.asarray(regions)[np.argmin(centres, axis=0)], np.min(centres, axis=0),
            np.stack([np.diff(open_, axis=a) / mesh.spacings[a] for a, open_ in enumerate(faces)]),
        )  # fmt: skip

    @property
    def wall(self) -> Floats:
        """The area of wall over the volume of a whole cell (1/length), (cells of each axis)."""
        return np.asarray(np.sqrt((self.walls**2).sum(axis=0)))

    def between(self, faces: Faces) -> Floats:
        """The open shares of the steps through some faces; of diagonals that of the two faces together by which a cell is left,
        or the other one entered, whichever is less, and no more than 1: a linear density whose conormal flux through a plane
        wall along an axis vanishes is then in balance."""
        moved = [a for a, c in enumerate(faces.direction) if c]
        if len(moved) > 1:
            ways = [
                sum(self._open(a, sense * faces.direction[a])[cells] for a in moved)
                for sense, cells in ((1, faces.before), (-1, faces.behind))
            ]
            return np.asarray(np.minimum(1.0, np.minimum(*ways)))
        (a,), cells = moved, self.parts.shape
        last = faces.shape[a] + 1  # on a ring the seam is a face
        return self.faces[a][tuple(slice(1, last) if b == a else slice(n) for b, n in enumerate(cells))]

    def _open(self, axis: int, side: int) -> Floats:
        """The open shares of the faces of all cells at their lower (-1) or upper (1) ends of an axis, (cells of each axis)."""
        shift = int(side > 0)
        return np.moveaxis(np.moveaxis(self.faces[axis], axis, 0)[shift : shift + self.parts.shape[axis]], 0, axis)


def open_shares(level: Floats, axes: Sequence[int]) -> Floats:
    """The shares of boxes along the `axes` in which a function is positive, from its values `level` at the corners of all cells;
    flat along other axes."""
    shape = tuple(n - (a in axes) for a, n in enumerate(level.shape))

    def corner(moved: Sequence[int]) -> Floats:
        return level[tuple(slice(int(a in moved), int(a in moved) + n) for a, n in enumerate(shape))]

    ends = [corner(moved) for k in range(len(axes) + 1) for moved in itertools.combinations(axes, k)]
    low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
    shares = np.where(high > 0.0, 1.0, 0.0)
    cut = (low < 0.0) & (high > 0.0)
    paths = itertools.permutations(axes)
    simplices = (np.stack([corner(path[:k])[cut] for k in range(len(axes) + 1)], axis=-1) for path in paths)
    shares[cut] = sum(_positive_share(values) for values in simplices) / math.factorial(len(axes))
    return shares


def _positive_share(values: Floats) -> Floats:
    """The shares of simplices in which linear functions with the `values` (n, corners) are positive: an edge between values of
    either sign is divided where the function is 0, and the simplex with it."""
    values = np.sort(values, axis=-1)
    low, high = values[:, 0], values[:, -1]
    share = np.where(high > 0.0, 1.0, 0.0)
    cut = (low < 0.0) & (high > 0.0)
    if cut.any():
        below, above = values[cut].copy(), values[cut]
        before = above[:, -1] / (above[:, -1] - above[:, 0])  # of the edge, from the higher end
        above[:, 0], below[:, -1] = 0.0, 0.0
        share[cut] = before * _positive_share(above) + (1.0 - before) * _positive_share(below)
    return share
