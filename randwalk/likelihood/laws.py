"""What a model answers for one set of parameters: a closed form where there is one, else finite differences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.wording import shown
from randwalk.laws.law import Law
from randwalk.laws.lookup import NoAnswer
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.domain import Line
from randwalk.model.ito import ItoWalk
from randwalk.model.walk import LatticeWalk
from randwalk.pde.closed_form import ClosedForm, NoClosedForm, closed_form
from randwalk.pde.equation import FokkerPlanck, limit
from randwalk.pde.moving import MovingFrame
from randwalk.pde.solve import solve
from randwalk.pde.stationary import stationary_law
from randwalk.problem import Problem

from .passages import FormPassages, SplinePassages, spline_passages
from .volterra import MovingBounds, VolterraPassages


@dataclass(frozen=True)
class EquationLaws:
    """The laws of an equation."""

    equation: FokkerPlanck
    tolerance: float

    @cached_property
    def form(self) -> ClosedForm | None:
        """Its closed form, None if it has none."""
        if self.equation.domain.moves:
            return None
        try:
            return closed_form(self.equation)
        except NoClosedForm:
            return None

    @property
    def exits(self) -> tuple[str, ...]:
        """The exits that walkers can take."""
        return tuple(self.equation.domain.open_exits(killed=self.equation.killing != Constant(0.0)))

    def at(self, times: ArrayLike) -> Law[Any]:
        return self.form if self.form is not None else self._solved(np.unique(np.asarray(times, dtype=np.float64)))

    def stationary(self, window: tuple[float, float]) -> Law[Any]:
        domain = self.equation.domain
        bounded = np.isfinite(domain.axes[0].low) and np.isfinite(domain.axes[0].high)
        return stationary_law(self.equation, window=None if bounded else window, tolerance=self.tolerance)

    def passages(self, times: Floats) -> FormPassages | VolterraPassages | SplinePassages:
        if self.form is not None:
            return FormPassages(self.form)
        moving = MovingBounds.of(self.equation) if self.equation.domain.moves else None
        if moving is not None and (found := moving.passages(float(times.max()))) is not None:
            return found
        return spline_passages(self._solved, self.exits, times)

    def brownian(self, dimension: int) -> tuple[Floats, float]:
        equation, domain = self.equation, self.equation.domain
        if domain.dimension != dimension:
            raise NoAnswer(
                f"the model has {domain.dimension} dimensions and the tracks {dimension}: give as many of both"
            )
        drift, tensor = [part.value for part in equation.vector if isinstance(part, Constant)], equation.tensor.matrix
        whole = all(isinstance(axis, Line) for axis in domain.axes) and not domain.regions
        even = tensor is not None and (tensor == tensor[0, 0] * np.eye(dimension)).all()
        if len(drift) < dimension or not even or not whole or equation.killing != Constant(0.0):
            raise NoAnswer(
                f"{equation}: tracks are fitted to Brownian motion with a constant drift and one D on the whole line or space; "
                "for another model fit their displacements, tracks.increments(lag), from a start at 0"
            )
        assert tensor is not None
        return np.array(drift), float(tensor[0, 0])

    def from_start(self, x: float) -> EquationLaws:
        return EquationLaws(self.equation.with_start(x), self.tolerance)

    def _solved(self, times: Floats) -> Law[Any]:
        if self.equation.domain.moves:
            frame = MovingFrame(self.equation)
            return frame.law(solve(frame.resting, times, tolerance=self.tolerance))
        return solve(self.equation, times, tolerance=self.tolerance)


@dataclass(frozen=True)
class GivenLaw:
    """A law that the model made itself."""

    law: Law[Any]

    def at(self, times: ArrayLike) -> Law[Any]:
        return self.law

    def stationary(self, window: tuple[float, float]) -> Law[Any]:
        return self.law

    def passages(self, times: Floats) -> SplinePassages:
        known = self.law.times
        last = np.inf if known is None else float(known[-1])
        if float(np.max(times, initial=0.0)) > last:
            raise NoAnswer(
                f"the law of the model ends at t = {last:g}, and the data at {times.max():g}: let it answer then too"
            )
        exits = [
            exit for exit in self.law.exits if np.any(np.asarray(self.law.absorbed(exit, min(last, times.max())))) > 0.0
        ]
        return spline_passages(lambda nodes: self.law, tuple(exits), times)

    def brownian(self, dimension: int) -> tuple[Floats, float]:
        raise NoAnswer("a law does not tell its drift and D: let the model return a walk or an equation")

    def from_start(self, x: float) -> GivenLaw:
        raise NoAnswer(f"start = {x:g}: a law has its own start; let the model return a walk or an equation")


def laws_of(made: Any, tolerance: float) -> EquationLaws | GivenLaw:
    """The laws of what a model has made: a problem, a walk, an equation or a law."""
    if isinstance(made, Problem):
        made = made.walk
    if isinstance(made, (LatticeWalk, ItoWalk)):
        made = limit(made)
    if isinstance(made, FokkerPlanck):
        return EquationLaws(made, tolerance)
    if isinstance(made, Law):
        return GivenLaw(made)
    raise TypeError(
        f"the model gave {shown(made)}: it must return a walk, an equation (FokkerPlanck), a Problem or a law"
    )
