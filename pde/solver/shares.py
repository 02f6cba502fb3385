"""The shares of cells in points: B-splines, by which a start becomes masses and a payoff becomes values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from randwalk.model.coefficient import Floats
from randwalk.model.start import Everywhere, Normal, Point, Sites, Start, Uniform

from ..equation import FokkerPlanck
from .ends import image
from .grid import BESIDE, GAUSS_NODES, GAUSS_WEIGHTS, Grid
from .mesh import Mesh

GHOSTS: Final = 2  # cells beyond either end that a point in the grid has a share in
EQUAL: Final = 1e-6  # relative difference of the lengths of cells that count as equal
NORMAL_NODES: Final = 6  # in each cell, or half standard deviation if that is shorter, of a normal start


def start_state(equation: FokkerPlanck, grid: Grid) -> Floats:
    """The start as a state (:mod:`randwalk.pde.solver.chains`) on a grid in one dimension: masses of the cells, and those already
    absorbed.

    Five equal cells share a point with the weights of the quartic B-spline whose knots are the edges: all its moments up to
    the fourth differ from those of the point by powers of h alone, wherever the point lies in its cell, so that errors have
    an expansion in h² up to h⁴. Three unequal cells share it with the quadratic B-spline: up to h². The image that a wall
    makes replaces mass beyond the wall: added before a reflecting one, subtracted before an absorbing one.
    """
    across = _across(equation, 0)
    lengths = _lengths(grid, across, equation.convention.exponent)
    return np.append(_with_images(grid, _shared(grid, lengths, _atoms(equation.start, grid)), across), 0.0)


def start_on_mesh(equation: FokkerPlanck, mesh: Mesh) -> Floats:
    """The start as a state on a mesh: of independent coordinates the product of what :func:`start_state` makes of each, of
    joint points the sum of it. What would be in an obstacle, or beyond the window in a region, is shared by all."""
    start, state = equation.start, np.zeros(mesh.states)
    if mesh.dimension == 1:
        return start_state(equation, mesh.axes[0])
    if isinstance(start, Everywhere):
        volumes = mesh.live * mesh.volumes
        mesh.inner(state)[...] = volumes / volumes.sum()
        return state
    if start.factors is None:
        points = np.array(start.points)
        parts = [
            np.array([_on_axis(equation, mesh, a, [(np.array([x]), np.ones(1))]) for x in places.tolist()])
            for a, places in enumerate(points.T)
        ]
        letters = "ijklmnop"[: mesh.dimension]
        terms = ",".join(f"a{letter}" for letter in letters)
        state[: mesh.size] = np.einsum(f"a,{terms}->{letters}", np.array(start.masses), *parts, optimize=True).ravel()
    else:
        state[: mesh.size] = reduce(np.multiply.outer, axis_masses(equation, mesh)).ravel()
    if mesh.domain.regions:
        mesh.inner(state)[(mesh.region >= 0) & (mesh.open_region < 0)] = 0.0
        state /= state.sum()
    return state


def axis_masses(equation: FokkerPlanck, mesh: Mesh) -> list[Floats]:
    """Of a start of independent coordinates, the masses of the cells of each axis between those beyond its ends."""
    factors = equation.start.factors or ()
    return [_on_axis(equation, mesh, a, _atoms(factor, mesh.axes[a])) for a, factor in enumerate(factors)]


def _on_axis(equation: FokkerPlanck, mesh: Mesh, axis: int, atoms: list[tuple[Floats, Floats]]) -> Floats:
    """The masses of the cells of an axis, and of what is beyond either end, from points (places, masses)."""
    grid, across = mesh.axes[axis], _across(equation, axis)
    lengths = _lengths(grid, across, equation.convention.exponent)
    return _with_images(grid, _shared(grid, lengths, atoms), across)


def _across(equation: FokkerPlanck, axis: int) -> Callable[[ArrayLike], Floats]:
    """D along an axis, where the middle of the start is on the others."""
    entry = equation.tensor[axis, axis]
    if equation.dimension == 1:
        return lambda place: entry((place,), 0.0)
    middle = [0.5 * (low + high) for low, high in equation.start.bounds]
    return lambda place: entry((*middle[:axis], place, *middle[axis + 1 :]), 0.0)


def _with_images(grid: Grid, masses: Floats, diffusion: Callable[[ArrayLike], Floats]) -> Floats:
    """The masses of the cells between those absorbed at both ends, from those of the cells and of :data:`GHOSTS` beyond each end;
    `diffusion` gives D at a wall."""
    inner, absorbed = masses[GHOSTS:-GHOSTS].copy(), np.zeros(2)
    if grid.periodic:
        for k in range(GHOSTS):  # one by one: a grid may have fewer cells
            inner[-1 - k % grid.cells] += masses[GHOSTS - 1 - k]
            inner[k % grid.cells] += masses[k - GHOSTS]
    for side, (wall, place) in enumerate(() if grid.periodic else ((grid.left, grid.low), (grid.right, grid.high))):
        h, beyond = float(grid.widths[-side]), masses[:GHOSTS][::-1] if side == 0 else masses[-GHOSTS:]
        at_wall = float(diffusion(place)) if wall is not None else 1.0
        for k, mass in enumerate(beyond[: grid.cells]):
            weight = image(wall, (2 * k + 1) * h, at_wall)
            inner[-1 - k if side else k] += weight * mass
            absorbed[side] += (1.0 - weight) * mass
    return np.concatenate([absorbed[:1], inner, absorbed[1:]])


def local_means(equation: FokkerPlanck, grid: Grid, samples: Iterable[tuple[Floats, Floats, Floats]]) -> Floats:
    """Means (cells,) of a function about the centres with the B-splines of :func:`start_state`, so that errors from jumps of
    the function are as smooth in h as errors from points. A sample is (places, lengths that the places stand for, values of
    the function). The function is continued evenly beyond the ends."""
    lengths = _lengths(grid, _across(equation, 0), equation.convention.exponent)
    total = np.zeros((2, grid.cells + 2 * GHOSTS))
    for x, length, value in samples:
        total += _shared(grid, lengths, [(x, length)]), _shared(grid, lengths, [(x, length * value)])
    weight, sums = total
    fold = np.arange(-GHOSTS, grid.cells + GHOSTS)
    into = fold % grid.cells if grid.periodic else np.where(fold < 0, -1 - fold, fold)
    into = into if grid.periodic else np.where(into >= grid.cells, 2 * grid.cells - 1 - into, into)
    return np.bincount(into, sums, grid.cells) / np.bincount(into, weight, grid.cells)


def _shared(grid: Grid, lengths: Floats, atoms: list[tuple[Floats, Floats]]) -> Floats:
    """The shares of the cells, and of :data:`GHOSTS` cells beyond each end, in points: (places, masses)."""
    masses = np.zeros(grid.cells + 2 * GHOSTS)
    for x, mass in atoms:
        i, shares = _even_shares(grid, x) if grid.uniform else _shares(grid, lengths, x)
        for shift, share in shares.items():
            masses += np.bincount(i + GHOSTS + shift, mass * share, masses.size)
    return masses


def _lengths(grid: Grid, diffusion: Callable[[ArrayLike], Floats], weight: float) -> Floats:
    """Lengths of the cells in a coordinate in which solutions of the backward equation have no kink, which has
    D^(1-λ) u_x continuous, λ the `weight`: times (D before/D after)^(1-λ) at every face where D jumps."""
    if grid.uniform:
        return grid.widths
    first, last = (diffusion(x) for x in grid.inside_edges)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = (last[:-1] / first[1:]) ** (1.0 - weight)
    steps = np.nan_to_num(steps, nan=1.0, posinf=1.0)
    jump = np.abs(np.log(steps, where=steps > 0.0, out=np.zeros_like(steps))) > 10.0 * BESIDE
    scale = np.cumprod(np.append(1.0, np.where(jump, steps, 1.0)))
    return grid.widths * scale


def _even_shares(grid: Grid, x: Floats) -> tuple[NDArray[np.int64], dict[int, Floats]]:
    """The cells that hold the places `x`, and the shares of the cells from two before to two after them: quartic B-splines."""
    i = np.clip(np.floor((x - grid.low) / grid.h).astype(np.int64), 0, grid.cells - 1)
    return i, _quartic((x - grid.x[i]) / grid.h)


def _quartic(theta: Floats) -> dict[int, Floats]:
    """The quartic B-spline at the centres of five cells, seen from a place `theta` cells behind the middle one's centre."""
    shares: dict[int, Floats] = {0: 115.0 / 192.0 - theta**2 * (0.625 - 0.25 * theta**2)}
    for side in (-1, 1):
        z = side * theta
        shares[side] = (19.0 + z * (44.0 + z * (24.0 - z * (16.0 + 16.0 * z)))) / 96.0
        shares[2 * side] = (1.0 + 2.0 * z) ** 4 / 384.0
    return shares


