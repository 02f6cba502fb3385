"""What a fit asks of measured data, and what data ask of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import finite
from ..laws.law import Law
from ..model.coefficient import Floats

Known: TypeAlias = float | str  # a quantity of the measurement: a number, or the name of the parameter that it is


class Passages(Protocol):
    """The law of the time and the exit of first passage."""

    def density(self, exit: str, t: Floats) -> Floats:
        """The probability per time of leaving by the `exit` at the times `t`."""

    def absorbed(self, exit: str, t: Floats) -> Floats:
        """The probability of having left by the `exit` at the times `t`."""

    def survival(self, t: Floats) -> Floats:
        """The probability of not having left at the times `t`."""

    @property
    def exits(self) -> tuple[str, ...]:
        """The exits that walkers can take."""


class Laws(Protocol):
    """What a model answers for one set of parameters."""

    def at(self, times: ArrayLike) -> Law[Any]:
        """A law that answers at these times."""

    def stationary(self, window: tuple[float, float]) -> Law[Any]:
        """The stationary law, on a `window` where the domain has no end."""

    def passages(self, times: Floats) -> Passages:
        """The law of first passage, for questions about these times."""

    def brownian(self, dimension: int) -> tuple[Floats, float]:
        """(the drift along each axis, D) of Brownian motion with drift on the whole line, plane or space."""

    def from_start(self, x: float) -> Laws:
        """The same from another start."""


@dataclass(frozen=True, eq=False)
class Series:
    """A part of the data beside what a model expects: all of one shape, but for the line, which is for the eye.

    `error` is the standard error of `observed` if the model is right, so that (observed - expected)/error are the residuals.
    """

    label: str
    x: Floats
    observed: Floats
    expected: Floats
    error: Floats
    line: tuple[Floats, Floats]

    @property
    def residuals(self) -> Floats:
        """(observed - expected)/error."""
        return (self.observed - self.expected) / self.error


class Datum(Protocol):
    """Measured data that can be fitted."""

    @property
    def size(self) -> int:
        """The number of observations."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of parameters of the measurement itself."""

    @property
    def axes(self) -> tuple[str, str]:
        """What is drawn, along x and along y."""

    def log_likelihood(self, laws: Laws, parameters: Mapping[str, float]) -> float:
        """The logarithm of the probability (density) of the data; -inf where the model excludes them."""

    def series(self, laws: Laws, parameters: Mapping[str, float]) -> list[Series]:
        """The data beside the model, for figures."""

    def resolved(self, parameters: Mapping[str, float]) -> Datum:
        """The data with numbers in place of the names of parameters."""

    def law_in(self, laws: Laws) -> Any:
        """What the data are compared with, of the laws of a model."""


def named(*known: Known) -> tuple[str, ...]:
    """The names among quantities of a measurement."""
    return tuple(value for value in known if isinstance(value, str))


def value_of(known: Known, parameters: Mapping[str, float]) -> float:
    """The number that a quantity of a measurement is."""
    return parameters[known] if isinstance(known, str) else known


def checked_known(name: str, value: object) -> Known:
    """A quantity of a measurement, refused unless it is a finite number or the name of a parameter."""
    if isinstance(value, str):
        if not value.isidentifier():
            raise ValueError(f"{name} = {value!r}: must be a number, or the name of a parameter: a plain word")
        return value
    return finite(name, value)


def log_of(p: Floats, counts: ArrayLike = 1.0) -> float:
    """Σ counts log p; -inf where a probability is 0."""
    with np.errstate(divide="ignore"):
        return float((np.asarray(counts) * np.log(p)).sum())
