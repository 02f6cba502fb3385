"""Plain samples beside a law: counts in the law's own bins, or on its sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from randwalk.data.samples import Samples
from randwalk.inputs.wording import did_you_mean
from randwalk.laws.binning import on_axis
from randwalk.laws.estimate import exact
from randwalk.laws.law import Law
from randwalk.model.coefficient import Floats
from randwalk.model.coefficient.variables import coordinate
from randwalk.model.domain import Axis
from randwalk.model.times import row_of
from randwalk.pde.exact_law import ExactLaw

from .outcomes import EXPECTED, Outcomes, Seen, of_places

BINS = {1: 512, 2: 48, 3: 16}  # at most, of each axis, by the dimension; beyond, every axis is compared by itself
MANY = 200  # walkers from which classes expect as many counts as those of ensembles
FEW = 5.0  # expected in a class of fewer walkers, with p-values that are drawn
ON_SITE = 1e-6  # of the spacing: places as close to sites are on them
OUTSIDE, SUBLATTICE = "walkers outside the domain", "walkers on sites of the other parity"
ROUNDING = 1e-9  # of the length of an axis: a place so far outside a wall is on it


def sample_outcomes(samples: Samples, law: Law[Any]) -> list[Outcomes]:
    """The outcomes of places and exits at each time of the samples."""
    if isinstance(samples.x, tuple):
        return [_timed(one, now.time) for now in samples.each for one in sample_outcomes(now, law)]
    if samples.dimension != law.dimension:
        shape = f"(n, {law.dimension})" if law.dimension > 1 else "(n,)"
        raise ValueError(
            f"observed has places in {samples.dimension} dimensions, and expected is a law in {law.dimension}: give x of the "
            f"shape {shape}"
        )
    t = time_of(samples, law)
    if law.dimension > max(BINS):
        axes = range(law.dimension)
        return [one for axis in axes for one in _of_axis(samples, law, axis, t)]
    found_on = _on_sites(samples, law, t) if isinstance(law, ExactLaw) else None
    on_sites = found_on is not None
    seen = found_on or _in_bins(samples, law.smoothed() if isinstance(law, ExactLaw) else law, t)
    left, gone = _exits(samples, law, t)
    if not samples.gone:
        seen = replace(seen, probabilities=_shares(seen.probabilities, t))
    found = of_places(seen, left, gone, np.atleast_1d(exact(law.mean(t))).tolist(), f"t = {t:g}")
    least = EXPECTED if samples.walkers >= MANY else FEW
    impossible = [*_outside(samples, law.domain.axes), *(_off_sublattice(samples, seen, law, t) if on_sites else [])]
    return [*impossible, *(replace(one, least=least) for one in found)]


def _timed(outcomes: Outcomes, t: float) -> Outcomes:
    """Outcomes whose name says when; that of impossible places does not by itself."""
    return replace(outcomes, name=f"{outcomes.name} at t = {t:g}") if "impossible" in outcomes.tests else outcomes


def time_of(samples: Samples, law: Law[Any]) -> float:
    """The time of the samples, or the only one of the law."""
    times = getattr(law, "times", None)
    if samples.time is None:
        if times is not None and np.size(times) == 1:
            return float(times[0])
        known = "at any time" if times is None else f"at the times {', '.join(f'{v:g}' for v in times[:8])}"
        raise ValueError(f"observed has no time, and expected answers {known}: give Samples(x, time=...)")
    if times is not None:
        row_of(samples.time, times)
    return float(samples.time)


def _of_axis(samples: Samples, law: Law[Any], axis: int, t: float) -> list[Outcomes]:
    """The outcomes of one coordinate by itself."""
    alone = Samples(samples.coordinates[axis], t, samples.gone)
    name = coordinate(axis)
    return [replace(one, name=f"{name} at t = {t:g}") for one in sample_outcomes(alone, law.marginal(axis))]


def _shares(probabilities: Floats, t: float) -> Floats:
    """The probabilities of places on condition that the walker has not left."""
    total = float(probabilities.sum())
    if not total > 0.0:
        raise ValueError(f"expected has nobody left at t = {t:g}, and observed has places: compare at an earlier time")
    return probabilities / total


def _exits(samples: Samples, law: Law[Any], t: float) -> tuple[NDArray[np.int64], Floats]:
    """(walkers that left, probabilities) by the exits of the domain; nothing on condition of survival."""
    names = law.domain.exits
    for exit in samples.gone:
        if exit not in law.exits:
            known = ", ".join(map(repr, law.exits)) or "none"
            raise ValueError(
                f"gone[{exit!r}]: expected has no such exit; there are {known}{did_you_mean(exit, law.exits)}"
            )
    left = np.array([samples.gone.get(exit, 0) for exit in names], dtype=np.int64)
    if not samples.gone:
        return left, np.zeros(len(names))
    return left, np.array([float(exact(law.absorbed(exit, t))) if exit in law.exits else 0.0 for exit in names])


def _outside(samples: Samples, axes: Sequence[Axis]) -> list[Outcomes]:
    """Walkers beyond a wall, which are impossible; nothing if there are none."""
    beyond = np.zeros(samples.alive, dtype=bool)
    for x, axis in zip(samples.coordinates, axes, strict=True):
        if axis.periodic:
            continue
        room = ROUNDING * (axis.high - axis.low if np.isfinite([axis.low, axis.high]).all() else 1.0)
        beyond |= (x < axis.low - room) | (x > axis.high + room)
    count = int(beyond.sum())
    if not count:
        return []
    observed = np.array([samples.walkers - count, count])
    return [Outcomes(OUTSIDE, np.arange(2.0), observed, np.array([1.0, 0.0]), 0.0, ("impossible",))]


def _off_sublattice(samples: Samples, seen: Seen, law: Law[Any], t: float) -> list[Outcomes]:
    """Walkers on sites inside that the walk cannot be on after so many steps; nothing if there are none."""
    kept, _ = law._at(t).support.known  # type: ignore[attr-defined]
    inside = np.zeros(tuple(n - 2 for n in seen.counts.shape), dtype=bool)
    inside[kept] = True
    count = int(seen.counts[(slice(1, -1),) * inside.ndim][~inside].sum())
    if not count:
        return []
    observed = np.array([samples.walkers - count, count])
    return [Outcomes(SUBLATTICE, np.arange(2.0), observed, np.array([1.0, 0.0]), 0.0, ("impossible",))]


def _on_sites(samples: Samples, law: ExactLaw, t: float) -> Seen | None:
    """Counts on the sites of a law of atoms, with one more at either end for all beyond; None if the places are not on sites."""
    atoms = law._at(t)
    numbers, places = [], []
    for x, sites, dx, axis in zip(
        samples.coordinates, atoms.places, atoms.support.spacings, atoms.support.axes, strict=True
    ):
        index = (on_axis(axis, x) - sites[0]) / dx
        if np.abs(index - np.rint(index)).max() > ON_SITE + ROUNDING * np.abs(index).max():
            return None
        whole = np.rint(index).astype(np.int64)
        whole = whole % sites.size if axis.periodic else np.clip(whole, -1, sites.size)
        numbers.append(whole + 1)
        places.append(np.concatenate([[sites[0] - dx], sites, [sites[-1] + dx]]))
    shape = tuple(place.size for place in places)
    counts = np.bincount(np.ravel_multi_index(tuple(numbers), shape), minlength=int(np.prod(shape))).reshape(shape)
    return Seen(tuple(places), atoms.support.axes, counts, np.pad(atoms.p, 1))


def _in_bins(samples: Samples, law: Law[Any], t: float) -> Seen:
    """Counts in bins of the law, to infinity where a domain has no end, those beyond a wall in the last bin."""
    edges, inside = [], []
    for x, own, axis in zip(samples.coordinates, law._now(t).bins(), law.domain.axes, strict=True):
        kept = coarser(own, axis, BINS[law.dimension])
        edges.append(kept)
        place = np.searchsorted(kept, on_axis(axis, x), side="right") - 1
        inside.append(np.clip(place, 0, kept.size - 2))
    shape = tuple(e.size - 1 for e in edges)
    counts = np.bincount(np.ravel_multi_index(tuple(inside), shape), minlength=int(np.prod(shape))).reshape(shape)
    cuts: Any = edges[0] if law.dimension == 1 else tuple(edges)
    return Seen(tuple(map(middles, edges)), law.domain.axes, counts, exact(law.mass(cuts, t)))


def coarser(edges: Floats, axis: Axis, most: int) -> Floats:
    """At most so many bins of these edges, and those to the ends of the axis."""
    stride = max(1, -(-(edges.size - 1) // most))
    return np.unique(np.concatenate([[axis.low], edges[:-1:stride], [edges[-1], axis.high]]))


def middles(edges: Floats) -> Floats:
    """The middles of bins; of a bin without end a place as far from its edge as the middle of the next one."""
    ends = edges.copy()
    inner = edges[np.isfinite(edges)]
    widths = np.diff(inner) if inner.size > 1 else np.ones(1)
    if not np.isfinite(ends[0]):
        ends[0] = inner[0] - widths[0]
    if not np.isfinite(ends[-1]):
        ends[-1] = inner[-1] + widths[-1]
    return 0.5 * (ends[1:] + ends[:-1])
