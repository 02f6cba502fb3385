"""The finite-volume operator: a Fokker–Planck equation on a grid, as a birth–death chain between cells.

The flux is J = bρ - D^(1-λ) (D^λ ρ)_x, with λ = 1 in the Itô form, ½ in Stratonovich's and 0 in Fick's. Across a stretch
on which b and D are constant a steady current is, exactly [Scharfetter & Gummel 1969; Chang & Cooper 1970],

    J = (D/h) (β(-w) ρ_1 - β(w) ρ_2),    β(w) = w/(e^w - 1),    w = ∫ b/D dx - λ ln(D_2/D_1),

h its length and 1 and 2 its ends. D is not differentiated. Where it jumps, D^λ ρ is continuous. On a grid of equal cells
without breaks the stretch is that from centre to centre; otherwise the two half cells beside a face are joined there, so
that what jumps at the face is exact, and D is the harmonic mean of either half.

The fluxes read as jump rates, never negative for any drift, so the matrix I - τA is an M-matrix, its columns sum to 1 (mass
is conserved to rounding), and without a current ρ_(i+1)/ρ_i = e^w, the equilibrium itself. Walls are faces, half a cell from
the nearest centre; for one where D vanishes see :class:`Degenerate`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from randwalk.model.bernoulli import bernoulli as bernoulli
from randwalk.model.coefficient import Coefficient, Floats
from randwalk.model.domain import Wall
from randwalk.model.start import Normal, Point, Sites, Start, Uniform

from .equation import FokkerPlanck
from .grid import Grid as Grid
from .tridiagonal import Cyclic, Tridiagonal

GAUSS_NODES: Final = np.array(
    [-math.sqrt(0.6), 0.0, math.sqrt(0.6)]
)  # ∫ b/D to sixth order; the middle node is the face
GAUSS_WEIGHTS: Final = np.array([5.0, 8.0, 5.0]) / 18.0
GHOSTS: Final = 2  # cells beyond either end that a point in the grid has a share in
EQUAL: Final = 1e-6  # relative difference of the lengths of cells that count as equal
NORMAL_NODES: Final = 6  # in each cell, or half standard deviation if that is shorter, of a normal start
TINY: Final = 1e-300  # in place of 0 where a face lets nothing through
BESIDE: Final = 1e-6  # of half a cell: from an edge to the place where the limit of D on this side of it is taken


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
class _Halves:
    """What the halves of cells conduct: c β(-w) into a face and c β(w) out of it, of the half `before` the face after each
    cell and of the half `after` it, this one times the `step` of the density over the face; the `total` out of the face.

    `mass` is that of a cell with density 1 at its centre, `graded` the degenerate ends, and `ends` (w inward, c) of the halves
    at both ends of the grid.
    """

    before_in: Floats
    before_out: Floats
    after_in: Floats
    after_out: Floats
    total: Floats
    step: Floats
    mass: Floats
    graded: dict[int, Degenerate]
    ends: tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Stencil:
    """The operator of `equation` on `grid`."""

    equation: FokkerPlanck
    grid: Grid

    def rates(self, t: float) -> Rates:
        """The jump rates at time `t`; coefficients that are not numbers, or D ≤ 0, are refused with their place."""
        grid = self.grid
        right, left, out = self._even(t) if grid.uniform else self._uneven(t)
        killed = _checked("killing", self.equation.killing(grid.x, t), grid.x, t)
        refuse("killing", killed < 0.0, killed, grid.x, t, "must not be negative")
        if grid.periodic:
            return Rates(right, np.roll(left, 1), killed, True)
        return Rates(np.append(right, out[1]), np.append(out[0], left), killed, False)

    def _even(self, t: float) -> tuple[Floats, Floats, list[float]]:
        """Rates to the right and to the left through the faces of equal cells, and out through the ends (left, right)."""
        h, faces, outlets = self.grid.h, self._faces, self._outlets
        x, inner = self._nodes, 3 * (self._faces + len(outlets))
        diffusion = self._diffusion(x, t)
        velocity = _checked("drift", self._drift(x[:inner], t), x[:inner], t) / diffusion[:inner]
        w = h * (GAUSS_WEIGHTS[:, None] * velocity[: 3 * faces].reshape(3, faces)).sum(axis=0)
        if self._weight and self.equation.diffusion.depends_on_x:
            logs = self._weight * np.log(self._diffusion(self.grid.x, t))
            w -= (np.roll(logs, -1) - logs)[:faces]
        down, up = (diffusion[faces : 2 * faces] / h**2) * bernoulli(w)
        out = [0.0, 0.0]
        for k, (side, _, inward, wall) in enumerate(outlets):
            half = inward * 0.5 * h * float(GAUSS_WEIGHTS @ velocity[3 * (faces + k) : 3 * (faces + k + 1)])
            at_wall = float(diffusion[inner + k])
            if self._weight and self.equation.diffusion.depends_on_x:
                half -= float(logs[-side]) - self._weight * math.log(at_wall)
            out[side] = _outflow(wall, half, 2.0 * at_wall / h) / h
        return up, down, out

    def _uneven(self, t: float) -> tuple[Floats, Floats, list[float]]:
        """The same for cells of any length, from the two halves of each cell."""
        halves, faces = self._conduct(t), self._faces
        mass = halves.mass
        right = (halves.before_in * halves.after_in / halves.total)[:faces] / mass[:faces]
        left = (halves.before_out * halves.after_out / halves.total)[:faces] / np.roll(mass, -1)[:faces]
        out = [0.0, 0.0]
        for side, _, _, wall in self._outlets:
            end = halves.graded.get(side)
            out[side] = (_outflow(wall, *halves.ends[side]) if end is None else end.outflow()) / float(mass[-side])
        return right, left, out

    def _conduct(self, t: float) -> _Halves:
        """What passes through the halves of the cells at time `t`."""
        grid, weight = self.grid, self._weight
        x, integral = self._halves
        diffusion = self._diffusion(x, t)
        velocity = _checked("drift", self._drift(x[:6], t), x[:6], t) / diffusion[:6]
        first, last, centre = diffusion[6:]  # just inside both edges, and between them
        conductances, w = [], []  # of the half before the centre and of the one after it
        for half, nodes in enumerate((slice(0, 3), slice(3, 6))):
            conductances.append(1.0 / (integral[half] / diffusion[nodes]).sum(axis=0))
            w.append((integral[half] * velocity[nodes]).sum(axis=0))
        w[0] -= weight * np.log(centre / first)
        w[1] -= weight * np.log(last / centre)
        mass, graded = grid.widths.copy(), {}
        for side, (piece, end) in self._graded.items():
            wall, place = (grid.right, grid.x[-1]) if side else (grid.left, grid.x[0])
            graded[side] = Degenerate.read(self.equation, wall, end, float(place), t)
            mass[piece] *= graded[side].means(grid.edges[piece.start : piece.stop + 1])
        before_out, before_in = conductances[1] * bernoulli(w[1])
        after_out, after_in = np.roll(conductances[0] * bernoulli(w[0]), -1, axis=1)
        step = (last / np.roll(first, -1)) ** weight  # of the density, where D^λ ρ is continuous
        after_in = after_in * step
        ends = (float(w[0][0]), float(conductances[0][0])), (-float(w[1][-1]), float(conductances[1][-1]))
        total = np.maximum(before_out + after_in, TINY)
        return _Halves(before_in, before_out, after_in, after_out, total, step, mass, graded, ends)

    def at_joints(self, t: float, u: Floats, paid: tuple[float, float]) -> Floats:
        """The values at the joints of the grid of a function u of the starting place, from those at the centres (cells,) and
        what is `paid` at the walls; NaN at the end of a window and at a degenerate one.

        From a face mass goes to the centres before and after it as it is conducted there, which takes a time τ; so
        u = Σ p u - τ Lu, exact for constant coefficients where Lu is constant; here Lu is that of the cells beside it.
        """
        grid, rates, halves = self.grid, self.rates(t), self._conduct(t)
        values = np.full(grid.joints.size, math.nan)
        before = np.roll(u, 1) if grid.periodic else np.append(paid[0], u[:-1])
        after = np.roll(u, -1) if grid.periodic else np.append(u[1:], paid[1])
        generated = rates.right * (after - u) + rates.left * (before - u)
        stored = 0.25 * grid.widths  # half of a half cell: the Green's function falls linearly over it
        k = np.array([piece.stop - 1 for piece in grid.pieces()])
        k = k if grid.periodic else k[:-1]  # the cells before a face that is a joint
        behind = (k + 1) % grid.cells
        held = stored[k] * generated[k] + halves.step[k] * stored[behind] * generated[behind]
        inner = (halves.before_out[k] * u[k] + halves.after_in[k] * u[behind] - held) / halves.total[k]
        values[1 : 1 + k.size] = inner
        if grid.periodic:
            values[0] = values[-1]
            return values
        for side, wall in ((0, grid.left), (-1, grid.right)):
            if wall is None or -side in halves.graded:
                continue
            if wall.on_site:
                values[side] = paid[side]
                continue
            w, conductance = halves.ends[side]
            lost = wall.reactivity
            inward = conductance * float(bernoulli(np.array(w))[1])
            if lost + inward > 0.0:
                back = inward * u[side] + lost * paid[side] - stored[side] * generated[side]
                values[side] = back / (lost + inward)
        return values

    @property
    def _weight(self) -> float:
        """λ of the equation."""
        return self.equation.convention.exponent

    @property
    def _drift(self) -> Coefficient:
        """b of the equation."""
        return self.equation.declared_drift

    def _diffusion(self, x: Floats, t: float) -> Floats:
        diffusion = _checked("diffusion", self.equation.diffusion(x, t), x, t)
        refuse("diffusion", diffusion <= 0.0, diffusion, x, t, "must be positive where there may be mass")
        return diffusion

    @cached_property
    def _faces(self) -> int:
        """The number of faces between two cells."""
        return self.grid.cells - (not self.grid.periodic)

    @cached_property
    def _outlets(self) -> list[tuple[int, float, float, Wall | None]]:
        """The ends through which mass leaves: (0 at the left and 1 at the right, place, inward direction, wall)."""
        grid = self.grid
        ends = [(0, grid.low, 1.0, grid.left), (1, grid.high, -1.0, grid.right)]
        return [] if grid.periodic else [end for end in ends if _reactivity(end[3]) > 0.0]

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

    @cached_property
    def _halves(self) -> tuple[Floats, Floats]:
        """Places in each cell, (9, cells): three in either half, just inside either edge, and the centre; and the weights of
        the three in an integral over their half, (2, 3, cells).

        Towards a graded end, at distance y, it is an integral over ln y, because b/D and 1/D are like 1/y there. The half
        cell at the end itself is not integrated: what flows there is told by exponents.
        """
        grid, nodes = self.grid, GAUSS_NODES[:, None]
        beside = BESIDE * 0.5 * grid.widths
        places = np.empty((9, grid.cells))
        weights = np.empty((2, 3, grid.cells))
        places[6], places[7], places[8] = grid.edges[:-1] + beside, grid.edges[1:] - beside, grid.x
        for half, (begin, end) in enumerate(((grid.edges[:-1], grid.x), (grid.x, grid.edges[1:]))):
            places[3 * half : 3 * half + 3] = 0.5 * (begin + end) + 0.5 * nodes * (end - begin)
            weights[half] = GAUSS_WEIGHTS[:, None] * (end - begin)
            for piece, wall in self._graded.values():
                low, high = np.log(np.maximum(np.abs(np.stack([begin[piece], end[piece]]) - wall), TINY))
                y = np.exp(0.5 * (low + high) + 0.5 * nodes * (high - low))
                places[3 * half : 3 * half + 3, piece] = wall + math.copysign(1.0, grid.x[piece][0] - wall) * y
                weights[half][:, piece] = GAUSS_WEIGHTS[:, None] * y * np.abs(high - low)
        for side, cell, rows in ((0, 0, [0, 1, 2, 6]), (1, -1, [3, 4, 5, 7])):
            if side in self._graded:
                places[rows, cell] = grid.x[cell]
        return places, weights

    @cached_property
    def _graded(self) -> dict[int, tuple[slice, float]]:
        """The pieces that are graded towards the left end (0) and the right one (1), with that end."""
        grid = self.grid
        pieces = list(grid.pieces())
        ends = ((0, pieces[0], grid.low), (1, pieces[-1], grid.high))
        return {side: (piece, end) for side, piece, end in ends if grid.powers[side] > 1.0}

    def start(self) -> Floats:
        """The start as masses of the cells, followed by those already absorbed at the left, at the right, and killed.

        A point in equal cells is shared by five with the weights of the quartic B-spline whose knots are the edges: all its
        moments up to the fourth fall short of, or exceed, those of the point by powers of h alone, wherever the point lies in
        its cell, so that errors have an expansion in h² up to h⁴. In unequal cells it is shared by three, with the quadratic
        B-spline: up to h². Mass beyond a wall is replaced by the image that the wall makes: added before a reflecting one,
        subtracted before an absorbing one.
        """
        grid = self.grid
        masses = self._shared(_atoms(self.equation.start, grid))
        inner, absorbed = masses[GHOSTS:-GHOSTS], np.zeros(3)
        if grid.periodic:
            for k in range(GHOSTS):  # one by one: a grid may have fewer cells
                inner[-1 - k % grid.cells] += masses[GHOSTS - 1 - k]
                inner[k % grid.cells] += masses[k - GHOSTS]
            return np.append(inner, absorbed)
        for side, (wall, place) in enumerate(((grid.left, grid.low), (grid.right, grid.high))):
            h, beyond = float(grid.widths[-side]), masses[:GHOSTS][::-1] if side == 0 else masses[-GHOSTS:]
            diffusion = float(self.equation.diffusion(place, 0.0)) if wall is not None else 1.0
            for k, mass in enumerate(beyond[: grid.cells]):
                image = _image(wall, (2 * k + 1) * h, diffusion)
                inner[-1 - k if side else k] += image * mass
                absorbed[side] += (1.0 - image) * mass
        return np.append(inner, absorbed)

    def means(self, samples: Iterable[tuple[Floats, Floats, Floats]]) -> Floats:
        """Means (cells,) of a function about the centres with the weights of the B-splines of :meth:`start`, so that errors from
        jumps of the function are as smooth in h as those from points; from its values at places: (places, lengths that
        they stand for, values). The function is continued evenly beyond the ends."""
        grid, total = self.grid, np.zeros((2, self.grid.cells + 2 * GHOSTS))
        for x, length, value in samples:
            total += self._shared([(x, length)]), self._shared([(x, length * value)])
        weight, sums = total
        fold = np.arange(-GHOSTS, grid.cells + GHOSTS)
        into = fold % grid.cells if grid.periodic else np.where(fold < 0, -1 - fold, fold)
        into = into if grid.periodic else np.where(into >= grid.cells, 2 * grid.cells - 1 - into, into)
        return np.bincount(into, sums, grid.cells) / np.bincount(into, weight, grid.cells)

    def _shared(self, atoms: list[tuple[Floats, Floats]]) -> Floats:
        """The shares of the cells, and of :data:`GHOSTS` cells beyond each end, in points: (places, masses)."""
        grid, masses = self.grid, np.zeros(self.grid.cells + 2 * GHOSTS)
        for x, mass in atoms:
            i, shares = _even_shares(grid, x) if grid.uniform else _shares(grid, self._lengths, x)
            for shift, share in shares.items():
                masses += np.bincount(i + GHOSTS + shift, mass * share, masses.size)
        return masses

    @cached_property
    def _lengths(self) -> Floats:
        """Lengths of the cells in a coordinate in which solutions of the backward equation have no kink, which has
        D^(1-λ) u_x continuous: times (D before/D after)^(1-λ) at every face where D jumps."""
        first, last = (self.equation.diffusion(x, 0.0) for x in self._halves[0][6:8])
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.nan_to_num((last[:-1] / first[1:]) ** (1.0 - self._weight), nan=1.0, posinf=1.0)
        jump = np.abs(np.log(steps, where=steps > 0.0, out=np.zeros_like(steps))) > 10.0 * BESIDE
        scale = np.cumprod(np.append(1.0, np.where(jump, steps, 1.0)))
        return self.grid.widths * scale


def _reactivity(wall: Wall | None) -> float:
    """The reactivity of an end of a grid: the cut of a window, which has no wall, counts as absorbing."""
    return math.inf if wall is None else wall.reactivity


def _outflow(wall: Wall | None, w: float, conductance: float) -> float:
    """The outward flux (velocity) through a wall for a unit density in the centre half a cell before it.

    The wall density ρ_w follows from equal fluxes on both sides of the wall, Kρ_w = c (β(w) ρ - β(-w) ρ_w), with
    c = 2D/h the `conductance` and w over the half cell, counted inward. An absorbing wall is K = ∞.
    """
    outward, inward = conductance * bernoulli(np.array(w))
    k = _reactivity(wall)
    return float(outward if math.isinf(k) else k * outward / (k + inward))


@dataclass(frozen=True)
class Degenerate:
    """An end at which D vanishes or the drift is singular, seen from `y` before it [Feller 1952; Karlin & Taylor 1981, §15.6].

    Near the end D ∝ y^α and b/D = γ/y, b counted inward. Without a current ρ ∝ y^(γ-λα); a current J to the end is
    ς D ρ/y with ς = 1 - γ - (1-λ)α, and passes only if ς > 0. For α ≥ 2 only the drift at the end itself leads there.
    """

    y: float
    diffusion: float
    alpha: float
    gamma: float
    weight: float
    absorbing: bool
    end: float
    end_drift: float

    @classmethod
    def read(cls, equation: FokkerPlanck, wall: Wall | None, end: float, place: float, t: float) -> Degenerate:
        """The `end` with `wall`, as the coefficients at `place` and half way to it show it."""
        drift, weight = equation.declared_drift, equation.convention.exponent
        y, inward = abs(place - end), math.copysign(1.0, place - end)
        near, far = equation.diffusion(np.array([0.5 * (end + place), place]), t)
        limit = float(drift(end, t))
        return cls(
            y, float(far), math.log2(far / near), inward * float(drift(place, t)) * y / float(far), weight,
            _reactivity(wall) > 0.0, end, inward * limit if math.isfinite(limit) else 0.0,
        )  # fmt: skip

    @property
    def scale(self) -> float:
        """ς."""
        return 1.0 - self.gamma - (1.0 - self.weight) * self.alpha

    @property
    def eta(self) -> float:
        """η, where the mass within y of the end is ∝ y^η: γ - λα + 1, or 2 - α where the mass runs out at the end."""
        return 2.0 - self.alpha if self.absorbing and self.scale > 0.0 else self.gamma - self.weight * self.alpha + 1.0

    def means(self, edges: Floats) -> Floats:
        """The mean density of each cell between `edges`, relative to that at its centre, where ρ ∝ y^(η-1) is singular."""
        eta = self.eta
        if not 0.0 < eta < 1.0:
            return np.ones(edges.size - 1)
        y = np.abs(edges - self.end)
        centre = 0.5 * (y[1:] + y[:-1])
        return (y[1:] ** eta - y[:-1] ** eta) / (eta * (y[1:] - y[:-1]) * centre ** (eta - 1.0))

    def outflow(self) -> float:
        """The outward flux (velocity) through an absorbing end for a unit density at y."""
        return max(self.scale * self.diffusion / self.y if self.alpha < 2.0 else -self.end_drift, 0.0)


def _image(wall: Wall | None, h: float, diffusion: float) -> float:
    """The weight of the image, half a cell before the wall, of a unit of mass half a cell beyond it."""
    reach = _reactivity(wall) * h
    if math.isinf(reach):
        return -1.0
    return (2.0 * diffusion - reach) / (2.0 * diffusion + reach) if reach else 1.0


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


def _checked(name: str, values: Floats, x: Floats, t: float) -> Floats:
    refuse(name, ~np.isfinite(values), values, x, t, "must be a finite number")
    return values


def refuse(name: str, wrong: NDArray[np.bool_], values: Floats, x: Floats, t: float, rule: str) -> None:
    """An error at the first place `x` where the values of a coefficient are `wrong`, with the `rule` they break."""
    if wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        raise ValueError(
            f"{name} = {values[at]:.6g} at x = {x[at]:.6g}, t = {t:.6g}: {rule}; change the coefficient, or the domain, "
            "so that it holds wherever mass can be"
        )


@dataclass(frozen=True)
class Resolvent:
    """(I - τA)⁻¹ for one operator and one τ, factorised once.

    A state is the masses of the cells followed by the mass that has left them (by exit); the resolvent acts on
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
        self.grid = stencil.grid
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
