"""The smallest and the largest of several coefficients."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import reduce

import numpy as np

from .base import Coefficient
from .node import Node
from .nodes import Choice
from .tree import Singularity
from .variables import Floats, Point


@dataclass(frozen=True, repr=False)
class Minimum(Node):
    """The smallest of several coefficients, at each point and time."""

    terms: tuple[Coefficient, ...]

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return self.terms

    def _with(self, *parts: Coefficient) -> Coefficient:
        return minimum(*parts)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return reduce(np.minimum, (term.evaluate(point, t) for term in self.terms))

    def regular_derivative(self, variable: str) -> Coefficient:
        first, *rest = self.terms
        others = minimum(*rest)
        slopes = first.regular_derivative(variable), others.regular_derivative(variable)
        return slopes[0] if slopes[0] == slopes[1] else Choice(others - first, *slopes)

    @property
    def _singularities(self) -> tuple[Singularity, ...]:
        return tuple(Singularity(a - b, crossing=True) for a, b in itertools.combinations(self.terms, 2))

    def latex(self) -> str:
        return rf"\min\left({', '.join(term.latex() for term in self.terms)}\right)"

    def __str__(self) -> str:
        return str(_choices(self.terms))


def minimum(*terms: Coefficient) -> Coefficient:
    """The smallest of the coefficients.

    >>> from randwalk.model.coefficient import X, Constant
    >>> float(minimum(X, 1.0 - X)(0.25)), float(minimum(X, 1.0 - X).derivative("x")(0.75))
    (0.25, -1.0)
    """
    flat = tuple(dict.fromkeys(t for term in terms for t in (term.terms if isinstance(term, Minimum) else (term,))))
    return flat[0] if len(flat) == 1 else Minimum(flat)


def maximum(*terms: Coefficient) -> Coefficient:
    """The largest of the coefficients."""
    return terms[0] if len(terms) == 1 else -minimum(*(-term for term in terms))


def _choices(terms: tuple[Coefficient, ...]) -> Coefficient:
    """The minimum as choices between two, which text can say, in halves so that it stays short."""
    if len(terms) == 1:
        return terms[0]
    low, high = _choices(terms[: len(terms) // 2]), _choices(terms[len(terms) // 2 :])
    return Choice(high - low, low, high)
