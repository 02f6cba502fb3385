"""The finite-volume operator: a Fokker–Planck equation on a uniform grid, as a birth–death chain between cells.

The flux J = aρ - (Dρ)_x = Bρ - Dρ_x, B = a - D_x, through the face between cells i and i+1 is the Scharfetter–Gummel
(Chang–Cooper) one, the exact flux of a steady current over a cell with constant coefficients [Scharfetter & Gummel 1969;
Chang & Cooper 1970]:

    J = (D/h) (β(-w) ρ_i - β(w) ρ_(i+1)),    β(w) = w/(e^w - 1),    w = ∫ B/D dx from centre to centre.

It reads as jump rates, (D/h²) β(-w) to the right and (D/h²) β(w) to the left: never negative for any drift, so the matrix
I - τA is an M-matrix, its columns sum to 1 (mass is conserved to rounding), and without a current ρ_(i+1)/ρ_i = e^w, the
equilibrium itself. Walls are faces, half a cell from the nearest centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from randwalk.coefficient import Coefficient, Floats
from randwalk.domain import Absorbing, PartiallyAbsorbing, Reflecting, Wall
from randwalk.start import Normal, Point, Sites, Start, Uniform

from .equation import FokkerPlanck
from .tridiagonal import Cyclic, Tridiagonal

GAUSS_NODES: Final = np.array(
    [-math.sqrt(0.6), 0.0, math.sqrt(0.6)]
)  # ∫ B/D to sixth order; the middle node is the face
GAUSS_WEIGHTS: Final = np.array([5.0, 8.0, 5.0]) / 18.0
OUTLETS: Final = ("left", "right", "killing")  # where mass leaves the cells, in the order in which it is counted


@dataclass(frozen=True)
class Grid:
    """`cells` equal cells from `low` to `high`; `left` and `right` are the walls there, None where a window cuts an
    unbounded or unreached part off (mass that crosses the cut is counted as if absorbed) or the ends are joined."""

    low: float
    high: float
    cells: int
    left: Wall | None = None
    right: Wall | None = None
    periodic: bool = False

    @property
    def h(self) -> float:
        return (self.high - self.low) / self.cells

    @cached_property
    def edges(self) -> Floats:
        return np.linspace(self.low, self.high, self.cells + 1)

    @cached_property
    def x(self) -> Floats:
        return 0.5 * (self.edges[1:] + self.edges[:-1])


@dataclass(frozen=True)
class Rates:
    """Rates (1/time) at which the mass of each cell moves `right`, `left`, or is `killed`.

    The first `left` and the last `right` lead out, or around a ring.
    """

    right: Floats
    left: Floats
    killed: Floats
    periodic: bool

    @cached_property
    def kills(self) -> bool:
        """Whether any mass is killed."""
        return bool(self.killed.any())

    def matrix(self) -> Floats:
        """A with dm/dt = A m for the masses m of the cells, as a full array."""
        cells = self.right.size
        a = np.diag(-(self.right + self.left + self.killed))
        a[np.arange(1, cells), np.arange(cells - 1)] += self.right[:-1]
        a[np.arange(cells - 1), np.arange(1, cells)] += self.left[1:]
        if self.periodic:
            a[0, -1] += self.right[-1]
            a[-1, 0] += self.left[0]
        return a


@dataclass(frozen=True)
class Stencil:
    """The operator of `equation` on `grid`."""

    equation: FokkerPlanck
    grid: Grid

    def rates(self, t: float) -> Rates:
        """The jump rates at time `t`; coefficients that are not numbers, or D ≤ 0, are refused with their place."""
        grid, h, outlets = self.grid, self.grid.h, self._outlets
        x = self._nodes
        faces, inner = self._faces, x.size - len(outlets)
        diffusion = _checked("diffusion", self.equation.diffusion(x, t), x, t)
        _refuse("diffusion", diffusion <= 0.0, diffusion, x, t, "must be positive where there may be mass")
        velocity = self._velocity(x[:inner], t) / diffusion[:inner]
        w = h * (GAUSS_WEIGHTS[:, None] * velocity[: 3 * faces].reshape(3, faces)).sum(axis=0)
        down, up = (diffusion[faces : 2 * faces] / h**2) * bernoulli(w)
        killed = _checked("killing", self.equation.killing(grid.x, t), grid.x, t)
        _refuse("killing", killed < 0.0, killed, grid.x, t, "must not be negative")
        if grid.periodic:
            return Rates(up, np.roll(down, 1), killed, True)
        out = {"left": 0.0, "right": 0.0}
        for k, (side, _, inward, wall) in enumerate(outlets):
            half = inward * 0.5 * h * float(GAUSS_WEIGHTS @ velocity[3 * (faces + k) : 3 * (faces + k + 1)])
            out[side] = _outflow(wall, half, 2.0 * float(diffusion[inner + k]) / h) / h
        return Rates(np.append(up, out["right"]), np.append(out["left"], down), killed, False)

    @cached_property
    def _faces(self) -> int:
        """The number of faces between two cells."""
        return self.grid.cells - (not self.grid.periodic)

    @cached_property
    def _outlets(self) -> list[tuple[str, float, float, Wall | None]]:
        """The ends through which mass leaves: (side, place, inward direction, wall)."""
        grid = self.grid
        ends = [("left", grid.low, 1.0, grid.left), ("right", grid.high, -1.0, grid.right)]
        return [] if grid.periodic else [end for end in ends if not isinstance(end[3], Reflecting)]

    @cached_property
    def _nodes(self) -> Floats:
        """Where coefficients are needed: three places between the centres about every face (the middle one is the face),
        three in the half cell before every outlet, and the outlets themselves (for D)."""
        grid, h = self.grid, self.grid.h
        x = grid.edges[-self._faces - (not grid.periodic) :][: self._faces] + 0.5 * h * GAUSS_NODES[:, None]
        if grid.periodic:
            x = grid.low + np.mod(x - grid.low, grid.high - grid.low)
        halves = [place + inward * 0.25 * h + 0.25 * h * GAUSS_NODES for _, place, inward, _ in self._outlets]
        return np.concatenate([x.ravel(), *halves, [place for _, place, _, _ in self._outlets]])

    def _velocity(self, x: Floats, t: float) -> Floats:
        """B = a - D_x."""
        drift = _checked("drift", self.equation.drift(x, t), x, t)
        if not self.equation.diffusion.depends_on_x:
            return drift
        return drift - _checked("derivative of the diffusion", self._slope(x, t), x, t)

    @cached_property
    def _slope(self) -> Coefficient:
        return self.equation.diffusion.derivative("x")

    def start(self) -> Floats:
        """The start as masses of the cells, followed by those already absorbed at the left, at the right, and killed.

        A point is shared by three cells with the weights of the quadratic B-spline: its mean is kept and its variance
        grows by h²/4 wherever it lies in its cell, so errors fall smoothly at second order. What would fall beyond a wall
        is the image that the wall makes: added before a reflecting one, subtracted before an absorbing one.
        """
        grid = self.grid
        masses = np.zeros(grid.cells + 2)  # with one cell beyond each end
        for x, mass in _atoms(self.equation.start, grid):
            i = np.clip(np.floor((x - grid.low) / grid.h).astype(np.int64), 0, grid.cells - 1)
            theta = (x - grid.x[i]) / grid.h
            for shift, weight in ((0, 0.5 * (0.5 - theta) ** 2), (1, 0.75 - theta**2), (2, 0.5 * (0.5 + theta) ** 2)):
                np.add.at(masses, i + shift, mass * weight)
        masses[1:-1] += _cell_masses(self.equation.start, grid)
        if grid.periodic:
            masses[[1, -2]] += masses[[-1, 0]]
            return np.append(masses[1:-1], np.zeros(3))
        absorbed = np.zeros(3)
        for side, (beyond, beside, wall, place) in enumerate(
            ((0, 1, grid.left, grid.low), (-1, -2, grid.right, grid.high))
        ):
            image = _image(wall, grid.h, float(self.equation.diffusion(place, 0.0)) if wall is not None else 1.0)
            masses[beside] += image * masses[beyond]
            absorbed[side] = (1.0 - image) * masses[beyond]
        return np.append(masses[1:-1], absorbed)


def bernoulli(w: Floats) -> Floats:
    """β(w) and β(-w), stacked, with β(w) = w/(e^w - 1); both to full relative accuracy, so that their ratio is e^-w."""
    size = np.abs(np.asarray(w, dtype=np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        small = np.where(size < 1e-12, 1.0 - 0.5 * size, size / np.expm1(np.maximum(size, 1e-12)))
    large = small + size
    return np.where(np.asarray(w) > 0.0, [small, large], [large, small])


def _outflow(wall: Wall | None, w: float, conductance: float) -> float:
    """The outward flux (velocity) through a wall for a unit density in the centre half a cell before it.

    The wall density ρ_w follows from equal fluxes on both sides of the wall, Kρ_w = c (β(w) ρ - β(-w) ρ_w), with
    c = 2D/h the `conductance` and w over the half cell, counted inward. An absorbing wall is K = ∞.
    """
    outward, inward = conductance * bernoulli(np.array(w))
    if not isinstance(wall, PartiallyAbsorbing):
        return float(outward)
    return float(wall.reactivity * outward / (wall.reactivity + inward))


def _image(wall: Wall | None, h: float, diffusion: float) -> float:
    """The weight of the image, half a cell before the wall, of a unit of mass half a cell beyond it."""
    if wall is None or isinstance(wall, Absorbing):
        return -1.0
    reach = wall.reactivity * h / (2.0 * diffusion) if isinstance(wall, PartiallyAbsorbing) else 0.0
    return (1.0 - reach) / (1.0 + reach)


def _atoms(start: Start, grid: Grid) -> list[tuple[Floats, Floats]]:
    """The parts of a start that lie inside a cell without filling it: (places, masses)."""
    match start:
        case Point(x):
            return [(np.array([x]), np.ones(1))]
        case Sites():
            return [(np.array(start.x), np.array(start.masses))]
        case Uniform(low, high):
            inside = grid.edges[(grid.edges > low) & (grid.edges < high)]
            ends = [(low, inside[0]), (inside[-1], high)] if inside.size else [(low, high)]
            places = np.array([0.5 * (a + b) for a, b in ends])
            return [(places, np.array([(b - a) / (high - low) for a, b in ends]))]
        case Normal(sd=sd) if sd < grid.h:
            cuts = np.clip(np.linspace(*start.support, 129), grid.low, grid.high)
            return [(0.5 * (cuts[1:] + cuts[:-1]), np.diff(start.cdf(cuts)))]
    return []


def _cell_masses(start: Start, grid: Grid) -> Floats:
    """The part of a start that fills whole cells."""
    if isinstance(start, Normal) and start.sd >= grid.h:
        return np.diff(start.cdf(grid.edges))
    if isinstance(start, Uniform):
        whole = (grid.edges[:-1] > start.low) & (grid.edges[1:] < start.high)
        return np.where(whole, np.diff(start.cdf(grid.edges)), 0.0)
    return np.zeros(grid.cells)


def _checked(name: str, values: Floats, x: Floats, t: float) -> Floats:
    _refuse(name, ~np.isfinite(values), values, x, t, "must be a finite number")
    return values


def _refuse(name: str, wrong: NDArray[np.bool_], values: Floats, x: Floats, t: float, rule: str) -> None:
    if wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        raise ValueError(
            f"{name} = {values[at]:.6g} at x = {x[at]:.6g}, t = {t:.6g}: {rule}; change the coefficient, or the domain, "
            "so that it holds wherever mass can be"
        )


@dataclass(frozen=True)
class Resolvent:
    """(I - τA)⁻¹ for one operator and one τ, factorised once.

    A state is the masses of the cells followed by the mass that has left them (:data:`OUTLETS`); the resolvent acts on
    both, so their sum is kept.
    """

    rates: Rates
    tau: float

    @cached_property
    def _transposed(self) -> Tridiagonal | Cyclic:
        return chain_matrix(self.rates, 1.0, self.tau)

    def forward(self, state: Floats) -> Floats:
        """The resolvent of A on a state of masses."""
        new = state.copy()
        new[:-3] = mass = self._transposed.solve_transposed(state[:-3])
        rates = self.rates
        if not rates.periodic:
            new[-3] += self.tau * rates.left[0] * mass[0]
            new[-2] += self.tau * rates.right[-1] * mass[-1]
        if rates.kills:
            new[-1] += self.tau * (rates.killed * mass).sum()
        return new

    def backward(self, state: Floats) -> Floats:
        """The resolvent of the transpose, on the values of the cells followed by those paid on leaving (which stay)."""
        rates, new = self.rates, state.copy()
        value = state[:-3] + self.tau * state[-1] * rates.killed
        if not rates.periodic:
            value[0] += self.tau * rates.left[0] * state[-3]
            value[-1] += self.tau * rates.right[-1] * state[-2]
        new[:-3] = self._transposed.solve(value)
        return new


def chain_matrix(rates: Rates, shift: float, tau: float) -> Tridiagonal | Cyclic:
    """shift·I - τAᵀ, factorised."""
    left, right, excess = tau * rates.left, tau * rates.right, shift + tau * rates.killed
    if rates.periodic:
        return Cyclic(left, excess, right)
    excess[0] += left[0]
    excess[-1] += right[-1]
    left[0] = right[-1] = 0.0
    return Tridiagonal(left, excess, right)


class Resolvents:
    """The resolvents of a stencil, kept for reuse; those of a time-dependent operator are made anew for each stage."""

    def __init__(self, stencil: Stencil) -> None:
        self._stencil = stencil
        self._steady = None if stencil.equation.time_dependent else stencil.rates(0.0)
        self._kept: dict[float, Resolvent] = {}

    def at(self, tau: float, t: float) -> Resolvent:
        """(I - τA(t))⁻¹."""
        if self._steady is None:
            return Resolvent(self._stencil.rates(t), tau)
        if tau not in self._kept:
            self._kept[tau] = Resolvent(self._steady, tau)
        return self._kept[tau]

    def forward(self, tau: float, t: float, state: Floats) -> Floats:
        """(I - τA(t))⁻¹ on a state of masses."""
        return self.at(tau, t).forward(state)

    def backward(self, tau: float, t: float, state: Floats) -> Floats:
        """(I - τA(t)ᵀ)⁻¹ on a state of values."""
        return self.at(tau, t).backward(state)
