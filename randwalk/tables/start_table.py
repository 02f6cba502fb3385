"""The start of a walk on the cells of a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model.coefficient import Floats
from ..model.shares import MASS_BITS, whole_masses
from ..model.sites import site_masses
from .layout import Numbers
from .table import StepTable

Part = tuple[NDArray[np.int32], NDArray[np.int64]]


def start_mass(table: StepTable) -> tuple[Floats, Floats]:
    """The start as (mass of every cell, with none at the exits, mass that begins at each exit)."""
    cells, masses = start_cells(table)
    mass = table.layout.empty(dtype=np.float64)
    mass[cells] = masses
    gone = table.layout.gone(mass)
    mass[cells[~table.layout.is_live(cells)]] = 0.0
    return mass, gone


def start_cells(table: StepTable) -> tuple[Numbers, Floats]:
    """The start as (cells, masses): the products of the parts."""
    cells, masses = np.zeros(1, dtype=np.int64), np.ones(1)
    for some, whole in start_parts(table):
        cells = np.add.outer(cells, some).reshape(-1)
        masses = np.multiply.outer(masses, whole / 2.0**MASS_BITS).reshape(-1)
    return cells, masses


def start_index(table: StepTable) -> Part:
    """The start as one part: (cells, increasing, masses in whole 2⁻⁵³). The products of several parts are rounded once more."""
    parts = start_parts(table)
    if len(parts) == 1:
        return parts[0]
    cells, masses = start_cells(table)
    whole = whole_masses(masses)
    kept = np.flatnonzero(whole)
    return cells[kept].astype(np.int32), whole[kept]


def start_parts(table: StepTable) -> tuple[Part, ...]:
    """The start as independent parts, each (numbers of cells, increasing, masses in whole 2⁻⁵³): one for each axis, of which the
    numbers add up to that of a cell, or one for all axes, whose numbers are those of cells."""
    layout, parts = table.layout, []
    for axes, numbers, masses in site_masses(table.walk.start, table.lattices, table.walk.domain):
        places = [(k - layout.first[axis] + 1) * layout.strides[axis] for axis, k in zip(axes, numbers, strict=True)]
        if masses.size == 1:
            parts.append((np.sum(places, axis=0).astype(np.int32), masses))
            continue
        cells, which = np.unique(np.sum(places, axis=0), return_inverse=True)
        total = np.zeros(cells.size, dtype=np.int64)
        np.add.at(total, which, masses)
        kept = np.flatnonzero(total)
        parts.append((cells[kept].astype(np.int32), total[kept]))
    return tuple(parts)
