"""Which sites a walk can be on. A walk that never stays lives on every second site; that is computed, never assumed."""

from __future__ import annotations

import numpy as np

from ..laws.atoms import Support
from .table import StepTable
from .window import start_index


def occupied(table: StepTable, step: int) -> slice:
    """The live sites (numbered from 0) that can be occupied after `step` steps: all of them, or every second one."""
    index, _ = start_index(table)
    live = index[(index >= 1) & (index <= table.sites)]
    single = live.size > 0 and (live % 2 == live[0] % 2).all()
    if not single or table.wrap % 2 or _stays(table, step).any():
        return slice(None)
    return slice((int(live[0]) - 1 + step) % 2, None, 2)


def cell(table: StepTable, step: int) -> int:
    """The width in dx of the cell that an atom stands for: 2 if no site inside lets a walker stay, else 1.

    Near a half-way wall a walker stays, which mixes the parities only gradually, so sites beside a wall do not count.
    """
    if table.wrap % 2:
        return 1
    return 1 if _stays(table, max(step, 1))[1:-1].any() or table.sites < 3 else 2


def _stays(table: StepTable, step: int) -> np.ndarray:
    """For each column of live sites, whether a walker may stay there during the first `step` steps."""
    stays = np.zeros(table.columns - 3, dtype=bool)
    for _, _, thresholds in table.chunks(0, max(step, 1)):
        stays |= (thresholds[:, 1, 1:-2] < thresholds[:, 2, 1:-2]).any(axis=0)
    return stays


def support_at(table: StepTable, step: int) -> Support:
    """The sites of a table after `step` steps, as a law has atoms on them."""
    return Support(table.x, table.walk.dx, table.walk.domain, lambda: (occupied(table, step), cell(table, step)))
