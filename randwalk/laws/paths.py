"""Pictures of paths: against time in one dimension, in the plane of two coordinates in more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..model.coefficient import Floats
from ..model.domain import Domain
from .maps import draw_walls, frame
from .plotting import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLANE = (0, 1)  # the coordinates that are drawn


def draw_paths(times: Floats, x: Floats, domain: Domain, ax: Axes | None) -> Axes:
    """The paths of walkers, places `x` of shape (times, walkers), and (times, walkers, d) in d dimensions."""
    ax = axes(ax)
    style = {"lw": 0.6} if len(times) > 1 else {"lw": 0.0, "marker": "."}
    places = [x] if x.ndim == 2 else [x[..., axis] for axis in range(x.shape[2])]
    shown = [np.broadcast_to(times[:, None], x.shape), x] if x.ndim == 2 else places[:2]
    seams = _seams(places, domain)
    ax.plot(*(_cut(along, seams) if seams.any() else along for along in shown), **style)
    if x.ndim == 2:
        ax.set(xlabel="time $t$", ylabel="position $x$")
        return ax
    frame(domain, PLANE, ax, [(float(np.nanmin(along)), float(np.nanmax(along))) for along in shown])
    possible = domain.open_exits(killed=False)
    names = [*(face.exit for face in domain.faces), *domain.exits[2 * domain.dimension : -1]]
    draw_walls(domain, {name: name if name in possible else None for name in names}, PLANE, ax)
    ax.set(xlabel="position $x$", ylabel="position $y$")
    return ax


def _seams(places: Sequence[Floats], domain: Domain) -> NDArray[np.bool_]:
    """Whether the shorter way from each place to the next leads across the seam of a ring, shape (times - 1, walkers)."""
    across = np.zeros((len(places[0]) - 1, places[0].shape[1]), dtype=bool)
    for along, axis in zip(places, domain.axes, strict=True):
        if axis.periodic:
            across |= np.abs(np.diff(along, axis=0)) > 0.5 * (axis.high - axis.low)
    return across


def _cut(along: Floats, seams: NDArray[np.bool_]) -> Floats:
    """Coordinates with one half way between every two, which is no number at seams."""
    cut = np.empty((2 * len(along) - 1, along.shape[1]))
    cut[::2], cut[1::2] = along, np.where(seams, np.nan, 0.5 * (along[1:] + along[:-1]))
    return cut
