"""All chains of an operator in one step, where a wall asks for them together.

At a wall that is neither across an axis nor absorbing, and at any with a D that is not diagonal, no flux of a single direction
vanishes, but that of their sum. A step of one chain then makes a layer there, and steps one after the other are of an order
between ½ and 1 [Hundsdorfer & Verwer 2003, §IV.2]. Here the matrix I - τA of all chains is factorised once for each length of
steps, or, where steps are short, cells are many or coefficients move, the system is solved by iterations
(:mod:`randwalk.pde.solver.iterations`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from randwalk.model.coefficient import ZERO, Floats

from ..equation import FokkerPlanck
from .dissection import dissected, factorised
from .iterations import Sweeps
from .mesh import Mesh
from .operator import Operator
from .rates import generator
from .schemes import Apply
from .stencil import KEPT, kept

DIRECT: Final = {2: 2**20, 3: 2**14}  # cells up to which a matrix is factorised that joins so many axes
MOVING: Final = {
    2: 2**18,
    3: 2**14,
}  # the same of coefficients that depend on time, which ask for new factors now and then
ROOM: Final = {2: 2**20, 3: 2**16}  # cells of all factors that are kept
LONG: Final = {2: 3.0, 3: 80.0}  # diagonal entries of I - τA from which on iterations take longer than factors
ROUNDING: Final = 1e-9  # of the largest mass: a negative one so small is what iterations leave


def most_kept(joined: int, cells: int) -> int:
    """How many factors of the chains of `joined` axes on so many cells are kept."""
    return min(max(ROOM.get(joined, 2**15) // cells, 1), KEPT)


def joint(equation: FokkerPlanck, mesh: Mesh) -> tuple[int, ...]:
    """The axes whose chains end at a wall in the window with a condition that holds for their sum alone: all of them at the wall
    of a region that cuts cells, and with a D that is not diagonal at any region; at a face those that a mixed derivative
    joins."""
    diffusion, every = equation.diffusion, range(mesh.dimension)
    mixed = tuple(a for a in every if any(diffusion[a, b] != ZERO for b in every if b != a))
    if mesh.cutting or (mixed and (mesh.drained or not mesh.live.all())):
        return tuple(every)
    return mixed if any(axis in mixed and wall is not None for axis, _, wall in mesh.faces()) else ()


def most_factorised(joined: int, moving: bool) -> int:
    """The cells up to which a matrix is factorised that joins so many axes; whether coefficients are `moving` in time."""
    return (MOVING if moving else DIRECT).get(joined, 2**13)


def operator_of(equation: FokkerPlanck, mesh: Mesh) -> Operator | Together | Split:
    """The operator of an equation in several dimensions, by its chains, as a whole, or the one along some axes and the other
    along the rest."""
    axes = joint(equation, mesh)
    if not axes:
        return Operator(equation, mesh)
    rest = tuple(a for a in range(mesh.dimension) if a not in axes)
    whole = Together(Operator(equation, mesh, axes))
    return Split(Operator(equation, mesh, rest), whole) if rest else whole


@dataclass(frozen=True, eq=False)
class Split:
    """The `chains` along some axes, and those along the others `together`."""

    chains: Operator
    together: Together

    @property
    def forward(self) -> list[Apply]:
        return [*self.chains.forward, *self.together.forward]

    @property
    def backward(self) -> list[Apply]:
        return [*self.chains.backward, *self.together.backward]


@dataclass(frozen=True, eq=False)
class Together:
    """The sum of the chains of an `operator`, as one part."""

    operator: Operator

    @property
    def forward(self) -> list[Apply]:
        """(I - τA(t))⁻¹ on a state of masses; it keeps their sum."""
        return [self._forward]

    @property
    def backward(self) -> list[Apply]:
        """(I - τA(t)ᵀ)⁻¹ on a state of values."""
        return [self._backward]

    def _forward(self, tau: float, t: float, state: Floats) -> Floats:
        new = self._solved(tau, t, state, False)
        return np.asarray(new * (state.sum() / new.sum()))

    def _backward(self, tau: float, t: float, state: Floats) -> Floats:
        return self._solved(tau, t, state, True)

    def _solved(self, tau: float, t: float, state: Floats, transposed: bool) -> Floats:
        values = [self.operator.values(k, t) for k in range(len(self.operator.directions))]
        read = None if None in values else tuple(v for own in values if own for v in own)
        moves = kept(self._moves, read, lambda: Moves.of(self.operator, t))
        new = state.copy()
        held = state[moves.places]
        if read is not None and moves.slow(tau, bool(read)):
            factors = kept(self._factors, (tau, *read), lambda: moves.factorised(tau), moves.room)
            new[moves.places] = factors(held, transposed)
            return new
        key = None if read is None else (tau, float(transposed), *read)
        new[moves.places] = kept(self._sweeps, key, lambda: Sweeps.of(moves.matrix(tau, transposed))).solve(held)
        if not transposed:
            new[(new < 0.0) & (new > -ROUNDING * new.max())] = 0.0
        return new

    @cached_property
    def _moves(self) -> dict[tuple[float, ...], Moves]:
        return {}

    @cached_property
    def _factors(self) -> dict[tuple[float, ...], Callable[[Floats, bool], Floats]]:
        return {}

    @cached_property
    def _sweeps(self) -> dict[tuple[float, ...], Sweeps]:
        return {}


@dataclass(frozen=True, eq=False)
class Moves:
    """The `places` of a state from or to which mass moves, and the last one; the `rates` on them, as rows of
    :func:`randwalk.pde.solver.rates.generator`; `joined` is the number of axes of the `mesh` that they join."""

    places: NDArray[np.int64]
    rates: sparse.csr_array
    joined: int
    mesh: Mesh

    @classmethod
    def of(cls, operator: Operator, t: float) -> Moves:
        moved = generator(operator, t)
        concerned = np.zeros(moved.shape[0], dtype=np.bool_)
        concerned[moved.indices], concerned[-1] = True, True
        places, number = np.flatnonzero(concerned), np.cumsum(concerned) - 1
        rows = np.append(moved.indptr[places], moved.nnz)  # those of other places are empty
        rates = sparse.csr_array((moved.data, number[moved.indices], rows), (places.size,) * 2)
        mesh = operator.mesh
        return cls(places, rates, mesh.dimension if operator.along is None else len(operator.along), mesh)

    def matrix(self, tau: float, transposed: bool) -> sparse.csr_array:
        """I - τA, or its transpose, on the places."""
        return (sparse.eye_array(self.places.size) - tau * (self.rates if transposed else self.rates.T)).tocsr()

    def slow(self, tau: float, moving: bool) -> bool:
        """Whether factors, in so many steps as are alike, take less time than iterations, which are many in long steps."""
        few = self.places.size <= most_factorised(self.joined, moving)
        return few and 1.0 + tau * self._leaving > LONG.get(self.joined, LONG[3])

    @property
    def room(self) -> int:
        """How many factors are kept."""
        return most_kept(self.joined, self.places.size)

    def factorised(self, tau: float) -> Callable[[Floats, bool], Floats]:
        """The solution for a state, or for values if transposed."""
        return factorised(self.matrix(tau, False), self._order)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """That of the places in which factors have few entries; drains come last."""
        inner = int(np.searchsorted(self.places, self.mesh.size))
        cells = np.stack(np.unravel_index(self.places[:inner], self.mesh.padded), axis=1)
        return np.append(dissected(cells), np.arange(inner, self.places.size))

    @cached_property
    def _leaving(self) -> float:
        """The median of the rates at which mass leaves a place."""
        return float(np.median(-self.rates.diagonal()))
