"""A density from the masses of cells: a polynomial in each cell whose integral over that cell and its neighbours is their mass.

The polynomials are quartic and their variable u is the number of cells from the left edge of the cell, so that the weights of
the masses are the same constants in equal and in graded cells (x is a power of u there). No polynomial reaches over a break.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import special

from randwalk.model.coefficient import Floats

from .grid import Grid

NODES: Final = 5  # of an integral over a cell
WIDEST: Final = 5  # cells whose masses make a polynomial


@cache
def weights(size: int, place: int) -> Floats:
    """(size, size): from the masses of `size` neighbouring cells to the coefficients of 1, u, u², … in the one at `place`."""
    edges, powers = np.arange(size + 1.0) - place, np.arange(1.0, size + 1.0)
    integrals = edges[:, None] ** powers / powers
    return np.linalg.inv(np.diff(integrals, axis=0))


def polynomials(masses: Floats, periodic: bool) -> Floats:
    """The densities per cell of one piece of equal cells, (…, cells, degree + 1): the coefficients of 1, u, …, 0 ≤ u ≤ 1, of each
    cell, from the masses (…, cells). Beside an end they come from the cells next to it."""
    cells = masses.shape[-1]
    size = min(WIDEST, cells if cells % 2 else cells - 1) if cells > 1 else 1
    half = size // 2
    if periodic:
        masses = np.concatenate([masses[..., cells - half :], masses, masses[..., :half]], axis=-1)
    inner = sliding_window_view(masses, size, axis=-1) @ weights(size, half).T
    if periodic or half == 0:
        return np.asarray(inner)
    first = [masses[..., :size] @ weights(size, place).T for place in range(half)]
    last = [masses[..., cells - size :] @ weights(size, place).T for place in range(half + 1, size)]
    return np.concatenate([np.stack(first, axis=-2), inner, np.stack(last, axis=-2)], axis=-2)


def left_halves(grid: Grid, masses: Floats) -> Floats:
    """The masses in the first half (of u) of each cell of `grid`, (…, cells)."""
    parts = []
    for piece in grid.pieces():
        coefficients = polynomials(masses[..., piece], grid.periodic and not grid.breaks)
        powers = np.arange(1.0, coefficients.shape[-1] + 1.0)
        parts.append(coefficients @ (0.5**powers / powers))
    return np.concatenate(parts, axis=-1)


@dataclass(frozen=True, eq=False)
class Profile:
    """A density whose integrals over the cells of `grid` are their `masses`, (cells,), and which is not negative.

    `coefficients` are those of :func:`polynomials`; ``below`` and ``above``, (cells,), are the masses on both sides of each cell.
    """

    grid: Grid
    masses: Floats
    coefficients: Floats
    below: Floats
    above: Floats

    @classmethod
    def of(cls, grid: Grid, masses: Floats) -> Profile:
        """The polynomials of `masses`, where one is negative drawn to its mean until it is not [Zhang & Shu 2010]."""
        masses = np.maximum(masses, 0.0)
        wide = np.zeros((grid.cells, WIDEST))
        for piece in grid.pieces():
            part = polynomials(masses[piece], grid.periodic and not grid.breaks)
            wide[piece, : part.shape[1]] = part
        least = (wide @ _bernstein(WIDEST).T).min(
            axis=1
        )  # a polynomial is not below the least of its Bernstein coefficients
        kept = np.divide(masses, masses - least, out=np.ones_like(masses), where=least < 0.0)
        wide *= kept[:, None]
        wide[:, 0] += (1.0 - kept) * masses
        below = np.append(0.0, np.cumsum(masses)[:-1])
        above = np.append(0.0, np.cumsum(masses[::-1])[:-1])[::-1]
        return cls(grid, masses, wide, below, above)

    def density(self, x: Floats) -> Floats:
        """ρ at the places `x` inside the grid, of their shape."""
        cell, u, slope = self.grid.locate(x)
        return np.maximum(_horner(self.coefficients[cell], u), 0.0) * slope

    def expect(self, f: Callable[[Floats], Floats]) -> float:
        """∫ f ρ dx over the grid, by five Gauss–Legendre nodes in each cell, whose weights are scaled to its mass; f takes an
        array of places and returns one of their shape."""
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        u = 0.5 * (nodes + 1.0)
        density = 0.5 * weights * np.maximum(self.coefficients @ np.vander(u, WIDEST, increasing=True).T, 0.0)
        scale = np.divide(
            self.masses, density.sum(axis=1), out=np.zeros_like(self.masses), where=density.sum(axis=1) > 0.0
        )
        density *= scale[:, None]
        return float(np.sum(density * np.where(density > 0.0, f(self.grid.places(u)), 0.0)))

    def split(self, x: Floats) -> tuple[Floats, Floats]:
        """The masses before and behind the places `x` inside the grid, each of their shape; the smaller one is as accurate,
        relative to itself, as the masses."""
        cell, u, _ = self.grid.locate(x)
        powers = np.arange(1.0, WIDEST + 1.0)
        inside = np.clip(_horner(self.coefficients[cell] / powers, u) * u, 0.0, self.masses[cell])
        return self.below[cell] + inside, self.above[cell] + (self.masses[cell] - inside)


@cache
def _bernstein(size: int) -> Floats:
    """(size, size): from the coefficients of 1, u, u², … to those of the Bernstein polynomials on [0, 1]."""
    i, k = np.arange(size)[:, None], np.arange(size)
    return np.asarray(special.binom(i, k) / special.binom(size - 1, k))


def _horner(coefficients: Floats, u: Floats) -> Floats:
    """The polynomials with `coefficients` (…, degree + 1) at `u`."""
    value = coefficients[..., -1]
    for k in range(coefficients.shape[-1] - 2, -1, -1):
        value = value * u + coefficients[..., k]
    return value
