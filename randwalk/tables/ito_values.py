"""What the walkers of a continuous walk count: a module of its own, so that walks are not compiled again for another payoff."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jit.bundle import Bundle
from ..kernels.ito import State
from ..model.coefficient import Coefficient
from .emit import Parameters, chosen_text, function_text
from .generated import generated
from .opaque import of_user

FILES = ("ito_values.py",)
KNOWN = ("x", "t", "p")


@dataclass(frozen=True)
class ItoValues:
    """The kernel of what walkers count and the numbers it takes: `text`, `parameters` and `opaque` are as those of
    :class:`randwalk.tables.ito_program.ItoProgram`."""

    text: str
    parameters: tuple[Any, ...]
    opaque: tuple[Callable[..., Any], ...] = ()

    @cached_property
    def module(self) -> ModuleType:
        """The kernel, compiled when it is first called."""
        return generated(FILES, self.text, self.opaque)

    def of(self, state: State, t: float) -> NDArray[np.float64]:
        """What each walker counts at time t: its payoff, or the boundary's value where it left, times its weight, and what it
        gathered."""
        values = np.empty(state.exit.size)
        with of_user(self.opaque):
            self.module.settle(Bundle(state), t, self.parameters, values)
        return values


def ito_values(dimension: int, payoff: Coefficient, boundary: Sequence[Coefficient]) -> ItoValues:
    """Of a payoff at the end and a boundary value for each exit."""
    parameters = Parameters()
    parts = [
        "import math\n\nfrom . import elementary, lookup",
        at_text(dimension),
        function_text("payoff", KNOWN, payoff, parameters, "What a walker counts that is there at the end."),
        boundary_text(boundary, parameters),
    ]
    return ItoValues("\n\n\n".join(parts), parameters.values, parameters.opaque)


def at_text(dimension: int) -> str:
    """How the point of a walker stands in an array."""
    point = "".join(f"s[{a}, j], " for a in range(dimension))
    return f"@device\ndef at(s, j):\n    return ({point})"


def boundary_text(values: Sequence[Coefficient], parameters: Parameters) -> str:
    """The boundary's values, by the number of the exit, 0 being none."""
    return chosen_text("boundary", KNOWN, "exit", values, parameters, 1)
