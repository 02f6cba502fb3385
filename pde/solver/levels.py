"""Solutions on finer and finer meshes: the last one, or what had been reached when Ctrl-C came."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from randwalk.collect import Interrupted
from randwalk.terminal.progress import Stages, stages_bar


class Judged(Protocol):
    """A solution that knows how far off it is."""

    @property
    def error_estimate(self) -> float: ...


S = TypeVar("S", bound=Judged)


def last(levels: Callable[[Stages], Iterator[S]], progress: bool) -> S:
    """The last of the solutions that `levels` makes, one at least, with a bar if `progress` is asked for.

    Raises
    ------
    Interrupted
        on Ctrl-C, with the solution of the smallest error in `reached`.
    """
    best: S | None = None
    try:
        with stages_bar(progress) as stages:
            for found in levels(stages):
                if best is None or not best.error_estimate < _known(found):
                    best = found
    except KeyboardInterrupt:
        raise _interrupted(best) from None
    return found


def _known(solution: Judged) -> float:
    """Its error; infinite where that is not a number."""
    return math.inf if math.isnan(solution.error_estimate) else solution.error_estimate


def _interrupted(best: Judged | None) -> Interrupted:
    again = "and the same call begins again"
    if best is None:
        return Interrupted(None, f"; nothing is kept, {again}", None, "before any solution had an error")
    finished = f"with a solution of error ≈ {best.error_estimate:.1e}"
    return Interrupted(None, f"; .reached of this exception has it, {again}", best, finished)


def on(shape: tuple[int, ...]) -> str:
    """The name of a stage: the cells of its mesh."""
    return f"solving on {' × '.join(map(str, shape))} cells"
