"""Coefficients with a formula in place of a coordinate, or in place of Python functions."""

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


def as_formula(coefficient: Coefficient) -> Coefficient:
    """The coefficient with the trees of traced functions in place of the functions, where nothing was declared with these.

    >>> import numpy as np
    >>> print(as_formula(Function(lambda x: np.sin(3.0 * x)) + 1.0))
    sin(3*x) + 1
    """
    match coefficient:
        case Function() if coefficient.tree is not None and not coefficient.declared:
            return coefficient.tree
        case Node():
            parts = tuple(map(as_formula, coefficient.parts))
            return coefficient if parts == coefficient.parts else coefficient._with(*parts)
    return coefficient
