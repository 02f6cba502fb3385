"""Checks of a walk: whether its probabilities are probabilities where there is mass, and whether its steps are short enough."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.keywords import user_level
from .coefficient import Coefficient, Constant, Floats, coordinate
from .discretise import directions_of
from .places import all_sites, pieces, varying_axes
from .remedy import ROUNDING, remedy, rounded_down
from .rule import SLOW, Rule
from .sites import site_masses
from .speed import Masses, Places, missing_speed, starting_masses
from .steps import along_axes, name_of
from .time_step import OF_A_CHANGE, quickest

if TYPE_CHECKING:
    from .walk import LatticeWalk


def groups(walk: LatticeWalk) -> list[dict[str, Coefficient]]:
    """The step probabilities by name, in groups that sum to at most 1: an axis each where axes step independently."""
    if walk.axis_steps is None:
        return [{name_of(e): p for e, p in walk.probabilities.items()}]
    names = iter(map(name_of, along_axes(walk.dimension)))
    return [dict(zip((next(names), next(names)), pair, strict=True)) for pair in walk.axis_steps]


def checked(walk: LatticeWalk, x: Places, t: ArrayLike) -> list[Floats]:
    """The probabilities of the :func:`groups` at the places `x` and times `t` (which broadcast), one group after another. Numbers
    that are none are refused; the message has the place and a remedy."""
    values = [{name: p(x, t) for name, p in group.items()} for group in groups(walk)]
    for name, found in (*(item for group in values for item in group.items()), ("killing", walk.killing_rate(x, t))):
        if not (found.min(initial=0.0) >= -ROUNDING and found.max(initial=0.0) < np.inf):  # of a NaN neither is so
            value, place, time = _worst(found, x, t)
            raise ValueError(
                f"{name} = {value:.6g} at {_at(place, time)}: must be a number ≥ 0; {remedy(walk, place, time)}"
            )
    for group in values:
        total = sum(group.values(), np.zeros(()))
        if (total > 1.0 + ROUNDING).any():
            value, place, time = _worst(-total, x, t)
            told = " + ".join(group) if len(group) <= 4 else "the sum of the step probabilities"
            raise ValueError(f"{told} = {-value:.6g} at {_at(place, time)}: must be ≤ 1; {remedy(walk, place, time)}")
    return [found for group in values for found in group.values()]


def check_now(walk: LatticeWalk) -> None:
    """Check the start, the probabilities on all sites of a bounded domain, and constant probabilities; a run checks the
    others."""
    site_masses(walk.start, walk.lattices, walk.domain)
    if walk.rule is Rule.CAPPED:
        _check_speed(walk)
    if _are_good_numbers(walk):
        return
    for point in _checked_places(walk):
        if point[0].size:
            checked(walk, point, 0.0)


def _are_good_numbers(walk: LatticeWalk) -> bool:
    """Whether the probabilities and the killing rate are constants and good ones: the quick answer for most walks."""
    values: list[float] = []
    for group in groups(walk):
        given = [p.value for p in group.values() if isinstance(p, Constant)]
        if len(given) < len(group) or sum(given) > 1.0:
            return False
        values += given
    return isinstance(walk.killing, Constant) and walk.killing.value >= 0.0 and all(value >= 0.0 for value in values)


def _checked_places(walk: LatticeWalk) -> Iterator[tuple[Floats, ...]]:
    """All sites of a bounded domain at which probabilities may differ, in pieces; one site where they are the same."""
    lattices, domain = walk.lattices, walk.domain
    varying = varying_axes([*walk.probabilities.values(), walk.killing], walk.dimension)
    if any(lattices[i].sites is None for i in varying):
        return
    masked = bool(varying and domain.regions) and all(lattice.sites is not None for lattice in lattices)
    along = [
        all_sites(lattice) if masked or i in varying else lattice.x(np.full(1, lattice.first or lattice.last or 0))
        for i, lattice in enumerate(lattices)
    ]
    for point in pieces(along):
        if masked:
            inside = domain.contains(point)
            point = tuple(x[inside] for x in point)
        yield point


def warn_if_slow(walk: LatticeWalk, x: Places, masses: Masses, times: Floats) -> None:
    """Warn where the masses (times, sites) are slowed down by :attr:`Rule.CAPPED`, once, at the worst of the times."""
    if walk.rule is not Rule.CAPPED:
        return
    missing = [missing_speed(walk, x, row, float(t)) for row, t in zip(masses, times, strict=True)]
    if max(missing) > SLOW:
        at = int(np.argmax(missing))
        warnings.warn(
            f"rule = capped loses {100 * missing[at]:.3g} % of the mean speed at t = {times[at]:.6g}: walkers are where the "
            f"drift is stronger than 2D/dx; take a smaller dx than {shown_sizes(walk.spacings)}, or rule=Rule.FITTED",
            RuntimeWarning,
            stacklevel=user_level(),
        )


def warn_if_quick(walk: LatticeWalk, until: float) -> None:
    """Warn where a drift, diffusion or killing changes smoothly in less than a step before `until`, which steps miss."""
    coefficients = [*(() if walk.declared is None else walk.declared.coefficients), walk.killing]
    change = quickest(coefficients, walk.domain, walk.start.bounds, until)
    if change < walk.dt:
        better = "or leave dt out and give times=" if walk.rule not in (None, Rule.TWO_WAY) else "with a smaller dx"
        warnings.warn(
            f"coefficients change within {change:.3g}, less than a step of dt = {walk.dt:g}, which sees them where it "
            f"starts; take dt ≤ {rounded_down(OF_A_CHANGE * change)} {better}",
            RuntimeWarning,
            stacklevel=user_level(),
        )


def _check_speed(walk: LatticeWalk) -> None:
    """Refuse the capped rule where it slows down walkers at their start."""
    x, masses = starting_masses(walk)
    if walk.declared is None or (missing := missing_speed(walk, x, masses, 0.0)) <= SLOW:
        return
    parts = directions_of(walk.declared, walk.spacings)
    axis = int(np.argmax([(masses * np.abs(a(x, 0.0))).max() / dx for a, _, dx in parts]))
    a, d = (c(x, 0.0) for c in parts[axis][:2])
    at = int(np.argmax(masses * np.abs(a)))
    places = tuple(float(c[at]) for c in x)
    told = (
        f"drift = {a[at]:.6g} at {_at(places, 0)}: rule = capped loses {100 * missing:.3g} % of the mean speed where "
        f"walkers start, at most {100 * SLOW:g} % is allowed"
    )
    if d[at] <= 0.0:
        raise ValueError(f"{told}; with the diffusion {d[at]:g} there no rule will do: start elsewhere, or where D > 0")
    raise ValueError(f"{told}; take dx ≤ {rounded_down(d[at] / abs(a[at]))}, or from_drift(..., rule=Rule.FITTED)")


def shown_sizes(sizes: Sequence[float]) -> str:
    """Lengths as text: a number in one dimension."""
    return f"{sizes[0]:g}" if len(sizes) == 1 else f"({', '.join(f'{size:g}' for size in sizes)})"


def _worst(values: Floats, x: Places, t: ArrayLike) -> tuple[float, tuple[float, ...], float]:
    """(value, place, time) of the first value that is not finite, else of the smallest value."""
    everywhere = np.broadcast_arrays(values, *(x if isinstance(x, tuple) else (x,)), t)
    shown = everywhere[0]
    at = np.unravel_index(np.argmin(np.where(np.isfinite(shown), shown, -np.inf)), shown.shape)
    value, *place, time = (float(a[at]) for a in everywhere)
    return value, tuple(place), time


def _at(place: Sequence[float], t: float) -> str:
    return ", ".join([*(f"{coordinate(i)} = {x:.6g}" for i, x in enumerate(place)), f"t = {t:.6g}"])
