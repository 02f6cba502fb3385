"""The arguments that solvers share, checked before anything runs."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import numbers
from randwalk.inputs.memory import SHARE, SMALL, available, require
from randwalk.inputs.wording import shown
from randwalk.model.coefficient import Floats

from .schemes import SDIRK2, BackwardEuler, CrankNicolson, Scheme

SMALLEST_CELLS: Final = 16
SMALLEST_TOLERANCE: Final = 1e-12
CELL_BYTES: Final = 600  # that a run needs for each cell, beside what is recorded

MOST_CELLS = 1 << 48  # of an axis, more than any memory holds


def checked_scheme(scheme: Scheme | None) -> Scheme:
    """A time scheme, SDIRK2() for None."""
    if scheme is None:
        return SDIRK2()
    if isinstance(scheme, type) or not isinstance(scheme, (BackwardEuler, CrankNicolson, SDIRK2)):
        given = f"{scheme.__name__}, a class" if isinstance(scheme, type) else shown(scheme)
        raise TypeError(f"scheme = {given}: give BackwardEuler(), CrankNicolson() or SDIRK2()")
    return scheme


def checked_tolerance(tolerance: float) -> float:
    """A tolerance that is a number between rounding and 1."""
    if not isinstance(tolerance, Real) or isinstance(tolerance, bool):
        raise TypeError(f"tolerance = {shown(tolerance)}: must be one number, such as 1e-4")
    if not SMALLEST_TOLERANCE <= tolerance < 1.0:
        raise ValueError(f"tolerance = {shown(tolerance)}: must be at least {SMALLEST_TOLERANCE:g} and less than 1")
    return float(tolerance)


def checked_cells(cells: int) -> int:
    """A number of cells that can be halved for the error estimate."""
    if not isinstance(cells, Integral) or isinstance(cells, bool):
        raise TypeError(f"cells = {shown(cells)}: must be an even whole number, such as 200")
    if cells < SMALLEST_CELLS or cells % 2:
        raise ValueError(f"cells = {cells}: must be an even number, at least {SMALLEST_CELLS}")
    if cells > MOST_CELLS:
        raise ValueError(f"cells = {shown(cells)}: must be at most {MOST_CELLS}, more than any memory holds")
    return int(cells)


def check_memory(shape: tuple[int, ...], records: int, more: float = 0.0) -> None:
    """Refuse a run of so many cells along each axis with that many recorded times that would not fit; each cell takes so many
    bytes `more`."""
    if fits(shape, records, more):
        return
    cells, each = math.prod(shape), _bytes(records) + more
    most = int(max(shape) * (SHARE * available() / each / cells) ** (1.0 / len(shape))) // 2 * 2
    along = " along the longest axis" if len(shape) > 1 else ""
    remedy = f"take at most {most} cells{along}" if most >= SMALLEST_CELLS else "record fewer times"
    what = f"a solution of {cells} cells and {records} recorded times"
    require(cells * each, what, f"{remedy}, or a larger tolerance in place of cells")


def fits(shape: tuple[int, ...], records: int, more: float = 0.0) -> bool:
    """Whether there is memory for such a run."""
    size = math.prod(shape) * (_bytes(records) + more)
    return size <= SMALL or size <= SHARE * available()  # to ask the system takes longer than a short run


def _bytes(records: int) -> int:
    """What a run needs for each cell."""
    return CELL_BYTES + 16 * records


def checked_times(times: ArrayLike) -> Floats:
    """Times as an array; refused unless they are positive and increase."""
    given = np.atleast_1d(numbers("times", times))
    if given.ndim != 1 or given.size == 0:
        raise ValueError(f"times must be a number or a list of numbers, not an array of shape {given.shape}")
    wrong = ~(np.isfinite(given) & (given > 0.0))
    if wrong.any():
        raise ValueError(f"times: {given[wrong][0]:g} must be positive and finite; the law at time 0 is the start")
    if (np.diff(given) <= 0.0).any():
        at = int(np.argmax(np.diff(given) <= 0.0))
        raise ValueError(f"times must increase: {given[at + 1]:g} comes after {given[at]:g}; sort them, each once")
    return given
