"""A continuous walk as a program: the module of its compiled kernels, and the numbers that it takes.

The module is the text of :mod:`randwalk.kernels.ito` with the functions of the walk between its marks, and that of the driver
:mod:`randwalk.kernels.ito_blocks` (:mod:`randwalk.tables.generated`). Walks that differ in numbers alone, or in what their
walkers count (:mod:`randwalk.tables.ito_values`), have the same text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jit.bundle import Bundle
from ..kernels.bridges import room
from ..kernels.ito import Block, State
from ..kernels.normal import BLOCK, SPARE
from ..kernels.program import Keys
from ..model.barrier import barriers
from ..model.coefficient import ZERO, Coefficient
from ..model.ito import ItoWalk
from ..model.scheme import Exact, Gaussian, Increments, ThreePoint, TwoPoint
from .emit import Parameters, function_text
from .generated import generated
from .ito_scheme import MOST_TUPLES, increments, moved_text
from .ito_values import KNOWN, ItoValues, at_text, boundary_text, ito_values
from .ito_walls import walls_text
from .opaque import of_user

FILES = ("ito.py", "ito_blocks.py")
DRAWS: dict[type[Increments], dict[str, str]] = {  # names in the text: those of randwalk.kernels.normal
    Gaussian: {
        "fill": "normals", "merged": "merged_normals", "NOTHING": "NO_NORMALS", "one": "normal_of", "both": "joined_normals",
    },
    TwoPoint: {
        "fill": "signs", "merged": "merged_points", "NOTHING": "NO_SIGNS", "one": "sign_drawn", "both": "joined_points",
    },
    ThreePoint: {
        "fill": "thirds", "merged": "merged_points", "NOTHING": "NO_THIRDS", "one": "third_drawn", "both": "joined_points",
    },
}  # fmt: skip


@dataclass(frozen=True)
class ItoProgram:
    """The kernels of a walk and the numbers they take.

    Attributes
    ----------
    text : str
        Of the functions of the walk, between the marks of :mod:`randwalk.kernels.ito`.
    parameters : tuple
        The numbers of the text, then the array of tables.
    values : ItoValues
        What walkers count.
    dimension, sources : int
        D and M of the text.
    dt : float
        The length of a step.
    fixed : bool
        Whether the text holds for steps of dt alone: it draws from the law of a step.
    opaque : tuple of functions
        Python functions that the text calls, compiled as they are.
    """

    text: str
    parameters: tuple[Any, ...]
    values: ItoValues
    dimension: int
    sources: int
    dt: float
    fixed: bool = False
    opaque: tuple[Callable[..., Any], ...] = ()

    @cached_property
    def module(self) -> ModuleType:
        """The kernels, compiled when they are first called."""
        return generated(FILES, self.text, self.opaque)

    @cached_property
    def _idle(self) -> dict[int, list[Bundle]]:
        """Blocks of earlier calls, by how many dt make a step: to make one takes longer than a step of few walkers."""
        return {}

    def begin(self, x: ArrayLike) -> State:
        """A batch of walkers at the points `x`, shape (D, walkers)."""
        place = np.array(np.atleast_2d(x), dtype=np.float64)
        n = place.shape[1]
        return State(place, np.zeros(n, dtype=np.int32), np.zeros(n), np.ones(n), np.zeros(n))

    def walk(self, state: State, first: int, start: int, stop: int, keys: Keys, pairs: int = 1) -> None:
        """Advance walkers number `first`, `first` + 1, … in place from step `start` to step `stop`, steps of `pairs` dt."""
        if self.fixed and pairs > 1:
            raise ValueError(
                f"pairs = {pairs}: scheme = Exact() has no step error, so coarser steps have nothing to compare; take 1"
            )
        self.advance(state, first, start, stop, self.dt, keys, pairs)

    def advance(self, state: State, first: int, start: int, stop: int, dt: float, keys: Keys, pairs: int = 1) -> None:
        """As :meth:`walk`, by steps of another dt, of a text that holds for them."""
        live = np.flatnonzero(state.exit == 0)
        known, idle = Bundle(state), self._idle.setdefault(pairs, [])
        try:
            block = idle.pop()  # by several threads at once
        except IndexError:
            block = Bundle(self.block(pairs))
        with of_user(self.opaque):
            self.module.walk(known, live, block, first, (start, stop), (dt, pairs), self.parameters, keys)
        idle.append(block)

    def block(self, pairs: int) -> Block:
        """Room for the walkers that are advanced together."""

        def rows(*count: int, kind: Any = np.float64) -> Any:
            return np.empty((*count, BLOCK), kind)

        d, made = self.dimension, self.module
        walls = max(1, made.WALLS + made.INTERFACES)
        return Block(
            who=rows(kind=np.int64), number=rows(kind=np.uint64), x=rows(d), before=rows(d), place=rows(d),
            left=np.zeros(BLOCK, np.int32), gone=rows(), weight=rows(), gathered=rows(),
            spell=rows(), earlier=rows(), fate=rows(),
            z=rows(pairs * made.CHUNK * self.sources + SPARE), words=rows(3, kind=np.uint64),
            clear=rows(walls), room=room(walls),
        )  # fmt: skip

    def settled(self, state: State, t: float) -> NDArray[np.float64]:
        """What each walker counts at time t: its payoff, or the boundary's value where it left, times its weight, and what it
        gathered."""
        return self.values.of(state, t)


def program(
    walk: ItoWalk,
    *,
    source: Coefficient = ZERO,
    payoff: Coefficient = ZERO,
    boundary: Sequence[Coefficient] = (),
    kills: bool = True,
    holds: bool = False,
    carried: int = 0,
) -> ItoProgram:
    """The program of an :class:`randwalk.ItoWalk`.

    Parameters
    ----------
    walk : ItoWalk
    source, payoff : Coefficient
        What is gathered per unit of time, and what a walker counts at the end.
    boundary : sequence of Coefficient
        What a walker counts that leaves by each exit.
    kills : bool
        Whether the killed leave; else their weight falls.
    holds : bool
        Whether those stay whom walls absorb in part, and their weight falls.
    carried : int
        How many of the last coordinates are no places: walls that turn a walker back leave them as they are.
    """
    parameters = Parameters()
    d, m = walk.dimension, increments(walk)
    killed = walk.killing != ZERO
    last = len(walk.domain.exits) if killed and kills else 0  # the killed leave by the last
    walls = barriers(walk.domain)
    held = holds and any(0.0 < wall.reactivity < math.inf for wall in walls)
    parts = [
        "from . import lookup\n"
        + "".join(
            f"from .normal import {name} as {known_as}\n" for known_as, name in DRAWS[type(walk.increments)].items()
        )
        + f"\nD, M = {d}, {m}\n"
        f"WEIGHED, GATHERED, WALLS, KILLED = {killed}, {source != ZERO}, {len(walls)}, {last}\n"
        f"INTERFACES, RINGS = {len(walk.interfaces)}, {any(axis.periodic for axis in walk.domain.axes)}\n"
        f"EXITS = {tuple(wall.exit + 1 for wall in walls) or (0,)}\n"
        f"HELD, CARRIED = {held}, {carried > 0}\n"
        f"LINEAR, CHUNK = {d > MOST_TUPLES}, {max(1, min(8, 16 // m))}",
        *_arrays(d, m),
        *moved_text(walk, parameters),
        function_text("killing", KNOWN, walk.killing, parameters, "The killing rate."),
        function_text("source", KNOWN, source, parameters, "What is gathered per unit of time."),
        *walls_text(walk, walls, parameters, held, walk.dimension - carried),
        *([boundary_text(boundary, parameters)] if held else []),
    ]
    return ItoProgram(
        "\n\n\n".join(parts), parameters.values, ito_values(d, payoff, boundary), d, m, walk.dt,
        isinstance(walk.scheme, Exact), parameters.opaque,
    )  # fmt: skip


def _arrays(d: int, m: int) -> list[str]:
    """How points and increments stand in the arrays of a block, and how increments are drawn one by one."""
    puts = "\n".join(f"    s[{a}, j] = x[{a}]" for a in range(d))
    row = "".join(f"z[row + {i}, j], " for i in range(m))
    draws = "\n".join(f"    z{i}, last = one(walker, n * M + {i}, last, keys)" for i in range(m))
    names, both = "".join(f"z{i}, " for i in range(m)), "".join(f"both(a[{i}], b[{i}]), " for i in range(m))
    return [
        at_text(d),
        f"@device\ndef put(s, j, x):\n{puts}",
        f"@device\ndef increments(z, row, j):\n    return ({row})",
        f"@device\ndef drawn(walker, n, last, keys):\n{draws}\n    return ({names}), last",
        f"@device\ndef joined(a, b):\n    return ({both})",
    ]
