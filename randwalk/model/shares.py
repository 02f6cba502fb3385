"""Masses shared by sites of a lattice, and rounded to whole numbers of 2⁻⁵³."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..inputs.memory import require
from .coefficient import Floats
from .lattice import Lattice

MASS_BITS = 53  # a start mass is a whole number of 2⁻⁵³, exact in a double and in a 64-bit word
OF_A_SITE = 48.0  # bytes, while masses are computed


def whole_masses(weights: Floats) -> NDArray[np.int64]:
    """Weights as whole numbers of 2⁻⁵³ that sum to 2⁵³, what rounding leaves on the largest."""
    whole = np.rint(weights / weights.sum() * 2.0**MASS_BITS).astype(np.int64)
    whole[np.argmax(whole)] += 2**MASS_BITS - int(whole.sum())
    return whole


def even(count: int) -> NDArray[np.int64]:
    """So many equal masses, in whole 2⁻⁵³: they differ by 1 at most, and the larger ones are spread evenly.

    >>> even(3).tolist(), int(even(3).sum()) == 2**53
    ([3002399751580330, 3002399751580331, 3002399751580331], True)
    """
    each, more = divmod(2**MASS_BITS, count)
    return each + np.diff(np.arange(count + 1) * more // count)


def covering(lattice: Lattice, low: float, high: float) -> NDArray[np.int64]:
    """The numbers of the sites whose cells, x ± dx/2, meet [low, high]."""
    _check_width(low, high, lattice)
    first = math.floor((low - lattice.origin) / lattice.dx + 0.5)
    last = math.ceil((high - lattice.origin) / lattice.dx - 0.5)
    return np.arange(first, max(first, last) + 1)


def share(x: Floats, lattice: Lattice) -> tuple[NDArray[np.int64], Floats]:
    """For places, the numbers of the sites below them and the parts of their masses that the sites above get, which keep the
    means."""
    _check_width(float(x.min()), float(x.max()), lattice)
    place = (x - lattice.origin) / lattice.dx
    near = np.rint(place)
    place = np.where(np.abs(place - near) <= 1e-9 * np.maximum(1.0, np.abs(near)), near, place)  # on a site, exactly
    below = np.floor(place).astype(np.int64)
    return below, place - below


def share_of(x: float, lattice: Lattice) -> tuple[int, float]:
    """As :func:`share`, for one place."""
    place = (x - lattice.origin) / lattice.dx
    near = round(place)
    if abs(place - near) <= 1e-9 * max(1.0, abs(near)):
        return near, 0.0
    below = math.floor(place)
    return below, place - below


def shared(x: Floats, masses: Floats, lattice: Lattice) -> tuple[int, Floats]:
    """Each mass shared by the two sites around its place: (number of the first site, masses)."""
    below, upper = share(x, lattice)
    first = int(below.min())
    masses_of = np.zeros(int(below.max()) - first + 2)
    np.add.at(masses_of, below - first, masses * (1.0 - upper))
    np.add.at(masses_of, below - first + 1, masses * upper)
    return first, masses_of


def _check_width(low: float, high: float, lattice: Lattice) -> None:
    """Refuse a start on more sites than fit into memory, before they are counted."""
    require(
        OF_A_SITE * (high - low) / lattice.dx, f"a start from {low:g} to {high:g}", "narrow it, or take a larger dx"
    )
