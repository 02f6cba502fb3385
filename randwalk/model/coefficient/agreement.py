"""Whether a tree that was traced is the function that it was traced from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from .base import Coefficient
from .variables import LETTERS, TIME, Floats

COMPARED = 20_000  # points at which a tree of three or more variables is compared with its function
CONDITIONED = 1e-9  # a value is compared if it changes by less than this part when its arguments change by 16 ulp
AGREE = 1e-6  # of the values around: how closely the tree must agree with the function


def agree(function: Callable[..., Floats], arguments: Sequence[str], tree: Coefficient) -> bool:
    """Whether the tree has the function's values on all scales and on both sides of its breaks.

    Values that rounding of the arguments changes, like sin(10¹² x) far from 0, are not compared.
    """
    at, nudge = _grid(arguments, tree), 1.0 + 2.0**-48
    given = dict(zip(arguments, at, strict=True))
    size = max(tree.dimension, 1)
    point = tuple(given.get(name, np.zeros(())) for name in LETTERS[:size])
    with np.errstate(all="ignore"):
        try:
            ours, nudged = function(*at), function(*(v * nudge for v in at))
            theirs = tree(point, given.get(TIME, 0.0))
        except (TypeError, ValueError, ArithmeticError):
            return False
        usual = np.median(np.abs(ours[np.isfinite(ours)])) if np.isfinite(ours).any() else 0.0
        magnitude = np.maximum(np.abs(ours), usual)
        sound = np.isfinite(ours) & (np.abs(nudged - ours) <= CONDITIONED * magnitude)
        same = np.abs(theirs - ours) <= AGREE * magnitude
    return bool(sound.any() and same[sound].mean() > 0.999)


def _grid(arguments: Sequence[str], tree: Coefficient) -> list[Floats]:
    """Values of the arguments at which to compare: every pair of those of two, a fixed choice of those of more."""
    sizes = np.ldexp(1.3, np.arange(-80, 81, 4))
    grids = [
        np.concatenate([[0.0], sizes, -sizes, _about(tree.breaks(name, -math.inf, math.inf)[:50])])
        for name in arguments
    ]
    if len(grids) <= 2:
        return [v.ravel() for v in np.meshgrid(*grids, indexing="ij")]
    rng = np.random.default_rng(0)
    return [rng.choice(grid, COMPARED) for grid in grids]


def _about(places: tuple[float, ...]) -> Floats:
    """Points on both sides of the places, near and far."""
    at = np.array(places, dtype=np.float64)
    sides = np.array([-0.4, -1e-3, -1e-6, 1e-6, 1e-3, 0.4])
    return (at[:, None] + sides * np.where(at == 0.0, 1.0, np.abs(at))[:, None]).ravel()
