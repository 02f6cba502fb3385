"""The stream of walks in the plane and in space: paths and counts of sites against plain Python, and committed answers."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw

from . import naive, naive_space
from .naive_space import Place
from .space_walks import WALKS

ABSORB = rw.Absorbing()
SEED = 7
WALKERS = range(2**32 - 2, 2**32 + 2)  # across the two counter words that hold a walker's number
STEPS = (1, 10, 64, 100)


def places(walk: rw.LatticeWalk, walker: int) -> list[Place]:
    whole = naive_space.path(walk, walker, STEPS[-1], SEED)
    return [whole[n] for n in STEPS]


def outcome(n: int, a: int, b: int, words: tuple[int, ...]) -> int:
    """A draw of Binomial(n, a/b) by inversion, in exact fractions; the mean of the rarer outcome is below 10."""
    p = Fraction(min(a, b - a), b)
    assert n * p < 10
    u, k, below = Fraction((words[0] + 2**32 * words[1]) >> 11, 2**53), 0, (1 - p) ** n
    mass = below
    while below <= u and k < n:
        k += 1
        mass = mass * (n - k + 1) / k * p / (1 - p)
        below += mass
    return n - k if a > b - a else k


def occupied(walk: rw.LatticeWalk, walkers: int, steps: int) -> Counter[Place]:
    """How many walkers are on each site, and how many have taken each exit: a draw for every step from a site in turn."""
    key, axes = naive.key(SEED), len(walk.lattices)
    digits = {2: 24, 3: 16}[axes]
    (begun,) = {naive_space.start(walk, w, SEED) for w in range(3)}
    counts: Counter[Place] = Counter({begun: walkers})
    for n in range(steps):
        after: Counter[Place] = Counter()
        for site, left in counts.items():
            if isinstance(site, str):
                after[site] += left
                continue
            address = 0
            for k in site:
                address = address << digits | k % 2**digits
            *choices, (live, _), _ = naive_space.thresholds(walk, site, n)
            shares = [limit - below for (limit, _), (below, _) in zip(choices, [(0, site), *choices], strict=False)]
            rest = naive.FULL
            for draw, (share, end) in enumerate(
                zip([*shares, naive.FULL - live], [*(end for _, end in choices), "killing"], strict=True)
            ):
                counter = address % 2**32, n, draw << 16, 3 + 256 + ((address >> 32) << 16)
                taken = outcome(left, share, rest, naive.philox(counter, key)) if share and left else 0
                if taken:
                    assert end is not None
                    after[end] += taken
                left, rest = left - taken, rest - share
            after[site] += left
        counts = +after
    return counts


def found(walk: rw.LatticeWalk, ensemble: Any) -> Counter[Place]:
    """The walkers on each site, and those that have taken each exit, at the last time of a run."""
    layout = ensemble.table.layout
    cells = np.flatnonzero(ensemble.raw[-1])
    counts: Counter[Place] = Counter()
    numbers = np.array(layout.numbers(cells)).T.tolist()
    for cell, site in zip(cells.tolist(), numbers, strict=True):
        way = layout.exit_of[cell]
        counts[tuple(site) if way == 255 else layout.exits[way]] += int(ensemble.raw[-1, cell])
    return counts


@pytest.mark.parametrize("name", WALKS)
def test_paths_are_the_naive_ones(name: str) -> None:
    walk = WALKS[name]()
    wanted = [places(walk, walker) for walker in WALKERS]
    for i, n in enumerate(STEPS):
        ensemble = rw.simulate(walk, WALKERS, [n * walk.dt], seed=SEED, method="paths")
        assert found(walk, ensemble) == Counter(row[i] for row in wanted), n


@pytest.mark.parametrize("name", ["coins in the plane", "killed on a torus", "walls, an obstacle and a trap", "a box"])
def test_splits_are_the_naive_ones(name: str) -> None:
    walk = WALKS[name]()
    for steps in (1, 2, 12):
        ensemble = rw.simulate(walk, 19, [steps * walk.dt], seed=SEED, method="occupation")
        assert found(walk, ensemble) == occupied(walk, 19, steps)


def long_box(x: float) -> rw.LatticeWalk:
    domain = rw.Interval(0, 1001, ABSORB, ABSORB) * rw.Interval(0, 10, ABSORB, ABSORB)
    return rw.LatticeWalk(
        right=0.3, left=0.2, up=0.25, down=0.25, dx=1.0, dt=1.0, domain=domain, start=rw.Point((x, 5.0))
    )


def test_sites_whose_addresses_share_32_digits_draw_apart() -> None:
    """The low half of an address has 8 digits of the number along the first axis: sites 256 apart would split alike."""
    splits = [rw.simulate(long_box(x), 2**24, [1.0], seed=SEED, method="occupation").raw for x in (300.0, 556.0)]
    one, other = (sorted(raw[raw > 0].tolist()) for raw in splits)
    assert len(one) == len(other) == 4 and one != other
    assert found(long_box(900.0), rw.simulate(long_box(900.0), 19, [12.0], seed=SEED, method="occupation")) == occupied(
        long_box(900.0), 19, 12
    )


# ---------------------------------------------------------------- committed answers of this version of the stream

ANSWERS: dict[str, Any] = json.loads((Path(__file__).parent / "stream_answers.json").read_text())[
    "in the plane and in space"
]


def told(place: Place) -> list[int] | str:
    return place if isinstance(place, str) else list(place)


def answers() -> dict[str, Any]:
    """The committed answers, made anew: places of four walkers after STEPS, and 19 walkers counted after 12 steps."""
    paths = {name: [[told(p) for p in places(make(), w)] for w in WALKERS] for name, make in WALKS.items()}
    splits = {}
    for name in ("coins in the plane", "a box"):
        counts = occupied(WALKS[name](), 19, 12)
        splits[name] = sorted(([told(place), count] for place, count in counts.items()), key=str)
    return {"paths": paths, "splits": splits}


def test_every_walk_has_an_answer() -> None:
    assert set(ANSWERS["paths"]) == set(WALKS)


@pytest.mark.parametrize("name", WALKS)
def test_known_answers_of_the_stream(name: str) -> None:
    """If this fails, files of old runs no longer describe what the program does: raise STREAM_VERSION and write new answers."""
    walk, rows = WALKS[name](), ANSWERS["paths"][name]
    for i, n in enumerate(STEPS):
        ensemble = rw.simulate(walk, WALKERS, [n * walk.dt], seed=SEED, method="paths")
        assert found(walk, ensemble) == Counter(p if isinstance(p := row[i], str) else tuple(p) for row in rows)


@pytest.mark.parametrize("name", ANSWERS["splits"])
def test_known_splits_of_the_stream(name: str) -> None:
    """The same for counts of sites."""
    walk = WALKS[name]()
    ensemble = rw.simulate(walk, 19, [12 * walk.dt], seed=SEED, method="occupation")
    assert found(walk, ensemble) == {(p if isinstance(p, str) else tuple(p)): n for p, n in ANSWERS["splits"][name]}
