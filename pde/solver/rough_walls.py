"""Walls at which errors have no expansion in h²: those of regions, and with a D that is not diagonal faces too, in whose corners
steps along diagonals end. What has never been near them is free of those errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from randwalk.model.coefficient import Floats

from ..equation import FokkerPlanck
from .mesh import Mesh

NEAR: Final = 1.0 / 24.0  # of the cells of an axis


def has_rough_walls(equation: FokkerPlanck) -> bool:
    domain = equation.domain
    return bool(domain.regions or (_slanted(equation) and domain.faces))


def _slanted(equation: FokkerPlanck) -> bool:
    return equation.domain.dimension > 1 and not equation.diffusion.diagonal


@dataclass(frozen=True, eq=False)
class RoughWalls:
    """The `cells` within :data:`NEAR` of the cells of an axis from such walls, of the shape of a mesh, and the `exits` there. The
    masses of those where mass can be are at the `places` of a state."""

    cells: NDArray[np.bool_]
    places: NDArray[np.int64]
    exits: slice

    @classmethod
    def of(cls, equation: FokkerPlanck, mesh: Mesh) -> RoughWalls | None:
        """Those on a mesh; None where there are none."""
        if not has_rough_walls(equation):
            return None
        slanted = _slanted(equation)
        rough = ~mesh.live if mesh.cuts is None else ~mesh.live | (mesh.cuts.parts < 1.0)
        for axis, side, wall in mesh.faces() if slanted else []:
            np.moveaxis(rough, axis, 0)[side] |= wall is not None
        reach = 2 * math.ceil(NEAR * mesh.cells) + 1
        modes = ["wrap" if grid.periodic else "constant" for grid in mesh.axes]
        for axis, side, at in mesh.covered:
            rough[mesh.layer(axis, side)] |= at >= 0
        near = ndimage.maximum_filter(rough, reach, mode=modes)
        return cls(near, mesh.index[near & mesh.live], slice(0 if slanted else 2 * mesh.dimension, -1))

    def near(self, state: Floats) -> float:
        """The mass of a `state` that is near."""
        return float(state[self.places].sum())

    def left(self, left_so_far: Floats) -> Floats:
        """What has left there, (times,), of what has left by each of the exits, (times, exits)."""
        return np.asarray(left_so_far[:, self.exits].sum(axis=1))
