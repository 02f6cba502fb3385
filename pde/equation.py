"""The equation of a walk, the equation with the corrections of next order, and the walk of an equation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

from numpy.typing import ArrayLike

from randwalk.inputs.arguments import member
from randwalk.inputs.keywords import once_positional
from randwalk.inputs.wording import shown
from randwalk.model.coefficient import Coefficient, CoefficientLike, Constant, in_dimension
from randwalk.model.coefficient.point_function import at_a_point
from randwalk.model.convention import Convention
from randwalk.model.declaration import space_of
from randwalk.model.domain import Domain, Line, as_domain
from randwalk.model.ito import ItoWalk
from randwalk.model.neighbourhood import Neighbourhood
from randwalk.model.scheme import Increments, Scheme
from randwalk.model.start import Start, StartLike, as_start, axes_of, continuous
from randwalk.model.start_check import check_start
from randwalk.model.tensor import Tensor, TensorLike, VectorLike, as_tensor, as_vector
from randwalk.model.walk import LatticeWalk, Rule

from .factors import factors, killing_along
from .notation import latex, text
from .rational import rational


@dataclass(frozen=True, init=False)
class FokkerPlanck:
    """ρ_t = -(aρ)_x + (Dρ)_xx - κρ on a domain, from a start. **D is the diffusion of the heat equation**: σ² = 2D.

    In d dimensions ρ_t = -∇·(aρ) + Σ_ij ∂_i∂_j(D_ij ρ) - κρ, with a vector a and a symmetric tensor D.

    Parameters
    ----------
    drift : number, Coefficient, function of (x, t) or Linear
        a (velocity). In d > 1 dimensions d of them, one function that returns a tuple, or 0 for no drift. In d > 3 dimensions a
        function takes x, the array of all coordinates, and t. In any number of dimensions :class:`randwalk.Linear`.
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
        The whole line, or the space of as many axes as the start has coordinates, or drift or diffusion components, if left out.
    start : number, Point, Uniform, Normal or Sites, or products of them, optional
        The law at time 0. The origin if left out; where that is outside the domain or on a wall that absorbs there is none, and
        what does not need it, such as :func:`mean_exit_time` and :func:`expectation`, goes without.

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
    declared_start: Start | None
    killing: Coefficient
    convention: Convention

    @once_positional("domain", "start", "killing", "convention")
    def __init__(
        self,
        drift: VectorLike,
        diffusion: TensorLike,
        *,
        domain: Domain | None = None,
        start: StartLike | None = None,
        killing: CoefficientLike = 0.0,
        convention: Convention = Convention.ITO,
    ) -> None:
        if domain is None:
            axes = 1 if start is None else axes_of(start)
            domain = Line() ** axes if axes > 1 else as_domain(space_of(drift=drift, diffusion=diffusion))
        domain = as_domain(domain)
        dimension = domain.dimension
        vector = as_vector("drift", at_a_point("drift", drift, dimension), dimension)
        tensor = as_tensor("diffusion", at_a_point("diffusion", diffusion, dimension), dimension)
        rate = in_dimension("killing", at_a_point("killing", killing, dimension), dimension)
        begin = _begin(start, domain)
        first = tensor[0, 0]
        if dimension == 1 and isinstance(first, Constant) and first.value <= 0.0:
            raise ValueError(f"diffusion = {first.value:g}: must be positive")
        if isinstance(rate, Constant) and rate.value < 0.0:
            raise ValueError(f"killing = {rate.value:g}: must not be negative")
        fields = {
            "declared_drift": vector[0] if dimension == 1 else vector, "diffusion": first if dimension == 1 else tensor,
            "domain": domain, "declared_start": begin, "killing": rate,
            "convention": member("convention", convention, Convention).where(tensor),
        }  # fmt: skip
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def start(self) -> Start:
        """The law at time 0; a ValueError where none is given and the origin is none."""
        if self.declared_start is None:
            raise ValueError(
                f"start: this equation has none, because the origin is not inside {self.domain}; give "
                "FokkerPlanck(..., start=...) or equation.with_start(...)"
            )
        return self.declared_start

    @property
    def dimension(self) -> int:
        """The number of axes of the domain."""
        return self.domain.dimension

    @cached_property
    def drift(self) -> Any:
        """The Itô drift."""
        ends = [(axis.low, axis.high) for axis in self.domain.axes]
        if self.dimension == 1:
            return self.convention.ito_drift(self.declared_drift, self.diffusion, *ends[0])
        return self.convention.ito_vector(self.declared_drift, self.diffusion, ends)

    @property
    def vector(self) -> tuple[Coefficient, ...]:
        """The declared drift, one component an axis."""
        return (self.declared_drift,) if self.dimension == 1 else self.declared_drift

    @property
    def ito_vector(self) -> tuple[Coefficient, ...]:
        """The Itô drift, one component an axis."""
        return (self.drift,) if self.dimension == 1 else self.drift

    @cached_property
    def tensor(self) -> Tensor:
        """D as a tensor, which in one dimension has one entry."""
        return Tensor(((self.diffusion,),)) if self.dimension == 1 else self.diffusion

    def axis(self, number: int) -> FokkerPlanck:
        """The equation of one coordinate, in x, where coordinates are independent: of all axes together it is the product.

        Raises
        ------
        NotSeparable
            naming the term that joins coordinates.

        Examples
        --------
        >>> import randwalk as rw
        >>> FokkerPlanck(lambda x, y: (1.0, -y), 0.5, domain=rw.Line() ** 2).axis(1)
        FokkerPlanck: ρ_t = -((-x)ρ)_x + 0.5 ρ_xx on Line(), start Point(x=0.0)
        """
        if number not in range(self.dimension):
            raise ValueError(f"number = {shown(number)}: {self.domain} has the axes 0 to {self.dimension - 1}")
        if self.dimension == 1:
            return self
        part = factors(self)[number]
        return FokkerPlanck(
            part.declared_drift, part.diffusion, domain=part.domain, start=part.start,
            killing=killing_along(self, number), convention=part.convention,
        )  # fmt: skip

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """All coefficients: the components of the declared drift, the entries of D, and κ."""
        return *self.vector, *self.tensor.entries, self.killing

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
        begin = "" if self.declared_start is None else f", start {self.start}"
        return f"FokkerPlanck: {text(self)} on {self.domain}{begin}"

    def _repr_latex_(self) -> str:
        return latex(self)

    def _repr_markdown_(self) -> str:
        begin = "" if self.declared_start is None else f", start `{self.start}`"
        return f"{latex(self)} on `{self.domain}`{begin}"


