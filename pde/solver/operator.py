"""The finite-volume operator of an equation in any number of dimensions: a sum of birth–death chains.

With the flux J = D(bρ - ∇ρ), b = D⁻¹(a - ∇·D), and D = Σ_e λ_e (e·h)(e·h)ᵀ over directions e of the lattice
(:meth:`randwalk.model.tensor.Tensor.directions`), every direction is a chain with the Scharfetter–Gummel rates

    λ_e β(∓w_e),    w_e = ∫ b·dx along the step, from centre to centre,

which are not negative, keep mass, and keep ρ ∝ e^(-U) exactly where b = -∇U. Where D is diagonal, b needs no derivative:
∫ b_i dx_i = ∫ a_i/D_ii dx_i - λ Δ ln D_ii, with λ of the convention.

**Walls.** Mass leaves through a face along the axis across it, as in one dimension with the normal part of D. Steps along
diagonals across a face are not made: the flux at a reflecting face vanishes along the conormal. In the half cell before a
face, which no step of the chains across it covers, a flux along the face is left: that of the mesh which is equivalent to the
star of those chains, ½ λ_e λ_e'/Σλ along e - e' for each pair of them. A step into a region leaves through its wall, at the
place where the distance to the wall, or a level, says that the step crosses it, else half way; so does the half step to a face
that is in a region.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final, TypeAlias

import numpy as np

from randwalk.model.bernoulli import bernoulli
from randwalk.model.coefficient import ZERO, Coefficient, Floats, Point, coordinate
from randwalk.model.steps import Displacement
from randwalk.model.tensor import NoStencil, Tensor

from ..equation import FokkerPlanck
from .chains import Chain, Resolvent
from .directions import diagonals, met, never, pair
from .ends import outflows, reactivity
from .grid import GAUSS_NODES, GAUSS_WEIGHTS
from .lines import across, line
from .mesh import Mesh
from .reading import refuse, summed
from .region_walls import before_face, narrow, stop, through
from .schemes import Apply
from .stencil import kept

TINY: Final = 1e-200  # in place of a diffusion of 0, whose rates then are those of the drift alone
SLACK: Final = 1e-9  # of a diagonal entry: a negative rate so small is rounding

Rates: TypeAlias = dict[Displacement, Floats]


@dataclass(frozen=True, eq=False)
class Operator:
    """The operator of `equation`, in two dimensions or more, on the cells of `mesh`: equal ones, but that edges may stand on
    breaks along an axis where D is diagonal and no region is. Steps are those `along` some axes, increasing, all if left out,
    whose mixed derivatives with others are 0; killing goes with the last axis."""

    equation: FokkerPlanck
    mesh: Mesh
    along: tuple[int, ...] | None = None

    @property
    def forward(self) -> list[Apply]:
        """(I - τA_k(t))⁻¹ on a state of masses, for each of the chains A_k."""
        return [partial(self._forward, k) for k in range(len(self.directions))]

    @property
    def backward(self) -> list[Apply]:
        """(I - τA_k(t)ᵀ)⁻¹ on a state of values, for each of the chains."""
        return [partial(self._backward, k) for k in range(len(self.directions))]

    def chains(self, t: float) -> list[Chain]:
        """The chains at time `t`; coefficients that are no numbers, a D < 0 and negative killing are refused with their place."""
        return [self._chain(k, t) for k in range(len(self.directions))]

    @cached_property
    def directions(self) -> list[Displacement]:
        """The directions of the chains: diagonals, then the axes."""
        d, tensor = self.mesh.dimension, self.equation.diffusion
        taken = [e for e in diagonals(d) if not never(tensor, e)]
        for f in diagonals(d):  # along a face, in place of two that cross it
            if f not in taken and any(met(taken, n, f) for n in range(d)):
                taken.append(f)
        every = [*taken, *(tuple(int(a == i) for a in range(d)) for i in range(d))]
        return every if self.along is None else [e for e in every if set(pair(e)) <= set(self.along)]

    def _forward(self, k: int, tau: float, t: float, state: Floats) -> Floats:
        return self._resolvent(k, tau, t).forward(state)

    def _backward(self, k: int, tau: float, t: float, state: Floats) -> Floats:
        return self._resolvent(k, tau, t).backward(state)

    def _resolvent(self, k: int, tau: float, t: float) -> Resolvent:
        values = self.values(k, t)
        key = None if values is None else (tau, *values)
        return kept(self._resolvents[k], key, lambda: Resolvent(self._chain(k, t), tau))

    def _chain(self, k: int, t: float) -> Chain:
        return kept(self._chains[k], self.values(k, t), lambda: self._built(k, t))

    @cached_property
    def _resolvents(self) -> list[dict[tuple[float, ...], Resolvent]]:
        return [{} for _ in self.directions]

    @cached_property
    def _chains(self) -> list[dict[tuple[float, ...], Chain]]:
        return [{} for _ in self.directions]

    def values(self, k: int, t: float) -> tuple[float, ...] | None:
        """The values at time `t` of the coefficients of the chain `k` that depend on time alone: its rates are functions of them,
        unless a coefficient depends on time and place (None)."""
        moving = self._moving[k]
        return None if moving is None else tuple(float(c((0.0,) * self.mesh.dimension, t)) for c in moving)

    @cached_property
    def _moving(self) -> list[list[Coefficient] | None]:
        """Of each chain the coefficients that depend on time, None where one depends on the place too. Where D is diagonal, the
        chain of an axis reads the drift and D along that axis, and the last chain the killing; else each reads all."""
        equation, last = self.equation, len(self.directions) - 1
        read: list[list[Coefficient]] = [list(equation.coefficients) for _ in self.directions]
        if equation.diffusion.diagonal:
            read = [[a, equation.diffusion[i, i]] for i, a in enumerate(equation.declared_drift)]
            read[last].append(equation.killing)
        moving = [[c for c in coefficients if c.depends_on_t] for coefficients in read]
        return [None if any(c.dimension for c in chain) else chain for chain in moving]

    def _built(self, k: int, t: float) -> Chain:
        """The chain of the direction `k` from the coefficients at time `t`."""
        mesh, e = self.mesh, self.directions[k]
        faces = across(mesh, e)
        up, down = np.zeros((2, mesh.size))
        drained = np.zeros((len(mesh.drains), mesh.size))
        if mesh.axes[e.index(1)].breaks:
            mesh.inner(up)[faces.before], mesh.inner(down)[faces.behind] = self._uneven(e.index(1), faces.shape, t)
        else:
            rate, w = self._rate(e, faces.point(0.0), faces.shape, t), self._drop(e, faces.point, t)
            into, out = bernoulli(w)
            mesh.inner(up)[faces.before] = rate * out
            mesh.inner(down)[faces.behind] = rate * into
        if mesh.domain.regions:
            entry = partial(self._entry, t)
            stop(up, down, faces, np.broadcast_to(rate, faces.shape), np.broadcast_to(w, faces.shape), entry)
        self._open(up, down, e, t)
        if mesh.cuts is not None:
            narrow(mesh.cuts, up, down, faces)
        if sum(map(abs, e)) == 1:
            self._drain_faces(drained, e.index(1), t)
        if k == len(self.directions) - 1 and e[-1]:
            self._drain(drained, t)
        return line(mesh, e, up, down, drained)

    def _uneven(self, axis: int, shape: tuple[int, ...], t: float) -> tuple[Floats, Floats]:
        """The rates up and down through the faces of an axis whose cells are of any length, each of their `shape`, where D is
        diagonal: two half cells meet at a face, as in :class:`randwalk.pde.solver.stencil.Stencil`, so that D there is the
        harmonic mean and a jump at the face is exact."""
        mesh, grid, weight = self.mesh, self.mesh.axes[axis], self.equation.convention.exponent
        drift, entry = self._drift[axis], self.equation.diffusion[axis, axis]

        def read(name: str, coefficient: Coefficient, x: Floats) -> Floats:
            point = tuple(mesh.along(axis, x) if b == axis else centre for b, centre in enumerate(mesh.centres))
            values = self._read(name, coefficient, point, t)
            return np.broadcast_to(values, np.broadcast_shapes(values.shape, point[axis].shape))

        def spread(x: Floats) -> Floats:
            return np.maximum(read("diffusion", entry, x), TINY * grid.h**2)

        conductances, drops = [], []
        for begin, end in ((grid.edges[:-1], grid.x), (grid.x, grid.edges[1:])):
            length, places = (
                mesh.along(axis, end - begin),
                [0.5 * (begin + end + u * (end - begin)) for u in GAUSS_NODES],
            )
            parts = [part * length / spread(x) for part, x in zip(GAUSS_WEIGHTS, places, strict=True)]
            conductances.append(1.0 / summed(parts))
            drops.append(summed(part * read("drift", drift, x) for part, x in zip(parts, places, strict=True)))
        first, last, centre = spread(grid.inside_edges[0]), spread(grid.inside_edges[1]), spread(grid.x)
        before_out, before_in = conductances[1] * bernoulli(drops[1] - weight * np.log(last / centre))
        after_out, after_in = conductances[0] * bernoulli(drops[0] - weight * np.log(centre / first))
        widths = mesh.along(axis, grid.widths)
        after = [np.roll(values, -1, axis) for values in (after_out, after_in, first, widths)]
        inward = after[1] * (last / after[2]) ** weight  # D^λ ρ is continuous at the face
        total = np.maximum(before_out + inward, TINY)
        faces = tuple(slice(0, shape[axis]) if b == axis else slice(None) for b in range(mesh.dimension))
        rates = before_in * inward / total / widths, before_out * after[0] / total / after[3]
        return rates[0][faces], rates[1][faces]

    def _rate(self, e: Displacement, point: Point, shape: tuple[int, ...], t: float) -> Floats:
        """λ_e at the faces, with what is left along walls."""
        rates, mesh = self._rates(point, t), self.mesh
        rate = rates.get(e, np.zeros(()))
        if len(rates) == mesh.dimension:  # no diagonals
            return rate
        rate = np.array(np.broadcast_to(rate, shape))
        for n, axis in enumerate(mesh.axes):
            pairs = [] if e[n] or axis.periodic else met(list(rates), n, e)
            if pairs:
                total = summed(rates[f] for f in rates if f[n])
                more = 0.5 * summed(rates[f] * rates[g] for f, g in pairs) / np.maximum(total, TINY)
                for side in (0, -1):
                    at = tuple(slice(None) if a != n else side for a in range(mesh.dimension))
                    rate[at] += np.broadcast_to(more, shape)[at]
        return rate

    def _rates(self, point: Point, t: float) -> Rates:
        """λ_e (1/time) of all directions that there are at a point."""
        tensor, h, d = self.equation.diffusion, self.mesh.spacings, self.mesh.dimension
        scaled: dict[tuple[int, int], Floats] = {
            (i, j): self._read("diffusion", tensor[i, j], point, t) / (h[i] * h[j])
            for i in range(d)
            for j in range(i, d)
            if i == j or tensor[i, j] != ZERO
        }
        left = [scaled[i, i] for i in range(d)]
        for (i, j), entry in scaled.items():
            if i != j:
                left[i], left[j] = left[i] - np.abs(entry), left[j] - np.abs(entry)
        for i in range(d):
            wrong = left[i] < -SLACK * np.abs(scaled[i, i])
            if np.any(wrong):
                self._refuse(
                    np.broadcast_to(wrong, np.broadcast_shapes(wrong.shape, *(x.shape for x in point))), point, t
                )
        rates: Rates = {tuple(int(a == i) for a in range(d)): np.maximum(left[i], TINY) for i in range(d)}
        for e in self.directions:
            if (axes := pair(e)) in scaled and sum(map(abs, e)) == 2:
                rates[e] = np.maximum(e[axes[0]] * e[axes[1]] * scaled[axes], 0.0)
        return rates

    def _refuse(self, wrong: Any, point: Point, t: float) -> None:
        """An error at the first place where a rate is negative."""
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        place = tuple(float(np.broadcast_to(x, wrong.shape)[at]) for x in point)
        tensor: Tensor = self.equation.diffusion
        tensor.check(place, t)
        where = ", ".join(f"{coordinate(i)} = {x:.6g}" for i, x in enumerate(place))
        raise NoStencil(
            f"diffusion at {where}, t = {t:.6g} has no directions of the lattice with rates that are not negative on cells of "
            f"{' × '.join(f'{h:.4g}' for h in self.mesh.spacings)}: {Tensor.aspect_told(tensor(place, t))}"
        )

    def _drop(self, e: Displacement, point: Callable[[float], Point], t: float) -> Floats:
        """w_e over the steps whose places `point(u)` are at u from -½ to ½ of a step from the middle."""
        h = self.mesh.spacings
        nodes = [(point(0.5 * node), weight) for node, weight in _GAUSS]
        if self.equation.diffusion.diagonal:
            i = e.index(1)
            return h[i] * self._mean_velocity(i, nodes, t) - self._logs(i, point(-0.5), point(0.5), t)
        moved = [(c * h[i], self._velocity[i]) for i, c in enumerate(e) if c and self._velocity[i] != ZERO]
        return summed(weight * c * self._read("drift", b, x, t) for x, weight in nodes for c, b in moved)

    def _mean_velocity(self, axis: int, nodes: list[tuple[Point, float]], t: float) -> Floats:
        """The weighted sum of a/D along an axis; of a tensor with entries off its diagonal, that of (a - λ∇·D) over the entry
        of the axis."""
        drift, diffusion = self._drift[axis], self.equation.diffusion[axis, axis]
        least = TINY * self.mesh.spacings[axis] ** 2
        if drift == ZERO:
            return np.zeros(())
        return summed(
            weight * self._read("drift", drift, x, t) / np.maximum(self._read("diffusion", diffusion, x, t), least)
            for x, weight in nodes
        )

    def _logs(self, axis: int, begin: Point, end: Point, t: float) -> Floats:
        """λ (ln D(`end`) - ln D(`begin`)) of the entry of an axis of a diagonal tensor, 0 for another."""
        weight, entry = self.equation.convention.exponent, self.equation.diffusion[axis, axis]
        if not (weight and self.equation.diffusion.diagonal and entry.depends_on(coordinate(axis))):
            return np.zeros(())
        least = TINY * self.mesh.spacings[axis] ** 2
        first, last = (np.maximum(self._read("diffusion", entry, place, t), least) for place in (begin, end))
        return np.asarray(weight * np.log(last / first))

    def _open(self, up: Floats, down: Floats, e: Displacement, t: float) -> None:
        """Set the rates out through the faces that a direction crosses."""
        mesh = self.mesh
        covered = {(axis, side): at >= 0 for axis, side, at in mesh.covered}
        for axis, side, wall in mesh.faces():
            k, outward = reactivity(wall), -1.0 if side == 0 else 1.0
            if not e[axis] or k == 0.0:
                continue
            rate = self._outflow(axis, outward, k, t) * self._share(e, axis, outward, t)
            layer = mesh.layer(axis, side)
            shape = tuple(1 if b == axis else n for b, n in enumerate(mesh.shape))
            out = np.broadcast_to(rate, shape).reshape(mesh.index[layer].shape)
            rates = mesh.inner(up if e[axis] * outward > 0.0 else down)
            free = mesh.live[layer] & ~covered.get((axis, side), np.zeros((), dtype=bool))
            rates[layer] = np.where(free, np.maximum(rates[layer], out), 0.0)

    def _outflow(self, axis: int, outward: float, k: float, t: float) -> Floats:
        """The rate out of the cells before a face of reactivity `k`, of a shape that broadcasts to theirs."""
        h, (w, normal) = float(self.mesh.axes[axis].widths[0 if outward < 0.0 else -1]), self._half(axis, outward, t)
        reach = k * self._lengths(axis, outward, self._near(axis, outward, 0.0), normal, t)
        return outflows(reach, w, 2.0 * normal / h) / h

    def _half(self, axis: int, outward: float, t: float) -> tuple[Floats, Floats]:
        """w over the half cells before a face, counted inward, and D across it, of shapes that broadcast to theirs."""
        entry, h = self.equation.diffusion[axis, axis], float(self.mesh.axes[axis].widths[0 if outward < 0.0 else -1])
        nodes = [(self._near(axis, outward, 0.5 + 0.5 * node), weight) for node, weight in _GAUSS]
        wall, centre = self._near(axis, outward, 0.0), self._near(axis, outward, 1.0)
        w = -outward * 0.5 * h * self._mean_velocity(axis, nodes, t) - self._logs(axis, wall, centre, t)
        return np.asarray(w), np.maximum(self._read("diffusion", entry, wall, t), TINY * h**2)

    def _near(self, axis: int, outward: float, u: float) -> Point:
        """The centres of the cells before a face moved to `u` half cells from it."""
        mesh, grid = self.mesh, self.mesh.axes[axis]
        width = float(grid.widths[0 if outward < 0.0 else -1])
        place = (grid.high if outward > 0.0 else grid.low) - outward * 0.5 * u * width
        return tuple(mesh.along(axis, np.array([place])) if b == axis else x for b, x in enumerate(mesh.centres))

    def _share(self, e: Displacement, axis: int, outward: float, t: float) -> Floats:
        """The part of the outflow through a face that the chain of a direction takes: that of its rate in all that cross the
        face, so that chains agree about the density at the wall. In the cells before two faces the axes take all."""
        crossing = [f for f in self.directions if f[axis] and sum(map(abs, f)) == 2]
        if not crossing:
            return np.ones(())
        mesh, rates = self.mesh, self._rates(self._near(axis, outward, 0.0), t)
        total = summed(rates[f] for f in rates if f[axis])
        shares = {}
        for f in crossing:
            (other,) = (b for b, c in enumerate(f) if c and b != axis)
            inside = np.ones(mesh.shape[other])
            inside[[0, -1]] = float(mesh.axes[other].periodic)
            shares[f] = rates.get(f, np.zeros(())) / total * mesh.along(other, inside)
        return shares[e] if e in shares else 1.0 - summed(shares.values())

    def _lengths(self, axis: int, outward: float, wall: Point, normal: Floats, t: float) -> Floats:
        """The lengths of a face for which the cells before it stand, over theirs: 1, but at the ends of the face. The conormal
        leads from the centre of a cell to a place ½ D_nt/D_nn steps on along the face, so that the last cells stand for half a
        step more or less times that."""
        mesh, h, lengths = self.mesh, self.mesh.spacings, np.ones(())
        for b, grid in enumerate(mesh.axes):
            entry = self.equation.diffusion[axis, b]
            if b == axis or grid.periodic or entry == ZERO:
                continue
            shift = 0.5 * outward * self._read("diffusion", entry, wall, t) / normal * h[axis] / h[b]
            ends = mesh.along(b, np.array([1.0, *np.zeros(grid.cells - 2), -1.0]))
            lengths = lengths * (1.0 + shift * ends)
        return lengths

    def _drain(self, drained: Floats, t: float) -> None:
        """Add the rates of the drains: through walls that cut cells, and of killing."""
        mesh, killing = self.mesh, self.equation.killing
        for row, number in zip(drained, mesh.drained, strict=False):
            if number in mesh.cutting:
                slopes = [self._slope(axis, t) for axis in range(mesh.dimension)]
                mesh.inner(row)[...] += through(mesh, number, partial(self._entry, t, point=mesh.centres), slopes)
        if killing != ZERO:
            values = self._read("killing", killing, mesh.centres, t)
            refuse("killing", values < 0.0, values, mesh.centres, t, "must not be negative")
            mesh.inner(drained[-1])[...] = np.where(mesh.live, values, 0.0)

    def _drain_faces(self, drained: Floats, axis: int, t: float) -> None:
        """Add the rates of the drains through walls of regions that stand before the faces across an axis."""
        mesh = self.mesh
        for row, number in zip(drained, mesh.drained, strict=False):
            for own, side, covered in mesh.covered:
                if own == axis and (at := np.nonzero(covered == number))[0].size:
                    mesh.inner(row)[mesh.layer(axis, side)][at] += self._before_face(number, axis, side, at, t)

    def _before_face(self, number: int, axis: int, side: int, at: Any, t: float) -> Floats:
        """The rates out of the cells `at` of the layer before a face, through the wall of a region that stands before it."""
        mesh, (part, across) = self.mesh, before_face(self.mesh, number, axis, side, at)
        layer, h, k = mesh.layer(axis, side), mesh.spacings[axis], mesh.domain.regions[number].wall.reactivity
        half = self._half(axis, -1.0 if side == 0 else 1.0, t)
        w, normal = (np.broadcast_to(x, mesh.live[layer].shape)[at] for x in map(partial(_flat, axis), half))
        return outflows(k if np.isinf(k) else k * across, part * w, 2.0 * normal / (part * h)) / h

    def _entry(self, t: float, i: int, j: int, point: Point) -> Floats:
        """D_ij at places."""
        entry = self.equation.diffusion[i, j]
        return np.zeros(()) if entry == ZERO else self._read("diffusion", entry, point, t)

    def _slope(self, axis: int, t: float) -> Floats:
        """b along an axis at the centres of cells."""
        mesh = self.mesh
        if not self.equation.diffusion.diagonal:
            return self._read("drift", self._velocity[axis], mesh.centres, t)
        begin, end = (
            tuple(x + u * mesh.spacings[axis] * (b == axis) for b, x in enumerate(mesh.centres)) for u in (-0.5, 0.5)
        )
        return (
            self._mean_velocity(axis, [(mesh.centres, 1.0)], t) - self._logs(axis, begin, end, t) / mesh.spacings[axis]
        )

    @cached_property
    def _drift(self) -> tuple[Coefficient, ...]:
        """a; of a tensor with entries off its diagonal a - λ∇·D."""
        equation = self.equation
        weight = equation.convention.exponent
        if equation.diffusion.diagonal or equation.diffusion.constant or not weight:
            return tuple(equation.declared_drift)
        return tuple(
            a - weight * s for a, s in zip(equation.declared_drift, equation.diffusion.divergence(), strict=True)
        )

    @cached_property
    def _velocity(self) -> tuple[Coefficient, ...]:
        """b = D⁻¹(a - λ∇·D)."""
        return self.equation.diffusion.solved(self._drift)

    def _read(self, name: str, coefficient: Coefficient, point: Point, t: float) -> Floats:
        """The values of a coefficient, of the shape of those arrays of the point that it depends on; finite numbers."""
        with np.errstate(all="ignore"):
            values = np.asarray(coefficient.evaluate(point, np.asarray(t, dtype=np.float64)), dtype=np.float64)
        refuse(name, ~np.isfinite(values), values, point, t, "must be a finite number")
        return values


def _flat(axis: int, values: Floats) -> Floats:
    """Values of a layer of cells across an axis without this axis; those that do not depend on the place as they are."""
    return np.asarray(values.take(0, axis)) if values.ndim else values


_GAUSS: Final = tuple(zip(GAUSS_NODES.tolist(), GAUSS_WEIGHTS.tolist(), strict=True))
