"""Coefficients: functions of position and time with a structure that can be read.

A drift, a diffusion, a step probability or a killing rate is a :class:`Coefficient`: a small expression tree whose leaves
are numbers, ``x``, ``t``, tables and opaque Python functions. A tree knows what it depends on, its derivatives and its
LaTeX, so that closed forms are chosen by reading the structure, never by sampling a function and guessing.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import number
from . import roots

Floats: TypeAlias = NDArray[np.floating[Any]]


class Coefficient(ABC):
    """A real function of position ``x`` and time ``t``.

    Calling it broadcasts: ``coefficient(x, t)`` returns a float64 array of the broadcast shape of `x` and `t`.
    ``+ - * / **`` build new coefficients. ``str()`` gives text that :func:`expression` reads back, except where a table
    or a Python function is a leaf.
    """

    __array_ufunc__ = None  # NumPy's numbers leave + - * / ** to the methods below

    @property
    @abstractmethod
    def depends_on_x(self) -> bool: ...

    @property
    @abstractmethod
    def depends_on_t(self) -> bool: ...

    @abstractmethod
    def evaluate(self, x: Floats, t: Floats) -> Floats:
        """The values at `x` and `t`, two arrays that broadcast against each other."""

    @abstractmethod
    def regular_derivative(self, variable: str) -> Coefficient:
        """The partial derivative with respect to ``"x"`` or ``"t"`` between jumps; what a jump adds to it is left out."""

    def derivative(self, variable: str) -> Coefficient:
        """The partial derivative with respect to ``"x"`` or ``"t"``.

        It is exact for what has a tree: formulas, tables (piecewise constant) and Python functions made of NumPy's
        operations. For another :class:`Function` it is what was declared, else found by differences.

        Raises
        ------
        ValueError
            if the coefficient jumps, so that its derivative is no function, with the place. The values of a derivative by
            differences raise it where they do not converge.

        Examples
        --------
        >>> from randwalk import expression
        >>> print(expression("x*t + sin(2*x)").derivative("x"))
        t + 2*cos(2*x)
        """
        _check_variable(variable)
        if (jump := self._jump(variable)) is not None:
            other, shift = "t" if variable == "x" else "x", add(Variable(variable), Constant(-jump[0]))
            where = f"{variable} = {jump[0]:.12g}" + (f", {other} = {jump[1]:g}" if self._both else "")
            fick = " or, if it is a diffusion, take convention=Convention.FICK, which needs no derivative"
            raise ValueError(
                f"{self} jumps at {where}: there its derivative with respect to {variable} is no function. Write the jump "
                f"as 0.5*(1 + tanh({f'({shift})' if jump[0] else variable}/w)) of a width w"
                f"{fick if variable == 'x' else ''}"
            )
        return self.regular_derivative(variable)

    @abstractmethod
    def latex(self) -> str: ...

    def breaks(self, variable: str, low: float, high: float) -> tuple[float, ...]:
        """The places strictly between `low` and `high` where the coefficient has a kink, a jump or a pole, increasing.

        Known are the knots of tables, the zeros of what stands in abs, sign, heaviside, sqrt, log and negative or broken
        powers, and what was declared with a :class:`Function`. Zeros of affine arguments are exact, others are
        searched on a fine grid. Breaks that move with the other variable, like that of ``heaviside(x - t)``, are not
        places: :attr:`moving_breaks` says whether there are any.

        Parameters
        ----------
        variable : "x" or "t"
        low, high : float
            Ends of the range, in the unit of the variable; they may be infinite.

        Examples
        --------
        >>> from randwalk import expression
        >>> expression("heaviside(4 - x**2) + abs(t - 0.5)").breaks("x", -5.0, 5.0)
        (-2.0, 2.0)
        """
        _check_variable(variable, low, high)
        return roots.merged(self._breaks(variable, low, high), low, high)

    def jumps(
        self, variable: str, low: float, high: float, other: tuple[float, float] = (0.0, 1.0)
    ) -> tuple[float, ...]:
        """Those of the :meth:`breaks` where the values jump or are unbounded, for any of 17 values of the other variable
        in the range `other`.

        >>> from randwalk import expression
        >>> expression("heaviside(x - 1) + x*heaviside(x)").jumps("x", -2.0, 2.0)
        (1.0,)
        """
        places = np.array(self.breaks(variable, low, high))
        rooms = roots.rooms(places, low, high)
        jump = np.zeros(places.size, dtype=bool)
        for value in self._others(variable, other) if places.size else []:
            jump |= roots.jumps(self._curve(variable, value), places, rooms)
        return tuple(places[jump].tolist())

    @property
    def moving_breaks(self) -> bool:
        """Whether a kink, a jump or a pole lies on a curve in (x, t), at another place at every time."""
        factors = (factor for s in self._singularities for factor in s.argument._irreducible())
        own = any(factor.depends_on_x and factor.depends_on_t for factor in factors)
        return own or any(part.moving_breaks for part in self.parts)

    def width(self, variable: str, low: float, high: float, other: tuple[float, float] = (0.0, 0.0)) -> float:
        """The narrowest length (or time) over which the coefficient varies smoothly between `low` and `high`, by its tree.

        An estimate within a factor of about 3 of the length over which a function in the tree changes by its own size:
        ``exp(-((x - 0.3)/w)**2)``, ``tanh(x/w)``, ``sin(x/w)`` and ``1/(1 + (x/w)**2)`` have about w; a table has the
        smallest distance of knots between which it changes; a :class:`Function` has its declared scale, else what
        1025 samples show. Constants and affine forms have ``inf``. Breaks are no part of it.

        Parameters
        ----------
        variable : "x" or "t"
        low, high : float
            Ends of the range, in the unit of the variable.
        other : (float, float)
            The range of the other variable, of which the narrowest counts (17 values are tried).

        Examples
        --------
        >>> from randwalk import expression
        >>> expression("2 + sin(200*x)").width("x", 0.0, 1.0)
        0.005
        """
        _check_variable(variable, low, high)
        if not self._depends_on(variable):
            return math.inf
        return min(self._narrowest(variable, low, high, value) for value in self._others(variable, other))

    def shifted(self, variable: str, by: float) -> Coefficient:
        """The same coefficient read at ``variable + by``; what is affine, a tanh or a table stays one.

        >>> Affine(1.0, 2.0).shifted("x", 0.5)
        Affine(intercept=2.0, slope=2.0)
        """
        _check_variable(variable)
        if not math.isfinite(by):
            raise ValueError(f"by = {by}: must be a finite number")
        return self if by == 0.0 or not self._depends_on(variable) else self._shifted(variable, float(by))

    @abstractmethod
    def _shifted(self, variable: str, by: float) -> Coefficient: ...

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        """The coefficients that this one is made of."""
        return ()

    @property
    def _singularities(self) -> tuple[Singularity, ...]:
        """Coefficients at whose zeros this node, taken alone, is not smooth."""
        return ()

    def _places(self, variable: str) -> tuple[float, ...]:
        """Breaks of this node that are places by themselves: knots, and what was declared."""
        return ()

    def _declared_scale(self, variable: str) -> float | None:
        """The narrowest length or time that was declared with a function."""
        return None

    def _jump(self, variable: str) -> tuple[float, float] | None:
        """A place (variable, other variable) at which the values jump because a step stands in the tree; None if there is
        none. Steps may cancel: x*heaviside(x) is continuous."""
        for value in [0.0, *ELSEWHERE] if self._both else [0.0]:
            places = np.array(roots.merged(self._steps(variable, value), *self._covered(variable)))
            jump = roots.jumps(self._curve(variable, value), places, roots.rooms(places, *self._covered(variable)))
            if jump.any():
                return float(places[jump][0]), value
        return None

    def _steps(self, variable: str, value: float) -> set[float]:
        """Where a step stands in the tree while the other variable has the value."""
        zeros = (s.argument._zeros(variable, -math.inf, math.inf, value, double=False)
                 for s in self._singularities if s.jump)  # fmt: skip
        return set[float]().union(*zeros, *(part._steps(variable, value) for part in self.parts))

    @property
    def _both(self) -> bool:
        return self.depends_on_x and self.depends_on_t

    def _covered(self, variable: str) -> tuple[float, float]:
        """The range in which there are values."""
        ranges = [part._covered(variable) for part in self.parts]
        return max((r[0] for r in ranges), default=-math.inf), min((r[1] for r in ranges), default=math.inf)

    def _own_width(self, variable: str, x: Floats, t: Floats, zeros: Floats) -> float:
        """The width of this node alone, if its parts were affine, seen at the points (x, t); with the parts' zeros."""
        return math.inf

    def _linear(self, variable: str, value: float) -> tuple[float, float] | None:
        """(intercept, slope) if this is affine in the variable while the other one has the value, else None."""
        return None if self._depends_on(variable) else (float(self._curve(variable, value)(np.zeros(1))[0]), 0.0)

    def _factors(self) -> tuple[Coefficient, ...] | None:
        """Coefficients whose zeros are those of this one; None if there are no such."""
        return None

    def _irreducible(self) -> Iterator[Coefficient]:
        factors = self._factors()
        if factors is None:
            yield self
        for factor in factors or ():
            yield from factor._irreducible()

    def _depends_on(self, variable: str) -> bool:
        return self.depends_on_x if variable == "x" else self.depends_on_t

    def _others(self, variable: str, other: tuple[float, float]) -> list[float]:
        """Values of the other variable at which to look."""
        return np.unique(np.linspace(*other, 17)).tolist() if self._both else [float(other[0])]

    def _curve(self, variable: str, value: float) -> roots.Curve:
        """The values as a function of the variable alone, NaN where there are none."""

        def curve(points: Floats) -> Floats:
            try:
                return self(points, value) if variable == "x" else self(value, points)
            except (ValueError, TypeError, ArithmeticError):
                return np.full(points.shape, np.nan)

        return curve

    def _points(self, variable: str, low: float, high: float, value: float, centres: Iterable[float] = ()) -> Floats:
        """A grid on which nothing in this tree is missed: fine about its places and the zeros of its affine parts, and
        with several points to every wave."""
        start, end = self._covered(variable)
        low, high = max(low, start), min(high, end)
        if not low < high:
            return np.empty(0)
        points = roots.grid(low, high, {*self._centres(variable, value), *centres})
        waves = max((_extent(z) for z in self._phases(variable, value, points)), default=0.0) / math.pi
        if waves * 8 > roots.UNIFORM and math.isfinite(high - low):
            even = np.linspace(low, high, int(min(8.0 * waves, 2.0**16)))
            points = np.unique(np.concatenate([points, even]))
        return points

    def _phases(self, variable: str, value: float, points: Floats) -> Iterator[Floats]:
        for part in self.parts:
            yield from part._phases(variable, value, points)

    def _centres(self, variable: str, value: float) -> set[float]:
        linear = self._linear(variable, value)
        if linear is not None:
            return {-linear[0] / linear[1]} if linear[1] else set()
        centres = set(_some(self._places(variable)))
        return centres.union(*(part._centres(variable, value) for part in self.parts))

    def _zeros(self, variable: str, low: float, high: float, value: float, double: bool) -> set[float]:
        """Zeros in the variable, those without a change of sign only if `double`."""
        if not self._depends_on(variable):
            return set()
        if (linear := self._linear(variable, value)) is not None:
            return {-linear[0] / linear[1] + 0.0} if linear[1] and math.isfinite(linear[0]) else set()
        if (factors := self._factors()) is not None:
            return set[float]().union(*(f._zeros(variable, low, high, value, double) for f in factors))
        points, curve = self._points(variable, low, high, value), self._curve(variable, value)
        if points.size < 3:
            return set()
        zeros = set(roots.crossings(curve, points))
        if double:
            zeros.update(roots.touches(curve, self.regular_derivative(variable)._curve(variable, value), points))
        return zeros

    def _breaks(self, variable: str, low: float, high: float) -> set[float]:
        places = set(self._places(variable))
        for argument, crossing, _ in self._singularities:
            alone = [f for f in argument._irreducible() if f.depends_on_x is not f.depends_on_t]
            zeros = {zero for f in alone for zero in f._zeros(variable, low, high, 0.0, double=not crossing)}
            filtered = crossing and argument.depends_on_x is not argument.depends_on_t
            places |= argument._changes_of_sign(variable, low, high, zeros) if filtered else zeros
        return places.union(*(part._breaks(variable, low, high) for part in self.parts if part._depends_on(variable)))

    def _changes_of_sign(self, variable: str, low: float, high: float, zeros: set[float]) -> set[float]:
        """Those of the zeros where the sign before is not the sign after."""
        places = roots.merged(zeros, low, high)
        ends = [low, *places, high]
        between = np.array([_between(a, b) for a, b in itertools.pairwise(ends)])
        signs = np.sign(self._curve(variable, 0.0)(between))
        return {place for place, before, after in zip(places, signs, signs[1:], strict=False) if before != after}

    def _narrowest(self, variable: str, low: float, high: float, value: float) -> float:
        if not self._depends_on(variable) or self._linear(variable, value) is not None:
            return math.inf
        inner = min((part._narrowest(variable, low, high, value) for part in self.parts), default=math.inf)
        zeros = np.sort([z for part in self.parts for z in part._zeros(variable, low, high, value, double=True)])
        points = self._points(variable, low, high, value, _some(zeros))
        x, t = (points, np.full_like(points, value)) if variable == "x" else (np.full_like(points, value), points)
        try:
            with np.errstate(all="ignore"):
                own = self._own_width(variable, x, t, zeros) if points.size else math.inf
        except (ValueError, TypeError, ArithmeticError):
            own = math.inf
        return min(inner, own)

    def __call__(self, x: ArrayLike, t: ArrayLike = 0.0) -> Floats:
        x_array, t_array = np.asarray(x, dtype=np.float64), np.asarray(t, dtype=np.float64)
        shape = np.broadcast_shapes(x_array.shape, t_array.shape)
        with np.errstate(
            all="ignore"
        ):  # whoever uses the values reports the ones that are not finite, with their place
            return np.array(np.broadcast_to(self.evaluate(x_array, t_array), shape), dtype=np.float64)

    def __add__(self, other: CoefficientLike) -> Coefficient:
        return add(self, as_coefficient(other))

    def __radd__(self, other: CoefficientLike) -> Coefficient:
        return add(as_coefficient(other), self)

    def __sub__(self, other: CoefficientLike) -> Coefficient:
        return add(self, multiply(Constant(-1.0), as_coefficient(other)))

    def __rsub__(self, other: CoefficientLike) -> Coefficient:
        return add(as_coefficient(other), multiply(Constant(-1.0), self))

    def __mul__(self, other: CoefficientLike) -> Coefficient:
        return multiply(self, as_coefficient(other))

    def __rmul__(self, other: CoefficientLike) -> Coefficient:
        return multiply(as_coefficient(other), self)

    def __truediv__(self, other: CoefficientLike) -> Coefficient:
        return multiply(self, power(as_coefficient(other), Constant(-1.0)))

    def __rtruediv__(self, other: CoefficientLike) -> Coefficient:
        return multiply(as_coefficient(other), power(self, Constant(-1.0)))

    def __pow__(self, other: CoefficientLike) -> Coefficient:
        return power(self, as_coefficient(other))

    def __rpow__(self, other: CoefficientLike) -> Coefficient:
        return power(as_coefficient(other), self)

    def __neg__(self) -> Coefficient:
        return multiply(Constant(-1.0), self)

    def __repr__(self) -> str:
        return f"<coefficient {self}>"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def _check_variable(variable: str, low: float = -math.inf, high: float = math.inf) -> None:
    if variable not in ("x", "t"):
        raise ValueError(f"variable = {variable!r}: must be 'x' or 't'")
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"low = {low}, high = {high}: must be numbers")


