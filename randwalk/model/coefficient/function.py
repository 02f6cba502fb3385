"""Coefficients given by Python functions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...inputs.arguments import number
from ...inputs.signature import check_returns, needed_parameters
from ...inputs.wording import shown
from .. import roots
from .agreement import agree
from .base import Coefficient, CoefficientLike
from .components import check_number
from .difference import Difference
from .identity import Identity
from .leaves import ZERO, Constant
from .recorded import Recorded
from .tracing import NotTraceable, recorded, trace
from .variables import LETTERS, TIME, At, Floats, Point, along, coordinate, in_order
from .width import narrowest

SAMPLES = 1025  # values of a function without a scale, from which its width is estimated
MOST_SEEN = 200  # jumps that samples may show
NAMES = (*LETTERS, TIME)


class Function(Coefficient):
    """A Python function of coordinates and time; its parameter names say which.

    ``f(x, t)``, ``f(x, y)``, ``f(t)``, ``f(x, y, z, t)`` and the like take what their parameters name, in any order. A
    function of one parameter of another name than t takes x, one of two parameters of other names takes x and t.

    The package calls the function with arrays, or value by value if the function refuses arrays. A function made of NumPy's
    operations (arithmetic, ``np.sin`` and the like, ``np.where`` with comparisons, ``np.maximum``, ``np.clip``,
    ``np.polyval``) is traced: its derivatives and breaks are exact. Any other function is opaque. Its derivatives are
    fourth-order differences, over a declared scale or over steps that are searched. Its breaks are the declared ones; without
    declared breaks, jumps of a function of one variable are searched between 1025 samples of a finite range, and kinks are
    not found.

    Parameters
    ----------
    function : callable
    x_breaks, y_breaks, z_breaks, t_breaks : list of float
        Places and times of its kinks and jumps, on which grids and steps will stand.
    x_scale, y_scale, z_scale, t_scale : float
        The narrowest length and time over which it varies smoothly.
    x_derivative, y_derivative, z_derivative, t_derivative : number, Coefficient or function
        Its known derivatives.

    Attributes
    ----------
    opaque : str or None
        Why the function was not traced; None if it was.

    declared : bool
        Whether breaks, scales or derivatives were declared with it.

    Two functions are equal if their trees are, else if their code, their closures and the globals that they read are (as they
    were when each was declared), and they were declared with the same breaks, scales and derivatives. A run refuses a function
    that reads what has changed since. Traced functions can be pickled wherever they are defined.

    Raises
    ------
    TypeError, ValueError
        for an object that is no function of coordinates and time, and for declarations about a variable that the function
        does not take.

    Examples
    --------
    >>> import math
    >>> pore = Function(lambda x: 1e-12 * (1 + 0.5 * math.sin(x / 1e-6)), x_scale=1e-6)
    >>> round(float(pore.derivative("x")(0.0)), 15), pore.opaque
    (5e-07, 'it takes values as single numbers')
    >>> Function(lambda x, t: np.interp(x, [0, 1, 2], [0, 1, 0]), x_breaks=[0, 1, 2]).breaks("x", 0.5, 3.0)
    (1.0, 2.0)
    >>> print(Function(lambda x, y: x * np.sin(y)).derivative("y"))
    x*cos(y)
    """

    def __init__(
        self,
        function: Callable[..., ArrayLike],
        *,
        x_breaks: ArrayLike = (),
        y_breaks: ArrayLike = (),
        z_breaks: ArrayLike = (),
        t_breaks: ArrayLike = (),
        x_scale: float | None = None,
        y_scale: float | None = None,
        z_scale: float | None = None,
        t_scale: float | None = None,
        x_derivative: CoefficientLike | None = None,
        y_derivative: CoefficientLike | None = None,
        z_derivative: CoefficientLike | None = None,
        t_derivative: CoefficientLike | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"a coefficient is a number, a Coefficient or a function of x and t, not {function!r}")
        check_returns("function", function)
        self.function = function
        self._arguments = self._named(needed_parameters(function))
        self.variables = frozenset(self._arguments)
        breaks = dict(zip(NAMES, (x_breaks, y_breaks, z_breaks, t_breaks), strict=True))
        scales = dict(zip(NAMES, (x_scale, y_scale, z_scale, t_scale), strict=True))
        slopes = dict(zip(NAMES, (x_derivative, y_derivative, z_derivative, t_derivative), strict=True))
        self._breaks_at = {name: _places(f"{name}_breaks", value) for name, value in breaks.items()}
        self._scale = {name: _length(f"{name}_scale", value) for name, value in scales.items()}
        self._derivative = {name: None if v is None else as_coefficient(v) for name, v in slopes.items()}
        self._offset = dict.fromkeys(NAMES, 0.0)
        self._declared = Identity.of(function, len(self._arguments))
        for name in (name for name in NAMES if name not in self.variables):
            given = {"breaks": self._breaks_at[name] or None, "scale": scales[name], "derivative": slopes[name]}
            for what, value in given.items():
                if value is not None:
                    raise ValueError(f"{name}_{what} is given, and {self.name} does not depend on {name}: leave it out")

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.variables = frozenset(self._arguments)  # that a release before 0.4 did not keep, and
        if "_declared" not in state:  # one before 0.7
            self._declared = Identity.of(self.function, len(self._arguments))

    def __getstate__(self) -> dict[str, Any]:
        """Its attributes. A traced function goes to files of pickles and to other processes as the calls that it makes, with what
        it read; an opaque one as it is, which a pickle without cloudpickle can only do for the functions of modules."""
        kept = {
            name: value for name, value in vars(self).items() if name != "_hash"
        }  # of texts, another in every process
        if self.tree is None or isinstance(self.function, Recorded):
            return kept
        return kept | {"function": recorded(self.function, self._arguments)}

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of what the function reads and that has changed since it was declared."""
        if isinstance(self.function, Recorded):  # which reads nothing
            return ()
        return self._declared.changed(self.function)

    def differs(self, other: Function) -> tuple[str, ...]:
        """The names of what two functions of the same code read, and not the same; none if their code differs."""
        return self._declared.differs(other._declared) if self._declared.code == other._declared.code else ()

    def _named(self, names: list[str]) -> tuple[str, ...]:
        """The variables that parameters of these names take."""
        if len(names) == 1:
            return (TIME,) if names == [TIME] else ("x",)
        if len(names) > 1 and set(names) <= set(NAMES):
            return tuple(names)
        if len(names) == 2:
            return "x", TIME
        raise TypeError(
            f"a coefficient function takes x, t or (x, t), in several dimensions some of (x, y, z, t); {self.name} takes "
            f"({', '.join(names)})"
        )

    @classmethod
    def of_coordinates(cls, function: Callable[..., Any], names: tuple[str, ...], reason: str) -> Function:
        """An opaque function of as many numbers as there are names of variables; it has no tree for the `reason` given."""
        declared = Identity.of(function, len(names))
        return cls(function)._with(
            _arguments=names, variables=frozenset(names), _declared=declared, _traced=(None, reason)
        )

    def of(self, variable: str) -> Function:
        """The function of one variable as one of another."""
        return self._with(_arguments=(variable,), variables=frozenset({variable}))

    def _with(self, **attributes: Any) -> Function:
        """The same function with other attributes."""
        other = object.__new__(type(self))
        vars(other).update(
            {name: value for name, value in vars(self).items() if name not in ("_traced", "_hash")} | attributes
        )
        return other

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def evaluate(self, point: Point, t: Floats) -> Floats:
        at = [along(name, point, t) for name in self._arguments]
        return self._call(
            *(v + by if (by := self._offset.get(n)) else v for n, v in zip(self._arguments, at, strict=True))
        )

    def _call(self, *at: Floats) -> Floats:
        """The function's own values, without an offset, of its arguments in their order."""
        given = [np.asarray(v) for v in np.broadcast_arrays(*at)]
        if not given[0].size:  # a function of empty arrays may fail
            return np.zeros(given[0].shape)
        try:
            # A function of numbers takes an array of one for a number, with a warning in older versions of NumPy.
            one = given[0].size == 1
            with warnings.catch_warnings(action="error", category=DeprecationWarning) if one else nullcontext():
                values = np.asarray(self.function(*(v.copy() for v in given)))
            if not np.iscomplexobj(values):
                return np.broadcast_to(values.astype(np.float64), given[0].shape)
        except (TypeError, ValueError, DeprecationWarning):
            pass
        scalars = zip(*(v.ravel().tolist() for v in given), strict=True)
        return np.array([self._value(*s) for s in scalars]).reshape(given[0].shape)

    def _value(self, *at: float) -> float:
        """The value for numbers; refused if it is no real number."""
        value = self.function(*at)
        if value is not None and not isinstance(value, str) and np.ndim(value) == 0 and not np.iscomplexobj(value):
            return float(value)  # type: ignore[arg-type]
        where = ", ".join(f"{name} = {v:g}" for name, v in zip(self._arguments, at, strict=True))
        raise TypeError(
            f"{self.name} has the value {shown(value)} at {where}: a coefficient function returns a real number, or an array "
            "of them of the shape of its arguments"
        )

    @cached_property
    def _traced(self) -> tuple[Coefficient | None, str | None]:
        """(tree, None), or (None, the reason why there is none)."""
        try:
            tree = trace(self.function, self._arguments)
        except NotTraceable as reason:
            return None, str(reason)
        if not agree(self._call, self._arguments, tree):
            return None, "called with a symbol it is not the function that it is with numbers"
        for name, by in self._offset.items():
            tree = tree.shifted(name, by)
        return tree, None

    @property
    def tree(self) -> Coefficient | None:
        """The function as a tree, for its derivatives, breaks and widths; None if it is opaque. Values never come from it."""
        return self._traced[0]

    @property
    def opaque(self) -> str | None:
        """Why the function was not traced; None if it was."""
        return self._traced[1]

    def _why_opaque(self) -> str:
        return "" if self.opaque is None else f"{self.name} is opaque ({self.opaque}), and "

    @property
    def declared(self) -> bool:
        """Whether breaks, scales or derivatives were declared with it."""
        return bool(self._declarations)

    @property
    def derivatives(self) -> tuple[Coefficient, ...]:
        """The derivatives that were declared."""
        return tuple(slope for slope in self._derivative.values() if slope is not None)

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        return () if self.tree is None else (self.tree,)

    def _factors(self) -> tuple[Coefficient, ...] | None:
        return None if self.tree is None else (self.tree,)

    def _linear(self, variable: str, at: At) -> tuple[float, float] | None:
        return super()._linear(variable, at) if self.tree is None else self.tree._linear(variable, at)

    def _places(self, variable: str) -> tuple[float, ...]:
        return tuple(place - self._offset.get(variable, 0.0) for place in self._breaks_at.get(variable, ()))

    def _own_breaks(self, variable: str, low: float, high: float) -> set[float]:
        """Jumps in samples of an opaque function of one variable without declared breaks."""
        if self._arguments != (variable,) or self.tree is not None or self._breaks_at[variable]:
            return set()
        if not (low < high and math.isfinite(high - low)):
            return set()
        found = roots.sudden(self._curve(variable, {}), np.linspace(low, high, SAMPLES))
        return set(found if len(found) <= MOST_SEEN else [])  # more are noise

    def _own_steps(self, variable: str) -> tuple[float, ...]:
        return self._places(variable)

    def _declared_scale(self, variable: str) -> float | None:
        return self._scale.get(variable)

    def _known_width(self, variable: str, low: float, high: float, at: At) -> float | None:
        if variable not in self.variables:
            return math.inf
        if (scale := self._scale.get(variable)) is not None:
            return scale
        if self.tree is not None:
            return narrowest(self.tree, variable, low, high, at)
        points = roots.grid(low, high, ()) if math.isinf(high - low) else np.linspace(low, high, SAMPLES)
        return _sampled_width(points, self._curve(variable, at)(points), np.array(self._places(variable)))

    def regular_derivative(self, variable: str) -> Coefficient:
        if variable not in self.variables:
            return ZERO
        if (declared := self._derivative.get(variable)) is not None:
            for name, by in self._offset.items():
                declared = declared.shifted(name, by)
            return declared
        return Difference(self, variable) if self.tree is None else self.tree.regular_derivative(variable)

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return self._with(_offset={**self._offset, variable: self._offset.get(variable, 0.0) + by})

    def _signature(self) -> list[str]:
        shifts = [(n, self._offset.get(n, 0.0)) for n in self._arguments]
        return [f"{n} + {by:g}".replace("+ -", "- ") if by else n for n, by in shifts]

    def latex(self) -> str:
        return rf"\mathrm{{{self.name.strip('<>')}}}({', '.join(self._signature())})".replace("_", r"\_")

    def __eq__(self, other: object) -> bool:
        """Whether two functions have the same trees; opaque ones, the same code, closure and globals that they read."""
        if self is other:
            return True
        if not isinstance(other, Function) or self._declarations != other._declarations:
            return False
        if (self._declared, self._arguments, self._offset) == (other._declared, other._arguments, other._offset):
            return True
        return self.tree is not None and self.tree == other.tree

    @property
    def _declarations(self) -> tuple[object, ...]:
        """The declared breaks, scales and derivatives, by name."""
        given: tuple[dict[str, Any], ...] = (self._breaks_at, self._scale, self._derivative)
        return tuple((i, name, value) for i, at in enumerate(given) for name, value in at.items() if value)

    @cached_property
    def _hash(self) -> int:
        return hash((self._declared, self._arguments)) if self.tree is None else hash(self.tree)

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self._signature())})"

    def __repr__(self) -> str:
        return f"<coefficient {self}, {'traced' if self.opaque is None else f'opaque: {self.opaque}'}>"


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


