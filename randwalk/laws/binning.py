"""Atoms on sites gathered into bins: closed on the left, the last on both sides."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import numbers
from ..model.coefficient import Floats

ON_EDGE = 1e-9  # of dx: a site this close to an edge is on it


def check_edges(edges: ArrayLike) -> Floats:
    """Bin edges as an array; refused unless there are two or more and they increase."""
    array = numbers("edges", edges)
    if array.ndim != 1 or array.size < 2 or not (np.diff(array) > 0).all():
        raise ValueError(f"edges must be at least two increasing numbers, not {array.tolist()}")
    return array


def bin_atoms(x: Floats, values: np.ndarray, edges: ArrayLike, dx: float) -> np.ndarray:
    """Sums of `values`, which stand at the increasing places `x`, over the bins."""
    array = check_edges(edges)
    bounds = np.searchsorted(x, array - ON_EDGE * dx, side="left")
    bounds[-1] = np.searchsorted(x, array[-1] + ON_EDGE * dx, side="right")
    total = np.concatenate([np.zeros(1, dtype=values.dtype), np.cumsum(values)])
    if values.dtype.kind == "f":  # not as differences of a running sum, which would lose the small ones
        return np.array([values[a:b].sum() for a, b in itertools.pairwise(bounds)])
    return total[bounds[1:]] - total[bounds[:-1]]
