"""What the steps of a solution in several dimensions take, foreseen in the time that the chains take to step a number.

The iterations of :mod:`randwalk.pde.solver.together` are as many as the root of the largest over the least eigenvalue of I - τA
asks for [Saad, Iterative Methods for Sparse Linear Systems, 2003, §6.11]: about √(1 + τr), with the rate r at which mass leaves
a cell.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ..equation import FokkerPlanck
from .mesh import Mesh
from .schemes import SDIRK2, Clock
from .together import DIRECT, joint

ITERATION: Final = 3.0  # of both stages of a step, for a number, over what the chains take
FACTORED: Final = 20.0  # the same of a step with factors
PER_ROOT: Final = 6.0  # iterations over √(1 + τr)


def effort(equation: FokkerPlanck, mesh: Mesh, clock: Clock) -> float:
    """The numbers that the steps of `clock` take on, each as many times as the chains would step it in the same time."""
    axes = joint(equation, mesh) if mesh.dimension > 1 else ()
    if not axes:
        return float(mesh.states * clock.steps)
    if mesh.size <= DIRECT.get(len(axes), 2**13):
        return mesh.states * clock.steps * FACTORED
    centre = tuple(np.array(0.5 * (grid.low + grid.high)) for grid in mesh.axes)
    spread = np.einsum("ii->i", np.nan_to_num(equation.diffusion(centre, 0.0)))
    leaving = sum(2.0 * float(spread[a]) / mesh.spacings[a] ** 2 for a in axes)
    roots = (s.steps * math.sqrt(1.0 + SDIRK2.gamma * (s.end - s.begin) / s.steps * leaving) for s in clock.stretches)
    return mesh.states * ITERATION * PER_ROOT * sum(roots)
