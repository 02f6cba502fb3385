"""Values without time by walks until everybody has left, against closed forms and quadrature. A comparison allows 4 standard
errors and the step error: one in 16 000 seeds would fail, and seeds are fixed.

Numbers other than 0 and 1 are parameters of kernels: all equations on the interval share one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import randwalk as rw
from randwalk import pde

A, R = rw.Absorbing(), rw.Reflecting()
INF = math.inf
D = 0.4


def restoring(a: float, k: float, left: Any = A, right: Any = A) -> pde.FokkerPlanck:
    """The drift a - k x on (-1, 1)."""
    drift = rw.expression(f"{a!r} - {k!r}*x")
    return pde.FokkerPlanck(drift, D, domain=rw.Interval(-1.0, 1.0, left, right), start=0.3)


def scale(a: float, k: float, low: float, high: float) -> float:
    """∫ s(y) dy, s = exp(-∫ drift/D): of the scale function."""
    return float(quad(lambda y: math.exp((0.5 * k * y * y - a * y) / D), low, high)[0])


def mean_time(a: float, k: float, x: float) -> float:
    """Of the exit from (-1, 1): T = -∫ s m + c ∫ s by two integrations of D T'' + (a - k y) T' = -1 (Gardiner 2009, 5.5)."""

    def particular(z: float) -> float:  # ∫_{-1}^z s(y) ∫_{-1}^y 1/(D s) du dy
        def inner(y: float) -> float:
            speed = quad(lambda u: math.exp((a * u - 0.5 * k * u * u) / D), -1.0, y)[0] / D
            return float(math.exp((0.5 * k * y * y - a * y) / D) * speed)

        return float(quad(inner, -1.0, z)[0])

    return particular(1.0) * scale(a, k, -1.0, x) / scale(a, k, -1.0, 1.0) - particular(x)


def agrees(found: pde.Expectation, exact: float) -> None:
    assert abs(float(found) - exact) <= 4.0 * float(found.statistical) + float(found.step), (found, exact)


def test_brownian_motion_with_drift() -> None:
    """T = (1 - x)/a - (2/a) (e^(-ax/D) - e^(-a/D))/(e^(a/D) - e^(-a/D)) with 1e-12 x of drift, which is nothing."""
    a, x = 0.9, 0.2
    e = [math.exp(-a * y / D) for y in (x, 1.0, -1.0)]
    exact = (1.0 - x) / a - 2.0 / a * (e[0] - e[1]) / (e[2] - e[1])
    assert exact == pytest.approx(mean_time(a, 0.0, x))  # of the quadrature
    found = pde.expectation(restoring(a, 1e-12), 0.0, x, INF, source=3.0, boundary=2.0, tolerance=0.02)
    agrees(found, 2.0 + 3.0 * exact)
    assert float(found.error) <= 0.02 and found.method == "walk"
    by_then = pde.expectation(restoring(a, 1e-12), 0.0, x, 12.0, source=3.0, boundary=2.0, tolerance=0.05)
    agrees(by_then, 2.0 + 3.0 * exact)  # exp(-(π²D/4 + a²/4D) 12) = 2e-8 are inside


FICK, STRATONOVICH = rw.Convention.FICK, rw.Convention.STRATONOVICH
SMOOTH, JUMPING = rw.expression("0.5 + x**2"), rw.expression("where(x >= 0.4, 2, 0.5)")


@pytest.mark.parametrize(
    ("convention", "diffusion", "reduction"),
    [
        (FICK, SMOOTH, pde.Antithetic()),
        (STRATONOVICH, SMOOTH, pde.Antithetic()),
        (FICK, SMOOTH, pde.Drift(0.3)),
        (FICK, JUMPING, None),
        (STRATONOVICH, JUMPING, pde.Antithetic()),
    ],
)
def test_exit_in_every_convention(convention: rw.Convention, diffusion: Any, reduction: Any) -> None:
    """Without a drift the scale function is ∫ D^(λ - 1), λ = 0 of Fick's form and ½ of Stratonovich's: P(left) is 0.58 and 0.64
    where D is smooth, and 0.7 in Itô's form."""
    power = {FICK: -1.0, STRATONOVICH: -0.5}[convention]
    part, whole = (quad(lambda y: float(diffusion(y)) ** power, low, 1.0, points=[0.4])[0] for low in (0.3, 0.0))
    domain = rw.Interval(0.0, 1.0, A, A)
    equation = pde.FokkerPlanck(0.0, diffusion, domain=domain, start=0.3, convention=convention)
    found = pde.expectation(equation, 0.0, 0.3, INF, boundary={"left": 1.0}, walkers=20_000, reduction=reduction)
    agrees(found, part / whole)


