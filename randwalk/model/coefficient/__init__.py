"""Coefficients: functions of position and time with a structure that can be read (:mod:`randwalk.model.coefficient.base`)."""

from __future__ import annotations

from .algebra import add, multiply, power
from .base import Coefficient, CoefficientLike
from .components import components
from .difference import Difference, NoDerivative
from .elementary import FUNCTIONS, Apply, Tanh, apply, tanh_parts
from .function import Function, as_coefficient, in_dimension, read_coefficient
from .leaves import ONE, ZERO, Affine, Constant, T, Variable, X, affine, affine_parts, constant_value
from .node import Node, TooDeep, depth
from .nodes import Choice, Power, Product, Sum
from .tree import Singularity
from .variables import At, Floats, Point, coordinate

__all__ = [
    "FUNCTIONS",
    "ONE",
    "ZERO",
    "Affine",
    "Apply",
    "At",
    "Choice",
    "Coefficient",
    "CoefficientLike",
    "Constant",
    "Difference",
    "Floats",
    "Function",
    "NoDerivative",
    "Node",
    "Point",
    "Power",
    "Product",
    "Singularity",
    "Sum",
    "T",
    "Tanh",
    "TooDeep",
    "Variable",
    "X",
    "add",
    "affine",
    "affine_parts",
    "apply",
    "as_coefficient",
    "components",
    "constant_value",
    "coordinate",
    "depth",
    "in_dimension",
    "multiply",
    "power",
    "read_coefficient",
    "tanh_parts",
]  # fmt: skip
