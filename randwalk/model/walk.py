"""The declaration: how a walker steps, where, and from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite_numbers
from ..inputs.keywords import once_positional
from . import checks
from .coefficient import Coefficient, CoefficientLike, Constant, Floats, in_dimension
from .convention import Convention
from .declaration import (
    Probability,
    Sizes,
    StepsLike,
    declare,
    inexact,
    lay,
    on_sites,
    plane_of,
    positive,
    probabilities_of,
    space_of,
    spacings_of,
)  # fmt: skip
from .discretise import Declared, axis_pairs, face_steps, steps_of
from .domain import Domain
from .kept import Keeping
from .lattice import Lattice, lattices_on
from .neighbourhood import Moore, Neighbourhood
from .ratio import check_directions
from .rule import Rule as Rule
from .start import Start, StartLike
from .step_mean import step_mean
from .steps import Displacement, Pair, Steps, name_of, named
from .tensor import TensorLike, VectorLike, symmetric
from .time_step import check_two_way, chosen_step
from .times import Times, checked_times, labels, or_step, steps_at
from .walk_tex import latex


@dataclass(frozen=True, init=False, eq=True)
class LatticeWalk(Keeping):
    """A random walk on a lattice: every `dt` the walker steps +dx with probability `right`, -dx with probability `left`,
    and stays with the remaining probability. In the plane it also steps `up` and `down`, in space also to the `front` (+z) and
    `back`; `steps` gives any set of displacements. Probabilities are evaluated at the site and the time at which a step starts.
    A killing rate, a drift and a diffusion with a kink or a jump in time inside the step are replaced by their mean over the
    step.

    Parameters
    ----------
    right, left, up, down, front, back : number, Coefficient, function of (x, t), or array over the sites of a bounded domain
        Step probabilities, dimensionless, all those that the domain has; each is ≥ 0 and their sum ≤ 1 on every site
        of a bounded domain, and else of the window of a run, whether anybody comes there or not.
        Functions take what their parameters name of x, y, z and t; an array has a value a site, shape (sites along x, along y,
        …).
    steps : mapping, in place of these
        From a displacement, a tuple of -1, 0 and 1 in lattice steps, to its probability: ``{(1, 1): 0.25, (1, -1): 0.25, …}``.
    dx, dt : float
        Lattice spacing (length; a number, or one for each axis) and duration of a step (time; 1 if left out).
    sites : int, in place of `dx`
        The number of sites of a bounded domain; in several dimensions one for each axis.
    domain : Line(), Interval(...), Ring(...) or a product of them, if need be without regions
        An absorbing wall stands on a site, the other walls half way between two (see :mod:`randwalk.model.domain`). A step
        across a reflecting face, or into an obstacle, is not made. Over the corner of two faces that let out, a step leaves at
        that of the first axis; of a step along a diagonal only the end matters, not the sites it passes between. From a diffusion
        that is not diagonal, walkers beside a face make more steps along it (:func:`randwalk.model.discretise.face_steps`).
    start : number, tuple of coordinates, Point, Uniform, Normal, Atoms, Sites, a product of these, or Everywhere
    killing : like `right`; 0 if left out
        Rate κ(x, t) (1/time) at which a walker disappears: per step it is killed with probability 1 - exp(-κ dt), else it
        steps.

    Raises
    ------
    ValueError
        if the probabilities are no probabilities, with the argument, the value, the place and a remedy. On an unbounded
        domain coefficients that depend on x are checked by a run, which knows how far walkers go.

    Attributes
    ----------
    declared_drift, convention
        The declared a (length/time) and its meaning where D depends on x (Itô where D does not); of given probabilities
        (p - q) dx/dt and Itô. In several dimensions a tuple: Σ p_e e_i dx_i/dt.
    drift : Coefficient, or a tuple of them
        The Itô drift; a ValueError where D jumps and the convention is another, because then there is none.
    diffusion : Coefficient, or a Tensor
        The declared D (length²/time), or (p + q) dx²/2dt; in several dimensions Σ p_e e_i e_j dx_i dx_j/2dt.
    rule : Rule or None
        The rule that made the probabilities from drift and diffusion; None for given probabilities.
    declared : object or None
        Drift, diffusion, rule and convention together, as :meth:`from_drift` hands them to the constructor.
    neighbourhood : Moore, VonNeumann or None
        How the steps along the axes were combined; None for given probabilities.
    probabilities : mapping
        From a displacement in lattice steps to its probability, ``{(1,): right, (-1,): left}``, in the order of the stencil: +x,
        -x, +y, -y, +z, -z, then the others in lexicographic order.
    dx : float, or a tuple of them
        The lattice spacing; `spacings` is a tuple in one dimension, too.
    inexact_times : tuple of float
        The times given to :meth:`from_drift` that no whole number of steps meets. A record at such a time is the record of
        the nearest step.

    Examples
    --------
    >>> walk = LatticeWalk(right=0.55, left=0.45, dx=0.1, dt=0.01)
    >>> round(float(walk.drift(0.0)), 12), round(float(walk.diffusion(0.0)), 12)  # (p - q) dx/dt and (p + q) dx²/2dt
    (1.0, 0.5)
    >>> plane = LatticeWalk(right=0.3, left=0.2, up=0.25, down=0.25, dx=(0.1, 0.2), dt=0.01, start=(0.0, 1.0))
    >>> plane.dimension, [round(float(a((0.0, 0.0))), 12) for a in plane.drift]
    (2, [1.0, 0.0])
    """

    probabilities: Steps
    dx: Any  # a float; in several dimensions a tuple of floats
    dt: float
    domain: Domain
    start: Start
    killing: Coefficient
    declared: Declared | None = None
    inexact_times: tuple[float, ...] = field(default=(), compare=False)

    @once_positional("dx", "dt", "domain", "start", "killing", "sites")
    def __init__(
        self,
        right: Probability | None = None,
        left: Probability | None = None,
        *,
        up: Probability | None = None,
        down: Probability | None = None,
        front: Probability | None = None,
        back: Probability | None = None,
        steps: StepsLike | None = None,
        dx: Sizes | None = None,
        dt: float = 1.0,
        domain: Domain | None = None,
        start: StartLike = 0.0,
        killing: Probability = 0.0,
        sites: int | Sequence[int] | None = None,
        declared: Declared | None = None,
        inexact_times: tuple[float, ...] = (),
    ) -> None:
        dt = positive("dt", dt)
        named = {"right": right, "left": left, "up": up, "down": down, "front": front, "back": back}
        given = {name: value for name, value in named.items() if value is not None}
        where, begin, lattices = lay(plane_of(given, steps) if domain is None else domain, dx, sites, start)
        fields = {
            "probabilities": probabilities_of(given, steps, lattices), "dx": spacings_of(lattices), "dt": dt,
            "domain": where, "start": begin, "killing": on_sites("killing", killing, lattices), "declared": declared,
            "inexact_times": inexact_times,
        }  # fmt: skip
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        checks.check_now(self)

    @classmethod
    @once_positional("dx", "dt")
    def from_drift(
        cls,
        drift: VectorLike,
        diffusion: TensorLike,
        *,
        dx: Sizes | None = None,
        dt: float | None = None,
        domain: Domain | None = None,
        start: StartLike = 0.0,
        killing: CoefficientLike = 0.0,
        sites: int | Sequence[int] | None = None,
        rule: Rule = Rule.EXACT_VARIANCE,
        convention: Convention = Convention.ITO,
        neighbourhood: Neighbourhood | None = None,
        times: ArrayLike | None = None,
    ) -> LatticeWalk:
        """The walk of a drift a(x, t) (velocity) and a diffusion `D(x, t)` (length²/time; an Itô equation's σ² is 2D).

        In several dimensions `drift` is a tuple of components, or a function of x, y, z and t that returns one (the number 0
        is no drift at all), and `diffusion` a number or coefficient (the same along every axis), one for each axis, or a
        symmetric positive semi-definite matrix of them. Without a `domain`, the number of components is that of the axes.
        `neighbourhood` is :class:`Moore` (each axis steps by itself; the default where D is diagonal) or :class:`VonNeumann`
        (one axis a step; with steps along diagonals where D is not diagonal). :mod:`randwalk.model.discretise` says which
        moments of a step are exact.

        Without `dt`, the method takes the dt with s = 2D dt/dx² = ⅓ at the largest D (third- and fourth-order errors of the
        walk vanish there); of several axes, the dt of the axis that needs the shortest, and where a step goes along one axis,
        Σ s = ⅓. It takes a shorter dt so that steps meet the given `times`, and where a coefficient changes smoothly
        in less than two steps (a kink or a jump in time needs no shorter dt). :attr:`Rule.TWO_WAY` takes dt = dx²/2D, and
        :attr:`Rule.FITTED` a shorter dt where the drift is strong (on an unbounded domain: where walkers start). Times whose
        ratios are simple fractions become whole numbers of steps. Of other times the last one does, with at most twice the
        steps that it would take alone. The remaining times are recorded at the nearest step, within dt/1000 where possible,
        always within dt/2: ``inexact_times`` lists them, and `step_times` of an ensemble or law has the times of the steps.
        `rule` (:class:`Rule`) makes the probabilities, and `convention` (:class:`Convention`) is the meaning of the drift where
        D depends on x; the other arguments are those of the class.

        Raises
        ------
        ValueError
            if there is no such walk, saying at which x and t, and which dt, dx or rule would do.

        Examples
        --------
        >>> from randwalk import Affine, Line
        >>> ou = LatticeWalk.from_drift(drift=Affine(slope=-1.0), diffusion=0.5, dx=0.05, start=1.0, times=[1.0])
        >>> round(1.0 / ou.dt)
        1200
        >>> spiral = LatticeWalk.from_drift(
        ...     drift=lambda x, y: (-x - y, x - y), diffusion=0.5, dx=0.05, start=(1.0, 0.0), times=[1.0]
        ... )
        >>> round(1.0 / spiral.dt), len(spiral.probabilities)
        (1200, 8)
        """
        where, begin, lattices = lay(
            space_of(drift=drift, diffusion=diffusion) if domain is None else domain, dx, sites, start
        )
        declared = declare(drift, diffusion, where, rule, convention, neighbourhood)
        rate = in_dimension("killing", killing, where.dimension)
        spacings = tuple(lattice.dx for lattice in lattices)
        check_directions(declared.tensor, spacings, where)
        check_two_way(declared, spacings, where, None if dt is None else positive("dt", dt))
        told = [] if times is None or not finite_numbers("times", times).size else checked_times(times).tolist()
        chosen = chosen_step(declared, rate, lattices, where, begin.bounds, told) if dt is None else dt
        step = positive("dt", chosen)
        return cls(
            steps=steps_of(declared, spacings, step, where.axes), dx=spacings_of(lattices), dt=step, domain=where, start=begin,
            killing=rate, declared=declared, inexact_times=inexact(told, step) if dt is None else (),
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "rule" in state:  # of a release before 0.4, which kept these four apart
            drift, diffusion, rule, convention = (
                state[name] for name in ("declared_drift", "diffusion", "rule", "convention")
            )
            held = {name: value for name, value in state.items() if name not in ("rule", "convention")}
            state = held | {"declared": None if rule is None else Declared(drift, diffusion, rule, convention)}
        if "right" in state:  # of a release before 0.5, whose walks had one dimension
            held = {name: value for name, value in state.items() if name not in ("right", "left")}
            state = held | {"probabilities": Steps({(1,): state["right"], (-1,): state["left"]}, 1)}
        vars(self).update(state)

    @property
    def dimension(self) -> int:
        return self.domain.dimension

    @property
    def displacements(self) -> tuple[Displacement, ...]:
        """The displacements, in lattice steps, in the order of the stencil."""
        return tuple(self.probabilities)

    @property
    def spacings(self) -> tuple[float, ...]:
        """The lattice spacing of each axis."""
        return self.dx if isinstance(self.dx, tuple) else (self.dx,)

    @property
    def right(self) -> Coefficient:
        """The probability of a step of +dx along x."""
        return self._named("right")

    @property
    def left(self) -> Coefficient:
        """The probability of a step of -dx along x."""
        return self._named("left")

    @property
    def up(self) -> Coefficient:
        """The probability of a step of +dx along y."""
        return self._named("up")

    @property
    def down(self) -> Coefficient:
        """The probability of a step of -dx along y."""
        return self._named("down")

    @property
    def front(self) -> Coefficient:
        """The probability of a step of +dx along z."""
        return self._named("front")

    @property
    def back(self) -> Coefficient:
        """The probability of a step of -dx along z."""
        return self._named("back")

    def _named(self, name: str) -> Coefficient:
        """The probability of the step of a name, the number 0 if the walk has no such step."""
        if (displacement := named(self.dimension).get(name)) is None:
            raise AttributeError(
                f"a walk in {self.dimension} dimension{'s' * (self.dimension > 1)} has no step {name!r}"
            )
        return self.probabilities.get(displacement, Constant(0.0))

    @cached_property
    def axis_steps(self) -> tuple[Pair, ...] | None:
        """The probabilities of (+dx, -dx) of each axis, if the axes step independently: in one dimension, and for
        :class:`Moore`; else None."""
        if self.dimension == 1:
            return ((self.right, self.left),)
        if self.declared is None or not isinstance(self.neighbourhood, Moore):
            return None
        return axis_pairs(self.declared, self.spacings, self.dt, self.domain.axes)

    @cached_property
    def face_steps(self) -> tuple[Mapping[Displacement, Coefficient], ...]:
        """For each axis, the probabilities of displacements that are added beside its faces that stand half way between sites
        (:func:`randwalk.model.discretise.face_steps`); none for given probabilities and where the diffusion is diagonal."""
        if self.declared is None:
            return ({},) * self.dimension
        return face_steps(self.declared, self.spacings, self.dt, self.domain.axes)

    @property
    def neighbourhood(self) -> Neighbourhood | None:
        """How the steps along the axes were combined; None for given probabilities."""
        return None if self.declared is None else self.declared.neighbourhood

    @property
    def rule(self) -> Rule | None:
        """How the probabilities were made from a drift and a diffusion; None if they were given."""
        return None if self.declared is None else self.declared.rule

    @property
    def convention(self) -> Convention:
        """What the declared drift means where D depends on x; Itô where D does not, and of given probabilities."""
        return Convention.ITO if self.declared is None else self.declared.convention

    @cached_property
    def declared_drift(self) -> Any:
        """a (length/time) as it was declared; of given probabilities (p - q) dx/dt. In several dimensions a tuple."""
        if self.declared is not None:
            return self.declared.drift
        parts = tuple((dx / self.dt) * self.probabilities.moment(i) for i, dx in enumerate(self.spacings))
        return parts[0] if self.dimension == 1 else parts

    @cached_property
    def diffusion(self) -> Any:
        """D (length²/time): what the walk was made from, or (p + q) dx²/2dt. In several dimensions a :class:`Tensor`."""
        if self.declared is not None:
            return self.declared.diffusion
        made = symmetric(self.dimension, self._diffusion)
        return made[0, 0] if self.dimension == 1 else made

    def _diffusion(self, i: int, j: int) -> Coefficient:
        dx = self.spacings
        return ((dx[i] ** 2 if i == j else dx[i] * dx[j]) / (2.0 * self.dt)) * self.probabilities.moment(i, j)

    @property
    def lattice(self) -> Lattice:
        """The sites of a walk in one dimension. On a line they are anchored at a point start, else at 0."""
        if self.dimension > 1:
            raise ValueError(f"a walk in {self.dimension} dimensions has a lattice for each axis: take walk.lattices")
        return self.lattices[0]

    @cached_property
    def lattices(self) -> tuple[Lattice, ...]:
        """The sites along each axis."""
        return lattices_on(self.domain, self.spacings, self.start.anchors)

    @cached_property
    def drift(self) -> Any:
        """The Itô drift; in several dimensions a tuple."""
        ends = [(axis.low, axis.high) for axis in self.domain.axes]
        if self.dimension == 1:
            return self.convention.ito_drift(self.declared_drift, self.diffusion, *ends[0])
        return self.convention.ito_vector(self.declared_drift, self.diffusion, ends)

    @property
    def killing_rate(self) -> Coefficient:
        """The killing rate, averaged over a step in which it breaks."""
        return step_mean(self.killing, self.dt)

    @cached_property
    def homogeneous(self) -> bool:
        """Whether the step probabilities are the same at every site (they may depend on time)."""
        return not any(c.dimension for c in (*self.probabilities.values(), self.killing))

    @cached_property
    def time_dependent(self) -> bool:
        """Whether any step probability depends on time."""
        return any(c.depends_on_t for c in (*self.probabilities.values(), self.killing))

    def with_start(self, start: StartLike) -> LatticeWalk:
        """The same walk from another start."""
        return self._with(start=start)

    def _with(self, **changed: Any) -> LatticeWalk:
        fields = {
            name: getattr(self, name)
            for name in ("dx", "dt", "domain", "start", "killing", "declared", "inexact_times")
        }
        return LatticeWalk(steps=self.probabilities, **fields | changed)

    def told(self, times: ArrayLike) -> LatticeWalk:
        """The same walk with other `inexact_times`: each of `times` that no whole number of steps meets, and that a record
        therefore takes at the nearest step.
        """
        given = checked_times(times).tolist() if finite_numbers("times", times).size else []
        return self._with(inexact_times=inexact(given, self.dt))

    def steps(self, times: ArrayLike) -> list[int]:
        """Times as whole numbers of steps; refused unless they increase and are multiples of dt to within rounding, or among
        the `inexact_times`, which are the nearest steps."""
        return steps_at(times, self.dt, self.inexact_times, self._whole)

    def _whole(self, t: float, times: Floats) -> str:
        """A remedy for a time `t` among `times` that is no whole number of steps."""
        told = f"take t = {max(1, round(t / self.dt)) * self.dt:.15g}"
        if self.rule is Rule.TWO_WAY:
            return told
        told += or_step(times, self.dt)
        return told if self.rule is None else f"{told}, or from_drift(..., times=[...]) without dt"

    def recorded(self, steps: Sequence[int]) -> Times:
        """The times of recorded `steps` of this walk."""
        return Times(tuple(steps), self.dt, labels(steps, self.dt, self.inexact_times))

    def check(self, x: ArrayLike | tuple[ArrayLike, ...], t: ArrayLike) -> None:
        """Refuse numbers that are no probabilities at the points `x` and times `t` (which broadcast); the message has the place
        and a remedy."""
        checks.checked(self, x, t)

    def warn_if_slow(
        self, x: ArrayLike | tuple[ArrayLike, ...], masses: Floats | NDArray[np.int64], times: Floats
    ) -> None:
        """Warn where the masses (times, sites) are slowed down by :attr:`Rule.CAPPED`, once, at the worst of the times."""
        checks.warn_if_slow(self, x, masses, times)

    def warn_if_quick(self, until: float) -> None:
        """Warn where a drift, diffusion or killing changes smoothly in less than a step before `until`, which steps miss."""
        checks.warn_if_quick(self, until)

    def __repr__(self) -> str:
        declared = self.declared if self.dimension > 1 else None  # in one dimension the two probabilities say more
        if declared is not None:
            made, call = (
                [f"drift=({', '.join(map(str, declared.vector))})", f"diffusion={declared.tensor}"],
                ".from_drift",
            )
        elif all(name_of(e).isidentifier() for e in self.probabilities):
            made, call = [f"{name_of(e)}={p}" for e, p in self.probabilities.items()], ""
        else:
            made, call = [f"steps={self.probabilities}"], ""
        sizes = [f"dx={checks.shown_sizes(self.spacings)}", f"dt={self.dt:g}"]
        killing = [] if self.killing == Constant(0.0) else [f"killing={self.killing}"]
        how = [] if declared is None else [f"rule=Rule.{declared.rule.name}", f"neighbourhood={declared.neighbourhood}"]
        parts = [*made, *sizes, *killing, *how, f"domain={self.domain}", f"start={self.start}"]
        return f"LatticeWalk{call}({', '.join(parts)})"

    def _repr_latex_(self) -> str:
        return latex(self)

    def _repr_markdown_(self) -> str:
        return f"{latex(self)} on `{self.domain}`, start `{self.start}`"