def as_coefficient(value: CoefficientLike) -> Coefficient:
    """A number, a function or a coefficient as a :class:`Coefficient`."""
    made = _operand(value)
    return Function(value) if made is None else made  # type: ignore[arg-type]


def read_coefficient(name: str, value: CoefficientLike) -> Coefficient:
    """The coefficient that the argument `name` gives.

    Raises
    ------
    ValueError, TypeError
        if it is none.
    """
    if isinstance(value, (float, np.floating)) and not math.isfinite(value):
        raise ValueError(f"{name}: a coefficient must be a finite number, not {value}")
    check_returns(name, value)
    if isinstance(value, str):
        formula = str(value)
        raise TypeError(f"{name} = {formula!r}: a formula is given as rw.expression({formula!r}), not as a bare string")
    if isinstance(value, bool) or not (callable(value) or isinstance(value, (int, float, np.integer, np.floating))):
        raise TypeError(f"{name} = {shown(value)}: give a number, a Coefficient or a function of x and t")
    made = as_coefficient(value)
    if isinstance(made, Function) and made is not value:
        check_number(name, made.function, len(needed_parameters(made.function)))
    return made


def in_dimension(name: str, value: CoefficientLike, dimension: int) -> Coefficient:
    """The coefficient that the argument `name` of a walk or an equation in `dimension` dimensions gives.

    Raises
    ------
    TypeError
        if it takes more coordinates than there are, or, in several dimensions, if the names of a function's parameters do not
        say which coordinates they are.
    """
    made = read_coefficient(name, value)
    if dimension > 1 and isinstance(made, Function):
        given = needed_parameters(made.function)
        if len(given) == 1 and given[0] in NAMES[1:] and made.variables == {"x"}:
            made = made.of(given[0])  # which in one dimension may have any name
    if made.dimension > dimension:
        takes = ", ".join(in_order(made.variables))
        if dimension == 1:
            has, write = "one dimension", "x and t alone"
        else:
            has, write = f"{dimension} dimensions", ", ".join(map(coordinate, range(dimension))) + " and t alone"
        raise TypeError(f"{name} = {made}: takes ({takes}), and the domain has {has}: write it with {write}")
    if (
        dimension > 1
        and isinstance(made, Function)
        and not set(given := needed_parameters(made.function)) <= set(NAMES)
    ):
        raise TypeError(
            f"{name} = {made.name}: takes ({', '.join(given)}); in {dimension} dimensions name the parameters of a function "
            f"after the coordinates, {', '.join(map(coordinate, range(min(dimension, len(LETTERS)))))}, and t"
        )
    if dimension > 1 and isinstance(made, Function) and made is not value:
        return made.tree or made  # the tree knows of which coordinates each component of a vector depends
    return made


def _operand(value: object) -> Coefficient | None:
    """The coefficient that an operand is, None if it is none."""
    if isinstance(value, Coefficient):
        return value
    if type(value) is float:
        return Constant(value)
    if isinstance(value, str):
        raise TypeError(f"a formula is given as rw.expression({value!r}), not as a bare string")
    if isinstance(value, bool):
        raise TypeError(f"a coefficient is a number, a Coefficient or a function of x and t, not {value}")
    if isinstance(value, (int, float, np.integer, np.floating)):
        if not math.isfinite(number("coefficient", value)):
            raise ValueError(f"a coefficient must be a finite number, not {value}")
        return Constant(float(value))
    return Function(value) if callable(value) else None


Coefficient._operand = _operand
