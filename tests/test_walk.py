"""The declaration: the rules from drift and diffusion, validity, lattices, starts, and every refusal with its message."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import randwalk as rw
from randwalk.model.start import start_masses
from randwalk.model.times import dividing_step
from randwalk.model.walk import Rule
from randwalk.tables.quantise import quantise
from randwalk.tables.window import start_index, table_for

from . import naive

ABSORB, REFLECT, ROBIN = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(1.0)
EPS = float(np.finfo(np.float64).eps)
finite = st.floats(-3.0, 3.0)


# ---------------------------------------------------------------- rules (MATH.md, item 3)


@pytest.mark.parametrize("rule", list(Rule))
@pytest.mark.parametrize("a", [0.0, 0.7, -1.3])
def test_mean_and_variance_of_a_step(rule: Rule, a: float) -> None:
    """Per step: mean a dt and variance 2D dt, whichever of the two the rule promises. Rounding: a few ulp of s."""
    d, dx = 0.4, 0.1
    walk = rw.LatticeWalk.from_drift(a, d, dx=dx, rule=rule)
    p, q = float(walk.right(0.0)), float(walk.left(0.0))
    mean, square = (p - q) * dx, (p + q) * dx**2
    if rule is not Rule.CAPPED:
        assert mean == pytest.approx(a * walk.dt, abs=16 * EPS * dx)
    if rule in (Rule.EXACT_VARIANCE, Rule.FITTED):
        assert square - mean**2 == pytest.approx(2 * d * walk.dt, rel=1e-10 if rule is Rule.FITTED else 16 * EPS)
    else:
        assert square == pytest.approx(2 * d * walk.dt, rel=16 * EPS)
    if rule is Rule.TWO_WAY:
        assert p + q == 1.0 and walk.dt == pytest.approx(dx**2 / (2 * d), rel=4 * EPS)
        assert p == pytest.approx(0.5 * (1 + a * dx / (2 * d)), rel=8 * EPS)
    elif rule is not Rule.FITTED or not a:
        assert 2 * d * walk.dt / dx**2 == pytest.approx(1 / 3, rel=8 * EPS)
    if rule in (Rule.FITTED, Rule.CAPPED) and a:
        assert math.log(p / q) == pytest.approx(a * dx / d, rel=1e-13)


def test_one_third_is_special() -> None:
    """At s = ⅓ and exact variance the third and fourth cumulants of a step agree with those of the equation to order dx⁴.

    A step of the exact law has cumulants (a dt, 2D dt, 0, 0). κ₃ of the walk is dx³ m(1 - 3s + 2m²), κ₄ is
    dx⁴ (s + … - 3 s² + …): with s = ⅓ what is left carries a factor m, that is dx, more. Halving dx must cut both by 2⁶;
    at another s, by 2⁴ (κ₃: m dx³ ~ dx⁴) and 2⁴ (κ₄ ~ dx⁴).
    """

    def cumulants(dx: float, s: float) -> tuple[float, float]:
        walk = rw.LatticeWalk.from_drift(1.0, 0.5, dx=dx, dt=s * dx**2)
        p, q = float(walk.right(0.0)), float(walk.left(0.0))
        steps = np.array([-dx, 0.0, dx]) - (p - q) * dx
        moments = [float(np.array([q, 1 - p - q, p]) @ steps**n) for n in (2, 3, 4)]
        return moments[1], moments[2] - 3 * moments[0] ** 2

    for s, orders in ((1 / 3, (6, 6)), (0.2, (4, 4)), (0.5, (4, 4))):
        coarse, fine = cumulants(0.1, s), cumulants(0.05, s)
        for big, small, order in zip(coarse, fine, orders, strict=True):
            assert math.log2(abs(big / small)) == pytest.approx(order, abs=0.1)  # the next term is dx² = 1/100 smaller


@given(a=st.floats(-1e4, 1e4), d=st.floats(1e-3, 1e3), dx=st.floats(1e-3, 10.0))
def test_fitted_has_mean_ratio_and_variance(a: float, d: float, dx: float) -> None:
    """p - q = a dt/dx, p/q = exp(a dx/D), and with the dt that follows the variance of a step is 2D dt. The variance is a small
    difference of large numbers where the drift is strong: rounding of the sum, 1e-14, and of the series, 1e-10 of 2D dt."""
    walk = rw.LatticeWalk.from_drift(a, d, dx=dx, rule=Rule.FITTED)
    p, q = float(walk.right(0.0)), float(walk.left(0.0))
    assert p >= 0.0 and q >= 0.0 and p + q <= 1.0
    assert p - q == pytest.approx(a * walk.dt / dx, abs=8 * EPS)
    w = a * dx / d
    if abs(w) < 600:
        assert p == pytest.approx(q * math.exp(w), rel=1e-12)
    else:
        assert min(p, q) < 1e-250
    assert p + q - (p - q) ** 2 == pytest.approx(2 * d * walk.dt / dx**2, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("w", [-2000.0, -40.0, -1.0, -1e-3, 0.0, 1e-9, 0.3, 8.0, 2000.0])
def test_capped_is_always_a_walk(w: float) -> None:
    """p/q = exp(w), p + q = s, whatever the drift; where walkers start it is refused if it is too slow (see test_rates.py)."""
    right, left = Rule.CAPPED.probabilities(rw.Constant(w), rw.Constant(1.0), 1.0, 1 / 6)
    p, q = float(right(0.0)), float(left(0.0))
    assert p >= 0.0 and q >= 0.0 and p + q == pytest.approx(1 / 3, rel=8 * EPS)
    assert max(p, q) == pytest.approx(math.exp(min(abs(w), 600)) * min(p, q), rel=1e-12) or min(p, q) < 1e-250


def test_capped_tends_to_the_drift_at_second_order() -> None:
    """p - q = s tanh(a dx/2D): (p - q) dx/dt - a ~ -a³dx²/12D², so halving dx divides the error by 4 (next term 1 %)."""
    errors = []
    for dx in (0.1, 0.05):
        walk = rw.LatticeWalk.from_drift(1.0, 0.5, dx=dx, rule=Rule.CAPPED)
        errors.append(float(walk.right(0.0) - walk.left(0.0)) * dx / walk.dt - 1.0)
    assert errors[0] == pytest.approx(-(0.1**2) / 3, rel=0.01)
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.01)


def test_two_way_refuses_a_time_step_that_is_not_its_own() -> None:
    with pytest.raises(ValueError, match=r"dt = 0\.005: rule = two_way steps with dt = dx²/2D = 0\.01"):
        rw.LatticeWalk.from_drift(0, 0.5, dx=0.1, dt=0.005, rule=Rule.TWO_WAY)
    assert rw.LatticeWalk.from_drift(0, 0.5, dx=0.1, dt=0.1**2, rule=Rule.TWO_WAY).right(0.0) == 0.5


def test_two_way_needs_a_constant_diffusion() -> None:
    with pytest.raises(ValueError, match="constant diffusion"):
        rw.LatticeWalk.from_drift(0, rw.expression("1 + x**2"), dx=0.1, rule=Rule.TWO_WAY)


def test_drift_and_diffusion_of_declared_probabilities() -> None:
    walk = rw.LatticeWalk(0.55, 0.35, dx=0.1, dt=0.02)
    assert float(walk.drift(0)) == pytest.approx(0.2 * 0.1 / 0.02, rel=4 * EPS)
    assert float(walk.diffusion(0)) == pytest.approx(0.9 * 0.01 / 0.04, rel=4 * EPS)


@pytest.mark.parametrize(("name", "weight"), [("ito", 0.0), ("stratonovich", 0.5), ("fick", 1.0)])
def test_conventions_become_ito(name: str, weight: float) -> None:
    d = rw.expression("1 + 0.5*sin(x)")
    walk = rw.LatticeWalk.from_drift(0.3, d, dx=0.1, convention=rw.Convention(name))
    x = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(walk.drift(x), 0.3 + weight * 0.5 * np.cos(x), rtol=0, atol=4 * EPS)


# ---------------------------------------------------------------- time steps


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5, unique=True), st.floats(1e-4, 0.3))
def test_the_chosen_step_divides_the_times(hundredths: list[int], longest: float) -> None:
    times = sorted(n / 100 for n in hundredths)
    dt = dividing_step(longest, times)
    assert 0.0 < dt <= longest * (1 + 1e-14)
    for t in times:
        assert abs(t / dt - round(t / dt)) < 1e-9 * max(1.0, t / dt)
    # and it is the largest: dt is the common divisor over the smallest whole number that does, but for rounding
    common = Fraction(math.gcd(*hundredths), 100)
    ratio = common / Fraction(longest)
    counts = {math.ceil(ratio), math.ceil(ratio * (1 - Fraction(1e-14)))}
    assert any(dt == pytest.approx(float(common / count), rel=4 * EPS) for count in counts)


def test_a_walk_told_its_times_can_run_them() -> None:
    walk = rw.LatticeWalk.from_drift(0.3, 0.5, dx=0.07, times=[0.3, 1.0, 2.5])
    assert [n * walk.dt for n in walk.steps([0.3, 1.0, 2.5])] == pytest.approx([0.3, 1.0, 2.5], rel=1e-12)
    assert walk.dt <= 0.07**2 / 3
    assert rw.LatticeWalk.from_drift(0.3, 0.5, dx=0.07, times=0.3).steps(0.3) == [
        round(0.3 / (0.3 / math.ceil(0.9 / 0.07**2)))
    ]


def test_time_step_without_times() -> None:
    assert dividing_step(0.1, []) == dividing_step(0.1, [0.0]) == 0.1


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.5, 0.25], "times must increase: 0.25 comes after 0.5"),
        ([0.5, 0.5], "times must increase"),
        ([-0.5], "not negative"),
        ([math.nan], "finite"),
        ([math.inf], "finite"),
        ([], "must be a number or a list"),
        ([[0.5]], "not an array of shape"),
        ([0.505], "time 0.505 is not a whole number of steps of dt = 0.01: take t = 0.5"),
        ([0.5, 0.5 + 1e-10], "are the same step"),
        ([1e9], "more than the 2³²"),
    ],
)
def test_bad_times(times: Any, message: str) -> None:
    walk = rw.LatticeWalk(0.5, 0.5, dx=0.1, dt=0.01)
    with pytest.raises(ValueError, match=message):
        rw.simulate(walk, 10, times)
    with pytest.raises(ValueError, match=message):
        rw.pde.exact_law(walk, times)


def test_a_refused_time_comes_with_a_dt_that_works() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, dx=0.1, dt=0.01)
    with pytest.raises(ValueError, match="or dt = ") as caught:
        walk.steps([0.505])
    dt = float(str(caught.value).split("or dt = ")[1].split(",")[0])
    assert rw.LatticeWalk(0.5, 0.5, dx=0.1, dt=dt).steps([0.505])


@pytest.mark.parametrize("times", [[0.013, 1.0], [0.3, 0.505], [0.0, 0.013, 0.5, 1.0]])
def test_the_dt_of_a_refused_time_suits_the_other_times_too(times: list[float]) -> None:
    def on_sites(dt: float) -> rw.LatticeWalk:
        return rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.1, dt=dt)

    def anywhere(dt: float) -> rw.ItoWalk:
        return rw.ItoWalk(0.0, 0.5, dt=dt)

    for made in (on_sites, anywhere):
        with pytest.raises(ValueError, match="or dt = ") as caught:
            made(0.01 / 3.0).steps(times)
        dt = float(str(caught.value).split("or dt = ")[1].split(",")[0])
        assert dt <= 0.01 / 3.0 and len(made(dt).steps(times)) == len(times)
    with pytest.raises(ValueError, match=r"take t = 1\.41[^,]*$"):  # no step divides both
        rw.ItoWalk(0.0, 0.5, dt=0.01).steps([1.0, math.sqrt(2.0)])


# ---------------------------------------------------------------- bad walks


def refused(*args: Any, **kwargs: Any) -> Callable[[], object]:
    return lambda: rw.LatticeWalk(*args, **kwargs)


def drifted(*args: Any, **kwargs: Any) -> Callable[[], object]:
    return lambda: rw.LatticeWalk.from_drift(*args, **kwargs)


UNIT = rw.Interval(0, 1, ABSORB, ABSORB)
BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (refused(0.7, 0.5, dx=1.0), ValueError, r"right \+ left = 1\.2 at x = 0, t = 0: must be ≤ 1"),
    (refused(-0.1, 0.5, dx=1.0), ValueError, r"right = -0\.1 at x = 0"),
    (refused(0.1, -0.5, dx=1.0), ValueError, r"left = -0\.5 at"),
    (refused(0.1, 0.5, dx=1.0, killing=-1.0), ValueError, r"killing = -1 at"),
    (refused(math.nan, 0.5, dx=1.0), ValueError, "finite number, not nan"),
    (refused(math.inf, 0.5, dx=1.0), ValueError, "finite number, not inf"),
    (refused("0.5", 0.5, dx=1.0), TypeError, "rw.expression"),
    (refused(None, 0.5, dx=1.0), TypeError, "a coefficient is"),
    (refused(True, 0.5, dx=1.0), TypeError, "right = True: give a number, a Coefficient"),
    (refused(lambda: 0.5, 0.5, dx=1.0), TypeError, r"takes x, t or \(x, t\)"),
    (refused(lambda x, y, z: 0.5, 0.5, dx=1.0), TypeError, r"takes \(x, y, z\)"),
    (
        refused(lambda x: 0.5 / x, 0.2, sites=9, domain=rw.Interval(-1, 1, ABSORB, ABSORB)),
        ValueError,
        r"right = .* at x = ",
    ),
    (
        refused(lambda x: 0.6 + 0.5 * x, 0.2, sites=9, domain=UNIT, start=0.5),
        ValueError,
        r"right \+ left = 1\.25 at x = 0\.9",
    ),
    (
        refused(np.full(8, 0.5), 0.5, sites=9, domain=UNIT, start=0.5),
        ValueError,
        r"right has shape \(8,\) and the domain has 9 sites",
    ),
    (refused(0.5, np.full((9, 2), 0.5), sites=9, domain=UNIT, start=0.5), ValueError, r"left has shape \(9, 2\)"),
    (refused(np.full(9, np.nan), 0.5, sites=9, domain=UNIT, start=0.5), ValueError, "nan in row 0"),
    (refused(np.full(9, 0.5), 0.5, dx=1.0), ValueError, "right is an array, which needs a bounded domain"),
    (refused(0.5, 0.5, dx=0.0), ValueError, "dx = 0.0: must be positive"),
    (refused(0.5, 0.5, dx=-1.0), ValueError, "dx = -1.0"),
    (refused(0.5, 0.5, dx=math.inf), ValueError, "dx = inf"),
    (refused(0.5, 0.5, dx="1"), TypeError, "dx = '1'"),
    (refused(0.5, 0.5, dx=True), TypeError, "dx = True"),
    (refused(0.5, 0.5, dx=1.0, dt=0.0), ValueError, "dt = 0.0"),
    (refused(0.5, 0.5, dx=1.0, dt=math.nan), ValueError, "dt = nan"),
    (refused(0.5, 0.5), ValueError, "give either dx or sites"),
    (refused(0.5, 0.5, dx=1.0, sites=3, domain=UNIT), ValueError, "give either dx or sites"),
    (refused(0.5, 0.5, sites=3), ValueError, "needs a bounded domain"),
    (refused(0.5, 0.5, sites=0, domain=UNIT, start=0.5), ValueError, "sites = 0: must be a positive whole number"),
    (refused(0.5, 0.5, sites=2.0, domain=UNIT, start=0.5), ValueError, "sites = 2.0"),
    (refused(0.5, 0.5, sites=True, domain=UNIT, start=0.5), ValueError, "sites = True"),
    (refused(0.5, 0.5, dx=1.0, domain=(0, 1)), TypeError, r"domain = \(0, 1\): give Line\(\)"),
    (refused(0.5, 0.5, dx=1.0, start="left"), TypeError, "start = 'left'"),
    (refused(0.5, 0.5, dx=1.0, start=True), TypeError, "start = True"),
    (refused(0.5, 0.5, dx=1.0, start=math.nan), ValueError, "finite number, not nan"),
    (refused(0.5, 0.5, sites=9, domain=UNIT, start=1.5), ValueError, "lies outside"),
    (refused(0.5, 0.5, sites=9, domain=UNIT, start=0.0), ValueError, "on the absorbing left wall at x = 0"),
    (refused(0.5, 0.5, sites=9, domain=UNIT, start=1), ValueError, "on the absorbing right wall at x = 1"),
    (refused(0.5, 0.5, sites=9, domain=UNIT, start=rw.Uniform(0.5, 1.2)), ValueError, "lies outside"),
    (refused(0.5, 0.5, sites=9, domain=UNIT, start=rw.Normal(0.5, 0.2)), ValueError, "lies outside"),
    (refused(0.5, 0.5, sites=9, domain=UNIT, start=rw.Sites([0.5, 2.0], [0.5, 0.5])), ValueError, "lies outside"),
    (refused(0.5, 0.5, sites=9, domain=rw.Ring(0, 1), start=1.5), ValueError, "lies outside"),
    (
        lambda: rw.simulate(rw.LatticeWalk(0.5, 0.5, dx=1.0, start=rw.Normal(0.0, 0.5)), 10, 5.0),
        ValueError,
        "narrower than dx",
    ),
    (drifted(100.0, 0.5, dx=0.1, rule=Rule.LINEAR), ValueError, r"left = -.*take dx ≤ 0\.0(1|0999) .*Rule\.FITTED"),
    (drifted(0.0, 0.5, dx=0.1, dt=0.02), ValueError, r"right \+ left = 2 at .*take dt ≤ 0\.01"),
    (drifted(0.0, -0.5, dx=0.1), ValueError, "diffusion = -0.5 at x = 0, t = 0: must be a positive number"),
    (drifted(0.0, 0.0, dx=0.1), ValueError, "diffusion = 0"),
    (drifted(0.0, 0.0, dx=0.1, dt=0.1, rule="two_way"), ValueError, "diffusion = 0: must be a positive number"),
    (drifted(0.0, 0.5, dx=0.1, rule="fancy"), ValueError, "fancy"),
    (drifted(0.0, 0.5, dx=0.1, convention="fancy"), ValueError, "fancy"),
    (drifted(0.0, 0.5, dx=0.1, killing=-1.0), ValueError, "killing = -1"),
    (
        drifted(0.0, rw.expression("0.5 - x"), sites=9, domain=UNIT, start=0.5),
        ValueError,
        r"diffusion = -.* at x = 0\.6",
    ),
    (lambda: rw.Interval(1, 0, ABSORB, ABSORB), ValueError, "low = 1 must be less than high = 0"),
    (lambda: rw.Interval(1, 1, ABSORB, ABSORB), ValueError, "less than"),
    (lambda: rw.Interval(math.nan, 1, ABSORB, ABSORB), ValueError, "low = nan"),
    (lambda: rw.Interval(0, 1, ABSORB), ValueError, "the right end, at x = 1, needs a wall"),
    (lambda: rw.Interval(0, 1, "absorbing", ABSORB), ValueError, "the left end, at x = 0, needs a wall"),  # type: ignore[arg-type]
    (lambda: rw.Interval(-math.inf, 1, ABSORB, ABSORB), ValueError, "left end is infinite and cannot have the wall"),
    (lambda: rw.Interval(-math.inf, math.inf), ValueError, r"is a Line\(\)"),
    (lambda: rw.Ring(0, math.inf), ValueError, "both ends must be finite"),
    (lambda: rw.Ring(1, 0), ValueError, "less than"),
    (lambda: rw.PartiallyAbsorbing(-1.0), ValueError, "reactivity = -1.0: must be positive"),
    (lambda: rw.PartiallyAbsorbing(0.0), ValueError, r"0 is Reflecting\(\)"),
    (lambda: rw.PartiallyAbsorbing(math.inf), ValueError, r"infinity is Absorbing\(\)"),
    (lambda: rw.PartiallyAbsorbing(math.nan), ValueError, "reactivity = nan"),
    (lambda: rw.Uniform(1, 1), ValueError, "less than"),
    (lambda: rw.Uniform(0, math.inf), ValueError, "both finite"),
    (lambda: rw.Normal(0, 0), ValueError, "positive"),
    (lambda: rw.Normal(math.nan, 1), ValueError, "must be finite"),
    (lambda: rw.Point(math.inf), ValueError, "finite number"),
    (lambda: rw.Sites([0, 1], [0.5, 0.6]), ValueError, "sum to 1.1"),
    (lambda: rw.Sites([0, 1], [1.5, -0.5]), ValueError, "not negative"),
    (lambda: rw.Sites([0, 1], [1.0]), ValueError, "2 places and 1 masses"),
    (lambda: rw.Sites([], []), ValueError, "at least one"),
    (lambda: rw.Sites([math.nan], [1.0]), ValueError, "finite"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_declarations_are_refused(case: int) -> None:
    make, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"walkers": 0}, ValueError, "walkers = 0: must be at least 1"),
        ({"walkers": -5}, ValueError, "walkers = -5"),
        ({"walkers": 1e3}, TypeError, "walkers = 1000.0: must be a whole number; write 1000"),
        ({"walkers": 2.5}, TypeError, "walkers = 2.5: must be a whole number$"),
        ({"walkers": True}, TypeError, "walkers = True"),
        ({"walkers": "10"}, TypeError, "walkers = '10'"),
        ({"walkers": None}, TypeError, "walkers = None"),
        ({"walkers": 2**53 + 1}, ValueError, "at most 2⁵³"),
        ({"walkers": range(5, 5)}, ValueError, "not be empty"),
        ({"walkers": range(0, 10, 2)}, ValueError, "step 1"),
        ({"walkers": range(-1, 10)}, ValueError, "start at 0"),
        ({"seed": -1}, ValueError, "seed = -1: must be a whole number ≥ 0"),
        ({"seed": 1.0}, ValueError, "seed = 1.0"),
        ({"seed": True}, ValueError, "seed = True"),
        ({"seed": "a"}, ValueError, "seed = 'a'"),
        ({"method": "magic"}, ValueError, "must be one of auto, paths, occupation, jump"),
        ({"threads": 0}, ValueError, "threads = 0: must be a whole number from 1"),
        ({"threads": 2.0}, ValueError, "threads = 2.0"),
        ({"threads": True}, ValueError, "threads = True"),
        ({"record": [3]}, TypeError, "record = 3"),
        ({"record": rw.Maximum()}, TypeError, r"give a list, record=\[Maximum\(\)\]"),
        ({"record": [rw.Maximum]}, TypeError, "must be FirstPassage"),
        ({"record": [rw.Maximum(), rw.Maximum()]}, ValueError, "each only once"),
        ({"method": "occupation", "record": [rw.Maximum()]}, ValueError, r"counts and FirstPassage\(\) only"),
        ({"method": "jump", "record": [rw.LastVisit()]}, ValueError, "method='paths' for records"),
        ({"walkers": 2**50, "record": [rw.Positions()]}, MemoryError, "the run needs .* GiB"),
    ],
)
def test_bad_requests_are_refused(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    walk = rw.LatticeWalk(0.3, 0.4, dx=1.0)
    request: dict[str, Any] = {"walkers": 10, "times": [5.0]}
    with pytest.raises(kind, match=message):
        rw.simulate(walk, **(request | arguments))


@pytest.mark.parametrize("make", [rw.LastVisit, rw.TimePositive])
@pytest.mark.parametrize("x", [math.nan, math.inf])
def test_levels_must_be_numbers(make: Callable[[float], object], x: float) -> None:
    with pytest.raises(ValueError, match=f"x = {x} must be a finite number"):
        make(x)


def test_a_ring_has_no_displacement() -> None:
    walk = rw.LatticeWalk(0.3, 0.4, sites=5, domain=rw.Ring(0, 1))
    with pytest.raises(ValueError, match="not a ring"):
        rw.simulate(walk, 10, [5.0], record=[rw.SquaredDisplacement()])


def test_more_sites_than_32_bits_count_are_refused() -> None:
    walk = rw.LatticeWalk(1.0, 0.0, dx=1.0)
    with pytest.raises(ValueError, match="2³¹"):
        rw.simulate(walk, 1, [4e9], method="paths")


# ---------------------------------------------------------------- validity where there is mass


def test_validity_is_asked_for_only_where_mass_gets() -> None:
    """On a line a coefficient may be nonsense out of reach; within reach the message names the place."""
    walk = rw.LatticeWalk(lambda x: np.where(x < 50, 0.5, 2.0), 0.4, dx=1.0)
    assert rw.simulate(walk, 100, [20.0], method="paths").counts.sum() == 100
    with pytest.raises(ValueError, match=r"right = 2 at|right \+ left = 2\.4 at x = 5\d"):
        rw.simulate(walk, 100, [400.0], method="paths")


def test_a_table_may_end_out_of_reach() -> None:
    table = rw.Table([-30, 30], [0.5, 0.5])
    walk = rw.LatticeWalk(table, 0.5, dx=1.0)
    assert rw.pde.exact_law(walk, [20.0]).survival(20.0) == pytest.approx(1.0, abs=1e-14)
    with pytest.raises(ValueError, match="the table covers x from -30 to 30"):
        rw.pde.exact_law(walk, [500.0])


def test_validity_in_time() -> None:
    walk = rw.LatticeWalk(lambda t: 0.3 + t, 0.4, dx=1.0, dt=0.01)
    assert rw.simulate(walk, 10, [0.3], method="paths").walkers == 10
    with pytest.raises(ValueError, match=r"right \+ left = 1\.\d* at .*, t = 0\.\d+: must be ≤ 1"):
        rw.simulate(walk, 10, [0.5], method="paths")


def test_a_coefficient_that_stops_being_a_number() -> None:
    walk = rw.LatticeWalk(lambda x: np.where(np.abs(x - 3) < 0.5, np.nan, 0.4), 0.4, dx=1.0)
    with pytest.raises(ValueError, match="right = nan at x = 3, t = "):
        rw.simulate(walk, 10, [50.0], method="paths")


def test_the_advice_for_exact_variance_is_right() -> None:
    """The longest dt that the message gives works, and 1 % more does not."""
    a, d, dx = 4.0, 0.5, 0.1
    with pytest.raises(ValueError, match="take dt ≤ ") as caught:
        rw.LatticeWalk.from_drift(a, d, dx=dx, dt=0.0095)
    dt = float(str(caught.value).split("take dt ≤ ")[1].split(",")[0])
    rw.LatticeWalk.from_drift(a, d, dx=dx, dt=dt * 0.995)  # the message has three digits
    with pytest.raises(ValueError, match="must be"):
        rw.LatticeWalk.from_drift(a, d, dx=dx, dt=dt * 1.01)


def test_robin_walls_that_ask_for_too_much() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, sites=10, domain=rw.Interval(0, 1, rw.PartiallyAbsorbing(1e6), REFLECT), start=0.5)
    with pytest.raises(
        ValueError, match=r"reactivity = 1e\+06 at the left wall asks for an absorption probability of 1 a step"
    ):
        rw.simulate(walk, 10, [5.0])


# ---------------------------------------------------------------- lattices


@pytest.mark.parametrize("left", [ABSORB, REFLECT, ROBIN])
@pytest.mark.parametrize("right", [ABSORB, REFLECT, ROBIN])
def test_walls_stand_where_their_kind_demands(left: rw.model.domain.Wall, right: rw.model.domain.Wall) -> None:
    domain = rw.Interval(-1.0, 2.0, left, right)
    gap = {True: 1.0, False: 0.5}
    walk = rw.LatticeWalk(0.2, 0.2, sites=7, domain=domain, start=0.1)
    lattice = walk.lattice
    assert lattice.sites == 7 and lattice.first is not None and lattice.last is not None
    low, high = float(lattice.x(lattice.first)), float(lattice.x(lattice.last))
    assert low + 1.0 == pytest.approx(gap[isinstance(left, rw.Absorbing)] * walk.dx, rel=1e-12)
    assert 2.0 - high == pytest.approx(gap[isinstance(right, rw.Absorbing)] * walk.dx, rel=1e-12)
    same = rw.LatticeWalk(0.2, 0.2, dx=walk.dx * (1 + 1e-11), domain=domain, start=0.1)  # within rounding: made exact
    assert same.dx == pytest.approx(walk.dx, rel=1e-14) and same.lattice.sites == 7

    wrong = 0.93 * walk.dx
    with pytest.raises(ValueError, match=f"dx = {wrong:g} does not fit") as caught:
        rw.LatticeWalk(0.2, 0.2, dx=wrong, domain=domain, start=0.1)
    text = str(caught.value)
    half = isinstance(left, rw.Absorbing) != isinstance(right, rw.Absorbing)
    assert ("a whole number and a half" in text) == half
    advice = [float(v) for v in text.split("take dx = ")[1].split(", or sites=")[0].split(" or ")]
    assert advice[1] < wrong < advice[0]
    for dx in advice:
        rw.LatticeWalk(0.2, 0.2, dx=dx, domain=domain, start=0.1)


def test_rings_and_half_lines() -> None:
    ring = rw.LatticeWalk(0.2, 0.2, dx=0.25, domain=rw.Ring(1, 3), start=1.5).lattice
    assert (ring.first, ring.last, float(ring.x(0)), ring.dx) == (0, 7, 1.0, 0.25)
    with pytest.raises(ValueError, match="does not fit Ring"):
        rw.LatticeWalk(0.2, 0.2, dx=0.3, domain=rw.Ring(1, 3), start=1.5)
    right = rw.LatticeWalk(0.2, 0.2, dx=0.3, domain=rw.Interval(1, math.inf, ABSORB), start=2.0).lattice
    assert (float(right.x(0)), right.first, right.last) == (1.3, 0, None)
    left = rw.LatticeWalk(0.2, 0.2, dx=0.3, domain=rw.Interval(-math.inf, 1, None, REFLECT), start=0.0).lattice
    assert (float(left.x(0)), left.first, left.last) == (0.85, None, 0)
    line = rw.LatticeWalk(0.2, 0.2, dx=0.3, start=0.1).lattice
    assert float(line.x(0)) == 0.1


def test_no_room_for_a_site() -> None:
    with pytest.raises(ValueError, match=r"holds no site at dx = 1: take dx ≤ 0\.5"):
        rw.LatticeWalk(0.2, 0.2, dx=1.0, domain=UNIT, start=0.5)


@pytest.mark.parametrize("dx", [3.0, 10.0])
def test_a_dx_longer_than_the_domain(dx: float) -> None:
    for right in (ABSORB, REFLECT):
        with pytest.raises(ValueError, match="does not fit"):
            rw.LatticeWalk(0.2, 0.2, dx=dx, domain=rw.Interval(0, 1, ABSORB, right), start=0.5)


# ---------------------------------------------------------------- starts


@given(x=st.floats(-5, 5), dx=st.floats(0.01, 2.0), other=st.floats(-5, 5), share=st.floats(0, 1))
def test_a_start_between_sites_keeps_its_mean(x: float, dx: float, other: float, share: float) -> None:
    """Masses are whole numbers of 2⁻⁵³: the mean can be off by one unit times the distance to the origin of the shares."""
    start = rw.Sites([x, other], [share, 1 - share])
    lattice = rw.model.lattice.Lattice(0.123, dx, None, None, False)
    first, masses = start_masses(start, lattice)
    assert int(masses.sum()) == 2**53 and (masses >= 0).all()
    mean = float(np.sum(masses / 2.0**53 * lattice.x(first + np.arange(masses.size))))
    assert mean == pytest.approx(share * x + (1 - share) * other, abs=2e-8 * dx)  # 1e-9 dx counts as on a site
    assert np.count_nonzero(masses) <= 4


def test_a_point_on_a_site_is_exact() -> None:
    for k in range(-50, 50):
        first, masses = start_masses(rw.Point(0.1 * k), rw.model.lattice.Lattice(0.0, 0.1, None, None, False))
        assert (first, masses.tolist()) == (k, [2**53])


@given(low=st.floats(-3, 3), width=st.floats(0.05, 4), dx=st.floats(0.02, 1.0))
def test_uniform_starts_by_cells(low: float, width: float, dx: float) -> None:
    lattice = rw.model.lattice.Lattice(0.05, dx, None, None, False)
    first, masses = start_masses(rw.Uniform(low, low + width), lattice)
    assert int(masses.sum()) == 2**53
    for k, mass in enumerate(masses.tolist(), start=first):
        cell = float(lattice.x(k)) - dx / 2, float(lattice.x(k)) + dx / 2
        overlap = max(0.0, min(cell[1], low + width) - max(cell[0], low))
        assert mass / 2**53 == pytest.approx(overlap / width, abs=1e-13 + 1e-15 / width)


def test_uniform_masses_of_whole_cells_are_equal() -> None:
    walk = rw.LatticeWalk(0.2, 0.2, sites=10, domain=rw.Interval(0, 1, REFLECT, REFLECT), start=rw.Uniform(0, 1))
    _, masses = start_masses(walk.start, walk.lattice)
    assert masses.size == 10 and np.ptp(masses) <= 16  # rounding of the cell edges: a few 2⁻⁵³


def test_uniform_between_absorbing_walls_loses_the_cells_of_the_walls() -> None:
    walk = rw.LatticeWalk(0.2, 0.2, sites=9, domain=UNIT, start=rw.Uniform(0, 1))
    law = rw.pde.exact_law(walk, [0.0])
    assert law.absorbed("left", [0.0])[0] == pytest.approx(0.05, abs=1e-15)
    assert law.survival(0.0) == pytest.approx(0.9, abs=1e-15)
    run = rw.simulate(walk, 100_000, [0.0], seed=1)
    assert abs(int(run.gone[0, 0]) - 5000) < 5 * math.sqrt(5000)  # 5 standard errors: 6e-7 of false alarm


@pytest.mark.parametrize("ratio", [1.0, 1.5, 4.0])
def test_normal_starts_keep_mean_and_variance(ratio: float) -> None:
    """To 2 exp(-2π² (sd/dx)²), and the truncation at 9.5 sd (2e-19), and rounding."""
    lattice = rw.model.lattice.Lattice(0.0, 0.1, None, None, False)
    sd = ratio * 0.1
    first, masses = start_masses(rw.Normal(0.333, sd), lattice)
    x, p = lattice.x(first + np.arange(masses.size)), masses / 2.0**53
    allowed = (
        40 * math.exp(-2 * math.pi**2 * ratio**2) + 1e-13
    )  # the second moment carries a factor (2π sd/dx)² = 40 at 1
    assert int(masses.sum()) == 2**53
    assert abs(p @ x - 0.333) < allowed
    assert p @ (x - 0.333) ** 2 == pytest.approx(sd**2, rel=2 * allowed)


def test_starts_beyond_walls_settle() -> None:
    """Half a cell beyond a reflecting wall belongs to the site before it; on a ring sites wrap."""
    walk = rw.LatticeWalk(0.2, 0.2, sites=10, domain=rw.Interval(0, 1, REFLECT, REFLECT), start=0.01)
    index, masses = start_index(table_for(walk, 1))
    assert (index.tolist(), masses.tolist()) == ([1], [2**53])
    ring = rw.LatticeWalk(0.2, 0.2, sites=10, domain=rw.Ring(0, 1), start=0.975)
    index, masses = start_index(table_for(ring, 1))
    assert index.tolist() == [1, 10] and masses[0] / 2**53 == pytest.approx(0.75, abs=1e-12)
    assert int(masses.sum()) == 2**53


def test_cdf_of_starts() -> None:
    assert rw.Point(1.0).cdf([0.9, 1.0, 1.1]).tolist() == [0, 1, 1]
    assert rw.Uniform(0, 2).cdf([-1, 0.5, 3]).tolist() == [0, 0.25, 1]
    assert rw.Sites([2, 0], [0.25, 0.75]).cdf([-1, 0, 1, 2]).tolist() == [0, 0.75, 0.75, 1]
    assert rw.Normal(1, 2).cdf([1.0]).tolist() == [0.5]


# ---------------------------------------------------------------- the quantiser


def quantised(right: float, left: float, killed: float) -> list[int]:
    return [int(v) for v in quantise([np.array(right), np.array(left)], np.array(killed))]


@given(p=st.floats(0, 1), share=st.floats(0, 1), killed=st.one_of(st.just(0.0), st.floats(0, 1), st.floats(0, 1e-9)))
def test_quantiser_rounds_like_fractions(p: float, share: float, killed: float) -> None:
    """Whole numbers of 2⁻⁶². Without killing they are those of exact fractions; p K, of K units of killing, is rounded to
    a double first."""
    q = share * (1 - p)
    right, both, live = quantised(p, q, killed)
    expected = naive.quantise(p, q, killed)
    assert 0 <= right <= both <= live <= 2**62 and live == expected[2]
    units = 2**62 - live
    allowed = 1 + units / 2**53 if units else 0
    full = abs(Fraction(p) + Fraction(q) - 1 + Fraction(1, 2**50)) < Fraction(
        1, 2**52
    )  # the border, where p + q is rounded
    assert abs(right - expected[0]) <= allowed
    assert abs(both - right - expected[1]) <= (2**13 if full else 2 * allowed)


@pytest.mark.parametrize("p", [0.5, 0.55, 1 / 3, 0.1, 1e-9, 1.0, 0.0])
@pytest.mark.parametrize("ulps", [-3, -1, 0, 1])
@pytest.mark.parametrize("killed", [0.0, 1e-10, 0.3])
def test_quantiser_leaves_no_stay_by_rounding(p: float, ulps: int, killed: float) -> None:
    right, both, live = quantised(p, max(0.0, 1.0 - p + ulps * 2.0**-52), killed)
    assert both == live == 2**62 - round(Fraction(killed) * 2**62)
    assert abs(Fraction(right, live) - Fraction(p)) <= Fraction(2 + (2**62 - live) // 2**53, live)


@pytest.mark.parametrize("p", [0.5, 0.3, 0.99])
@pytest.mark.parametrize("stay", [1e-10, 3e-15])
def test_a_true_stay_is_kept(p: float, stay: float) -> None:
    q = 1.0 - p - stay
    _, both, live = quantised(p, q, 0.0)
    assert live == 2**62 and Fraction(live - both, 2**62) == 1 - Fraction(p) - Fraction(q)


@pytest.mark.parametrize("rate", [1.78e-10, 1e-17, 2.0**-62, 0.7])
def test_a_small_killing_is_kept(rate: float) -> None:
    _, _, live = quantised(0.25, 0.25, -math.expm1(-rate))
    assert (2**62 - live) / 2**62 == pytest.approx(-math.expm1(-rate), rel=2.0**-52, abs=2.0**-63)


def test_symmetric_walks_stay_symmetric() -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(0, 0.5, 1000)
    for killed in (0.0, 1e-10, 0.3):
        right, both, _ = quantise([p, p], np.full(1000, killed))
        assert (both == 2 * right).all()
        right, both, _ = quantised(0.5, 0.5, killed)
        assert 0 <= both - 2 * right <= 1


def test_probabilities_of_31_digits_are_what_they_were() -> None:
    rng = np.random.default_rng(3)
    right, left = rng.integers(0, 2**30, (2, 1000))
    limits = quantise([right / 2**31, left / 2**31], np.zeros(1000))
    np.testing.assert_array_equal(limits, np.array([right, right + left, np.full(1000, 2**31)]) << 31)


# ---------------------------------------------------------------- round trips


@given(a=finite, d=st.floats(0.1, 2.0), rule=st.sampled_from([r for r in Rule if r is not Rule.TWO_WAY]))
def test_limit_of_walk_for_is_the_equation(a: float, d: float, rule: Rule) -> None:
    equation = rw.pde.FokkerPlanck(rw.Affine(a, 0.1), d, start=rw.Normal(0.1, 0.5), killing=0.3)
    back = rw.pde.limit(rw.pde.walk_for(equation, dx=0.01, rule=rule))
    assert back == equation


@pytest.mark.parametrize("rule", list(Rule))
def test_walk_for_keeps_domain_and_start(rule: Rule) -> None:
    equation = rw.pde.FokkerPlanck(0.4, 0.5, domain=rw.Interval(0, 1, ABSORB, REFLECT), start=rw.Uniform(0.2, 0.4))
    walk = rw.pde.walk_for(equation, sites=20, rule=rule)
    assert rw.pde.limit(walk) == equation and walk.lattice.sites == 20 and walk.rule is rule


def test_with_start() -> None:
    walk = rw.LatticeWalk(0.3, 0.4, sites=9, domain=UNIT, start=0.5, killing=0.1)
    moved = walk.with_start(0.2)
    assert moved == rw.LatticeWalk(0.3, 0.4, sites=9, domain=UNIT, start=0.2, killing=0.1)
    assert walk.start == rw.Point(0.5) and moved != walk
    with pytest.raises(ValueError, match="absorbing left wall"):
        walk.with_start(0.0)


def test_repr_names_everything() -> None:
    text = repr(rw.LatticeWalk(0.3, 0.4, sites=9, domain=UNIT, start=0.5, killing=0.1))
    for part in (
        "right=0.3",
        "left=0.4",
        "dx=0.1",
        "dt=1",
        "killing=0.1",
        "Interval(0, 1, left=Absorbing()",
        "start=Point(x=0.5)",
    ):
        assert part in text


def test_walks_in_pickles_of_earlier_releases_are_read() -> None:
    """These hold what a walk was made from in fields of its own."""
    made = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.05, times=[1.0], convention=rw.Convention.FICK)
    for walk in (made, rw.LatticeWalk(0.3, 0.2, dx=1.0)):
        state = {f.name: getattr(walk, f.name) for f in dataclasses.fields(walk) if f.name != "declared"}
        earlier = {name: getattr(walk, name) for name in ("declared_drift", "diffusion", "rule", "convention")}
        then = object.__new__(rw.LatticeWalk)
        then.__setstate__(state | earlier)
        assert then == walk and repr(then) == repr(walk) and then.rule == walk.rule
        assert then.convention == walk.convention and then.declared_drift == walk.declared_drift
