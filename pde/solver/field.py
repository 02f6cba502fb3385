"""Functions of the starting place in several dimensions: expectations of a payoff, mean exit times, exit probabilities.

They are solved with the transpose of the operator of :mod:`randwalk.pde.solver.operator`, so that the duality with the forward
equation holds to rounding. Without time they are the solutions of one sparse system: an M-matrix, whose rows are rates.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse
from scipy.interpolate import NdBSpline, make_interp_spline
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

from randwalk.inputs.arguments import finite_numbers, numbers
from randwalk.model.coefficient import ZERO, Coefficient, Floats
from randwalk.model.start import Product, Uniform

from ..equation import FokkerPlanck
from ..pace import PILOT_STEPS
from .arguments import check_memory
from .mesh import Mesh
from .multigrid import solved
from .operator import Operator
from .refine import SMALLEST, Needs, even, refined
from .schemes import ROUNDING, SDIRK2, Clock, march
from .window import find_mesh, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAK: Final = 1e-10  # mass that may leave the window of an unbounded domain
SAMPLES: Final = {2: 8, 3: 4}  # of the payoff along each axis of a cell; 2 in more dimensions
CONTINUED: Final = 16  # cells into a region, of which a spline beside it sees 0.27^16 of what lies farther
WRAPPED: Final = 6  # cells beyond the seam of a ring
DIRECT: Final = {2: 2**16, 3: 2**13}  # cells up to which a system is factorised
FIRST: Final = {2: 32, 3: 12}  # cells of the axis with the most, at first
MOST: Final = {2: 2**20, 3: 5 * 2**19}  # cells
AFTER: Final = 4  # times as many cells along an axis as at first should fit, for an extrapolation of extrapolations
CORNER: Final = 1.0 / 8.0  # of the widths: nearer than that to two faces, errors do not count
STUCK: Final = 0.9
AROUND: Final = 5  # cells, of the coarser of two meshes
OF_DIFFERENCE: Final = {
    False: 0.4,
    True: 0.8,
}  # between faces, and with regions whose walls absorb, where orders are lower


@dataclass(frozen=True, eq=False, repr=False)
class BackwardField:
    """A function u of the starting place, at the centres of the cells of a mesh.

    Attributes
    ----------
    equation : FokkerPlanck
    mesh : Mesh
    u : (cells of each axis) array
        NaN where a region is.
    differences : (cells of each axis) array
        An estimate of the error at each cell.
    error_estimate : float
        The largest error (in the units of u) at places that are not nearer than an eighth of the width to two faces: where two
        faces meet that pay differently u jumps.
    quantity : str
        What u is.
    """

    equation: FokkerPlanck
    mesh: Mesh
    u: Floats
    differences: Floats
    error_estimate: float
    quantity: str

    @property
    def x(self) -> Any:
        """Centres of the cells, a tuple of (cells,) arrays, one an axis."""
        return tuple(grid.x for grid in self.mesh.axes)

    def value(self, x: ArrayLike | tuple[ArrayLike, ...]) -> Floats:
        """u at a point, of the shape to which its coordinates broadcast; a cubic spline through the cells."""
        return self._at(x, self._spline)

    def error(self, x: ArrayLike | tuple[ArrayLike, ...]) -> Floats:
        """The estimated error of u at a point."""
        return np.abs(self._at(x, _spline(self.mesh, self.differences, 1)))

    def _at(self, x: Any, spline: NdBSpline) -> Floats:
        given = np.broadcast_arrays(*(finite_numbers("x", place) for place in x))
        if len(given) != self.mesh.dimension:
            raise ValueError(f"x has {len(given)} coordinates: give a tuple of {self.mesh.dimension}, one an axis")
        places = []
        for grid, place in zip(self.mesh.axes, given, strict=True):
            slack = 1e-9 * (grid.high - grid.low)
            on = grid.low + np.mod(place - grid.low, grid.high - grid.low) if grid.periodic else place
            if (on < grid.low - slack).any() or (on > grid.high + slack).any():
                raise ValueError(
                    f"x = {place.min():g} … {place.max():g}: the solution was made from {grid.low:g} to {grid.high:g}; see over="
                )
            places.append(on)
        values = np.asarray(spline(np.stack(places, axis=-1)))
        if self.mesh.domain.regions:
            inside = self.mesh.domain.region_at(tuple(given)) < 0
            values = np.where(inside, values, math.nan)
        return values

    @cached_property
    def _spline(self) -> NdBSpline:
        return _spline(self.mesh, self.u, 3)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw u over the starting place in the plane, on `ax` or on new axes, which are returned."""
        if self.mesh.dimension != 2:
            raise ValueError(f"a map has two axes and the domain {self.mesh.dimension}: draw value(x) along a line")
        import matplotlib.pyplot as plt

        ax = plt.subplots()[1] if ax is None else ax
        first, second = (grid.edges for grid in self.mesh.axes)
        drawn = ax.pcolormesh(first, second, self.u.T, cmap="cividis")
        ax.figure.colorbar(drawn, ax=ax, label=self.quantity)
        ax.set(xlabel="start x", ylabel="start y", aspect="equal")
        return ax

    def __repr__(self) -> str:
        cells = " × ".join(map(str, self.mesh.shape))
        return f"BackwardField({self.quantity}, {cells} cells, error ≈ {self.error_estimate:.1e})"


