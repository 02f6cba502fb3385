"""Walks drawn at random, in one to three dimensions, with walls of all kinds, rings, a region, diagonal steps and killing: their
exact laws and hitting times by the second account, which shares no table with them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import randwalk as rw

from .test_second_account import account


def drawn(seed: int, dimension: int) -> rw.LatticeWalk:
    """A walk with a wall of a kind at each end, of axes that are rings one time in five."""
    rng = np.random.default_rng([seed, dimension])

    def wall(most: float) -> Any:
        return (rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(rng.uniform(0.05, most)))[rng.integers(3)]

    def axis() -> Any:
        n = float(rng.integers(4, 7))
        if rng.random() < 0.2:
            return rw.Ring(0.0, n)
        left, right = wall(0.2), wall(0.2)
        return rw.Interval(0.0 if left.on_site else -0.5, n + (0.0 if right.on_site else 0.5), left, right)

    domain = axis()
    for _ in range(1, dimension):
        domain = domain * axis()
    if dimension > 1 and rng.random() < 0.5:
        domain = domain.without(rw.Ball((2.0,) * dimension, 1.2), wall(0.1), "hole")
    steps = [e for e in itertools.product((-1, 0, 1), repeat=dimension) if any(e)]
    if dimension > 1:
        some = rng.permutation(len(steps))[:5]
        steps = [e for e in steps if sum(map(abs, e)) == 1] if rng.random() < 0.4 else [steps[i] for i in some]
    shares = 0.8 * rng.dirichlet(np.ones(len(steps)))
    varied = "*(0.8 + 0.2*cos(y + t))" if dimension > 1 and rng.random() < 0.2 else ""
    chances = {e: rw.expression(f"{p}{varied}") for e, p in zip(steps, shares, strict=True)}
    start = (3.0,) * dimension if dimension > 1 else 3.0
    given: Any = {"steps": chances} if dimension > 1 else {"right": chances[1,], "left": chances[-1,]}
    return rw.LatticeWalk(**given, dx=1.0, dt=0.5, domain=domain, start=start, killing=0.05 * float(rng.integers(2)))


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("seed", range(10))
def test_laws_and_hitting_times_of_walks_drawn_at_random(seed: int, dimension: int) -> None:
    walk = drawn(seed, dimension)
    try:
        law = rw.pde.exact_law(walk, [4.0, 15.0])
    except ValueError as told:
        assert "where at most" in str(told)  # a wall asks for more than steps leave
        return
    left = sum(float(law.absorbed(exit, 15.0)) for exit in law.exits)
    assert left + float(law.survival(15.0)) == pytest.approx(1.0, abs=1e-13)
    plain = account(walk, law)
    assert plain.from_law(law) < 1e-13
    assert plain.from_hitting() < 1e-10
