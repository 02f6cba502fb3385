"""All chains of an operator in one step, where a wall asks for them together.

At a wall that is neither across an axis nor absorbing, and at any with a D that is not diagonal, no flux of a single direction
vanishes, but that of their sum. A step of one chain then makes a layer there, and steps one after the other are of an order
between ½ and 1 [Hundsdorfer & Verwer 2003, §IV.2]. Here the matrix I - τA of all chains is factorised once for each length of
steps, or, where cells are many or coefficients move, the system is solved by iterations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from randwalk.model.coefficient import ZERO, Floats

from ..equation import FokkerPlanck
from .mesh import Mesh
from .operator import Operator
from .rates import generator
from .schemes import Apply
from .stencil import kept

DIRECT: Final = {2: 2**18, 3: 2**14}  # cells up to which a matrix is factorised that joins so many axes
RESIDUAL: Final = 1e-10  # of the state
ITERATIONS: Final = 1000
TINY: Final = 1e-300  # in place of 0 as a divisor
ROUNDING: Final = 1e-9  # of the largest mass: a negative one so small is what iterations leave


def joint(equation: FokkerPlanck, mesh: Mesh) -> tuple[int, ...]:
    """The axes whose chains end at a wall with a condition that holds for their sum alone: all of them at the wall of a region
    that cuts cells, and with a D that is not diagonal at any region; at a face those that a mixed derivative joins."""
    diffusion, every = equation.diffusion, range(mesh.dimension)
    mixed = tuple(a for a in every if any(diffusion[a, b] != ZERO for b in every if b != a))
    if mesh.cutting or (mixed and mesh.domain.regions):
        return tuple(every)
    return mixed if any(face.axis in mixed for face in mesh.domain.faces) else ()


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
        operator = self.operator
        values = [operator.values(k, t) for k in range(len(operator.directions))]
        joined = operator.mesh.dimension if operator.along is None else len(operator.along)
        direct = operator.mesh.size <= DIRECT.get(joined, 2**13) and None not in values
        key = (
            None
            if None in values
            else (tau, float(transposed and not direct), *(v for own in values if own for v in own))
        )
        new = state.copy()
        if direct:
            places, factors = kept(self._known, key, lambda: self._factorised(tau, t))
            new[places] = factors.solve(state[places], "T" if transposed else "N")
            return new
        places, matrix = kept(self._known, key, lambda: self._matrix(tau, t, transposed))
        new[places] = _iterated(matrix, state[places])
        if not transposed:
            new[(new < 0.0) & (new > -ROUNDING * new.max())] = 0.0
        return new

    @cached_property
    def _known(self) -> dict[tuple[float, ...], Any]:
        return {}

    def _factorised(self, tau: float, t: float) -> tuple[NDArray[np.int64], Any]:
        """Columns of the matrix are dominated by the diagonal, so that it is the pivot, and signs are kept."""
        places, matrix = self._matrix(tau, t, False)
        return places, splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A")

    def _matrix(self, tau: float, t: float, transposed: bool) -> tuple[NDArray[np.int64], sparse.csr_array]:
        """(the places of a state from or to which mass moves, and the last one; the matrix on them)."""
        moved = generator(self.operator, t)
        concerned = np.zeros(moved.shape[0], dtype=np.bool_)
        concerned[moved.indices], concerned[-1] = True, True
        places, number = np.flatnonzero(concerned), np.cumsum(concerned) - 1
        rows = np.append(moved.indptr[places], moved.nnz)  # those of other places are empty
        moved = sparse.csr_array((moved.data, number[moved.indices], rows), (places.size,) * 2)
        return places, (sparse.eye_array(places.size) - tau * (moved if transposed else moved.T)).tocsr()


def _iterated(matrix: sparse.csr_array, b: Floats) -> Floats:
    """The solution for `b` by BiCGSTAB on unknowns over the diagonal [van der Vorst, SIAM J. Sci. Stat. Comput. 13, 631, 1992]:
    the diagonal, which holds the rates of small parts of cells, is a better guide than steps of the chains, which take ten times
    as long. (SciPy's is a hundred times as slow where the threads of its scalar products wait for each other.)"""
    inverse = 1.0 / matrix.diagonal()
    x = inverse * b
    r = b - matrix @ x
    shadow, p, goal = r, r, RESIDUAL * math.sqrt(_product(b, b))
    rho = _product(shadow, r)
    for _ in range(ITERATIONS):
        if math.sqrt(_product(r, r)) <= goal:
            return x
        p_scaled = inverse * p
        v = matrix @ p_scaled
        alpha = rho / _product(shadow, v)
        s = r - alpha * v
        s_scaled = inverse * s
        w = matrix @ s_scaled
        omega = _product(w, s) / max(_product(w, w), TINY)
        x = x + alpha * p_scaled + omega * s_scaled
        r = s - omega * w
        rho, before = _product(shadow, r), rho
        p = r + (rho / before) * (alpha / max(omega, TINY)) * (p - omega * v)
    raise ValueError("the steps of all chains together did not converge: take a larger tolerance")


def _product(a: Floats, b: Floats) -> float:
    return float(np.einsum("i,i", a, b))