def field_backward(
    equation: FokkerPlanck,
    payoff: Coefficient,
    time: float,
    tolerance: float,
    paid: Mapping[str, float],
    over: tuple[tuple[float, float], ...] | None,
) -> BackwardField:
    """E[f(X_T); alive] + Σ paid P(absorbed there), by starting place: :func:`randwalk.pde.backward.backward`."""
    starts = over or equation.start.bounds
    posed = equation if over is None else equation.with_start(Product(tuple(Uniform(*ends) for ends in over)))
    mesh = _placed(find_mesh(posed, np.array([time]), LEAK), starts)
    needs = Needs.on_mesh(equation, np.array([time]), SDIRK2(), mesh, posed.start).mirrored()
    family = _Backward(equation, mesh, payoff, paid, time, starts)
    scale = max(_size(family.run(even(max(2 * needs.first, needs.cells)), needs.clock(PILOT_STEPS)), starts), SMALLEST)
    found = refined(family, needs, tolerance, scale)
    return replace(found.solution.field, error_estimate=float(found.errors.max()))


def field_steady(
    equation: FokkerPlanck, source: float, paid: Mapping[str, float], quantity: str, tolerance: float
) -> BackwardField:
    """The solution of a·∇u + D:∇∇u - κu = -`source` with u = `paid` on leaving, to a `tolerance` relative to the largest u.

    Cells are halved until a solution, or an extrapolated one, differs little from that of the level before: its error is taken
    as :data:`OF_DIFFERENCE`, where second order leaves a third, or with other regions as all of it.
    """
    smooth = all(math.isinf(region.wall.reactivity) and shape.distance is not None
                 for region, shape in zip(equation.domain.regions, equation.domain.sets, strict=True))  # fmt: skip
    share = OF_DIFFERENCE[bool(equation.domain.regions)] if smooth else 1.0
    every, most = whole(equation), MOST.get(equation.dimension, 2**18)
    cells = _first_cells(every, most)
    levels, richer, reached = (
        [_solved(equation, every.with_cells(cells), source, paid, quantity)],
        list[BackwardField](),
        math.inf,
    )
    largest = math.inf if source else max(paid.values())
    error = math.inf
    while math.prod((mesh := every.with_cells(cells := 2 * cells)).shape) <= most:
        check_memory(mesh.shape, 1)
        levels.append(_solved(equation, mesh, source, paid, quantity))
        pairs, scale = [levels[-2:]], float(np.nanmax(np.abs(levels[-1].u)))
        if smooth:
            richer.append(_extrapolated(levels[-1], levels[-2]))
            pairs += (
                [richer[-2:]]
                if len(richer) > 1 and 0.0 <= np.nanmin(richer[-1].u) <= np.nanmax(richer[-1].u) <= largest
                else []
            )
        found = min((_compared(fine, coarse, share) for coarse, fine in pairs), key=lambda field: field.error_estimate)
        if found.error_estimate <= tolerance * scale:
            return found
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


def _odd(cells: float) -> int:
    """An odd number, of which and of whose doubles the mesh keeps the proportions of its axes."""
    return 2 * round(0.5 * cells) + 1


