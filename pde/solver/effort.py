"""What the steps of a solution in several dimensions take, foreseen in the time that the chains take to step a number.

The iterations of :mod:`randwalk.pde.solver.together` are as many as the root of the largest over the least eigenvalue of I - τA
asks for [Saad, Iterative Methods for Sparse Linear Systems, 2003, §6.11]: about √(1 + τr), with the rate r at which mass leaves
a cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from randwalk.model.coefficient import Floats

from ..equation import FokkerPlanck
from .mesh import Mesh
from .schemes import SDIRK2, Clock
from .together import joint, most_factorised, most_kept

LARGEST_WORK: Final = 2**34  # numbers that are stepped, times steps: a quarter of an hour
COARSE: Final = 16  # cells of the axis with the most where D is looked at
ITERATION: Final = 3.0  # of both stages of a step, for a number, over what the chains take
FACTORED: Final = 20.0  # the same of a step with factors
FACTOR_BYTES: Final = 3000.0  # of a cell in the plane: 2750 of 80 000 cells, 2500 of 320 000
PER_ROOT: Final = 6.0  # iterations over √(1 + τr)


def effort(equation: FokkerPlanck, mesh: Mesh, clock: Clock) -> float:
    """The numbers that the steps of `clock` take on, each as many times as the chains would step it in the same time."""
    axes = joint(equation, mesh) if mesh.dimension > 1 else ()
    if not axes:
        return float(mesh.states * clock.steps)
    if mesh.size <= most_factorised(len(axes), equation.time_dependent):
        return mesh.states * clock.steps * FACTORED
    spread = [float(np.median(d)) for d in _seen(equation, mesh)]
    leaving = sum(2.0 * spread[a] / mesh.spacings[a] ** 2 for a in axes)
    roots = (s.steps * math.sqrt(1.0 + SDIRK2.gamma * (s.end - s.begin) / s.steps * leaving) for s in clock.stretches)
    return mesh.states * ITERATION * PER_ROOT * sum(roots)


def factor_bytes(equation: FokkerPlanck, mesh: Mesh) -> float:
    """The bytes that the factors of all chains together that are kept take for each cell, 0 where there are none."""
    axes = joint(equation, mesh) if mesh.dimension > 1 else ()
    if not axes or mesh.size > most_factorised(len(axes), equation.time_dependent):
        return 0.0
    return FACTOR_BYTES * most_kept(len(axes), mesh.size)


def too_much(work: float) -> str:
    """What is told of work beyond the largest; empty of less."""
    return f"{work:.2g} numbers to be stepped, at most {LARGEST_WORK:.2g}" if work > LARGEST_WORK else ""


def _seen(equation: FokkerPlanck, mesh: Mesh) -> Iterator[Floats]:
    """D along each axis where mass can be and it is finite, on a coarse mesh."""
    coarse = mesh.with_cells(COARSE)
    for axis in range(mesh.dimension):
        values = np.broadcast_to(equation.diffusion[axis, axis](coarse.centres, 0.0), coarse.shape)
        live = np.broadcast_to(coarse.live, coarse.shape) & np.isfinite(values)
        yield values[live] if live.any() else np.zeros(1)