ELSEWHERE = [sign * 1.1 * 256.0**k for k in range(-7, 8) for sign in (1.0, -1.0)]  # values of a variable at all scales


class Singularity(NamedTuple):
    """A node is not smooth where `argument` is 0; if `crossing`, only where it changes its sign there. With `jump`, the
    node takes another value there."""

    argument: Coefficient
    crossing: bool
    jump: bool = False


def _between(low: float, high: float) -> float:
    """A number inside (low, high), whose ends may be infinite."""
    if math.isfinite(low) and math.isfinite(high):
        return 0.5 * low + 0.5 * high
    if math.isfinite(low) or math.isfinite(high):
        return low + max(1.0, abs(low)) if math.isfinite(low) else high - max(1.0, abs(high))
    return 0.0


def _smallest(lengths: Floats) -> float:
    """The smallest positive number of an array, inf if there is none."""
    return float(np.min(lengths, where=lengths > 0.0, initial=np.inf))  # NaN is not > 0


def _some(places: Sequence[float] | Floats) -> list[float]:
    """At most 64 of the places, evenly chosen."""
    return list(places[:: 1 + len(places) // 64])


def _largest(values: Floats) -> float:
    """The largest number of an array that is finite, -inf if there is none."""
    return float(np.max(values, where=np.isfinite(values), initial=-np.inf))


def _extent(values: Floats) -> float:
    """From the smallest finite number of an array to the largest, 0 if there are none."""
    return max(0.0, _largest(values) + _largest(-values))


def _finite_floats(coefficient: Coefficient, *names: str) -> None:
    """Make the named fields plain floats (text and files are written from them); refuse what is not finite."""
    for name in names:
        value = float(getattr(coefficient, name))
        if not math.isfinite(value):
            raise ValueError(f"a coefficient must be a finite number, not {value}")
        object.__setattr__(coefficient, name, value)


CoefficientLike: TypeAlias = Coefficient | float | Callable[..., ArrayLike]


@dataclass(frozen=True)
class Constant(Coefficient):
    """The same number everywhere and always. A plain number becomes one."""

    value: float
    depends_on_x = False
    depends_on_t = False

    def __post_init__(self) -> None:
        _finite_floats(self, "value")

    def evaluate(self, x: Floats, t: Floats) -> Floats:
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
    """The position ``x`` or the time ``t`` itself."""

    name: str

    @property
    def depends_on_x(self) -> bool:
        return self.name == "x"

    @property
    def depends_on_t(self) -> bool:
        return self.name == "t"

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return x if self.name == "x" else t

    def regular_derivative(self, variable: str) -> Coefficient:
        return ONE if variable == self.name else ZERO

    def _linear(self, variable: str, value: float) -> tuple[float, float] | None:
        return (0.0, 1.0) if variable == self.name else (value, 0.0)

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return add(self, Constant(by)) if variable == self.name else self

    def latex(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


ZERO, ONE = Constant(0.0), Constant(1.0)
X, T = Variable("x"), Variable("t")


DEEPEST = 120  # levels of nodes inside each other: text, values and derivatives recurse on them


class TooDeep(ValueError):
    """A tree has more levels than can be worked with."""


class _Node(Coefficient):
    """A node whose dependence is that of its parts."""

    levels: int  # of nodes inside each other, this one counted

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", 1 + max(depth(part) for part in self.parts))
        if self.levels > DEEPEST:
            raise TooDeep(
                f"a coefficient of more than {DEEPEST} levels of operations inside each other: write it as a Python function"
            )

    @property
    @abstractmethod
    def parts(self) -> tuple[Coefficient, ...]: ...

    @property
    def depends_on_x(self) -> bool:
        return any(part.depends_on_x for part in self.parts)

    @property
    def depends_on_t(self) -> bool:
        return any(part.depends_on_t for part in self.parts)

    @abstractmethod
    def _with(self, *parts: Coefficient) -> Coefficient:
        """The same node of other parts."""

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return self._with(*(part.shifted(variable, by) for part in self.parts))


@dataclass(frozen=True, repr=False)
class Sum(_Node):
    terms: tuple[Coefficient, ...]

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return self.terms

    def _with(self, *parts: Coefficient) -> Coefficient:
        return reduce(add, parts)

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return reduce(np.add, (term.evaluate(x, t) for term in self.terms))

    def regular_derivative(self, variable: str) -> Coefficient:
        return reduce(add, (term.regular_derivative(variable) for term in self.terms))

    def _linear(self, variable: str, value: float) -> tuple[float, float] | None:
        parts = [term._linear(variable, value) for term in self.terms]
        known = [part for part in parts if part is not None]
        return (sum(a for a, _ in known), sum(b for _, b in known)) if len(known) == len(parts) else None

    def latex(self) -> str:
        return " + ".join(term.latex() for term in self.terms).replace("+ -", "- ")

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms)).replace("+ -", "- ")


@dataclass(frozen=True, repr=False)
class Product(_Node):
    factors: tuple[Coefficient, ...]

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return self.factors

    def _with(self, *parts: Coefficient) -> Coefficient:
        return reduce(multiply, parts)

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return reduce(np.multiply, (factor.evaluate(x, t) for factor in self.factors))

    def regular_derivative(self, variable: str) -> Coefficient:
        terms = (
            reduce(multiply, (*self.factors[:i], factor.regular_derivative(variable), *self.factors[i + 1 :]))
            for i, factor in enumerate(self.factors)
        )
        return reduce(add, terms)

    def _linear(self, variable: str, value: float) -> tuple[float, float] | None:
        varying = [f for f in self.factors if f._depends_on(variable)]
        if len(varying) > 1:
            return None
        number = math.prod(
            float(f._curve(variable, value)(np.zeros(1))[0]) for f in self.factors if not f._depends_on(variable)
        )
        linear = varying[0]._linear(variable, value) if varying else (1.0, 0.0)
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
class Power(_Node):
    base: Coefficient
    exponent: Coefficient

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.base, self.exponent)

    def _with(self, *parts: Coefficient) -> Coefficient:
        return power(*parts)

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return np.power(self.base.evaluate(x, t), self.exponent.evaluate(x, t))

    def regular_derivative(self, variable: str) -> Coefficient:
        if isinstance(self.exponent, Constant):
            return self.exponent * power(self.base, self.exponent - 1.0) * self.base.regular_derivative(variable)
        growth = self.exponent * apply("log", self.base)
        return self * growth.regular_derivative(variable)

    @property
    def _singularities(self) -> tuple[Singularity, ...]:
        whole = isinstance(self.exponent, Constant) and self.exponent.value.is_integer() and self.exponent.value >= 0
        return () if whole else (Singularity(self.base, crossing=False),)

    def _factors(self) -> tuple[Coefficient, ...] | None:
        return (self.base,) if isinstance(self.exponent, Constant) and self.exponent.value > 0 else None

    def _own_width(self, variable: str, x: Floats, t: Floats, zeros: Floats) -> float:
        if not isinstance(self.exponent, Constant):
            return Apply("exp", self.exponent * apply("log", self.base))._own_width(variable, x, t, zeros)
        z, slope = np.abs(self.base(x, t)), np.abs(self.base.regular_derivative(variable)(x, t))
        n = self.exponent.value
        if n > 0 and n.is_integer():  # a power varies most where it is large
            return _smallest((z / (n * slope))[z >= 0.5 * _largest(z)])
        return _smallest(_apart_from_zeros(z, slope, x if variable == "x" else t, zeros) / max(1.0, abs(n)))

    def latex(self) -> str:
        plain = isinstance(self.base, (Variable, Apply))
        return (self.base.latex() if plain else rf"\left({self.base.latex()}\right)") + f"^{{{self.exponent.latex()}}}"

    def __str__(self) -> str:
        def text(part: Coefficient) -> str:
            plain = isinstance(part, (Variable, Apply)) or (isinstance(part, Constant) and part.value >= 0)
            return str(part) if plain else f"({part})"

        return f"{text(self.base)}**{text(self.exponent)}"