def _compared(fine: BackwardField, coarse: BackwardField, share: float) -> BackwardField:
    """`fine` with its errors, a `share` of the differences from `coarse`: at each cell the largest of those around, and at least
    a quarter of the largest of all, since a difference passes through 0 where its sign changes."""
    wrong = np.where(coarse.mesh.live, share * np.abs(_means(fine) - coarse.u), 0.0)
    wrong = np.where(np.isnan(wrong), 0.0, wrong)
    error = float(np.where(_corners(coarse.mesh), 0.0, wrong).max())
    wrong = np.maximum(ndimage.maximum_filter(wrong, AROUND), 0.25 * error)
    for a in range(fine.mesh.dimension):
        wrong = np.repeat(wrong, 2, axis=a)
    return replace(fine, differences=wrong, error_estimate=error)


def check_open(equation: FokkerPlanck, wall: str) -> None:
    """Refuse an exit that nobody takes."""
    equation.domain.exit(wall)
    if wall not in equation.domain.open_exits(equation.killing != ZERO):
        raise ValueError(f"wall = {wall!r}: nobody leaves {equation.domain} there; take another wall")


def ranges_of(equation: FokkerPlanck, over: Any) -> tuple[tuple[float, float], ...]:
    """A range of starts for each axis."""
    ends = numbers("over", over)
    if ends.shape != (equation.dimension, 2) or not np.isfinite(ends).all() or not (ends[:, 0] < ends[:, 1]).all():
        raise ValueError(
            f"over = {over}: give an increasing pair of finite numbers for each of {equation.dimension} axes"
        )
    return tuple((float(low), float(high)) for low, high in ends)


def generator(operator: Operator, t: float = 0.0) -> sparse.csr_array:
    """(Gu)_i = Σ rate (u_to - u_from) over all moves of the chains at a time, on states."""
    return _generator(operator, [chain.moves for chain in operator.chains(t)])


def _generator_at_walls(operator: Operator) -> sparse.csr_array:
    """The same with differences of second order beside absorbing walls of regions, which are not the transpose of the forward
    ones."""
    moves = []
    for k, chain in enumerate(operator.chains(0.0)):
        begin, end, rate = chain.moves
        moved = end < operator.mesh.size
        moves.append((begin, end, np.where(moved, rate / operator.spans(k)[begin], rate)))
    return _generator(operator, moves)


def _generator(operator: Operator, moves: list[tuple[Any, Any, Floats]]) -> sparse.csr_array:
    size = operator.mesh.size + 1
    begin, end, rate = (np.concatenate(parts) for parts in zip(*moves, strict=True))
    entries = np.concatenate([rate, -rate]), (np.concatenate([begin, begin]), np.concatenate([end, begin]))
    return sparse.coo_array(entries, (size, size)).tocsr()


def _solved(
    equation: FokkerPlanck, mesh: Mesh, source: float, paid: Mapping[str, float], quantity: str
) -> BackwardField:
    """u on one mesh."""
    g = _generator_at_walls(Operator(equation, mesh))
    live = mesh.index[mesh.live]
    _check_exit(g, mesh, quantity)
    known = np.zeros(mesh.size + 1)
    for exit, cells in mesh.resting:
        known[cells] = paid.get(mesh.exits[exit], 0.0)
    known[-1] = paid.get("killing", 0.0)
    found = np.full(mesh.shape, math.nan)
    found[mesh.live] = _sparse_solution(-g[live][:, live], source + (g[live] @ known), np.argwhere(mesh.live))
    return BackwardField(equation, mesh, found, np.zeros(mesh.shape), math.nan, quantity)


