"""A number that comes from a sample, with its standard error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import numbers
from ..inputs.wording import shown
from ..model.coefficient import Floats


@dataclass(frozen=True, eq=False)
class Estimate:
    """`value` ± `error` (one standard error), arrays of the same shape; of shape () for a single number.

    ``float(estimate)`` and NumPy functions take the value; indexing takes a part of both.

    >>> Estimate([0.25, 0.5], [0.01, 0.02])[1]
    0.5 ± 0.02
    """

    value: Floats
    error: Floats

    def __post_init__(self) -> None:
        for name in ("value", "error"):  # numbers become arrays of no dimension
            object.__setattr__(self, name, numbers(name, getattr(self, name)))
        if self.value.shape != self.error.shape:
            raise ValueError(f"value has the shape {self.value.shape} and error {self.error.shape}: give one for each")

    def __float__(self) -> float:
        if self.value.size != 1:
            raise TypeError(
                f"an estimate of {self.value.size} numbers is not one number: take one of them, estimate[0]"
            )
        return float(self.value.reshape(()))

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype)

    def __getitem__(self, index: Any) -> Estimate:
        return Estimate(self.value[index], self.error[index])

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        if self.value.ndim == 0:
            return f"{self.value:.6g} ± {self.error:.2g}"
        if self.value.ndim == 1 and self.value.size <= 4:
            return "[" + ", ".join(f"{v:.6g} ± {e:.2g}" for v, e in zip(self.value, self.error, strict=True)) + "]"
        nobody = int(np.isnan(self.value).sum())
        largest = np.max(self.error[~np.isnan(self.error)], initial=0.0)
        return f"Estimate({self.value.size} values, standard errors up to {largest:.2g}{f', {nobody} NaN' if nobody else ''})"


@dataclass(frozen=True, eq=False, repr=False)
class Profile(Estimate):
    """An estimate at each of the places `x`: `value`, `error` and `x` have one shape, (places,)."""

    x: Floats

    def __getitem__(self, index: Any) -> Profile:
        return Profile(self.value[index], self.error[index], self.x[index])


def proportion(counts: np.ndarray, total: int) -> Estimate:
    """The proportion `counts` / `total` of independent walkers, with the binomial standard error √(p(1 - p)/n). NaN for no
    walkers at all."""
    if total == 0:
        nobody = np.full(np.shape(counts), np.nan)
        return Estimate(nobody, nobody)
    p = np.asarray(counts, dtype=np.float64) / total
    return Estimate(p, np.asarray(np.sqrt(p * (1.0 - p) / total)))


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


def values_of(f: Callable[[Floats], ArrayLike], x: Floats) -> Floats:
    """f(x), of the shape of `x`, value by value if `f` refuses an array; refused if `f` is no function or gives something
    else."""
    if not callable(f):
        raise TypeError(f"f = {f!r}: must be a function of an array of places or values")
    with np.errstate(all="ignore"):
        try:
            values = f(x)
        except (TypeError, ValueError):  # one of numbers, like math.sin
            values = np.reshape([f(v) for v in x.ravel().tolist()], x.shape)  # type: ignore[arg-type]
    try:
        if np.iscomplexobj(values):
            raise TypeError("complex")
        return np.broadcast_to(np.asarray(values, dtype=np.float64), x.shape)
    except (TypeError, ValueError):
        raise ValueError(
            f"f gave {shown(values)} for an array of shape {x.shape}: it must give one real number for each"
        ) from None
