"""Maps of densities: a law in two dimensions, or two coordinates of one in more."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate
from ..model.domain import Domain
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
    frame(law.domain, pair, ax, [_seen(e, w) for e, w in zip(edges, weights, strict=True)])
    draw_walls(law.domain, _shares(law, t), pair, ax)
    ax.set_title(law._label(t))


def frame(domain: Domain, pair: tuple[int, int], ax: Axes, seen: Sequence[tuple[float, float]]) -> None:
    """Limits of a map: the ends of the domain, where it has none those of what is `seen`; its regions, in grey; and names."""
    limits = []
    for axis, (low, high) in zip(pair, seen, strict=True):
        ends = domain.bounds[axis]
        limits.append([end if np.isfinite(end) else place for end, place in zip(ends, (low, high), strict=True)])
    widths = np.diff(limits).ravel()
    for name, (low, high), width in zip("xy", limits, widths, strict=True):
        if width > 0.0:
            ax.set(**{f"{name}lim": (low - 0.02 * width, high + 0.02 * width)})
    if max(widths) < LONG * min(widths):
        ax.set_aspect("equal")
    ax.set(xlabel=f"${coordinate(pair[0])}$", ylabel=f"${coordinate(pair[1])}$")
    if domain.dimension == len(pair):
        grid, region = _regions(domain, (ax.get_xlim(), ax.get_ylim()))
        if (region >= 0).any():
            ax.contourf(*grid, region >= 0, levels=[0.5, 1.5], colors=["0.65"])


def draw_walls(domain: Domain, told: Mapping[str, str | None], pair: tuple[int, int], ax: Axes) -> None:
    """The walls of a map in the colours of their exits, and in the legend what is `told` of each exit; in black where that is
    None."""
    limits = ax.get_xlim(), ax.get_ylim()
    for (exit, text), bright in zip(told.items(), itertools.cycle(EXITS), strict=False):
        colour, width = ("black", 1.0) if text is None else (bright, 3.0)
        if text is not None:
            ax.plot([], [], color=colour, lw=3.0, label=text)
        face = domain.face(exit)
        if face is not None and face.axis in pair:
            line = ax.axvline if face.axis == pair[0] else ax.axhline
            line(face.place, color=colour, lw=width)
        number = next((i for i, region in enumerate(domain.regions) if region.name == exit), None)
        if number is not None and domain.dimension == len(pair):
            grid, region = _regions(domain, limits)
            ax.contour(*grid, region == number, levels=[0.5], colors=[colour], linewidths=2.0)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.12), ncols=2, fontsize="small", frameon=False)


def _shares(law: Law[Any], t: float) -> dict[str, str | None]:
    """What has left by each exit; None where nothing has and nothing can."""
    told: dict[str, str | None] = {}
    possible = law.domain.open_exits(killed=False)
    for exit in law.exits:
        share = float(exact(law.absorbed(exit, t)))
        told[exit] = f"{exit}: {100.0 * share:.3g} %" if share != 0.0 or exit in possible else None
    return told


def _regions(domain: Domain, limits: Sequence[Sequence[float]]) -> tuple[tuple[Floats, ...], Any]:
    """(grid of places, the number of the region that they are in or -1) between limits."""
    grid = tuple(np.meshgrid(*(np.linspace(low, high, FINE) for low, high in limits), indexing="ij"))
    return grid, domain.region_at(grid)


def _seen(edges: Floats, weights: Floats) -> tuple[float, float]:
    """The places between which all but little of the mass lies."""
    below = np.append(0.0, np.cumsum(weights))
    if not below[-1] > 0.0:
        return float(edges[0]), float(edges[-1])
    first = int(np.searchsorted(below, TAIL * below[-1], side="right")) - 1
    last = int(np.searchsorted(below, (1.0 - TAIL) * below[-1]))
    return float(edges[max(first, 0)]), float(edges[min(last, edges.size - 1)])
