"""Runs of Itô walks that come to places where a coefficient or a record is none: who was where, and when."""

from __future__ import annotations

import re

import numpy as np
import pytest

import randwalk as rw
from randwalk import pde
from randwalk.problem import ProblemError, Source

DT = 0.0625


def told(message: str) -> tuple[int, float, float]:
    """(walker, place, time)."""
    found = re.search(r"walker (\d+) is at (\S+) at t = (\S+?)[;:]", message)
    assert found is not None, message
    return int(found[1]), float(found[2]), float(found[3])


def pushed(cube: float, speed: float, rate: float, start: float) -> rw.ItoWalk:
    """A walk along the drift, with hardly any noise, into a killing rate. (Numbers other than 0 and 1 are parameters of kernels:
    these walks share one.)"""
    drift = rw.expression("a*x**3 + b", a=cube, b=speed)
    return rw.ItoWalk(drift, noise=1e-9, dt=DT, start=start, killing=rw.expression("where(x > 2.46, k, 0.1)", k=rate))


def test_a_walker_that_is_thrown_out_is_told_when_that_happens() -> None:
    with pytest.raises(ValueError, match="take a smaller dt") as error:
        rw.simulate(pushed(4.0, 0.5, 0.2, 1.5), 64, [3.0], bins=4)
    x, steps = np.float64(1.5), 0
    with np.errstate(over="ignore"):
        while np.isfinite(x):
            x, steps = x + (4.0 * x * x * x + 0.5) * DT, steps + 1
    assert told(str(error.value))[1:] == (np.inf, steps * DT) and steps < 40


def test_a_killing_rate_that_is_none_is_told_with_the_walker_and_the_time() -> None:
    """The step of 1/32 over 2.46 is the 71st; the mean of the rates at its ends is negative."""
    with pytest.raises(ValueError, match="killing rate it met on its way is negative") as error:
        rw.simulate(pushed(1e-300, 0.5, -1.5, 0.25), 64, [8.0], bins=4)
    walker, place, time = told(str(error.value))
    assert walker < 64 and time == 4.4375 and place == pytest.approx(0.25 + 0.5 * time, abs=1e-6)


@pytest.mark.parametrize(
    ("drift", "diffusion", "name"),
    [
        ("0", "20 + x", "diffusion"),
        ("0", "where(t > 0.71, where(t > 0.9, 1, -0.1), 1)", "diffusion"),
        ("log(20 + x) - 3", "20", "drift"),
    ],
)
def test_a_coefficient_that_is_none_far_away_or_late_is_named_with_its_place(
    drift: str, diffusion: str, name: str
) -> None:
    """The place is that before the step, after which it is no number: where the walker was, and the formula says the rest."""
    walk = rw.ItoWalk(rw.expression(drift), rw.expression(diffusion), dt=DT)
    with pytest.raises(ValueError, match=rf"it came from \S+, where {name} = ") as error:
        rw.simulate(walk, 1000, [4.0], bins=4)
    _, _, after = told(str(error.value))
    found = re.search(rf"it came from (\S+), where {name} = (\S+) at t = (\S+):", str(error.value))
    assert found is not None
    place, value, time = map(float, found.groups())
    assert time == pytest.approx(after - DT)
    with np.errstate(invalid="ignore"):
        declared = float(rw.expression(drift if name == "drift" else diffusion)(place, time))
    assert value == pytest.approx(declared, rel=2e-2, nan_ok=True) and not value > 0.0


def test_walkers_of_finished_batches_are_in_the_error() -> None:
    """Of a place that one walker in some 100 000 comes to: those of the batches before, as a run of them alone gives them."""
    walk = rw.ItoWalk(0.0, 0.5, dt=0.25, killing=rw.expression("where(x > 8.5, -1, 0)"))
    with pytest.raises(
        ValueError, match=r"walker \d+ is at 8\.\d+ at t = 3\.5; it came from 8\.\d+: the killing rate"
    ) as error:
        rw.simulate(walk, 1_000_000, [4.0], bins=8)
    walker, _, _ = told(str(error.value))
    kept = error.value.ensemble  # type: ignore[attr-defined]
    assert 0 < kept.walkers <= walker
    alone = rw.simulate(walk, kept.walkers, [4.0], bins=kept.bins.edges[0])
    assert (kept.counts == alone.counts).all() and f"{kept.walkers:,} walkers" in error.value.__notes__[0]