def test_weights_at_a_jump_of_the_diffusion_are_refused() -> None:
    domain = rw.Interval(0.0, 1.0, A, A)
    equation = pde.FokkerPlanck(0.0, JUMPING, domain=domain, start=0.3, convention=FICK)
    with pytest.raises(ValueError, match=r"jumps in the fick convention, here at x = 0\.4, .* take Antithetic"):
        pde.expectation(equation, 0.0, 0.3, 0.1, walkers=100, boundary={"left": 1.0}, reduction=pde.Drift(0.3))


@pytest.mark.parametrize("reduction", [None, pde.Antithetic()])
def test_exit_of_an_ornstein_uhlenbeck_process(reduction: Any) -> None:
    """What is paid at the right wall, at the left one, and on the way: 5 P(right) + 2 P(left) + 0.3 T."""
    a, k, x = 0.3, 1.6, -0.35
    right = scale(a, k, -1.0, x) / scale(a, k, -1.0, 1.0)
    exact = 5.0 * right + 2.0 * (1.0 - right) + 0.3 * mean_time(a, k, x)
    found = pde.expectation(
        restoring(a, k),
        0.0,
        x,
        INF,
        source=0.3,
        boundary={"right": 5.0, "left": 2.0},
        walkers=20_000,
        reduction=reduction,
    )
    agrees(found, exact)


def test_several_levels() -> None:
    a, k, x = 0.3, 1.6, -0.35
    found = pde.expectation(
        restoring(a, k), 0.0, x, INF, source=3.0, boundary=2.0, tolerance=0.05, reduction=pde.Multilevel()
    )
    agrees(found, 2.0 + 3.0 * mean_time(a, k, x))
    assert float(found.error) <= 0.05


def test_a_wall_that_absorbs_in_part_and_one_that_reflects() -> None:
    """D u'' = -g, u'(1) = 0, D u'(-1) = K (u(-1) - φ): u = φ + 2 g/K + g (x + 1)(3 - x)/2D."""
    x, rate = 0.3, 1.5
    equation = restoring(1e-12, 1e-12, rw.PartiallyAbsorbing(rate), R)
    found = pde.expectation(equation, 0.0, x, INF, source=0.3, boundary=2.0, walkers=20_000)
    agrees(found, 2.0 + 0.3 * (2.0 / rate + (x + 1.0) * (3.0 - x) / (2.0 * D)))


def test_the_stated_errors_are_true() -> None:
    """40 seeds: the true error is beyond 2 stated ones in 5 % of the cases at most: then more than 7 are so once in 1400."""
    a, k, x = 0.3, 1.6, -0.35
    exact = 2.0 + 3.0 * mean_time(a, k, x)
    ratios = []
    for seed in range(40):
        found = pde.expectation(restoring(a, k), 0.0, x, INF, source=3.0, boundary=2.0, tolerance=0.15, seed=seed)
        assert float(found.error) <= 0.15
        ratios.append(abs(float(found.z(exact))))
    assert np.sum(np.array(ratios) > 2.0) <= 7
    assert np.median(ratios) > 0.3


def test_a_box_with_two_reflecting_and_two_absorbing_faces() -> None:
    """With the drift a along the absorbing axis and any along the other, u depends on x alone: as on the interval."""
    a, x = 0.9, 0.2
    box = rw.Interval(-1.0, 1.0, A, A) * rw.Interval(0.0, 1.0, R, R)
    equation = pde.FokkerPlanck((a, -2.0), D, domain=box, start=(0.2, 0.4))
    found = pde.expectation(equation, 0.0, (x, [0.4, 0.9]), INF, source=3.0, walkers=20_000)
    for i in range(2):
        agrees(found[i], 3.0 * mean_time(a, 0.0, x))


