"""The expectation of a function of a place under a density: by adaptive quadrature along an axis, on a product of axes by panels
that are halved together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from ..model.coefficient import Floats

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
PANELS = 32  # at first; none holds more than a 32nd of the mass
ROUNDS = 60  # of halving
CLOSE = 1e-13  # of the integral of |f| ρ: how well a panel and its halves agree in the end
BEYOND = 1e-40  # of the mass lies beyond the ends on either side
WIDER = 200  # times at most an end is moved out
BOX_PANELS = 4  # of each axis, at first
BOX_CLOSE = 1e-10  # of the integral of |f| ρ: how well two rules on a box agree in the end
BOX_NODES = 4_000_000  # at most
AXIS_PANELS = 24  # of each axis over which a marginal density is integrated


def expectation(
    f: Callable[[Floats], Floats],
    pdf: Callable[[Floats], Floats],
    mass: Callable[[Floats], Floats],
    span: tuple[float, float],
    ends: tuple[float, float],
) -> float:
    """∫ f(x) ρ(x) dx between `ends`, which may be infinite, by Gauss–Legendre panels that are halved until they agree.

    `mass` gives the masses between increasing edges, and `span` finite places between which most of the mass lies. Where the
    ends are infinite, `f` may grow as a power of x. Relative error of about 1e-12 where `f` is smooth.
    """
    total = float(mass(np.array(ends))[0])
    if not total > 0.0:
        return 0.0
    panels = _by_mass(mass, _widened(mass, span, ends, total), total)
    begin, end = panels[:-1], panels[1:]
    coarse, size = _panels(f, pdf, begin, end)
    done, scale = 0.0, float(size.sum())
    for _ in range(ROUNDS):
        middle = 0.5 * (begin + end)
        left, right = _panels(f, pdf, begin, middle), _panels(f, pdf, middle, end)
        fine = left[0] + right[0]
        scale = max(scale, done + float((left[1] + right[1]).sum()))
        open_ = (np.abs(fine - coarse) > CLOSE * scale) & (begin < middle) & (middle < end)
        done += float(fine[~open_].sum())
        if not open_.any():
            return done
        coarse = np.concatenate([left[0][open_], right[0][open_]])
        begin, end = (
            np.concatenate([begin[open_], middle[open_]]),
            np.concatenate([middle[open_], end[open_]]),
        )
    return done + float(coarse.sum())


def _panels(
    f: Callable[[Floats], Floats], pdf: Callable[[Floats], Floats], begin: Floats, end: Floats
) -> tuple[Floats, Floats]:
    """The integrals of f ρ and of |f| ρ over each of the panels."""
    half = 0.5 * (end - begin)
    x = (0.5 * (begin + end))[:, None] + half[:, None] * NODES
    rho = pdf(x.ravel())
    values = np.where(rho > 0.0, rho * np.where(rho > 0.0, f(x.ravel()), 0.0), 0.0).reshape(x.shape)
    return half * (values @ WEIGHTS), half * (np.abs(values) @ WEIGHTS)


def _widened(
    mass: Callable[[Floats], Floats], span: tuple[float, float], ends: tuple[float, float], total: float
) -> tuple[float, float]:
    """Finite ends with less than BEYOND of the mass outside them."""
    found = []
    for place, end, outward in ((span[0], ends[0], -1.0), (span[1], ends[1], 1.0)):
        if np.isfinite(end):
            found.append(end)
            continue
        reach = 0.25 * (span[1] - span[0])
        for _ in range(WIDER):
            beyond = mass(np.array([-np.inf, place] if outward < 0 else [place, np.inf]))
            if not float(beyond[0]) > BEYOND * total:
                break
            place, reach = place + outward * reach, 1.2 * reach
        found.append(place)
    return found[0], found[1]


def _by_mass(mass: Callable[[Floats], Floats], window: tuple[float, float], total: float) -> Floats:
    """Edges of panels none of which holds more than a share 1/PANELS of the mass, or is as narrow as rounding allows."""
    edges = np.linspace(*window, PANELS + 1)
    for _ in itertools.repeat(None, ROUNDS):
        middle = 0.5 * (edges[1:] + edges[:-1])
        split = (mass(edges) > total / PANELS) & (edges[:-1] < middle) & (middle < edges[1:])
        if not split.any():
            break
        edges = np.sort(np.concatenate([edges, middle[split]]))
    return edges


def rule(spans: Sequence[tuple[float, float]], panels: int = AXIS_PANELS) -> tuple[list[Floats], Floats]:
    """(coordinates, weights), flat arrays, of Gauss–Legendre nodes in equal panels on the box of the given spans."""
    axes, shares = [], []
    for low, high in spans:
        half = 0.5 * (high - low) / panels
        middles = low + half * (2.0 * np.arange(panels) + 1.0)
        axes.append((middles[:, None] + half * NODES).ravel())
        shares.append(np.tile(half * WEIGHTS, panels))
    grid, weights = np.meshgrid(*axes, indexing="ij"), np.meshgrid(*shares, indexing="ij")
    return [x.ravel() for x in grid], np.prod([w.ravel() for w in weights], axis=0)


def over_box(f: Callable[..., Floats], spans: Sequence[tuple[float, float]]) -> float:
    """The integral of `f`, a function of flat arrays of the coordinates, over a box of finite spans."""
    panels, before = BOX_PANELS, np.nan
    while True:
        nodes, weights = rule(spans, panels)
        values = f(*nodes)
        found, size = float(values @ weights), float(np.abs(values) @ weights)
        if abs(found - before) <= BOX_CLOSE * size or weights.size * 2 ** len(spans) > BOX_NODES:
            return found
        panels, before = 2 * panels, found
