"""Whether by which exit mass leaves is less regular in time than how much leaves in all.

Beside an absorbing face that begins with mass, steps one direction after the other share what leaves first: within a time t,
of the order of D t of it from a corner of two such faces, and of √(D t) t where another exit competes with one face. With equal
steps that of the first one, t = dt, stays an error of order 1 or 3/2. With steps that end at times in proportion to the cube of
their number the first is of order 3, and all steps together leave an error of second order, Σ dt (dt/t)².
"""

from __future__ import annotations

import math
from typing import Final

from randwalk.model.coefficient import ZERO
from randwalk.model.start import Everywhere, Uniform

from ..equation import FokkerPlanck
from ..factors import independent
from .mesh import Mesh

POWER: Final = 3  # of the number of a step, that its end is in proportion to
ORDER: Final = 2.0  # of by which exit mass leaves with such steps, extrapolated or not


def irregular(equation: FokkerPlanck, mesh: Mesh) -> bool:
    """Whether mass begins in a corner of absorbing faces, or at one face and can leave otherwise; lines that are independent
    share what leaves within a step. With a D that is not diagonal the order of both is low and is taken from the levels."""
    if mesh.dimension == 1 or not equation.diffusion.diagonal:
        return False
    begun = {
        axis
        for axis, side, wall in mesh.faces()
        if wall is not None and math.isinf(wall.reactivity) and _begins(equation, mesh, axis, side)
    }
    if len(begun) > 1 and not independent(equation):
        return True
    leaky = {face.axis for face in equation.domain.faces if face.wall.reactivity > 0.0}
    return bool(begun) and (len(leaky) > 1 or equation.killing != ZERO)


def _begins(equation: FokkerPlanck, mesh: Mesh, axis: int, side: int) -> bool:
    """Whether mass begins within a cell of an end of an axis: points are shared by cells with an image that vanishes there,
    and normal starts are refused where they reach a wall."""
    grid, start = mesh.axes[axis], equation.declared_start
    factors = None if start is None else start.factors
    if factors is None or not isinstance(factor := factors[axis], Uniform | Everywhere):
        return False
    low, high = factor.support
    return bool(low < grid.edges[1] if side == 0 else high > grid.edges[-2])
