"""From a tolerance to cells and steps: errors are measured on a pilot grid, and scaled by the orders of the scheme."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np

from randwalk.model.coefficient import Floats, coordinate
from randwalk.model.start import Start

from ..equation import FokkerPlanck
from ..pace import PILOT_STEPS, Pace
from .arguments import SMALLEST_CELLS
from .effort import too_much
from .exit_order import POWER, irregular
from .grid import Grid
from .mesh import COARSEST, Mesh
from .moments import Moments, few, linear_noise
from .schemes import Clock, Scheme

R = TypeVar("R")

PILOT_CELLS: Final = 128
FIRST_CELLS: Final = 32  # of the first look at an equation
FIRST_LOOK: Final = {2: 24, 3: 20}  # the same in several dimensions
CUT_LOOK: Final = {2: 24, 3: 12}  # and where walls cut cells, which cost more and are less far off
FIRST_STEPS: Final = 8  # an octave
LARGEST_PILOT: Final = 8192
RESOLVED: Final = 0.02  # differences below this, relative to the scale, tell an error
LARGEST_CELLS: Final = 2**18
LARGEST_MESH: Final = 2**25  # cells in all, in more than one dimension
LARGEST_STEPS: Final = 2**20
MOST_PLAIN: Final = 16.0  # by which the difference of two levels may fall from one to the next: chance explains more
FALL: Final = 4.0  # of second-order errors from a level to the next; no more is believed where the order may be lower
LOWEST_FALL: Final = 2.0  # that of first-order errors
LEAST_FALL: Final = 1.5  # the same of the lowest order, about a half
MOST_RICH: Final = 20.0  # the same of extrapolated solutions
SHARE_OF_LARGEST: Final = 0.003  # of the errors of an extrapolated solution: less, at another time, is chance
SMOOTH: Final = 0.2  # of the difference of two levels, up to which that of extrapolated ones shows an expansion in h²
FIRST_ORDER: Final = 1.5  # times that of (4 fine - coarse)/3 is an error of first order in `fine`
ORDERLY: Final = 11.0  # by which an extrapolated error falls from a level to the next: 8 at third order, 16 at fourth
MET: Final = 1e-5  # mass that may have met walls where errors have no expansion, at any time, for an extrapolation
REACHED: Final = 4.0  # times the mass near such walls, which is no less than what they change
CHEAPER: Final = "take shorter times, a smaller drift, or simulate an ItoWalk"
FLAT: Final = 1e-12  # of the largest eigenvalue of D, up to which the least is 0
SMALLEST: Final = 1e-300  # in place of 0 as a divisor
STUCK: Final = 0.9  # of the smallest error so far is no progress


@dataclass(frozen=True)
class Needs:
    """What a solution at the increasing `times` must resolve before its error can be estimated.

    Attributes
    ----------
    times : (times,) array
    scheme : Scheme
    pace : Pace
        Of the steps in time.
    cells : int
        The fewest that show anything of the law.
    fewest : int
        The fewest that stand on all breaks.
    moments : Moments
    width : float
        Of all cells together.
    moving : bool
        Whether kinks or jumps of a coefficient move across the cells.
    most : int
        The most cells.
    look : int
        The cells of a first look at an equation that is easily shown.
    power : int
        Of the number of a step until the first time, that its end is in proportion to (:mod:`randwalk.pde.solver.exit_order`).
    """

    times: Floats
    scheme: Scheme
    pace: Pace
    cells: int
    fewest: int
    moments: Moments
    width: float
    moving: bool
    most: int
    look: int = FIRST_CELLS
    power: int = 1

    @classmethod
    def of(
        cls,
        equation: FokkerPlanck,
        times: Floats,
        scheme: Scheme,
        window: Grid,
        start: Start,
        narrowest: float = math.inf,
    ) -> Needs:
        """What `equation` needs on `window` from `start`, with cells no wider than `narrowest`."""
        until, reach, width = float(times[-1]), (window.low, window.high), window.high - window.low
        pace = Pace.of(equation, until, reach)
        seen = few(times)
        moments = linear_noise(equation, seen, pace, start)
        coefficients = equation.coefficients
        narrowest = min(narrowest, moments.coarsest(seen), *(c.width("x", *reach, (0.0, until)) for c in coefficients))
        pace = pace.within(seen, moments.longest(seen)).within(*moments.pulses(seen))
        cells = max(math.ceil(width / narrowest), window.fewest)
        return cls(
            times, scheme, pace, cells, window.fewest, moments, width, any(c.moving_breaks for c in coefficients),
            LARGEST_CELLS,
        )  # fmt: skip

    @classmethod
    def on_mesh(cls, equation: FokkerPlanck, times: Floats, scheme: Scheme, mesh: Mesh, start: Start) -> Needs:
        """What `equation` needs on the window of `mesh`. In several dimensions cells are those of the axis with the most, and
        lengths are relative to that axis; kinks and jumps that do not stand on edges, and walls of regions, cost an order."""
        if mesh.dimension == 1:
            return cls.of(equation, times, scheme, mesh.axes[0], start)
        until, d = float(times[-1]), mesh.dimension
        reach = {coordinate(a): (g.low, g.high) for a, g in enumerate(mesh.axes)}
        pace = Pace.of(equation, until, reach)
        seen, unit = few(times), np.array(mesh.spacings) * mesh.cells
        found = linear_noise(equation, seen, pace, start)
        moments = found.scaled(unit)
        coefficients = equation.coefficients
        widths = [
            c.width(name, *ends, {**reach, "t": (0.0, until)}) / unit[a]
            for a, (name, ends) in enumerate(reach.items())
            for c in coefficients
        ]
        narrowest = min(moments.coarsest(seen), *widths, mesh.smallest_ball)
        pace = pace.within(seen, moments.longest(seen)).within(*moments.pulses(seen))
        broken = bool(mesh.domain.regions) or any(
            c.moving_breaks or (not grid.breaks and c.breaks(name, *ends))
            for grid, (name, ends) in zip(mesh.axes, reach.items(), strict=True)
            for c in coefficients
        )
        tensors = np.nan_to_num(equation.diffusion(tuple(found.mean[0].T), 0.0))
        least, *_, largest = np.moveaxis(np.linalg.eigvalsh(tensors), -1, 0)
        broken = broken or bool((least <= FLAT * largest).any())  # without diffusion fluxes are upwind, of first order
        most = int(LARGEST_MESH ** (1.0 / d))
        look = (CUT_LOOK if mesh.cutting else FIRST_LOOK).get(d, COARSEST)
        if mesh.with_cells(COARSEST).cells >= look:  # as where a tensor ties cells to those of a short axis
            look = COARSEST
        return cls(
            times, scheme, pace, math.ceil(1.0 / narrowest), COARSEST, moments, 1.0, broken, most, look,
            POWER if irregular(equation, mesh) else 1,
        )  # fmt: skip

    @property
    def first(self) -> int:
        """The cells of a first look, which is not believed: half of those that show something."""
        return even(max(self.look, 0.5 * self.cells, self.fewest))

    @property
    def refined(self) -> int:
        """By what steps are refined where cells are halved, so that the errors of both fall alike."""
        return 2 if self.scheme.order == 2 else 4

    def remaining(self, cells: int) -> float:
        """The share of the difference between solutions on `cells` and on half as many, with steps twice as long, that is
        left as error: a third at second order, all of it at first order, as where breaks move."""
        return 1.0 if self.moving else self.moments.remaining(self.times, self.width / cells)

    def mirrored(self) -> Needs:
        """The needs where time runs backward from the only one of the `times`."""
        return replace(self, pace=self.pace.mirrored(), power=1)

    def clock(self, steps: int) -> Clock:
        """`steps` steps an octave."""
        return Clock.octaves(self.times, steps, self.pace, self.power)

    def check(self, cells: int) -> None:
        """Refuse what takes too many steps, or so many `cells`, before anything runs."""
        steps = self.clock(2 * PILOT_STEPS).steps
        if cells > self.most or steps > LARGEST_STEPS:
            raise ValueError(
                f"times up to {self.times[-1]:g} would take {_count(max(cells, SMALLEST_CELLS))} cells and {_count(steps)} steps "
                f"to resolve the drift and the quickest changes of the coefficients (at most {self.most} and "
                f"{LARGEST_STEPS}): shorten times, take a smaller drift, or a smoother coefficient"
            )


class Family(Protocol[R]):
    """A problem solved on grids of different fineness; solutions R on one grid and on half of its cells can be compared."""

    @property
    def smooth(self) -> bool:
        """Whether errors have an expansion in h², so that extrapolated solutions are better."""

    def effort(self, cells: int, clock: Clock) -> float:
        """The numbers that the steps of a clock take on, those that take longer several times."""

    def fits(self, cells: int) -> bool:
        """Whether there is memory for a solution."""

    def begun(self, cells: int, clock: Clock) -> Clock:
        """The clock of the first level of a ladder, from that on which errors of steps and of cells are in balance."""

    def run(self, cells: int, clock: Clock) -> R:
        """The solution of second order in space."""

    def difference(self, fine: R, coarse: R) -> Floats:
        """The largest differences of the two, one for each recorded time; the grid of `fine` is that of `coarse` or finer."""

    def extrapolated(self, fine: R, coarse: R) -> R:
        """(4 `fine` - `coarse`)/3 on the grid of `fine`, which has twice the cells of that of `coarse`."""

    def irregular(self, fine: R, coarse: R) -> Floats:
        """The errors of an extrapolated solution, one for each recorded time, in what has no expansion in h², from the one with
        half the cells; 0 where all has one."""

    def met(self, coarse: R) -> Floats:
        """The mass that has met walls at which errors have no expansion in h², by each recorded time, as `coarse` shows. Where it
        is more than :data:`MET` at one of them no extrapolated solution is taken."""

    def usable(self, solution: R) -> bool:
        """Whether an extrapolated solution is one: all its masses are positive."""


@dataclass(frozen=True)
class Found(Generic[R]):
    """A solution that a :class:`Ladder` arrived at.

    Attributes
    ----------
    solution : R
    cells : int
    errors : (times,) array
        Estimates.
    fine, coarse : R
        The second-order solutions of its last two levels.
    extrapolated : bool
        Whether `solution` is the extrapolated one, else it is `fine`.
    """

    solution: R
    cells: int
    errors: Floats
    fine: R
    coarse: R
    extrapolated: bool


class Ladder(Generic[R]):
    """Solutions on grids of `cells`, 2 `cells`, 4 `cells`, … with steps that are refined with them, so that errors of the second
    order in space and time fall to a quarter from each to the next.

    If they have an expansion in h², (4 fine - coarse)/3 is of the fourth order in space and at least of the third in time. Its
    error is estimated from the difference to the same of the level before, which is 7 to 15 times that error; 10 is assumed,
    and less where the levels show a lower order, or the family knows of one. The error of the second-order solution is a third
    of a difference. The better of the two is taken.
    """

    def __init__(self, family: Family[R], needs: Needs, cells: int, clock: Clock) -> None:
        self._family, self._needs, self._cells, self._clock = family, needs, cells, clock
        self.plain: list[R] = []
        self.rich: list[R] = []
        self.best: Found[R] | None = None

    def cells(self, level: int) -> int:
        return self._cells * 2**level

    def clock(self, level: int) -> Clock:
        return self._clock.refined(self._needs.refined**level)

    def over(self, more: int) -> str:
        """The limits that so many `more` levels are beyond, empty if none."""
        level, needs = len(self.plain) - 1 + more, self._needs
        cells, clock = self.cells(level), self.clock(level)
        if cells > needs.most or clock.steps > LARGEST_STEPS:
            return f"at most {needs.most} and {LARGEST_STEPS}"
        fits = "" if self._family.fits(cells) else "more than this machine has memory for"
        return too_much(self._family.effort(cells, clock)) or fits

    def climb(self) -> Found[R] | None:
        """The next level; None after the first two, whose agreement may be chance."""
        family, level = self._family, len(self.plain)
        self.plain.append(family.run(self.cells(level), self.clock(level)))
        if level == 0:
            return None
        fine, coarse = self.plain[-1], self.plain[-2]
        self.rich.append(family.extrapolated(fine, coarse))
        if level == 1:
            return None
        differences = [family.difference(a, b) for a, b in pairwise(reversed(self.plain[-3:]))]
        share, most = self._needs.remaining(self.cells(level)), MOST_PLAIN
        if self._needs.moving:
            share, most = max(share, _left(differences)), FALL
        irregular = family.irregular(self.rich[-1], self.rich[-2])
        errors = np.maximum(share * _without_luck(differences, most), FIRST_ORDER * irregular)
        found = Found(fine, self.cells(level), errors, fine, coarse, False)
        met = family.met(coarse)
        richer = [family.difference(a, b) for a, b in pairwise(reversed(self.rich[-3:]))]
        orderly = len(richer) > 1 or richer[0].max() <= SMOOTH * differences[0].max()
        if orderly and met.max() <= MET and family.usable(self.rich[-1]):
            rich_errors = _without_luck(richer, MOST_RICH) / _shrinking(richer)
            rich_errors = np.maximum(rich_errors, SHARE_OF_LARGEST * rich_errors.max())
            rich_errors = np.maximum(rich_errors, irregular) + REACHED * met
            if rich_errors.max() < errors.max():
                found = Found(self.rich[-1], self.cells(level), rich_errors, fine, coarse, True)
        return found


def _left(differences: list[Floats]) -> float:
    """The share of the first of two differences that is left as error, if those of later levels fall as it did."""
    fall = differences[1].max() / max(differences[0].max(), SMALLEST) if len(differences) > 1 else 2.0
    return 1.0 / (float(np.clip(fall, LEAST_FALL, FALL)) - 1.0)


def _shrinking(richer: list[Floats]) -> float:
    """By what the difference of two extrapolated solutions is divided: the factor by which it falls from a level to the next,
    less 1; where two levels alone are known, and they show an expansion in h², as if that factor were large."""
    factor = richer[1].max() / max(richer[0].max(), SMALLEST) if len(richer) > 1 else ORDERLY
    return float(np.clip(factor, 2.0, ORDERLY)) - 1.0


def _without_luck(differences: list[Floats], most: float) -> Floats:
    """The first of the `differences`, no less than the share of the one before that its order explains: two levels may agree
    by chance."""
    return np.maximum(differences[0], differences[1] / most) if len(differences) > 1 else differences[0]


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
                else 2 ** (k + 4) * first.steps > LARGEST_STEPS
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
            f"it would take {_count(cells)} cells along an axis and {_count(clock.steps)} steps to tell an error ({beyond}): "
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
        f"tolerance = {tolerance:g} is out of reach: {best}it would take {_count(ladder.cells(level))} cells and "
        f"{_count(ladder.clock(level).steps)} steps ({ladder.over(more) or 'which may not do'})"
    )
    left = 0 if stuck else next(k for k in itertools.count() if ladder.over(k + 2))
    can = 2.0 * reached / (LOWEST_FALL if needs.moving else FALL) ** left
    return f"{text}: take tolerance = {can:.2g}" if can < 1.0 else f"{text}: {CHEAPER}"


def refinement(error: float, tolerance: float) -> float:
    """The factor of cells that takes a second-order `error` below `tolerance`, within reason."""
    return min(max(1.1 * math.sqrt(error / tolerance), 1.3), 4.0)


def _count(number: int) -> str:
    """A number of cells or steps; only about, where it has many digits."""
    return str(number) if number < 10**9 else f"{float(number):.2g}" if number < 10**300 else "more than 1e+300"


def even(cells: float) -> int:
    """The next even number."""
    return 2 * math.ceil(0.5 * cells)
