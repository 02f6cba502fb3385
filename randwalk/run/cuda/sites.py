"""Sites of walkers that are worked out where they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...jit.cuda.compile import filled
from ...kernels.cuda import digits
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
        return digits.tossed_counts(range(first, first + self.size), self._cell, program, span, keys, -shift, size)

    def __setitem__(self, where: Any, values: Any) -> None:
        self.array[where] = values


def array_of(site: Any) -> Any:
    """An array of the device."""
    return site.array if isinstance(site, Tossed) else site