def test_a_value_that_is_no_number_somewhere_keeps_what_was_reached() -> None:
    """At the second of three points, where about one walker in 300 000 meets a root of a negative number."""
    heat, payoff = pde.FokkerPlanck(0.0, 0.5), rw.expression("sqrt(x + 4.5)")
    with pytest.raises(ValueError, match=r"walker \d+, at x = -4\.\d+ at t = 1, counts nan") as error:
        pde.expectation(heat, payoff, np.array([6.0, 0.0, 6.0]), 1.0, walkers=1_000_000, dt=0.25)
    reached = error.value.reached  # type: ignore[attr-defined]
    assert reached.walkers[0] == 1_000_000 and 4096 <= reached.walkers[1] < 1_000_000 and reached.walkers[2] == 0
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    assert abs(reached[0].z(np.sqrt(10.5 + nodes) @ weights / weights.sum())) < 4.5
    assert "none of whom met it" in error.value.__notes__[0]


def test_a_function_that_raises_keeps_what_was_reached() -> None:
    def paid(x: float) -> float:
        for _ in range(1):
            if x > 4.0:
                raise RuntimeError("too far")
        return x

    with pytest.raises(ValueError, match="raises RuntimeError where walkers came: too far") as error:
        pde.expectation(pde.FokkerPlanck(0.0, 0.5), paid, 0.0, 1.0, walkers=1_000_000, dt=0.25)
    assert abs(error.value.reached.z(0.0)) < 4.5  # type: ignore[attr-defined]


def test_a_value_blames_the_killing_rate_and_not_the_payoff() -> None:
    equation = pde.FokkerPlanck(1.0, 1e-4, killing=rw.expression("where(x > 2.46, -1.0, 0.1)"))
    with pytest.raises(ValueError, match=r"killing: the rate that walker \d+ met on its way to \d.* is negative"):
        pde.expectation(equation, 1.0, 0.0, 4.0, walkers=4096, dt=DT)


def test_an_average_that_is_no_number_is_told_with_the_walker() -> None:
    walk = rw.ItoWalk(0.0, 0.5, dt=DT, start=1.0)
    with pytest.raises(ValueError, match=r"record = Average\(log\(x\)\): log\(x\) is nan where walker") as error:
        rw.simulate(walk, 2000, [0.5, 4.0], record=[rw.Average(rw.expression("log(x)"))], bins=4)
    walker, place, time = told(str(error.value))
    assert rw.trajectories(walk, range(walker, walker + 1), [time]).x[0, 0] == pytest.approx(place, rel=1e-5)
    assert place < 0.0


def test_a_file_of_the_plane_with_one_axis_says_which_are_missing() -> None:
    text = """
[walk]
drift = ["-x", "-y", "0"]
diffusion = 0.5
dx = 0.1
[domain]
x = {low = -1.0, high = 1.0, left = "absorbing", right = "absorbing"}
[run]
times = [0.1]
"""
    with pytest.raises(
        ProblemError, match=r"6: \[domain\] has one axis, and \[walk\] steps along 3: .* y = \{\}, z = \{\}"
    ):
        rw.Problem.of(Source.parse(text, "mine"))


@pytest.mark.parametrize("sites", [6, 7, 11])
def test_a_probability_to_return_is_at_most_one(sites: int) -> None:
    for right in np.linspace(0.05, 0.6, 23):
        ring = rw.LatticeWalk(right=float(right), left=0.35, dx=1.0, domain=rw.Ring(0.0, sites))
        assert 1.0 - 1e-12 < float(pde.return_time(ring, 3.0).probability) <= 1.0
