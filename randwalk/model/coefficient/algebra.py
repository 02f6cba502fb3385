"""Sums, products and powers of coefficients, with numbers folded together and affine forms kept."""

from __future__ import annotations

import math

from .base import Coefficient
from .elementary import Tanh
from .leaves import ONE, ZERO, Constant, affine, affine_parts
from .nodes import Power, Product, Sum


def add(first: Coefficient, second: Coefficient) -> Coefficient:
    """`first` + `second`, with numbers folded together and affine forms kept."""
    a, b = affine_parts(first), affine_parts(second)
    if a is not None and b is not None:
        return affine(a[0] + b[0], a[1] + b[1])
    if first == ZERO or second == ZERO:
        return second if first == ZERO else first
    terms = [t for c in (first, second) for t in (c.terms if isinstance(c, Sum) else (c,))]
    number = sum(t.value for t in terms if isinstance(t, Constant))
    rest = [t for t in terms if not isinstance(t, Constant)]
    return Sum((*rest, Constant(number)) if number else tuple(rest))


def multiply(first: Coefficient, second: Coefficient) -> Coefficient:
    """`first` × `second`, with numbers folded together and affine forms kept."""
    for a, b in ((first, second), (second, first)):
        if isinstance(a, Constant) and (parts := affine_parts(b)) is not None:
            return affine(a.value * parts[0], a.value * parts[1])
        if isinstance(a, Constant) and isinstance(b, Tanh):
            return Tanh(a.value * b.height, b.rate, b.centre) if a.value else ZERO
    factors = [f for c in (first, second) for f in (c.factors if isinstance(c, Product) else (c,))]
    number = math.prod(f.value for f in factors if isinstance(f, Constant))
    rest = [f for f in factors if not isinstance(f, Constant)]
    if number == 0.0:
        return ZERO
    if number != 1.0:
        rest.insert(0, Constant(number))
    return rest[0] if len(rest) == 1 else Product(tuple(rest))


def power(base: Coefficient, exponent: Coefficient) -> Coefficient:
    """`base` to the power `exponent`."""
    if isinstance(base, Constant) and isinstance(exponent, Constant):
        if base.value == 0.0 and exponent.value < 0.0:
            raise ValueError("division by zero in a coefficient: the divisor is the number 0")
        if base.value < 0.0 and not exponent.value.is_integer():
            raise ValueError(f"({base.value}) ** {exponent.value} is not a real number")
        try:
            return Constant(float(base.value**exponent.value))
        except OverflowError:
            raise ValueError(f"({base.value:g}) ** {exponent.value:g} is too large for a number") from None
    if exponent == ONE:
        return base
    return ONE if exponent == ZERO else Power(base, exponent)


Coefficient._add, Coefficient._multiply, Coefficient._power = add, multiply, power
