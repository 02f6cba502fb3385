"""Walkers of an Itô walk moved by the driver alone, without what a run records."""

import numpy as np

from randwalk.kernels.philox import key
from randwalk.tables.ito_program import program


def walked(walk, walkers, steps, seed=1, pairs=1, first=0, start=None):
    """The state of walkers after the steps of the walk, from its start point."""
    made = program(walk)
    low = [ends[0] for ends in walk.start.bounds] if start is None else start
    state = made.begin(np.repeat(np.atleast_1d(low).astype(float)[:, None], walkers, axis=1))
    made.walk(state, first, 0, steps, key(seed), pairs)
    return state
