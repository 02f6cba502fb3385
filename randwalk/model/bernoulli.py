"""The function β(w) = w/(e^w - 1) of a steady drift across a bond, and coefficients made of it.

With w = a dx/D the steady current between two sites is (D/dx)(β(-w) ρ_left - β(w) ρ_right) [Scharfetter & Gummel 1969]:
β(-w) - β(w) = w is the drift, β(-w)/β(w) = e^w the equilibrium, and β(0) = 1 the diffusion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .coefficient import Coefficient, Constant, Floats, Node, Point, constant_value

TERMS = 24  # of the series; its radius is 2π, so that at |w| = 1 the rest is below 1e-18


def bernoulli(w: Floats) -> Floats:
    """β(w) and β(-w), stacked; both to full relative accuracy, so that their ratio is e^-w.

    >>> bernoulli(np.array(0.0))
    array([1., 1.])
    """
    size = np.abs(np.asarray(w, dtype=np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        small = np.where(size < 1e-12, 1.0 - 0.5 * size, size / np.expm1(np.maximum(size, 1e-12)))
    large = small + size
    return np.where(np.asarray(w) > 0.0, [small, large], [large, small])


@dataclass(frozen=True, repr=False)
class Bernoulli(Node):
    """The derivative of the given order of β, of a coefficient."""

    argument: Coefficient
    order: int = 0

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.argument,)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        w = self.argument.evaluate(point, t)
        return _derivative(w, self.order) if self.order else bernoulli(w)[0]

    def _with(self, *parts: Coefficient) -> Coefficient:
        (argument,) = parts
        return Bernoulli(argument, self.order)

    def regular_derivative(self, variable: str) -> Coefficient:
        return Bernoulli(self.argument, self.order + 1) * self.argument.regular_derivative(variable)

    def latex(self) -> str:
        return rf"\beta{f'^{{({self.order})}}' if self.order else ''}\left({self.argument.latex()}\right)"

    def __str__(self) -> str:
        return f"bernoulli{chr(39) * self.order}({self.argument})"


def bernoulli_of(argument: Coefficient) -> Coefficient:
    """β of a coefficient; of a number, a number."""
    number = constant_value(argument)
    return Bernoulli(argument) if number is None else Constant(float(bernoulli(np.array(number))[0]))


def _derivative(w: Floats, order: int) -> Floats:
    """β⁽ⁿ⁾(w): from w β' = β (1 - β(-w)) differentiated with Leibniz' rule, near 0 from β = Σ B_k w^k/k!."""
    from scipy import special  # here, because importing it takes long

    w = np.asarray(w, dtype=np.float64)
    near = np.abs(w) < 1.0
    k = np.arange(TERMS + order + 1)
    taylor = special.bernoulli(TERMS + order)[order:] / special.factorial(k[: TERMS + 1])
    series = np.polynomial.polynomial.polyval(np.where(near, w, 0.0), taylor)
    far = np.where(near, 1.0, w)
    value, opposite = bernoulli(far)
    known, rest = [value], [1.0 - opposite]  # derivatives of β, and of 1 - β(-w) = 1 - β - w
    for m in range(order):
        total = sum(math.comb(m, j) * known[j] * rest[m - j] for j in range(m + 1))
        known.append((total - m * known[m]) / far)
        rest.append(-known[-1] - (m == 0))
    return np.where(near, series, known[-1])
