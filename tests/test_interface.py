"""Itô walks across a jump of the diffusion: the law of skew Brownian motion, against closed forms and the solver.

Seeds are fixed; a comparison fails by chance with probability 1e-4, and there are about 20.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import randwalk as rw
from tests.walkers import walked

BY_CHANCE = 1e-4
N = 40_000
BELOW, ABOVE, PLACE = 0.2, 0.8, 0.5
JUMP = rw.expression(f"{BELOW} + {ABOVE - BELOW}*heaviside(x - {PLACE})")
POWER = {rw.Convention.ITO: -0.5, rw.Convention.STRATONOVICH: 0.0, rw.Convention.FICK: 0.5}


def _share(convention: rw.Convention) -> float:
    return ABOVE ** POWER[convention] / (ABOVE ** POWER[convention] + BELOW ** POWER[convention])


def _law(start: float, t: float, share: float) -> Callable[[Any], Any]:
    """The distribution function of the place for two half-lines, by images, from below: transmitted with `share`."""
    low, high = math.sqrt(2.0 * BELOW * t), math.sqrt(2.0 * ABOVE * t)
    away = (PLACE - start) / low
    below = stats.norm.cdf(-away) * share * 2.0

    def cdf(x: Any) -> Any:
        z = (x - PLACE) / np.where(x < PLACE, low, high)
        down = stats.norm.cdf(z + away) + (1.0 - 2.0 * share) * stats.norm.cdf(z - away)
        up = 1.0 - 2.0 * share * stats.norm.sf(z + away)
        return np.where(x < PLACE, down, np.maximum(up, 1.0 - below))

    return cdf


@pytest.mark.parametrize("convention", POWER)
@pytest.mark.parametrize("steps", [1, 4])
def test_two_half_lines_in_any_number_of_steps(convention: rw.Convention, steps: int) -> None:
    walk = rw.ItoWalk(0.0, JUMP, dt=1.0 / steps, convention=convention)
    (plane,) = walk.interfaces
    assert plane.place == PLACE and float(plane.share(0.0)) == pytest.approx(_share(convention))
    assert walk.drift[0](0.3) == 0.0
    x = walked(walk, N, steps).x[0]
    assert stats.kstest(x, _law(0.0, 1.0, _share(convention))).pvalue > BY_CHANCE


def test_a_fault_in_the_share_is_seen() -> None:
    x = walked(rw.ItoWalk(0.0, JUMP, dt=1.0, convention=rw.Convention.FICK), N, 1).x[0]
    assert stats.kstest(x, _law(0.0, 1.0, _share(rw.Convention.ITO))).pvalue < 1e-9


@pytest.mark.parametrize("convention", POWER)
def test_walls_and_a_drift_against_the_solver(convention: rw.Convention) -> None:
    """Also D that varies on either side, and the exits; the step is so short that its error is not seen."""
    diffusion = JUMP + rw.expression("0.1*x**2")
    domain = rw.Interval(-1.0, 2.0, rw.Absorbing(), rw.Reflecting())
    walk = rw.ItoWalk(rw.expression("0.3 - x"), diffusion, dt=1e-3, domain=domain, start=0.1, convention=convention)
    run = rw.simulate(walk, N, [0.5], seed=2, bins=np.linspace(-1.0, 2.0, 31), threads=1)
    solution = rw.pde.solve(rw.pde.limit(walk), times=[0.5])
    assert rw.validate.compare(run, solution).passed


def test_the_uniform_law_of_fick_stays() -> None:
    """Without a drift the uniform law is that of equilibrium, between reflecting walls and with a plane across y."""
    wall = rw.Reflecting()
    box = rw.Interval(0.0, 1.0, wall, wall) * rw.Interval(0.0, 1.0, wall, wall)
    layered = rw.expression("0.2 + 0.6*heaviside(y - 0.3)")
    walk = rw.ItoWalk(
        (0.0, 0.0), (0.3, layered), dt=0.01, domain=box, start=rw.Uniform((0, 0), (1, 1)), convention=rw.Convention.FICK
    )
    assert walk.interfaces[0].axis == 1
    run = rw.simulate(walk, N, [0.5], seed=3, bins=[np.linspace(0, 1, 6), np.linspace(0, 1, 11)], threads=1)
    assert stats.chisquare(run.counts[0].ravel()).pvalue > BY_CHANCE


def test_a_plane_that_depends_on_time_and_one_without_a_jump() -> None:
    walk = rw.ItoWalk(0.0, rw.expression("0.2 + t + heaviside(x - 0.5)"), dt=0.1, convention=rw.Convention.FICK)
    assert float(walk.interfaces[0].below(0.0, 2.0)) == pytest.approx(math.sqrt(2 * 2.2))
    assert float(walk.interfaces[0].above(0.0, 2.0)) == pytest.approx(math.sqrt(2 * 3.2))
    assert rw.ItoWalk(0.0, rw.expression("1 + abs(x)"), dt=0.1).interfaces == ()
    assert rw.ItoWalk(0.0, 0.5, dt=0.1).interfaces == ()


@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_units_change_nothing(unit: float) -> None:
    jump = rw.expression(f"{BELOW * unit**2} + {(ABOVE - BELOW) * unit**2}*heaviside(x - {PLACE * unit})")
    walk = rw.ItoWalk(0.3 * unit, jump, dt=0.25, convention=rw.Convention.FICK)
    ours = walked(rw.ItoWalk(0.3, JUMP, dt=0.25, convention=rw.Convention.FICK), 1000, 4).x[0]
    np.testing.assert_allclose(walked(walk, 1000, 4).x[0], ours * unit, rtol=1e-9, atol=1e-12 * unit)
