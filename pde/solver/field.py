"""Mean exit times and exit probabilities in several dimensions, as functions of the starting place: solutions of one sparse
system, an M-matrix, whose rows are the rates of :mod:`randwalk.pde.solver.operator`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from randwalk.model.coefficient import ZERO, Floats
from randwalk.terminal.progress import Stages

from ..equation import FokkerPlanck
from .arguments import check_memory
from .backward_family import around, extrapolated
from .backward_solution import BackwardSolution
from .dissection import dissected, factorised
from .levels import on
from .mesh import Mesh
from .multigrid import solved
from .operator import Operator
from .rates import generator_at_walls
from .splines import means
from .window import crossed, showing, whole

DIRECT: Final = {2: 2**16, 3: 2**13}  # cells up to which a system is factorised
FIRST: Final = {2: 32, 3: 12}  # cells of the axis with the most, at first
MOST: Final = {2: 2**20, 3: 5 * 2**19}  # cells
AFTER: Final = 4  # times as many cells along an axis as at first should fit, for an extrapolation of extrapolations
ACROSS: Final = 2.0  # diagonals of the first cells, where so many fit, from one side of the smallest ball to the other
CORNER: Final = 1.0 / 8.0  # of the widths: nearer than that to two faces, errors do not count
STUCK: Final = 0.9
FALL: Final = 2.0  # of a difference of two levels to the next where walls that absorb in part may have corners
SURE: Final = 1e-9  # of the largest value: an error so small is rounding
OF_DIFFERENCE: Final = {
    False: 0.4,
    True: 0.8,
}  # between faces, and with regions whose walls absorb, where orders are lower


def field_steady(
    equation: FokkerPlanck, source: float, paid: Mapping[str, float], quantity: str, tolerance: float, stages: Stages
) -> Iterator[BackwardSolution]:
    """The solutions of a·∇u + D:∇∇u - κu = -`source` with u = `paid` on leaving, on one mesh after another, up to a `tolerance`
    relative to the largest u; each is one of the `stages`.

    Cells are halved until a solution, or an extrapolated one, differs little from that of the level before: its error is taken
    as :data:`OF_DIFFERENCE`, where second order leaves a third, or with other regions as all of it; more where the first cells
    show little of the smallest ball. Where these may meet in corners, in whose cells the area of a wall is of first order, two
    levels may agree by chance: a third one says so.
    """
    smooth = all(math.isinf(region.wall.reactivity) and shape.level is not None
                 for region, shape in zip(equation.domain.regions, equation.domain.sets, strict=True))  # fmt: skip
    share = OF_DIFFERENCE[bool(equation.domain.regions)] if smooth else 1.0
    every, most = whole(equation), MOST.get(equation.dimension, 2**18)
    cells = _resolving(every, showing(every, _first_cells(every, most), most), most)
    share *= max(1.0, ACROSS / (cells * every.smallest_ball))
    every = replace(every, crossed=crossed(equation, every.with_cells(AFTER * cells)))
    level = partial(_solved, equation, source, paid, quantity, stages)
    levels, richer, reached = [level(every.with_cells(cells))], list[BackwardSolution](), math.inf
    cornered = not smooth and sum(len(region.shape.leaves) for region in equation.domain.regions) > 1
    differed = math.inf
    largest = math.inf if source else max(paid.values())
    error = math.inf
    while math.prod((mesh := every.with_cells(cells := 2 * cells)).shape) <= most:
        check_memory(mesh.shape, 1)
        levels.append(level(mesh))
        pairs, scale = [levels[-2:]], float(np.nanmax(np.abs(levels[-1].u)))
        if smooth:
            richer.append(extrapolated(levels[-1], levels[-2]))
            pairs += (
                [richer[-2:]]
                if len(richer) > 1 and 0.0 <= np.nanmin(richer[-1].u) <= np.nanmax(richer[-1].u) <= largest
                else []
            )
        found = min((_compared(fine, coarse, share) for coarse, fine in pairs), key=lambda field: field.error_estimate)
        if cornered:
            differed, before = found.error_estimate, differed
            if math.isfinite(before):
                found = _no_less(found, before / FALL)
            elif math.prod(every.with_cells(2 * cells).shape) <= most:
                continue
        yield found
        if found.error_estimate <= tolerance * scale:
            return
        error = found.error_estimate
        if error > STUCK * reached:
            break
        reached = error
    raise ValueError(
        f"tolerance = {tolerance:g} is out of reach: {min(error, reached) / scale:.2g} was reached; take tolerance = "
        f"{2.0 * min(error, reached) / scale:.2g}"
    )


def _first_cells(mesh: Mesh, most: int) -> int:
    """The cells of the axis with the most to begin with: as many that the one with the fewest has enough, if finer meshes fit."""
    first = FIRST.get(mesh.dimension, 12)
    wanted = [(grid.high - grid.low) / length for grid, length in zip(mesh.axes, mesh.lengths, strict=True)]
    ratio = max(wanted) / min(wanted)
    if ratio < 2.0:
        return first
    cells = first * ratio
    while cells > first and math.prod(mesh.with_cells(AFTER * _odd(cells)).shape) > most:
        cells *= 0.8
    return _odd(max(cells, first))


def _resolving(mesh: Mesh, cells: int, most: int) -> int:
    """So many `cells`, or more, that the smallest ball is :data:`ACROSS` diagonals of a cell wide, if twice as many fit: around a
    smaller one two levels are alike by chance."""
    wanted = _odd(ACROSS / mesh.smallest_ball)
    while wanted > cells and math.prod(mesh.with_cells(2 * wanted).shape) > most:
        wanted = _odd(0.8 * wanted)
    return max(cells, wanted)


def _odd(cells: float) -> int:
    """An odd number, of which and of whose doubles the mesh keeps the proportions of its axes."""
    return 2 * round(0.5 * cells) + 1


def _compared(fine: BackwardSolution, coarse: BackwardSolution, share: float) -> BackwardSolution:
    """`fine` with its errors, a `share` of the differences from `coarse`: at each cell the largest of those around, and at least
    a quarter of the largest of all."""
    wrong = np.where(coarse.mesh.live, share * np.abs(means(fine.u, fine.mesh) - coarse.u), 0.0)
    wrong = np.where(np.isnan(wrong), 0.0, wrong)
    error = max(float(np.where(_corners(coarse.mesh), 0.0, wrong).max()), SURE * float(np.nanmax(np.abs(fine.u))))
    return fine.judged(error, np.maximum(around(wrong), 0.25 * error))


def _no_less(found: BackwardSolution, error: float) -> BackwardSolution:
    """`found` with errors that are larger in proportion, the largest of them at least `error`."""
    more = max(1.0, error / found.error_estimate)
    return found.judged(more * found.error_estimate, more * found.differences)


def check_open(equation: FokkerPlanck, wall: str) -> None:
    """Refuse an exit that nobody takes."""
    equation.domain.exit(wall)
    if wall not in equation.domain.open_exits(equation.killing != ZERO):
        raise ValueError(f"wall = {wall!r}: nobody leaves {equation.domain} there; take another wall")


def _solved(
    equation: FokkerPlanck, source: float, paid: Mapping[str, float], quantity: str, stages: Stages, mesh: Mesh
) -> BackwardSolution:
    """u on one mesh."""
    advance = stages(on(mesh.shape), 1.0)
    g = generator_at_walls(Operator(equation, mesh))
    live = mesh.index[mesh.live]
    _check_exit(g, mesh, quantity)
    known = np.zeros(mesh.states)
    for exit, cells in mesh.resting:
        known[cells] = paid.get(mesh.exits[exit], 0.0)
    known[mesh.size :] = [paid.get(mesh.exits[exit], 0.0) for exit in mesh.drains]
    found = np.full(mesh.shape, math.nan)
    found[mesh.live] = _sparse_solution(-g[live][:, live], source + (g[live] @ known), np.argwhere(mesh.live))
    advance(1.0)
    return BackwardSolution.of(equation, mesh, found, np.empty(0), None, quantity)


def _sparse_solution(matrix: sparse.csr_array, b: Floats, places: NDArray[np.int64]) -> Floats:
    """The solution for an M-matrix of cells at `places` (n, d) of a mesh: by factors, or by iterations of very many."""
    if b.size <= DIRECT.get(places.shape[1], 2**13):
        return factorised(matrix, dissected(places))(b, False)
    found = solved(matrix, b, places)
    if found is None:
        raise ValueError("the sparse system did not converge: take a larger tolerance")
    return found


def _check_exit(g: sparse.csr_array, mesh: Mesh, quantity: str) -> None:
    """Refuse a domain, or a part of it, that nobody ever leaves."""
    _, label = csgraph.connected_components(g, directed=True, connection="weak")
    out = np.concatenate([*(cells for _, cells in mesh.resting), np.arange(mesh.size, mesh.states)])
    found = ~np.isin(label[mesh.index], label[out]) & mesh.live
    if found.any():
        at = tuple(int(k[0]) for k in np.nonzero(found))
        place = ", ".join(f"{float(grid.x[k]):.4g}" for grid, k in zip(mesh.axes, at, strict=True))
        regions = mesh.domain.regions
        unmet = [region.name for region in regions[1:] if region.wall.reactivity > 0.0]
        first = f", or, as the first of regions that overlap counts, take {unmet[0]!r} out first" if unmet else ""
        raise ValueError(
            f"{quantity}: nobody ever leaves {mesh.domain} from ({place}); give it an absorbing wall, or killing{first}"
        )


def _corners(mesh: Mesh) -> NDArray[np.bool_]:
    """The cells near two faces."""
    near: Any = np.zeros(mesh.shape, dtype=np.int64)
    for grid, x in zip(mesh.axes, mesh.centres, strict=True):
        if not grid.periodic:
            width = CORNER * (grid.high - grid.low)
            near = near + ((x - grid.low < width) | (grid.high - x < width))
    return np.asarray(near > 1)