def _sparse_solution(matrix: sparse.csr_array, b: Floats, places: NDArray[np.int64]) -> Floats:
    """The solution for an M-matrix of cells at `places` (n, d) of a mesh: by factors, or by iterations of very many."""
    if b.size <= DIRECT.get(places.shape[1], 2**13):
        return np.asarray(splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A").solve(b))
    found = solved(matrix, b, places)
    if found is None:
        raise ValueError("the sparse system did not converge: take a larger tolerance")
    return found


def _check_exit(g: sparse.csr_array, mesh: Mesh, quantity: str) -> None:
    """Refuse a domain, or a part of it, that nobody ever leaves."""
    _, label = csgraph.connected_components(g, directed=True, connection="weak")
    out = np.concatenate([*(cells for _, cells in mesh.resting), [mesh.size]])
    found = ~np.isin(label[mesh.index], label[out]) & mesh.live
    if found.any():
        at = tuple(int(k[0]) for k in np.nonzero(found))
        place = ", ".join(f"{float(grid.x[k]):.4g}" for grid, k in zip(mesh.axes, at, strict=True))
        raise ValueError(
            f"{quantity}: nobody ever leaves {mesh.domain} from ({place}); give it an absorbing wall, or killing"
        )


@dataclass(frozen=True)
class _Level:
    """A solution on one mesh; `redone` where steps were made again to keep the sign."""

    field: BackwardField
    redone: bool


@dataclass(frozen=True)
class _Backward:
    """The backward problems of an equation on the window of a mesh, as a family that :func:`refined` climbs."""

    equation: FokkerPlanck
    mesh: Mesh
    payoff: Coefficient
    paid: Mapping[str, float]
    time: float
    asked: tuple[tuple[float, float], ...]

    def run(self, cells: int, clock: Clock) -> _Level:
        mesh, time = self.mesh.with_cells(cells), self.time
        check_memory(mesh.shape, 1)
        operator, final = Operator(self.equation, mesh), np.zeros(mesh.size + 1)
        mean = _cell_means(self.payoff, mesh, time)
        padded = np.pad(mean, 1, mode="edge")  # past a cut, the payoff stays
        final[:-1] = padded.ravel()
        for exit, cells_of in mesh.resting:
            if not mesh.cut[exit]:
                final[cells_of] = self.paid.get(mesh.exits[exit], 0.0)
        final[-1] = self.paid.get("killing", 0.0)
        parts = [_reversed(apply, time) for apply in operator.backward]

        def last(floor: float) -> Floats:
            ((_, _, state),) = deque(march(SDIRK2(), parts, final, clock, floor), maxlen=1)
            return state

        state, floor = last(-math.inf), min(float(final.min()), 0.0)
        redone = bool(state.min() < floor - ROUNDING * np.abs(state).max())
        state = last(floor) if redone else state
        u = np.where(mesh.live, mesh.inner(state), math.nan)
        field = BackwardField(self.equation, mesh, u, np.zeros(mesh.shape), math.nan, "E[f(X_T) | X_0 = x]")
        return _Level(field, redone)

    def difference(self, fine: _Level, coarse: _Level) -> Floats:
        """The largest difference at the cells of `coarse`, in the range of starts that is asked for."""
        wrong = np.abs(_means(fine.field, coarse.field.mesh) - coarse.field.u)
        return np.array([np.nanmax(np.where(_within(coarse.field.mesh, self.asked), wrong, 0.0))])

    def extrapolated(self, fine: _Level, coarse: _Level) -> _Level:
        """As :func:`_extrapolated`, where no region is."""
        if self.mesh.domain.regions:
            return fine
        return _Level(_extrapolated(fine.field, coarse.field), fine.redone or coarse.redone)

    def usable(self, level: _Level) -> bool:
        return not level.redone and not self.mesh.domain.regions


def _extrapolated(fine: BackwardField, coarse: BackwardField) -> BackwardField:
    """(4 fine - coarse)/3 at the cells of `fine`, from differences at those of `coarse`, by a cubic spline."""
    more = _spline(coarse.mesh, (_means(fine, coarse.mesh) - coarse.u) / 3.0, 3)
    return replace(fine, u=fine.u + more(np.stack(np.meshgrid(*fine.x, indexing="ij"), axis=-1)))


def _reversed(apply: Callable[[float, float, Floats], Floats], time: float) -> Callable[[float, float, Floats], Floats]:
    return lambda tau, elapsed, u: apply(tau, time - elapsed, u)


def _cell_means(payoff: Coefficient, mesh: Mesh, time: float) -> Floats:
    """The means of the payoff over the cells."""
    count = SAMPLES.get(mesh.dimension, 2)
    total: Any = np.zeros(mesh.shape)
    parts = (np.arange(count) + 0.5) / count - 0.5
    for shift in np.stack(np.meshgrid(*(parts,) * mesh.dimension), axis=-1).reshape(-1, mesh.dimension):
        point = tuple(x + s * h for x, s, h in zip(mesh.centres, shift, mesh.spacings, strict=True))
        total = total + payoff(point, time)
    if not np.isfinite(total[mesh.live]).all():
        raise ValueError("payoff is not a finite number everywhere: give one that is")
    return np.where(mesh.live, total / count**mesh.dimension, 0.0)


def _means(fine: BackwardField, coarse: Mesh | None = None) -> Floats:
    """u of a finer mesh at the centres of one with half the cells (or with as many): by the cubic through the cells along each
    axis, beside an end or a region as a parabola."""
    values = fine.u
    for a, grid in enumerate(fine.mesh.axes):
        if coarse is not None and coarse.shape[a] == grid.cells:
            continue
        cells = np.moveaxis(values, a, 0)
        nothing = np.full_like(cells[:1], math.nan)
        wide = np.concatenate([cells[-1:], cells, cells[:1]] if grid.periodic else [nothing, cells, nothing])
        wide = _onward(wide, (0,))
        pairs = (9.0 * (wide[1:-1:2] + wide[2::2]) - wide[0:-2:2] - wide[3::2]) / 16.0
        plain = 0.5 * (cells[0::2] + cells[1::2])
        values = np.moveaxis(np.where(np.isnan(pairs), plain, pairs), 0, a)
    return values


def _onward(values: Floats, axes: Iterable[int], order: int = 3) -> Floats:
    """The values with those that are not known, next to three or four along one of the axes that are, continued as a parabola or,
    at `order` 4, a cubic."""
    total, count = np.zeros(values.shape), np.zeros(values.shape)
    for a in axes:
        for turn in (slice(None), slice(None, None, -1)):
            along, sums, counts = (np.moveaxis(x, a, 0)[turn] for x in (values, total, count))
            onward = 3.0 * along[1:-2] - 3.0 * along[2:-1] + along[3:]
            if order == 4:
                cubic = onward[:-1] - np.diff(along[1:], n=3, axis=0)
                onward[:-1] = np.where(np.isnan(cubic), onward[:-1], cubic)
            found = np.isnan(along[:-3]) & ~np.isnan(onward)
            sums[:-3][found] += onward[found]
            counts[:-3][found] += 1.0
    return np.where(count > 0.0, total / np.maximum(count, 1.0), values)


def _spline(mesh: Mesh, u: Floats, degree: int) -> NdBSpline:
    """The spline through the values at the centres; those that are not known, in regions, go on from those around."""
    if np.isnan(u).any():
        for _ in range(CONTINUED if degree > 1 else 0):
            u = _onward(u, range(mesh.dimension), 4)
        nearest = ndimage.distance_transform_edt(np.isnan(u), return_distances=False, return_indices=True)
        u = u[tuple(nearest)]
    knots: list[Floats] = []
    for a, grid in enumerate(mesh.axes):
        values, x = np.moveaxis(u, a, 0), grid.x
        if grid.periodic:
            values = np.concatenate([values[-WRAPPED:], values, values[:WRAPPED]])
            x = np.concatenate([x[-WRAPPED:] - (grid.high - grid.low), x, x[:WRAPPED] + (grid.high - grid.low)])
        made = make_interp_spline(x, values, k=degree)
        u = np.moveaxis(made.c, 0, a)
        knots.append(made.t)
    return NdBSpline(tuple(knots), u, degree, extrapolate=True)


def _placed(mesh: Mesh, starts: tuple[tuple[float, float], ...]) -> Mesh:
    """The mesh with ends that hold all starts."""
    ends = [(min(g.low, low), max(g.high, high)) for g, (low, high) in zip(mesh.axes, starts, strict=True)]
    return mesh.with_ends(ends)


def _within(mesh: Mesh, asked: tuple[tuple[float, float], ...]) -> NDArray[np.bool_]:
    """The cells in, or next to, the range that is asked for."""
    inside: NDArray[np.bool_] = np.ones(mesh.shape, dtype=bool)
    for grid, x, (low, high) in zip(mesh.axes, mesh.centres, asked, strict=True):
        inside = inside & (x >= low - grid.h) & (x <= high + grid.h)
    return inside


def _corners(mesh: Mesh) -> NDArray[np.bool_]:
    """The cells near two faces."""
    near: Any = np.zeros(mesh.shape, dtype=np.int64)
    for grid, x in zip(mesh.axes, mesh.centres, strict=True):
        if not grid.periodic:
            width = CORNER * (grid.high - grid.low)
            near = near + ((x - grid.low < width) | (grid.high - x < width))
    return np.asarray(near > 1)


def _size(level: _Level, asked: tuple[tuple[float, float], ...]) -> float:
    return float(np.nanmax(np.where(_within(level.field.mesh, asked), np.abs(level.field.u), 0.0)))
