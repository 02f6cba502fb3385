"""The integral of a coefficient over time, with panels that resolve its pulses."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy import integrate

from randwalk.model.coefficient import Coefficient, Floats, constant_value

from ..pace import Pace
from .green import gauss_legendre

STEPS: Final = (
    4  # of a pace to a panel of 16 Gauss nodes: twice the time in which the coefficient changes by its own size
)
AGREE: Final = 1e-13  # agreement of panels and their halves, relative to the integral of the absolute value


def integral(coefficient: Coefficient, t: float) -> float:
    """∫ of a function of time from 0 to `t`, to about 1e-12 of the integral of its absolute value; exact for a constant.

    Panels end on the breaks of the coefficient and are no longer than its width (:meth:`randwalk.Coefficient.width`). QUADPACK
    integrates the panels for which Gauss's rule is not accurate, such as one beside a singularity.

    >>> from randwalk import expression
    >>> round(integral(expression("1000*(heaviside(t - 0.3712) - heaviside(t - 0.3722))"), 1.0), 12)
    1.0
    """
    value = constant_value(coefficient)
    if value is not None:
        return value * t
    if t == 0.0:
        return 0.0
    edges = _edges(Pace.read([coefficient], t))
    whole, halves = _panels(coefficient, edges), _panels(coefficient, _halved(edges))
    pairs = halves.reshape(-1, 2).sum(axis=1)
    doubtful = ~(np.abs(whole - pairs) <= AGREE * np.abs(halves).sum())
    rest = [
        integrate.quad(lambda s: float(coefficient(0.0, s)), *edges[i : i + 2], epsabs=1e-13, epsrel=1e-12, limit=1000)[
            0
        ]
        for i in np.flatnonzero(doubtful)
    ]
    return math.fsum([*pairs[~doubtful].tolist(), *rest])


def _edges(pace: Pace) -> Floats:
    """The ends of panels: breaks, and the ends that the pace requires. Panels shrink towards a quicker part, because its quick
    changes decay into the neighbour."""
    marks = np.unique([0.0, pace.until, *pace.breaks, *(end for end, _ in pace.parts)])
    ends, steps = np.array(pace.parts).T if pace.parts else (np.array([pace.until]), np.array([math.inf]))
    step = steps[np.minimum(np.searchsorted(ends, 0.5 * (marks[1:] + marks[:-1])), steps.size - 1)]
    beside = np.minimum(np.append(math.inf, step[:-1]), np.append(step[1:], math.inf))  # the quicker neighbour
    pieces = [marks]
    for low, high, own, quick in zip(marks, marks[1:], step, beside, strict=False):
        pieces.append(np.linspace(low, high, max(1, math.ceil((high - low) / (STEPS * own))) + 1))
        if quick < min(own, high - low):
            graded = quick * 2.0 ** np.arange(math.ceil(math.log2((high - low) / quick)))
            pieces += [low + graded, high - graded]
    return np.unique(np.concatenate(pieces))


def _halved(edges: Floats) -> Floats:
    return np.sort(np.append(edges, 0.5 * (edges[1:] + edges[:-1])))


def _panels(coefficient: Coefficient, edges: Floats) -> Floats:
    """The integral over each panel by Gauss's rule."""
    nodes, weights = gauss_legendre(edges)
    return (coefficient(np.zeros(nodes.size), nodes.ravel()).reshape(nodes.shape) * weights).sum(axis=1)
