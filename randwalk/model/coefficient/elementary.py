"""Elementary functions of coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .base import Coefficient
from .breaks import largest
from .leaves import ZERO, Constant, affine, affine_parts, finite_floats
from .node import Node
from .tree import Singularity, Tree
from .variables import At, Floats, Point, along
from .width import apart_from_zeros, smallest

WAVES = {"sin", "cos", "tan"}
MOST_WAVES = 100_000  # zeros of a sine that are listed


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
class Apply(Node):
    """One of :data:`FUNCTIONS` of a coefficient."""

    name: str
    argument: Coefficient

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return (self.argument,)

    def _with(self, *parts: Coefficient) -> Coefficient:
        return apply(self.name, *parts)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return FUNCTIONS[self.name](self.argument.evaluate(point, t))

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

    def _own_zeros(self, variable: str, low: float, high: float, at: At) -> set[float] | None:
        linear = self.argument._linear(variable, at)
        if self.name not in WAVES or linear is None or not linear[1]:
            return None
        a, b = linear
        if not (math.isfinite(a) and math.isfinite(b)):
            return set()
        shift = 0.5 if self.name == "cos" else 0.0
        phases = sorted(a + b * (end if math.isfinite(end) else math.copysign(1e3 * math.pi / abs(b), end))
                        for end in (low, high))  # fmt: skip
        first, last = (phase / math.pi - shift for phase in phases)
        k = np.arange(math.ceil(first), min(math.floor(last), math.ceil(first) + MOST_WAVES) + 1)
        return set((((k + shift) * math.pi - a) / b).tolist())

    def _phase(self, variable: str) -> Coefficient | None:
        return self.argument if self.name in WAVES and self.depends_on(variable) else None

    def _own_width(self, variable: str, point: Point, t: Floats, zeros: Floats) -> float:
        z, slope = self.argument(point, t), np.abs(self.argument.regular_derivative(variable)(point, t))
        match self.name:
            case "sin" | "cos" | "tan":
                return smallest(1.0 / slope)
            case "exp":  # where exp(z) is not small beside its largest value, and not negligible
                return smallest((1.0 / slope)[(z >= largest(z) - 1.0) & (z > -50.0)])
            case "sinh" | "cosh":
                return smallest((1.0 / slope)[np.abs(z) >= largest(np.abs(z)) - 1.0])
            case "tanh" | "erf":
                return smallest((1.0 / slope)[np.abs(z) <= 1.0])
            case "arctan":
                return smallest((1.0 + z**2) / slope)
            case "log" | "sqrt":
                return smallest(apart_from_zeros(np.abs(z), slope, along(variable, point, t), zeros))
        return math.inf

    def latex(self) -> str:
        named = {"abs", "sign", "heaviside", "erf", "sqrt"}
        if self.name == "sqrt":
            return rf"\sqrt{{{self.argument.latex()}}}"
        name = rf"\operatorname{{{self.name}}}" if self.name in named else rf"\{self.name}"
        return rf"{name}\left({self.argument.latex()}\right)"

    def __str__(self) -> str:
        return f"{self.name}({self.argument})"


@dataclass(frozen=True)
class Tanh(Coefficient):
    """``height · tanh(rate (x - centre))``; with ``height = 2 D rate`` the drift of a Beneš process.

    >>> float(Tanh(height=2.0, rate=1.0, centre=0.5)(0.5))
    0.0
    """

    height: float
    rate: float
    centre: float = 0.0
    variables = frozenset({"x"})

    def __post_init__(self) -> None:
        finite_floats(self, "height", "rate", "centre")

    def evaluate(self, point: Point, t: Floats) -> Floats:
        return self.height * np.tanh(self.rate * (point[0] - self.centre))

    def regular_derivative(self, variable: str) -> Coefficient:
        if variable != "x":
            return ZERO
        return self.height * self.rate * (1.0 - Tanh(1.0, self.rate, self.centre) ** 2.0)

    def _factors(self) -> tuple[Coefficient, ...] | None:
        return (affine(-self.rate * self.centre, self.rate),)

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return Tanh(self.height, self.rate, self.centre - by)

    def _own_centres(self, variable: str) -> tuple[float, ...]:
        return (self.centre,) if variable == "x" else ()

    def _own_width(self, variable: str, point: Point, t: Floats, zeros: Floats) -> float:
        return 1.0 / abs(self.rate) if (np.abs(self.rate * (point[0] - self.centre)) <= 1.0).any() else math.inf

    def _curve_of_height_one(self) -> Coefficient:
        return Apply("tanh", affine(-self.rate * self.centre, self.rate))

    def latex(self) -> str:
        height = {1.0: "", -1.0: "-"}.get(self.height, Constant(self.height).latex() + r"\,")
        return height + self._curve_of_height_one().latex()

    def __str__(self) -> str:
        return {1.0: "", -1.0: "-"}.get(self.height, f"{Constant(self.height)}*") + str(self._curve_of_height_one())


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


def tanh_parts(coefficient: Tree) -> tuple[float, float, float] | None:
    """(height, rate, centre) of a coefficient that is height·tanh(rate (x - centre)) by its structure, else None."""
    match coefficient:
        case Tanh(height, rate, centre):
            return height, rate, centre
    return None
