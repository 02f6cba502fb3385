"""Laws that are the same at every time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import finite_numbers
from ..model.coefficient import Floats
from .law import Law


class SteadyLaw(Law[Any]):
    """A law that does not change: `t` may be left out, and nothing ever leaves."""

    @property
    def times(self) -> None:
        return None

    def _survival(self, t: ArrayLike) -> Floats:
        return np.ones(finite_numbers("t", t).shape)

    def _absorbed(self, exit: str, t: ArrayLike) -> Floats:
        return np.zeros(finite_numbers("t", t).shape)

    def _asked(self, t: ArrayLike | None) -> ArrayLike:
        return 0.0 if t is None else t

    def _recorded(self, question: str) -> Floats:
        return np.zeros(1)

    def _label(self, t: float) -> str:
        return "stationary law"
