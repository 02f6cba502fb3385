"""Formulas as text, read into coefficients through a whitelisted grammar. Nothing is ever evaluated as Python."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence

from .coefficient import FUNCTIONS, Choice, Coefficient, Constant, TooDeep, Variable, apply, depth
from .sympy_text import Symbolic, grammar_of

DEEPEST = 50  # levels of powers and functions inside each other; text, derivatives and values recurse on them
LONGEST = 1000  # characters; a formula for a coefficient is far shorter, and Python's parser recurses on its input
CONSTANTS = {"pi": math.pi, "e": math.e}
TAKEN = {"x", "t", *CONSTANTS, *FUNCTIONS, "where"}  # names that no parameter has
ONE_DIMENSION = ("x", "t")  # the variables of formulas
ANY_DIMENSION = ("x", "y", "z", "x[i]", "t")
OPERATORS: dict[type[ast.operator], Callable[[Coefficient, Coefficient], Coefficient]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


def expression(text: str | Symbolic, /, **parameters: float) -> Coefficient:
    """Read a formula in ``x``, ``t``, named parameters, ``pi`` and ``e`` into a coefficient.

    The grammar is ``+ - * / **``, parentheses, numbers, the functions sin, cos, tan, exp, log, sqrt, sinh, cosh, tanh,
    arctan, abs, sign, heaviside (1 at 0) and erf, and ``where(a >= b, c, d)``, which is c where a ≥ b and d elsewhere (also
    with ``>``, ``<=`` and ``<``). In several dimensions the coordinates are ``x``, ``y``, ``z`` or ``x[0]``, ``x[1]``, …; a
    parameter may be named y or z where the formula has no such coordinate. Structure is kept: the formula of an affine
    drift is recognised as one.

    A SymPy expression is read through its text, with the same names of variables; numbers have the 15 digits that SymPy
    prints. Of SymPy's functions those above, Abs, Heaviside, atan, Max, Min and Piecewise with one comparison a piece are
    read; others are refused by name.

    Raises
    ------
    ValueError
        naming the part of the formula that is not in the grammar, or the unknown name.
    TypeError
        for what is neither text nor a SymPy expression.

    Examples
    --------
    >>> expression("-theta * (x - mu)", theta=2.0, mu=0.5)
    Affine(intercept=1.0, slope=-2.0)
    >>> expression("k*x*y + t", k=3.0)
    <coefficient (3*x)*y + t>
    """
    return formula(text, parameters, ANY_DIMENSION)


def formula(text: str | Symbolic, parameters: Mapping[str, float], variables: Sequence[str]) -> Coefficient:
    """A formula as :func:`expression` reads it, in the `variables` alone."""
    for name, value in parameters.items():
        if name in TAKEN:
            raise ValueError(f"the parameter name {name!r} is taken: choose another")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"the parameter {name} must be a finite number, not {value!r}")
    text = text if isinstance(text, str) else grammar_of(text, LONGEST)
    if len(text) > LONGEST:
        raise ValueError(f"the formula has {len(text)} characters; at most {LONGEST} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        coefficient = _Reader(text, CONSTANTS | dict(parameters), variables).read(tree)
        if depth(coefficient) > DEEPEST:
            raise TooDeep
        return coefficient
    except (SyntaxError, RecursionError, MemoryError, TooDeep) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise ValueError(f"the formula {text!r} cannot be read: {reason}") from None
    except OverflowError:
        raise ValueError(f"a number in the formula {text!r} is too large") from None


class _Reader:
    """Reads a parsed formula, given its text, its named numbers and its variables."""

    def __init__(self, text: str, names: Mapping[str, float], variables: Sequence[str]) -> None:
        self.text, self.names, self.variables = text, names, variables

    def read(self, node: ast.expr) -> Coefficient:
        match node:
            case ast.Constant(value=value) if isinstance(value, (int, float)) and not isinstance(value, bool):
                number = float(value)
                if not math.isfinite(number):
                    raise OverflowError
                return Constant(number)
            case ast.Name(id=name) if name in self.names:
                return Constant(float(self.names[name]))
            case ast.Name(id=name) if name in self.variables:
                return Variable(name)
            case ast.Subscript(value=ast.Name(id="x"), slice=ast.Constant(value=index)) if self._counts(index):
                return Variable(f"x[{index:d}]")  # type: ignore[str-bytes-safe]
            case ast.Name(id=name):
                known = ", ".join([*self.variables, *self.names])
                raise ValueError(f"unknown name {name!r} in the formula {self.text!r}: known are {known}")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](self.read(left), self.read(right))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return apply(name, self.read(argument))
            case ast.Call(
                func=ast.Name(id="where"),
                args=[ast.Compare(left=first, ops=[(ast.GtE() | ast.Gt() | ast.LtE() | ast.Lt()) as op], comparators=[last]),
                      yes, no],
                keywords=[],
            ):  # fmt: skip
                above, below, then, otherwise = (self.read(part) for part in (first, last, yes, no))
                return _where(op, above, below, then, otherwise)
            case ast.BinOp(op=ast.BitXor()):
                raise ValueError(f"'^' in the formula {self.text!r} is not a power here: write **")
        part = ast.get_source_segment(self.text.strip(), node) or type(node).__name__
        raise ValueError(
            f"{part!r} is not allowed in the formula {self.text!r}: a formula has numbers, variables, parameters, + - * / **, "
            f"parentheses, {', '.join(FUNCTIONS)} and where(a >= b, c, d)"
        )

    def _counts(self, index: object) -> bool:
        """Whether `index` counts a coordinate."""
        return "x[i]" in self.variables and type(index) is int and 0 <= index <= 999


def _where(op: ast.cmpop, a: Coefficient, b: Coefficient, yes: Coefficient, no: Coefficient) -> Coefficient:
    """`yes` where the comparison of a with b holds, else `no`: a > b is not b ≥ a."""
    match op:
        case ast.GtE():
            return Choice(a - b, yes, no)
        case ast.Gt():
            return Choice(b - a, no, yes)
        case ast.LtE():
            return Choice(b - a, yes, no)
    return Choice(a - b, no, yes)
