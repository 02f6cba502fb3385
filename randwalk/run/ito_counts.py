"""Counts of the walkers of a continuous walk: what every part of a run gives, and what adds up to the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..laws.places import PlaceSums
from ..model.ito import ItoWalk
from .bins import Bins
from .counts import joined
from .record import Record


@dataclass(frozen=True, eq=False)
class ItoCounts:
    """Whole numbers of walkers of some ranges, and exact sums of their places. Counts of one run add, in any order.

    Attributes
    ----------
    walk, steps, seed, bins
        What was run.
    parts : tuple of range
        The walkers, in increasing order.
    raw : NDArray[np.int64], shape (times, cells)
        Walkers inside in each cell of the bins.
    gone : NDArray[np.int64], shape (times, exits)
        Walkers that have left by then.
    places : tuple of PlaceSums
        Those of the survivors at each time.
    records : dict
        The result of each record.
    """

    walk: ItoWalk
    steps: tuple[int, ...]
    seed: int
    bins: Bins
    parts: tuple[range, ...]
    raw: NDArray[np.int64]
    gone: NDArray[np.int64]
    places: tuple[PlaceSums, ...]
    records: dict[Record, Any]

    @property
    def walkers(self) -> int:
        """How many walkers are counted, also those that have left the domain."""
        return sum(map(len, self.parts))

    @property
    def alive(self) -> NDArray[np.int64]:
        """Walkers that have not left at each time."""
        return self.walkers - self.gone.sum(axis=1)

    def __add__(self, other: ItoCounts) -> ItoCounts:
        """The walkers of both.

        Raises
        ------
        ValueError
            for counts of different walks, steps, seeds, bins or records, or of the same walkers.
        """
        if not isinstance(other, ItoCounts):
            return NotImplemented
        for name in ("walk", "steps", "seed", "bins"):
            if getattr(self, name) != getattr(other, name):
                raise ValueError(
                    f"counts of different {name} do not add: {getattr(self, name)} and {getattr(other, name)}"
                )
        if self.records.keys() != other.records.keys():
            raise ValueError(f"counts of different records do not add: {list(self.records)} and {list(other.records)}")
        return replace(
            self, parts=joined((*self.parts, *other.parts)), raw=self.raw + other.raw, gone=self.gone + other.gone,
            places=tuple(a + b for a, b in zip(self.places, other.places, strict=True)),
            records={record: result + other.records[record] for record, result in self.records.items()},
        )  # fmt: skip

    def __radd__(self, other: object) -> ItoCounts:
        """So that ``sum`` adds counts: it begins with 0."""
        return self if type(other) is int and other == 0 else NotImplemented
