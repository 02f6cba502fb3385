"""The difference of a sample and a law in standard errors, drawn bin by bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.coefficient import Floats
from .distribution import Distribution
from .estimate import Estimate, Proportion, exact
from .lookup import NoAnswer
from .maps import frame, pairs_of, panels
from .plotting import COLOURS, axes

if TYPE_CHECKING:
    from .law import Law

MOST_BINS = 64  # of each axis
FEWEST = 5.0  # walkers expected in a bin, below which it has no residual
FAR = 4.0  # standard errors at which the colour ends


def draw_residuals(law: Law[Any], other: Law[Any], times: Sequence[float], ax: Any) -> Any:
    """The residuals of one law against another at one time."""
    if law.dimension != other.dimension:
        raise ValueError(f"against is a law in {other.dimension} dimensions, and this one in {law.dimension}")
    if len(times) != 1:
        raise ValueError(f"t = {list(times)}: residuals are those of one time; give one")
    pairs: list[tuple[int, ...]] = [(0,)] if law.dimension == 1 else [*pairs_of(law.dimension)]
    found = []
    for pair in pairs:
        rings = [number for number, axis in enumerate(pair) if law.domain.axes[axis].periodic]
        here, there = (one._now(times[0]).onto(pair) for one in (law, other))
        found.append(_residuals(here, there, rings))
    if law.dimension == 1:
        ax = axes(ax)
        (((line,), z),) = found
        ax.axhspan(-2.0, 2.0, color="0.9", lw=0)
        ax.plot(0.5 * (line[1:] + line[:-1]), z, ".", color=COLOURS[law.kind])
        ax.set(xlabel=f"position ${law._coordinates[0]}$", ylabel="residual / standard error")
        ax.set_title(_title(law, other, times[0]))
        return ax
    places = panels(ax, law.dimension)
    for pair, place, (edges, z) in zip(pairs, places, found, strict=True):
        mesh = place.pcolormesh(*edges, z.T, cmap="RdBu_r", vmin=-FAR, vmax=FAR)
        place.figure.colorbar(mesh, ax=place, label="residual / standard error", extend="both")
        frame(law.domain, (pair[0], pair[-1]), place, [(float(e[0]), float(e[-1])) for e in edges])
        place.set_title(_title(law, other, times[0]))
    return places[0] if len(pairs) == 1 else places


def _title(law: Law[Any], other: Law[Any], t: float) -> str:
    return f"{law.kind} and {other.kind}, $t = {t:g}$"


def _residuals(first: Distribution, second: Distribution, rings: Sequence[int]) -> tuple[tuple[Floats, ...], Floats]:
    """(edges of bins along each axis, sample minus law in standard errors); NaN where few walkers are expected."""
    edges: tuple[Floats, ...] = ()
    for sampled in (first, second):
        edges = tuple(_coarser(e) for e in sampled.bins())
        cut = edges[0] if sampled.dimension == 1 else edges
        masses = [one.mass(cut) for one in (first, second)]
        if isinstance(sampled.mass(cut), Estimate):
            break
    else:
        raise NoAnswer(
            "neither law is a sample, so that their difference has no standard error: give against an Ensemble, or compare "
            "their pdf or mass"
        )
    if not isinstance(masses[0], Estimate):  # sample minus law, whichever was given first
        masses.reverse()
    found, expected = (around(exact(mass), rings) for mass in masses)
    both = isinstance(masses[1], Estimate)
    variance, enough = np.zeros(found.shape), np.ones(found.shape, dtype=bool)
    for mass, p in zip(masses, (found if both else expected, expected), strict=True):
        if isinstance(mass, Proportion):  # by probabilities of a law: a bin without walkers has no error of its own
            variance = variance + np.clip(p * (1.0 - p), 0.0, None) / mass.total
            enough = enough & (mass.total * p >= FEWEST)
        elif isinstance(mass, Estimate):
            variance = variance + around(mass.error**2, rings)
    with np.errstate(divide="ignore", invalid="ignore"):
        return edges, np.where(enough, (found - expected) / np.sqrt(variance), np.nan)


def around(values: Floats, rings: Sequence[int]) -> Floats:
    """Values of bins with those of the first and the last bin of rings added up, in both places: a cell may lie on both sides of
    the seam."""
    for axis in rings:
        rows = np.moveaxis(values, axis, 0).copy()
        if len(rows) > 1:
            rows[0] = rows[-1] = rows[0] + rows[-1]
        values = np.moveaxis(rows, 0, axis)
    return values


def _coarser(edges: Floats) -> Floats:
    """At most MOST_BINS bins of the same edges, the outer ones kept."""
    stride = -(-(edges.size - 1) // MOST_BINS)
    return np.append(edges[:-1:stride], edges[-1])
