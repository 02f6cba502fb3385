"""What is asked of a walk about a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from randwalk.inputs.wording import shown
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.start import Start
from randwalk.model.walk import LatticeWalk
from randwalk.tables.start_table import start_cells
from randwalk.tables.table import StepTable
from randwalk.tables.window import start_range, table_on

from ..equation import check_walk
from .excursion import Excursion
from .passage import Passage
from .places import Numbers, Places, cells_of, numbers_of, sites_of
from .site_chain import SiteChain

Target: TypeAlias = Any


@dataclass(frozen=True)
class Question:
    """What is asked of a walk: places are lattice numbers; without `start`, walkers start where the walk says."""

    walk: LatticeWalk
    target: Numbers | None
    stopped: Numbers | None
    exits: tuple[str, ...]
    start: Numbers | None
    kind: type[Passage]

    @classmethod
    def read(
        cls, walk: LatticeWalk, target: Target, before: Places, start: Places, kind: type[Passage] = Passage
    ) -> Question:
        check_walk(walk)
        if isinstance(start, Start):
            walk, start = walk.with_start(start), None
        if walk.time_dependent:
            raise ValueError(
                "the walk's probabilities depend on time: only exact_law(walk, times).absorbed(exit, t), up to a given time, is "
                "answered"
            )
        open_exits = walk.domain.open_exits(walk.killing != Constant(0.0))
        if target is None or isinstance(target, str):
            exits = open_exits if target is None else (target,)
            places = None
            if target is not None:
                walk.domain.exit(target, "target")
            if not set(exits) & set(open_exits):
                where = "; give a place" if target is None else " there; take another exit, or a place"
                raise ValueError(f"target = {shown(target)}: nobody leaves {walk.domain}{where}")
        else:
            exits, places = (), numbers_of(walk, "target", target)
        stopped = None if before is None else numbers_of(walk, "before", before)
        if places is not None and stopped is not None and sites_of(places) & sites_of(stopped):
            raise ValueError("target and before have a place in common: leave it out of one of them")
        return cls(walk, places, stopped, exits, None if start is None else numbers_of(walk, "start", start, 1), kind)

    def on(
        self,
        table: StepTable,
        edges: Callable[[SiteChain, int], Excursion],
        folded: Callable[[SiteChain], SiteChain] = lambda chain: chain,
    ) -> Passage:
        """The passage on the sites of a table, with the excursions over each of its edges, or `folded` into its chain."""
        chain = folded(SiteChain.of(table))
        exits = np.array([exit in self.exits for exit in table.layout.exits])
        target, stopped = (np.zeros(chain.to.shape[1], dtype=bool) for _ in range(2))
        for places, sites in ((self.target, target), (self.stopped, stopped)):
            if places is not None:
                sites[chain.position[cells_of(table, places)]] = True
        beyond = {exit: edges(chain, exit) for exit in np.flatnonzero(table.layout.edges).tolist()}
        return self.kind(chain, target, stopped, exits, beyond)

    def starts(self, table: StepTable, passage: Passage) -> tuple[NDArray[np.intp], Floats | None]:
        """The positions of the starts on the chain, and their masses unless they are asked for one by one."""
        if self.start is not None:
            return passage.chain.position[table.layout.index(*self.start)], None
        cells, masses = start_cells(table)
        return passage.chain.position[cells], masses

    @property
    def target_sites(self) -> NDArray[np.int64]:
        """The target's sites, (n, d)."""
        return _stacked(self.target, self.walk.dimension)

    @property
    def stopped_sites(self) -> NDArray[np.int64]:
        """Those where walkers stop before, (n, d)."""
        return _stacked(self.stopped, self.walk.dimension)

    @cached_property
    def begun(self) -> Begun:
        """The starts on a lattice without ends."""
        if self.start is not None:
            return Begun(_stacked(self.start, self.walk.dimension), None, self.start[0].shape)
        table = table_on(self.walk, start_range(self.walk))
        cells, masses = start_cells(table)
        return Begun(np.stack(table.layout.numbers(cells), axis=-1), masses, ())


class Begun(NamedTuple):
    """Sites (n, d) from which walkers start, with their masses, or one by one in an array of a shape."""

    sites: NDArray[np.int64]
    masses: Floats | None
    shape: tuple[int, ...]


def _stacked(places: Numbers | None, dimension: int) -> NDArray[np.int64]:
    """Lattice numbers as (n, d)."""
    if places is None:
        return np.zeros((0, dimension), dtype=np.int64)
    return np.stack([axis.reshape(-1) for axis in places], axis=-1)
