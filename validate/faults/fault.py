"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .planting import Patch


@dataclass(frozen=True)
class Fault:
    """A mistake that a program of this kind may have, and how it is planted.

    Attributes
    ----------
    name : str
        The mistake in words, as cases name it in ``catches``.
    part : str
        What is wrong: the walk (simulation and exact law alike), the simulation, the law, the solver, a walk in continuous
        space, a value at a point, the statistics.
    rungs : tuple of str
        The verdicts of a case (or the trials beside the cases) that must turn to "fail".
    plant : function
        Makes the mistake, by replacing functions.
    """

    name: str
    part: str
    rungs: tuple[str, ...]
    plant: Callable[[Patch], None]
