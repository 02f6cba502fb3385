"""The law in a disc and in balls against Bessel series by other means, published values, quadrature and the flat wall."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special

import randwalk as rw
from randwalk.pde import FokkerPlanck, NoClosedForm, closed_form
from randwalk.pde.closed_form import ClosedForm
from randwalk.pde.forms.modes import modes_of

WALLS: dict[str, rw.Absorbing | rw.Reflecting | rw.PartiallyAbsorbing] = {
    "absorbing": rw.Absorbing(),
    "partial": rw.PartiallyAbsorbing(2.0),
    "reflecting": rw.Reflecting(),
}


def ball(
    dimension: int, wall: str = "absorbing", start: float = 0.0, diffusion: float = 0.5, **given: object
) -> ClosedForm:
    """Radius 1.5 around (0.5, 0, …), from a place `start` away from the centre, along a direction between the axes."""
    centre = np.array([0.5, *[0.0] * (dimension - 1)])
    point = centre + start * np.array([0.6, 0.8, *[0.0] * (dimension - 2)])
    domain = (rw.Line() ** dimension).inside(rw.Ball(centre, 1.5), WALLS[wall], name="shell")
    return closed_form(FokkerPlanck(0, diffusion, domain=domain, start=tuple(point.tolist()), **given))  # type: ignore[arg-type]


def test_roots_are_those_of_scipy_and_of_space() -> None:
    for order in (0, 1, 5, 40):
        zeros = modes_of(2, order, math.inf, 120.0).alpha
        assert zeros == pytest.approx(special.jn_zeros(order, zeros.size), rel=1e-13)
        flat = modes_of(2, order, 0.0, 120.0).alpha
        known = special.jnp_zeros(order, flat.size)
        assert flat[flat > 0.0] == pytest.approx(known[: np.count_nonzero(flat)], rel=1e-13)
    for h in (1e-8, 0.3, 1.0, 50.0):  # α cot α = 1 - h in space (Carslaw and Jaeger 9.4)
        alpha = modes_of(3, 0, h, 60.0).alpha
        assert alpha * np.cos(alpha) == pytest.approx((1.0 - h) * np.sin(alpha), abs=1e-12)
        assert h > 1e-6 or alpha[0] == pytest.approx(math.sqrt(3.0 * h), rel=1e-7)


@pytest.mark.parametrize("dimension", [2, 3, 10])
@pytest.mark.parametrize("start", [0.0, 0.9, 1.4])
def test_mean_exit_times(dimension: int, start: float) -> None:
    """∫ S dt = (R² - r²)/2dD; with reactivity K another R/dK."""
    for wall, more in (("absorbing", 0.0), ("partial", 1.5 / (dimension * 2.0))):
        form = ball(dimension, wall, start)
        mean = sum(
            integrate.quad(lambda t, form=form: float(form.survival(t)), a, b, epsabs=1e-9)[0]
            for a, b in ((0, 0.01), (0.01, 0.1), (0.1, 2), (2, 40))
        )
        assert mean == pytest.approx((2.25 - start**2) / (2 * dimension * 0.5) + more, rel=1e-6)


@pytest.mark.parametrize("tau", [5.0, 8.0, 20.0, 60.0])
@pytest.mark.parametrize("dimension", [2, 3])
def test_when_hardly_anybody_is_left_the_slowest_mode_is(dimension: int, tau: float) -> None:
    """J₀(jr) in the disc and sin(πr)/r in the ball, relatively: the second mode is exp(-24τ) of it. Here is r₀ = 0.3, r = 0.5."""
    domain = (rw.Line() ** dimension).inside(rw.Ball((0.0,) * dimension, 2.0), rw.Absorbing(), name="rim")
    start, place = ((2.0 * r, *[0.0] * (dimension - 1)) for r in (0.3, 0.5))
    form = closed_form(FokkerPlanck(0.0, 4.0, domain=domain, start=start))  # τ = t
    rate, alive, density = math.pi**2, 2.0 * math.sin(0.3 * math.pi) / (0.3 * math.pi), math.sin(0.3 * math.pi)
    density /= 0.3 * 0.5 * 2.0 * math.pi
    if dimension == 2:
        j = float(special.jn_zeros(0, 1)[0])
        rate, alive = j**2, 2.0 * special.j0(0.3 * j) / (j * special.j1(j))
        density = special.j0(0.3 * j) * special.j0(0.5 * j) / (math.pi * special.j1(j) ** 2)
    left = math.exp(-rate * tau)
    assert float(form.survival(tau)) == pytest.approx(alive * left, rel=1e-12, abs=0.0)
    assert float(form.first_passage_density("rim", tau)) == pytest.approx(rate * alive * left, rel=1e-12, abs=0.0)
    assert float(form.pdf(place, tau)) == pytest.approx(density * left / 2.0**dimension, rel=1e-12, abs=0.0)
    assert form.mean(tau) == pytest.approx(np.zeros(dimension), abs=1e-12)


def test_where_nobody_is_left_there_is_no_density() -> None:
    """exp(-5.8 · 10⁴) is no double."""
    form = ball(2, start=0.3)
    assert float(form.pdf((0.6, 0.0), 1e5)) == 0.0 == float(form.survival(1e5))


def test_published_survival() -> None:
    """From the centre of the unit disc 2 Σ exp(-j²Dt)/(j J₁(j)); of the unit ball 1 + 2 Σ (-1)ⁿ exp(-n²π²Dt)."""
    zeros = special.jn_zeros(0, 60)
    for t in (0.05, 0.5, 2.0):
        disc = 2.0 * np.sum(np.exp(-(zeros**2) * 0.5 * t / 2.25) / (zeros * special.j1(zeros)))
        assert ball(2).survival(t) == pytest.approx(disc, rel=1e-12)
        n = np.arange(1, 60)
        assert ball(3).survival(t) == pytest.approx(
            -2.0 * np.sum((-1.0) ** n * np.exp(-((n * math.pi) ** 2) * 0.5 * t / 2.25)), rel=1e-12
        )
    heat = FokkerPlanck(
        0,
        0.5,
        domain=(rw.Line() ** 10).inside(rw.Ball((0.0,) * 10, 1.0), rw.Absorbing(), name="shell"),
        start=(0.0,) * 10,
    )
    assert closed_form(heat).survival(0.05) == pytest.approx(0.953070, abs=5e-7)


def test_a_ball_is_a_half_line_of_r_times_the_density() -> None:
    """In space r·S(r) solves the equation of one dimension, absorbed at 0 and R: S = r₀⁻¹ × the mean of x there."""
    one = closed_form(FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, 1.5, rw.Absorbing(), rw.Absorbing()), start=0.9))
    form = ball(3, start=0.9)
    for t in (1e-7, 1e-4, 0.01, 0.5):
        assert form.survival(t) == pytest.approx(one.survival(t) * one.mean(t) / 0.9, rel=1e-11)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("wall", ["absorbing", "partial"])
@pytest.mark.parametrize("start", [0.0, 1.4])
def test_what_left_and_what_stays(dimension: int, wall: str, start: float) -> None:
    form = ball(dimension, wall, start, killing=0.4)
    times = np.array([1e-4, 0.01, 0.3, 2.0, math.inf])
    # the killed are the integral of the survivors
    killed = [0.0]
    for low, high in zip([0.0, *times[:-2]], times[:-1], strict=True):
        killed.append(killed[-1] + 0.4 * integrate.quad(lambda t: float(form.survival(t)), low, high, epsabs=1e-10)[0])
    total = form.survival(times[:-1]) + form.absorbed("shell", times[:-1]) + np.array(killed[1:])
    assert total == pytest.approx(np.ones(4), abs=2e-9)
    assert form.absorbed("shell", math.inf) == pytest.approx(form.absorbed("shell", 60.0), abs=1e-9)
    passed = integrate.quad(lambda t: float(form.first_passage_density("shell", t)), 0.01, 0.3, epsabs=1e-10)[0]
    assert passed == pytest.approx(np.diff(form.absorbed("shell", times[1:3]))[0], abs=1e-9)


@pytest.mark.parametrize(
    ("dimension", "t", "wall"),
    [
        (2, 0.03, "absorbing"),
        (2, 0.03, "reflecting"),
        (3, 1.5, "partial"),
        pytest.param(2, 0.03, "partial", marks=pytest.mark.long),
        pytest.param(3, 1.5, "absorbing", marks=pytest.mark.long),
        pytest.param(3, 1.5, "reflecting", marks=pytest.mark.long),
    ],
)
def test_the_density_has_the_moments_of_the_series(dimension: int, t: float, wall: str) -> None:
    form = ball(dimension, wall, 1.2)
    alive = form.survival(t)
    assert form.expect(lambda *x: np.ones_like(x[0]), t) == pytest.approx(alive, rel=1e-10)
    mean = [form.expect(lambda *x, i=i: x[i], t) / alive for i in range(dimension)]
    assert form.mean(t) == pytest.approx(mean, rel=1e-9, abs=1e-12)
    cross = form.expect(lambda *x: x[0] * x[1], t) / alive - mean[0] * mean[1]
    assert form.variance(t)[0, 1] == pytest.approx(cross, rel=1e-8)
    masses = form.mass([[-1.2, 0.3, 2.5], *[[-1.5, 0.2, 1.5]] * (dimension - 1)], t)
    assert masses.shape == (2,) * dimension and masses.sum() == pytest.approx(alive, rel=1e-9)


def test_a_bin_against_a_double_integral() -> None:
    form = ball(2, "partial", 1.2)
    mass = form.mass([[1.0, 1.7], [0.4, 1.4]], 0.3).item()  # the circle cuts it
    inner = integrate.dblquad(
        lambda y, x: float(form.pdf((x, y), 0.3)), 1.0, 1.7, 0.4, lambda x: min(1.4, math.sqrt(2.25 - (x - 0.5) ** 2)),
        epsabs=1e-8, epsrel=1e-7,
    )[0]  # fmt: skip
    assert mass == pytest.approx(inner, rel=3e-7)
    along = form.marginal("x")
    assert along.mass([1.0, 1.7], 0.3) == pytest.approx(
        integrate.quad(lambda x: float(along.pdf(x, 0.3)), 1.0, 1.7)[0], rel=1e-8
    )


@pytest.mark.parametrize("wall", sorted(WALLS))
def test_the_heat_equation_and_the_wall(wall: str) -> None:
    """ρ_t = D∇²ρ inside, and -D ∂_r ρ = Kρ at the wall, by differences."""
    form, t, h = ball(2, wall, 0.7), 0.2, 2e-3
    x, y = 0.9, 0.3
    rate = (form.pdf((x, y), t + 1e-4) - form.pdf((x, y), t - 1e-4)) / 2e-4
    around = sum(form.pdf((x + i * h, y + j * h), t) for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1)))
    assert rate == pytest.approx(0.5 * (around - 4.0 * form.pdf((x, y), t)) / h**2, rel=1e-4)
    at, near, nearer = (form.pdf((0.5, r), t) for r in (1.5, 1.5 - h, 1.5 - 0.5 * h))
    slope = (3.0 * at - 4.0 * nearer + near) / h
    reactivity = WALLS[wall].reactivity
    assert (
        (at == pytest.approx(0.0, abs=1e-12))
        if math.isinf(reactivity)
        else (-0.5 * slope == pytest.approx(reactivity * at, abs=2e-5))
    )


@pytest.mark.parametrize(("dimension", "wall"), [(2, "partial"), pytest.param(3, "absorbing", marks=pytest.mark.long)])
def test_early_and_late_forms_agree_where_they_meet(dimension: int, wall: str) -> None:
    """Densities that have met the wall are off by about √τ = 3.4 % early; far from it they are free."""
    form = ball(dimension, wall, 1.47)
    change = 45.0 / 200.0**2 * 2.25 / 0.5
    point = tuple(
        np.array([0.5 + 0.6 * r for r in (1.44, 1.49)])
        if i == 0
        else np.array([0.8 * r if i == 1 else 0.0 for r in (1.44, 1.49)])
        for i in range(dimension)
    )
    early, late = form.pdf(point, change * (1 - 1e-9)), form.pdf(point, change * (1 + 1e-9))
    assert early == pytest.approx(late, rel=0.05)
    free = ball(dimension, wall, 0.3)
    early, late = free.pdf((0.7, 0.2, *[0.01] * (dimension - 2)), [change * (1 - 1e-9), change * (1 + 1e-9)])
    assert early == pytest.approx(late, rel=1e-7)
    change = 45.0 / 2e4**2 * 2.25 / 0.5
    close = ball(dimension, wall, 1.5 - 3e-4)
    early, late = close.absorbed("shell", [change * (1 - 1e-9), change * (1 + 1e-9)])
    assert early == pytest.approx(late, rel=1e-5)


def test_units_and_several_starts() -> None:
    """µm and ns; a start by atoms is the mean over its points."""
    domain = (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 1.5e-6), rw.PartiallyAbsorbing(2e3), name="shell")
    start = rw.Atoms([(0.3e-6, 0.0), (-0.9e-6, 0.6e-6)], [0.5, 0.5])
    form = closed_form(FokkerPlanck(0, 0.5e-3, domain=domain, start=start))
    centred = (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 1.5), rw.PartiallyAbsorbing(2.0), name="shell")
    parts = [closed_form(FokkerPlanck(0, 0.5, domain=centred, start=x)) for x in ((0.3, 0.0), (-0.9, 0.6))]
    assert form.survival(0.3e-9) == pytest.approx(np.mean([p.survival(0.3) for p in parts]), rel=1e-11)
    assert form.pdf((1e-7, 2e-7), 0.3e-9) == pytest.approx(
        1e12 * np.mean([p.pdf((0.1, 0.2), 0.3) for p in parts]), rel=1e-10
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"drift": (1.0, 0.0)}, r"drift\[0\] = 1: in a ball a closed form needs a drift of 0"),
        ({"diffusion": (0.5, 0.4)}, "constant, isotropic diffusion"),
        ({"start": rw.Normal((0.0, 0.0), (0.1, 0.1))}, "needs points or atoms"),
        ({"domain": (rw.Line() ** 2).without(rw.Ball((3.0, 0.0), 1.0))}, "alone has a closed form"),
    ],
)
def test_what_has_no_closed_form_says_why(given: dict[str, object], told: str) -> None:
    domain = (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 2.0), rw.Absorbing(), name="shell")
    with pytest.raises(NoClosedForm, match=told):
        closed_form(FokkerPlanck(**({"drift": 0, "diffusion": 0.5, "domain": domain} | given)))  # type: ignore[arg-type]


def test_a_coordinate_in_the_ball_by_sines() -> None:
    """From the centre of the unit ball the slice at z has Σ exp(-n²π²τ)(cos nπz - (-1)ⁿ), the integral of
    ρ = Σ n sin(nπr) exp(-n²π²τ)/2r; its places are tabulated, so that thousands cost no more than one."""
    form, tau = ball(3), 0.5 * 1.5 / 2.25
    x, n = np.linspace(-1.5, 1.5, 2001), np.arange(1, 40)[:, None]
    z, weight, sign = x / 1.5, np.exp(-((n * math.pi) ** 2) * tau), (-1.0) ** n
    along = form.marginal(0)
    density = (weight * (np.cos(n * math.pi * z) - sign)).sum(axis=0) / 1.5
    assert along.pdf(0.5 + x, 1.5) == pytest.approx(density, abs=1e-12)
    below = (weight * (np.sin(n * math.pi * z) / (n * math.pi) - sign * (z + 1.0))).sum(axis=0)
    assert along.cdf(0.5 + x, 1.5) == pytest.approx(below, abs=1e-12)
    assert along.cdf(math.inf, 1.5) == pytest.approx(form.survival(1.5), rel=1e-12)


@pytest.mark.parametrize(
    ("dimension", "wall", "t"), [(2, "partial", 0.3), (2, "absorbing", 0.004), (3, "reflecting", 0.6)]
)
def test_a_coordinate_is_the_integral_over_chords(dimension: int, wall: str, t: float) -> None:
    """Late and early, against the integral of the density over the slice by QUADPACK and against bins of the whole law; the
    moments are those of all coordinates."""
    form = ball(dimension, wall, 1.2)
    for axis in range(2):
        along, (mean, spread) = form.marginal(axis), (form.mean(t)[axis], math.sqrt(form.variance(t)[axis, axis]))
        assert float(along.mean(t)) == mean and float(along.variance(t)) == pytest.approx(spread**2, rel=1e-14)
        place = mean + 0.3 * spread
        reach = math.sqrt(2.25 - (place - 0.5 * (axis == 0)) ** 2)

        def slice_of(y: float, z: float = 0.0, axis: int = axis, place: float = place) -> float:
            at = (place, y + 0.0) if axis == 0 else (y + 0.5, place)
            return float(form.pdf((*at, z) if dimension == 3 else at, t))

        if dimension == 2:
            whole = integrate.quad(slice_of, -reach, reach, epsabs=1e-12, limit=200)[0]
            assert float(along.pdf(place, t)) == pytest.approx(whole, rel=1e-9)
        edges = [-math.inf, mean - spread, place, math.inf]
        masses = form.mass([edges if i == axis else [-math.inf, math.inf] for i in range(dimension)], t)
        off = 5e-8 if dimension == 3 and axis else 1e-11  # of bins in space that cut the discs of a ball
        assert along.mass(edges, t) == pytest.approx(np.ravel(masses), abs=off)
        assert along.cdf(edges[1:], t) == pytest.approx(np.cumsum(masses), abs=off)
