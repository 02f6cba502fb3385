"""A continuous walk as a program: the module of its compiled kernels, and the numbers that it takes.

The module is the text of :mod:`randwalk.kernels.ito` with the functions of the walk between its marks, and that of the driver
:mod:`randwalk.kernels.ito_blocks` (:mod:`randwalk.tables.generated`). Walks that differ in numbers alone have the same text.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
from .ito_scheme import MOST_TUPLES, areas, moved_text
from .ito_walls import walls_text

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
    dimension: int
    sources: int
    dt: float
    fixed: bool = False
    opaque: tuple[Callable[..., Any], ...] = ()

    @cached_property
    def module(self) -> ModuleType:
        """The kernels, compiled when they are first called."""
        return generated(FILES, self.text, self.opaque)

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
        with self._told():
            self.module.walk(state, live, self.block(pairs), first, (start, stop), (dt, pairs), self.parameters, keys)

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
        values = np.empty(state.exit.size)
        with self._told():
            self.module.settle(state, t, self.parameters, values)
        return values

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What a compiled function of the user raises, with the line and where it stands."""
        try:
            yield
        except Exception as error:  # of whatever kind: the function is the user's
            if not self.opaque:
                raise
            at = traceback.extract_tb(error.__traceback__)[-1]
            line = f", at line {at.lineno} of {at.filename} ({at.line})" if at.line else ""
            raise ValueError(
                f"a function of the walk raises {type(error).__name__} where walkers came: {error}{line}. Let it return as many "
                "numbers everywhere, or put walls before such places"
            ) from error


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
    d, m = walk.dimension, walk.sources + len(areas(walk))
    killed = walk.killing != ZERO
    last = len(walk.domain.exits) if killed and kills else 0  # the killed leave by the last
    walls, known = barriers(walk.domain), ("x", "t", "p")
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
        function_text("killing", known, walk.killing, parameters, "The killing rate."),
        function_text("source", known, source, parameters, "What is gathered per unit of time."),
        *walls_text(walk, walls, parameters, held, walk.dimension - carried),
        function_text("payoff", known, payoff, parameters, "What a walker counts that is there at the end."),
        _boundary(boundary, parameters),
    ]
    return ItoProgram(
        "\n\n\n".join(parts), parameters.values, d, m, walk.dt, isinstance(walk.scheme, Exact), parameters.opaque
    )


def _arrays(d: int, m: int) -> list[str]:
    """How points and increments stand in the arrays of a block, and how increments are drawn one by one."""
    point = "".join(f"s[{a}, j], " for a in range(d))
    puts = "\n".join(f"    s[{a}, j] = x[{a}]" for a in range(d))
    row = "".join(f"z[row + {i}, j], " for i in range(m))
    draws = "\n".join(f"    z{i}, last = one(walker, n * M + {i}, last, keys)" for i in range(m))
    names, both = "".join(f"z{i}, " for i in range(m)), "".join(f"both(a[{i}], b[{i}]), " for i in range(m))
    return [
        f"@device\ndef at(s, j):\n    return ({point})",
        f"@device\ndef put(s, j, x):\n{puts}",
        f"@device\ndef increments(z, row, j):\n    return ({row})",
        f"@device\ndef drawn(walker, n, last, keys):\n{draws}\n    return ({names}), last",
        f"@device\ndef joined(a, b):\n    return ({both})",
    ]


def _boundary(values: Sequence[Coefficient], parameters: Parameters) -> str:
    """The boundary's values, by the number of the exit."""
    lines = ["@device", "def boundary(x, t, p, exit):"]
    texts = []
    for i, value in enumerate(values):
        texts.append(function_text(f"boundary_{i}", ("x", "t", "p"), value, parameters, "The value of one exit."))
        lines += [f"    if exit == {i + 1}:", f"        return boundary_{i}(x, t, p)"]
    return "\n\n\n".join([*texts, "\n".join([*lines, "    return 0.0"])])
