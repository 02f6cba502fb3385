"""A batch of walkers at a recorded time, as records see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.coefficient import Floats
from ..tables.table import StepTable
from .functional import Distinct, Functional, Inside, Leaving, Turns, within
from .machine import Machine

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Walkers at a recorded time: how many are on each cell; and, where they are followed one by one, where each is, where it
    began, and the functionals of its path, arrays of the machine.

    Parameters
    ----------
    counts
        The walkers on each cell of the layout of `table`.
    start
        The cell at which all walkers began; None if they began on several.
    """

    table: StepTable
    counts: Whole
    start: int | None
    machine: Machine
    site: Any = None
    begun: Any = None
    functionals: Mapping[Functional, Any] | None = None

    @property
    def may_leave(self) -> bool:
        """Whether walkers can come to rest. Those of a constant walk on an unbounded domain cannot."""
        return not self.table.digits

    def histogram(self, functional: Functional, bins: int, shift: int = 0) -> Whole:
        """How many walkers have the values 0, 1, … of functional + `shift`."""
        assert self.functionals is not None
        return self.machine.histogram(self.functionals[functional], bins, shift)

    def passages(self, steps: int) -> Whole:
        """The walkers that have left after 0 … `steps` steps by each exit, shape (steps + 1, exits)."""
        assert self.functionals is not None
        return self.machine.passages(self.site, self.functionals[Leaving()], steps, self.table.layout.exit_of)

    def displacement(self, axis: int, bins: int) -> Whole:
        """How many survivors have each of `bins` displacements along an axis, in sites; the one in the middle is 0."""
        layout, middle = self.table.layout, bins // 2
        if self.start is None and layout.periodic == (False,):  # cells of one axis are as far apart as their sites
            live = layout.span if self.may_leave else None
            return self.machine.histogram(self.site, bins, middle, self.begun, live)
        k, walkers = self.displacements()
        counts = np.zeros(bins, dtype=np.int64)
        np.add.at(counts, k[axis] + middle, walkers)
        return counts

    def displacements(self) -> tuple[Whole, Whole]:
        """(displacements from the start in sites, with the turns around the periodic axes that are followed, shape (d, n); how
        many survivors have each, shape (n,))."""
        layout = self.table.layout
        turned = [f for f in self.functionals or () if isinstance(f, Turns)]
        if self.start is not None and not turned:
            cells = np.flatnonzero(self.counts)
            cells = cells[layout.is_live(cells)]
            return np.array(layout.numbers(cells)) - np.array(layout.numbers([self.start])), self.counts[cells]
        here, begun = self.machine.host(self.site), self.machine.host(self.begun)
        alive = layout.is_live(here) if self.may_leave else np.ones(here.size, dtype=bool)
        k = np.array(layout.numbers(here[alive])) - np.array(layout.numbers(begun[alive]))
        for functional in turned:
            turns = self.machine.host((self.functionals or {})[functional])[alive].astype(np.int64)
            k[functional.axis] += layout.shape[functional.axis] * turns
        return k, np.ones(k.shape[1], dtype=np.int64)

    def living(self, functional: Functional, bins: int) -> Whole:
        """How many survivors have each of `bins` values of a functional; the one in the middle is 0."""
        assert self.functionals is not None
        values = self.machine.host(self.functionals[functional])
        alive = self.table.layout.is_live(self.machine.host(self.site)) if self.may_leave else slice(None)
        return np.bincount(values[alive] + bins // 2, minlength=bins)

    def visits(self, functional: Inside, bins: int) -> Whole:
        """How many walkers have been in a set 0, 1, … times, now included."""
        assert self.functionals is not None
        here, table = self.machine.host(self.site), self.table
        inside = within(table, functional.set)[here] > 0
        now = inside & table.layout.is_live(here) if self.may_leave else inside
        return np.bincount(self.machine.host(self.functionals[functional]) + now, minlength=bins)

    def distinct(self, bins: int) -> Whole:
        """How many walkers have been on 0, 1, … sites; the cell at which a walker rests is none."""
        assert self.functionals is not None
        visited = self.machine.host(self.functionals[Distinct()])
        left = ~self.table.layout.is_live(self.machine.host(self.site)) if self.may_leave else 0
        return np.bincount(visited - left, minlength=bins)

    def places(self) -> list[Floats]:
        """The coordinates of every walker, axis by axis; NaN once killed."""
        layout, cells = self.table.layout, self.machine.host(self.site)
        killed = (cells == layout.killed) & self.may_leave
        pairs = zip(self.table.lattices, layout.numbers(cells), strict=True)
        return [np.where(killed, np.nan, lattice.x(k)) for lattice, k in pairs]
