"""Closed forms at the extremes: spreads and layers that are tiny beside the domain, weak and strong walls, any unit, no end."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from scipy import special

import randwalk as rw
from randwalk.pde import FokkerPlanck, closed_form
from randwalk.pde.forms.exits import exit_probability

A, R = rw.Absorbing(), rw.Reflecting()
INF = math.inf


def solved(z: float, b: float, d: float, kappa: float, k: float, length: float, other: float) -> float:
    """The exit problem as it is stated, in as many digits as its two exponentials lose."""
    with mp.workdps(60 if abs(b) < 100 else 1000):
        x, b, d, kappa, length = map(mp.mpf, (z, b, d, kappa, length))
        root = mp.sqrt(b * b + 4 * d * kappa)
        pairs: list[Any] = [lambda x: (mp.mpf(1), mp.mpf(0)), lambda x: (x, mp.mpf(1))]
        if root:
            m1, m2 = (-b - root) / (2 * d), (-b + root) / (2 * d)
            pairs = [
                lambda x: (mp.exp(m1 * x), m1 * mp.exp(m1 * x)),
                lambda x: (mp.exp(m2 * (x - length)), m2 * mp.exp(m2 * (x - length))),
            ]

        def at_wall(pair: tuple[Any, Any], reactivity: float, sign: int) -> Any:
            value, slope = pair
            return value if math.isinf(reactivity) else reactivity * value + sign * d * slope

        here = [at_wall(pair(mp.mpf(0)), k, -1) for pair in pairs]
        there = [at_wall(pair(length), other, 1) for pair in pairs]
        right = mp.mpf(1) if math.isinf(k) else mp.mpf(k)
        det = here[0] * there[1] - here[1] * there[0]
        return float(right * (there[1] * pairs[0](x)[0] - there[0] * pairs[1](x)[0]) / det)


@pytest.mark.parametrize("b", [-1e3, -3.0, -1e-9, 0.0, 2.0, 50.0, 1e3])
def test_exit_probability_keeps_its_digits(b: float) -> None:
    """A few exponentials of exponents up to 2e3, whose ulp is 2e-13, and products of numbers of one sign."""
    kappas, reactivities, others = (0.0, 1e-12, 0.3, 1e4), (1e-12, 0.7, 1e12, INF), (0.0, 1e-12, 0.7, 1e12, INF)
    if abs(b) > 100:
        kappas, reactivities, others = (0.0, 0.3), (0.7, INF), (0.0, 0.7, INF)  # type: ignore[assignment]
    for kappa, k, other, z in itertools.product(kappas, reactivities, others, (0.0, 1e-3, 0.4, 0.999)):
        want = solved(z, b, 0.5, kappa, k, 1.0, other)
        got = float(exit_probability(np.asarray(z), b, 0.5, kappa, k, 1.0, other))
        assert got == pytest.approx(want, rel=1e-11, abs=1e-290), (kappa, k, other, z)


UNITS = [(1.0, 1.0), (1e-6, 1e-9), (1e6, 1e6)]


@pytest.mark.parametrize(("length", "time"), UNITS)
@pytest.mark.parametrize("small", [1e-3, 1e-7, 1e-12, 1e-20])
@pytest.mark.parametrize("walls", [(A, A), (A, R), (R, A)])
def test_a_wide_start_loses_what_stands_by_the_walls(walls: Any, small: float, length: float, time: float) -> None:
    """∫ erfc(y/s) dy/2L = s/(2L√π) leaves by a wall, s² = 4Dt, while the other is 30 s or more away; ρ = ½ erf(ξ/s)/L."""
    d, t = small * length**2 / time, 0.2 * time
    form = closed_form(
        FokkerPlanck(0.0, d, domain=rw.Interval(-length, length, *walls), start=rw.Uniform(-length, length))
    )
    s = math.sqrt(4.0 * d * t)
    want = s / (2.0 * length * math.sqrt(math.pi))
    lost = 0.0
    for side, wall in zip(("left", "right"), walls, strict=True):
        gone = want if wall == A else 0.0
        assert form.absorbed(side, t) == pytest.approx(gone, rel=1e-12 + 1e-16 * 2.0 * length / s)
        if wall == A:
            near = 1e-12 + 1e-16 * 2.0 * length / s  # starts have an ulp of 1e-16 of the place of the wall
            assert form.first_passage_density(side, t) == pytest.approx(0.5 * gone / t, rel=near)
        lost += gone
    assert form.survival(t) == pytest.approx(1.0 - lost, abs=1e-13)
    inward = length * np.array([0.0, 1e-3, 0.3, 1.0])
    xi = length + (inward - length)  # as the places are once rounded
    shape = special.erf(xi / s) if walls[0] == A else np.ones(4)
    np.testing.assert_allclose(form.pdf(-length + xi, t), 0.5 * shape / length, rtol=1e-6 if small < 1e-12 else 1e-9)
    edges = np.linspace(-length, length, 11)
    assert form.mass(edges, t).sum() == pytest.approx(float(form.survival(t)), abs=1e-12)
    np.testing.assert_allclose(form.mass(edges, t)[1:-1], 0.1, rtol=1e-12)


@pytest.mark.parametrize("sd", [0.05, 1e-5])
@pytest.mark.parametrize("domain", [rw.Interval(0, 1, A, R), rw.Interval(0, INF, A), rw.Ring(0, 1), rw.Line()])
def test_a_normal_start_adds_its_variance(domain: Any, sd: float) -> None:
    """Far from the walls: the normal law of variance s₀² + 2Dt about y + at, at spreads far below s₀ and above."""
    for dt in (1e-14, 1e-10, 1e-6):
        form = closed_form(FokkerPlanck(0.1, dt, domain=domain, start=rw.Normal(0.5, sd)))
        whole = math.hypot(sd, math.sqrt(2.0 * dt))
        x = 0.6 + whole * np.array([-3.0, 0.0, 0.5, 2.0])
        want = np.exp(-0.5 * ((x - 0.6) / whole) ** 2) / (math.sqrt(2.0 * math.pi) * whole)
        rounding = 1e-12 + 1e-15 / whole
        np.testing.assert_allclose(form.pdf(x, 1.0), want, rtol=10 * rounding)
        below = form.cdf(x, 1.0) - float(form.cdf(0.0, 1.0))
        np.testing.assert_allclose(below, special.ndtr((x - 0.6) / whole), atol=10 * rounding)


def test_an_arc_on_a_ring_blurs_at_its_ends() -> None:
    """½(erf + erf)/width at the ends of the arc, which drift takes round the seam."""
    for d in (1e-4, 1e-9, 1e-16):
        form = closed_form(FokkerPlanck(0.7, d, domain=rw.Ring(0.0, 1.0), start=rw.Uniform(0.2, 0.6)))
        s = math.sqrt(4.0 * d)
        x = np.mod(np.array([0.9, 1.3, 1.1, 0.9 - s, 1.3 + s]), 1.0)
        turned = np.array([0.0, 0.4, 0.2, -s, 0.4 + s])
        want = (special.erf(turned / s) + special.erf((0.4 - turned) / s)) / 0.8
        np.testing.assert_allclose(form.pdf(x, 1.0), want, atol=1e-12 + 1e-15 / s)
        np.testing.assert_allclose(form.pdf(x + 5.0, 1.0), form.pdf(x, 1.0), atol=1e-12 + 1e-14 / s)  # the same places
        assert form.mass([0.0, 0.3, 1.0], 1.0).sum() == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize(
    ("rate", "low", "high", "t"), [(1e3, -1.0, 1.0, 1e-6), (1.0, -1e5, 1e5, 1.0), (1.0, -1, 1, 1e-12)]
)
def test_benes_from_wide_starts(rate: float, low: float, high: float, t: float) -> None:
    """The two running normal laws averaged over the start by mpmath, where the density has its shape."""
    form = closed_form(FokkerPlanck(rw.Tanh(rate, rate), 0.5, start=rw.Uniform(low, high)))
    sd, run = math.sqrt(t), rate * t
    for x in (0.0, 1.3 / rate, low + run, high + 0.5 * sd):
        with mp.workdps(30):

            def integrand(y: Any, x: float = x) -> Any:
                return sum(
                    mp.npdf((x - y - way * run) / sd) / sd / (1 + mp.exp(-2 * way * rate * y)) for way in (1, -1)
                )

            places = {min(max(x + way * run + k * sd, low), high) for way in (1, -1) for k in range(-20, 21, 2)}
            want = float(mp.quad(integrand, sorted(places)) / (high - low))
        assert form.pdf(x, t) == pytest.approx(want, rel=1e-9)  # y - x of 1e5 has an ulp of 1e-11
    assert form.mass([-INF, 0.0, INF], t).sum() == pytest.approx(1.0, abs=1e-12)
    assert form.cdf(0.0, t) == pytest.approx(0.5, abs=1e-9)
    middle = 0.5 * (low + high)
    assert form.mean(t) == pytest.approx(middle, abs=1e-9 * (high - low))


def random_problem(rng: np.random.Generator) -> tuple[FokkerPlanck, float, list[str]]:
    """An equation with walls between 1e-12 and 1e12 of D/L, Péclet up to 1e4, in any unit; a time; its walls."""
    length, unit = 10.0 ** rng.choice([-9, -6, 0, 6]), 10.0 ** rng.choice([-9, 0, 6])
    d = length**2 / unit
    t = unit * 10.0 ** (rng.choice([-20, -12, -4, -1.3, 0, 3, 12]) if rng.random() < 0.5 else rng.uniform(-9, 2))
    drift = rng.choice([0.0, 1e-8, 1.0, 10.0, 1e2, 1e4]) * rng.choice([-1, 1]) * d / length

    def wall() -> Any:
        strength = float(10.0 ** rng.choice([-12, -3, 0, 3, 12]) * d / length)
        kinds: list[Any] = [A, R, rw.PartiallyAbsorbing(strength)]
        return kinds[rng.integers(3)]

    low = float(rng.choice([0.0, -0.5, 3.0]) * length)
    high = low + float(length)
    kind = rng.integers(4)
    domain = rw.Interval(low, high, wall(), wall()) if kind < 2 else rw.Interval(low, INF, wall())
    domain = rw.Ring(low, high) if kind == 3 else domain  # type: ignore[assignment]
    u, v = np.sort(rng.random(2)).tolist()
    starts = [
        low + u * length, rw.Uniform(low, high), rw.Uniform(low + u * length, low + v * length),
        rw.Normal(low + 0.5 * length, length * 10.0 ** rng.uniform(-6, -1.3)),
        rw.Sites([low + u * length, low + v * length], [0.3, 0.7]),
    ]  # fmt: skip
    start = starts[rng.integers(5)]
    killing = float(rng.choice([0.0, 0.0, 1e-12, 0.3, 1e3]) / t)
    equation = FokkerPlanck(float(drift), float(d), domain=domain, start=start, killing=killing)
    return equation, float(t), [side for side in ("left", "right") if getattr(domain, side) is not None]


@pytest.mark.parametrize("seed", range(40))
def test_nobody_is_lost_at_the_extremes(seed: int) -> None:
    """All answers finite, bins add up to the survivors, survivors and passed and killed to 1, also in the end. 1e-11: some
    thousand summed terms, exponents of 1e4."""
    equation, t, walls = random_problem(np.random.default_rng(seed))
    form, low = closed_form(equation), equation.domain.low
    high = equation.domain.high if math.isfinite(equation.domain.high) else 2.0 * low + 10.0 * abs(low)
    alive, gone = float(form.survival(t)), [float(form.absorbed(side, t)) for side in walls]
    killed = float(form.absorbed("killing", t))
    assert alive + sum(gone) + killed == pytest.approx(1.0, abs=1e-11)
    edges = np.append(np.linspace(low, max(high, low + 1e-9), 8), INF)
    mass = form.mass(edges, t)
    assert mass.sum() == pytest.approx(alive, abs=1e-11)
    at_last = [float(form.absorbed(side, INF)) for side in walls]
    assert float(form.survival(INF)) + sum(at_last) + float(form.absorbed("killing", INF)) == pytest.approx(
        1.0, abs=1e-11
    )
    assert all(now <= last + 1e-11 for now, last in zip(gone, at_last, strict=True))
    density = form.pdf(np.array([low, 0.7 * low + 0.3 * high, INF, -INF]), t)
    flux = [float(form.first_passage_density(side, t)) for side in form.law.exits]
    values = np.concatenate([mass, density, flux, gone, at_last, form.cdf([-INF, low, high, INF], t)])
    assert np.isfinite(values).all() and values.min() >= -1e-13


@pytest.mark.parametrize(("start", "drifts"), [(0.3, (-2.0, 0.0, 1.5)), (rw.Uniform(0.1, 0.8), (1.5,))])
def test_the_limit_is_where_late_times_go(start: Any, drifts: tuple[float, ...]) -> None:
    walls: list[tuple[Any, Any]] = [(A, A), (A, R), (rw.PartiallyAbsorbing(0.7), A), (rw.PartiallyAbsorbing(0.7), R)]
    for (left, right), a, kappa in itertools.product(walls, drifts, (0.0, 0.4)):
        form = closed_form(FokkerPlanck(a, 0.5, domain=rw.Interval(0, 1, left, right), start=start, killing=kappa))
        # the slowest mode decays faster than exp(-0.08 t): a weak wall and a drift away from it
        late = form.absorbed("left", [200.0 / 0.08, INF])
        assert late[0] == pytest.approx(float(late[1]), abs=1e-11)


def test_the_half_line_against_drift_keeps_some_for_ever() -> None:
    """1 - exp(-ay/D) never come back (Redner, 2.4.2); with a wall of reactivity K the part K/(K + a) of them leaves."""
    form = closed_form(FokkerPlanck(1.0, 0.5, domain=rw.Interval(0, INF, A), start=0.4))
    assert form.absorbed("left", INF) == pytest.approx(math.exp(-0.8), rel=1e-14)
    assert form.survival([0.0, INF]) == pytest.approx([1.0, 1.0 - math.exp(-0.8)])
    weak = closed_form(FokkerPlanck(1.0, 0.5, domain=rw.Interval(0, INF, rw.PartiallyAbsorbing(3.0)), start=0.4))
    assert weak.absorbed("left", INF) == pytest.approx(0.75 * math.exp(-0.8), rel=1e-14)
    towards = closed_form(FokkerPlanck(-1.0, 0.5, domain=rw.Interval(0, INF, A), start=0.4))
    assert towards.absorbed("left", INF) == 1.0 and towards.survival(INF) == 0.0
    line = closed_form(FokkerPlanck(1.0, 0.5, killing=0.1))
    assert line.absorbed("killing", [0.0, INF]).tolist() == [0.0, 1.0]


FORMS = [
    FokkerPlanck(0.5, 0.5),
    FokkerPlanck(rw.Affine(slope=-1.0), 0.5, killing=0.2),
    FokkerPlanck(rw.Tanh(1.0, 1.0), 0.5, start=rw.Uniform(-1, 1)),
    FokkerPlanck(rw.expression("t"), 0.5),
    FokkerPlanck(0.5, 0.5, domain=rw.Ring(0, 1), start=rw.Uniform(0.2, 0.4)),
    FokkerPlanck(0.5, 0.5, domain=rw.Interval(0, INF, A), start=1.0),
    FokkerPlanck(0.5, 0.5, domain=rw.Interval(0, 1, A, R), start=rw.Uniform(0.2, 0.4)),
]


@pytest.mark.parametrize("equation", FORMS, ids=str)
def test_what_is_no_time_and_no_place(equation: FokkerPlanck) -> None:
    form = closed_form(equation)
    wrong: list[Any] = [math.nan, [1.0, math.nan], -1.0, 0.0, INF]
    densities: list[Callable[[Any], Any]] = [lambda t: form.pdf(0.5, t), lambda t: form.cdf(0.5, t)]
    for bad in wrong:
        for ask in densities:
            with pytest.raises(ValueError, match=r"^t = "):
                ask(bad)
    for bad in (math.nan, -1.0, 0.0, INF):
        with pytest.raises(ValueError, match=r"^t = "):
            form.mass([0.0, 1.0], bad)
    for bad in (math.nan, [1.0, math.nan], -1.0):
        with pytest.raises(ValueError, match=r"^t = "):
            form.survival(bad)
        with pytest.raises(ValueError, match=r"^t = "):
            form.absorbed("killing", bad)
    nothing: list[Any] = ["noon", None, [1.0, "x"], 1j, {}]
    for bad in nothing:
        for ask in (form.survival, densities[0], lambda t: form.mass([0.0, 1.0], t)):
            with pytest.raises(TypeError, match=r"^t = .*must be a number"):
                ask(bad)
        with pytest.raises(TypeError, match=r"^x = .*must be a number"):
            form.cdf(bad, 1.0)
    with pytest.raises(ValueError, match=r"^x = nan"):
        form.pdf(math.nan, 1.0)
    assert form.pdf([0.1, 0.2], [1.0, 2.0, 3.0]).shape == (3, 2)
    alive = float(form.survival(1.0))
    assert form.pdf([-INF, INF], 1.0).tolist() == [0.0, 0.0]
    assert form.cdf([-INF, -1e300, 1e300, INF], 1.0) == pytest.approx([0.0, 0.0, alive, alive], abs=1e-12)
    assert form.mass([-INF, 0.3, INF], 1.0).sum() == pytest.approx(alive, abs=1e-12)
    assert form.mass([-INF, INF], 1.0) == pytest.approx([alive], abs=1e-12)
    for wall in ("up", None, 3):
        with pytest.raises(ValueError, match=f"exit = {wall!r}: must be one of"):
            form.absorbed(wall, 1.0)  # type: ignore[arg-type]


def test_what_a_double_cannot_hold() -> None:
    ring = closed_form(FokkerPlanck(0.5, 0.5, domain=rw.Ring(0, 1)))
    with pytest.raises(ValueError, match="x = 1e\\+30: so many times round"):
        ring.pdf(1e30, 1.0)
    unstable = closed_form(FokkerPlanck(rw.Affine(slope=1.0), 0.5))
    with pytest.raises(ValueError, match="t = 1000: with the drift's slope"):
        unstable.mean(1000.0)


@pytest.mark.parametrize("drift", [0.0, 0.5, -0.5])
@pytest.mark.parametrize("killing", [0.0, 0.3])
def test_who_starts_on_a_wall_leaves_by_the_other_too(drift: float, killing: float) -> None:
    """Without drift and killing by the wall opposite with 1/(1 + KL/D) in the end, which makes u linear."""
    domain = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.PartiallyAbsorbing(1.5))
    form, close = (
        rw.pde.closed_form(rw.pde.FokkerPlanck(drift, 0.5, domain=domain, start=start, killing=killing))
        for start in (1.0, 1.0 - 1e-12)
    )
    times = [0.01, 0.3, 2.0, math.inf]
    parts = [form.absorbed(exit, times) for exit in ("left", "right", "killing")]
    assert sum(parts) + form.survival(times) == pytest.approx(np.ones(4), rel=1e-12)
    assert parts[0] == pytest.approx(close.absorbed("left", times), rel=1e-9, abs=0.0)
    if not drift and not killing:
        assert parts[0][3] == pytest.approx(1.0 / 4.0, rel=1e-12)
