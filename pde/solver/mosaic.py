"""The density of a solution in several dimensions at one time, from the masses of its cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from randwalk.laws.cells import summed
from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import values_of
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Box

from .grid import Grid
from .line_density import LineDensity
from .mesh import Mesh
from .reconstruct import WIDEST, Profile, weights

NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)
SLAB: Final = 1 << 20  # places at which a function is asked together


@dataclass(frozen=True, eq=False)
class Mosaic(Distribution):
    """Masses of the cells of a `mesh`, (cells of each axis).

    The density in a cell is the product, along every axis, of the quartics of :mod:`randwalk.pde.solver.reconstruct`, where
    that is not negative; a cell with a region within two cells has its mean.
    """

    mesh: Mesh
    masses: Floats

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple((grid.low, grid.high) for grid in self.mesh.axes)

    @property
    def places(self) -> tuple[Floats, ...]:
        return tuple(grid.x for grid in self.mesh.axes)

    def pdf(self, x: Any) -> Floats:
        """0 outside the window and in regions."""
        inside, here, values = np.ones(x[0].shape, dtype=bool), [], self.masses
        patches, shares = [], []
        for a, (grid, given) in enumerate(zip(self.mesh.axes, x, strict=True)):
            place = grid.low + np.mod(given - grid.low, grid.high - grid.low) if grid.periodic else given
            inside &= (place >= grid.low) & (place <= grid.high)
            cell, near, share = _patch(grid, np.clip(np.nan_to_num(place), grid.low, grid.high), 0)
            here.append(cell)
            patches.append(near.reshape(len(near), *(near.shape[1] if b == a else 1 for b in range(self.dimension))))
            shares.append(share / grid.widths[cell][:, None])
        values = self.masses[tuple(patches)]
        for share in reversed(shares):
            values = np.einsum("n...j,nj->n...", values, share)
        if self.mesh.domain.regions:
            cells = tuple(here)
            means = self.masses[cells] / np.broadcast_to(self.mesh.volumes, self.masses.shape)[cells]
            values = np.where(self._beside[cells], means, values)
            inside &= self.mesh.domain.region_at(tuple(x)) < 0
        return np.where(inside, np.maximum(values, 0.0), 0.0)

    def mass(self, edges: Any) -> Floats:
        values = self.masses
        for a, (grid, cut) in enumerate(zip(self.mesh.axes, edges, strict=True)):
            cell, near, share = _patch(grid, np.clip(cut, grid.low, grid.high), 1)
            below = (np.arange(grid.cells) < cell[:, None]).astype(np.float64)
            np.add.at(below, (np.arange(len(cell))[:, None], near), share)
            values = np.moveaxis(np.tensordot(np.diff(below, axis=0), values, axes=([1], [a])), 0, a)
        return np.maximum(values, 0.0)

    def total(self) -> float:
        return float(self.masses.sum())

    def onto(self, axes: Sequence[int]) -> Distribution:
        masses = summed(self.masses, axes)
        if len(axes) == 1:
            return LineDensity(Profile.of(self.mesh.axes[axes[0]], masses))
        kept = tuple(self.mesh.axes[a] for a in axes)
        domain = Box(*(self.mesh.domain.axes[a] for a in axes))
        return Mosaic(Mesh(kept, domain, tuple(self.mesh.lengths[a] for a in axes)), masses)

    def expect(self, f: Callable[..., ArrayLike]) -> float:
        """By three Gauss–Legendre nodes a cell and axis, in slabs of the first axis."""
        mesh, total = self.mesh, 0.0
        nodes = [(grid.x[:, None] + 0.5 * grid.widths[:, None] * NODES).ravel() for grid in mesh.axes]
        onto = [_matrix(grid, x) for grid, x in zip(mesh.axes, nodes, strict=True)]
        rows = max(1, SLAB // math.prod(NODES.size * n for n in mesh.shape[1:]))
        for begin in range(0, nodes[0].size, rows):
            here = slice(begin, begin + rows)
            rho = np.maximum(_applied([onto[0][here], *onto[1:]], self.masses), 0.0)
            point = np.meshgrid(nodes[0][here], *nodes[1:], indexing="ij")
            if mesh.domain.regions:
                every = [np.arange(x.size) // NODES.size for x in nodes]
                cells = np.ix_(every[0][here], *every[1:])
                rho = np.where(self._beside[cells], self.masses[cells], rho)
            values = rho * np.where(rho > 0.0, values_of(f, *(x.ravel() for x in point)).reshape(rho.shape), 0.0)
            for a in range(mesh.dimension - 1, -1, -1):
                weight = np.tile(0.5 * WEIGHTS, mesh.shape[a])
                values = values @ (weight[here] if a == 0 else weight)
            total += float(values)
        return total

    @cached_property
    def _beside(self) -> NDArray[np.bool_]:
        """The cells that a region is near."""
        near: NDArray[np.bool_] = ndimage.binary_dilation(~self.mesh.live, np.ones((WIDEST,) * self.dimension))
        return near


def _patch(grid: Grid, x: Floats, order: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """(cell, cells around it, their weights) of each of the places `x`: the density per cell from the masses of the cells is
    the sum of weights times masses; with the `order` 1 the mass of the cell before x is."""
    cell, u, _ = grid.locate(x)
    first, (begin, end) = cell - WIDEST // 2, grid.piece_of(cell)
    first = first if grid.periodic and not grid.breaks else np.maximum(np.minimum(first, end - WIDEST), begin)
    table = np.stack([weights(WIDEST, place) for place in range(WIDEST)])[cell - first]
    powers = np.arange(WIDEST) + order
    terms = u[:, None] ** powers / (powers if order else 1.0)
    near, share = (first[:, None] + np.arange(WIDEST)) % grid.cells, np.einsum("np,npj->nj", terms, table)
    narrow = (end - begin < WIDEST)[:, None]  # of so few cells the masses alone are known
    own = np.where(near == cell[:, None], u[:, None] ** order, 0.0)
    return cell, near, np.where(narrow, own, share)


def _matrix(grid: Grid, x: Floats) -> Floats:
    """(places, cells): from masses to the density per cell at the places `x`."""
    _, near, share = _patch(grid, x, 0)
    matrix = np.zeros((x.size, grid.cells))
    np.add.at(matrix, (np.arange(x.size)[:, None], near), share)
    return matrix


def _applied(matrices: list[Floats], values: Floats) -> Floats:
    """A matrix applied along each axis."""
    for a, matrix in enumerate(matrices):
        values = np.moveaxis(np.tensordot(matrix, values, axes=([1], [a])), 0, a)
    return values
