"""Python functions made of NumPy operations, read into coefficients by calling them once with a symbol."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ...inputs.signature import needed_parameters
from .algebra import add, multiply, power
from .base import Coefficient
from .elementary import apply
from .leaves import Constant, Variable
from .node import depth
from .nodes import Choice
from .recorded import Argument, Call, Recorded, inside

DEEPEST = 50  # levels of a tree, and
LARGEST = 2000  # leaves of a tree; a function with more stays opaque


class NotTraceable(TypeError):
    """The function is not made of the operations of a tree; the message is the reason."""


class Traced(NDArrayOperatorsMixin):
    """A symbol in place of an array: NumPy's operations on it build a tree, and are kept as the calls that they are."""

    call: Argument | Call | None = None

    def __init__(self, tree: Coefficient, leaves: int = 1) -> None:
        self.tree, self.leaves = tree, leaves

    def made_by(self, function: Callable[..., Any], inputs: Sequence[Any], options: Any = None) -> Self:
        """The same symbol as the result of a call."""
        made = copy.copy(self)
        made.call = Call(function, tuple(map(_called, inputs)), _called(options or {}))
        return made

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(isinstance(given, np.ndarray) and given.dtype == object for given in inputs):
            return _elementwise(ufunc, inputs)
        in_place = options.keys() == {"out"} and options["out"][0] is inputs[0]  # x += 1: a new symbol
        if method != "__call__" or (options and not in_place):
            raise NotTraceable(f"it calls {ufunc.__name__} with options")
        return _traced(_operation(ufunc.__name__), inputs).made_by(ufunc, inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, inputs: Any, options: Any) -> Any:
        if function.__name__ not in ARRAY_FUNCTIONS:
            raise NotTraceable(f"it calls {function.__name__}")
        made = ARRAY_FUNCTIONS[function.__name__](*inputs, **options)
        return made.made_by(function, inputs, options) if isinstance(made, Traced) else made

    def __pow__(self, other: Any) -> Any:
        made = super().__pow__(other)  # NumPy's ** has ways of its own for squares, which np.power need not have
        return made.made_by(operator.pow, (self, other)) if isinstance(made, Traced) else made

    __ipow__ = __pow__

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NotTraceable("it makes an array of its argument")

    def __bool__(self) -> bool:
        raise NotTraceable("it branches on values")

    def __float__(self) -> float:
        raise NotTraceable("it takes values as single numbers")

    __int__ = __index__ = __float__

    def copy(self) -> Traced:
        return self


class Condition(Traced):
    """A comparison: a choice between two trees. Alone it is 1 where it holds, else 0."""

    def __init__(self, choose: Callable[[Coefficient, Coefficient], Coefficient], leaves: int) -> None:
        super().__init__(choose(Constant(1.0), Constant(0.0)), leaves)
        self.choose = choose

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Traced:
        name = ufunc.__name__
        logic = {"logical_and": "bitwise_and", "logical_or": "bitwise_or", "logical_not": "invert"}.get(name, name)
        if logic not in {"bitwise_and", "bitwise_or", "invert"} or not all(isinstance(i, Condition) for i in inputs):
            return super().__array_ufunc__(ufunc, method, *inputs, **options)
        return _combined(logic, inputs).made_by(ufunc, inputs)


def _combined(logic: str, conditions: Sequence[Condition]) -> Condition:
    """The negation of a condition, or two conditions together."""
    first, *rest = (condition.choose for condition in conditions)
    leaves = sum(condition.leaves for condition in conditions)
    match logic:
        case "invert":
            return Condition(lambda a, b: first(b, a), leaves)
        case "bitwise_and":
            return Condition(lambda a, b: first(rest[0](a, b), b), leaves)
    return Condition(lambda a, b: first(a, rest[0](a, b)), leaves)


def _called(value: Any) -> Any:
    """Symbols as the calls that made them, also inside lists."""
    return value.call if isinstance(value, Traced) else inside(value, _called)


def _elementwise(ufunc: np.ufunc, inputs: Sequence[Any]) -> Any:
    """A ufunc of arrays of symbols."""
    shape = np.broadcast_shapes(*(np.shape(given) for given in inputs if isinstance(given, np.ndarray)))
    spread = [np.broadcast_to(given, shape) if isinstance(given, np.ndarray) else given for given in inputs]
    made = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        made[place] = ufunc(*(given[place] if isinstance(given, np.ndarray) else given for given in spread))
    return made


def _method(name: str) -> Callable[[Traced], Traced]:
    """The method of a symbol that NumPy's function of this name calls for each entry of an array of symbols."""
    return lambda symbol: _traced(_operation(name), (symbol,)).made_by(getattr(np, name), (symbol,))


def _tree(value: Any) -> Coefficient:
    if isinstance(value, Traced):
        return value.tree
    if np.ndim(value) or isinstance(value, (bool, np.bool_)):
        raise NotTraceable(f"it puts {type(value).__name__} into a formula")
    return Constant(float(value))


def _traced(operation: Callable[..., Any], inputs: Sequence[Any]) -> Traced:
    leaves = sum(i.leaves if isinstance(i, Traced) else 1 for i in inputs)
    if leaves > LARGEST:
        raise NotTraceable("it has too many operations")
    made = operation(*map(_tree, inputs))
    return Traced(made, leaves) if isinstance(made, Coefficient) else Condition(made, leaves)


