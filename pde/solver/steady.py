"""Stationary laws of equations, by finite differences: masses of cells that the rates between them keep."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from randwalk.inputs.arguments import numbers
from randwalk.inputs.wording import shown
from randwalk.laws.distribution import Distribution
from randwalk.laws.steady import SteadyLaw
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain
from randwalk.model.wall import Reflecting, face_names
from randwalk.terminal.progress import Stages

from ..equation import FokkerPlanck
from ..hitting.balance import stationary
from .arguments import check_memory, checked_tolerance
from .dissection import dissected, factorised
from .fit import fitted
from .grid import Grid
from .levels import on
from .line_density import LineDensity
from .mesh import Mesh
from .mosaic import Mosaic
from .multigrid import solved
from .operator import Operator
from .rates import generator
from .reconstruct import Profile
from .stencil import Stencil
from .window import showing, whole

FIRST: Final = {1: 64, 2: 24, 3: 12}  # cells of the axis with the most, at first
MOST: Final = {1: 2**20, 2: 2**19, 3: 2**20}  # cells
DIRECT: Final = {2: 2**16, 3: 2**13}  # cells up to which a system is factorised
TRIES: Final = 4  # of a cell that is the one of the largest mass
SHARE: Final = 0.4  # of a difference of two levels: of second order a third is left
AT_EDGE: Final = 0.01  # of the tolerance: mass that may be next to the end of a window
LEAST: Final = 1e-25  # of the largest mass, as far as a guess goes
BALANCED: Final = 1e-11  # of the flow of the largest mass: what flows in less what flows out
FLOOR: Final = 1e-40  # of the largest mass: the least by which unknowns are scaled
FAINT: Final = 1e-6  # of the largest mass: below, differences of levels are no small part of it


@dataclass(frozen=True, eq=False, repr=False)
class StationarySolution(SteadyLaw):
    """The stationary law of an equation, as the masses of cells. Made by :func:`randwalk.pde.stationary_law`.

    It is the same at every time, so `t` may be left out; nothing has left.

    Attributes
    ----------
    equation : FokkerPlanck
    mesh : Mesh
        The cells, of every axis.
    density : (cells of each axis) array
        Mass of each cell over its width, area or volume; 0 in regions.
    error_estimate : float
        Estimate of the largest error of P(X ≤ x, Y ≤ y, …) at the corners of cells.
    """

    kind: ClassVar[str] = "finite differences"

    equation: FokkerPlanck
    mesh: Mesh
    density: Floats
    error_estimate: float

    @property
    def domain(self) -> Domain:
        return self.equation.domain

    @property
    def x(self) -> Any:
        """Centres of the cells, (cells,); in several dimensions a tuple of them, one an axis."""
        found = tuple(grid.x for grid in self.mesh.axes)
        return found if self.mesh.dimension > 1 else found[0]

    def _at(self, t: float) -> Distribution:
        masses = self.density * self.mesh.volumes
        return LineDensity(Profile.of(self.mesh.axes[0], masses)) if masses.ndim == 1 else Mosaic(self.mesh, masses)

    def __repr__(self) -> str:
        cells = " × ".join(map(str, self.mesh.shape))
        return f"StationarySolution({cells} cells, error ≈ {self.error_estimate:.1e})"


def steady_law(equation: FokkerPlanck, window: Any, tolerance: float, stages: Stages) -> Iterator[StationarySolution]:
    """The stationary laws of one mesh after another, the last with an error of P(X ≤ x, …) of `tolerance` by estimate; each is
    one of the `stages`. Cells are halved until a solution, or one extrapolated from two, differs little from that of the level
    before."""
    tolerance = checked_tolerance(tolerance)
    if equation.time_dependent:
        raise ValueError("an equation whose coefficients depend on time has no stationary law")
    every, d = _walled(equation, _bounds(equation, window)), equation.dimension
    smooth, most, error = not equation.domain.regions, MOST.get(d, 2**18), math.inf
    cells = showing(every, FIRST.get(d, 8), most)
    levels, richer = [_masses(equation, every.with_cells(cells), None, stages)], list[Floats]()
    while math.prod((mesh := every.with_cells(2 * cells)).shape) <= most:
        check_memory(mesh.shape, 1)
        cells = 2 * cells
        levels.append(_masses(equation, mesh, levels[-1], stages))
        paired = _joined(levels[-1])
        found, error = (mesh, levels[-1]), SHARE * _apart(paired, levels[-2])
        better = np.where(paired > FAINT * paired.max(), (4.0 * paired - levels[-2]) / 3.0, paired)
        if smooth and (better >= 0.0).all():
            richer.append(better / better.sum())
            if len(richer) > 1 and (rich := SHARE * _apart(_joined(richer[-1]), richer[-2])) < error:
                found, error = (every.with_cells(cells // 2), richer[-1]), rich
        beyond = _beyond(equation, *found, max(error, tolerance))
        if not beyond:
            yield StationarySolution(equation, found[0], found[1] / found[0].volumes, error)
        if error <= tolerance:
            if beyond:
                raise ValueError(beyond)
            return
    raise ValueError(
        f"tolerance = {tolerance:g} is out of reach: {error:.2g} was reached; take tolerance = {2.0 * error:.2g}"
    )


def windows_of(window: Any, dimension: int) -> tuple[Any, ...]:
    """The window of each axis, None where none is given."""
    if dimension == 1 or window is None:
        return (window,) * dimension
    given = tuple(window) if np.iterable(window) else ()
    if len(given) != dimension or not all(own is None or np.iterable(own) for own in given):
        raise ValueError(
            f"window = {shown(window)}: give (low, high) for each of {dimension} axes, None for a bounded one"
        )
    return given


def _bounds(equation: FokkerPlanck, window: Any) -> list[tuple[float, float]]:
    """(low, high) of each axis: the domain's ends, those of `window` where it has none."""
    given = windows_of(window, equation.dimension)
    ends = []
    for axis, ((low, high), own) in enumerate(zip(equation.domain.bounds, given, strict=True)):
        if not (math.isfinite(low) and math.isfinite(high)):
            side = face_names(axis)[int(math.isfinite(low))]
            if own is None:
                raise ValueError(
                    f"{equation.domain} is unbounded on the {side}: give window=(low, high), outside which no mass is"
                )
            pair = numbers("window", own)
            if pair.shape != (2,) or not np.isfinite(pair).all() or not pair[0] < pair[1]:
                raise ValueError(f"window = {own!r}: low must be less than high, and both finite")
            low, high = max(low, float(pair[0])), min(high, float(pair[1]))
        if not low < high:
            raise ValueError(
                f"window = {window!r} lies outside {equation.domain}: give (low, high) with its mass between them"
            )
        ends.append((low, high))
    return ends


