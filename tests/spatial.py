"""Walks in the plane and in space: steps of all kinds, walls, rings, traps, obstacles, starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import randwalk as rw

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
SIMPLE: dict[str, Any] = {"right": 0.25, "left": 0.25, "up": 0.25, "down": 0.25, "dx": 1.0}
SPACE: dict[str, Any] = dict.fromkeys(("right", "left", "up", "down", "front", "back"), 0.125)
TILTED: dict[tuple[int, ...], Any] = {
    (1, 0): 0.25,
    (-1, 0): 0.125,
    (0, 1): 0.25,
    (0, -1): 0.1875,
    (1, 1): 0.0625,
    (-1, -1): 0.0625,
}


def room() -> rw.Box:
    return rw.Interval(-3, 3, ABSORB, ABSORB) * rw.Interval(-2.5, 2.5, REFLECT, REFLECT)


WALKS: dict[str, Callable[[], rw.LatticeWalk]] = {
    "plane": lambda: rw.LatticeWalk(**SIMPLE),
    "plane, tilted": lambda: rw.LatticeWalk(steps=TILTED, dx=(0.5, 2.0)),
    "plane, eight digits": lambda: rw.LatticeWalk(right=0.2, left=0.1, up=0.15, down=0.25, dx=1.0),
    "plane, starts": lambda: rw.LatticeWalk(**SIMPLE, start=rw.Uniform((-2, -1), (2, 3))),
    "space": lambda: rw.LatticeWalk(**SPACE, dx=1.0),
    "torus": lambda: rw.LatticeWalk(**SIMPLE, domain=rw.Ring(0, 5) * rw.Ring(0, 4), start=(1.0, 2.0)),
    "torus in space, killed": lambda: rw.LatticeWalk(
        **SPACE, dx=1.0, domain=rw.Ring(0, 3) * rw.Ring(0, 4) * rw.Ring(0, 5), killing=0.01
    ),
    "walls": lambda: rw.LatticeWalk(steps=TILTED, dx=1.0, domain=room(), start=(-1.0, 1.0)),
    "p(x, y), trap": lambda: rw.LatticeWalk(
        right=lambda x, y: 0.25 + 0.05 * np.tanh(x), left=0.25, up=0.2, down=lambda x, y: 0.2 + 0.05 * np.sin(y), dx=1.0,
        domain=(rw.Interval(0, math.inf, REFLECT) * rw.Line()).without(rw.Ball((3.5, 3.0), 1.2), ABSORB, "trap"),
        start=(2.5, 0.0),
    ),
    "obstacle, starts": lambda: rw.LatticeWalk(
        steps=TILTED, dx=1.0, domain=room().without(rw.Ball((0.5, 0.5), 1.2)), start=rw.Point(-2.0) * rw.Uniform(-2.5, 2.5)
    ),
    "p(x, y, t)": lambda: rw.LatticeWalk(
        **(SIMPLE | {"right": lambda x, y, t: 0.25 + 0.1 * np.sin(x * y + t), "left": 0.125}), domain=room()
    ),
    "box in space": lambda: rw.LatticeWalk(
        **SPACE, dx=1.0, domain=rw.Interval(-2, 2, ABSORB, ABSORB) * rw.Ring(0, 3) * rw.Interval(-1.5, 1.5, REFLECT, REFLECT)
    ),
    "Moore": lambda: rw.LatticeWalk.from_drift(
        drift=lambda x, y: (-0.5 * x, 0.25), diffusion=0.5, dx=1.0, domain=room(), neighbourhood=rw.Moore()
    ),
}  # fmt: skip
