"""Birth–death chains between the cells of a padded layout, and their resolvents.

A layout has cells, and outlets around them: one before the first cell and one behind the last in one dimension. A *state* has
one number for each of them in flat order, and a last one for what was killed: the mass of a cell, or the mass that has left
through an outlet. A chain moves mass from a cell to the one before and the one behind it. In d dimensions every axis, and
every diagonal that carries a mixed derivative, has a chain of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import EllipsisType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats

from .elimination import Cyclic, Elimination

INNER: Final = slice(1, -2)  # of a state in one dimension
OUTLETS: Final = [0, -1]  # of a layout in one dimension
GONE: Final = [0, -2, -1]  # what has left at the left, at the right, and what was killed

Order: TypeAlias = EllipsisType | slice | NDArray[np.int64]
EVERY: Final = ...
BETWEEN: Final = slice(1, -1)  # the cells of a layout in one dimension


@dataclass(frozen=True)
class Chain:
    """Rates (1/time) at which the mass of a cell moves `up`, `down`, or is `killed`, each (layout,). Outlets have no rates.

    Up and down lead to the cells `offset` places later and earlier in `order`, which lists numbers of cells of the layout (all
    of them, as they are, if it is left out). On a `ring` the first and the last `offset` cells of the order are neighbours.
    """

    offset: int
    up: Floats
    down: Floats
    killed: Floats
    ring: bool = False
    order: Order = EVERY

    @cached_property
    def kills(self) -> bool:
        """Whether any mass is killed."""
        return bool(self.killed.any())

    @cached_property
    def moves(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """(from, to, rate) of all moves between places of a state: up, down, and those of killed mass to its end."""
        size = self.up.size
        cells = np.arange(size)[self.order]
        behind = (
            np.roll(cells, -self.offset) if self.ring else np.append(cells[self.offset :], np.full(self.offset, -1))
        )
        before = (
            np.roll(cells, self.offset) if self.ring else np.append(np.full(self.offset, -1), cells[: -self.offset])
        )
        every = np.arange(size)
        begin = np.concatenate([cells, cells, every])
        end = np.concatenate([behind, before, np.full(size, size)])
        rate = np.concatenate([self.up[cells], self.down[cells], self.killed])
        kept = rate > 0.0
        return begin[kept], end[kept], rate[kept]

    def matrix(self) -> Floats:
        """A with ds/dt = A s for a state s, as a full array; its columns sum to 0."""
        begin, end, rate = self.moves
        a = np.zeros((self.up.size + 1, self.up.size + 1))
        np.add.at(a, (end, begin), rate)
        np.add.at(a, (begin, begin), -rate)
        return a

    def eliminated(self, excess: Floats, tau: float) -> Elimination | Cyclic:
        """The matrix diag(`excess`) - τG in the order of the chain, factorised; (Gu)_i is the sum of the rates of i times the
        differences of u over its steps."""
        lower, upper, own = tau * self.down[self.order], tau * self.up[self.order], excess[self.order]
        return (Cyclic if self.ring else Elimination)(lower, own, upper, self.offset)


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
        new = self._applied(self._eliminated.solve_transposed, state[:-1], state[-1])
        if self.chain.kills:
            new[-1] += self.tau * (self.chain.killed * new[:-1]).sum()
        return new

    def backward(self, state: Floats) -> Floats:
        """The resolvent of the transpose, on the values of the cells and those paid on leaving, which stay."""
        paid = state[:-1] + self.tau * state[-1] * self.chain.killed if self.chain.kills else state[:-1]
        return self._applied(self._eliminated.solve, paid, state[-1])

    def _applied(self, solve: Callable[..., Floats], b: Floats, last: float) -> Floats:
        """A new state: the solution for `b` of the cells in the order of the chain, `b` of others, and the `last` number."""
        new, order = np.empty(b.size + 1), self.chain.order
        cells, new[-1] = new[:-1], last
        if isinstance(order, np.ndarray):
            cells[...] = b
            cells[order] = solve(b[order])
        else:
            if order is not EVERY:
                cells[0], cells[-1] = b[0], b[-1]
            solve(b[order], cells[order])
        return new
