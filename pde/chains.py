"""Birth–death chains between the cells of a padded layout, and their resolvents.

A layout has cells, and outlets around them: one before the first cell and one behind the last in one dimension. A *state* has
one number for each of them in flat order, and a last one for what was killed: the mass of a cell, or the mass that has left
through an outlet. A chain moves mass from cell i to cells i ± offset. In d dimensions every axis has a chain of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from randwalk.model.coefficient import Floats

from .elimination import Cyclic, Elimination

INNER: Final = slice(1, -2)  # of a state in one dimension
OUTLETS: Final = [0, -1]  # of a layout in one dimension
GONE: Final = [0, -2, -1]  # what has left at the left, at the right, and what was killed


@dataclass(frozen=True)
class Chain:
    """Rates (1/time) at which the mass at i of a layout moves `up` to i + `offset`, `down` to i - `offset`, or is `killed`, each
    (layout,). Outlets have no rates.

    On a `ring`, which has the offset 1, the first and the last cell are neighbours, and no mass comes to the outlets.
    """

    offset: int
    up: Floats
    down: Floats
    killed: Floats
    ring: bool = False

    @cached_property
    def kills(self) -> bool:
        """Whether any mass is killed."""
        return bool(self.killed.any())

    def matrix(self) -> Floats:
        """A with ds/dt = A s for a state s, as a full array; its columns sum to 0."""
        size = self.up.size
        a, i = np.zeros((size + 1, size + 1)), np.arange(size)
        a[i, i] = -(self.up + self.down + self.killed)
        a[-1, :-1] = self.killed
        above, below = i + self.offset, i - self.offset
        if self.ring:
            above[-2], below[1] = 1, size - 2
        moved = self.up > 0.0
        a[above[moved], i[moved]] += self.up[moved]
        moved = self.down > 0.0
        a[below[moved], i[moved]] += self.down[moved]
        return a

    def eliminated(self, excess: Floats, tau: float) -> Elimination | Cyclic:
        """The matrix diag(`excess`) - τG, factorised; (Gu)_i = up (u_(i + offset) - u_i) + down (u_(i - offset) - u_i)."""
        lower, upper = tau * self.down, tau * self.up
        return Cyclic(lower, excess, upper) if self.ring else Elimination(lower, excess, upper, self.offset)


@dataclass(frozen=True)
class Resolvent:
    """(I - τA)⁻¹ for the matrix A of a `chain`, factorised once. It keeps the sum of a state."""

    chain: Chain
    tau: float

    @cached_property
    def _eliminated(self) -> Elimination | Cyclic:
        return self.chain.eliminated(1.0 + self.tau * self.chain.killed, self.tau)

    def forward(self, state: Floats) -> Floats:
        """The resolvent of A on a state of masses."""
        new = state.copy()
        new[:-1] = self._eliminated.solve_transposed(state[:-1])
        if self.chain.kills:
            new[-1] += self.tau * (self.chain.killed * new[:-1]).sum()
        return new

    def backward(self, state: Floats) -> Floats:
        """The resolvent of the transpose, on the values of the cells and those paid on leaving, which stay."""
        new = state.copy()
        new[:-1] = self._eliminated.solve(state[:-1] + self.tau * state[-1] * self.chain.killed)
        return new
