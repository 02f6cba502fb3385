"""Atoms on sites gathered into bins, and spread over their cells."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike

from ..model.coefficient import Floats
from ..model.domain import Domain
from .lookup import check_edges

ON_EDGE = 1e-9  # of dx: a site this close to an edge is on it


def bin_atoms(x: Floats, values: np.ndarray, edges: ArrayLike, dx: float) -> np.ndarray:
    """Sums of `values`, which stand at the increasing places `x`, over bins closed on the left, the last on both sides."""
    array = check_edges(edges)
    bounds = np.searchsorted(x, array - ON_EDGE * dx, side="left")
    bounds[-1] = np.searchsorted(x, array[-1] + ON_EDGE * dx, side="right")
    total = np.concatenate([np.zeros(1, dtype=values.dtype), np.cumsum(values)])
    if values.dtype.kind == "f":  # not as differences of a running sum, which would lose the small ones
        return np.array([values[a:b].sum() for a, b in itertools.pairwise(bounds)])
    return total[bounds[1:]] - total[bounds[:-1]]


def up_to(x: Floats, values: np.ndarray, places: Floats, dx: float) -> np.ndarray:
    """Sums of `values`, which stand at the increasing places `x`, up to each of the `places`, which belong to them."""
    total = np.concatenate([np.zeros(1, dtype=values.dtype), np.cumsum(values)])
    return total[np.searchsorted(x, places + ON_EDGE * dx, side="right")]


def spread(x: Floats, values: np.ndarray, dx: float, width: int, domain: Domain) -> tuple[Floats, np.ndarray]:
    """(edges of pieces, value of each piece) of atoms that are spread evenly over cells `width` (1 or 2) times dx wide.

    The value of a piece is the sum of those of the cells that cover it, so that value / (width dx) is a density. `x` are sites
    dx apart. A cell that crosses a half-way wall is folded back; on a ring, what crosses the seam lies at the other end.
    """
    covered = np.zeros(x.size + width - 1, dtype=values.dtype)
    for shift in range(width):
        covered[shift : shift + x.size] += values
    if width == 2 and any(not face.wall.on_site for face in domain.faces):  # the wall is in the middle of a piece
        edges, covered = x[0] + 0.5 * dx * np.arange(-2, 2 * x.size + 1), np.repeat(covered, 2)
    else:
        edges = x[0] + dx * (np.arange(x.size + width) - 0.5 * width)
    if domain.periodic:
        return _around(edges, covered, dx, domain)
    return _folded(edges, covered, dx, domain)


def _folded(edges: Floats, covered: np.ndarray, dx: float, domain: Domain) -> tuple[Floats, np.ndarray]:
    """Pieces beyond half-way walls added to their mirror images."""
    middle = 0.5 * (edges[1:] + edges[:-1])
    first, stop = np.searchsorted(middle, (domain.low, domain.high)).tolist()
    below, kept, above = np.split(covered, [first, stop])
    kept = kept.copy()
    kept[: below.size] += below[::-1]
    kept[kept.size - above.size :] += above[::-1]
    edges = edges[first : stop + 1].copy()
    for end, place in ((0, domain.low), (-1, domain.high)):
        if abs(edges[end] - place) < 0.25 * dx:
            edges[end] = place
    return edges, kept


def _around(edges: Floats, covered: np.ndarray, dx: float, domain: Domain) -> tuple[Floats, np.ndarray]:
    """Pieces of a ring in order from its low end, the piece on the seam in two."""
    sites = round((domain.high - domain.low) / dx)
    start = (edges[:-1] - domain.low) / dx
    value = np.zeros(sites, dtype=covered.dtype)
    first = int(np.floor(start[0] + ON_EDGE))
    np.add.at(value, (first + np.arange(covered.size)) % sites, covered)
    offset = start[0] - first  # of a dx, by which the pieces begin after the places low + k dx
    if offset <= 2.0 * ON_EDGE:
        return np.linspace(domain.low, domain.high, sites + 1), value
    inner = domain.low + dx * (offset + np.arange(sites))
    return np.concatenate([[domain.low], inner, [domain.high]]), np.concatenate([value[-1:], value])
