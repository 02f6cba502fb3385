"""One list of questions for every law: shapes, moments, densities, SciPy and xarray, against closed forms and naive sums."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from scipy import integrate

import randwalk as rw
from randwalk.laws.estimate import exact
from randwalk.model.coefficient import Floats
from randwalk.pde import FokkerPlanck, closed_form, exact_law, stationary_law

from .test_conventions import KINDS, TIMES, WALKERS, WALKS, law, made, sampled

mpl.use("Agg")

LAWS = [kind for kind in KINDS if kind != "passages"]  # an ensemble with passages answers about places as one without
A, R, P = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(0.7)


def inner_edges(name: str) -> Floats:
    """Edges half way between sites, inside the domain."""
    walk = made(name)
    return walk.lattice.x(np.array([3, 6, 9, 12])) + 0.5 * walk.dx


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("kind", LAWS)
def test_answers_have_the_shape_of_time_then_of_place(name: str, kind: str) -> None:
    this, x = law(name, kind), inner_edges(name).reshape(2, 2)
    times = np.array([[0.5, 1.0, 0.5]])
    assert exact(this.pdf(x, times)).shape == exact(this.cdf(x, times)).shape == (1, 3, 2, 2)
    assert exact(this.mass(x.ravel(), times)).shape == (1, 3, 3)
    for ask in (
        this.mean,
        this.variance,
        this.survival,
        lambda t: this.expect(np.cos, t),
        lambda t: this.absorbed("killing", t),
    ):
        assert exact(ask(times)).shape == (1, 3) and exact(ask(1.0)).shape == ()
        assert exact(ask(times))[0].tolist() == [float(ask(t)) for t in (0.5, 1.0, 0.5)]
    np.testing.assert_array_equal(exact(this.cdf(x, times))[0, 1], exact(this.cdf(x, 1.0)))
    assert isinstance(this.mean(1.0), rw.Estimate if kind == "ensemble" else float)
    assert this.dimension == 1 and this.marginal("x") is this.marginal(0) is this
    assert this.exits == (*(face.exit for face in made(name).domain.faces), "killing")
    with pytest.raises(ValueError, match="axis = 1"):
        this.marginal(1)


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("kind", LAWS)
def test_moments_are_those_of_the_closed_form(name: str, kind: str) -> None:
    """Within five standard errors (one false alarm in 2·10⁶ questions), the step error, and the tolerance of the solution. The
    variance of a place is at most 1 here, its fourth moment at most 4; survivors are at least a third."""
    this, form = law(name, kind), law(name, "closed form")
    if made(name).domain.periodic:  # a place near the seam is at either end, so moments are not continuous
        got, want = (exact(one.expect(lambda x: np.cos(np.pi * x), TIMES)) for one in (this, form))
        np.testing.assert_allclose(got, want, rtol=0, atol=sampled(kind))
        return
    noise = 5.0 * math.sqrt(3.0 / WALKERS) if kind == "ensemble" else 0.0
    np.testing.assert_allclose(exact(this.mean(TIMES)), form.mean(TIMES), rtol=0, atol=noise + 1.5e-2)
    np.testing.assert_allclose(exact(this.variance(TIMES)), form.variance(TIMES), rtol=0, atol=2.0 * noise + 1.5e-2)
    np.testing.assert_allclose(
        exact(this.expect(np.cos, TIMES)), form.expect(np.cos, TIMES), rtol=0, atol=sampled(kind)
    )


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("kind", LAWS)
def test_cdf_and_pdf_go_with_the_masses(name: str, kind: str) -> None:
    """Between sites the cdf has the masses as its differences; the density summed over narrow strips, too. Strips of dx/10 sum
    a density that is constant on cells exactly, and others to 1e-4."""
    this, walk, edges = law(name, kind), made(name), inner_edges(name)
    mass = exact(this.mass(edges, 1.0))
    np.testing.assert_allclose(np.diff(exact(this.cdf(edges, 1.0))), mass, rtol=0, atol=1e-12)
    low, high = (edges[0], edges[-1])
    strips = np.linspace(low, high, 1 + 10 * round((high - low) / walk.dx))
    rho = exact(this.pdf(0.5 * (strips[1:] + strips[:-1]), 1.0))
    parity = 0.5 * walk.dx * rho.max()  # a cell of 2dx may lie half beyond either edge
    assert float(rho.sum()) * (strips[1] - strips[0]) == pytest.approx(float(mass.sum()), abs=1e-4 + parity)
    # Half a cell of at most 2dx away a density of slope ≤ 1.5 differs by 0.15; a count has five standard errors √(ρ/n dx).
    close = {"ensemble": 0.15 + 5 * math.sqrt(1.2 / (WALKERS * walk.dx)), "solution": 0.02, "closed form": 0.0}
    want = law(name, "closed form").pdf(0.5 * (strips[1:] + strips[:-1]), 1.0)
    np.testing.assert_allclose(rho, want, rtol=0, atol=close.get(kind, 0.15))
    if not walk.domain.periodic:
        assert exact(this.pdf([-1e6, 1e6, -math.inf], 1.0)).tolist() == [0.0, 0.0, 0.0]
        assert float(this.cdf(math.inf, 1.0)) == pytest.approx(float(this.survival(1.0)), abs=1e-9)


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("kind", LAWS)
def test_scipy_gets_the_survivors(name: str, kind: str) -> None:
    this = law(name, kind)
    told, x = this.to_scipy(1.0), inner_edges(name)
    np.testing.assert_allclose(told.cdf(x), exact(this.cdf(x, 1.0)) / float(this.survival(1.0)), rtol=1e-9)
    assert told.mean() == pytest.approx(float(this.mean(1.0)), rel=1e-9)
    assert told.var() == pytest.approx(float(this.variance(1.0)), rel=1e-2 if kind == "solution" else 1e-8)


@pytest.mark.parametrize("name", ["half-line", "ring"])
@pytest.mark.parametrize("kind", LAWS)
def test_xarray_has_all_of_it(name: str, kind: str) -> None:
    this = law(name, kind)
    data = this.to_xarray(TIMES)
    assert data["density"].dims == ("time", "x") and data["absorbed"].dims == ("time", "exit")
    assert data["exit"].values.tolist() == list(this.exits)
    for variable, ask in (("survival", this.survival), ("mean", this.mean), ("variance", this.variance)):
        np.testing.assert_array_equal(data[variable].values, exact(ask(TIMES)))
        assert (f"{variable}_error" in data) is (kind == "ensemble")
    np.testing.assert_array_equal(data["density"].values, exact(this.pdf(data["x"].values, TIMES)))
    for exit in this.exits:
        np.testing.assert_array_equal(data["absorbed"].sel(exit=exit).values, exact(this.absorbed(exit, TIMES)))
    if kind == "closed form":
        with pytest.raises(rw.NoAnswer, match=r"no recorded times: give to_xarray\(t\) the times"):
            this.to_xarray()
    else:
        np.testing.assert_array_equal(this.to_xarray()["density"], data["density"])


@pytest.mark.parametrize("kind", LAWS)
def test_plots_take_one_time_or_several(kind: str) -> None:
    this = law("half-line", kind)
    ax = this.plot(TIMES)
    assert len(ax.get_legend_handles_labels()[1]) == 2 and this.plot(1.0, ax) is ax
    if kind != "closed form":
        assert len(this.plot().get_legend_handles_labels()[1]) == 1
    mpl.pyplot.close("all")


def test_times_that_were_not_recorded_have_no_answer() -> None:
    """Passages answer at any time of the run; counts of places do not, and say which record does."""
    run, passages = law("half-line", "ensemble"), law("half-line", "passages")
    asked: list[Callable[[Any], Any]] = [
        lambda this: this.mean(0.7), lambda this: this.pdf(0.5, 0.7), lambda this: this.to_scipy(0.7),
        lambda this: this.plot(0.7), lambda this: this.to_xarray(0.7),
    ]  # fmt: skip
    for this in (run, passages, law("half-line", "exact law"), law("half-line", "solution")):
        for ask in asked:
            with pytest.raises(rw.NoAnswer, match=r"t = 0\.7 was not recorded"):
                ask(this)
    counted: list[Callable[[Any, float], Any]] = [
        lambda this, t: this.survival(t), lambda this, t: this.absorbed("left", t)
    ]  # fmt: skip
    for question in counted:
        with pytest.raises(rw.NoAnswer, match=r"with record=\[FirstPassage\(\)\] a run answers at any of its times"):
            question(run, 0.7)
        assert 0.0 < float(question(passages, 0.7)) < 1.0
        for this in (run, passages):
            with pytest.raises(ValueError, match="after the end of the run"):
                question(this, 7.0)
    mpl.pyplot.close("all")


def test_nobody_left_has_no_distribution() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=rw.Interval(0, 3, A, A), start=1.0)
    box = closed_form(FokkerPlanck(0.0, 0.5, domain=rw.Interval(0, 1, A, A), start=0.5))
    atoms = exact_law(walk, [20_000.0])
    for this, t in ((rw.simulate(walk, 10, [500.0], seed=1), 500.0), (atoms, 2e4), (atoms.smoothed(), 2e4), (box, 1e6)):
        assert float(this.survival(t)) == 0.0 and math.isnan(this.mean(t))
        with pytest.raises(rw.NoAnswer, match="no walker is left"):
            this.to_scipy(t)
    assert math.isfinite(box.to_scipy(0.1).entropy())


def test_one_number_is_a_float() -> None:
    killed = closed_form(FokkerPlanck(0.0, 0.5, domain=rw.Interval(0, math.inf, A), start=1.0, killing=0.5))
    assert all(type(v) is float for v in (killed.survival(1.0), killed.absorbed("killing", 1.0), killed.pdf(1.0, 1.0)))
    assert killed.marginal(np.int64(0)) is killed  # type: ignore[arg-type]


def test_the_former_name_warns() -> None:
    run = law("half-line", "passages")
    for this in (run, run[rw.FirstPassage()], law("half-line", "exact law"), law("half-line", "closed form")):
        with pytest.warns(DeprecationWarning, match=r"write absorbed\(exit, t\)") as caught:
            old = this.passed("left", 1.0)
        assert float(old) == float(this.absorbed("left", 1.0)) and caught[0].filename == __file__


# ---------------------------------------------------------------- closed forms off the line


QUADRATURE = 1e-10


@pytest.mark.parametrize("t", [1e-7, 0.01, 0.3, 5.0])
@pytest.mark.parametrize("start", [0.3, rw.Uniform(0.1, 0.6)], ids=str)
def test_moments_between_reflecting_walls(start: Any, t: float) -> None:
    """Eigenfunctions cos kπx decay with k²π²D: E cos 2πX, and x = ½ - Σ 4 cos(kπx)/(kπ)² over odd k."""
    form = closed_form(FokkerPlanck(0.0, 0.4, domain=rw.Interval(0, 1, R, R), start=start))
    k = np.arange(1, 20_001)
    over = (
        np.cos(k * np.pi * 0.3)
        if start == 0.3
        else (np.sin(0.6 * k * np.pi) - np.sin(0.1 * k * np.pi)) / (0.5 * k * np.pi)
    )
    decay = over * np.exp(-0.4 * (k * np.pi) ** 2 * t)
    assert form.expect(lambda x: np.cos(2 * np.pi * x), t) == pytest.approx(decay[1], rel=QUADRATURE, abs=QUADRATURE)
    mean = 0.5 - 4.0 * np.sum((decay / (k * np.pi) ** 2)[::2])
    square = 1.0 / 3.0 + 4.0 * np.sum((-1.0) ** k * decay / (k * np.pi) ** 2)
    assert form.mean(t) == pytest.approx(mean, abs=1e-9)  # the series stops at 20 000 terms
    assert form.variance(t) == pytest.approx(square - mean**2, abs=1e-9)


@pytest.mark.parametrize("t", [1e-6, 0.2, 4.0, 300.0])
def test_moments_beside_an_absorbing_wall(t: float) -> None:
    """Stopped at the wall, X is a martingale and X² - 2D (t ∧ T) too, so E[X; alive] = x₀ and E[X²; alive] = x₀² + 2D ∫S."""
    form = closed_form(FokkerPlanck(0.0, 0.5, domain=rw.Interval(0, math.inf, A), start=1.3))
    assert form.expect(lambda x: x, t) == pytest.approx(1.3, rel=QUADRATURE)
    time = integrate.quad(lambda s: float(form.survival(s)), 0.0, t, epsabs=0, epsrel=1e-12, limit=200)[0]
    alive = float(form.survival(t))
    assert form.mean(t) == pytest.approx(1.3 / alive, rel=QUADRATURE)
    assert form.variance(t) == pytest.approx((1.3**2 + time) / alive - (1.3 / alive) ** 2, rel=1e-8)


def test_expectations_on_a_ring_and_on_the_line() -> None:
    """E cos 2πX turns with the drift and decays with (2π)²D; E exp(X) of a normal law is exp(m + v/2); with killing all of it."""
    ring = closed_form(FokkerPlanck(0.7, 0.02, domain=rw.Ring(0, 1), start=0.2, killing=0.3))
    want = math.exp(-0.3 * 1.5 - (2 * np.pi) ** 2 * 0.02 * 1.5) * math.cos(2 * np.pi * (0.2 + 0.7 * 1.5))
    assert ring.expect(lambda x: np.cos(2 * np.pi * x), 1.5) == pytest.approx(want, rel=1e-9)
    line = closed_form(FokkerPlanck(rw.Affine(slope=-1.0), 0.5, start=2.0))
    m, v = 2.0 * math.exp(-1.5), 0.5 * (1 - math.exp(-3.0))
    assert line.expect(np.exp, 1.5) == pytest.approx(math.exp(m + v / 2), rel=QUADRATURE)
    eighth = sum(math.comb(8, 2 * j) * m ** (8 - 2 * j) * v**j * math.prod(range(1, 2 * j, 2)) for j in range(5))
    assert line.expect(lambda x: x**8, 1.5) == pytest.approx(eighth, rel=QUADRATURE)
    assert line.expect(lambda x: (x > m).astype(float), 1.5) == pytest.approx(0.5, abs=QUADRATURE)  # a jump


# ---------------------------------------------------------------- cells


WEAK = rw.PartiallyAbsorbing(0.3)
CELLED: dict[str, tuple[Callable[[], rw.LatticeWalk], int]] = {
    "coin on the line": (lambda: rw.LatticeWalk(0.5, 0.5, dx=0.5), 7),
    "coin between reflecting walls": (lambda: rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=rw.Interval(0, 8, R, R), start=2.5), 5),
    "coin between absorbing walls": (lambda: rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=rw.Interval(0, 9, A, A), start=2.0), 4),
    "coin on a ring": (lambda: rw.LatticeWalk(0.5, 0.5, sites=8, domain=rw.Ring(-1, 3), start=-0.9), 5),
    "lazy ring": (lambda: rw.LatticeWalk(0.3, 0.4, sites=7, domain=rw.Ring(0, 1), start=0.0), 6),
    "mixed walls": (lambda: rw.LatticeWalk(0.3, 0.4, sites=7, domain=rw.Interval(0, 1, A, WEAK), start=0.5), 6),
    "one site": (lambda: rw.LatticeWalk(0.1, 0.1, sites=1, domain=rw.Interval(0, 1, R, P), start=0.5), 3),
}  # fmt: skip


def naive_mass(walk: rw.LatticeWalk, x: Floats, p: Floats, half: float, low: float, high: float) -> float:
    """The mass between two places of atoms spread over x ± `half`, cell by cell: parts beyond a half-way wall are reflected, on a
    ring moved by a turn."""

    def part(a: float, b: float, begin: float, end: float) -> float:
        return max(0.0, min(b, end) - max(a, begin)) / (2 * half)

    total, domain = 0.0, walk.domain
    for place, mass in zip(x.tolist(), p.tolist(), strict=True):
        total += mass * part(low, high, place - half, place + half)
        if domain.periodic:
            turn = domain.high - domain.low
            total += mass * sum(part(low + s * turn, high + s * turn, place - half, place + half) for s in (-1, 1))
        for face in domain.faces:
            if not face.wall.on_site:
                a, b = sorted((2 * face.place - low, 2 * face.place - high))
                total += mass * part(a, b, place - half, place + half)
    return total


@pytest.mark.parametrize("name", CELLED)
def test_cells_are_those_of_the_atoms_one_by_one(name: str) -> None:
    make, n = CELLED[name]
    walk = make()
    atoms = exact_law(walk, [n * walk.dt])
    spread, p = atoms.smoothed(), atoms.pmf[0]
    half = 0.5 * walk.dx * (2 if name.startswith("coin") else 1)
    domain, rng = walk.domain, np.random.default_rng(3)
    low, high = (max(domain.low, -9.0), min(domain.high, 9.0))
    for _ in range(20):
        edges = np.sort(rng.uniform(low, high, 4))
        want = [naive_mass(walk, atoms.sites, p, half, a, b) for a, b in itertools.pairwise(edges)]
        np.testing.assert_allclose(spread.mass(edges, atoms.times[0]), want, rtol=1e-10, atol=1e-15)
    assert float(spread.mass([low, high], atoms.times[0])[0]) == pytest.approx(float(p.sum()), rel=1e-13)
    x = rng.uniform(low, high, 50)
    strip = 1e-7
    slope = [naive_mass(walk, atoms.sites, p, half, v - strip, v + strip) / (2 * strip) for v in x]
    inside = (x > low + strip) & (x < high - strip)
    np.testing.assert_allclose(spread.pdf(x, atoms.times[0])[inside], np.array(slope)[inside], rtol=1e-6, atol=1e-12)
    np.testing.assert_array_equal(atoms.pdf(x, atoms.times[0]), spread.pdf(x, atoms.times[0]))


def test_moments_of_cells() -> None:
    """A cell adds the variance of a uniform law, (2dx)²/12, away from walls; polynomials are integrated exactly."""
    walk = rw.LatticeWalk(0.5, 0.5, dx=0.5)
    atoms = exact_law(walk, [10.0])
    spread = atoms.smoothed()
    assert spread.variance(10.0) == pytest.approx(float(atoms.variance(10.0)) + 1.0 / 12.0, rel=1e-13)
    assert spread.mean(10.0) == pytest.approx(0.0, abs=1e-14)
    fourth = float(atoms.expect(lambda x: x**4 + 6 * x**2 / 12 + 1 / 80, 10.0))
    assert spread.expect(lambda x: x**4, 10.0) == pytest.approx(fourth, rel=1e-13)


def test_small_masses_of_cells_keep_their_digits() -> None:
    law = exact_law(rw.LatticeWalk(0.001, 0.998, dx=1.0), [40.0])
    assert law.smoothed().mass([39.0, 41.0], 40.0)[0] == pytest.approx(0.5 * law.mass([39.5, 40.5], 40.0)[0], rel=1e-9)


# ---------------------------------------------------------------- stationary laws and data


def test_a_stationary_law_is_a_law_of_all_times() -> None:
    walk = rw.LatticeWalk(0.3, 0.4, sites=7, domain=rw.Interval(0, 1, R, R), start=0.5)
    kept = stationary_law(walk)
    late = exact_law(walk, [2000.0])
    np.testing.assert_allclose(kept.cdf([0.2, 0.7]), late.cdf([0.2, 0.7], 2000.0), rtol=1e-7)
    assert kept.mean() == kept.mean(3.0) == pytest.approx(float(late.mean(2000.0)), rel=1e-7)
    assert kept.survival([0.0, 9.0]).tolist() == [1.0, 1.0] and kept.absorbed("killing", 3.0) == 0.0
    assert kept.pdf(0.5) == kept.pdf(0.5, 4.0) > 0.0
    assert kept.to_xarray()["density"].shape == (1, 7) and kept.times is None


def test_measured_counts_are_a_law_of_their_classes() -> None:
    data = rw.validate.MeasuredCounts(np.array([0.0, 2.0, 1.0]), np.array([1.0, 3.0, 2.0]), np.array([10, 30, 60]), 2.0)
    assert data.mass([0.0, 1.0, 3.0], 2.0).value.tolist() == [0.1, 0.9]
    assert float(data.mass([1.0, 2.0], 2.0)[0].error) == pytest.approx(math.sqrt(0.6 * 0.4 / 100))
    assert data.cdf([0.0, 2.0, 9.0], 2.0).value.tolist() == [0.0, 0.7, 1.0]
    assert data.pdf([0.5, 2.5, 3.0, 7.0], 2.0).value.tolist() == [0.1, 0.3, 0.3, 0.0]
    assert float(data.mean(2.0)) == pytest.approx(0.05 + 0.9 + 0.75)
    assert data.to_scipy(2.0).cdf(2.0) == pytest.approx(0.7)
    refused: list[tuple[Callable[[], Any], str]] = [
        (lambda: data.cdf(0.5, 2.0), "0.5 is inside the class from 0 to 1"),
        (lambda: data.survival(2.0), "how many walkers had left"),
        (lambda: data.absorbed("left", 2.0), "how many walkers had left"),
    ]  # fmt: skip
    for ask, message in refused:
        with pytest.raises(rw.NoAnswer, match=message):
            ask()
    with pytest.raises(ValueError, match="t = 3 was not recorded"):
        data.mean(3.0)


def test_classes_without_an_end() -> None:
    data = rw.validate.MeasuredCounts(
        np.array([-math.inf, 1.0, 2.0]), np.array([1.0, 2.0, math.inf]), np.array([5, 3, 2]), 1.0
    )
    assert data.cdf([-math.inf, 1.0, 2.0, math.inf], 1.0).value.tolist() == [0.0, 0.5, 0.8, 1.0]
    assert data.mass([-math.inf, 1.0, math.inf], 1.0).value.tolist() == [0.5, 0.5]
    assert float(data.expect(lambda x: (x > 2.0).astype(float), 1.0)) == pytest.approx(0.2)
    for ask in (data.mean, data.variance, data.to_scipy, data.plot):
        with pytest.raises(rw.NoAnswer, match="the class from -inf to 1 has no end"):
            ask(1.0)
    mpl.pyplot.close("all")


def test_xarray_leaves_out_what_data_do_not_say() -> None:
    data = rw.validate.MeasuredCounts(np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([60, 40]), 1.0).to_xarray()
    assert set(data.data_vars) == {f"{name}{end}" for name in ("density", "mean", "variance") for end in ("", "_error")}
    assert data["density"].values.tolist() == [[0.6, 0.4]]


def test_a_measured_curve_answers_what_has_left() -> None:
    curve = rw.validate.MeasuredCurve(np.array([3.0, 1.0]), np.array([0.5, 0.3]), np.zeros(2), "right", 0.02)
    got = curve.absorbed("right", [1.0, 2.0])
    assert got.value.tolist() == [0.3, 0.4] and got.error.tolist() == [0.02, 0.02]
    refused: list[Callable[[], Any]] = [
        lambda: curve.absorbed("left", 1.0), lambda: curve.absorbed("right", 4.0), lambda: curve.mean(1.0),
        lambda: curve.survival(1.0), lambda: curve.mass([0.0, 1.0], 1.0),
    ]  # fmt: skip
    for ask in refused:
        with pytest.raises(rw.NoAnswer, match="the data are"):
            ask()


def test_no_closed_form_is_no_answer() -> None:
    with pytest.raises(rw.NoAnswer, match="needs a constant diffusion"):
        closed_form(FokkerPlanck(0.0, rw.expression("1 + x"), domain=rw.Interval(0, 1, R, R), start=0.5))
    with pytest.raises(rw.NoAnswer, match="no wall"):
        closed_form(FokkerPlanck(0.0, 1.0, domain=rw.Interval(0, 1, R, R), start=0.5)).first_passage_density(
            "left", 1.0
        )
