"""Coefficients given by opaque Python functions."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from . import roots
from .coefficient import ZERO, Coefficient, Floats

SAMPLES = 1025  # values of a function without a scale, from which its width is estimated


class Function(Coefficient):
    """An opaque Python function of ``(x, t)``, of ``x`` alone or of ``t`` alone; its parameter names say which.

    It is called with arrays, or value by value if it refuses arrays. Derivatives are fourth-order central differences.

    Parameters
    ----------
    function : callable
    x_breaks, t_breaks : list of float
        Where it has kinks or jumps: places and times on which grids and steps will stand.
    x_scale, t_scale : float
        The narrowest length and time over which it varies smoothly.
    """

    def __init__(
        self,
        function: Callable[..., ArrayLike],
        *,
        x_breaks: ArrayLike = (),
        t_breaks: ArrayLike = (),
        x_scale: float | None = None,
        t_scale: float | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"a coefficient is a number, a Coefficient or a function of x and t, not {function!r}")
        self.function = function
        names = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        if len(names) not in (1, 2):
            raise TypeError(f"a coefficient function takes x, t or (x, t); {self.name} takes ({', '.join(names)})")
        both = ("t", "x") if names == ["t", "x"] else ("x", "t")
        self._arguments = both if len(names) == 2 else ("t",) if names == ["t"] else ("x",)
        self.breaks_at = {"x": _declared("x_breaks", x_breaks), "t": _declared("t_breaks", t_breaks)}
        self.scale = {"x": _length("x_scale", x_scale), "t": _length("t_scale", t_scale)}
        for name in {"x", "t"} - set(self._arguments):
            if self.breaks_at[name] or self.scale[name] is not None:
                given = f"{name}_breaks" if self.breaks_at[name] else f"{name}_scale"
                raise ValueError(f"{given} is given, and {self.name} does not depend on {name}: leave it out")

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    @property
    def depends_on_x(self) -> bool:
        return "x" in self._arguments

    @property
    def depends_on_t(self) -> bool:
        return "t" in self._arguments

    def evaluate(self, x: Floats, t: Floats) -> Floats:
        given = [np.asarray(v) for v in np.broadcast_arrays(*({"x": x, "t": t}[name] for name in self._arguments))]
        try:
            values = np.asarray(self.function(*(v.copy() for v in given)), dtype=np.float64)
            return np.broadcast_to(values, given[0].shape)
        except (TypeError, ValueError):
            scalars = zip(*(v.ravel().tolist() for v in given), strict=True)
            return np.array([float(self.function(*s)) for s in scalars]).reshape(given[0].shape)  # type: ignore[arg-type]

    def _places(self, variable: str) -> tuple[float, ...]:
        return self.breaks_at[variable]

    def _narrowest(self, variable: str, low: float, high: float, value: float) -> float:
        if variable not in self._arguments:
            return math.inf
        if (scale := self.scale[variable]) is not None:
            return scale
        points = roots.grid(low, high, ()) if math.isinf(high - low) else np.linspace(low, high, SAMPLES)
        return _sampled_width(points, self._curve(variable, value)(points))

    def derivative(self, variable: str) -> Coefficient:
        if variable not in self._arguments:
            return ZERO
        return Function(_central_difference(self, variable))

    def latex(self) -> str:
        return rf"\mathrm{{{self.name.strip('<>')}}}({', '.join(self._arguments)})".replace("_", r"\_")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.function is other.function

    def __hash__(self) -> int:
        return hash(self.function)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self._arguments)})"

    __repr__ = __str__


def _declared(name: str, places: ArrayLike) -> tuple[float, ...]:
    values = np.atleast_1d(np.asarray(places, dtype=np.float64))
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"{name} = {places!r}: must be a list of finite numbers")
    return tuple(np.unique(values).tolist())


def _length(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} = {value!r}: must be a positive number")
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} = {value}: must be positive and finite")
    return float(value)


def _sampled_width(points: Floats, values: Floats) -> float:
    """The range of the sampled values over their steepest slope."""
    good = np.isfinite(values)
    points, values = points[good], values[good]
    if values.size < 2 or (size := np.ptp(values)) <= 1e-12 * np.abs(values).max():
        return math.inf
    return float(0.5 * size / np.max(np.abs(np.diff(values) / np.diff(points))))


def _central_difference(f: Function, variable: str) -> Callable[[Floats, Floats], Floats]:
    def derivative(x: Floats, t: Floats) -> Floats:
        z = x if variable == "x" else t
        h = 1e-3 * np.maximum(1.0, np.abs(z))  # error about h⁴/30 f⁽⁵⁾ + 1e-16/h, both near 1e-13
        shift = (lambda d: (x + d, t)) if variable == "x" else (lambda d: (x, t + d))
        inner = f(*shift(h)) - f(*shift(-h))
        outer = f(*shift(2 * h)) - f(*shift(-2 * h))
        return (8 * inner - outer) / (12 * h)

    derivative.__name__ = f"d{f.name}/d{variable}"
    return derivative