def _begin(start: StartLike | None, domain: Domain) -> Start | None:
    """The start that is given; else the origin, or none where walkers cannot start there."""
    begin = continuous(as_start(0.0 if start is None else start, domain))
    try:
        check_start(begin, domain)
    except ValueError:
        if start is not None:
            raise
        return None
    return begin


def check_equation(equation: object) -> None:
    """Refuse an object that is no Fokker–Planck equation."""
    if not isinstance(equation, FokkerPlanck):
        raise TypeError(f"equation = {shown(equation)}: give a FokkerPlanck; limit(walk) is that of a walk")


def check_walk(walk: object) -> None:
    """Refuse an object that is no walk."""
    if not isinstance(walk, LatticeWalk):
        raise TypeError(f"walk = {shown(walk)}: give a LatticeWalk; walk_for(equation) is one of an equation")


def limit(walk: LatticeWalk | ItoWalk) -> FokkerPlanck:
    """The equation that the law of `walk` tends to: of a lattice walk as dx → 0 with dx²/dt fixed, of an Itô walk as dt → 0.

    A walk made from a drift and a diffusion gives these back. A lattice walk of given probabilities has a = (p - q) dx/dt and
    **D** = (p + q) dx²/2dt; in several dimensions, of steps e with probabilities p_e, a_i = Σ p_e e_i dx_i/dt and
    D_ij = Σ p_e e_i e_j dx_i dx_j/2dt. An Itô walk of a given noise σ has D = ½ σσᵀ.

    >>> limit(LatticeWalk(0.5, 0.5, dx=0.1, dt=0.01))
    FokkerPlanck: ρ_t = 0.5000000000000001 ρ_xx on Line(), start Point(x=0.0)
    """
    if isinstance(walk, ItoWalk):
        return _equation_of(walk)
    check_walk(walk)
    drift, diffusion = walk.declared_drift, walk.diffusion
    if walk.dimension > 1 and walk.declared is None and walk.homogeneous and not walk.time_dependent:
        drift, diffusion = _constants(walk)
    return FokkerPlanck(
        drift,
        diffusion,
        domain=walk.domain,
        start=walk.start,
        killing=walk.killing,
        convention=walk.convention,
    )