def _step(z: Floats) -> Floats:
    return np.heaviside(z, 1.0)


def _erf(z: Floats) -> Floats:
    from scipy import special  # here, because importing it takes longer than everything else in this package

    values: Floats = special.erf(z)
    return values


FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "arctan": np.arctan, "abs": np.abs, "sign": np.sign, "heaviside": _step,
    "erf": _erf,
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Apply(_Node):
    """One of :data:`FUNCTIONS` of a coefficient."""

    name: str
    argument: Coefficient

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.argument,)

    def _with(self, *parts: Coefficient) -> Coefficient:
        return apply(self.name, *parts)

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return FUNCTIONS[self.name](self.argument.evaluate(x, t))

    def regular_derivative(self, variable: str) -> Coefficient:
        z = self.argument
        outer: dict[str, Callable[[], Coefficient]] = {
            "sin": lambda: Apply("cos", z),
            "cos": lambda: -Apply("sin", z),
            "tan": lambda: 1.0 + Apply("tan", z) ** 2.0,
            "exp": lambda: self,
            "log": lambda: 1.0 / z,
            "sqrt": lambda: 0.5 / self,
            "sinh": lambda: Apply("cosh", z),
            "cosh": lambda: Apply("sinh", z),
            "tanh": lambda: 1.0 - self**2.0,
            "arctan": lambda: 1.0 / (1.0 + z**2.0),
            "abs": lambda: Apply("sign", z),
            "sign": lambda: ZERO,
            "heaviside": lambda: ZERO,
            "erf": lambda: 2.0 / math.sqrt(math.pi) * Apply("exp", -(z**2.0)),
        }
        inner = z.regular_derivative(variable)
        return ZERO if inner == ZERO else outer[self.name]() * inner

    @property
    def _singularities(self) -> tuple[Singularity, ...]:
        match self.name:
            case "abs":
                return (Singularity(self.argument, crossing=True),)
            case "sign" | "heaviside":
                return (Singularity(self.argument, crossing=True, jump=True),)
            case "sqrt" | "log":
                return (Singularity(self.argument, crossing=False),)
            case "tan":
                return (Singularity(Apply("cos", self.argument), crossing=True),)
        return ()

    def _factors(self) -> tuple[Coefficient, ...] | None:
        match self.name:
            case "sqrt" | "sinh" | "tanh" | "arctan" | "abs" | "sign" | "erf":  # 0 at 0 alone
                return (self.argument,)
            case "exp" | "cosh":
                return ()
            case "log":
                return (self.argument - 1.0,)
        return None

    def _zeros(self, variable: str, low: float, high: float, value: float, double: bool) -> set[float]:
        linear = self.argument._linear(variable, value)
        if self.name in {"sin", "cos", "tan"} and linear is not None and linear[1]:
            a, b = linear
            if not (math.isfinite(a) and math.isfinite(b)):
                return set()
            shift = 0.5 if self.name == "cos" else 0.0
            phases = sorted(a + b * (end if math.isfinite(end) else math.copysign(1e3 * math.pi / abs(b), end))
                            for end in (low, high))  # fmt: skip
            first, last = (phase / math.pi - shift for phase in phases)
            k = np.arange(math.ceil(first), min(math.floor(last), math.ceil(first) + MOST_WAVES) + 1)
            return set((((k + shift) * math.pi - a) / b).tolist())
        return super()._zeros(variable, low, high, value, double)

    def _phases(self, variable: str, value: float, points: Floats) -> Iterator[Floats]:
        if self.name in {"sin", "cos", "tan"} and self._depends_on(variable):
            yield self.argument._curve(variable, value)(points)
        yield from super()._phases(variable, value, points)

    def _own_width(self, variable: str, x: Floats, t: Floats, zeros: Floats) -> float:
        z, slope = self.argument(x, t), np.abs(self.argument.regular_derivative(variable)(x, t))
        match self.name:
            case "sin" | "cos" | "tan":
                return _smallest(1.0 / slope)
            case "exp":  # where it is not small beside its largest value, and not nothing
                return _smallest((1.0 / slope)[(z >= _largest(z) - 1.0) & (z > -50.0)])
            case "sinh" | "cosh":
                return _smallest((1.0 / slope)[np.abs(z) >= _largest(np.abs(z)) - 1.0])
            case "tanh" | "erf":
                return _smallest((1.0 / slope)[np.abs(z) <= 1.0])
            case "arctan":
                return _smallest((1.0 + z**2) / slope)
            case "log" | "sqrt":
                return _smallest(_apart_from_zeros(np.abs(z), slope, x if variable == "x" else t, zeros))
        return math.inf

    def latex(self) -> str:
        named = {"abs", "sign", "heaviside", "erf", "sqrt"}
        if self.name == "sqrt":
            return rf"\sqrt{{{self.argument.latex()}}}"
        name = rf"\operatorname{{{self.name}}}" if self.name in named else rf"\{self.name}"
        return rf"{name}\left({self.argument.latex()}\right)"

    def __str__(self) -> str:
        return f"{self.name}({self.argument})"


