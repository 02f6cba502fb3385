"""The steps of a chain on a mesh along one direction of the lattice, and the order in which it visits the cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats, Point
from randwalk.model.steps import Displacement

from .chains import Chain
from .mesh import Mesh


@dataclass(frozen=True, eq=False)
class Faces:
    """The steps from a cell to the one behind it in a direction: an array of the given `shape` of them, `before` and `behind`
    the indices of its cells among those of the mesh."""

    mesh: Mesh
    direction: Displacement
    shape: tuple[int, ...]
    before: tuple[Any, ...]
    behind: tuple[Any, ...]

    def point(self, u: float) -> Point:
        """The places at `u` steps from the middles."""
        mesh, found = self.mesh, []
        for a, (e, n) in enumerate(zip(self.direction, self.shape, strict=True)):
            axis = mesh.axes[a]
            first = 1 if e < 0 and not axis.periodic else 0
            x = axis.x[first : first + n] + (0.5 + u) * e * axis.h
            if axis.periodic:
                x = axis.low + np.mod(x - axis.low, axis.high - axis.low)
            found.append(mesh.along(a, x))
        return tuple(found)


def across(mesh: Mesh, e: Displacement) -> Faces:
    """The steps in the direction `e` between two cells of `mesh`, around the seams of its rings too."""
    around = any(c and axis.periodic for c, axis in zip(e, mesh.axes, strict=True))
    shape: list[int] = []
    before: list[Any] = []
    behind: list[Any] = []
    for c, axis in zip(e, mesh.axes, strict=True):
        count = axis.cells if axis.periodic or not c else axis.cells - 1
        first = 1 if c < 0 and not axis.periodic else 0
        shape.append(count)
        if around:
            here = first + np.arange(count)
            before.append(here)
            behind.append((here + c) % axis.cells)
        else:
            before.append(slice(first, first + count))
            behind.append(slice(first + c, first + c + count))
    indices = (np.ix_(*before), np.ix_(*behind)) if around else (tuple(before), tuple(behind))
    return Faces(mesh, e, tuple(shape), *indices)


def line(mesh: Mesh, e: Displacement, up: Floats, down: Floats, drained: Floats) -> Chain:
    """The chain of the rates along `e`, each (padded cells,), and those of the drains of the mesh."""
    moved = [a for a, c in enumerate(e) if c]
    rings = [a for a in moved if mesh.axes[a].periodic]
    if not rings:
        return Chain(sum(c * s for c, s in zip(e, mesh.strides, strict=True)), up, down, drained)
    order = _around(mesh, e, rings[0], moved)
    return Chain(order.shape[1], up, down, drained, len(rings) == len(moved), order.ravel())


def _around(mesh: Mesh, e: Displacement, ring: int, moved: list[int]) -> NDArray[np.int64]:
    """(length of a line, lines): the cells along lines that go round the axis `ring`, side by side, and the outlets at the ends
    of those that have ends."""
    n = mesh.shape[ring]
    if len(moved) == 1:
        return np.moveaxis(mesh.index, ring, 0).reshape(n, -1)
    (other,) = (a for a in moved if a != ring)
    periodic = mesh.axes[other].periodic
    every = np.arange(mesh.size).reshape(mesh.padded)
    inner = tuple(slice(None) if a == other and not periodic else slice(1, -1) for a in range(mesh.dimension))
    cells = np.moveaxis(every[inner], (ring, other), (0, 1))
    m = cells.shape[1]
    length, lines = (math.lcm(n, m), math.gcd(n, m)) if periodic else (m, n)
    k, j = np.arange(length)[:, None], np.arange(lines)
    along = (e[other] * k) % m if periodic else (k if e[other] > 0 else m - 1 - k)
    return cells[(j + e[ring] * k) % n, along].reshape(length, -1)
