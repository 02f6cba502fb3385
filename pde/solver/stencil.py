"""The finite-volume operator: a Fokker–Planck equation on a grid, as a birth–death chain between cells
(:mod:`randwalk.pde.solver.chains`).

The flux is J = bρ - D^(1-λ) (D^λ ρ)_x, with λ = 1 in the Itô form, ½ in Stratonovich's and 0 in Fick's. Across a stretch
on which b and D are constant a steady current is, exactly [Scharfetter & Gummel 1969; Chang & Cooper 1970],

    J = (D/h) (β(-w) ρ_1 - β(w) ρ_2),    β(w) = w/(e^w - 1),    w = ∫ b/D dx - λ ln(D_2/D_1),

h its length and 1 and 2 its ends. The flux needs no derivative of D. Where D jumps, D^λ ρ is continuous. On a grid of equal
cells without breaks the stretch reaches from centre to centre; otherwise the two half cells beside a face meet there, so
that a jump at the face is exact, and D is the harmonic mean of either half.

The fluxes read as jump rates, never negative for any drift, so the matrix I - τA is an M-matrix, its columns sum to 1 (mass
is conserved to rounding), and without a current ρ_(i+1)/ρ_i = e^w, the equilibrium itself. Walls are faces, half a cell from
the nearest centre; for a wall where D vanishes see :class:`randwalk.pde.solver.ends.Degenerate`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

import numpy as np

from randwalk.model.bernoulli import bernoulli
from randwalk.model.coefficient import Coefficient, Floats
from randwalk.model.domain import Wall

from ..equation import FokkerPlanck
from .chains import BETWEEN, EVERY, INNER, Chain, Resolvent
from .ends import Degenerate, outflow, reactivity, through
from .grid import GAUSS_NODES, GAUSS_WEIGHTS, Grid
from .reading import Reading, refuse

V = TypeVar("V")

TINY: Final = 1e-300  # in place of 0 where a face lets nothing through
KEPT: Final = 4  # resolvents, and chains, that a stencil keeps for reuse


@dataclass(frozen=True)
class _Halves:
    """The conductances of the halves of cells: c β(-w) into a face and c β(w) out of it, of the half `before` the face after each
    cell and of the half `after` it, the latter times the `step` of the density over the face; the `total` out of the face.

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

    def chain(self, t: float) -> Chain:
        """The chain at time `t`; coefficients that are not numbers, D ≤ 0 and negative killing are refused with their place."""
        return self._chain(t, self._values(t))

    def resolvent(self, tau: float, t: float) -> Resolvent:
        """(I - τA(t))⁻¹."""
        values = self._values(t)
        key = None if values is None else (tau, *values)
        return kept(self._resolvents, key, lambda: Resolvent(self._chain(t, values), tau))

    def forward(self, tau: float, t: float, state: Floats) -> Floats:
        """(I - τA(t))⁻¹ on a state of masses."""
        return self.resolvent(tau, t).forward(state)

    def backward(self, tau: float, t: float, state: Floats) -> Floats:
        """(I - τA(t)ᵀ)⁻¹ on a state of values."""
        return self.resolvent(tau, t).backward(state)

    def _values(self, t: float) -> tuple[float, ...] | None:
        """The values at time `t` of the coefficients that depend on time alone: the rates are functions of them, unless a
        coefficient depends on time and place (None)."""
        moving = self._moving
        return None if moving is None else tuple(float(coefficient(self.grid.low, t)) for coefficient in moving)

    @cached_property
    def _moving(self) -> list[Coefficient] | None:
        equation = self.equation
        moving = [c for c in (equation.declared_drift, equation.diffusion, equation.killing) if c.depends_on_t]
        return None if any(c.depends_on_x for c in moving) else moving

    @cached_property
    def _chains(self) -> dict[tuple[float, ...], Chain]:
        return {}

    @cached_property
    def _resolvents(self) -> dict[tuple[float, ...], Resolvent]:
        return {}

    def _chain(self, t: float, values: tuple[float, ...] | None) -> Chain:
        return kept(self._chains, values, lambda: self._built(t))

    def _built(self, t: float) -> Chain:
        """The chain from the coefficients at time `t`."""
        grid, cells = self.grid, self.grid.cells
        right, left, out = self._even(t) if grid.uniform else self._uneven(t)
        up, down = np.zeros((2, cells + 2))
        killed = np.zeros((1, cells + 2))
        inner = killed[0, 1:-1]
        inner[...] = self._killing.at(t)
        refuse("killing", inner < 0.0, inner, grid.x, t, "must not be negative")
        up[1 : 1 + self._faces], down[2 : 2 + self._faces] = right, left
        if grid.periodic:
            down[1], down[-1] = down[-1], 0.0
        else:
            down[1], up[-2] = out
        return Chain(1, up, down, killed, grid.periodic, BETWEEN if grid.periodic else EVERY)

    def _even(self, t: float) -> tuple[Floats, Floats, list[float]]:
        """Rates to the right and to the left through the faces of equal cells (one number, where all are alike), and out
        through the ends (left, right)."""
        h, faces, outlets = self.grid.h, self._shown, self._outlets
        inner = 3 * (faces + len(outlets))
        diffusion = self._at_nodes[1].at(t)
        velocity = self._at_nodes[0].at(t) / diffusion[:inner]
        w = h * (GAUSS_WEIGHTS[:, None] * velocity[: 3 * faces].reshape(3, faces)).sum(axis=0)
        stepped = self._weight > 0.0 and self.equation.diffusion.depends_on_x
        if stepped:
            logs = self._weight * np.log(self._central.at(t))
            w -= (np.roll(logs, -1) - logs)[:faces]
        halves = []
        for k, (side, _, inward, _) in enumerate(outlets):
            half = inward * 0.5 * h * float(GAUSS_WEIGHTS @ velocity[3 * (faces + k) : 3 * (faces + k + 1)])
            halves.append(
                half - (float(logs[-side]) - self._weight * math.log(diffusion[inner + k]) if stepped else 0.0)
            )
        both = bernoulli(np.append(w, halves))
        down, up = (diffusion[faces : 2 * faces] / h**2) * both[:, :faces]
        out = [0.0, 0.0]
        for k, (side, _, _, wall) in enumerate(outlets):
            outward, back = (2.0 * float(diffusion[inner + k]) / h) * both[:, faces + k]
            out[side] = through(wall, float(outward), float(back)) / h
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
            out[side] = (outflow(wall, *halves.ends[side]) if end is None else end.outflow()) / float(mass[-side])
        return right, left, out

    def _conduct(self, t: float) -> _Halves:
        """The conductances of the halves of the cells at time `t`."""
        grid, weight = self.grid, self._weight
        integral = self._halves[1]
        diffusion = self._in_halves[1].at(t)
        velocity = self._in_halves[0].at(t) / diffusion[:6]
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

    def at_joints(self, t: float, state: Floats) -> Floats:
        """The values at the joints of the grid of a function u of the starting place, from a state of its values at the
        centres and what is paid at the walls; NaN at the end of a window and at a degenerate end.

        From a face mass goes to the centres before and after it with the probabilities p of its conductances, which takes a
        time τ; so u = Σ p u - τ Lu, exact for constant coefficients where Lu is constant; here Lu is that of the cells beside
        the face.
        """
        grid, chain, halves = self.grid, self.chain(t), self._conduct(t)
        values = np.full(grid.joints.size, math.nan)
        u, paid = state[INNER], (float(state[0]), float(state[-2]))
        before = np.roll(u, 1) if grid.periodic else state[:-3]
        after = np.roll(u, -1) if grid.periodic else state[2:-1]
        generated = chain.up[1:-1] * (after - u) + chain.down[1:-1] * (before - u)
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

    def _readings(self, x: Floats, moved: int) -> tuple[Reading, Reading]:
        """b at the first `moved` of the places, and D at all of them."""
        equation = self.equation
        drift = Reading("drift", equation.declared_drift, x[:moved])
        return drift, Reading("diffusion", equation.diffusion, x, positive=True)

    @cached_property
    def _at_nodes(self) -> tuple[Reading, Reading]:
        return self._readings(self._nodes, 3 * (self._shown + len(self._outlets)))

    @cached_property
    def _in_halves(self) -> tuple[Reading, Reading]:
        return self._readings(self._halves[0], 6)

    @cached_property
    def _central(self) -> Reading:
        """D at the centres."""
        return Reading("diffusion", self.equation.diffusion, self.grid.x, positive=True)

    @cached_property
    def _killing(self) -> Reading:
        return Reading("killing", self.equation.killing, self.grid.x)

    @cached_property
    def _faces(self) -> int:
        """The number of faces between two cells."""
        return self.grid.cells - (not self.grid.periodic)

    @cached_property
    def _shown(self) -> int:
        """The number of faces of equal cells that differ: one, where neither b nor D depends on x."""
        equation = self.equation
        return (
            self._faces
            if equation.declared_drift.depends_on_x or equation.diffusion.depends_on_x
            else min(self._faces, 1)
        )

    @cached_property
    def _outlets(self) -> list[tuple[int, float, float, Wall | None]]:
        """The ends through which mass leaves: (0 at the left and 1 at the right, place, inward direction, wall)."""
        grid = self.grid
        ends = [(0, grid.low, 1.0, grid.left), (1, grid.high, -1.0, grid.right)]
        return [] if grid.periodic else [end for end in ends if reactivity(end[3]) > 0.0]

    @cached_property
    def _nodes(self) -> Floats:
        """Where coefficients are needed: three places between the centres about every face that differs (the middle one is the
        face), three in the half cell before every outlet, and the outlets themselves (for D)."""
        grid, h = self.grid, self.grid.h
        x = grid.edges[-self._faces - (not grid.periodic) :][: self._shown] + 0.5 * h * GAUSS_NODES[:, None]
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
        places = np.empty((9, grid.cells))
        weights = np.empty((2, 3, grid.cells))
        places[6:8], places[8] = grid.inside_edges, grid.x
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


def kept(
    known: dict[tuple[float, ...], V], key: tuple[float, ...] | None, make: Callable[[], V], most: int = KEPT
) -> V:
    """The value of `key`, made if it is not among the `most` that were made last; made anew for None."""
    if key is None:
        return make()
    if key not in known:
        if len(known) == most:
            del known[next(iter(known))]
        known[key] = make()
    return known[key]