def _constants(walk: LatticeWalk) -> tuple[tuple[float, ...], list[list[float]]]:
    """a and D of constant probabilities, in fractions, and rounded once."""
    steps = [(e, rational(float(p((0.0,) * walk.dimension, 0.0)))) for e, p in walk.probabilities.items()]
    dt, axes = rational(walk.dt), [(i, rational(h)) for i, h in enumerate(walk.spacings)]
    drift = tuple(float(sum(p * e[i] for e, p in steps) * h / dt) for i, h in axes)
    return drift, [[float(sum(p * e[i] * e[j] for e, p in steps) * h * g / (2 * dt)) for j, g in axes] for i, h in axes]


def _equation_of(walk: ItoWalk) -> FokkerPlanck:
    """The equation of an Itô walk, in the convention of the walk if D alone says what the declared drift means."""
    told = walk.convention is not Convention.STRATONOVICH or walk.diffusion.diagonal
    drift, convention = (walk.declared_drift, walk.convention) if told else (walk.drift, Convention.ITO)
    one = walk.dimension == 1
    return FokkerPlanck(
        drift[0] if one else drift, walk.diffusion[0, 0] if one else walk.diffusion, domain=walk.domain, start=walk.start,
        killing=walk.killing, convention=convention,
    )  # fmt: skip


@overload
def walk_for(
    equation: FokkerPlanck,
    *,
    dx: float | Sequence[float],
    dt: float | None = ...,
    rule: Rule = ...,
    neighbourhood: Neighbourhood | None = ...,
    times: ArrayLike | None = ...,
) -> LatticeWalk: ...
@overload
def walk_for(
    equation: FokkerPlanck,
    *,
    sites: int | Sequence[int],
    dt: float | None = ...,
    rule: Rule = ...,
    neighbourhood: Neighbourhood | None = ...,
    times: ArrayLike | None = ...,
) -> LatticeWalk: ...
@overload
def walk_for(equation: FokkerPlanck, *, dt: float, scheme: Scheme = ..., increments: Increments = ...) -> ItoWalk: ...
@once_positional("dx", "dt")
def walk_for(
    equation: FokkerPlanck,
    *,
    dx: float | Sequence[float] | None = None,
    dt: float | None = None,
    sites: int | Sequence[int] | None = None,
    rule: Rule | None = None,
    neighbourhood: Neighbourhood | None = None,
    times: ArrayLike | None = None,
    scheme: Scheme | None = None,
    increments: Increments | None = None,
) -> LatticeWalk | ItoWalk:
    """A walk that solves `equation`. With `dx` or `sites` it is a lattice walk, :meth:`randwalk.LatticeWalk.from_drift` of the
    coefficients with the same arguments and errors; with `dt` alone an Itô walk, :class:`randwalk.ItoWalk`, of the given scheme
    and increments. :func:`limit` leads back.

    >>> heat = FokkerPlanck(drift=0.0, diffusion=0.5)
    >>> walk = walk_for(heat, dx=0.1, times=[1.0])
    >>> round(float(walk.right(0.0)), 6), limit(walk) == heat
    (0.166667, True)
    >>> walk_for(heat, dt=0.01)
    ItoWalk(drift=0, diffusion=0.5, dt=0.01, domain=Line(), start=Point(x=0.0))
    """
    check_equation(equation)
    continuous_ones: dict[str, Any] = {
        name: value for name, value in (("scheme", scheme), ("increments", increments)) if value is not None
    }
    lattice_ones: dict[str, Any] = {
        name: value
        for name, value in (("rule", rule), ("neighbourhood", neighbourhood), ("times", times))
        if value is not None
    }
    ours: dict[str, Any] = {
        "domain": equation.domain, "start": equation.start, "killing": equation.killing,
        "convention": equation.convention,
    }  # fmt: skip
    if dt is not None and dx is None and sites is None:
        if lattice_ones:
            raise ValueError(
                f"{', '.join(lattice_ones)}: is for walks on a lattice; give dx= or sites= too, or leave it out for an Itô walk"
            )
        return ItoWalk(equation.declared_drift, equation.diffusion, dt=dt, **ours, **continuous_ones)
    if continuous_ones:
        raise ValueError(f"{', '.join(continuous_ones)}: is for Itô walks; give dt= alone, without dx and sites")
    return LatticeWalk.from_drift(
        equation.declared_drift, equation.diffusion, dx=dx, dt=dt, sites=sites, **ours, **lattice_ones
    )
