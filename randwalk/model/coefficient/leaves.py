"""Leaves of a coefficient's tree: numbers, variables and affine forms of x."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .base import Coefficient
from .tree import Tree
from .variables import TIME, At, Floats, Point, check_variable, index_of


def finite_floats(coefficient: Coefficient, *names: str) -> None:
    """Make the named fields plain floats (text and files are written from them); refuse what is not finite."""
    for name in names:
        value = float(getattr(coefficient, name))
        if not math.isfinite(value):
            raise ValueError(f"a coefficient must be a finite number, not {value}")
        object.__setattr__(coefficient, name, value)


@dataclass(frozen=True)
class Constant(Coefficient):
    """The same number everywhere and always. A plain number becomes one."""

    value: float
    variables = frozenset()

    def __post_init__(self) -> None:
        finite_floats(self, "value")

    def __call__(self, x: ArrayLike | tuple[ArrayLike, ...], t: ArrayLike = 0.0) -> Floats:
        shapes = {np.shape(values) for values in (*(x if isinstance(x, tuple) else (x,)), t)} - {()}
        return np.full(shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes), self.value)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return np.asarray(self.value)

    def regular_derivative(self, variable: str) -> Coefficient:
        return ZERO

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return self

    def latex(self) -> str:
        mantissa, _, exponent = f"{self.value:.6g}".partition("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa

    def __str__(self) -> str:
        return repr(int(self.value)) if self.value.is_integer() and abs(self.value) < 1e15 else repr(self.value)


@dataclass(frozen=True, repr=False)
class Variable(Coefficient):
    """A coordinate, "x", "y", "z" or "x[i]", or the time "t" itself."""

    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check_variable(self.name))
        object.__setattr__(self, "variables", frozenset({self.name}))

    @cached_property
    def index(self) -> int:
        """The number of the coordinate, -1 of the time."""
        return index_of(self.name)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return t if self.index < 0 else point[self.index]

    def regular_derivative(self, variable: str) -> Coefficient:
        return ONE if variable == self.name else ZERO

    def _linear(self, variable: str, at: At) -> tuple[float, float] | None:
        return (0.0, 1.0) if variable == self.name else (at.get(self.name, 0.0), 0.0)

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return self + by if variable == self.name else self

    def latex(self) -> str:
        return f"x_{{{self.index}}}" if "[" in self.name else self.name

    def __str__(self) -> str:
        return self.name


ZERO, ONE = Constant(0.0), Constant(1.0)
X, T = Variable("x"), Variable(TIME)


@dataclass(frozen=True)
class Affine(Coefficient):
    """``intercept + slope x``: with ``slope = -θ`` the drift of an Ornstein–Uhlenbeck process, pulled to ``-intercept/slope``.

    >>> float(Affine(slope=-2.0)(1.5))
    -3.0
    """

    intercept: float = 0.0
    slope: float = 0.0

    def __post_init__(self) -> None:
        finite_floats(self, "intercept", "slope")
        object.__setattr__(self, "variables", frozenset({"x"} if self.slope else ()))

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return self.intercept + self.slope * point[0] if point else np.asarray(self.intercept)

    def regular_derivative(self, variable: str) -> Coefficient:
        return Constant(self.slope) if variable == "x" else ZERO

    def _linear(self, variable: str, at: At) -> tuple[float, float] | None:
        return (
            (self.intercept, self.slope) if variable == "x" else (self.intercept + self.slope * at.get("x", 0.0), 0.0)
        )

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return Affine(self.intercept + self.slope * by, self.slope)

    def latex(self) -> str:
        slope = {1.0: "", -1.0: "-"}.get(self.slope, Constant(self.slope).latex() + r"\,")
        return f"{slope}x" + (f" + {Constant(self.intercept).latex()}" if self.intercept else "").replace("+ -", "- ")

    def __str__(self) -> str:
        slope = {1.0: "", -1.0: "-"}.get(self.slope, f"{Constant(self.slope)}*")
        return f"{slope}x" + (f" + {Constant(self.intercept)}" if self.intercept else "").replace("+ -", "- ")


def affine(intercept: float, slope: float) -> Coefficient:
    """``intercept + slope x``; a number if the slope is 0."""
    return Affine(intercept, slope) if slope else Constant(intercept)


def affine_parts(coefficient: Tree) -> tuple[float, float] | None:
    """(intercept, slope) of a coefficient that is affine in x and depends on nothing else by its structure, else None."""
    match coefficient:
        case Constant(value):
            return value, 0.0
        case Affine(intercept, slope):
            return intercept, slope
        case Variable("x"):
            return 0.0, 1.0
    return None


def constant_value(coefficient: Tree) -> float | None:
    """The number, if the coefficient is one by its structure."""
    parts = affine_parts(coefficient)
    return parts[0] if parts is not None and parts[1] == 0.0 else None
