"""Birth–death chains between the cells of a padded layout, and their resolvents.

A layout has cells, and outlets around them: one before the first cell and one behind the last in one dimension. A *state* has
one number for each of them in flat order, the mass of a cell, or the mass that has left through an outlet; then one for each
drain, the mass that cells lose where they are: through walls inside them, and, the last, what was killed. A chain moves mass
from a cell to the one before and the one behind it. In d dimensions every axis, and every diagonal that carries a mixed
derivative, has a chain of its own.
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
    """Rates (1/time) at which the mass of a cell moves `up`, `down`, each (layout,), or is `drained`, (drains, layout). Outlets
    have no rates.

    Up and down lead to the cells `offset` places later and earlier in `order`, which lists numbers of cells of the layout (all
    of them, as they are, if it is left out). On a `ring` the first and the last `offset` cells of the order are neighbours.
    """

    offset: int
    up: Floats
    down: Floats
    drained: Floats
    ring: bool = False
    order: Order = EVERY

    @cached_property
    def drains(self) -> bool:
        """Whether any mass is drained."""
        return bool(self.drained.any())

    @cached_property
    def killed(self) -> Floats:
        """The rates of all drains together, (layout,)."""
        return self.drained[0] if len(self.drained) == 1 else np.asarray(self.drained.sum(axis=0))

    @cached_property
    def moves(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """(from, to, rate) of all moves between places of a state: up, down, and those of drained mass to its end."""
        count, size = self.drained.shape
        cells = np.arange(size)[self.order]
        behind = (
            np.roll(cells, -self.offset) if self.ring else np.append(cells[self.offset :], np.full(self.offset, -1))
        )
        before = (
            np.roll(cells, self.offset) if self.ring else np.append(np.full(self.offset, -1), cells[: -self.offset])
        )
        begin = np.concatenate([cells, cells, np.tile(np.arange(size), count)])
        end = np.concatenate([behind, before, np.repeat(size + np.arange(count), size)])
        rate = np.concatenate([self.up[cells], self.down[cells], self.drained.ravel()])
        kept = rate > 0.0
        return begin[kept], end[kept], rate[kept]

    def matrix(self) -> Floats:
        """A with ds/dt = A s for a state s, as a full array; its columns sum to 0."""
        begin, end, rate = self.moves
        a = np.zeros((sum(self.drained.shape),) * 2)
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
        size = self.chain.up.size
        new = self._applied(self._eliminated.solve_transposed, state[:size], state[size:])
        if self.chain.drains:
            new[size:] += self.tau * (self.chain.drained * new[:size]).sum(axis=1)
        return new

    def backward(self, state: Floats) -> Floats:
        """The resolvent of the transpose, on the values of the cells and those paid on leaving, which stay."""
        size = self.chain.up.size
        paid, drained = state[:size], state[size:]
        if self.chain.drains:
            paid = paid + sum(self.tau * last * rates for last, rates in zip(drained, self.chain.drained, strict=True))
        return self._applied(self._eliminated.solve, paid, drained)

    def _applied(self, solve: Callable[..., Floats], b: Floats, last: Floats) -> Floats:
        """A new state: the solution for `b` of the cells in the order of the chain, `b` of others, and the `last` numbers."""
        new, order = np.empty(b.size + last.size), self.chain.order
        cells, new[b.size :] = new[: b.size], last
        if isinstance(order, np.ndarray):
            cells[...] = b
            cells[order] = solve(b[order])
        else:
            if order is not EVERY:
                cells[0], cells[-1] = b[0], b[-1]
            solve(b[order], cells[order])
        return new
