"""Sites of walkers that are worked out where they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...jit.cuda.compile import SHARED, filled, processors
from ...kernels.cuda import digits
from ...kernels.cuda.stream import parts_of, round_keys
from ...kernels.cuda.walkers import FEW, MANY, toss_and_count
from ...kernels.program import DigitsProgram, Keys, Span, Walkers

NO_STATE = np.empty((0, 0), dtype=np.int32)


class Tossed:
    """Sites of walkers that began on one cell and have made the steps of fair coins alone. Where they are counted once and asked
    for nothing else, they are never in memory: one kernel walks and counts."""

    def __init__(self, size: int, cell: int) -> None:
        self.size = size
        self._cell, self._array = cell, None
        self._tosses: list[tuple[int, DigitsProgram, Span, Keys]] = []

    @property
    def array(self) -> Any:
        """The sites, an array of the device."""
        if self._array is None:
            self._array = filled(self.size, self._cell)
            for first, program, span, keys in self._tosses:
                digits.advance(Walkers(first, self._array, NO_STATE), program, [span], keys)
        return self._array

    def toss(self, walkers: Walkers, program: Any, span: Span, keys: Keys) -> bool:
        """Make the steps of a span later, if they are those of a fair coin; whether they are."""
        fair = isinstance(program, DigitsProgram) and program.thresholds == digits.FAIR and walkers.state is None
        if self._array is None and fair:
            self._tosses.append((walkers.first, program, span, keys))
            return True
        return False

    def counted(self, size: int, shift: int) -> NDArray[np.int64] | None:
        """The walkers on the cells from -`shift` on, those beyond at the ends; None where only the sites can be counted."""
        if self._array is not None or len(self._tosses) != 1:
            return None
        first, program, span, keys = self._tosses[0]
        (_, start, stop), high = span, first >> 32
        blocks = range(start // 128, (stop + 127) // 128)
        if not 0 < len(blocks) <= digits.MOST or 4 * size > SHARED or (first + self.size - 1) >> 32 != high:
            return None  # where a kernel of its own would have to make them
        counts, begun = filled(size, 0, np.int64), self._cell + program.offsets[0] * (stop - start)
        told = program, parts_of(blocks, high, keys), digits.masks_of(blocks, start, stop)
        walkers, cells, kernel = (first, self.size), (begun, -shift, size - shift - 1), toss_and_count(len(blocks))
        kernel(processors() * FEW, MANY, counts, walkers, *told, cells, round_keys(keys), shared=4 * size)
        return counts.copy_to_host()

    def __setitem__(self, where: Any, values: Any) -> None:
        self.array[where] = values


def array_of(site: Any) -> Any:
    """An array of the device."""
    return site.array if isinstance(site, Tossed) else site
