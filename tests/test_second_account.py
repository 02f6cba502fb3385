"""The second account of lattice walks: agrees with the exact law to rounding, and with dictionaries from places to
probabilities; sees what both walk and law have wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.validate.convergence import Convergence
from randwalk.validate.plain import AGREED, NotCovered, PlainWalk, difference

from . import naive_master

ABSORB, REFLECT, HALF = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(0.8)
X = "0.4 + 0.1*sin(3*x - 4*t)"
WALKS: dict[str, Any] = {
    "probabilities that vary": lambda: rw.LatticeWalk(
        rw.expression("0.3 + 0.1*tanh(x)"), 0.4, dx=0.5, dt=0.1, killing=rw.expression("0.2 + 0.1*x**2"), start=0.7
    ),
    "a ring": lambda: rw.LatticeWalk(0.45, 0.2, sites=9, dt=0.2, domain=rw.Ring(0.0, 2.0), start=rw.Uniform(0.1, 0.9)),
    "between two walls": lambda: rw.LatticeWalk.from_drift(
        0.7, 0.5, sites=14, domain=rw.Interval(0.0, 1.0, ABSORB, HALF), start=rw.Sites([0.2, 0.55], [0.25, 0.75])
    ),
    "Fick, all varying": lambda: rw.LatticeWalk.from_drift(
        rw.expression("cos(x - t)"), rw.expression(X), sites=12, domain=rw.Interval(0.0, 1.0, REFLECT, HALF), start=0.5,
        convention=rw.Convention.FICK, times=[0.05],
    ),
    "fitted": lambda: rw.LatticeWalk.from_drift(
        20.0, 0.5, sites=10, domain=rw.Interval(0.0, 1.0, REFLECT, ABSORB), start=0.3, rule=rw.Rule.FITTED
    ),
    "a plane": lambda: rw.LatticeWalk.from_drift(
        (0.5, -0.2), (0.5, 0.3), sites=(8, 7), domain=rw.Interval(0.0, 1.0, ABSORB, REFLECT) * rw.Ring(0.0, 1.0),
        start=(0.4, 0.5), killing=0.5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WALKS)
def test_agrees_with_the_law_and_with_dictionaries(name: str) -> None:
    walk = WALKS[name]()
    steps = 7
    law = rw.pde.exact_law(walk, [steps * walk.dt])
    assert difference(walk, law, {}, None) < 1e-13
    plain = PlainWalk(walk, tuple(np.asarray(axis) for axis in law.table.axes))
    gone: dict[str, float] = {}
    mass = begun = plain.start(gone)
    for n in range(steps):
        mass = plain.advanced(mass, plain.made(n * walk.dt), gone)
    first = law.table.layout.first
    places = [tuple(int(k) + low for k, low in zip(at, first, strict=True)) for at in np.argwhere(begun > 0.0)]
    start: naive_master.Law = dict(zip(places, begun[begun > 0.0].tolist(), strict=True))
    if name == "Fick, all varying":  # dictionaries know walls for D that does not vary
        return
    known = naive_master.law(walk, start, steps)
    for at in np.argwhere(mass > 1e-300):
        place = tuple(int(k) + low for k, low in zip(at, first, strict=True))
        assert mass[tuple(at)] == pytest.approx(known.get(place, 0.0), abs=1e-14)
    for exit in ("left", "killing"):
        assert gone.get(exit, 0.0) == pytest.approx(known.get(exit, 0.0), abs=1e-14)


def test_a_law_of_another_walk_differs() -> None:
    bounds = rw.Interval(0.0, 1.0, ABSORB, ABSORB)
    one, other = (rw.LatticeWalk(0.3, p, sites=9, dt=1.0, domain=bounds, start=0.5) for p in (0.3, 0.3 + 1e-9))
    assert difference(one, rw.pde.exact_law(other, [5.0]), {}, None) > AGREED
    assert difference(one, rw.pde.exact_law(one, [5.0]), {}, None) < 1e-13


def test_what_it_does_not_cover_is_not_judged() -> None:
    diagonal = rw.LatticeWalk(steps={(1, 1): 0.5, (-1, -1): 0.5}, dx=1.0, dt=1.0)
    law = rw.pde.exact_law(diagonal, [3.0])
    with pytest.raises(NotCovered, match="steps of the user's"):
        PlainWalk(diagonal, law.table.axes)
    assert math.isnan(difference(diagonal, law, {}, None))
    assert Convergence("", (0.1, 0.05), (1e-3, 2.5e-4)).passed
    assert not Convergence("", (0.1, 0.05), (1e-3, 2.5e-4), apart=2.0 * AGREED).passed
