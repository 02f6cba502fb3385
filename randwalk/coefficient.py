"""Coefficients: functions of position and time with a structure that can be read.

A drift, a diffusion, a step probability or a killing rate is a :class:`Coefficient`: a small expression tree whose leaves
are numbers, ``x``, ``t``, tables and opaque Python functions. A tree knows what it depends on, its derivatives and its
LaTeX, so that closed forms are chosen by reading the structure, never by sampling a function and guessing.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]


class Coefficient(ABC):
    """A real function of position ``x`` and time ``t``.

    Calling it broadcasts: ``coefficient(x, t)`` returns a float64 array of the broadcast shape of `x` and `t`.
    ``+ - * / **`` build new coefficients. ``str()`` gives text that :func:`expression` reads back, except where a table
    or a Python function is a leaf.
    """

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
    def derivative(self, variable: str) -> Coefficient:
        """The partial derivative with respect to ``"x"`` or ``"t"``."""

    @abstractmethod
    def latex(self) -> str: ...

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

    def __neg__(self) -> Coefficient:
        return multiply(Constant(-1.0), self)

    def __repr__(self) -> str:
        return f"<coefficient {self}>"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


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

    def derivative(self, variable: str) -> Coefficient:
        return ZERO

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

    def derivative(self, variable: str) -> Coefficient:
        return ONE if variable == self.name else ZERO

    def latex(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


ZERO, ONE = Constant(0.0), Constant(1.0)
X, T = Variable("x"), Variable("t")


class _Node(Coefficient):
    """A node whose dependence is that of its parts."""

    @property
    @abstractmethod
    def parts(self) -> tuple[Coefficient, ...]: ...

    @property
    def depends_on_x(self) -> bool:
        return any(part.depends_on_x for part in self.parts)

    @property
    def depends_on_t(self) -> bool:
        return any(part.depends_on_t for part in self.parts)


@dataclass(frozen=True, repr=False)
class Sum(_Node):
    terms: tuple[Coefficient, ...]

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return self.terms

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return reduce(np.add, (term.evaluate(x, t) for term in self.terms))

    def derivative(self, variable: str) -> Coefficient:
        return reduce(add, (term.derivative(variable) for term in self.terms))

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

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return reduce(np.multiply, (factor.evaluate(x, t) for factor in self.factors))

    def derivative(self, variable: str) -> Coefficient:
        terms = (
            reduce(multiply, (*self.factors[:i], factor.derivative(variable), *self.factors[i + 1 :]))
            for i, factor in enumerate(self.factors)
        )
        return reduce(add, terms)

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

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return np.power(self.base.evaluate(x, t), self.exponent.evaluate(x, t))

    def derivative(self, variable: str) -> Coefficient:
        if isinstance(self.exponent, Constant):
            return self.exponent * power(self.base, self.exponent - 1.0) * self.base.derivative(variable)
        growth = self.exponent * apply("log", self.base)
        return self * growth.derivative(variable)

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

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        return FUNCTIONS[self.name](self.argument.evaluate(x, t))

    def derivative(self, variable: str) -> Coefficient:
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
        inner = z.derivative(variable)
        return ZERO if inner == ZERO else outer[self.name]() * inner

    def latex(self) -> str:
        named = {"abs", "sign", "heaviside", "erf", "sqrt"}
        if self.name == "sqrt":
            return rf"\sqrt{{{self.argument.latex()}}}"
        name = rf"\operatorname{{{self.name}}}" if self.name in named else rf"\{self.name}"
        return rf"{name}\left({self.argument.latex()}\right)"

    def __str__(self) -> str:
        return f"{self.name}({self.argument})"


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
    number = math.fsum(t.value for t in terms if isinstance(t, Constant))
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
        return Constant(float(base.value**exponent.value))
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

    def derivative(self, variable: str) -> Coefficient:
        return Constant(self.slope) if variable == "x" else ZERO

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

    def derivative(self, variable: str) -> Coefficient:
        if variable != "x":
            return ZERO
        return self.height * self.rate * (1.0 - power(Tanh(1.0, self.rate, self.centre), Constant(2.0)))

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
        if not math.isfinite(value):
            raise ValueError(f"a coefficient must be a finite number, not {value}")
        return Constant(float(value))
    from .function import Function  # which is itself made of coefficients

    return Function(value)


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
