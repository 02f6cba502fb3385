"""Errors and warnings blame what the user gave, where it is, and nothing that holds: names, places, and what is kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import pde

HEAT = pde.FokkerPlanck(0.0, 0.5)


def beyond(x: Any) -> Any:
    """A drift that is no number to the left."""
    return np.where(x < -0.3, np.nan, 1.0)


def test_a_drift_of_a_reduction_is_blamed_by_its_name_and_on_the_axes_of_the_equation() -> None:
    """The weight of such walks is one more coordinate, of which the user knows nothing."""
    with pytest.raises(ValueError, match=r"^Drift: drift = nan at x = -[\d.]+, t = 0: must be a finite number"):
        pde.expectation(HEAT, 1.0, 0.0, 1.0, dt=0.25, walkers=100, reduction=pde.Drift(beyond))
    plane = pde.FokkerPlanck((0.0, 0.0), 0.5)
    part = (0.0, lambda x, y: beyond(y))
    with pytest.raises(ValueError, match=r"^Drift: drift\[1\] = nan at x = \S+, y = -[\d.]+, t = 0: must be"):
        pde.expectation(plane, 1.0, (0.0, 0.0), 1.0, dt=0.25, walkers=100, reduction=pde.Drift(part))


def test_a_payoff_is_blamed_on_the_axes_of_the_equation() -> None:
    """At the root of a negative number, with the weight as one more coordinate of the walkers."""
    with pytest.raises(ValueError, match=r"^walker \d+, at x = -\d\.\d+ at t = 1, counts nan"):
        pde.expectation(HEAT, rw.expression("sqrt(x + 1)"), 0.0, 1.0, dt=0.25, walkers=1000, reduction=pde.Drift(0.1))


@pytest.mark.parametrize(("payoff", "mean"), [("x", math.exp(-1.0)), ("2*x + 1", 1.0 + 2.0 * math.exp(-1.0))])
def test_a_control_that_is_the_payoff_is_named(payoff: str, mean: float) -> None:
    """The value is the known mean e⁻¹ of the Ornstein–Uhlenbeck process; the walkers are not said to count the same."""
    process = pde.FokkerPlanck(rw.expression("-x"), 0.5)
    control = pde.Control(rw.expression(payoff), mean)
    with pytest.warns(UserWarning, match=r"affine function of the payoff of reduction = Control\(\.\.\.\)") as told:
        value = pde.expectation(process, rw.expression("x"), 1.0, 1.0, dt=0.125, walkers=1000, reduction=control)
    assert len(told) == 1 and "count the same" not in str(told[0].message)
    assert abs(float(value.value) - math.exp(-1.0)) < 1e-12
    remedy = pde.expectation(process, rw.expression("x"), 1.0, 1.0, dt=0.125, walkers=1000)  # no warning is an error
    assert abs(remedy.z(math.exp(-1.0))) < 4.5 and remedy.statistical > 0.0


def test_a_place_that_other_walkers_meet_stops_nobody() -> None:
    """Bins are laid by walkers of seed 0, of which one comes beyond 2; of these three none does."""
    walk = rw.ItoWalk(0.0, 0.5, dt=2.0**-6, killing=rw.expression("where(x > 2, -1, 0)"))
    with pytest.raises(ValueError, match="the killing rate"):
        rw.trajectories(walk, 1000, [0.5, 1.0], seed=0)
    paths = rw.trajectories(walk, 3, [0.5, 1.0], seed=1)
    free = rw.trajectories(rw.ItoWalk(0.0, 0.5, dt=2.0**-6), 3, [0.5, 1.0], seed=1)
    assert (paths.x == free.x).all() and (paths.x < 2.0).all()


SLOPE = 1.0


def sliding(x: Any) -> Any:
    return -SLOPE * x


def test_walkers_are_said_to_have_met_only_what_walkers_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A global that changed is refused before anything runs, and met by nobody."""
    walk = rw.LatticeWalk.from_drift(sliding, 0.5, dx=0.5, dt=0.125, start=0.0)
    run = rw.simulate(walk, 10, [0.5])
    monkeypatch.setitem(globals(), "SLOPE", 2.0)
    with pytest.raises(ValueError, match="reads SLOPE, which changed after the walk was declared") as error:
        run.extend(20)
    assert not getattr(error.value, "__notes__", []) and not hasattr(error.value, "ensemble")


def test_a_linear_drift_is_one_declaration_for_walks_and_equations() -> None:
    """The mean of the Ornstein–Uhlenbeck process is A⁻¹ (exp(At) - 1) b from 0, with A [[-1, ½], [0, -1]]: exp(At) is
    e⁻ᵗ [[1, t/2], [0, 1]]."""
    drift = rw.Linear([[-1.0, 0.5], [0.0, -1.0]], [0.25, 1.0])
    equation = pde.FokkerPlanck(drift, 0.5)
    walk = rw.ItoWalk(drift, 0.5, dt=0.125)
    assert pde.limit(walk) == equation and pde.walk_for(equation, dt=0.125) == walk
    assert rw.LatticeWalk.from_drift(drift, 0.5, dx=0.5) == pde.walk_for(equation, dx=0.5)
    matrix, power = drift.matrix, math.exp(-1.0) * np.array([[1.0, 0.5], [0.0, 1.0]])
    mean = np.linalg.solve(matrix, (power - np.eye(2)) @ drift.intercept)
    np.testing.assert_allclose(pde.closed_form(equation).mean(1.0), mean, rtol=1e-12)
    for make in (lambda: pde.FokkerPlanck(drift, 0.5, domain=rw.Line()), lambda: walk.with_start((0.0, 0.0, 0.0))):
        with pytest.raises(ValueError):
            make()
    for make in (
        lambda: pde.FokkerPlanck(drift, 0.5, start=(0.0,) * 3),
        lambda: rw.ItoWalk(drift, 0.5, dt=1.0, start=(0.0,) * 3),
    ):
        with pytest.raises(ValueError, match="has 2 components, and the domain has 3 dimensions: give one an axis"):
            make()
