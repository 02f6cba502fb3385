"""Coefficients given by Python functions."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.signature import needed_parameters
from ..inputs.wording import shown
from . import roots
from .coefficient import ZERO, Coefficient, CoefficientLike, Floats, as_coefficient
from .difference import Difference
from .tracing import trace

SAMPLES = 1025  # values of a function without a scale, from which its width is estimated
MOST_SEEN = 200  # jumps that samples may show
CONDITIONED = 1e-9  # a value that changes by less when its arguments change by 16 ulp is one to compare with
AGREE = 1e-6  # and to this part of the values about it a tree must agree


class Function(Coefficient):
    """A Python function of ``(x, t)``, of ``x`` alone or of ``t`` alone; its parameter names say which.

    It is called with arrays, or value by value if it refuses arrays. A function made of NumPy's operations (arithmetic,
    ``np.sin`` and the like, ``np.where`` with comparisons, ``np.maximum``, ``np.clip``, ``np.polyval``) is traced:
    its derivatives and breaks are exact. Any other is opaque: its derivatives are fourth-order differences, at a step
    that is searched where no scale is declared. Its breaks are those declared; without any, jumps of a function of one
    variable are searched between 1025 samples of a finite range, and kinks are not seen.

    Parameters
    ----------
    function : callable
    x_breaks, t_breaks : list of float
        Where it has kinks or jumps: places and times on which grids and steps will stand.
    x_scale, t_scale : float
        The narrowest length and time over which it varies smoothly.
    x_derivative, t_derivative : number, Coefficient or function
        Its derivatives, where they are known.

    Raises
    ------
    TypeError, ValueError
        for something that is no function of x and t, and for declarations about a variable that it does not take.

    Examples
    --------
    >>> import math
    >>> pore = Function(lambda x: 1e-12 * (1 + 0.5 * math.sin(x / 1e-6)), x_scale=1e-6)
    >>> round(float(pore.derivative("x")(0.0)), 15)
    5e-07
    >>> Function(lambda x, t: np.interp(x, [0, 1, 2], [0, 1, 0]), x_breaks=[0, 1, 2]).breaks("x", 0.5, 3.0)
    (1.0, 2.0)
    """

    def __init__(
        self,
        function: Callable[..., ArrayLike],
        *,
        x_breaks: ArrayLike = (),
        t_breaks: ArrayLike = (),
        x_scale: float | None = None,
        t_scale: float | None = None,
        x_derivative: CoefficientLike | None = None,
        t_derivative: CoefficientLike | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"a coefficient is a number, a Coefficient or a function of x and t, not {function!r}")
        self.function = function
        names = needed_parameters(function)
        if len(names) not in (1, 2):
            raise TypeError(f"a coefficient function takes x, t or (x, t); {self.name} takes ({', '.join(names)})")
        both = ("t", "x") if names == ["t", "x"] else ("x", "t")
        self._arguments = both if len(names) == 2 else ("t",) if names == ["t"] else ("x",)
        self._breaks_at = {"x": _places("x_breaks", x_breaks), "t": _places("t_breaks", t_breaks)}
        self._scale = {"x": _length("x_scale", x_scale), "t": _length("t_scale", t_scale)}
        self._derivative = {
            name: None if value is None else as_coefficient(value)
            for name, value in (("x", x_derivative), ("t", t_derivative))
        }
        self._offset = {"x": 0.0, "t": 0.0}
        for name in {"x", "t"} - set(self._arguments):
            given = {
                "breaks": self._breaks_at[name] or None,
                "scale": self._scale[name],
                "derivative": self._derivative[name],
            }
            for what, value in given.items():
                if value is not None:
                    raise ValueError(f"{name}_{what} is given, and {self.name} does not depend on {name}: leave it out")

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
        moved = any(self._offset.values())
        return self._call(x + self._offset["x"], t + self._offset["t"]) if moved else self._call(x, t)

    def _call(self, x: Floats, t: Floats) -> Floats:
        """The function's own values, without an offset."""
        given = [np.asarray(v) for v in np.broadcast_arrays(*({"x": x, "t": t}[name] for name in self._arguments))]
        if not given[0].size:  # what such a function says of no places may be an error
            return np.zeros(given[0].shape)
        try:
            values = np.asarray(self.function(*(v.copy() for v in given)))
            if not np.iscomplexobj(values):
                return np.broadcast_to(values.astype(np.float64), given[0].shape)
        except (TypeError, ValueError):
            pass
        scalars = zip(*(v.ravel().tolist() for v in given), strict=True)
        return np.array([self._value(*s) for s in scalars]).reshape(given[0].shape)

    def _value(self, *at: float) -> float:
        """The value for numbers; refused where it is none."""
        value = self.function(*at)
        if value is not None and not isinstance(value, str) and np.ndim(value) == 0 and not np.iscomplexobj(value):
            return float(value)  # type: ignore[arg-type]
        where = ", ".join(f"{name} = {v:g}" for name, v in zip(self._arguments, at, strict=True))
        raise TypeError(
            f"{self.name} has the value {shown(value)} at {where}: a coefficient function returns a real number, or an array "
            "of them of the shape of its arguments"
        )

    @cached_property
    def tree(self) -> Coefficient | None:
        """The function as a tree, for its derivatives, breaks and widths; None if it is opaque. Values never come from it."""
        tree = trace(self.function, self._arguments)
        if tree is None or not self._agrees(tree):
            return None
        for name, by in self._offset.items():
            tree = tree.shifted(name, by)
        return tree

    def _agrees(self, tree: Coefficient) -> bool:
        """Whether the tree has the function's values on all scales and on both sides of its breaks.

        Values that rounding of the arguments changes, like sin(10¹² x) far out, say nothing and are left out.
        """
        sizes = np.ldexp(1.3, np.arange(-80, 81, 4))
        around = {name: _about(tree.breaks(name, -math.inf, math.inf)[:50]) for name in ("x", "t")}
        grid = {name: np.concatenate([[0.0], sizes, -sizes, around[name]]) for name in ("x", "t")}
        x, t = (grid[name] if name in self._arguments else np.zeros(1) for name in ("x", "t"))
        x, t = (v.ravel() for v in np.meshgrid(x, t, indexing="ij"))
        nudge = 1.0 + 2.0**-48
        with np.errstate(all="ignore"):
            try:
                ours, theirs, nudged = self._call(x, t), tree(x, t), self._call(x * nudge, t * nudge)
            except (TypeError, ValueError, ArithmeticError):
                return False
            usual = np.median(np.abs(ours[np.isfinite(ours)])) if np.isfinite(ours).any() else 0.0
            size = np.maximum(np.abs(ours), usual)
            sound = np.isfinite(ours) & (np.abs(nudged - ours) <= CONDITIONED * size)
            same = np.abs(theirs - ours) <= AGREE * size
        return bool(sound.any() and same[sound].mean() > 0.999)

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return () if self.tree is None else (self.tree,)

    def _factors(self) -> tuple[Coefficient, ...] | None:
        return None if self.tree is None else (self.tree,)

    def _linear(self, variable: str, value: float) -> tuple[float, float] | None:
        return super()._linear(variable, value) if self.tree is None else self.tree._linear(variable, value)

    def _places(self, variable: str) -> tuple[float, ...]:
        return tuple(place - self._offset[variable] for place in self._breaks_at[variable])

    def _breaks(self, variable: str, low: float, high: float) -> set[float]:
        return {*super()._breaks(variable, low, high), *self._seen(variable, low, high)}

    def _steps(self, variable: str, value: float) -> set[float]:
        return {*super()._steps(variable, value), *self._places(variable)}

    def _seen(self, variable: str, low: float, high: float) -> list[float]:
        """Jumps that samples of an opaque function of one variable show, if it was not declared where it breaks."""
        if self._arguments != (variable,) or self.tree is not None or self._breaks_at[variable]:
            return []
        if not (low < high and math.isfinite(high - low)):
            return []
        found = roots.sudden(self._curve(variable, 0.0), np.linspace(low, high, SAMPLES))
        return found if len(found) <= MOST_SEEN else []  # more are noise

    def _declared_scale(self, variable: str) -> float | None:
        return self._scale[variable]

    def _narrowest(self, variable: str, low: float, high: float, value: float) -> float:
        if variable not in self._arguments:
            return math.inf
        if (scale := self._scale[variable]) is not None:
            return scale
        if self.tree is not None:
            return self.tree._narrowest(variable, low, high, value)
        points = roots.grid(low, high, ()) if math.isinf(high - low) else np.linspace(low, high, SAMPLES)
        return _sampled_width(points, self._curve(variable, value)(points), np.array(self._places(variable)))

    def regular_derivative(self, variable: str) -> Coefficient:
        if variable not in self._arguments:
            return ZERO
        if (declared := self._derivative[variable]) is not None:
            for name, by in self._offset.items():
                declared = declared.shifted(name, by)
            return declared
        return Difference(self, variable) if self.tree is None else self.tree.regular_derivative(variable)

    def _shifted(self, variable: str, by: float) -> Coefficient:
        moved = copy.copy(self)
        moved.__dict__.pop("tree", None)
        moved._offset = {**self._offset, variable: self._offset[variable] + by}
        return moved

    def _signature(self) -> list[str]:
        return [f"{n} + {self._offset[n]:g}".replace("+ -", "- ") if self._offset[n] else n for n in self._arguments]

    def latex(self) -> str:
        return rf"\mathrm{{{self.name.strip('<>')}}}({', '.join(self._signature())})".replace("_", r"\_")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self._identity() == other._identity()

    def _identity(self) -> tuple[object, ...]:
        return self.function, self._offset, self._breaks_at, self._scale, self._derivative

    def __hash__(self) -> int:
        return hash(self.function)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self._signature())})"

    __repr__ = __str__


def _places(name: str, places: ArrayLike) -> tuple[float, ...]:
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


def _about(places: tuple[float, ...]) -> Floats:
    """Points on both sides of the places, near and far."""
    at = np.array(places, dtype=np.float64)
    sides = np.array([-0.4, -1e-3, -1e-6, 1e-6, 1e-3, 0.4])
    return (at[:, None] + sides * np.where(at == 0.0, 1.0, np.abs(at))[:, None]).ravel()


def _sampled_width(points: Floats, values: Floats, breaks: Floats) -> float:
    """Half the range of the sampled values over their steepest slope that is not across a break."""
    good = np.isfinite(values)
    points, values = points[good], values[good]
    if values.size < 2 or (size := np.ptp(values)) <= 1e-12 * np.abs(values).max():
        return math.inf
    smooth = np.diff(np.searchsorted(breaks, points)) == 0
    slopes = np.abs(np.diff(values) / np.diff(points))
    steepest = float(np.max(slopes, where=smooth, initial=0.0))
    return 0.5 * float(size) / steepest if steepest > 0.0 else math.inf
