"""One wall in one step: the device functions of the bridge against closed forms, for constant coefficients and any step.

Every test draws fixed numbers and would fail by chance, if those were drawn anew, at most about once in 1000 runs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import stats
from scipy.special import ndtri

import randwalk as rw
from randwalk.kernels import wall
from randwalk.model.wall import Wall

N = 50_000
BY_CHANCE = 1e-4  # of one comparison; the tests below make less than 60
D, T = 0.5, 0.8


@njit
def _steps(d0, d1, s2, reactivity, diffusion, words):  # type: ignore[no-untyped-def]
    """(whether gone, part of the step until then, distance at the end) of walkers between two distances."""
    gone, part, end = np.zeros(d1.size, np.bool_), np.ones(d1.size), d1.copy()
    for i in range(d1.size):
        if not wall.may_reach(d0[i], d1[i], s2):
            continue
        m = wall.lowest(d0[i], d1[i], s2, wall.unit(words[i, 0]))
        below = wall.depth(reactivity, diffusion, wall.unit(words[i, 1]))
        gone[i] = m < -below
        end[i] = d1[i] + max(0.0, -m)
        if gone[i]:
            z = wall.quantile(wall.unit(words[i, 2]))
            part[i] = wall.passage(d0[i] + below, d1[i] + below, s2, z, wall.unit(words[i, 3]))
    return gone, part, end


def _walked(seed: int, start: float, drift: float, reactivity: float, steps: int) -> tuple[Any, Any]:
    """(time of leaving or inf, place at the end) of walkers above a wall at 0, by the device functions."""
    rng = np.random.default_rng(seed)
    dt = T / steps
    place, left = np.full(N, start), np.full(N, math.inf)
    for step in range(steps):
        words = rng.integers(0, 2**32, (N, 4), dtype=np.uint64)
        moved = place + drift * dt + math.sqrt(2.0 * D * dt) * rng.standard_normal(N)
        gone, part, place = _steps(place, moved, 2.0 * D * dt, reactivity, D, words)
        left = np.where((left == math.inf) & gone, (step + part) * dt, left)
    return left, place


def _form(wall_: Wall, drift: float, start: float) -> Any:
    domain = rw.Interval(0.0, math.inf, wall_)
    return rw.pde.closed_form(rw.pde.FokkerPlanck(drift, D, domain=domain, start=start))


WALLS: dict[str, Wall] = {
    "absorbing": rw.Absorbing(),
    "reflecting": rw.Reflecting(),
    "partly": rw.PartiallyAbsorbing(1.5),
}


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("drift", [0.0, -1.3, 0.9])
@pytest.mark.parametrize("kind", WALLS)
def test_any_number_of_steps_has_the_law_of_the_closed_form(kind: str, drift: float, steps: int) -> None:
    """Survival, law of the time of leaving, and law of the place of those that stay."""
    form, reactivity = _form(WALLS[kind], drift, 0.6), WALLS[kind].reactivity
    left, place = _walked(1, 0.6, drift, reactivity, steps)
    stay = left == math.inf
    survival = float(form.survival(T))
    assert stats.binomtest(int(stay.sum()), N, min(survival, 1.0)).pvalue > BY_CHANCE
    room = np.linspace(0.0, 8.0, 1601)
    inside = stats.kstest(place[stay], lambda x: np.interp(x, room, form.cdf(room, T)) / survival)
    assert inside.pvalue > BY_CHANCE
    if reactivity > 0.0:
        grid = np.linspace(0.0, T, 401)[1:]
        lost = np.concatenate([[0.0], 1.0 - np.asarray(form.survival(grid))])
        times = stats.kstest(left[~stay], lambda t: np.interp(t, np.append(0.0, grid), lost) / lost[-1])
        assert times.pvalue > BY_CHANCE


def test_quantile_of_all_words_is_the_normal_one() -> None:
    words = np.concatenate([[0, 1, 2, 2**31 - 1, 2**31, 2**32 - 1], np.random.default_rng(2).integers(0, 2**32, 500)])
    u = (words.astype(float) + 0.5) / 2.0**32
    got = np.array([wall.quantile(value) for value in u])
    assert np.abs(got / ndtri(u) - 1.0).max() < 2e-15


def test_words_beyond_the_reach_change_nothing() -> None:
    """The largest product of distances that the smallest uniform can bridge is within the limit, by a little."""
    smallest = 0.5 / 2.0**32
    assert -0.5 * math.log(smallest) < wall.REACH < -0.51 * math.log(smallest)
    for d0, d1 in ((1.0, 11.51), (1e-3, 1.2e4), (3.4, 3.4)):
        assert not wall.may_reach(d0, d1, 1.0) and wall.lowest(d0, d1, 1.0, smallest) > 0.0
    assert wall.lowest(1.0, 11.4, 1.0, smallest) < 0.0


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e9])
def test_units_of_length_change_nothing(unit: float) -> None:
    word = np.array([[2**30, 2**29, 2**31 + 7, 2**20]], dtype=np.uint64)
    whole = _steps(np.array([0.6]), np.array([0.1]), 0.8, 1.5, 0.5, word)
    scaled = _steps(np.array([0.6 * unit]), np.array([0.1 * unit]), 0.8 * unit**2, 1.5 * unit, 0.5 * unit**2, word)
    assert whole[0] == scaled[0] and scaled[1] == pytest.approx(whole[1], rel=1e-12)
    assert scaled[2] == pytest.approx(whole[2] * unit, rel=1e-12)


def test_passage_of_a_bridge_that_ends_on_the_wall_or_starts_there() -> None:
    assert wall.passage(0.0, -1.0, 1.0, 0.3, 0.5) == 0.0
    z = np.random.default_rng(3).standard_normal(N)
    times = np.array([wall.passage(0.7, 0.0, 2.0, value, 0.5) for value in z[:2000]])
    # v = d0²/(s² z²): the law of Lévy
    assert stats.kstest(times / (1.0 - times), stats.levy(scale=0.7**2 / 2.0).cdf).pvalue > BY_CHANCE


@njit
def _told(d0, d1, s2, words):  # type: ignore[no-untyped-def]
    """(whether the bridge reaches the wall, whether it may by the leading digits of its word) of steps."""
    reaches, may = np.zeros(d0.size, np.bool_), np.zeros(d0.size, np.bool_)
    for i in range(d0.size):
        may[i] = wall.may_be_reached(wall.clearance(d0[i], d1[i], s2[i]), words[i])
        if wall.may_reach(d0[i], d1[i], s2[i]):
            reaches[i] = wall.lowest(d0[i], d1[i], s2[i], wall.unit(words[i])) < 0.0
    return reaches, may


def test_bridges_that_reach_a_wall_are_never_ruled_out_and_few_others_are_not() -> None:
    """Also where the drift of a step is far above its noise, and in units of any size; words are half uniform, half small."""
    rng = np.random.default_rng(5)
    words = rng.integers(0, 2**32, 2 * N, dtype=np.uint64) >> np.where(
        np.arange(2 * N) % 2, rng.integers(0, 32, 2 * N), 0
    ).astype(np.uint64)
    scale = 10.0 ** rng.uniform(-9.0, 9.0, 2 * N)
    for drift in (0.0, 5.0, 1e5):
        d0 = rng.exponential(1.0 / (1.0 + drift), 2 * N)
        d1 = d0 + drift + rng.standard_normal(2 * N)
        reaches, may = _told(scale * d0, scale * d1, scale * scale, words)
        assert reaches.sum() > 1000
        assert not (reaches & ~may).any()
        assert may.sum() <= 1.1 * reaches.sum()
    nothing = np.zeros(1)
    assert _told(nothing, np.array([-1.0]), nothing, words[:1])[1].all()  # without noise, beyond the wall