@dataclass(frozen=True, repr=False)
class Choice(_Node):
    """`above` where `condition` ≥ 0, else `below`: what ``np.where`` makes."""

    condition: Coefficient
    above: Coefficient
    below: Coefficient

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.condition, self.above, self.below)

    def _with(self, *parts: Coefficient) -> Coefficient:
        return Choice(*parts)

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return np.where(self.condition.evaluate(x, t) >= 0.0, self.above.evaluate(x, t), self.below.evaluate(x, t))

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


MOST_WAVES = 100_000  # zeros of a sine that are listed


def _apart_from_zeros(z: Floats, slope: Floats, points: Floats, zeros: Floats) -> Floats:
    """z/slope for |z| and its |slope|: the length in which z changes by its own size; inf where that is the distance to
    a zero of z, at which a power or a logarithm has a break and no width."""
    lengths = z / slope
    if not zeros.size:
        return lengths
    after = np.searchsorted(zeros, points)
    before, after = np.maximum(after - 1, 0), np.minimum(after, zeros.size - 1)
    distance = np.minimum(np.abs(points - zeros[before]), np.abs(points - zeros[after]))
    return np.where(lengths < 0.1 * distance, lengths, np.inf)


def apply(name: str, argument: Coefficient) -> Coefficient:
    """The function called `name` of a coefficient; numbers are folded and a tanh of an affine form is a :class:`Tanh`."""
    parts = affine_parts(argument)
    if name == "tanh" and parts is not None and parts[1] != 0.0:
        return Tanh(1.0, parts[1], -parts[0] / parts[1] + 0.0)
    if parts is not None and parts[1] == 0.0:
        with np.errstate(all="ignore"):
            value = float(FUNCTIONS[name](np.float64(parts[0])))  # type: ignore[arg-type]
        if not math.isfinite(value):
            raise ValueError(f"{name}({parts[0]:g}) is not a finite number")
        return Constant(value)
    return Apply(name, argument)


