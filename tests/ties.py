"""Walkers whose uniform lies between two neighbouring probabilities, the first 31 digits of which are equal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

import randwalk as rw

from . import naive

ABSORB = rw.Absorbing()
SEED = 3
HIGH = 2**31  # a threshold is its first 31 digits times this, and its last 31
FULL = 2**62


def on_both_sides(uniform: int) -> tuple[float, float]:
    """The largest probability that does not exceed a uniform, and the smallest that does: their first 31 digits are equal."""
    low = uniform / FULL
    if Fraction(low) * FULL > uniform:
        low = math.nextafter(low, 0.0)
    high = math.nextafter(low, 1.0)
    assert Fraction(low) * FULL <= uniform < Fraction(high) * FULL
    assert int(low * FULL) // HIGH == uniform // HIGH == int(high * FULL) // HIGH
    return low, high


ROOM = rw.Interval(-40, 40, ABSORB, ABSORB)
# name: a walk of the table family or of the other one, that steps with probability p at all steps or at one
WALKS: dict[str, Callable[[float, int], rw.LatticeWalk]] = {
    "right, p": lambda p, n: rw.LatticeWalk(p, 0.0, dx=1.0, dt=1.0, domain=ROOM),
    "left, p": lambda p, n: rw.LatticeWalk(0.0, p, dx=1.0, dt=1.0, domain=ROOM),
    "right, p(x)": lambda p, n: rw.LatticeWalk(lambda x: p + 0.0 * x, 0.0, dx=1.0, dt=1.0, domain=ROOM),
    "left, p(x, t)": lambda p, n: rw.LatticeWalk(
        0.0, lambda x, t: np.where(t == float(n), p, 0.0) + 0.0 * x, dx=1.0, dt=1.0, domain=ROOM
    ),
    "left on a ring, p(t)": lambda p, n: rw.LatticeWalk(
        0.0, lambda t: np.where(t == float(n), p, 0.0), dx=1.0, dt=1.0, domain=rw.Ring(0, 5)
    ),
    "right on the line": lambda p, n: rw.LatticeWalk(p, 0.0, dx=1.0, dt=1.0),
    "left on the line": lambda p, n: rw.LatticeWalk(0.0, p, dx=1.0, dt=1.0),
}


def uniform(name: str, walker: int, n: int) -> int:
    if "line" in name:
        return naive.constant_uniform(walker, n, 8, SEED)
    return naive.table_uniform(walker, n, SEED)


def steps_taken(
    name: str, walker: int, n: int, records: Sequence[rw.run.record.Record], backend: str = "cpu"
) -> list[bool]:
    """Whether a walker takes step n with either of the probabilities on both sides of its uniform."""
    taken = []
    for p in on_both_sides(uniform(name, walker, n)):
        walk, times = WALKS[name](p, n), np.array([n, n + 1], float)
        run = rw.simulate(
            walk,
            range(walker, walker + 1),
            times,
            seed=SEED,
            method="paths",
            record=[*records, rw.Positions()],
            backend=backend,
        )
        before, after = run[rw.Positions()].x[:, 0].tolist()
        taken.append(before != after)
    return taken
