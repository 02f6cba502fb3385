"""From a tolerance to cells and steps: errors are measured on a pilot grid, and scaled by the orders of the scheme."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .effort import too_much
from .ladder import FALL, MOST_PLAIN, SMALLEST, Family, Found, Ladder, R
from .needs import Needs, counted
from .schemes import Clock

PILOT_CELLS: Final = 128
FIRST_STEPS: Final = 8  # an octave
LARGEST_PILOT: Final = 8192
RESOLVED: Final = 0.02  # differences below this, relative to the scale, tell an error
LOWEST_FALL: Final = 2.0  # of first-order errors from a level to the next
CHEAPER: Final = "take shorter times, a smaller drift, or simulate an ItoWalk"
STUCK: Final = 0.9  # of the smallest error so far is no progress


@dataclass(frozen=True)
class Balance:
    """So many `cells`, and :data:`FIRST_STEPS` steps an octave doubled `doublings` times, that the errors of both are small and
    that of the steps is less than that of the cells."""

    needs: Needs
    cells: int
    doublings: int

    @classmethod
    def measured(cls, family: Family[R], needs: Needs, scale: float) -> Balance:
        """Refine the larger of the two errors until both are small beside `scale`, or limits are met."""
        cells, k, order = needs.first, 0, needs.scheme.order
        first = needs.clock(FIRST_STEPS)
        needs.check(4 * cells)
        check_work(family, 2 * cells, first.refined(2))
        base = family.run(cells, first)
        while True:
            later = family.run(cells, first.refined(2 ** (k + 1)))
            time = float(family.difference(later, base).max()) / (2**order - 1)
            finer = family.run(2 * cells, first.refined(2 ** (k + 1)))
            space = float(family.difference(finer, later).max()) * needs.remaining(2 * cells)
            limited = (
                4 * cells > min(LARGEST_PILOT, needs.most)
                if space > time
                else 2 ** (k + 4) * first.steps > needs.most_steps
            )
            if limited or max(time, space) <= RESOLVED * scale:
                break
            if time > space:
                k, base = k + 1, later
            else:
                cells *= 2
                base = family.run(cells, first.refined(2**k))
        excess = time / max(4.0 * space, RESOLVED * scale)  # of the error of k + 1 doublings, on `cells` as they are
        more = max(-1, math.ceil(math.log2(max(excess, SMALLEST)) / order))
        return cls(needs, cells, k + 1 + more)

    def clock(self, cells: int) -> Clock:
        """The clock for any number of cells, on which the error of the steps is next to nothing beside that of the cells."""
        ratio = (4.0 * cells / self.cells) ** (2.0 / self.needs.scheme.order)
        return self.needs.clock(max(FIRST_STEPS // 2, math.ceil(FIRST_STEPS * 2**self.doublings * ratio)))

    def first(self) -> tuple[int, Clock]:
        """The cells and the clock of the first level of a ladder: half of the cells, if they stand on all breaks."""
        needs, fewer = self.needs, 1 if self.needs.scheme.order == 2 else 2
        first = needs.clock(FIRST_STEPS)
        if self.cells // 2 < needs.first or self.cells % 4 or self.doublings < fewer:
            return self.cells, first.refined(2**self.doublings)
        return self.cells // 2, first.refined(2 ** (self.doublings - fewer))


def refined(family: Family[R], needs: Needs, tolerance: float, scale: float = 1.0) -> Iterator[Found[R]]:
    """The solutions of one level after another, up to the first whose largest error is at most `tolerance` × `scale`.

    Raises
    ------
    ValueError
        where that is out of reach, with a tolerance that is not.
    """
    goal = tolerance * scale
    check_third_level(family, needs)
    cells, clock = Balance.measured(family, needs, scale).first()
    ladder, errors = Ladder(family, needs, cells, family.begun(cells, clock)), list[float]()
    while True:
        found = ladder.climb()
        if found is not None:
            yield found
            errors.append(float(found.errors.max()))
            if errors[-1] <= goal:
                return
        more = _levels(errors, goal, family.smooth, found is not None and found.extrapolated)
        stuck = len(errors) > 2 and errors[-1] > STUCK * min(errors[:-1])
        if stuck or ladder.over(more):
            raise ValueError(_refusal(ladder, needs, tolerance, [error / scale for error in errors], more, stuck))


def check_third_level(family: Family[Any], needs: Needs) -> None:
    """Refuse a third level, below which no error is estimated, of too much work, before anything runs."""
    needs.check(4 * needs.first)
    check_work(family, 4 * needs.first, needs.clock(FIRST_STEPS).refined(needs.refined**2))


def check_work(family: Family[Any], cells: int, clock: Clock) -> None:
    """Refuse a run of too much work."""
    if beyond := too_much(family.effort(cells, clock)):
        raise ValueError(
            f"it would take {counted(cells)} cells along an axis and {counted(clock.steps)} steps to tell an error ({beyond}): "
            f"{CHEAPER}"
        )


def _levels(errors: list[float], goal: float, smooth: bool, extrapolated: bool) -> int:
    """How many more levels an error above the `goal` takes at least: at the rate of the last two, or before that is known as
    if all orders were the highest, and where errors are `smooth` the next level the first that can be `extrapolated`, if none
    was."""
    if not errors or not math.isfinite(errors[-1]):
        return 1
    most = MOST_PLAIN if smooth else FALL
    rate = float(np.clip(errors[-2] / errors[-1], FALL, MOST_PLAIN)) if len(errors) > 2 else most
    spared = int(smooth and len(errors) == 1 and not extrapolated)
    return max(1, math.ceil(math.log(errors[-1] / goal) / math.log(rate)) - spared)


def _refusal(ladder: Ladder[Any], needs: Needs, tolerance: float, errors: list[float], more: int, stuck: bool) -> str:
    """What was reached, what it would take, and a tolerance that can be had: with all but the last of the levels that are within
    limits, at the lowest order."""
    reached, level = min(errors, default=math.inf), len(ladder.plain) - 1 + more
    best = f"{reached:.2g} was reached; " if math.isfinite(reached) else ""
    text = (
        f"tolerance = {tolerance:g} is out of reach: {best}it would take {counted(ladder.cells(level))} cells and "
        f"{counted(ladder.clock(level).steps)} steps ({ladder.over(more) or 'which may not do'})"
    )
    left = 0 if stuck else next(k for k in itertools.count() if ladder.over(k + 2))
    can = 2.0 * reached / (LOWEST_FALL if needs.moving else FALL) ** left
    return f"{text}: take tolerance = {can:.2g}" if can < 1.0 else f"{text}: {CHEAPER}"


def refinement(error: float, tolerance: float) -> float:
    """The factor of cells that takes a second-order `error` below `tolerance`, within reason."""
    return min(max(1.1 * math.sqrt(error / tolerance), 1.3), 4.0)
