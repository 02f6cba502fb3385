"""Walks in continuous space: one and several dimensions, sources of noise, walls, killing."""

from __future__ import annotations

from typing import Any

import numpy as np

import randwalk as rw

E = rw.expression

WALKS: dict[str, Any] = {
    "double well": lambda **kw: rw.ItoWalk(E("x - x**3"), noise=0.7, dt=0.01, **kw),
    "functions": lambda **kw: rw.ItoWalk(
        (E("tanh(y) - 0.3*x + erf(t)"), E("sin(3*x)*exp(-y**2) - log(2 + y**2)")), dt=0.01,
        noise=((E("0.5 + 0.1*cos(x)"), 0.0), (0.3, 0.4)), start=(0.0, 0.0), **kw,
    ),
    "killed between walls": lambda **kw: rw.ItoWalk(
        -1.0, 0.5, dt=0.01, killing=E("x**2"), domain=rw.Interval(-1.0, 1.0, rw.PartiallyAbsorbing(2.0), rw.Absorbing()), **kw
    ),
    "three sources": lambda **kw: rw.ItoWalk(
        (E("-x"), 0.0), noise=((0.1, 0.2, 0.3), (0.0, 0.4, E("0.1*y"))), dt=0.02, start=(0.0, 0.0), **kw
    ),
    "twenty dimensions": lambda **kw: rw.ItoWalk(
        rw.Linear(0.1 * np.eye(20, k=1) - np.eye(20)), 0.5, dt=0.02, start=(0.0,) * 20, **kw
    ),
}  # fmt: skip
