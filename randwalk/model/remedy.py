"""Remedies for invalid step probabilities of a walk. Each remedy is tested before a message names it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .bond import bonds
from .coefficient import Floats
from .coefficient.breaks import some
from .rule import SLOW, Rule
from .step_mean import breaks_in_time

if TYPE_CHECKING:
    from .walk import LatticeWalk

ROUNDING = 8 * float(np.finfo(np.float64).eps)  # allowed error of 0 ≤ p, q and p + q ≤ 1
FURTHER = (6.0, 4.0, 2.0, 1.0)  # multiples of the distance of the bad place that a remedy must cover
PLACES = 257
MOMENTS = 17
PHASES = np.array([0.0, 0.25, 0.5, 0.75, 0.999])  # parts of a step before a break


def remedy(walk: LatticeWalk, x: float, t: float) -> str:
    """A remedy, in words, for the invalid step from `x` at time `t`: other numbers, or another dt, dx or rule."""
    p, q, kappa = (float(c(x, t)) for c in (walk.right, walk.left, walk.killing_rate))
    if not (math.isfinite(kappa) and kappa >= 0.0):
        return "take a killing rate ≥ 0 there"
    if walk.rule is None:
        return _of_numbers(p, q)
    a, d = float(walk.declared_drift(x, t)), float(walk.diffusion(x, t))
    if not (math.isfinite(a) and math.isfinite(d) and d >= 0.0):
        return f"the diffusion there is {d:g} and the drift {a:g}: give other ones, or keep walkers away by a wall"
    for both, factor in itertools.product((True, False), FURTHER):
        found = _found(walk, x, *_reached(walk, x, t, factor, both))
        if found:
            return f"take {', or '.join(found)}"
    return f"with the diffusion {d:g} and the drift {a:g} there no dt, dx or rule will do: keep walkers away by a wall"


def _of_numbers(p: float, q: float) -> str:
    """The remedy for probabilities that were declared themselves."""
    if not (math.isfinite(p) and math.isfinite(q)):
        return "take numbers there"
    if min(p, q) < 0.0:
        return "take right and left ≥ 0 (from_drift finds probabilities for a drift and a diffusion)"
    return f"divide right and left there by {_rounded_up(p + q)}"


def _found(walk: LatticeWalk, bad: float, x: Floats, t: Floats) -> list[str]:
    """The remedies for the `bad` place that are valid at all places `x` and times `t`."""
    found = []
    if dt := _longest(walk, walk.rule, x, t):
        found.append(f"dt ≤ {rounded_down(dt)}")
    if _finer(walk, walk.rule, walk.dx, bad, x, t) is None:  # else the given dt is too long
        sizes = walk.dx * np.geomspace(0.98, 0.001, 40)
        if dx := _largest(lambda dx: _finer(walk, walk.rule, dx, bad, x, t) is not None, sizes):
            found.append(f"dx ≤ {rounded_down(dx)}{_sites(walk, dx)} {_finer(walk, walk.rule, 0.99 * dx, bad, x, t)}")
    confining = walk.lattice.sites is None and walk.declared_drift.depends_on_x  # there FITTED needs ever shorter steps
    rules = [rule for rule in ((Rule.CAPPED,) if confining else ()) + (Rule.FITTED,) if rule is not walk.rule]
    ready = [rule for rule in rules if _starts(walk, rule)]
    for rule in ready:
        if _valid(walk, rule, walk.dx, walk.dt, x, t):
            return [*found, f"from_drift(..., rule=Rule.{rule.name})"]
    for rule in ready:
        if not dt and (step := _finer(walk, rule, walk.dx, bad, x, t)):
            return [*found, f"from_drift(..., rule=Rule.{rule.name}) {step}"]
    return found


def _longest(walk: LatticeWalk, rule: Rule | None, x: Floats, t: Floats) -> float | None:
    """The longest dt, below that of the walk, for which a rule is valid."""
    steps = walk.dt * np.geomspace(0.98, 1e-9, 1000)  # EXACT_VARIANCE may be valid for 5 % of all dt only
    return _largest(lambda dt: _valid(walk, rule, walk.dx, dt, x, t), steps)


def _sites(walk: LatticeWalk, dx: float) -> str:
    """The least number of sites of a bounded domain at this dx or a smaller one, in words; empty on an unbounded domain."""
    if walk.lattice.sites is None:
        return ""
    return f" (sites ≥ {math.ceil((walk.domain.high - walk.domain.low) / dx) + 1})"


def _reached(walk: LatticeWalk, x: float, t: float, factor: float, both: bool) -> tuple[Floats, Floats]:
    """Places and times (which broadcast) up to `factor` times the distance of the bad ones, on `both` sides of the start or on
    one; all sites of a bounded domain."""
    lattice = walk.lattice
    times = np.append(np.linspace(0.0, factor * t, MOMENTS), t)[None, :] if walk.time_dependent else np.zeros((1, 1))
    if walk.homogeneous:
        return np.array([[x]]), times
    if lattice.first is not None and lattice.last is not None:
        k = np.unique(np.linspace(lattice.first, lattice.last, PLACES).round())
        return np.append(lattice.x(k), x)[:, None], times
    low, high = walk.start.support
    far = factor * max(x - low, high - x, 0.0)
    if both:
        low, high = high - far, low + far
    else:
        low, high = min(low, high + factor * (x - high)), max(high, low + factor * (x - low))
    low, high = max(low, walk.domain.low), min(high, walk.domain.high)
    k = np.unique(
        np.linspace((low - lattice.origin) / lattice.dx, (high - lattice.origin) / lattice.dx, PLACES).round()
    )
    near = lattice.origin + lattice.dx * (round((x - lattice.origin) / lattice.dx) + np.arange(-2.0, 3.0))
    places = np.concatenate([lattice.x(k), near])
    return places[(places > walk.domain.low) & (places < walk.domain.high)][:, None], times


def _valid(walk: LatticeWalk, rule: Rule | None, dx: float, dt: float, x: Floats, t: Floats) -> bool:
    """Whether another rule, dx or dt has probabilities at all the places and times."""
    assert rule is not None
    if rule is Rule.TWO_WAY and abs(dt - walk.dt * (dx / walk.dx) ** 2) > 1e-9 * dt:
        return False  # it has one dt
    try:
        right, left = rule.probabilities(walk.declared_drift, walk.diffusion, dx, dt, walk.convention, walk.domain)
        t = np.append(t, _about_breaks(walk, float(t.max()), dt))[None, :]
        p, q = right(x, t), left(x, t)
    except (ValueError, ArithmeticError):  # a table ends before
        return False
    with np.errstate(invalid="ignore"):
        return bool(((p >= -ROUNDING) & (q >= -ROUNDING) & (p + q <= 1.0 + ROUNDING)).all())


def _about_breaks(walk: LatticeWalk, until: float, dt: float) -> Floats:
    """Starts of steps of length `dt` in which the coefficients have breaks, in several phases of the step."""
    breaks = {b for c in (walk.declared_drift, walk.diffusion) if c.depends_on_t for b in breaks_in_time(c, until)}
    if not breaks:
        return np.empty(0)
    chosen = np.array(some(sorted(breaks)))
    between = 0.5 * (chosen + np.append(chosen[1:], until))
    return np.maximum(np.concatenate([between, (chosen[:, None] - dt * PHASES).ravel()]), 0.0)


def _finer(walk: LatticeWalk, rule: Rule | None, dx: float, bad: float, x: Floats, t: Floats) -> str | None:
    """The dt for another dx, in words: "without dt", or the longest dt for which this dt and shorter ones have valid
    probabilities at the places and at the sites of that dx beside the `bad` one; None if there is no such dt."""
    assert rule is not None
    beside = math.ceil(walk.dx / dx)
    places = np.concatenate([x[:, 0], bad + dx * np.arange(-beside, beside + 1)])
    low, high = walk.domain.low + 0.5 * dx, walk.domain.high - 0.5 * dx
    places = places[(places >= low) & (places <= high)][:, None]
    try:
        both = bonds(walk.declared_drift, walk.diffusion, walk.convention, dx, walk.domain)
        seen = places if walk.lattice.sites is not None else np.linspace(*walk.start.support, 65)[:, None]
        longest = rule.longest_step(both, dx, seen, t)
    except (ValueError, ArithmeticError):  # a table ends before, or D is 0
        return None
    two_way = rule is Rule.TWO_WAY
    for dt in longest * np.geomspace(1.0, 1e-6, 1 if two_way else 25):
        if all(_valid(walk, rule, dx, share * dt, places, t) for share in ((1.0,) if two_way else (1.0, 0.3, 0.03))):
            return "without dt" if dt == longest and not walk.time_dependent else f"with dt ≤ {rounded_down(dt)}"
    return None


def _starts(walk: LatticeWalk, rule: Rule) -> bool:
    """Whether a rule is fast enough where walkers start."""
    return rule is not Rule.CAPPED or walk.capped_speed(*walk.starting_masses(), 0.0) <= SLOW


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
