"""A model with named parameters, of a problem file or of a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from randwalk.inputs.arguments import finite
from randwalk.inputs.wording import did_you_mean, shown
from randwalk.problem import Problem

from .laws import EquationLaws, GivenLaw, laws_of

TOLERANCE = 1e-5  # of the laws that finite differences find


@dataclass(frozen=True)
class Model:
    """A walk, an equation or a law for every set of `parameters`; None stands for one that has no value yet."""

    parameters: Mapping[str, float | None]
    make: Callable[[Mapping[str, float]], Any]
    tolerance: float

    @classmethod
    def of(cls, model: Any, tolerance: float | None) -> Model:
        """The model of a problem, or of a function of parameters by name."""
        if isinstance(model, Problem):
            if not model.parameters:
                raise ValueError(
                    "model has no parameters: a problem is fitted by the names in its table [parameters]; load it from a "
                    "file or a text that has one, or give a function of the parameters"
                )
            return cls(model.parameters, lambda values: model.with_parameters(**values), tolerance or TOLERANCE)
        if callable(model) and not isinstance(model, type):
            return cls(_arguments(model), lambda values: model(**values), tolerance or TOLERANCE)
        raise TypeError(
            f"model = {shown(model)}: must be a problem with [parameters], or a function of parameters by name that returns a "
            "walk, an equation or a law"
        )

    def laws(self, values: Mapping[str, float]) -> EquationLaws | GivenLaw:
        """The laws for a set of values, which may hold parameters of the data too."""
        return laws_of(self.made(values), self.tolerance)

    def made(self, values: Mapping[str, float]) -> Any:
        """The problem, walk, equation or law of a set of values."""
        return self.make({name: values[name] for name in self.parameters})


def _arguments(function: Callable[..., Any]) -> dict[str, float | None]:
    """The arguments of a function by name, with their defaults."""
    found: dict[str, float | None] = {}
    for name, argument in inspect.signature(function).parameters.items():
        if argument.kind not in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY):
            raise ValueError(
                f"model = {shown(function)}: its argument {argument} has no name of its own: name each parameter"
            )
        default = argument.default
        found[name] = None if default is argument.empty else finite(name, default)
    return found


def starting_values(known: Mapping[str, float | None], free: Any) -> tuple[tuple[str, ...], dict[str, float]]:
    """(the names that are free, values of all to begin with), by the argument `free`: None, names, or values by name."""
    given = free if isinstance(free, Mapping) else {}
    names = tuple(known if free is None else [free] if isinstance(free, str) else free)
    if not names:
        raise ValueError("free = []: name at least one parameter to fit")
    for name in names:
        if name not in known:
            raise ValueError(
                f"free has {shown(name)}: the parameters are {', '.join(known)}{did_you_mean(str(name), known)}"
            )
    if len(set(names)) < len(names):
        raise ValueError(f"free = {shown(list(names))}: names a parameter twice")
    values = {name: finite(name, given[name]) if name in given else value for name, value in known.items()}
    for name, value in values.items():
        if value is None:
            raise ValueError(
                f"the parameter {name} has no value to start from: give free={{{name!r}: 1.0, …}} or a default"
            )
    return names, {name: value for name, value in values.items() if value is not None}
