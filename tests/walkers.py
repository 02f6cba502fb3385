"""Walkers of an Itô walk moved by the driver alone, without what a run records."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from randwalk.kernels.ito import State
from randwalk.kernels.philox import key
from randwalk.model.ito import ItoWalk
from randwalk.tables.ito_program import program


def walked(
    walk: ItoWalk,
    walkers: int,
    steps: int,
    seed: int = 1,
    pairs: int = 1,
    first: int = 0,
    start: ArrayLike | None = None,
) -> State:
    """The state of walkers after the steps of the walk, from its start point."""
    made = program(walk)
    low = [ends[0] for ends in walk.start.bounds] if start is None else start
    state = made.begin(np.repeat(np.atleast_1d(low).astype(float)[:, None], walkers, axis=1))
    made.walk(state, first, 0, steps, key(seed), pairs)
    return state
