"""Which sites a walk can be on. A walk that never stays lives on every second site; the table says so, nobody assumes it."""

from __future__ import annotations

from ..laws.atoms import Support
from .table import StepTable
from .window import start_index


def occupied(table: StepTable, step: int) -> slice:
    """The live sites (numbered from 0) that can be occupied after `step` steps: all of them, or every second one."""
    cells, _ = start_index(table)
    layout = table.layout
    (numbers,) = layout.numbers(cells[layout.is_live(cells)])
    single = numbers.size > 0 and (numbers % 2 == numbers[0] % 2).all()
    (sites,) = layout.shape
    if not single or (table.lattice.periodic and sites % 2) or table.stays(step).any():
        return slice(None)
    return slice(int(numbers[0] - table.first + step) % 2, None, 2)


def cell(table: StepTable, step: int) -> int:
    """The width in dx of the cell that an atom stands for: 2 if no site inside lets a walker stay, else 1.

    Near a half-way wall a walker stays, which mixes the parities only gradually, so sites beside a wall do not count.
    """
    (sites,) = table.layout.shape
    if table.lattice.periodic and sites % 2:
        return 1
    return 1 if table.stays(max(step, 1))[1:-1].any() or sites < 3 else 2


def support_at(table: StepTable, step: int) -> Support:
    """The sites of a table after `step` steps, as a law has atoms on them."""
    axes = table.walk.domain.axes
    return Support((table.x,), (table.walk.dx,), axes, lambda: (occupied(table, step), (cell(table, step),)))
