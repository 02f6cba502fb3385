"""The log-likelihood of data as a function of the free parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from randwalk.data.datum import Datum
from randwalk.model.coefficient import Floats

from .model import Model

Bounds = Mapping[str, tuple[float, float]]


@dataclass(eq=False)
class Objective:
    """log L of the free parameters `names`; the others keep their `values`. -inf outside `bounds`, and where the model or the
    data refuse the parameters."""

    data: Sequence[Datum]
    model: Model
    names: tuple[str, ...]
    values: Mapping[str, float]
    bounds: Bounds
    evaluations: int = field(default=0, init=False)
    refusal: str = field(
        default="", init=False
    )  # why the model or the data refused the last parameters; empty if they did not

    def __call__(self, x: Floats) -> float:
        self.refusal = ""
        if not self.inside(x):
            return -np.inf
        try:
            return self.asked(x)
        except (ValueError, ArithmeticError) as reason:
            self.refusal = str(reason)
            return -np.inf

    def asked(self, x: Floats) -> float:
        """The same with the errors of the model."""
        self.evaluations += 1
        parameters = self.parameters(x)
        laws = self.model.laws(parameters)
        with np.errstate(all="ignore"):
            value = sum(datum.log_likelihood(laws, parameters) for datum in self.data)
        return float(value) if np.isfinite(value) else -np.inf

    def parameters(self, x: Floats) -> dict[str, float]:
        """All parameters, with the free ones at `x`."""
        return {**self.values, **dict(zip(self.names, x.tolist(), strict=True))}

    def laws(self, x: Floats) -> Any:
        """The laws of the model at `x`."""
        return self.model.laws(self.parameters(x))

    def inside(self, x: Floats) -> bool:
        """Whether all are within their bounds."""
        return all(low <= v <= high for v, (low, high) in zip(x.tolist(), self.limits, strict=True))

    @property
    def limits(self) -> list[tuple[float, float]]:
        """The bounds of each free parameter."""
        return [self.bounds.get(name, (-np.inf, np.inf)) for name in self.names]

    def without(self, name: str, value: float) -> Objective:
        """The log-likelihood of the other free parameters, with this one fixed."""
        others = tuple(other for other in self.names if other != name)
        return Objective(self.data, self.model, others, {**self.values, name: value}, self.bounds)
