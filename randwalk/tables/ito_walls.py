"""The text of the walls of a continuous walk: their distances, normals and reactivities, and which steps may have reached one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..model.barrier import Barrier
from ..model.coefficient import ZERO
from ..model.ito import ItoWalk
from .emit import Parameters, function_text, written

AT = ("x", "t", "p")


def wall_texts(walk: ItoWalk, walls: Sequence[Barrier], parameters: Parameters) -> list[str]:
    """The functions of the walls of a walk, and the one that brings points on rings home."""
    texts = [_home(walk, parameters)]
    if not walls:
        return texts
    distances, normals = tuple(wall.distance for wall in walls), tuple(wall.normal for wall in walls)
    known = [
        "math.inf" if wall.reactivity == math.inf else parameters.number(wall.reactivity) if wall.reactivity else "0.0"
        for wall in walls
    ]
    return [
        *texts,
        function_text("distances", AT, distances, parameters, "The distance to each wall, positive inside."),
        function_text("normals", AT, normals, parameters, "The gradient of each distance."),
        written(
            "reactivities",
            ("p",),
            [],
            f"({', '.join(known)},)",
            "Of each wall: infinite if it absorbs, 0 if it reflects.",
        ),
        _near(walk, walls),
    ]


def _home(walk: ItoWalk, parameters: Parameters) -> str:
    """x - L ⌊(x - low)/L⌋ along rings."""
    turned = []
    for a, axis in enumerate(walk.domain.axes):
        if axis.periodic:
            low, turn = parameters.number(axis.low), parameters.number(axis.high - axis.low)
            turned.append(f"x[{a}] - {turn} * math.floor((x[{a}] - {low}) / {turn})")
        else:
            turned.append(f"x[{a}]")
    return written(
        "home",
        ("x", "p"),
        [],
        f"({', '.join(turned)},)",
        "The point with the coordinates along rings between their ends.",
    )


def _near(walk: ItoWalk, walls: Sequence[Barrier]) -> str:
    """Whether the product of the distances before and after a step is small. Along a normal the noise of a step has at most the
    variance of all its entries; along an axis that of the axis' own."""
    lines = ["before, after, g = distances(x, t, p), distances(y, t + h, p), noise(x, t, p)"]
    tests = []
    for w, wall in enumerate(walls):
        axes = [a for a, slope in enumerate(wall.normal) if slope != ZERO]
        squares = " + ".join(
            f"g[{a}][{k}] * g[{a}][{k}]" for a in axes for k in range(walk.sources) if walk.noise[a][k] != ZERO
        )
        tests.append(f"may_reach(before[{w}], after[{w}], h * ({squares or '0.0'}))")
    return written(
        "near",
        ("x", "y", "t", "h", "p"),
        lines,
        " | ".join(tests),
        "Whether a step from x to y may have reached a wall.",
    )
