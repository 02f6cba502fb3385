"""Formulas as text, read into coefficients through a whitelisted grammar. Nothing is ever evaluated as Python."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable

from .coefficient import FUNCTIONS, Coefficient, Constant, T, TooDeep, X, apply, depth

DEEPEST = 50  # levels of powers and functions inside each other; text, derivatives and values recurse on them
LONGEST = 1000  # characters; a formula for a coefficient is far shorter, and Python's parser recurses on its input
CONSTANTS = {"pi": math.pi, "e": math.e}
OPERATORS: dict[type[ast.operator], Callable[[Coefficient, Coefficient], Coefficient]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


def expression(text: str, /, **parameters: float) -> Coefficient:
    """Read a formula in ``x``, ``t``, named parameters, ``pi`` and ``e`` into a coefficient.

    The grammar is ``+ - * / **``, parentheses, numbers and the functions sin, cos, tan, exp, log, sqrt, sinh, cosh, tanh,
    arctan, abs, sign, heaviside (1 at 0) and erf. Structure is kept: the formula of an affine drift is recognised as one.

    Raises
    ------
    ValueError
        naming the part of the formula that is not in the grammar, or the unknown name.

    >>> expression("-theta * (x - mu)", theta=2.0, mu=0.5)
    Affine(intercept=1.0, slope=-2.0)
    """
    for name, value in parameters.items():
        if name in {"x", "t", *CONSTANTS, *FUNCTIONS}:
            raise ValueError(f"the parameter name {name!r} is taken: choose another")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"the parameter {name} must be a finite number, not {value!r}")
    if len(text) > LONGEST:
        raise ValueError(f"the formula has {len(text)} characters; at most {LONGEST} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        coefficient = _read(tree, text, CONSTANTS | parameters)
        if depth(coefficient) > DEEPEST:
            raise TooDeep
        return coefficient
    except (SyntaxError, RecursionError, MemoryError, TooDeep) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise ValueError(f"the formula {text!r} cannot be read: {reason}") from None
    except OverflowError:
        raise ValueError(f"a number in the formula {text!r} is too large") from None


def _read(node: ast.expr, text: str, names: dict[str, float]) -> Coefficient:
    match node:
        case ast.Constant(value=value) if isinstance(value, (int, float)) and not isinstance(value, bool):
            number = float(value)
            if not math.isfinite(number):
                raise OverflowError
            return Constant(number)
        case ast.Name(id="x"):
            return X
        case ast.Name(id="t"):
            return T
        case ast.Name(id=name) if name in names:
            return Constant(float(names[name]))
        case ast.Name(id=name):
            known = ", ".join(["x", "t", *names])
            raise ValueError(f"unknown name {name!r} in the formula {text!r}: known are {known}")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_read(operand, text, names)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _read(operand, text, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_read(left, text, names), _read(right, text, names))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return apply(name, _read(argument, text, names))
        case ast.BinOp(op=ast.BitXor()):
            raise ValueError(f"'^' in the formula {text!r} is not a power here: write **")
    part = ast.get_source_segment(text.strip(), node) or type(node).__name__
    raise ValueError(
        f"{part!r} is not allowed in the formula {text!r}: a formula has numbers, x, t, parameters, + - * / **, "
        f"parentheses and {', '.join(FUNCTIONS)}"
    )
