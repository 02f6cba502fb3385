"""Exact sums of floating-point numbers, which do not depend on the order or the partition of what is added.

Every float64 is a whole number of 2⁻¹⁰⁷⁴, so a sum of them is one, too. It is kept as a Python integer and rounded once, when it
is asked for. Sums of parts of a sample add up to that of the whole sample, bit for bit: batches, threads and machines are free.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import numbers
from ..kernels.sums import EXPONENTS, MOST, add_up
from ..model.coefficient import Floats

SPLITTER = 2.0**27 + 1.0  # which splits the digits of a float64 in two halves
SMALLEST = 1074  # 2^-SMALLEST is the smallest positive float64


@dataclass(frozen=True)
class ExactSum:
    """The exact sum of `count` numbers: `units` of 2⁻¹⁰⁷⁴. Sums of parts add up, in any order, to the sum of the whole.

    Examples
    --------
    >>> whole = ExactSum.of([1e16, 1.0, -1e16])
    >>> whole.value, whole == ExactSum.of([1.0, 1e16]) + ExactSum.of([-1e16]), whole.mean
    (1.0, True, 0.3333333333333333)
    """

    units: int = 0
    count: int = 0

    @classmethod
    def of(cls, values: ArrayLike, name: str = "values") -> ExactSum:
        """The sum of all elements of an array of real numbers, at 200 million a second or faster.

        Raises
        ------
        ValueError
            for a number that is not finite, with its index in the flat array; `name` is that of the array in the message.
        """
        flat = np.ascontiguousarray(numbers(name, values)).ravel()
        units = 0
        for begin in range(0, flat.size, MOST):
            bins = np.zeros((2, EXPONENTS, 2), dtype=np.int64)
            found = add_up(flat[begin : begin + MOST], bins)
            if found >= 0:
                raise NotFinite(name, begin + found, float(flat[begin + found]))
            low, high = bins[0, :, 0] + bins[1, :, 0], bins[0, :, 1] + bins[1, :, 1]
            at = np.flatnonzero(low | high)
            for small, large, exponent in zip(low[at].tolist(), high[at].tolist(), at.tolist(), strict=True):
                units += (small + (large << 32)) << (exponent - 1 if exponent else 0)
        return cls(units, flat.size)

    def __add__(self, other: ExactSum) -> ExactSum:
        if not isinstance(other, ExactSum):
            return NotImplemented
        return ExactSum(self.units + other.units, self.count + other.count)

    @property
    def value(self) -> float:
        """The sum, rounded once; infinite beyond the largest float64."""
        return ratio(self.units, 1 << SMALLEST)

    @property
    def mean(self) -> float:
        """The sum divided by the count, rounded once; NaN of no numbers."""
        return ratio(self.units, self.count << SMALLEST) if self.count else math.nan


class NotFinite(ValueError):
    """A number of a sum is infinite or NaN: the `index` of the number in the array, and the number."""

    def __init__(self, name: str, index: int, number: float) -> None:
        super().__init__(f"{name}[{index}] = {number}: must be finite")
        self.index, self.number = index, number


def ratio(a: int, b: int) -> float:
    """a/b of whole numbers, b > 0, rounded once; infinite beyond the largest float64."""
    try:
        return a / b
    except OverflowError:
        return math.inf if a > 0 else -math.inf


@dataclass(frozen=True)
class SampleSums:
    """Exact sums of a sample of `k` numbers a walker and of the products of these numbers, each minus its `shift`.

    Means and covariances are rounded once, also where the numbers hardly differ: from a shift of 0 products are exact. From
    another one differences and products are rounded to float64, which takes digits from covariances where the shift is farther
    from the mean than the numbers are.
    Parts of a sample with the same shift and unit add up to the whole, in any order, to the same bits.

    Attributes
    ----------
    shift : tuple of k floats
    unit : float
        A power of two; differences are divided by it, so that their products neither overflow nor vanish.
    sums : tuple of k ExactSum
    products : tuple of k (k + 1)/2 ExactSum
        Of the pairs (0, 0), (0, 1), …, (1, 1), …

    Examples
    --------
    >>> part = SampleSums.of([[1.0, 2.0, 3.0]], (2.0,))
    >>> (part + part).means, (part + part).covariance, part.count
    (array([2.]), array([[0.8]]), 3)
    """

    shift: tuple[float, ...]
    unit: float
    sums: tuple[ExactSum, ...]
    products: tuple[ExactSum, ...]

    @classmethod
    def of(cls, values: ArrayLike, shift: Sequence[float], unit: float = 1.0, name: str = "values") -> SampleSums:
        """Those of an array, shape (k, walkers). Refuses numbers that are not finite as :meth:`ExactSum.of` does; differences
        whose products overflow are refused, too."""
        rows = np.atleast_2d(numbers(name, values))
        sums = tuple(ExactSum.of(row, name) for row in rows)
        scaled = [(row - s) / unit for row, s in zip(rows, shift, strict=True)]
        pairs = combinations_with_replacement(zip(scaled, shift, strict=True), 2)
        products = tuple(
            (_products if s or t else _exact_products)(a, b, f"squares of {name}") for (a, s), (b, t) in pairs
        )
        return cls(tuple(map(float, shift)), float(unit), sums, products)

    def __add__(self, other: SampleSums) -> SampleSums:
        if not isinstance(other, SampleSums):
            return NotImplemented
        if (self.shift, self.unit) != (other.shift, other.unit):
            raise ValueError(
                f"sums about {self.shift} and about {other.shift} do not add up: take one shift for all parts"
            )
        return SampleSums(
            self.shift, self.unit,
            tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            tuple(a + b for a, b in zip(self.products, other.products, strict=True)),
        )  # fmt: skip

    @property
    def count(self) -> int:
        """The number of walkers."""
        return self.sums[0].count

    @property
    def means(self) -> Floats:
        """The mean of each of the k numbers, shape (k,); NaN without walkers."""
        return np.array([total.mean for total in self.sums])

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The covariance of the numbers of one walker in squares of the unit, shape (k, k), unbiased (divided by walkers - 1);
        NaN for less than two walkers."""
        k, n = len(self.sums), self.count
        found = np.full((k, k), np.nan)
        if n < 2:
            return found
        over, under = self.unit.as_integer_ratio()  # powers of two
        away = [under * (total.units - n * _units(shift)) for total, shift in zip(self.sums, self.shift, strict=True)]
        whole = (n * (n - 1) * over * over) << 2 * SMALLEST
        for (i, j), product in zip(combinations_with_replacement(range(k), 2), self.products, strict=True):
            moment = ratio(((n * over * over * product.units) << SMALLEST) - away[i] * away[j], whole)
            found[i, j] = found[j, i] = max(moment, 0.0) if i == j else moment
        return found

    @property
    def errors(self) -> Floats:
        """The standard errors of the means, shape (k,); NaN for less than two walkers."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.unit * np.sqrt(np.diag(self.covariance) / self.count)


def _products(a: Floats, b: Floats, name: str) -> ExactSum:
    """The sum of the products of two arrays, each rounded to float64."""
    with np.errstate(over="ignore"):
        return ExactSum.of(a * b, name)


def _exact_products(a: Floats, b: Floats, name: str) -> ExactSum:
    """The sum of the products and of their rounding errors (Dekker, *Numer. Math.* 18 (1971) 224), which are taken as 0 where
    halves of a number are beyond the largest float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        product = a * b
        (high, low), (other, less) = _halves(a), _halves(b)
        error = ((high * other - product) + high * less + low * other) + low * less
    found = _products(a, b, name)
    return replace(found, units=found.units + ExactSum.of(np.where(np.isfinite(error), error, 0.0)).units)


def _halves(values: Floats) -> tuple[Floats, Floats]:
    """Two arrays of that sum, with half as many digits."""
    scaled = SPLITTER * values
    high = scaled - (scaled - values)
    return high, values - high


def _units(value: float) -> int:
    """A float64 in units of 2⁻¹⁰⁷⁴."""
    numerator, denominator = value.as_integer_ratio()
    return (numerator << SMALLEST) // denominator
