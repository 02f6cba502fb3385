"""The modified equation of a walk: its equation with the corrections of second order in dx (dt ~ dx²)."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import finite, finite_numbers
from randwalk.inputs.wording import shown
from randwalk.model.coefficient import ZERO, Coefficient, Constant, coordinate
from randwalk.model.convention import Convention
from randwalk.model.domain import Domain
from randwalk.model.start import Start
from randwalk.model.walk import LatticeWalk, Rule

from .equation import check_walk
from .rational import rational

HIGHEST: Final = 4  # order of a derivative

Powers: TypeAlias = tuple[int, ...]  # of the derivatives along the axes
Terms: TypeAlias = dict[Powers, Coefficient]  # c of every operator ∂^α (c ·)


@dataclass(frozen=True)
class ModifiedEquation:
    """ρ_t = (b₁ρ)_x + (b₂ρ)_xx + (b₃ρ)_xxx + (b₄ρ)_xxxx: the equation of a walk to second order in dx (dt ~ dx²).

    The generator of the walk is L - (dt/2)(L² + ∂_tL) + dx²(-∂³a/6 + ∂⁴D/12) with L = -∂a + ∂²D, every ∂ⁿ acting on the
    coefficient times ρ; here it is written out with all derivatives on the left. With constant coefficients
    b₃ = -(a dx²/6)(1 - 3s) and b₄ = (D dx²/12)(1 - 3s), s = p + q. It describes laws that are smooth on the scale of dx:
    with b₄ > 0 the shortest waves grow (with wavelengths below 2π √(b₄/D)), so the equation cannot be integrated down to that
    scale. Made by :func:`modified`.

    In several dimensions ρ_t = Σ_α ∂^α (b_α ρ) over the powers α of derivatives along the axes, up to four in all, from the
    moments Σ_e p_e (e dx)^α of the steps.

    Attributes
    ----------
    terms : mapping of tuples of powers to Coefficients
        b_α by α, such as (1, 2) of ∂_x ∂_y²; those that are 0 are left out.
    b : tuple of four Coefficients
        Of a walk in one dimension, (b₁, b₂, b₃, b₄).
    """

    terms: Mapping[Powers, Coefficient]
    domain: Domain
    start: Start

    @property
    def b(self) -> tuple[Coefficient, Coefficient, Coefficient, Coefficient]:
        if self.domain.dimension > 1:
            raise AttributeError("a modified equation in several dimensions has terms[α] in place of b")
        first, second, third, fourth = (self.terms.get((n,), ZERO) for n in range(1, HIGHEST + 1))
        return first, second, third, fourth

    def moment_rates(self, x: float, t: float = 0.0) -> np.ndarray:
        """d/dt of E[(X - x)ⁿ], n = 1…4, for a particle now at `x`: (-1)ⁿ n! bₙ(x, t)."""
        x, t = finite("x", x), finite("t", t)
        return np.array([(-1) ** n * math.factorial(n) * float(b(x, t)) for n, b in enumerate(self.b, start=1)])

    def moment_rate(self, powers: Sequence[int], x: tuple[ArrayLike, ...], t: float = 0.0) -> Any:
        """d/dt of E[Π (X_i - x_i)^α_i] for a particle now at the point `x`: (-1)^|α| α! b_α(x, t).

        >>> import randwalk as rw
        >>> walk = rw.LatticeWalk(steps={(1, 1): 0.25, (-1, -1): 0.25}, dx=0.1, dt=0.01, domain=rw.Line() ** 2)
        >>> round(float(modified(walk).moment_rate((1, 1), (0.0, 0.0))), 12)
        0.5
        """
        if len(powers) != self.domain.dimension or not 1 <= sum(powers) <= HIGHEST or min(powers) < 0:
            raise ValueError(f"powers = {shown(powers)}: give a whole number for each axis, in all from 1 to {HIGHEST}")
        point = tuple(finite_numbers("x", place) for place in x)
        sign = (-1) ** sum(powers) * math.prod(map(math.factorial, powers))
        return sign * self.terms.get(tuple(powers), ZERO)(point, finite("t", t))

    def __repr__(self) -> str:
        terms = [f"(({b})ρ)_{_subscript(powers)}" for powers, b in self.terms.items()]
        return f"ModifiedEquation: ρ_t = {' + '.join(terms)} on {self.domain}, start {self.start}"

    def _repr_latex_(self) -> str:
        terms = [rf"{_derivative(powers)}\left[\left({b.latex()}\right)\rho\right]" for powers, b in self.terms.items()]
        return rf"$\partial_t\rho = {' + '.join(terms)}$"


def modified(walk: LatticeWalk) -> ModifiedEquation:
    """The modified equation of a walk without killing, for variable coefficients too [Warming and Hyett 1974].

    >>> lazy = LatticeWalk(right=1 / 6, left=1 / 6, dx=0.1, dt=0.01)  # p + q = ⅓: no third and fourth derivatives
    >>> [round(float(b(0.0)), 12) for b in modified(lazy).b]
    [0.0, 0.166666666667, 0.0, 0.0]
    """
    check_walk(walk)
    if walk.killing != ZERO:
        raise ValueError(f"killing = {walk.killing}: the modified equation is derived for walks without killing")
    if walk.dimension > 1 and walk.homogeneous and not walk.time_dependent:
        return ModifiedEquation(_in_order(_constant(walk)), walk.domain, walk.start)
    one = _one_dimension(walk) if walk.dimension == 1 else _space(walk)
    low = {powers: c for powers, c in one.items() if sum(powers) <= 2}
    terms = dict(one)
    for more in (_composed(low, low), {powers: c.derivative("t") for powers, c in low.items()}):
        for powers, c in more.items():
            terms[powers] = terms.get(powers, ZERO) - (0.5 * walk.dt) * c
    return ModifiedEquation(_in_order(terms), walk.domain, walk.start)


def _in_order(terms: Terms) -> Terms:
    """The terms that are not 0, those of fewer derivatives first."""
    ordered = sorted(terms.items(), key=lambda item: (sum(item[0]), item[0][::-1]))
    return {powers: c for powers, c in ordered if c != ZERO}


def _constant(walk: LatticeWalk) -> Terms:
    """The terms of constant probabilities: those of (G - (dt/2) L²), in fractions, and rounded once."""
    steps = [(e, rational(float(p((0.0,) * walk.dimension, 0.0)))) for e, p in walk.probabilities.items()]
    dt, spacings = rational(walk.dt), [rational(h) for h in walk.spacings]
    exact: dict[Powers, Fraction] = {}
    for powers in itertools.product(range(HIGHEST + 1), repeat=walk.dimension):
        if 1 <= sum(powers) <= HIGHEST:
            moment = sum((p * math.prod((h * k) ** n for h, k, n in zip(spacings, e, powers, strict=True)) for e, p in steps),
                         Fraction(0))  # fmt: skip
            exact[powers] = (-1) ** sum(powers) * moment / (dt * math.prod(map(math.factorial, powers)))
    low = [(powers, c) for powers, c in exact.items() if sum(powers) <= 2]
    for (alpha, c), (beta, d) in itertools.product(low, low):
        exact[tuple(map(operator.add, alpha, beta))] -= dt / 2 * c * d
    return {powers: Constant(float(c)) for powers, c in exact.items()}


def _one_dimension(walk: LatticeWalk) -> Terms:
    """(-1)^n μ_n/(n! dt) of the moments μ_n of a step: the declared coefficients serve, and keep their structure."""
    dx, dt = walk.dx, walk.dt
    a, d = walk.drift, walk.diffusion  # a D that jumps is refused here: the expansion is one of smooth coefficients
    if walk.rule in (Rule.FITTED, Rule.CAPPED) or walk.convention is not Convention.ITO:
        a, d = (dx / dt) * (walk.right - walk.left), (dx**2 / (2.0 * dt)) * (walk.right + walk.left)
    elif walk.rule is Rule.EXACT_VARIANCE:
        d = d + 0.5 * dt * (a * a)
    return {(1,): -a, (2,): d, (3,): -(dx**2 / 6.0) * a, (4,): (dx**2 / 12.0) * d}


def _space(walk: LatticeWalk) -> Terms:
    """(-1)^|α| μ_α/(α! dt) of the moments μ_α of a step."""
    terms: Terms = {}
    for n in range(1, HIGHEST + 1):
        for axes in itertools.combinations_with_replacement(range(walk.dimension), n):
            moment = walk.probabilities.moment(*axes)
            if moment != ZERO:
                powers = tuple(axes.count(i) for i in range(walk.dimension))
                scale = math.prod(h**p / math.factorial(p) for h, p in zip(walk.spacings, powers, strict=True))
                terms[powers] = ((-1) ** n * scale / walk.dt) * moment
    return terms


def _composed(first: Terms, second: Terms) -> Terms:
    """The product of two operators: c ∂^β (d ·) = Σ_γ (-1)^|γ| (β over γ) ∂^(β-γ) ((∂^γ c) d ·)."""
    found: Terms = {}
    for (alpha, c), (beta, d) in itertools.product(first.items(), second.items()):
        for gamma in itertools.product(*(range(b + 1) for b in beta)):
            slope = reduce(
                lambda of, axis: of.derivative(coordinate(axis)),
                (axis for axis, times in enumerate(gamma) for _ in range(times)),
                c,
            )
            weight = (-1) ** sum(gamma) * math.prod(map(math.comb, beta, gamma))
            powers = tuple(a + b - g for a, b, g in zip(alpha, beta, gamma, strict=True))
            if slope != ZERO:
                found[powers] = found.get(powers, ZERO) + float(weight) * (slope * d)
    return found


def _subscript(powers: Powers) -> str:
    return "".join(map(operator.mul, map(coordinate, range(len(powers))), powers))


def _derivative(powers: Powers) -> str:
    return "".join(rf"\partial_{coordinate(i)}{f'^{n}' if n > 1 else ''}" for i, n in enumerate(powers) if n)
