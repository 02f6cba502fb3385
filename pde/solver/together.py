"""All chains of an operator in one step, where a wall asks for them together.

At a wall that is neither across an axis nor absorbing, and at any with a D that is not diagonal, no flux of a single direction
vanishes, but that of their sum. A step of one chain then makes a layer there, and steps one after the other are of an order
between ½ and 1 [Hundsdorfer & Verwer 2003, §IV.2]. Here the matrix I - τA of all chains is factorised once for each length of
steps, or, where cells are many or coefficients move, the steps of the chains one after the other precondition iterations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, Final

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, bicgstab, splu

from randwalk.model.coefficient import Floats

from ..equation import FokkerPlanck
from .mesh import Mesh
from .operator import Operator
from .rates import generator
from .schemes import Apply
from .stencil import kept

DIRECT: Final = {2: 2**18, 3: 2**15}  # cells up to which a matrix is factorised
RESIDUAL: Final = 1e-13
ITERATIONS: Final = 200
ROUNDING: Final = 1e-12  # of the largest mass: a negative one so small is what iterations leave


def joint(equation: FokkerPlanck, mesh: Mesh) -> bool:
    """Whether chains end at a wall whose condition holds for their sum alone."""
    tensor = mesh.dimension > 1 and not equation.diffusion.diagonal
    return bool(mesh.cutting) or (tensor and bool(mesh.domain.regions or mesh.domain.faces))


def operator_of(equation: FokkerPlanck, mesh: Mesh) -> Operator | Together:
    """The operator of an equation in several dimensions, by its chains or as a whole."""
    chains = Operator(equation, mesh)
    return Together(chains) if joint(equation, mesh) else chains


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
        cells = operator.mesh.size
        if cells <= DIRECT.get(operator.mesh.dimension, 2**13) and None not in values:
            key = (tau, *(v for own in values if own for v in own))
            factors = kept(self._factors, key, lambda: self._factorised(tau, t))
            return np.asarray(factors.solve(state, "T" if transposed else "N"))
        chains = operator.backward if transposed else operator.forward

        def rough(b: Floats) -> Floats:
            return reduce(lambda u, chain: chain(tau, t, u), chains, b)

        matrix, first = self._matrix(tau, t), rough(state)
        new, failed = bicgstab(
            matrix.T if transposed else matrix, state, first, rtol=RESIDUAL, atol=0.0, maxiter=ITERATIONS,
            M=LinearOperator(matrix.shape, rough, dtype=np.float64),
        )  # fmt: skip
        if failed:
            raise ValueError("the steps of all chains together did not converge: take a larger tolerance")
        if not transposed:
            new[(new < 0.0) & (new > -ROUNDING * new.max())] = 0.0
        return np.asarray(new)

    @cached_property
    def _factors(self) -> dict[tuple[float, ...], Any]:
        return {}

    def _factorised(self, tau: float, t: float) -> Any:
        """Columns of the matrix are dominated by the diagonal, so that it is the pivot, and signs are kept."""
        return splu(self._matrix(tau, t).tocsc(), permc_spec="MMD_AT_PLUS_A")

    def _matrix(self, tau: float, t: float) -> sparse.csr_array:
        moved = generator(self.operator, t).T
        return (sparse.eye_array(moved.shape[0]) - tau * moved).tocsr()
