"""A coefficient with another one in place of a coordinate."""

from __future__ import annotations

from .base import Coefficient
from .function import Function
from .leaves import Affine, Variable
from .node import Node


def substituted(coefficient: Coefficient, place: Coefficient, name: str = "x") -> Coefficient:
    """The coefficient with `place`, a coefficient itself, for the coordinate with a name.

    Raises
    ------
    ValueError
        for a table and for a Python function whose operations are not known.

    Examples
    --------
    >>> from randwalk import expression
    >>> print(substituted(expression("sin(x) + t*x"), expression("2*x + t")))
    sin(2*x + t) + t*(2*x + t)
    """
    if not coefficient.depends_on(name):
        return coefficient
    match coefficient:
        case Variable():
            return place
        case Affine(intercept, slope):
            return intercept + slope * place
        case Function() if coefficient.tree is not None:
            return substituted(coefficient.tree, place, name)
        case Node():
            return coefficient._with(*(substituted(part, place, name) for part in coefficient.parts))
    raise ValueError(f"{coefficient}: has no formula in which {name} could be replaced; write it as an expression")