def _shares(grid: Grid, lengths: Floats, x: Floats) -> tuple[NDArray[np.int64], dict[int, Floats]]:
    """The same for cells of unequal `lengths`: quadratic B-splines, whose Greville abscissae are the centres
    [de Boor 2001, ch. IX], except where five cells are equal."""
    i = np.clip(np.searchsorted(grid.edges, x, side="right") - 1, 0, grid.cells - 1)
    padded = np.pad(lengths, 2, mode="wrap" if grid.periodic else "edge")
    near = np.stack([padded[i + k] for k in range(5)])
    before, here, after = near[1:4]
    part = np.clip((x - grid.edges[i]) / grid.widths[i], 0.0, 1.0)
    low, high = (1.0 - part) ** 2 * here / (before + here), part**2 * here / (here + after)
    shares = {-2: np.zeros_like(low), -1: low, 0: 1.0 - low - high, 1: high, 2: np.zeros_like(low)}
    equal = near.max(axis=0) - near.min(axis=0) < EQUAL * here
    return i, {k: np.where(equal, share, shares[k]) for k, share in _quartic(part - 0.5).items()}


def _atoms(start: Start, grid: Grid) -> list[tuple[Floats, Floats]]:
    """A start as points: (places, masses).

    The shares of a point are quartic in its place in a cell, so three places in each part of a cell stand for a uniform law
    exactly [Gauss]: it is a mixture of points, and errors fall as smoothly as for one wherever its ends lie.
    """
    match start:
        case Point(x):
            return [(np.array([x]), np.ones(1))]
        case Sites():
            return [(np.array(start.x), np.array(start.masses))]
        case Uniform(low, high):
            cuts = np.array([low, *grid.edges[(grid.edges > low) & (grid.edges < high)], high])
            middles, lengths = 0.5 * (cuts[1:] + cuts[:-1]), np.diff(cuts)
            gauss = zip(GAUSS_NODES, GAUSS_WEIGHTS, strict=True)
            return [(middles + 0.5 * node * lengths, weight * lengths / (high - low)) for node, weight in gauss]
        case Normal(mean, sd):
            low, high = max(grid.low, start.support[0]), min(grid.high, start.support[1])
            inner = grid.edges[(grid.edges > low) & (grid.edges < high)]
            cuts = np.unique(np.concatenate([np.linspace(low, high, math.ceil(2.0 * (high - low) / sd) + 1), inner]))
            nodes, weights = np.polynomial.legendre.leggauss(NORMAL_NODES)
            x = 0.5 * (cuts[1:] + cuts[:-1])[:, None] + 0.5 * np.diff(cuts)[:, None] * nodes
            shape = np.exp(-0.5 * ((x - mean) / sd) ** 2) * weights
            total = shape.sum(axis=1, keepdims=True)
            masses = np.diff(start.cdf(cuts))[:, None] * np.divide(
                shape, total, out=np.zeros_like(shape), where=total > 0.0
            )
            return [(x.ravel(), masses.ravel())]
    raise TypeError(f"start = {start}: give a Point, Sites, Uniform or Normal")
