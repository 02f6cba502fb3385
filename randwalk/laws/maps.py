"""Maps of densities: a law in two dimensions, or two coordinates of one in more."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate
from .estimate import exact
from .plotting import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .law import Law

MAP = "cividis"  # even in lightness: told apart in grey, and by colour-blind readers (Nuñez et al., PLOS ONE 13, e0199239, 2018)
EXITS = ("#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#F0E442", "#0072B2")  # Okabe and Ito's palette
TAIL = 1e-4  # of the mass on either side is left out where the domain has no end
LONG = 20.0  # a domain so much longer than wide, or with axes of different units, is not drawn to scale
FINE = 400  # places of each axis at which the outline of a region is sought


def draw_maps(law: Law[Any], times: Sequence[float], ax: Any) -> Any:
    """The density of every pair of coordinates at one time: the axes, or an array of axes if there are several pairs."""
    if len(times) != 1:
        raise ValueError(f"t = {list(times)}: a map shows one time; give one")
    pairs, places = pairs_of(law.dimension), panels(ax, law.dimension)
    for pair, place in zip(pairs, places, strict=True):
        _draw_map(law, times[0], pair, place)
    return places[0] if len(pairs) == 1 else places


def pairs_of(dimension: int) -> list[tuple[int, int]]:
    """The pairs of axes, each a map."""
    return list(itertools.combinations(range(dimension), 2))


def panels(ax: Any, dimension: int) -> np.ndarray:
    """The given axes, or new ones side by side, one for each pair of coordinates."""
    count = len(pairs_of(dimension))
    if ax is None and count > 1:
        import matplotlib.pyplot as plt

        return np.ravel(plt.subplots(1, count, figsize=(5.0 * count, 4.0), layout="constrained")[1])
    given = np.ravel(np.asarray(axes(ax), dtype=object))
    if given.size != count:
        raise ValueError(f"ax has {given.size} axes: a law in {dimension} dimensions is drawn on {count}")
    return given


def _draw_map(law: Law[Any], t: float, pair: tuple[int, int], ax: Axes) -> None:
    edges, density = law._now(t).onto(pair).pieces()
    values = exact(density)
    mesh = ax.pcolormesh(*edges, values.T, cmap=MAP, vmin=0.0)
    assert ax.figure is not None
    ax.figure.colorbar(mesh, ax=ax, label=rf"density $\rho({', '.join(coordinate(axis) for axis in pair)})$")
    widths = [np.diff(e) for e in edges]
    weights = [(values @ widths[1]) * widths[0], (widths[0] @ values) * widths[1]]
    frame(law, pair, ax, [_seen(e, w) for e, w in zip(edges, weights, strict=True)])
    draw_exits(law, t, pair, ax)
    ax.set_title(law._label(t))


def frame(law: Law[Any], pair: tuple[int, int], ax: Axes, seen: Sequence[tuple[float, float]]) -> None:
    """Limits of a map: the ends of the domain, where it has none those of the mass; its regions, in grey; and names."""
    limits = []
    for axis, (low, high) in zip(pair, seen, strict=True):
        ends = law.domain.bounds[axis]
        limits.append([end if np.isfinite(end) else place for end, place in zip(ends, (low, high), strict=True)])
    margin = [0.02 * (high - low) for low, high in limits]
    ax.set_xlim(limits[0][0] - margin[0], limits[0][1] + margin[0])
    ax.set_ylim(limits[1][0] - margin[1], limits[1][1] + margin[1])
    if max(np.diff(limits).ravel()) < LONG * min(np.diff(limits).ravel()):
        ax.set_aspect("equal")
    ax.set(xlabel=f"${coordinate(pair[0])}$", ylabel=f"${coordinate(pair[1])}$")
    if law.dimension == len(pair):
        grid, region = _regions(law, limits)
        if (region >= 0).any():
            ax.contourf(*grid, region >= 0, levels=[0.5, 1.5], colors=["0.65"])


def draw_exits(law: Law[Any], t: float, pair: tuple[int, int], ax: Axes) -> None:
    """The walls of a map in the colours of their exits (black if they reflect), and in the legend what has left by each."""
    domain, limits = law.domain, (ax.get_xlim(), ax.get_ylim())
    colours = dict(zip(law.exits, itertools.cycle(EXITS), strict=False))
    for exit in law.exits:
        share = float(exact(law.absorbed(exit, t)))
        face = domain.face(exit) if exit in domain.exits[: 2 * law.dimension] else None
        number = next((i for i, region in enumerate(domain.regions) if region.name == exit), None)
        wall = face.wall if face is not None else None if number is None else domain.regions[number].wall
        shut = wall is not None and wall.reactivity == 0.0
        if share == 0.0 and (shut or wall is None):
            colour = "black"
        else:
            colour = colours[exit]
            ax.plot([], [], color=colour, lw=3.0, label=f"{exit}: {_percent(share)}")
        if face is not None and face.axis in pair:
            line = ax.axvline if face.axis == pair[0] else ax.axhline
            line(face.place, color=colour, lw=1.0 if colour == "black" else 3.0)
        if number is not None and law.dimension == len(pair):
            grid, region = _regions(law, limits)
            ax.contour(*grid, region == number, levels=[0.5], colors=[colour], linewidths=2.0)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.12), ncols=2, fontsize="small", frameon=False)


def _regions(law: Law[Any], limits: Sequence[Sequence[float]]) -> tuple[tuple[Floats, ...], Any]:
    """(grid of places, the number of the region that they are in or -1) between limits."""
    grid = tuple(np.meshgrid(*(np.linspace(low, high, FINE) for low, high in limits), indexing="ij"))
    return grid, law.domain.region_at(grid)


def _seen(edges: Floats, weights: Floats) -> tuple[float, float]:
    """The places between which all but little of the mass lies."""
    below = np.append(0.0, np.cumsum(weights))
    if not below[-1] > 0.0:
        return float(edges[0]), float(edges[-1])
    first = int(np.searchsorted(below, TAIL * below[-1], side="right")) - 1
    last = int(np.searchsorted(below, (1.0 - TAIL) * below[-1]))
    return float(edges[max(first, 0)]), float(edges[min(last, edges.size - 1)])


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g} %"
