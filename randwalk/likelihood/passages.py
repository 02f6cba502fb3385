"""The density of first passage of a model: a closed form, or a spline of what has left by given times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline

from randwalk.laws.estimate import exact
from randwalk.laws.law import Law
from randwalk.model.coefficient import Floats
from randwalk.pde.closed_form import ClosedForm

from .exits import check_exit, survival

NODES = 64  # times of a spline, in geometric progression
MOST_NODES = 1024
ORDER = 5  # of the spline, whose derivative is of fourth order
SPAN = 1e-3  # of the last time, at least, is the first node
DENSITY_ERROR = 1e-3  # of the largest density: above it the nodes are doubled
MANY = 100  # times, above which the survival of a closed form is a spline, too
FLOOR = 1e-12  # of the largest density: a spline is not below it


@dataclass(frozen=True, eq=False)
class FormPassages:
    """First passage by formula; the density is that of :meth:`randwalk.pde.ClosedForm.first_passage_density`."""

    form: ClosedForm

    @property
    def exits(self) -> tuple[str, ...]:
        return self.form.law.exits + (("killing",) if self.form.killing else ())

    def density(self, exit: str, t: Floats) -> Floats:
        if exit == "killing":
            return self.form.killing * self.survival(t)
        return self.form.first_passage_density(exit, t)

    def absorbed(self, exit: str, t: Floats) -> Floats:
        return exact(self.form.absorbed(exit, t))

    def survival(self, t: Floats) -> Floats:
        if np.unique(t).size > MANY:
            return spline_passages(lambda nodes: self.form, self.exits, t).survival(t)
        return survival(self, t) if t.size else t


@dataclass(frozen=True, eq=False)
class SplinePassages:
    """First passage between nodes in time: splines of degree 5 through the probabilities of having left, and their slopes.

    `error` is the largest difference of the density to that of the spline through every second node, in units of the largest
    density: thirty times what the nodes themselves leave, for smooth laws. What the law is wrong by at the nodes comes on top.
    """

    law: Law[Any]
    nodes: Floats
    exits: tuple[str, ...]

    @cached_property
    def _splines(self) -> dict[str, tuple[BSpline, BSpline, float]]:
        found = {}
        for exit in self.exits:
            left = exact(self.law.absorbed(exit, self.nodes[1:]))
            found[exit] = _spline(self.nodes, np.append(0.0, left))
        return found

    @cached_property
    def error(self) -> float:
        """Of the density, relative to the largest one of its exit."""
        middle = np.sqrt(self.nodes[1:-1] * self.nodes[2:])
        worst = 0.0
        for whole, slope, largest in self._splines.values():
            coarse = make_interp_spline(self.nodes[::2], whole(self.nodes[::2]), k=ORDER).derivative()
            if largest > 0.0:
                worst = max(worst, float(np.abs(coarse(middle) - slope(middle)).max()) / largest)
        return worst

    def density(self, exit: str, t: Floats) -> Floats:
        _, slope, largest = self._of(exit)
        return np.maximum(slope(t), FLOOR * largest)

    def absorbed(self, exit: str, t: Floats) -> Floats:
        return np.clip(self._of(exit)[0](t), 0.0, 1.0)

    def _of(self, exit: str) -> tuple[BSpline, BSpline, float]:
        """The spline of an exit, its slope and the largest one."""
        return self._splines[check_exit(exit, self.exits)]

    def survival(self, t: Floats) -> Floats:
        return survival(self, t) if t.size else t


def _spline(nodes: Floats, left: Floats) -> tuple[BSpline, BSpline, float]:
    """The spline of what has left, its slope, and the largest slope at a node."""
    whole = make_interp_spline(nodes, left, k=ORDER)
    slope = whole.derivative()
    return whole, slope, float(np.max(slope(nodes), initial=0.0))


def spline_passages(law: Callable[[Floats], Law[Any]], exits: tuple[str, ...], times: Floats) -> SplinePassages:
    """The passages of the law that `law` gives for given times, for questions about `times`.

    Nodes stand in geometric progression up to the last time, 64 or as many more as bring the error of the density below a
    thousandth.
    """
    last = float(times.max())
    first = max(SPAN * last, 0.5 * float(times.min()))
    nodes = NODES
    while True:
        places = np.append(0.0, np.geomspace(first, last, nodes))
        found = SplinePassages(law(places[1:]), places, exits)
        if nodes >= MOST_NODES or found.error <= DENSITY_ERROR:
            return found
        nodes *= 2
