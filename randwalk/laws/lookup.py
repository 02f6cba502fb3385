"""Look-ups that all laws share: bin edges, and the error of a law that has no answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import numbers
from ..model.coefficient import Floats


class NoAnswer(ValueError):
    """A law has no answer to a question; the message says which question and why."""


def check_edges(edges: ArrayLike) -> Floats:
    """Bin edges as an array; refused unless there are two or more and they increase. The outer ones may be infinite."""
    array = numbers("edges", edges)
    if array.ndim != 1 or array.size < 2 or not (np.diff(array) > 0).all():
        raise ValueError(f"edges must be at least two increasing numbers, not {array.tolist()}")
    return array