def add(first: Coefficient, second: Coefficient) -> Coefficient:
    """`first` + `second`, with numbers folded together and affine forms kept."""
    a, b = affine_parts(first), affine_parts(second)
    if a is not None and b is not None:
        return affine(a[0] + b[0], a[1] + b[1])
    if first == ZERO or second == ZERO:
        return second if first == ZERO else first
    terms = [t for c in (first, second) for t in (c.terms if isinstance(c, Sum) else (c,))]
    number = sum(t.value for t in terms if isinstance(t, Constant))
    rest = [t for t in terms if not isinstance(t, Constant)]
    return Sum((*rest, Constant(number)) if number else tuple(rest))


def multiply(first: Coefficient, second: Coefficient) -> Coefficient:
    """`first` × `second`, with numbers folded together and affine forms kept."""
    for a, b in ((first, second), (second, first)):
        if isinstance(a, Constant) and (parts := affine_parts(b)) is not None:
            return affine(a.value * parts[0], a.value * parts[1])
        if isinstance(a, Constant) and isinstance(b, Tanh):
            return Tanh(a.value * b.height, b.rate, b.centre) if a.value else ZERO
    factors = [f for c in (first, second) for f in (c.factors if isinstance(c, Product) else (c,))]
    number = math.prod(f.value for f in factors if isinstance(f, Constant))
    rest = [f for f in factors if not isinstance(f, Constant)]
    if number == 0.0:
        return ZERO
    if number != 1.0:
        rest.insert(0, Constant(number))
    return rest[0] if len(rest) == 1 else Product(tuple(rest))


