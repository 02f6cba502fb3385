"""First passage through moving bounds by Volterra equations: against closed forms of other books, the series for bounds that
rest, and finite differences in the moving frame; and that fits of collapsing bounds find what was simulated."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import randwalk as rw
from randwalk.likelihood.laws import EquationLaws
from randwalk.likelihood.volterra import MovingBounds, VolterraPassages

from . import naive_passage

A = rw.Absorbing()
e = rw.expression


def between(low: Any, high: Any, drift: float = 0.8, start: float = 0.1, diffusion: float = 0.5) -> Any:
    return rw.pde.FokkerPlanck(drift, diffusion, domain=rw.Interval(low, high, A, A), start=start)


def passages(equation: Any, last: float) -> VolterraPassages:
    bounds = MovingBounds.of(equation)
    assert bounds is not None
    found = bounds.passages(last)
    assert found is not None and found.error < 1e-3
    return found


@pytest.mark.parametrize(("length", "time"), [(1.0, 1.0), (1e-6, 1e-9)])
def test_one_straight_bound_is_an_inverse_gaussian_law(length: float, time: float) -> None:
    """Of a bound at b + ct and drift a, that of a bound at b and drift a - c; also in µm and ns."""
    b, c, a = 0.9 * length, 0.6 * length / time, 1.1 * length / time
    domain = rw.Interval(-math.inf, e("b + c*t", b=b, c=c), None, A)
    found = passages(rw.pde.FokkerPlanck(a, 0.5 * length**2 / time, domain=domain), 8.0 * time)
    t = np.geomspace(0.05, 8.0, 100)
    law = stats.invgauss(1.0 / (0.9 * 0.5), scale=0.9**2)
    assert np.abs(found.density("right", t * time) * time - law.pdf(t)).max() < 1e-8
    assert np.abs(found.absorbed("right", t * time) - law.cdf(t)).max() < 1e-9
    assert found.survival(t * time) == pytest.approx(law.sf(t), abs=1e-9)
    with pytest.raises(ValueError, match=r"exit = 'left': must be one of right"):
        found.density("left", t)


def test_a_curved_bound_of_daniels_and_its_order() -> None:
    """Three images vanish on it, so that its density is known [Daniels, J. Appl. Probab. 6, 399 (1969)]. The trapezoidal rule
    is of order 5/2: doubling the nodes divides the error by 5.7; without its term of the root by 2.8."""
    d, k, m = 1.0, 0.6, 0.4
    text = "d/2 - t/d*log((k + sqrt(k**2 + 4*m*exp(-d**2/(t + 1e-12))))/2)"
    equation = rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(-math.inf, e(text, d=d, k=k, m=m), None, A))

    def exact(t: np.ndarray) -> np.ndarray:
        s = d / 2 - t / d * np.log((k + np.sqrt(k**2 + 4 * m * np.exp(-(d**2) / t))) / 2)
        images = ((1.0, s), (-k, s - d), (-m, s - 2 * d))
        return sum(c * x * stats.norm.pdf(x, scale=np.sqrt(t)) for c, x in images) / (2.0 * t)

    bounds = MovingBounds.of(equation)
    assert bounds is not None
    errors = []
    for nodes in (64, 128, 256):
        t = np.geomspace(bounds.onset, 6.0, nodes)
        late = t > 0.01
        errors.append(float(np.abs(bounds.densities(t)[0] - exact(t))[late].max()))
    assert errors[0] < 1e-5 and all(4.5 < a / b < 8.0 for a, b in itertools.pairwise(errors))


def test_two_bounds_that_rest_have_the_density_of_the_series() -> None:
    equation = between(e("-1.3 + 0*sin(t)"), 1.3, 0.7, 0.2, 0.4)
    t = np.geomspace(0.03, 5.0, 60)
    found = passages(equation, 5.0)
    for exit, series in (("left", naive_passage.lower_density), ("right", naive_passage.upper_density)):
        exact = np.array([series(x, 0.7, 0.4, 2.6, 1.5 / 2.6) for x in t.tolist()])
        assert np.abs(found.density(exit, t) - exact).max() < 1e-7 * exact.max()
    whole = sum(integrate.quad(lambda x, exit=exit: float(found.density(exit, np.array([x]))[0]), 0.01, 5.0, limit=200)[0]
                for exit in found.exits)  # fmt: skip
    assert whole == pytest.approx(1.0 - float(found.survival(np.array([5.0]))[0]), abs=1e-6)


def test_nobody_is_left_when_the_bounds_meet() -> None:
    found = EquationLaws(between(e("t/4 - 1"), e("1 - t/4")), 1e-5).passages(np.array([2.0, 6.0]))
    assert isinstance(found, VolterraPassages)
    assert found.density("right", np.array([4.1, 6.0])).tolist() == [0.0, 0.0]  # they have met at t = 4
    assert sum(float(found.absorbed(exit, np.array([6.0]))[0]) for exit in found.exits) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    "equation",
    [
        between(e("-1 + abs(t - 1)/4"), 1.0),
        rw.pde.FokkerPlanck(0.8, 0.5, domain=rw.Interval(e("t/4 - 1"), 1.0, rw.Reflecting(), A)),
        rw.pde.FokkerPlanck(rw.Affine(0.8, -0.1), 0.5, domain=rw.Interval(e("t/4 - 1"), 1.0, A, A)),
        rw.pde.FokkerPlanck(0.8, 0.5, domain=rw.Interval(e("t/4 - 1"), 1.0, A, A), killing=0.1),
        rw.pde.FokkerPlanck(0.8, 0.5, domain=rw.Interval(e("t/4 - 1"), 1.0, A, A), start=rw.Uniform(0.0, 0.1)),
    ],
    ids=["kink", "mirror", "leak", "killing", "spread start"],
)
def test_what_is_left_to_finite_differences(equation: Any) -> None:
    assert MovingBounds.of(equation) is None


def test_a_fit_of_collapsing_bounds() -> None:
    """600 response times of an Euler walk with steps of 0.002, whose bounds are moved by 0.5826 √h inwards to make up for
    passages between steps [Broadie, Glasserman & Kou, Math. Finance 7, 325 (1997)]: the truth is within 4 standard errors."""
    truth, h, rng = {"v": 1.0, "a": 1.0, "k": 0.2}, 0.002, np.random.default_rng(3)
    x, times, sides = np.zeros(600), np.zeros(600), np.zeros(600, dtype=int)
    for n in range(1, int(5.0 / h)):
        live = sides == 0
        x[live] += truth["v"] * h + math.sqrt(h) * rng.standard_normal(int(live.sum()))
        bound = truth["a"] - truth["k"] * n * h - 0.5826 * math.sqrt(h)
        gone = live & (np.abs(x) >= bound)
        times[gone], sides[gone] = n * h, np.sign(x[gone])
        if not live.any():
            break

    def model(v: float = 0.7, a: float = 1.2, k: float = 0.3) -> Any:
        return between(e("k*t - a", a=a, k=k), e("a - k*t", a=a, k=k), v, 0.0)

    found = rw.fit(rw.FirstPassageTimes(times, np.where(sides > 0, "right", "left")), model)
    for name, true in truth.items():
        assert abs(found[name].z(true)) < 4.0, found
    assert rw.validate.compare(found.data[0], found).passed
