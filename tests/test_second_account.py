"""The second account of lattice walks: agrees with the exact law to rounding, and with dictionaries from places to
probabilities; sees what both walk and law have wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.validate.convergence import Convergence
from randwalk.validate.faults import LIBRARY, planting
from randwalk.validate.plain import AGREED, NotCovered, PlainWalk, difference
from randwalk.validate.plain_sites import PlainSites

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
    "shared steps, a trap and an obstacle across the ends of a ring": lambda: rw.LatticeWalk.from_drift(
        (0.5, -0.3), (0.5, 0.4), sites=(10, 12), neighbourhood=rw.VonNeumann(),
        start=rw.Atoms([(0.52, 0.5), (0.7, 0.6)], [0.3, 0.7]),
        domain=(rw.Ring(0.0, 1.0) * rw.Interval(0.0, 1.0, ABSORB, REFLECT)).without(rw.Ball((0.05, 0.8), 0.15), HALF, name="trap")
        .without(rw.Ball((0.5, 0.3), 0.15) & rw.HalfSpace((1.0, 1.0), 0.75), REFLECT, name="stone"),
    ),
    "a disc, walkers everywhere": lambda: rw.LatticeWalk.from_drift(
        0, 0.5, sites=(9, 8), start=rw.Everywhere(),
        domain=(rw.Interval(0.0, 1.0, REFLECT, REFLECT) ** 2).without(~rw.Ball((0.5, 0.5), 0.42), ABSORB, name="rim"),
    ),
    "a tensor beside walls of all kinds": lambda: rw.LatticeWalk.from_drift(
        (0.5, -0.2, 0.1), ((0.5, 0.1, -0.05), (0.1, 0.5, 0.12), (-0.05, 0.12, 0.6)), sites=(5, 4, 4), start=(0.4, 0.5, 0.3),
        domain=rw.Interval(0.0, 1.0, REFLECT, HALF) * rw.Interval(0.0, 1.0, HALF, ABSORB) * rw.Ring(0.0, 1.0),
    ),
    "steps of the user's, some across corners": lambda: rw.LatticeWalk(
        steps={(1, 1): 0.1, (-1, -1): 0.15, (1, -1): 0.1, (1, 0): 0.2, (-1, 0): 0.25}, sites=(6, 5), dt=0.01,
        domain=rw.Interval(0.0, 1.0, ABSORB, ABSORB) ** 2, start=(0.5, 0.5),
    ),
    "steps of the user's, none straight across two walls that absorb in part": lambda: rw.LatticeWalk(
        steps={(1, 0): 0.3, (-1, 0): 0.2, (-1, 1): 0.2, (1, -1): 0.15, (1, 1): 0.05}, sites=(4, 5), dt=0.01,
        domain=rw.Interval(0.0, 1.0, REFLECT, ABSORB) * rw.Interval(0.0, 1.0, HALF, HALF), start=(0.5, 0.5),
    ),
    "diagonal steps alone": lambda: rw.LatticeWalk(
        steps={(1, 1): 0.3, (-1, -1): 0.2, (-1, 1): 0.2, (1, -1): 0.2}, sites=(4, 5), dt=0.01,
        domain=rw.Interval(0.0, 1.0, HALF, REFLECT) * rw.Interval(0.0, 1.0, HALF, ABSORB), start=(0.5, 0.5),
    ),
    "Stratonovich, fitted, all varying": lambda: rw.LatticeWalk.from_drift(
        (rw.expression("cos(y - t)"), rw.expression("x")), (rw.expression(X), rw.expression("0.3 + 0.1*x*y")), sites=(8, 7),
        domain=rw.Interval(0.0, 1.0, REFLECT, HALF) * rw.Interval(0.0, 1.0, HALF, ABSORB), start=(0.5, 0.4),
        convention=rw.Convention.STRATONOVICH, rule=rw.Rule.FITTED, times=[0.05],
    ),
    "Fick, a tensor that varies": lambda: rw.LatticeWalk.from_drift(
        (0.2, 0.1), ((rw.expression(X), rw.expression("0.1*cos(3*x + 2*y)")), (rw.expression("0.1*cos(3*x + 2*y)"), 0.5)),
        sites=(8, 8), domain=rw.Interval(0.0, 1.0, REFLECT, HALF) * rw.Ring(0.0, 1.0), start=(0.5, 0.4),
        convention=rw.Convention.FICK, rule=rw.Rule.FITTED, times=[0.05],
    ),
    "jumps in place and in time": lambda: rw.LatticeWalk.from_drift(
        rw.expression("heaviside(t - 0.003)*heaviside(0.006 - t)"), rw.expression("0.5 + 0.2*heaviside(x - 0.52)"), sites=12,
        killing=rw.expression("heaviside(t - 0.004)"), domain=rw.Ring(0.0, 1.0), start=0.5, convention=rw.Convention.FICK,
    ),
}  # fmt: skip
# Dictionaries know one convention, and walls for a D that rests.
BY_DICTIONARIES = set(list(WALKS)[:12]) - {"Fick, all varying"}
RING = "shared steps, a trap and an obstacle across the ends of a ring"


@pytest.mark.parametrize("name", WALKS)
def test_agrees_with_the_law_and_with_dictionaries(name: str) -> None:
    walk = WALKS[name]()
    steps = 7
    law = rw.pde.exact_law(walk, [steps * walk.dt])
    plain = account(walk, law)
    assert plain.from_law(law) < 1e-13 and plain.from_hitting() < 1e-12
    if name not in BY_DICTIONARIES:
        return
    gone: dict[str, float] = {}
    mass = begun = plain.start(gone)
    for n in range(steps):
        mass = plain.advanced(mass, plain.made(n * walk.dt), gone)
    first = law.table.layout.first
    places = [tuple(int(k) + low for k, low in zip(at, first, strict=True)) for at in np.argwhere(begun > 0.0)]
    start: naive_master.Law = dict(zip(places, begun[begun > 0.0].tolist(), strict=True))
    known = naive_master.law(walk, start, steps)
    for at in np.argwhere(mass > 1e-300):
        place = tuple(int(k) + low for k, low in zip(at, first, strict=True))
        assert mass[tuple(at)] == pytest.approx(known.get(place, 0.0), abs=1e-14)
    for exit in (*walk.domain.exits, "killing"):
        assert gone.get(exit, 0.0) == pytest.approx(known.get(exit, 0.0), abs=1e-14)


def account(walk: rw.LatticeWalk, law: Any) -> PlainWalk:
    axes = tuple(np.asarray(axis) for axis in law.table.axes)
    return PlainWalk(PlainSites(walk, axes, (law.steps[-1] + 1) * walk.dt))


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("a diagonal across a corner for the other axis, in walk and law", "steps of the user's, some across corners"),
        ("a site of a region open, in walk and law", RING),
        ("a region a site too far out, in walk and law", RING),
        ("the sign of the mixed term", "a tensor beside walls of all kinds"),
        ("the sign of the mixed term", "Fick, a tensor that varies"),
        ("Fick's form in place of Stratonovich's", "Stratonovich, fitted, all varying"),
        ("the steps along a reflecting face left out", "a tensor beside walls of all kinds"),
        ("a diffusion that only walks see at time 0 for ever", "Fick, all varying"),
    ],
)
def test_sees_what_walk_and_law_have_wrong(fault: str, name: str) -> None:
    with planting() as patch:
        LIBRARY[fault].plant(patch)
        walk = WALKS[name]()
        law = rw.pde.exact_law(walk, [30 * walk.dt])
        assert account(walk, law).from_law(law) > 1e-7


def test_a_law_of_another_walk_differs() -> None:
    bounds = rw.Interval(0.0, 1.0, ABSORB, ABSORB)
    one, other = (rw.LatticeWalk(0.3, p, sites=9, dt=1.0, domain=bounds, start=0.5) for p in (0.3, 0.3 + 1e-9))
    assert difference(one, rw.pde.exact_law(other, [5.0]), {}, None) > AGREED
    assert difference(one, rw.pde.exact_law(one, [5.0]), {}, None) < 1e-13


def test_what_it_does_not_cover_is_not_judged() -> None:
    moving = rw.LatticeWalk.from_drift(rw.expression("heaviside(x - t)"), 0.5, dx=0.1, times=[0.1])
    law = rw.pde.exact_law(moving, [0.1])
    with pytest.raises(NotCovered, match="breaks that move"):
        account(moving, law).made(0.0)
    assert math.isnan(difference(moving, law, {}, None))
    assert Convergence("", (0.1, 0.05), (1e-3, 2.5e-4)).passed
    assert not Convergence("", (0.1, 0.05), (1e-3, 2.5e-4), apart=2.0 * AGREED).passed
