"""The difference of a sample and a law in standard errors, drawn bin by bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.coefficient import Floats
from .distribution import Distribution
from .estimate import Estimate, Proportion
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
    pairs = [(0,)] if law.dimension == 1 else pairs_of(law.dimension)
    found = [_residuals(*(one._now(times[0]).onto(pair) for one in (law, other))) for pair in pairs]
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
        frame(law, (pair[0], pair[-1]), place, [(float(e[0]), float(e[-1])) for e in edges])
        place.set_title(_title(law, other, times[0]))
    return places[0] if len(pairs) == 1 else places


def _title(law: Law[Any], other: Law[Any], t: float) -> str:
    return f"{law.kind} and {other.kind}, $t = {t:g}$"


def _residuals(first: Distribution, second: Distribution) -> tuple[tuple[Floats, ...], Floats]:
    """(edges of bins along each axis, sample minus law in standard errors); NaN where few walkers are expected."""
    edges: tuple[Floats, ...] = ()
    cut: Any = None
    for sampled in (first, second):
        edges = tuple(_coarser(e) for e in sampled.bins())
        cut = edges[0] if sampled.dimension == 1 else edges
        if isinstance(sampled.mass(cut), Estimate):
            break
    else:
        raise NoAnswer(
            "neither law is a sample, so that their difference has no standard error: give against an Ensemble, or compare "
            "their pdf or mass"
        )
    a, b = first.mass(cut), second.mass(cut)
    if isinstance(a, Estimate) and isinstance(b, Estimate):
        return edges, a.z(b)
    sample, p = (a, b) if isinstance(a, Estimate) else (b, a)
    error, enough = sample.error, np.ones(p.shape, dtype=bool)
    if isinstance(sample, Proportion):  # by the probabilities of the law: a bin without walkers has no error of its own
        error, enough = np.sqrt(np.clip(p * (1.0 - p), 0.0, None) / sample.total), sample.total * p >= FEWEST
    with np.errstate(divide="ignore", invalid="ignore"):
        return edges, np.where(enough, (sample.value - p) / error, np.nan)


def _coarser(edges: Floats) -> Floats:
    """At most MOST_BINS bins of the same edges, the outer ones kept."""
    stride = -(-(edges.size - 1) // MOST_BINS)
    return np.append(edges[:-1:stride], edges[-1])
