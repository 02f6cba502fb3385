"""Remedies for invalid step probabilities of a walk. Each remedy is tested before a message names it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .coefficient import Coefficient, Floats, Point
from .coefficient.breaks import some
from .discretise import Declared, axis_pairs, longest_step, steps_of
from .domain import Axis
from .lattice import Lattice, lattices_on, spacing
from .neighbourhood import Moore
from .places import along_each, varying_axes
from .rule import SLOW, Rule
from .speed import capped_speed, starting_masses
from .step_mean import breaks_in_time
from .steps import name_of
from .tensor import aspect

if TYPE_CHECKING:
    from .walk import LatticeWalk

ROUNDING = 8 * float(np.finfo(np.float64).eps)  # allowed error of 0 ≤ p, q and p + q ≤ 1
FURTHER = (6.0, 4.0, 2.0, 1.0)  # multiples of the distance of the bad place that a remedy must cover
PLACES = (257, 17, 7)  # along each axis, by the number of axes
MOMENTS = 17
PHASES = np.array([0.0, 0.25, 0.5, 0.75, 0.999])  # parts of a step before a break


def remedy(walk: LatticeWalk, place: Sequence[float], t: float) -> str:
    """A remedy, in words, for the invalid step from a place at time `t`: other numbers, or another dt, dx or rule."""
    point = tuple(np.asarray(x) for x in place)
    kappa = float(walk.killing_rate(point, t))
    if not (math.isfinite(kappa) and kappa >= 0.0):
        return "take a killing rate ≥ 0 there"
    if walk.declared is None:
        return _of_numbers(walk, point, t)
    values = [float(c(point, t)) for c in walk.declared.coefficients]
    a, d = (", ".join(f"{v:g}" for v in part) for part in (values[: walk.dimension], values[walk.dimension :]))
    tensor = walk.declared.tensor(point, t)
    if not (np.isfinite(values).all() and (np.linalg.eigvalsh(tensor) >= -1e-12 * np.abs(tensor).max()).all()):
        return f"the diffusion there is {d} and the drift {a}: give other ones, or keep walkers away by a wall"
    for both, factor in itertools.product((True, False), FURTHER):
        found = _found(walk, point, *_reached(walk, place, t, factor, both))
        if found:
            return f"take {', or '.join(found)}"
    return f"with the diffusion {d} and the drift {a} there no dt, dx or rule will do: keep walkers away by a wall"


def _of_numbers(walk: LatticeWalk, point: Point, t: float) -> str:
    """The remedy for probabilities that were declared themselves."""
    values = {name_of(e): float(p(point, t)) for e, p in walk.probabilities.items()}
    *most, last = values
    told = "the step probabilities" if len(values) > 4 else f"{', '.join(most)} and {last}" if most else last
    if not all(math.isfinite(p) for p in values.values()):
        return "take numbers there"
    if min(values.values()) < 0.0:
        return f"take {told} ≥ 0 (from_drift finds probabilities for a drift and a diffusion)"
    unmet = "" if walk.homogeneous else " (or, where nobody comes, make them 0 by where(...))"
    return f"divide {told} there by {_rounded_up(sum(values.values()))}{unmet}"


def _found(walk: LatticeWalk, bad: Point, x: Point, t: Floats) -> list[str]:
    """The remedies for the `bad` place that are valid at all places `x` and times `t`."""
    found: list[str] = []
    rule, own = _declared(walk).rule, walk.spacings
    if dt := _longest(walk, rule, bad, x, t):
        found.append(f"dt ≤ {rounded_down(dt)}")
    if _finer(walk, rule, own, bad, x, t) is None and (finer := _finer_lattice(walk, rule, bad, x, t)):
        found.append(finer)  # else the given dt is too long
    confining = any(lattice.sites is None for lattice in walk.lattices) and any(
        a.dimension for a in _declared(walk).vector
    )
    rules = [other for other in ((Rule.CAPPED,) if confining else ()) + (Rule.FITTED,) if other is not rule]
    ready = [other for other in rules if _starts(walk, other)]  # with a confining drift FITTED needs ever shorter steps
    for other in ready:
        if is_valid(walk, other, own, walk.dt, x, t):
            return [*found, f"from_drift(..., rule=Rule.{other.name})"]
    for other in ready:
        if not dt and (step := _finer(walk, other, own, bad, x, t)):
            return [*found, f"from_drift(..., rule=Rule.{other.name}) {step}"]
    return found


def _longest(walk: LatticeWalk, rule: Rule, bad: Point, x: Point, t: Floats) -> float | None:
    """The longest dt, below that of the walk, for which a rule is valid."""
    count = 1000 if walk.dimension == 1 else 120  # EXACT_VARIANCE may be valid for 5 % of all dt only
    steps = walk.dt * np.geomspace(0.98, 1e-9, count)
    beside = tuple(np.reshape(c, (1, 1)) for c in bad)

    def valid(dt: float) -> bool:
        own = walk.spacings
        return is_valid(walk, rule, own, dt, beside, t) and is_valid(walk, rule, own, dt, x, t)

    return _largest(valid, steps)


def _finer_lattice(walk: LatticeWalk, rule: Rule, bad: Point, x: Point, t: Floats) -> str | None:
    """The remedy that is a finer lattice, in words."""
    if walk.dimension == 1:
        (dx,) = walk.spacings
        sizes = dx * np.geomspace(0.98, 0.001, 40)
        if size := _largest(lambda size: _finer(walk, rule, (size,), bad, x, t) is not None, sizes):
            return f"dx ≤ {rounded_down(size)}{_sites(walk, size)} {_finer(walk, rule, (0.99 * size,), bad, x, t)}"
        return None
    tensor = _declared(walk).tensor(bad, t.ravel()[0])
    shapes = [walk.spacings]
    if not _declared(walk).tensor.diagonal and (fit := aspect(tensor)) is not None:
        shapes.append(tuple(walk.spacings[0] * ratio for ratio in fit.tolist()))
    for shape, factor in itertools.product(shapes, (1.0, *np.geomspace(0.7, 0.01, 9).tolist())):
        fitting = tuple(_fitting(axis, factor * dx) for axis, dx in zip(walk.domain.axes, shape, strict=True))
        if step := _finer(walk, rule, fitting, bad, x, t):
            return f"dx = ({', '.join(f'{size:.12g}' for size in fitting)}) {step}"
    return None


def _fitting(axis: Axis, dx: float) -> float:
    """The largest spacing up to about `dx` that fits an axis; three digits of it on an unbounded one."""
    if not math.isfinite(axis.high - axis.low):
        return float(rounded_down(dx))
    return next(
        d for n in itertools.count(max(1, int((axis.high - axis.low) / dx) - 2)) if (d := spacing(axis, n)) <= dx
    )


def _sites(walk: LatticeWalk, dx: float) -> str:
    """The least number of sites of a bounded domain at this dx or a smaller one, in words; empty on an unbounded domain."""
    if walk.lattice.sites is None:
        return ""
    return f" (sites ≥ {math.ceil((walk.domain.high - walk.domain.low) / dx) + 1})"


def _reached(walk: LatticeWalk, place: Sequence[float], t: float, factor: float, both: bool) -> tuple[Point, Floats]:
    """Places and times (which broadcast) up to `factor` times the distance of the bad ones, on `both` sides of the start or on
    one; all sites of a bounded domain."""
    times = np.append(np.linspace(0.0, factor * t, MOMENTS), t)[None, :] if walk.time_dependent else np.zeros((1, 1))
    if walk.homogeneous:
        return tuple(np.array([[x]]) for x in place), times
    count = PLACES[min(walk.dimension, len(PLACES)) - 1]
    along = [
        _along(lattice, axis, ends, x, factor, both, count)
        for lattice, axis, ends, x in zip(walk.lattices, walk.domain.axes, walk.start.bounds, place, strict=True)
    ]
    point = tuple(x.ravel() for x in np.meshgrid(*along, indexing="ij"))
    if walk.domain.regions:
        inside = walk.domain.contains(point)
        point = tuple(x[inside] for x in point)
    return tuple(x[:, None] for x in point), times


def _along(
    lattice: Lattice, axis: Axis, ends: tuple[float, float], x: float, factor: float, both: bool, count: int
) -> Floats:
    """Places along an axis, for :func:`_reached`."""
    if lattice.first is not None and lattice.last is not None:
        k = np.unique(np.linspace(lattice.first, lattice.last, count).round())
        return np.append(lattice.x(k), x)
    low, high = ends
    far = factor * max(x - low, high - x, 0.0)
    if both:
        low, high = high - far, low + far
    else:
        low, high = min(low, high + factor * (x - high)), max(high, low + factor * (x - low))
    low, high = max(low, axis.low), min(high, axis.high)
    k = np.unique(np.linspace((low - lattice.origin) / lattice.dx, (high - lattice.origin) / lattice.dx, count).round())
    near = lattice.origin + lattice.dx * (round((x - lattice.origin) / lattice.dx) + np.arange(-2.0, 3.0))
    places = np.concatenate([lattice.x(k), near])
    return places[(places > axis.low) & (places < axis.high)]


def is_valid(walk: LatticeWalk, rule: Rule, spacings: Sequence[float], dt: float, x: Point, t: Floats) -> bool:
    """Whether another rule, dx or dt has probabilities at all the places and times."""
    declared, axes = replace(_declared(walk), rule=rule), walk.domain.axes
    try:
        if rule is Rule.TWO_WAY and abs(dt - (own := longest_step(declared, spacings, axes, x, t))) > 1e-9 * own:
            return False  # it has one dt
        t = np.append(t, _about_breaks(walk, float(t.max()), dt))[None, :]
        return all(_is_law(group, x, t) for group in _groups(declared, spacings, dt, axes))
    except (ValueError, ArithmeticError):  # a table ends before
        return False


def _groups(
    declared: Declared, spacings: Sequence[float], dt: float, axes: Sequence[Axis]
) -> list[Iterable[Coefficient]]:
    """Probabilities that sum to at most 1: of each axis where axes step independently, else all."""
    if len(axes) == 1 or isinstance(declared.neighbourhood, Moore):
        return list(axis_pairs(declared, spacings, dt, axes))
    return [steps_of(declared, spacings, dt, axes).values()]


def _is_law(group: Iterable[Coefficient], x: Point, t: Floats) -> bool:
    values = [p(x, t) for p in group]
    with np.errstate(invalid="ignore"):
        return all((p >= -ROUNDING).all() for p in values) and bool((sum(values, np.zeros(())) <= 1.0 + ROUNDING).all())


def _about_breaks(walk: LatticeWalk, until: float, dt: float) -> Floats:
    """Starts of steps of length `dt` in which the coefficients have breaks, in several phases of the step."""
    breaks = {b for c in _declared(walk).coefficients if c.depends_on_t for b in breaks_in_time(c, until)}
    if not breaks:
        return np.empty(0)
    chosen = np.array(some(sorted(breaks)))
    between = 0.5 * (chosen + np.append(chosen[1:], until))
    return np.maximum(np.concatenate([between, (chosen[:, None] - dt * PHASES).ravel()]), 0.0)


def _finer(walk: LatticeWalk, rule: Rule, spacings: Sequence[float], bad: Point, x: Point, t: Floats) -> str | None:
    """The dt for another dx, in words: "without dt", or the longest dt for which this dt and shorter ones have valid
    probabilities at the places and at the sites of that dx beside the `bad` one; None if there is no such dt."""
    axes, declared = walk.domain.axes, replace(_declared(walk), rule=rule)
    columns = [[places[:, 0]] for places in x]
    for i, (old, dx) in enumerate(zip(walk.spacings, spacings, strict=True)):
        beside = math.ceil(old / dx)
        for j, column in enumerate(columns):
            column.append(bad[j] + (dx if i == j else 0.0) * np.arange(-beside, beside + 1))
    flat = [np.concatenate(column) for column in columns]
    inside = np.ones(flat[0].shape, dtype=bool)
    for places, axis, dx in zip(flat, axes, spacings, strict=True):
        inside &= (places >= axis.low + 0.5 * dx) & (places <= axis.high - 0.5 * dx)
    flat = [places[inside] for places in flat]
    if walk.dimension > 1:
        mesh = np.meshgrid(*_extremes(walk, spacings, x), indexing="ij")
        flat = [np.append(places, more.ravel()) for places, more in zip(flat, mesh, strict=True)]
    at = tuple(places[:, None] for places in flat)
    try:
        longest = longest_step(declared, spacings, axes, _started(walk, at), t)
    except (ValueError, ArithmeticError):  # a table ends before, or D is 0
        return None
    two_way = rule is Rule.TWO_WAY
    refused = tuple(np.reshape(c, (1, 1)) for c in bad)
    for dt in longest * np.geomspace(1.0, 1e-6, 1 if two_way else 25):
        if walk.dimension > 1 and not is_valid(walk, rule, spacings, dt, refused, t):
            continue  # the other places, of which there are many, need not be looked at
        if all(
            is_valid(walk, rule, spacings, share * dt, at, t) for share in ((1.0,) if two_way else (1.0, 0.3, 0.03))
        ):
            return "without dt" if dt == longest and not walk.time_dependent else f"with dt ≤ {rounded_down(dt)}"
    return None


def _extremes(walk: LatticeWalk, spacings: Sequence[float], x: Point) -> list[Floats]:
    """Sites of finer lattices along each axis, among them those beside the walls; on an unbounded axis the ends of the places."""
    count, along = PLACES[min(walk.dimension, len(PLACES)) - 1], []
    for lattice, places in zip(lattices_on(walk.domain, spacings, walk.start.anchors), x, strict=True):
        if lattice.first is None or lattice.last is None:
            along.append(np.array([places.min(), places.max()]))
        else:
            along.append(lattice.x(np.unique(np.linspace(lattice.first, lattice.last, count).round())))
    return along


def _started(walk: LatticeWalk, places: Point) -> Point:
    """The places from which a time step is chosen: those given on a bounded domain, else those of the start."""
    if all(lattice.sites is not None for lattice in walk.lattices):
        return places
    varying = varying_axes(_declared(walk).coefficients, walk.dimension)
    along = along_each(varying, walk.lattices, walk.start.bounds)
    return tuple(x.ravel()[:, None] for x in np.meshgrid(*along, indexing="ij"))


def _declared(walk: LatticeWalk) -> Declared:
    """The drift and the diffusion of a walk that was made from them."""
    assert walk.declared is not None
    return walk.declared


def _starts(walk: LatticeWalk, rule: Rule) -> bool:
    """Whether a rule is fast enough where walkers start."""
    return rule is not Rule.CAPPED or capped_speed(walk, *starting_masses(walk), 0.0) <= SLOW


def _largest(valid: Callable[[float], bool], values: Floats) -> float | None:
    """The largest valid number up to the first of the decreasing `values`, found between two of them by bisection."""
    above = values[0] / (1.0 - (values[0] - values[1]) / values[0])
    for value in values.tolist():
        if valid(value):
            good, bad = value, above
            for _ in range(45):
                middle = 0.5 * (good + bad)
                good, bad = (middle, bad) if valid(middle) else (good, middle)
            return good
        above = value
    return None


def rounded_down(value: float) -> str:
    """Three digits that are not above the value."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return f"{math.floor(value / digit * (1.0 + 1e-12)) * digit:.3g}"


def _rounded_up(value: float) -> str:
    """Six digits that are not below the value."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 5)
    return f"{math.ceil(value / digit * (1.0 - 1e-12)) * digit:.6g}"
