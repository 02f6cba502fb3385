"""What a solution marches: the masses of all cells, or one line of cells an axis where coordinates are independent.

Where the drift along an axis and its D depend on its own coordinate alone, and walls, killing and start join no two, the parts
of the operator commute and the masses stay a product: of what the chain of each axis makes of its line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats
from randwalk.model.start import Everywhere

from ..equation import FokkerPlanck
from ..factors import independent
from .effort import effort
from .grid import GAUSS_NODES, GAUSS_WEIGHTS
from .mesh import Mesh
from .operator import Operator
from .schemes import Apply, Clock
from .shares import axis_masses, start_on_mesh
from .stencil import Stencil
from .together import operator_of


class States(Protocol):
    """The states of a solution, as :func:`~randwalk.pde.solver.schemes.march` takes them."""

    def effort(self, clock: Clock) -> float:
        """The numbers that the steps of a clock take on (:mod:`randwalk.pde.solver.effort`)."""

    @property
    def start(self) -> Floats: ...

    @property
    def parts(self) -> list[Apply]:
        """The parts of the operator: (τ, t, state) -> (I - τA(t))⁻¹ state."""

    def masses(self, state: Floats) -> Floats:
        """Those of the cells, of the shape of the mesh."""

    def gone(self, state: Floats) -> Floats:
        """What a state says of what has left."""

    def left(self, gone: Floats) -> Floats:
        """What has left by each of the exits, (times, exits), from what the start and the state after each step say."""


def states(equation: FokkerPlanck, mesh: Mesh) -> States:
    """The states of an equation on a mesh: the smaller ones, where coordinates are independent."""
    if mesh.dimension > 1 and independent(equation) and not isinstance(equation.start, Everywhere):
        return Lines(equation, mesh)
    return Cells(equation, mesh)


@dataclass(frozen=True, eq=False)
class Cells:
    """A number for every cell of the `mesh` (:mod:`randwalk.pde.solver.mesh`)."""

    equation: FokkerPlanck
    mesh: Mesh

    def effort(self, clock: Clock) -> float:
        return effort(self.equation, self.mesh, clock)

    @property
    def start(self) -> Floats:
        return start_on_mesh(self.equation, self.mesh)

    @property
    def parts(self) -> list[Apply]:
        """In one dimension one, on cells of any length; in more the chains, or all of them together."""
        if self.mesh.dimension == 1:
            return [Stencil(self.equation, self.mesh.axes[0]).forward]
        return operator_of(self.equation, self.mesh).forward

    def masses(self, state: Floats) -> Floats:
        return self.mesh.masses(state)

    def gone(self, state: Floats) -> Floats:
        return self.mesh.gone(state)

    def left(self, gone: Floats) -> Floats:
        return gone


@dataclass(frozen=True, eq=False)
class Lines:
    """A state of one line of cells for every axis, each of mass 1, one after another."""

    equation: FokkerPlanck
    mesh: Mesh

    def effort(self, clock: Clock) -> float:
        return float(self._ends[-1] * clock.steps)

    @property
    def start(self) -> Floats:
        state = np.zeros(self._ends[-1])
        masses = axis_masses(self.equation, self.mesh)
        for line, cells, own, outlets in zip(self._lines, self._inner(state), masses, self._outlets, strict=True):
            cells[...] = own[1:-1].reshape(line.shape)
            state[outlets[:2]] = own[[0, -1]]
        return state

    @property
    def parts(self) -> list[Apply]:
        """One: the lines know nothing of each other."""
        return [self._stepped]

    def masses(self, state: Floats) -> Floats:
        return reduce(np.multiply, self._inner(state))

    def gone(self, state: Floats) -> Floats:
        """What has left each line at its ends, or was killed, (axes, 3)."""
        return state[self._outlets]

    def left(self, gone: Floats) -> Floats:
        """Of what leaves a line in a step, the share is counted that the other lines still hold. They are taken to empty alike
        within the step, so that the sum over the axes is exact, and near the start too, where all empty as √t does."""
        before = np.concatenate([np.zeros((1, *gone.shape[1:])), gone[:-1]])
        alive, after = (np.maximum(1.0 - given.sum(axis=2), 0.0) for given in (before, gone))
        shares = np.zeros_like(alive)
        for node, weight in zip(GAUSS_NODES, GAUSS_WEIGHTS, strict=True):  # exact up to six axes
            within = alive + 0.5 * (1.0 + node) * (after - alive)
            for a in range(alive.shape[1]):
                shares[:, a] += weight * np.delete(within, a, axis=1).prod(axis=1)
        counted = np.cumsum((gone - before) * shares[:, :, None], axis=0)
        return np.concatenate([counted[:, :, :2].reshape(len(gone), -1), counted[:, :, 2].sum(axis=1)[:, None]], axis=1)

    def _stepped(self, tau: float, t: float, state: Floats) -> Floats:
        return np.concatenate(
            [
                chain(tau, t, state[a:b])
                for chain, a, b in zip(self._chains, self._ends[:-1], self._ends[1:], strict=True)
            ]
        )

    def _inner(self, state: Floats) -> list[Floats]:
        parts = zip(self._lines, self._ends[:-1], self._ends[1:], strict=True)
        return [line.inner(state[begin:end]) for line, begin, end in parts]

    @cached_property
    def _lines(self) -> list[Mesh]:
        """The mesh with one cell along all axes but one."""
        axes = self.mesh.axes
        single = [replace(grid, cells=1, breaks=(), powers=(1.0, 1.0)) for grid in axes]
        return [replace(self.mesh, axes=(*single[:a], axes[a], *single[a + 1 :])) for a in range(len(axes))]

    @cached_property
    def _chains(self) -> list[Apply]:
        """That of each axis on its line."""
        return [Operator(self.equation, line).forward[a] for a, line in enumerate(self._lines)]

    @cached_property
    def _ends(self) -> list[int]:
        """Where the line of each axis begins, and the last one ends."""
        return list(accumulate((line.size + 1 for line in self._lines), initial=0))

    @cached_property
    def _outlets(self) -> NDArray[np.int64]:
        """The numbers in a state of what has left each line at its ends, and of what was killed, (axes, 3)."""
        found = []
        for a, (line, begin, end) in enumerate(zip(self._lines, self._ends[:-1], self._ends[1:], strict=True)):
            cells, stride = line.index.ravel(), line.strides[a]
            found.append([begin + cells[0] - stride, begin + cells[-1] + stride, end - 1])
        return np.array(found)
