"""Coefficients given by opaque Python functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .coefficient import ZERO, Coefficient, Floats
from .signature import needed_parameters


class Function(Coefficient):
    """An opaque Python function of ``(x, t)``, of ``x`` alone or of ``t`` alone; its parameter names say which.

    It is called with arrays, or value by value if it refuses arrays. Derivatives are fourth-order central differences.
    """

    def __init__(self, function: Callable[..., ArrayLike]) -> None:
        if not callable(function):
            raise TypeError(f"a coefficient is a number, a Coefficient or a function of x and t, not {function!r}")
        self.function = function
        names = needed_parameters(function)
        if len(names) not in (1, 2):
            raise TypeError(f"a coefficient function takes x, t or (x, t); {self.name} takes ({', '.join(names)})")
        both = ("t", "x") if names == ["t", "x"] else ("x", "t")
        self._arguments = both if len(names) == 2 else ("t",) if names == ["t"] else ("x",)

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
