"""The order, in the length of steps, of the error in by which exit mass leaves.

Beside an absorbing face that begins with mass, steps one direction after the other share what leaves first: within a time t,
of the order of D t of it from a corner of two such faces, and of √(D t) t where another exit competes with one face. The steps
from the start on, t = dt, are never fine, so that an error of first order in dt, or of order 3/2, stays; how much leaves in all,
and the masses of cells, are not touched.
"""

from __future__ import annotations

import math

from randwalk.model.coefficient import ZERO
from randwalk.model.start import Everywhere, Uniform

from ..equation import FokkerPlanck
from ..factors import independent
from .mesh import Mesh

CORNER, FACE = 1.0, 1.5


def exit_order(equation: FokkerPlanck, mesh: Mesh) -> float:
    """1 where mass begins in a corner of absorbing faces, 3/2 where it begins at one face and can leave otherwise, and for
    lines that are independent, which share what leaves within a step; else ∞: what has left is as regular as the masses. So it is
    with a D that is not diagonal, where the order of both is low and is taken from the levels."""
    if mesh.dimension == 1 or not equation.diffusion.diagonal:
        return math.inf
    begun = {
        axis
        for axis, side, wall in mesh.faces()
        if wall is not None and math.isinf(wall.reactivity) and _begins(equation, mesh, axis, side)
    }
    if len(begun) > 1 and not independent(equation):
        return CORNER
    leaky = {face.axis for face in equation.domain.faces if face.wall.reactivity > 0.0}
    return FACE if begun and (len(leaky) > 1 or equation.killing != ZERO) else math.inf


def _begins(equation: FokkerPlanck, mesh: Mesh, axis: int, side: int) -> bool:
    """Whether mass begins within a cell of an end of an axis: points are shared by cells with an image that vanishes there,
    and normal starts are refused where they reach a wall."""
    grid, factors = mesh.axes[axis], equation.start.factors
    if factors is None or not isinstance(factor := factors[axis], Uniform | Everywhere):
        return False
    low, high = factor.support
    return bool(low < grid.edges[1] if side == 0 else high > grid.edges[-2])