def power(base: Coefficient, exponent: Coefficient) -> Coefficient:
    """`base` to the power `exponent`."""
    if isinstance(base, Constant) and isinstance(exponent, Constant):
        if base.value == 0.0 and exponent.value < 0.0:
            raise ValueError("division by zero in a coefficient: the divisor is the number 0")
        if base.value < 0.0 and not exponent.value.is_integer():
            raise ValueError(f"({base.value}) ** {exponent.value} is not a real number")
        try:
            return Constant(float(base.value**exponent.value))
        except OverflowError:
            raise ValueError(f"({base.value:g}) ** {exponent.value:g} is too large for a number") from None
    if exponent == ONE:
        return base
    return ONE if exponent == ZERO else Power(base, exponent)


@dataclass(frozen=True)
class Affine(Coefficient):
    """``intercept + slope x``: with ``slope = -θ`` the drift of an Ornstein–Uhlenbeck process, pulled to ``-intercept/slope``.

    >>> float(Affine(slope=-2.0)(1.5))
    -3.0
    """

    intercept: float = 0.0
    slope: float = 0.0
    depends_on_t = False

    def __post_init__(self) -> None:
        _finite_floats(self, "intercept", "slope")

    @property
    def depends_on_x(self) -> bool:
        return self.slope != 0.0

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return self.intercept + self.slope * x

    def regular_derivative(self, variable: str) -> Coefficient:
        return Constant(self.slope) if variable == "x" else ZERO

    def _linear(self, variable: str, value: float) -> tuple[float, float] | None:
        return (self.intercept, self.slope) if variable == "x" else (self.intercept + self.slope * value, 0.0)

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return Affine(self.intercept + self.slope * by, self.slope)

    def latex(self) -> str:
        slope = {1.0: "", -1.0: "-"}.get(self.slope, Constant(self.slope).latex() + r"\,")
        return f"{slope}x" + (f" + {Constant(self.intercept).latex()}" if self.intercept else "").replace("+ -", "- ")

    def __str__(self) -> str:
        slope = {1.0: "", -1.0: "-"}.get(self.slope, f"{Constant(self.slope)}*")
        return f"{slope}x" + (f" + {Constant(self.intercept)}" if self.intercept else "").replace("+ -", "- ")


