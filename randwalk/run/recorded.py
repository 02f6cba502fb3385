"""Answers of results at recorded times, of the shape of the times asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from ..inputs.arguments import finite_numbers
from ..inputs.wording import shown
from ..laws.estimate import stacked
from ..model.coefficient import Floats
from ..model.times import row_of


def over_rows(t: ArrayLike, times: Floats, ask: Callable[[int], Any]) -> Any:
    """The answer for the row of each of the times `t` among the recorded `times`, in one array or estimate of the shape of `t`
    and of an answer."""
    given = finite_numbers("t", t)
    if not given.size:
        raise ValueError(f"t = {shown(t)}: give at least one time")
    return stacked([ask(row_of(time, times)) for time in given.ravel().tolist()], given.shape)
