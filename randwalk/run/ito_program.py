"""The compiled driver of a continuous walk."""

from __future__ import annotations

from typing import Protocol

from ..kernels.program import Keys
from ..model.ito import ItoWalk
from .ito_batch import State


class Driver(Protocol):
    """Moves walkers."""

    def __call__(self, state: State, first: int, start: int, stop: int, keys: Keys) -> None:
        """Advance walkers number `first`, `first` + 1, … from step `start` to step `stop`, in place."""


def driver(walk: ItoWalk) -> Driver:
    """The driver of a walk."""
    raise NotImplementedError(f"{walk}")
