"""The rungs of an Itô walk: runs with dt, dt/2 and dt/4, in pairs that share their noise.

A pair of levels gives for every quantity q the step error E_coarse[q] - E_fine[q] with little noise, because both come from the
same walkers; (2^p E_fine - E_coarse)/(2^p - 1) is without its leading part, p the weak order (Talay and Tubaro, *Stoch. Anal.
Appl.* 8 (1990) 483). Both levels draw increments of the same law, so that an error of the increments shows, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from randwalk.kernels.philox import key
from randwalk.laws.estimate import exact
from randwalk.laws.law import Law
from randwalk.model.coefficient import Constant, Floats, coordinate
from randwalk.model.ito import ItoWalk
from randwalk.model.scheme import Gaussian
from randwalk.pde import FokkerPlanck, MovingFrame, limit
from randwalk.pde.closed_form import NoClosedForm, closed_form
from randwalk.pde.solve import solve
from randwalk.run.host import Host
from randwalk.run.ito_batch import begin
from randwalk.run.ito_task import BATCH
from randwalk.run.threads import share
from randwalk.tables.ito_program import ItoProgram, program

from .compare import FALSE_ALARMS, Check, Comparison
from .convergence import TOLERANCE, Convergence, Reference
from .measure import FLOOR, Measure

PARTS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the survivors that lie below the places of distribution functions
SIGNAL = 4.0  # noise from which a difference of levels shows an order
DETECTED = float(
    stats.norm.isf(5e-4) + stats.norm.isf(0.1)
)  # standard errors of a bias that is seen 9 times in 10 at 10⁻³
EDGES = {1: 17, 2: 17, 3: 3}  # of the bins of rung 3, along each axis, by dimension
Values = Callable[[Floats, Any], Floats]  # of (points, exits) of walkers


@dataclass(frozen=True, eq=False)
class Quantity:
    """The mean over walkers of a function of their points and exits at a recorded time, and its value by the reference."""

    name: str
    row: int
    values: Values
    reference: float
    smooth: bool  # whether it shows the order of the step error with little noise


@dataclass(frozen=True, eq=False)
class Level:
    """Means over walkers of a fine level and of their differences, coarse - fine, shape (quantities,), with standard errors."""

    fine: Floats
    difference: Floats
    difference_error: Floats
    extrapolated: Floats
    extrapolated_error: Floats
    alike: int = 0  # walkers beyond the first at places that are equal in every digit


def law_of(walk: ItoWalk, times: Sequence[float]) -> Reference:
    """The closed form of the equation of a walk, else its solution, with the measure of rung 3."""
    equation, seen = resting(walk)
    try:
        form = seen(closed_form(equation))
        measure = _measure(walk, times, form)
        told = closed_form(equation).description
        return Reference(form, measure, measure.values(form), f"closed form ({told})", FLOOR)
    except NoClosedForm as reason:
        if walk.dimension > max(TOLERANCE):
            raise ValueError(
                f"a walk in {walk.dimension} dimensions is compared with a closed form, and there is none: {reason}"
            ) from None
        solution = solve(equation, list(times), tolerance=TOLERANCE[walk.dimension])
        law, error = seen(solution), float(np.max(solution.error_estimate))
        measure = _measure(walk, times, law)
        return Reference(law, measure, measure.values(law), "finite differences", error, str(reason))


def resting(walk: ItoWalk) -> tuple[FokkerPlanck, Callable[[Law[Any]], Law[Any]]]:
    """(the equation of a walk, between moving ends in the frame in which they rest; what leads its laws back)."""
    equation = limit(walk)
    if not walk.domain.moves:
        return equation, lambda law: law
    frame = MovingFrame(equation)
    return frame.resting, frame.law


def _measure(walk: ItoWalk, times: Sequence[float], law: Law[Any]) -> Measure:
    """Bins over ± 3 standard deviations of the reference at all times, for what solver and closed form are compared by."""
    edges = []
    for axis in range(walk.dimension):
        marginal = law.marginal(axis)
        ends = [(float(marginal.mean(t)), 3.0 * math.sqrt(float(marginal.variance(t)))) for t in times]
        low, high = min(m - s for m, s in ends), max(m + s for m, s in ends)
        first, last = walk.domain.axes[axis].low, walk.domain.axes[axis].high
        inside = np.linspace(max(low, first), min(high, last), EDGES.get(walk.dimension, 2))
        edges.append(inside)
    return Measure(tuple(edges), tuple(times), walk.domain.open_exits(walk.killing != Constant(0.0)))


def quantities(walk: ItoWalk, times: Sequence[float], law: Law[Any]) -> list[Quantity]:
    """What is compared at each time: who is alive and who has left by each exit, first and second moments of the standardised
    coordinates, and their distribution functions at five places."""
    found: list[Quantity] = []
    exits = walk.domain.open_exits(walk.killing != Constant(0.0))
    for row, t in enumerate(times):
        if exits:
            found.append(
                Quantity(f"alive at t = {t:g}", row, lambda x, e: 1.0 * (e == 0), float(law.survival(t)), True)
            )
        for exit in exits:
            column = walk.domain.exits.index(exit) + 1
            left = _left(column)
            found.append(Quantity(f"{exit} by t = {t:g}", row, left, float(law.absorbed(exit, t)), True))
        if float(law.survival(t)) < 1e-3:
            continue
        for axis in range(walk.dimension):
            found += _of_axis(axis, row, t, law.marginal(axis))
        for a, b in combinations(range(walk.dimension), 2) if walk.dimension <= 3 else ():
            found.append(_of_pair(a, b, row, t, law))
    return found


def _left(column: int) -> Values:
    return lambda x, e: 1.0 * (e == column)


def _of_axis(axis: int, row: int, t: float, law: Law[Any]) -> list[Quantity]:
    """Moments and distribution functions of one coordinate."""
    alive, mean, variance = (float(exact(ask(t))) for ask in (law.survival, law.mean, law.variance))
    sd, name = math.sqrt(variance), coordinate(axis)
    first = Quantity(f"mean of {name} at t = {t:g}", row, _power(axis, mean, sd, 1), 0.0, True)
    second = Quantity(f"variance of {name} at t = {t:g}", row, _power(axis, mean, sd, 2), alive, True)
    places = _quantiles(law, t, alive, mean, sd)
    below = [
        Quantity(f"{name} ≤ {q:.4g} at t = {t:g}", row, _below(axis, q), float(exact(law.cdf(q, t))), False)
        for q in places
    ]
    return [first, second, *below]


def _of_pair(a: int, b: int, row: int, t: float, law: Law[Any]) -> Quantity:
    """The mean product of two standardised coordinates."""
    alive, means, matrix = float(law.survival(t)), exact(law.mean(t)), exact(law.variance(t))
    sds = np.sqrt(np.diag(matrix))
    value = alive * matrix[a, b] / (sds[a] * sds[b])

    def product(x: Floats, e: Any) -> Floats:
        return np.where(e == 0, (x[a] - means[a]) * (x[b] - means[b]) / (sds[a] * sds[b]), 0.0)

    return Quantity(f"correlation of {coordinate(a)} and {coordinate(b)} at t = {t:g}", row, product, value, True)


def _power(axis: int, mean: float, sd: float, power: int) -> Values:
    return lambda x, e: np.where(e == 0, ((x[axis] - mean) / sd) ** power, 0.0)


def _below(axis: int, place: float) -> Values:
    return lambda x, e: 1.0 * ((e == 0) & (x[axis] <= place))


def _quantiles(law: Law[Any], t: float, alive: float, mean: float, sd: float) -> list[float]:
    """Places below which shares PARTS of the survivors lie, to a 64th of a standard deviation."""
    ends = law.domain.axes[0]
    x = np.linspace(max(mean - 4.0 * sd, ends.low), min(mean + 4.0 * sd, ends.high), 513)
    shares = exact(law.cdf(x, t)) / alive
    return [float(x[min(int(np.searchsorted(shares, part)), x.size - 1)]) for part in PARTS]


def level(
    walk: ItoWalk, steps: Sequence[int], wanted: Sequence[Quantity], walkers: int, seed: int, order: float, threads: int
) -> Level:
    """Coarse steps of `walk` and steps of half their length, by the same noise; `steps` are the recorded coarse ones."""
    fine = program(walk.replaced(dt=0.5 * walk.dt))
    keys = key(seed)
    gain = 0.0 if math.isinf(order) else 1.0 / (2.0**order - 1.0)
    sums, places = np.zeros((5, len(wanted))), []

    def counted(batch: range) -> tuple[Floats, Floats]:
        (coarse_values, _), (fine_values, last) = (
            _values(walk, fine, batch, [n * (3 - pairs) for n in steps], wanted, keys, pairs) for pairs in (2, 1)
        )
        difference = coarse_values - fine_values
        better = fine_values - gain * difference
        rows = (fine_values, difference, difference**2, better, better**2)
        return np.array([row.sum(axis=1) for row in rows]), last

    for _, (part, last) in Host(threads).batches(range(walkers), BATCH, steps[-1], 0, counted):
        sums += part
        places.append(last)
    mean_fine, mean_difference, square, extrapolated, better_square = sums / walkers
    errors = [
        np.sqrt(np.maximum(total - mean**2, 0.0) / walkers)
        for total, mean in ((square, mean_difference), (better_square, extrapolated))
    ]
    alike = _alike(np.concatenate(places)) if isinstance(walk.increments, Gaussian) else 0
    return Level(mean_fine, mean_difference, errors[0], extrapolated, errors[1], alike)


def _alike(places: Floats) -> int:
    """How many walkers are at the place of another, which in continuous space no two are but those that draw the same numbers;
    0 of walkers that all are at one place, as without noise."""
    different = np.unique(places).size
    return places.size - different if different > 1 else 0


def _values(
    walk: ItoWalk,
    moves: ItoProgram,
    batch: range,
    steps: Sequence[int],
    wanted: Sequence[Quantity],
    keys: Any,
    pairs: int,
) -> tuple[Floats, Floats]:
    """(the values of the quantities, shape (quantities, walkers); a number for the last place of each walker inside)."""
    state, done = begin(walk, batch, keys), 0
    found = np.empty((len(wanted), len(batch)))
    for row, stop in enumerate(steps):
        moves.walk(state, batch.start, done, stop, keys, pairs)
        done = stop
        for i, quantity in enumerate(wanted):
            if quantity.row == row:
                found[i] = quantity.values(state.x, state.exit)
    weights = np.sqrt(np.arange(1.0, walk.dimension + 1.0))
    counted = state.exit == 0
    for face in walk.domain.faces:  # a step that begins at a wall may put walkers on it
        if np.ndim(face.place) == 0:
            counted &= state.x[face.axis] != face.place
    return found, weights @ state.x[:, counted]


def climb(
    walk: ItoWalk,
    times: Sequence[float],
    against: Reference,
    walkers: int,
    seed: int,
    order: float,
    threads: int | None,
) -> tuple[Comparison, Convergence, tuple[float, float, float]]:
    """(rung 1: extrapolated means against the reference; rung 2: differences of levels and their order; the root mean squares of
    what the finest level misses, of its noise and of its step error)."""
    steps, wanted = walk.steps(times), quantities(walk, times, against.law)
    with share(threads) as some:
        levels = [
            level(walk.replaced(dt=walk.dt / part), [part * n for n in steps], wanted, walkers, seed + i, order, some)
            for i, part in enumerate((1, 2))
        ]
    references = np.array([quantity.reference for quantity in wanted])
    first, last = levels
    noise = np.hypot(first.extrapolated_error, last.extrapolated_error)
    step = np.sqrt(np.maximum((last.extrapolated - first.extrapolated) ** 2 - noise**2, 0.0))
    known = 0.0 if not against.missing else against.error
    errors = np.sqrt(
        last.extrapolated_error**2 + step**2 + known**2 + (FLOOR * np.maximum(np.abs(references), 1.0)) ** 2
    )
    z = (last.extrapolated - references) / errors
    checks = [
        Check(q.name, "z", float(z[i]), 1, float(2.0 * stats.norm.sf(abs(z[i]))), DETECTED * float(errors[i]))
        for i, q in enumerate(wanted)
    ]
    if alike := first.alike + last.alike:
        checks.append(
            Check("walkers at one place to every digit", "exact", float(alike), 2 * walkers, 0.0, 0.5 / walkers)
        )
    smooth = np.array([quantity.smooth for quantity in wanted])
    sizes = tuple(_rms(each.difference[smooth]) for each in levels)
    floor = max(FLOOR, *(SIGNAL * _rms(each.difference_error[smooth]) for each in levels))
    halving = Convergence(
        "steps of half their length",
        (walk.dt, 0.5 * walk.dt),
        sizes,
        floor,
        order=order if math.isfinite(order) else 1.0,
    )
    missed = last.fine - references
    budget = _rms(missed), _rms(last.extrapolated_error), _rms(last.fine - last.extrapolated)
    return Comparison(tuple(checks), (), FALSE_ALARMS), halving, budget


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