def _walled(equation: FokkerPlanck, ends: list[tuple[float, float]]) -> Mesh:
    """The mesh between these ends, closed where they are no walls."""
    closed = Reflecting()
    if equation.dimension == 1:
        ((low, high),), line = ends, equation.domain.axes[0]
        if line.periodic:
            return Mesh((fitted(equation, Grid(low, high, FIRST[1], periodic=True), 0.0),), equation.domain)
        left, right = (wall if end == own else closed for wall, end, own in
                       ((line.left, low, line.low), (line.right, high, line.high)))  # fmt: skip
        return Mesh((fitted(equation, Grid(low, high, FIRST[1], left, right), 0.0),), equation.domain)
    mesh = whole(equation, ends)
    return replace(mesh, axes=tuple(
        grid if grid.periodic else replace(grid, left=grid.left or closed, right=grid.right or closed) for grid in mesh.axes
    ))  # fmt: skip


def _masses(equation: FokkerPlanck, mesh: Mesh, before: Floats | None, stages: Stages) -> Floats:
    """The masses of the cells, which sum to 1; those `before` are of a mesh with half as many cells."""
    advance = stages(on(mesh.shape), 1.0)
    if mesh.dimension == 1:
        chain = Stencil(equation, mesh.axes[0]).chain(0.0)
        up, down = chain.up[1:-1].copy(), chain.down[1:-1].copy()
        ring = mesh.axes[0].periodic
        _check_kept(equation, chain.drains or (not ring and (down[0] > 0.0 or up[-1] > 0.0)))
        largest = max(up.max(), down.max())
        return stationary(up / largest, down / largest)
    g = generator(Operator(equation, mesh))
    live = mesh.index[mesh.live]
    inner = g[live][:, live].tocsr()
    _check_kept(equation, bool(np.abs(inner.sum(axis=1)).max() > 1e-9 * np.abs(inner.diagonal()).max()))
    parts, _ = csgraph.connected_components(inner, directed=True, connection="strong")
    if parts > 1:
        raise ValueError(
            f"{equation.domain} has {parts} separate parts: each has a stationary law; give the equation on one part"
        )
    places = np.argwhere(mesh.live)
    guess = 1.0 / (1.0 + ((places - places.mean(axis=0)) ** 2).sum(axis=1))  # the middle is fixed first
    if before is not None:
        guess = np.exp(_finer(np.log(np.maximum(before, LEAST * before.max()))))[mesh.live]
    masses = np.zeros(mesh.shape)
    masses[mesh.live] = _null_vector((-inner).T.tocsr(), guess, places)
    advance(1.0)
    return masses