def test_killing_alone_ends_walks() -> None:
    """κu - D u'' = cos x on the line: u = cos x/(κ + D)."""
    equation = pde.FokkerPlanck(0.0, D, killing=2.5)
    agrees(pde.expectation(equation, 0.0, 0.4, INF, source=np.cos, walkers=20_000), math.cos(0.4) / (2.5 + D))


def test_units_threads_and_a_given_step() -> None:
    """The same walkers in µm and ns; the same bits for any threads; and the step that is asked for."""
    ask: Any = {"source": 3.0, "boundary": 2.0}
    one = pde.expectation(restoring(0.3, 1.6), 0.0, 0.3, INF, walkers=5000, **ask)
    micro = pde.FokkerPlanck(
        rw.expression("0.3e3 - 1.6e9*x"), D * 1e-3, domain=rw.Interval(-1e-6, 1e-6, A, A), start=0.3e-6
    )
    small = pde.expectation(micro, 0.0, 0.3e-6, INF, walkers=5000, source=3e9, boundary=2.0)
    np.testing.assert_allclose([float(small), float(small.error)], [float(one), float(one.error)], rtol=1e-6)
    np.testing.assert_allclose(float(small.dt), 1e-9 * float(one.dt), rtol=1e-9)
    found = [
        pde.expectation(restoring(0.3, 1.6), 0.0, 0.3, INF, walkers=70_000, dt=0.01, threads=n, **ask) for n in (1, 2)
    ]
    assert float(found[0]) == float(found[1]) and float(found[0].error) == float(found[1].error)
    assert float(found[0].dt) == pytest.approx(0.01)


def test_questions_without_an_answer() -> None:
    ask = pde.expectation
    steady = restoring(0.3, 1.6)
    with pytest.raises(
        ValueError, match=r"t = inf: payoff = 1 is paid at the time t, which is infinite \(give payoff=0\)"
    ):
        ask(steady, 1.0, 0.3, INF)
    with pytest.raises(ValueError, match="no wall absorbs and nothing is killed: give a finite t by which"):
        ask(restoring(0.3, 1.6, R, R), 0.0, 0.3, INF, source=1.0)
    with pytest.raises(ValueError, match="something depends on time: give a finite t"):
        ask(steady, 0.0, 0.3, INF, source=rw.expression("t"))
    with pytest.raises(ValueError, match=r"reduction = Control\(...\) has a payoff at the time t, which is infinite"):
        ask(steady, 0.0, 0.3, INF, source=1.0, reduction=pde.Control(rw.expression("x"), 0.0))
    with pytest.raises(ValueError, match=r"neither drift nor noise moves a walker"):
        still = pde.FokkerPlanck(
            rw.expression("x"), rw.expression("x**2"), domain=rw.Line(), killing=rw.expression("x**2")
        )
        ask(still, 0.0, 0.0, INF, source=1.0)
    half = pde.FokkerPlanck(rw.expression("1 + 1e-12*x"), D, domain=rw.Interval(0.0, INF, A), start=0.5)
    with pytest.raises(
        ValueError, match=r"1024 walkers from x = \(0.5,\) are still inside .*: they leave too rarely, or never"
    ):
        ask(half, 0.0, 0.5, INF, boundary=1.0)
    level = pde.FokkerPlanck(rw.expression("1e-12 + 1e-300*x"), D, domain=rw.Interval(0.0, INF, A), start=0.5)
    with pytest.raises(ValueError, match=r"walkers are still inside after the time .*: they may never leave"):
        ask(level, 0.0, 0.5, INF, boundary=1.0, walkers=30_000)
    with pytest.raises(ValueError, match=r"x = -1\.0: lies on the absorbing wall 'left'"):
        ask(steady, 0.0, -1.0, INF, source=1.0)
