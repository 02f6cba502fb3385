"""Nodes of a coefficient's tree whose parts are coefficients: sums, products, powers and choices."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from .base import Coefficient
from .breaks import largest
from .elementary import Apply, apply
from .leaves import Affine, Constant, Variable
from .node import Node
from .tree import Singularity
from .variables import At, Floats, Point, along
from .width import apart_from_zeros, smallest


@dataclass(frozen=True, repr=False)
class Sum(Node):
    terms: tuple[Coefficient, ...]

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return self.terms

    def _with(self, *parts: Coefficient) -> Coefficient:
        return reduce(operator.add, parts)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return reduce(np.add, [term.evaluate(point, t) for term in self.terms])

    def regular_derivative(self, variable: str) -> Coefficient:
        return reduce(operator.add, (term.regular_derivative(variable) for term in self.terms))

    def _linear(self, variable: str, at: At) -> tuple[float, float] | None:
        parts = [term._linear(variable, at) for term in self.terms]
        known = [part for part in parts if part is not None]
        return (sum(a for a, _ in known), sum(b for _, b in known)) if len(known) == len(parts) else None

    def latex(self) -> str:
        return " + ".join(term.latex() for term in self.terms).replace("+ -", "- ")

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms)).replace("+ -", "- ")


@dataclass(frozen=True, repr=False)
class Product(Node):
    factors: tuple[Coefficient, ...]

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return self.factors

    def _with(self, *parts: Coefficient) -> Coefficient:
        return reduce(operator.mul, parts)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return reduce(np.multiply, [factor.evaluate(point, t) for factor in self.factors])

    def regular_derivative(self, variable: str) -> Coefficient:
        terms = (
            reduce(operator.mul, (*self.factors[:i], factor.regular_derivative(variable), *self.factors[i + 1 :]))
            for i, factor in enumerate(self.factors)
        )
        return reduce(operator.add, terms)

    def _linear(self, variable: str, at: At) -> tuple[float, float] | None:
        varying = [f for f in self.factors if f.depends_on(variable)]
        if len(varying) > 1:
            return None
        number = math.prod(
            float(f._curve(variable, at)(np.zeros(1))[0]) for f in self.factors if not f.depends_on(variable)
        )
        linear = varying[0]._linear(variable, at) if varying else (1.0, 0.0)
        return None if linear is None else (number * linear[0], number * linear[1])

    def _factors(self) -> tuple[Coefficient, ...] | None:
        return self.factors

    def latex(self) -> str:
        first, *rest = (
            rf"\left({f.latex()}\right)" if isinstance(f, (Sum, Affine)) else f.latex() for f in self.factors
        )
        return r"\,".join(("-" + rest[0], *rest[1:]) if first == "-1" else (first, *rest))

    def __str__(self) -> str:
        def text(factor: Coefficient) -> str:
            return f"({factor})" if isinstance(factor, (Sum, Affine)) else str(factor)

        first, *rest = self.factors
        tail = "*".join(map(text, rest))
        return f"-{tail}" if first == Constant(-1.0) else f"{text(first)}*{tail}"


@dataclass(frozen=True, repr=False)
class Power(Node):
    base: Coefficient
    exponent: Coefficient

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.base, self.exponent)

    def _with(self, *parts: Coefficient) -> Coefficient:
        base, exponent = parts
        return base**exponent

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return np.power(self.base.evaluate(point, t), self.exponent.evaluate(point, t))

    def regular_derivative(self, variable: str) -> Coefficient:
        if isinstance(self.exponent, Constant):
            return self.exponent * self.base ** (self.exponent - 1.0) * self.base.regular_derivative(variable)
        growth = self.exponent * apply("log", self.base)
        return self * growth.regular_derivative(variable)

    @property
    def _singularities(self) -> tuple[Singularity, ...]:
        whole = isinstance(self.exponent, Constant) and self.exponent.value.is_integer() and self.exponent.value >= 0
        return () if whole else (Singularity(self.base, crossing=False),)

    def _factors(self) -> tuple[Coefficient, ...] | None:
        return (self.base,) if isinstance(self.exponent, Constant) and self.exponent.value > 0 else None

    def _own_width(self, variable: str, point: Point, t: Floats, zeros: Floats) -> float:
        if not isinstance(self.exponent, Constant):
            return Apply("exp", self.exponent * apply("log", self.base))._own_width(variable, point, t, zeros)
        z, slope = np.abs(self.base(point, t)), np.abs(self.base.regular_derivative(variable)(point, t))
        n = self.exponent.value
        if n > 0 and n.is_integer():  # a power varies most where it is large
            return smallest((z / (n * slope))[z >= 0.5 * largest(z)])
        return smallest(apart_from_zeros(z, slope, along(variable, point, t), zeros) / max(1.0, abs(n)))

    def latex(self) -> str:
        plain = isinstance(self.base, (Variable, Apply))
        return (self.base.latex() if plain else rf"\left({self.base.latex()}\right)") + f"^{{{self.exponent.latex()}}}"

    def __str__(self) -> str:
        def text(part: Coefficient) -> str:
            plain = isinstance(part, (Variable, Apply)) or (isinstance(part, Constant) and part.value >= 0)
            return str(part) if plain else f"({part})"

        return f"{text(self.base)}**{text(self.exponent)}"


@dataclass(frozen=True, repr=False)
class Choice(Node):
    """`above` where `condition` ≥ 0, else `below`: what ``np.where`` makes."""

    condition: Coefficient
    above: Coefficient
    below: Coefficient

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.condition, self.above, self.below)

    def _with(self, *parts: Coefficient) -> Coefficient:
        return Choice(*parts)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return np.where(
            self.condition.evaluate(point, t) >= 0.0, self.above.evaluate(point, t), self.below.evaluate(point, t)
        )

    def regular_derivative(self, variable: str) -> Coefficient:
        above, below = (part.regular_derivative(variable) for part in (self.above, self.below))
        return above if above == below else Choice(self.condition, above, below)

    @property
    def _singularities(self) -> tuple[Singularity, ...]:
        return (Singularity(self.condition, crossing=True, jump=True),)

    def latex(self) -> str:
        above, below, condition = self.above.latex(), self.below.latex(), self.condition.latex()
        return rf"\begin{{cases}}{above} & {condition} \ge 0\\{below} & \text{{otherwise}}\end{{cases}}"

    def __str__(self) -> str:
        return f"where({self.condition} >= 0, {self.above}, {self.below})"
