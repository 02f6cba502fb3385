"""The text of what the walls of a continuous walk do in a step (:mod:`randwalk.kernels.wall`)."""

from __future__ import annotations

from ..model.ito import ItoWalk
from .emit import Parameters

FREE = [
    "@device\ndef near(x, y, t, h, p):\n    return False",
    "@device\ndef crossed(x, y, t, h, walker, step, p, keys):\n    return 0, h, y",
]


def walls_text(walk: ItoWalk, parameters: Parameters) -> tuple[int, list[str]]:
    """The number of walls, and the functions `near` and `crossed` of the walk."""
    return 0, FREE