def affine(intercept: float, slope: float) -> Coefficient:
    return Affine(intercept, slope) if slope else Constant(intercept)


@dataclass(frozen=True)
class Tanh(Coefficient):
    """``height · tanh(rate (x - centre))``; with ``height = 2 D rate`` the drift of a Beneš process.

    >>> float(Tanh(height=2.0, rate=1.0, centre=0.5)(0.5))
    0.0
    """

    height: float
    rate: float
    centre: float = 0.0
    depends_on_x = True
    depends_on_t = False

    def __post_init__(self) -> None:
        _finite_floats(self, "height", "rate", "centre")

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return self.height * np.tanh(self.rate * (x - self.centre))

    def regular_derivative(self, variable: str) -> Coefficient:
        if variable != "x":
            return ZERO
        return self.height * self.rate * (1.0 - power(Tanh(1.0, self.rate, self.centre), Constant(2.0)))

    def _factors(self) -> tuple[Coefficient, ...] | None:
        return (affine(-self.rate * self.centre, self.rate),)

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return Tanh(self.height, self.rate, self.centre - by)

    def _centres(self, variable: str, value: float) -> set[float]:
        return {self.centre} if variable == "x" else set()

    def _own_width(self, variable: str, x: Floats, t: Floats, zeros: Floats) -> float:
        return 1.0 / abs(self.rate) if (np.abs(self.rate * (x - self.centre)) <= 1.0).any() else math.inf

    def _tree(self) -> Coefficient:
        curve = Apply("tanh", affine(-self.rate * self.centre, self.rate))
        return curve if self.height == 1.0 else Product((Constant(self.height), curve))

    def latex(self) -> str:
        return self._tree().latex()

    def __str__(self) -> str:
        return str(self._tree())


