"""What laws of first passage share: names of exits, and who has not left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from randwalk.data.datum import Passages
from randwalk.inputs.wording import did_you_mean
from randwalk.model.coefficient import Floats


def check_exit(exit: str, exits: Sequence[str]) -> str:
    """The name of an exit, refused unless it is one of `exits`."""
    if exit not in exits:
        raise ValueError(f"exit = {exit!r}: must be one of {', '.join(exits)}{did_you_mean(exit, exits)}")
    return exit


def survival(law: Passages, t: Floats) -> Floats:
    """1 less what has left, asked once a time."""
    times, place = np.unique(t, return_inverse=True)
    left = sum((law.absorbed(exit, times) for exit in law.exits), np.zeros(times.size))
    return np.maximum(1.0 - left, 0.0)[place]
