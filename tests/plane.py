"""A small walk in the plane as a program: the kernels know sites, not space, so it is only another table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from randwalk.kernels.program import FULL, LIVE, TableProgram
from randwalk.tables.layout import Layout
from randwalk.tables.quantise import in_parts

EXITS = ("west", "east", "south", "north", "killing")
LAYOUT = Layout(
    (3, 4), (0, 0), (False, True), EXITS, (False,) * len(EXITS)
)  # walls in the west and in the east, else a ring
START = int(LAYOUT.index(1, 2))


@dataclass(frozen=True)
class Numbered:
    """A layout with addresses of its cells, which streams of one axis alone define."""

    layout: Layout = LAYOUT

    @property
    def address(self) -> NDArray[np.uint64]:
        return np.arange(self.layout.cells, dtype=np.uint64)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.layout.shape

    @property
    def sites(self) -> int:
        return self.layout.sites

    @property
    def periodic(self) -> tuple[bool, ...]:
        return self.layout.periodic

    @property
    def strides(self) -> tuple[int, ...]:
        return self.layout.strides

    def slabs(self, pieces: int) -> list[range]:
        return self.layout.slabs(pieces)

    def slab(self, own: range, steps: int, farthest: int) -> tuple[NDArray[np.int32], int, int, int, int]:
        return self.layout.slab(own, steps, farthest)

    def tiles(self, offsets: Sequence[int], width: int, steps: int) -> tuple[NDArray[Any], ...]:
        return self.layout.tiles(offsets, width, steps)


def program(rows: int = 1, kills: bool = True) -> TableProgram:
    """Random probabilities of four steps, a stay and a death in six columns; in one of them no walker stays."""
    random, stride = np.random.default_rng(5), LAYOUT.strides[0]
    limits = np.sort(random.integers(0, FULL, (rows, 5, 7)), axis=1)
    limits[:, :, 6] = FULL // 4, FULL // 2, 3 * (FULL // 4), FULL, FULL
    if not kills:
        limits[:, 4] = FULL
    limits[:, :4, 0], limits[:, 4, 0] = 0, FULL  # where walkers rest
    column = np.where(LAYOUT.exit_of == LIVE, random.integers(1, 7, LAYOUT.cells), 0).astype(np.int32)
    offsets = stride, -stride, 1, -1
    return TableProgram(offsets, in_parts(limits), column, LAYOUT.home, LAYOUT.exit_of, kills, True)
