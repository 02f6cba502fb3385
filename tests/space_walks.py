"""Walks in the plane and in space whose stream has known answers (:mod:`tests.test_stream_space`)."""

from __future__ import annotations

from collections.abc import Callable

import randwalk as rw

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
LINE = rw.Line()

WALKS: dict[str, Callable[[], rw.LatticeWalk]] = {
    "coins in the plane": lambda: rw.LatticeWalk(
        right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, dt=1.0, domain=LINE**2, start=rw.Point((300.0, -5.0))
    ),
    "coins in space": lambda: rw.LatticeWalk(
        right=1 / 6, left=1 / 6, up=1 / 6, down=1 / 6, front=1 / 6, back=1 / 6, dx=1.0, dt=1.0, domain=LINE**3,
        start=rw.Uniform(-2.0, 2.0) * rw.Point(70_000.0) * rw.Normal(0.0, 1.0),
    ),
    "killed on a torus": lambda: rw.LatticeWalk(
        steps={(1, 0): 0.3, (0, 1): 0.2, (-1, -1): 0.25, (1, -1): 0.1}, dx=1.0, dt=1.0, killing=0.004,
        domain=rw.Ring(0, 5) * rw.Ring(0, 4), start=rw.Point((1.0, 2.0)),
    ),
    "walls, an obstacle and a trap": lambda: rw.LatticeWalk(
        right=rw.expression("0.25 + 0.1*tanh(x - y)"), left=rw.expression("0.15 - 0.05*sin(3*t)"), up=0.2, down=0.25,
        dx=1.0, dt=0.05,
        domain=(rw.Interval(0, 13.5, ABSORB, REFLECT) * rw.Interval(0, 12.5, REFLECT, ABSORB))
        .without(rw.Ball((4.0, 6.0), 2.1)).without(rw.Ball((9.0, 4.0), 1.2), wall=ABSORB, name="trap"),
        start=rw.Point((7.0, 7.5)),
    ),
    "axes by themselves": lambda: rw.LatticeWalk.from_drift(
        (0.2, rw.expression("-y")), 0.5, dx=0.25, domain=rw.Interval(0, 3.125, REFLECT, ABSORB) * LINE,
        start=rw.Point((1.625, 0.3)),
    ),
    "a box": lambda: rw.LatticeWalk(
        right=0.2, left=0.1, up=0.2, down=0.1, front=0.15, back=rw.expression("0.1 + 0.02*z"), dx=1.0, dt=1.0,
        domain=rw.Interval(0, 7, ABSORB, ABSORB) * rw.Interval(0, 6.5, ABSORB, REFLECT) * rw.Ring(0, 5),
        start=rw.Point((3.0, 2.0, 1.0)),
    ),
}  # fmt: skip
