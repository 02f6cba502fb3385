"""All steps between two recorded times by one draw for each axis: the jump method."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..kernels.alias import REST
from ..kernels.program import FULL, JumpProgram, Keys, Walkers
from ..model.coefficient import Floats
from ..model.start import MASS_BITS
from ..model.walk import LatticeWalk
from ..tables.table import StepTable
from .machine import Machine
from .windows import Rows

ROUNDING = 1e-15  # of probabilities and their products


def why_not(walk: LatticeWalk) -> str | None:
    """Why the steps between two recorded times cannot be drawn at once; None if they can."""
    return walk.kept(why_not, lambda: _why_not(walk), lambda reason: True)


def _why_not(walk: LatticeWalk) -> str | None:
    wanted = "it needs constant probabilities on the whole line, or on rings, without walls and killing"
    if walk.domain.faces or walk.domain.regions:
        return f"{wanted}, and {walk.domain} has walls"
    if not walk.homogeneous or walk.time_dependent:
        return f"{wanted}, and those of this walk change from place to place or with time"
    table = StepTable(walk, ((0, 1),) * walk.dimension)
    if table.constant[-1] != FULL:
        return f"{wanted}, and walkers are killed at the rate {walk.killing}"
    laws = [dict(zip((-1, 0, 1), law.probabilities, strict=True)) for law in table.step_laws]
    limits = pairwise((0, *table.constant[:-1]))
    chances = {step: (above - below) / FULL for step, (below, above) in zip(walk.probabilities, limits, strict=True)}
    for step in itertools.product((1, 0, -1), repeat=walk.dimension):
        chance, product = chances.get(step, 0.0), math.prod(law[e] for law, e in zip(laws, step, strict=True))
        if any(step) and abs(product - chance) > ROUNDING:
            return (
                "it draws axis by axis, and the axes of this walk do not step independently: the probability of the step "
                f"{step} is {chance:.6g} and not {product:.6g}, the product of those along the axes"
            )
    return None


class Jumps:
    """Draws from the exact law of the displacement between recorded times: the jump method, for constant walks on lines and rings
    whose axes step independently, axis by axis.

    The law is quantised to whole numbers of 2⁻⁵³ and drawn through an alias table (A. J. Walker, 1977) of 2^bits cells, in
    integers throughout, so that what is drawn is the quantised law exactly; it differs from the law of the walk by a total
    variation below cells × 2⁻⁵³.
    """

    def __init__(self, table: StepTable, steps: Sequence[int]) -> None:
        lengths = {stop - start for start, stop in zip([0, *steps], steps, strict=False)} - {0}
        self._tables = [{n: _alias(*law.power(n)) for n in lengths} for law in table.step_laws]

    def __call__(
        self, machine: Machine, walkers: Walkers, rows: Rows, row: int, start: int, stop: int, keys: Keys
    ) -> None:
        if stop > start:
            machine.advance(walkers, self.program(0, row, stop - start), start, stop, keys)

    def program(self, axis: int, row: int, steps: int) -> JumpProgram:
        """All `steps` steps to the recorded time number `row` along an axis."""
        return JumpProgram(row, *self._tables[axis][steps], axis)


def _alias(first: int, pmf: Floats) -> tuple[int, int, NDArray[np.uint64], NDArray[np.uint32]]:
    """(first value, bits, cells, rests), the table of :mod:`randwalk.kernels.alias` for a law in whole numbers of 2⁻⁵³."""
    whole = np.rint(pmf / pmf.sum() * 2.0**MASS_BITS).astype(np.int64)
    whole[np.argmax(whole)] += 2**MASS_BITS - int(whole.sum())
    kept = np.flatnonzero(whole)
    first, whole = first + int(kept[0]), whole[kept[0] : kept[-1] + 1]
    bits = max(1, (whole.size - 1).bit_length())
    capacity = 1 << (MASS_BITS - bits)
    cut = [*whole.tolist(), *[0] * ((1 << bits) - whole.size)]  # of Python's numbers, which are quicker one by one
    alias = list(range(len(cut)))
    poor, rich = [i for i, n in enumerate(cut) if n < capacity], [i for i, n in enumerate(cut) if n > capacity]
    while poor and rich:
        low, high = poor.pop(), rich[-1]
        alias[low] = high
        cut[high] -= capacity - cut[low]
        if cut[high] <= capacity:
            rich.pop()
            if cut[high] < capacity:
                poor.append(high)
    cells = np.array(cut, dtype=np.int64)
    cuts, rests = (cells >> REST).astype(np.uint64), (cells & ((1 << REST) - 1)).astype(np.uint32)
    return first, bits, cuts << np.uint64(32) | np.array(alias, dtype=np.uint64), rests