def as_coefficient(value: CoefficientLike) -> Coefficient:
    """A number, a function or a coefficient as a :class:`Coefficient`."""
    if isinstance(value, Coefficient):
        return value
    if isinstance(value, str):
        raise TypeError(f"a formula is given as rw.expression({value!r}), not as a bare string")
    if isinstance(value, bool):
        raise TypeError(f"a coefficient is a number, a Coefficient or a function of x and t, not {value}")
    if isinstance(value, (int, float, np.integer, np.floating)):
        if not math.isfinite(number("coefficient", value)):
            raise ValueError(f"a coefficient must be a finite number, not {value}")
        return Constant(float(value))
    from .function import Function  # which is itself made of coefficients

    return Function(value)


def depth(coefficient: Coefficient) -> int:
    """Levels of nodes inside each other; a leaf is one."""
    return coefficient.levels if isinstance(coefficient, _Node) else 1


def constant_value(coefficient: Coefficient) -> float | None:
    """The number, if the coefficient is one by its structure."""
    parts = affine_parts(coefficient)
    return parts[0] if parts is not None and parts[1] == 0.0 else None


def affine_parts(coefficient: Coefficient) -> tuple[float, float] | None:
    """(intercept, slope) of a time-independent coefficient that is affine in x by its structure, else None."""
    match coefficient:
        case Constant(value):
            return value, 0.0
        case Affine(intercept, slope):
            return intercept, slope
        case Variable("x"):
            return 0.0, 1.0
    return None


def tanh_parts(coefficient: Coefficient) -> tuple[float, float, float] | None:
    """(height, rate, centre) of a coefficient that is height·tanh(rate (x - centre)) by its structure, else None."""
    match coefficient:
        case Tanh(height, rate, centre):
            return height, rate, centre
    return None