def _finer(values: Floats) -> Floats:
    """Values of cells half as long, on straight lines between those given."""
    for a in range(values.ndim):
        along = np.moveaxis(values, a, 0)
        slopes = 0.25 * np.gradient(along, axis=0)
        values = np.moveaxis(np.stack([along - slopes, along + slopes], axis=1).reshape(-1, *along.shape[1:]), 0, a)
    return values


def _check_kept(equation: FokkerPlanck, lost: bool) -> None:
    if lost:
        raise ValueError(f"mass is lost ({equation.domain}, killing {equation.killing}), so no law is stationary")


def _null_vector(flow: sparse.csr_array, guess: Floats, places: Any) -> Floats:
    """The solution of `flow` m = 0 with Σ m = 1, near a `guess` by which the unknowns are scaled. The cell of the largest mass is
    fixed, so that no digits are lost."""
    for _ in range(TRIES):
        fixed = int(np.argmax(guess))
        rest = np.delete(np.arange(guess.size), fixed)
        found = np.ones(guess.size)
        if guess.size <= DIRECT.get(places.shape[1], 2**13):
            solution = factorised(flow[rest][:, rest].tocsr(), dissected(places[rest]))
            found[rest] = solution(-flow[rest][:, [fixed]].toarray().ravel(), False)
        else:
            scale = np.maximum(guess / guess[fixed], FLOOR)
            scaled = (flow @ sparse.diags_array(scale)).tocsr()
            given = -scaled[rest][:, [fixed]].toarray().ravel()
            ratio = solved(scaled[rest][:, rest].tocsr(), given, places[rest], np.ones(rest.size), BALANCED)
            if ratio is None:
                raise ValueError("the sparse system did not converge: take a larger tolerance")
            found[rest] = ratio * scale[rest]
        found = np.maximum(found, 0.0)
        if np.argmax(found) == fixed:
            break
        guess = np.maximum(found, LEAST * found.max())
    return np.asarray(found / found.sum())


def _joined(masses: Floats) -> Floats:
    """The masses of cells twice as long."""
    for a in range(masses.ndim):
        masses = np.add.reduceat(masses, np.arange(0, masses.shape[a], 2), axis=a)
    return masses


def _apart(one: Floats, other: Floats) -> float:
    """The largest difference of P(X ≤ x, …) at corners."""
    difference = one - other
    for a in range(difference.ndim):
        difference = np.cumsum(difference, axis=a)
    return float(np.abs(difference).max())


def _beyond(equation: FokkerPlanck, mesh: Mesh, masses: Floats, tolerance: float) -> str:
    """What is told of a window that holds mass at an end; empty if none does."""
    for axis, (low, high) in enumerate(equation.domain.bounds):
        for side, end, name in ((0, low, "low"), (-1, high, "high")):
            if not math.isfinite(end) and not mesh.axes[axis].periodic:
                edge = float(np.take(masses, side, axis=axis).sum())
                if edge > AT_EDGE * tolerance:
                    return f"the {name} end of the window of axis {axis} holds a mass of {edge:.2g}: widen it"
    return ""
