"""Numbers that are meant as short decimals or simple fractions, so that what is made of them has no rounding but its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

LARGEST: Final = 10**6  # denominator of a number that is taken as a fraction


def rational(value: float) -> Fraction:
    """The fraction of a small denominator whose double is `value`; `value` itself where there is none.

    >>> rational(0.1), rational(1 / 3), float(rational(0.1) * 3)
    (Fraction(1, 10), Fraction(1, 3), 0.3)
    """
    short = Fraction(value).limit_denominator(LARGEST)
    return short if float(short) == value else Fraction(value)
