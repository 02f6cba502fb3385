"""The equation of a walk, the equation with the corrections of next order, and the walk of an equation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from randwalk.inputs.arguments import finite
from randwalk.inputs.keywords import once_positional
from randwalk.inputs.wording import shown
from randwalk.model.coefficient import ZERO, Coefficient, CoefficientLike, Constant, coordinate, in_dimension
from randwalk.model.convention import Convention
from randwalk.model.domain import Domain, as_domain
from randwalk.model.start import Start, StartLike, as_start, check_start, continuous
from randwalk.model.tensor import Tensor, TensorLike, VectorLike, as_tensor, as_vector
from randwalk.model.walk import LatticeWalk, Rule

from .notation import latex, text


@dataclass(frozen=True, init=False)
class FokkerPlanck:
    """ρ_t = -(aρ)_x + (Dρ)_xx - κρ on a domain, from a start. **D is the diffusion of the heat equation**: σ² = 2D.

    In d dimensions ρ_t = -∇·(aρ) + Σ_ij ∂_i∂_j(D_ij ρ) - κρ, with a vector a and a symmetric tensor D.

    Parameters
    ----------
    drift : number, Coefficient or function of (x, t)
        a (velocity). In d > 1 dimensions d of them, one function that returns a tuple, or 0 for no drift.
    diffusion : number, Coefficient or function of (x, t)
        D > 0 (length²/time). In d > 1 dimensions one (isotropic), d of them (diagonal) or d rows of d: symmetric and positive
        semi-definite.
    killing : number, Coefficient or function of (x, t)
        κ ≥ 0 (1/time).
    convention : Convention
        The meaning of `drift` where D depends on x (:class:`randwalk.Convention`): with λ = 1 (Itô), ½ (Stratonovich) or 0
        (Fick) the flux is J = aρ - D^(1-λ) (D^λ ρ)_x. D may jump; D^λ ρ is continuous there. In d > 1 dimensions
        J = aρ - ∇·(Dρ) (Itô) or aρ - D∇ρ (Fick); Stratonovich is for diagonal D, where every axis has the J of one dimension.
    domain : Line(), Interval(...), Ring(...) or a product of them, a Box
        The line if left out.
    start : number, Point, Uniform, Normal or Sites, or products of them
        The law at time 0.

    Raises
    ------
    ValueError, TypeError
        for a D that is not positive, a negative κ, components that are not as many as the dimensions, or a start outside the
        domain.

    Attributes
    ----------
    declared_drift, convention
        The declared a, and its meaning; Itô where D does not depend on x, because there all conventions agree.
    diffusion : Coefficient or Tensor
        In one dimension a coefficient, in more a :class:`Tensor`.
    drift : Coefficient or tuple of them
        The Itô drift a + (1 - λ) ∇·D; a ValueError where D jumps, because then there is none.

    Examples
    --------
    >>> import randwalk as rw
    >>> FokkerPlanck(drift=rw.Affine(slope=-1.0), diffusion=0.5, start=1.0)
    FokkerPlanck: ρ_t = -((-x)ρ)_x + 0.5 ρ_xx on Line(), start Point(x=1.0)
    >>> FokkerPlanck(0.0, rw.expression("1 + x**2"), convention=rw.Convention.FICK)
    FokkerPlanck: ρ_t = ((x**2 + 1) ρ_x)_x on Line(), start Point(x=0.0)
    >>> turning = FokkerPlanck(lambda x, y: (-y, x), ((0.5, 0.1), (0.1, 0.5)), domain=rw.Line() ** 2, start=(1.0, 0.0))
    >>> print(str(turning).split(" on ")[0])
    FokkerPlanck: ρ_t = -∇·((-y, x)ρ) + ∇·(((0.5, 0.1), (0.1, 0.5)) ∇ρ)
    """

    declared_drift: Any
    diffusion: Any
    domain: Domain
    start: Start
    killing: Coefficient
    convention: Convention

    @once_positional("domain", "start", "killing", "convention")
    def __init__(
        self,
        drift: VectorLike,
        diffusion: TensorLike,
        *,
        domain: Domain | None = None,
        start: StartLike = 0.0,
        killing: CoefficientLike = 0.0,
        convention: Convention = Convention.ITO,
    ) -> None:
        domain = as_domain(domain)
        dimension = domain.dimension
        vector, tensor = as_vector("drift", drift, dimension), as_tensor("diffusion", diffusion, dimension)
        begin, rate = continuous(as_start(start, domain)), in_dimension("killing", killing, dimension)
        check_start(begin, domain)
        first = tensor[0, 0]
        if dimension == 1 and isinstance(first, Constant) and first.value <= 0.0:
            raise ValueError(f"diffusion = {first.value:g}: must be positive")
        if isinstance(rate, Constant) and rate.value < 0.0:
            raise ValueError(f"killing = {rate.value:g}: must not be negative")
        fields = {
            "declared_drift": vector[0] if dimension == 1 else vector, "diffusion": first if dimension == 1 else tensor,
            "domain": domain, "start": begin, "killing": rate, "convention": _meaning(Convention(convention), tensor),
        }  # fmt: skip
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        """The number of axes of the domain."""
        return self.domain.dimension

    @cached_property
    def drift(self) -> Any:
        """The Itô drift."""
        if self.dimension == 1:
            return self.convention.ito_drift(self.declared_drift, self.diffusion, self.domain.low, self.domain.high)
        weight = 1.0 - self.convention.exponent
        if not weight:
            return self.declared_drift
        return tuple(a + weight * s for a, s in zip(self.declared_drift, self.diffusion.divergence(), strict=True))

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """All coefficients: the components of the declared drift, the entries of D, and κ."""
        if self.dimension == 1:
            return self.declared_drift, self.diffusion, self.killing
        return *self.declared_drift, *self.diffusion.entries, self.killing

    @property
    def time_dependent(self) -> bool:
        """Whether a coefficient depends on time."""
        return any(c.depends_on_t for c in self.coefficients)

    def with_start(self, start: StartLike) -> FokkerPlanck:
        """The same equation from another start."""
        return FokkerPlanck(
            self.declared_drift,
            self.diffusion,
            domain=self.domain,
            start=start,
            killing=self.killing,
            convention=self.convention,
        )

    def __repr__(self) -> str:
        return f"FokkerPlanck: {text(self)} on {self.domain}, start {self.start}"

    def _repr_latex_(self) -> str:
        return latex(self)


def _meaning(convention: Convention, diffusion: Tensor) -> Convention:
    """The convention where D depends on the place; elsewhere Itô, because there the three are one."""
    axes = range(diffusion.dimension)
    if not any(diffusion.depends_on(coordinate(i)) for i in axes):
        return Convention.ITO
    if convention is Convention.STRATONOVICH and not diffusion.diagonal:
        raise ValueError(
            "convention = stratonovich: it is defined by the noise, which a tensor with entries off its diagonal does not tell; "
            "add the drift that it implies, and take Convention.ITO"
        )
    return convention


def check_equation(equation: object) -> None:
    """Refuse an object that is no Fokker–Planck equation."""
    if not isinstance(equation, FokkerPlanck):
        raise TypeError(f"equation = {shown(equation)}: give a FokkerPlanck; limit(walk) is that of a walk")


def check_walk(walk: object) -> None:
    """Refuse an object that is no walk."""
    if not isinstance(walk, LatticeWalk):
        raise TypeError(f"walk = {shown(walk)}: give a LatticeWalk; walk_for(equation) is one of an equation")


def limit(walk: LatticeWalk) -> FokkerPlanck:
    """The equation that the law of `walk` tends to as dx → 0 with dx²/dt fixed.

    A walk made from a drift and a diffusion gives these back. A walk of given probabilities has a = (p - q) dx/dt and
    **D** = (p + q) dx²/2dt.

    >>> limit(LatticeWalk(0.5, 0.5, dx=0.1, dt=0.01))
    FokkerPlanck: ρ_t = 0.5000000000000001 ρ_xx on Line(), start Point(x=0.0)
    """
    check_walk(walk)
    return FokkerPlanck(
        walk.declared_drift,
        walk.diffusion,
        domain=walk.domain,
        start=walk.start,
        killing=walk.killing,
        convention=walk.convention,
    )


@once_positional("dx", "dt")
def walk_for(
    equation: FokkerPlanck,
    *,
    dx: float | None = None,
    dt: float | None = None,
    sites: int | None = None,
    rule: Rule = Rule.EXACT_VARIANCE,
    times: list[float] | None = None,
) -> LatticeWalk:
    """A walk that solves `equation`: :meth:`randwalk.LatticeWalk.from_drift` of its coefficients, with the same arguments and
    errors. :func:`limit` leads back.

    >>> heat = FokkerPlanck(drift=0.0, diffusion=0.5)
    >>> walk = walk_for(heat, dx=0.1, times=[1.0])
    >>> round(float(walk.right(0.0)), 6), limit(walk) == heat
    (0.166667, True)
    """
    check_equation(equation)
    return LatticeWalk.from_drift(
        equation.declared_drift, equation.diffusion, dx=dx, dt=dt, domain=equation.domain, start=equation.start,
        killing=equation.killing, sites=sites, rule=rule, convention=equation.convention, times=times,
    )  # fmt: skip


@dataclass(frozen=True)
class ModifiedEquation:
    """ρ_t = (b₁ρ)_x + (b₂ρ)_xx + (b₃ρ)_xxx + (b₄ρ)_xxxx: the equation of a walk to second order in dx (dt ~ dx²).

    The generator of the walk is L - (dt/2)(L² + ∂_tL) + dx²(-∂³a/6 + ∂⁴D/12) with L = -∂a + ∂²D, every ∂ⁿ acting on the
    coefficient times ρ; here it is written out with all derivatives on the left. With constant coefficients
    b₃ = -(a dx²/6)(1 - 3s) and b₄ = (D dx²/12)(1 - 3s), s = p + q. It describes laws that are smooth on the scale of dx:
    with b₄ > 0 the shortest waves grow (with wavelengths below 2π √(b₄/D)), so the equation cannot be integrated down to that
    scale. `b` is (b₁, b₂, b₃, b₄). Made by :func:`modified`.
    """

    b: tuple[Coefficient, Coefficient, Coefficient, Coefficient]
    domain: Domain
    start: Start

    def moment_rates(self, x: float, t: float = 0.0) -> np.ndarray:
        """d/dt of E[(X - x)ⁿ], n = 1…4, for a particle now at `x`: (-1)ⁿ n! bₙ(x, t)."""
        x, t = finite("x", x), finite("t", t)
        return np.array(
            [(-1) ** n * f * float(b(x, t)) for n, f, b in zip((1, 2, 3, 4), (1, 2, 6, 24), self.b, strict=True)]
        )

    def __repr__(self) -> str:
        terms = [f"(({b})ρ)_{'x' * n}" for n, b in enumerate(self.b, start=1) if b != ZERO]
        return f"ModifiedEquation: ρ_t = {' + '.join(terms)} on {self.domain}, start {self.start}"

    def _repr_latex_(self) -> str:
        terms = [
            rf"\partial_x{f'^{n}' if n > 1 else ''}\left[\left({b.latex()}\right)\rho\right]"
            for n, b in enumerate(self.b, start=1)
            if b != ZERO
        ]
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
    dx, dt = walk.dx, walk.dt
    a, d = walk.drift, walk.diffusion  # a D that jumps is refused here: the expansion is one of smooth coefficients
    if walk.rule in (Rule.FITTED, Rule.CAPPED) or walk.convention is not Convention.ITO:
        a, d = (dx / dt) * (walk.right - walk.left), (dx**2 / (2.0 * dt)) * (walk.right + walk.left)
    elif walk.rule is Rule.EXACT_VARIANCE:  # the declared coefficients serve, and keep their structure
        d = d + 0.5 * dt * (a * a)
    a_x, d_x, a_t, d_t = a.derivative("x"), d.derivative("x"), a.derivative("t"), d.derivative("t")
    a_xx, d_xx = a_x.derivative("x"), d_x.derivative("x")
    half = 0.5 * dt
    return ModifiedEquation(
        (
            -a + half * (a * a_x + d * a_xx + a_t),
            d - half * (a * a + 2.0 * d * a_x + a * d_x + d * d_xx + d_t),
            dt * (a * d + d * d_x) - (dx**2 / 6.0) * a,
            (dx**2 / 12.0) * d - half * (d * d),
        ),
        walk.domain,
        walk.start,
    )