def _subtract(a: Coefficient, b: Coefficient) -> Coefficient:
    return add(a, multiply(Constant(-1.0), b))


def _divide(a: Coefficient, b: Coefficient) -> Coefficient:
    return multiply(a, power(b, Constant(-1.0)))


def _at_least(a: Coefficient, b: Coefficient) -> Callable[[Coefficient, Coefficient], Coefficient]:
    """a ≥ b."""
    return lambda yes, no: Choice(_subtract(a, b), yes, no)


def _above(a: Coefficient, b: Coefficient) -> Callable[[Coefficient, Coefficient], Coefficient]:
    """a > b, that is not b ≥ a."""
    return lambda yes, no: Choice(_subtract(b, a), no, yes)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": add, "subtract": _subtract, "multiply": multiply, "divide": _divide, "power": power, "float_power": power,
    "positive": lambda a: a, "negative": lambda a: multiply(Constant(-1.0), a),
    "square": lambda a: power(a, Constant(2.0)), "reciprocal": lambda a: power(a, Constant(-1.0)),
    "absolute": lambda a: apply("abs", a), "fabs": lambda a: apply("abs", a),
    "heaviside": lambda a, _: apply("heaviside", a), "maximum": lambda a, b: Choice(_subtract(a, b), a, b),
    "minimum": lambda a, b: Choice(_subtract(a, b), b, a), "hypot": lambda a, b: apply("sqrt", add(a**2.0, b**2.0)),
    "exp2": lambda a: power(Constant(2.0), a), "expm1": lambda a: apply("exp", a) - 1.0,
    "log1p": lambda a: apply("log", a + 1.0), "log2": lambda a: apply("log", a) / np.log(2.0),
    "log10": lambda a: apply("log", a) / np.log(10.0), "erfc": lambda a: 1.0 - apply("erf", a),
    "expit": lambda a: power(1.0 + apply("exp", -a), Constant(-1.0)), "greater_equal": _at_least, "greater": _above,
    "less_equal": lambda a, b: _at_least(b, a), "less": lambda a, b: _above(b, a),
}  # fmt: skip
SAME_NAME = {"sin", "cos", "tan", "exp", "log", "sqrt", "sinh", "cosh", "tanh", "arctan", "sign", "erf"}

for _name in (*SAME_NAME, "exp2", "expm1", "log1p", "log2", "log10", "square", "fabs"):
    setattr(Traced, _name, _method(_name))


def _operation(name: str) -> Callable[..., Any]:
    if name in SAME_NAME:
        return lambda a: apply(name, a)
    if name not in OPERATIONS:
        raise NotTraceable(f"it calls {name}")
    return OPERATIONS[name]


def _where(condition: Any, yes: Any, no: Any) -> Traced:
    if not isinstance(condition, Condition):
        raise NotTraceable("it calls where without a comparison")
    return _traced(condition.choose, (yes, no))


def _clip(a: Any, low: Any = None, high: Any = None) -> Any:
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def _select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0.0) -> Any:
    result = default
    for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
        result = _where(condition, choice, result)
    return result


def _polyval(coefficients: Any, x: Any) -> Any:
    value: Any = 0.0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


ARRAY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "where": _where, "clip": _clip, "select": _select, "polyval": _polyval,
    "zeros_like": lambda a, **_: 0.0, "ones_like": lambda a, **_: 1.0, "full_like": lambda a, value, **_: value,
}  # fmt: skip


def trace(function: Callable[..., Any], arguments: Sequence[str]) -> Coefficient:
    """The tree of a function of the named arguments, by calling it with symbols. Whether the tree is the function is for the
    caller to check.

    Raises
    ------
    NotTraceable
        if the function is not made of operations that a tree has: branches, loops over values, `math`, tables.

    Examples
    --------
    >>> print(trace(lambda x: np.where(x > 0, 2.0, 1.0) * np.sin(3 * x), ["x"]))
    where(-x >= 0, 1, 2)*sin(3*x)
    >>> print(trace(lambda x, y, t: x**2 + y * t, ["x", "y", "t"]))
    x**2 + y*t
    """
    tree = _tree(_result(function, arguments))
    if depth(tree) > DEEPEST:
        raise NotTraceable("it has too many operations inside each other")
    return tree


def recorded(function: Callable[..., Any], arguments: Sequence[str]) -> Recorded:
    """A function that :func:`trace` reads, as the calls of NumPy that it makes.

    >>> recorded(lambda x: 3.0 * (x - 1.0) ** 2, ["x"])(np.array([2.0, 5.0]))
    array([ 3., 48.])
    """
    name = getattr(function, "__name__", type(function).__name__)
    return Recorded(name, needed_parameters(function), _called(_result(function, arguments)))


def _result(function: Callable[..., Any], arguments: Sequence[str]) -> Any:
    """What a function returns for symbols; a symbol or a number."""
    symbols = [Traced(Variable(name)) for name in arguments]
    for i, symbol in enumerate(symbols):
        symbol.call = Argument(i)
    try:
        with np.errstate(all="ignore"):
            result = function(*symbols)
            _tree(result)  # refuses what is neither
    except NotTraceable:
        raise
    except Exception as error:  # a function that fails for a symbol, in whatever way, is opaque
        raise NotTraceable(f"called with a symbol it says {type(error).__name__}: {error}") from error
    return result
