"""A number that comes from a sample, with its standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike
from scipy import special

from ..inputs.arguments import number, numbers
from ..inputs.wording import shown
from ..model.coefficient import Floats

LN2, LN10 = np.log(2.0), np.log(10.0)
# The derivatives with which the standard error goes through a function, to first order.
DERIVATIVES: dict[np.ufunc, Callable[[Floats], ArrayLike]] = {
    np.positive: np.ones_like,
    np.negative: np.ones_like,
    np.absolute: np.ones_like,
    np.fabs: np.ones_like,
    np.square: lambda v: 2.0 * v,
    np.sqrt: lambda v: 0.5 / np.sqrt(v),
    np.cbrt: lambda v: 1.0 / (3.0 * np.cbrt(v) ** 2),
    np.reciprocal: lambda v: 1.0 / v**2,
    np.exp: np.exp,
    np.expm1: np.exp,
    np.exp2: lambda v: LN2 * np.exp2(v),
    np.log: lambda v: 1.0 / v,
    np.log1p: lambda v: 1.0 / (1.0 + v),
    np.log2: lambda v: 1.0 / (LN2 * v),
    np.log10: lambda v: 1.0 / (LN10 * v),
    np.sin: np.cos,
    np.cos: np.sin,
    np.tan: lambda v: 1.0 / np.cos(v) ** 2,
    np.sinh: np.cosh,
    np.cosh: np.sinh,
    np.tanh: lambda v: 1.0 / np.cosh(v) ** 2,
    np.arcsin: lambda v: 1.0 / np.sqrt(1.0 - v**2),
    np.arccos: lambda v: 1.0 / np.sqrt(1.0 - v**2),
    np.arctan: lambda v: 1.0 / (1.0 + v**2),
    np.arcsinh: lambda v: 1.0 / np.sqrt(1.0 + v**2),
    np.arccosh: lambda v: 1.0 / np.sqrt(v**2 - 1.0),
    np.arctanh: lambda v: 1.0 / (1.0 - v**2),
}


def _slope_of_base(a: Floats, b: Floats) -> Floats:
    """The derivative of aᵇ by a, which is 0 for b = 0 whatever a is."""
    return np.where(b == 0.0, 0.0, b * a ** (b - 1.0))


def _slope_of_exponent(a: Floats, b: Floats) -> Floats:
    """The derivative of aᵇ by b, which is 0 for a = 0 and b > 0."""
    return np.where((a == 0.0) & (b > 0.0), 0.0, np.log(a) * a**b)


# The same for functions of an estimate a and an exact number b, and of an exact number a and an estimate b.
OF_FIRST: dict[np.ufunc, Callable[[Floats, Floats], ArrayLike]] = {
    np.add: lambda a, b: 1.0,
    np.subtract: lambda a, b: 1.0,
    np.multiply: lambda a, b: b,
    np.divide: lambda a, b: 1.0 / b,
    np.power: _slope_of_base,
    np.float_power: _slope_of_base,
}
OF_SECOND: dict[np.ufunc, Callable[[Floats, Floats], ArrayLike]] = {
    np.add: lambda a, b: 1.0,
    np.subtract: lambda a, b: 1.0,
    np.multiply: lambda a, b: a,
    np.divide: lambda a, b: a / b**2,
    np.power: _slope_of_exponent,
    np.float_power: _slope_of_exponent,
}
COMPARISONS = {np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal}


@dataclass(frozen=True, eq=False)
class Estimate(NDArrayOperatorsMixin):
    """`value` ± `error` (one standard error), arrays of the same shape; of shape () for a single number.

    Arithmetic with exact numbers and arrays, and NumPy's elementary functions, give an estimate whose error is right to first
    order. What would lose the error is a TypeError: comparisons, other functions of NumPy, conversion to an array. Two
    estimates may be correlated, so their sum and the like are refused too; :meth:`z` compares independent ones.
    ``float(estimate)``, ``estimate.value`` and ``estimate.error`` are numbers again; indexing takes a part of both.

    Examples
    --------
    >>> share = Estimate([0.25, 0.5], [0.01, 0.02])
    >>> share[1], np.sqrt(share[0]), 100 * share[1]
    (0.5 ± 0.02, 0.5 ± 0.01, 50 ± 2)
    >>> f"{share[1]:.3f}", round(float(share[0].z(0.23)), 6)
    ('0.500 ± 0.020', 2.0)
    """

    value: Floats
    error: Floats

    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        for name in ("value", "error"):  # numbers become arrays of no dimension
            object.__setattr__(self, name, numbers(name, getattr(self, name)))
        if self.value.shape != self.error.shape:
            raise ValueError(f"value has the shape {self.value.shape} and error {self.error.shape}: give one for each")
        if (self.error < 0.0).any():
            raise ValueError(f"error = {self.error[self.error < 0.0][0]:g}: a standard error must not be negative")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of `value` and `error`."""
        return self.value.shape

    def z(self, other: ArrayLike | Estimate) -> Floats:
        """The difference to exact numbers, or to an independent estimate, in standard errors of the difference.

        Normally distributed for a large sample if the two agree: beyond ±3 once in 370 times.
        """
        if isinstance(other, Estimate):
            difference, error = self.value - other.value, np.hypot(self.error, other.error)
        else:
            difference = self.value - numbers("other", other)
            error = np.broadcast_to(self.error, difference.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(difference == 0.0, 0.0 * error, difference / error)[()]  # one number is no array

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Ends of an interval that covers the true value with probability `level`, if the estimate is normally distributed."""
        half = _quantile(level) * self.error
        return self.value - half, self.value + half

    def reshape(self, shape: tuple[int, ...]) -> Estimate:
        """The same numbers in another shape."""
        return self._part(self.value.reshape(shape), self.error.reshape(shape))

    def _part(self, value: Floats, error: Floats) -> Estimate:
        return Estimate(value, error)

    def __array_ufunc__(self, function: np.ufunc, method: str, *given: Any, **options: Any) -> Estimate:
        if function in COMPARISONS:
            raise TypeError(
                "an estimate is not compared with a number: compare estimate.value, or ask how many standard errors apart they "
                "are, estimate.z(number)"
            )
        if method == "__call__" and not options:
            estimates = [isinstance(argument, Estimate) for argument in given]
            if all(estimates) and len(given) > 1:
                raise TypeError(
                    f"np.{function.__name__} of two estimates: they may be correlated, so the error is not known; for "
                    "independent ones a.z(b) is the difference in standard errors, and .value and .error are at hand"
                )
            if len(given) == 1 and function in DERIVATIVES:
                return self._through(function, DERIVATIVES[function], self.value)
            slopes = OF_FIRST if estimates[0] else OF_SECOND
            if len(given) == 2 and function in slopes:
                arguments = [a.value if isinstance(a, Estimate) else numbers("number", a) for a in given]
                return self._through(function, slopes[function], *arguments)
        raise TypeError(_lost(f"np.{function.__name__}"))

    def _through(self, function: np.ufunc, slope: Callable[..., ArrayLike], *arguments: Floats) -> Estimate:
        with np.errstate(all="ignore"):
            value = np.asarray(function(*arguments))
            error = np.where(self.error == 0.0, 0.0, np.abs(slope(*arguments)) * self.error)
        return self._made(value, np.broadcast_to(error, value.shape))

    def _made(self, value: Floats, error: Floats) -> Estimate:
        """The estimate that a function of this one is."""
        return Estimate(value, error)

    def __array_function__(self, function: Any, types: Any, given: Any, options: Any) -> Any:
        raise TypeError(_lost(f"np.{function.__name__}"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError(_lost("an array"))

    def __bool__(self) -> bool:
        raise TypeError("an estimate is neither true nor false: compare estimate.value, or estimate.z(number)")

    def __float__(self) -> float:
        if self.value.size != 1:
            raise TypeError(
                f"an estimate of {self.value.size} numbers is not one number: take one of them, estimate[0]"
            )
        return float(self.value.reshape(()))

    def __getitem__(self, index: Any) -> Estimate:
        return self._part(self.value[index], self.error[index])

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Estimate]:
        return (self[i] for i in range(len(self)))

    def __format__(self, form: str) -> str:
        if not form:
            return str(self)
        if self.value.ndim == 0:
            return f"{self.value:{form}} ± {self.error:{form}}"
        return "[" + ", ".join(format(part, form) for part in self) + "]"

    def __repr__(self) -> str:
        if self.value.ndim == 0:
            return f"{self.value:.6g} ± {self.error:.2g}"
        if self.value.ndim == 1 and self.value.size <= 4:
            return "[" + ", ".join(f"{v:.6g} ± {e:.2g}" for v, e in zip(self.value, self.error, strict=True)) + "]"
        missing = int(np.isnan(self.value).sum())
        largest = np.max(self.error[~np.isnan(self.error)], initial=0.0)
        return f"Estimate({self.value.size} values, standard errors up to {largest:.2g}{f', {missing} NaN' if missing else ''})"


@dataclass(frozen=True, eq=False, repr=False)
class Proportion(Estimate):
    """The share of `total` independent walkers that have a property, with the binomial standard error √(p(1 - p)/n)."""

    total: int

    def _part(self, value: Floats, error: Floats) -> Estimate:
        return Proportion(value, error, self.total)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Ends of Wilson's score interval (J. Am. Stat. Assoc. 22, 209, 1927), which is right for shares near 0 and 1 too.

        Averaged over the true share it covers it with probability `level`; at a single share it may cover it less often, by
        some per cent if less than ten walkers have the property.
        """
        z2 = _quantile(level) ** 2 / self.total
        middle = (self.value + 0.5 * z2) / (1.0 + z2)
        half = np.sqrt(z2 * self.value * (1.0 - self.value) + 0.25 * z2**2) / (1.0 + z2)
        low, high = np.where(self.value == 0.0, 0.0, middle - half), np.where(self.value == 1.0, 1.0, middle + half)
        return low[()], high[()]


@dataclass(frozen=True, eq=False, repr=False)
class Profile(Estimate):
    """An estimate at each of the places `x`: `value`, `error` and `x` have one shape, (places,); beyond one dimension `x` has a
    row for each place, shape (places, dimension)."""

    x: Floats

    def _made(self, value: Floats, error: Floats) -> Estimate:
        return Profile(value, error, self.x) if value.shape == self.x.shape[:1] else Estimate(value, error)

    def __getitem__(self, index: Any) -> Profile:
        return Profile(self.value[index], self.error[index], self.x[index])

    def _repr_html_(self) -> str | None:
        """Values with their errors against places in one dimension; beyond it the text alone."""
        if self.x.ndim > 1 or self.value.ndim != 1:
            return None
        from .plotting import in_notebook

        return in_notebook(repr(self), lambda ax: ax.errorbar(self.x, self.value, self.error, fmt=".", lw=0.8))


def _lost(what: str) -> str:
    return f"{what} would lose the error of an estimate: take estimate.value, and estimate.error beside it"


def _quantile(level: float) -> float:
    """How many standard deviations on either side of the mean hold a share `level` of a normal distribution."""
    if not 0.0 < number("level", level) < 1.0:
        raise ValueError(f"level = {level}: must lie between 0 and 1")
    return float(np.sqrt(2.0) * special.erfinv(level))


def exact(answer: Any) -> Floats:
    """The numbers that a law answers, those of a sample without their errors."""
    return answer.value if isinstance(answer, Estimate) else np.asarray(answer, dtype=np.float64)


def plain(answer: Any) -> Any:
    """An answer, an array of no dimension as a number."""
    return float(answer) if isinstance(answer, (np.ndarray, np.floating)) and not answer.ndim else answer


def stacked(answers: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Answers of one shape in one array, or one estimate, of `shape` and theirs; a number if both are of no dimension."""
    whole = shape + np.shape(exact(answers[0]))
    values = np.array([exact(answer) for answer in answers]).reshape(whole)
    if not isinstance(answers[0], Estimate):
        return plain(values)
    errors = np.array([answer.error for answer in answers]).reshape(whole)
    totals = {answer.total if isinstance(answer, Proportion) else 0 for answer in answers}
    total = totals.pop()
    return Estimate(values, errors) if totals or not total else Proportion(values, errors, total)


def proportion(counts: np.ndarray, total: int) -> Estimate:
    """The :class:`Proportion` `counts` / `total`; NaN for no walkers at all."""
    if total == 0:
        nobody = np.full(np.shape(counts), np.nan)
        return Estimate(nobody, nobody)
    p = np.asarray(counts, dtype=np.float64) / total
    return Proportion(p, np.asarray(np.sqrt(p * (1.0 - p) / total)), total)


def average(values: Floats, counts: np.ndarray, total: int) -> Estimate:
    """The mean over `total` independent walkers, `counts` of which have each of the `values`; the others count as 0. NaN for no
    walkers at all."""
    if total == 0:
        return Estimate(np.asarray(np.nan), np.asarray(np.nan))
    weights = np.asarray(counts, dtype=np.float64) / total
    values = np.where(weights > 0.0, values, 0.0)  # a function need not be a number where nobody is
    mean = float(weights @ values)
    rest = max(0.0, 1.0 - float(weights.sum()))
    variance = float(weights @ (values - mean) ** 2) + rest * mean**2
    return Estimate(np.asarray(mean), np.asarray(np.sqrt(variance / total)))


def values_of(f: Callable[..., ArrayLike], *point: Floats) -> Floats:
    """f(x), of the shape of `x`, value by value if `f` refuses an array; refused if `f` is no function or gives something
    else. Beyond one dimension f(x, y, …) of arrays of one shape."""
    if not callable(f):
        raise TypeError(f"f = {f!r}: must be a function of an array of places or values")
    shape = point[0].shape
    with np.errstate(all="ignore"):
        try:
            values = f(*point)
        except (TypeError, ValueError):  # one of numbers, like math.sin
            places = zip(*(x.ravel().tolist() for x in point), strict=True)
            values = np.reshape([f(*place) for place in places], shape)
    try:
        if np.iscomplexobj(values):
            raise TypeError("complex")
        return np.broadcast_to(np.asarray(values, dtype=np.float64), shape)
    except (TypeError, ValueError):
        raise ValueError(
            f"f gave {shown(values)} for an array of shape {shape}: it must give one real number for each"
        ) from None
