"""What is asked of an equation at a point, checked before anything runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import numbers
from randwalk.inputs.wording import shown
from randwalk.model.barrier import Barrier, barriers
from randwalk.model.coefficient import ZERO, Coefficient, CoefficientLike, in_dimension
from randwalk.model.coefficient.point_function import at_a_point
from randwalk.model.coefficient.variables import coordinate

from ..equation import FokkerPlanck, check_equation


@dataclass(frozen=True)
class Question:
    """The terms of an expectation: what is paid at the time t, gathered on the way, and paid on leaving by each of the exits."""

    equation: FokkerPlanck
    payoff: Coefficient
    source: Coefficient
    boundary: tuple[Coefficient, ...]  # one for each of the domain's exits

    @classmethod
    def of(cls, equation: Any, payoff: CoefficientLike, source: CoefficientLike, boundary: Any) -> Question:
        check_equation(equation)
        read = reader(equation.dimension)
        domain = equation.domain
        if isinstance(boundary, Mapping):
            paid = [ZERO for _ in domain.exits]
            for name, value in boundary.items():
                paid[_wall(equation, name)] = read(f"boundary[{name!r}]", value)
        else:
            paid = [read("boundary", boundary)] * len(domain.exits)
            paid[-1] = ZERO  # killing pays nothing
        return cls(equation, read("payoff", payoff), read("source", source), tuple(paid))

    @cached_property
    def barriers(self) -> tuple[Barrier, ...]:
        """The walls of the domain; a ValueError names a region without a distance."""
        return barriers(self.equation.domain)

    @property
    def timed(self) -> bool:
        """Whether anything depends on time."""
        return (
            self.equation.time_dependent
            or self.equation.domain.moves
            or any(c.depends_on_t for c in (self.payoff, self.source, *self.boundary))
        )

    def certain(self, t: float) -> bool:
        """Whether all walkers count the same for certain: nothing depends on their places, nor on whether they meet a wall."""
        on_the_way = (self.source, self.equation.killing)
        if not self.barriers:
            return not any(term.variables - {"t"} for term in (self.payoff, *on_the_way))
        paid = {self.boundary[wall.exit] for wall in self.barriers if wall.reactivity > 0.0} | (
            {self.payoff} if math.isfinite(t) else set()
        )
        return len(paid) == 1 and not any(term.variables for term in paid) and all(term == ZERO for term in on_the_way)

    def check_inside(self, point: tuple[float, ...]) -> None:
        """Refuse a point outside the domain or on one of its absorbing walls."""
        domain = self.equation.domain
        place = point if len(point) > 1 else point[0]
        for i, (value, axis) in enumerate(zip(point, domain.axes, strict=True)):
            if axis.periodic and not axis.low <= value <= axis.high:
                raise ValueError(
                    f"x = {place}: lies outside {domain}; take {coordinate(i)} from {axis.low:g} to {axis.high:g}"
                )
        for wall in self.barriers:
            away = float(wall.distance(tuple(map(np.asarray, point)), 0.0))
            if away < 0.0:
                raise ValueError(
                    f"x = {place}: lies outside {domain}, beyond the wall {wall.name!r}; take a point inside"
                )
            if away == 0.0 and math.isinf(wall.reactivity):
                paid = self.boundary[wall.exit]
                raise ValueError(
                    f"x = {place}: lies on the absorbing wall {wall.name!r}, where the value is that of boundary, {paid}; "
                    "take a point inside"
                )


def points_of(
    equation: FokkerPlanck, x: Any, t: ArrayLike
) -> tuple[list[tuple[float, ...]], list[float], tuple[int, ...]]:
    """(points, times, shape): the coordinates and the time of every value that is asked for, and the shape of the answer."""
    check_equation(equation)
    given = x if isinstance(x, tuple) else (x,)
    if len(given) != equation.dimension:
        raise ValueError(f"x = {shown(x)}: {equation.domain} takes {_coordinates(equation.dimension)}")
    arrays = [numbers("x", v) for v in given]
    times = numbers("t", t)
    try:
        *arrays, times = np.broadcast_arrays(*arrays, times)
    except ValueError:
        shapes = ", ".join(str(v.shape) for v in (*arrays, times))
        raise ValueError(f"x and t have the shapes {shapes}: give arrays that broadcast") from None
    if times.size == 0:
        raise ValueError(f"x and t have the shape {times.shape}: give one point and one time at least")
    for coordinates in arrays:
        if not np.isfinite(coordinates).all():
            raise ValueError(f"x = {shown(x)}: must be finite")
    if not (times > 0.0).all():  # NaN is not
        raise ValueError(
            f"t = {float(times[~(times > 0.0)].flat[0]):g}: must be positive; at t = 0 the value is the payoff"
        )
    points = list(zip(*(v.ravel().tolist() for v in arrays), strict=True))
    return points, times.ravel().tolist(), times.shape


def _coordinates(dimension: int) -> str:
    """What a point is given by."""
    return "a number or an array" if dimension == 1 else f"a tuple of {dimension} numbers or arrays, one an axis"


def _wall(equation: FokkerPlanck, name: object) -> int:
    exits = equation.domain.open_exits(killed=False)
    if name not in exits:
        known = ", ".join(map(repr, exits)) or "none"
        raise ValueError(
            f"boundary: {shown(name)} is no exit of {equation.domain}, whose walls that absorb are {known}"
        )
    return equation.domain.exits.index(str(name))


def reader(dimension: int) -> Any:
    """A function that reads an argument as a coefficient of the coordinates and the time."""

    def read(name: str, value: Any) -> Coefficient:
        value = at_a_point(name, value, dimension)
        if isinstance(value, (tuple, list)):
            raise TypeError(f"{name} = {shown(value)}: is one number or function, not several")
        return in_dimension(name, value, dimension)

    return read
