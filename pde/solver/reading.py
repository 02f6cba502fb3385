"""Coefficients at fixed places, sums of what they are there, and the errors that name the place where a value is wrong."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Coefficient, Floats, Point, coordinate


@dataclass(frozen=True)
class Reading:
    """The values of a `coefficient` at the places `x`: finite numbers, and positive ones where it is `positive`. A coefficient
    that does not depend on time is read once."""

    name: str
    coefficient: Coefficient
    x: Floats
    positive: bool = False

    def at(self, t: float) -> Floats:
        """The values at the time `t`, of the shape of x."""
        return self._read(t) if self.coefficient.depends_on_t else self._steady

    @cached_property
    def _steady(self) -> Floats:
        return self._read(0.0)

    def _read(self, t: float) -> Floats:
        with np.errstate(all="ignore"):
            values = np.asarray(self.coefficient.evaluate((self.x,), np.asarray(t)))
        if values.shape != self.x.shape:
            values = np.full(self.x.shape, values)
        refuse(self.name, ~np.isfinite(values), values, self.x, t, "must be a finite number")
        if self.positive:
            refuse(self.name, values <= 0.0, values, self.x, t, "must be positive where there may be mass")
        return values


def refuse(name: str, wrong: NDArray[np.bool_], values: Floats, x: Floats | Point, t: float, rule: str) -> None:
    """An error at the first place `x` where the values of a coefficient are `wrong`, with the `rule` they break."""
    if wrong.any():
        point = x if isinstance(x, tuple) else (x,)
        wrong, values, *places = np.broadcast_arrays(wrong, values, *point)
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        where = ", ".join(f"{coordinate(i)} = {place[at]:.6g}" for i, place in enumerate(places))
        raise ValueError(
            f"{name} = {values[at]:.6g} at {where}, t = {t:.6g}: {rule}; change the coefficient, or the domain, "
            "so that it holds wherever mass can be"
        )


def summed(terms: Iterable[Floats]) -> Floats:
    """The sum of arrays that broadcast."""
    return reduce(operator.add, terms, np.zeros(()))
