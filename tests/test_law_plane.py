"""What laws answer in two and three dimensions, against sums over sites one by one, SciPy's normal laws and binomial counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import stats

import randwalk as rw
from randwalk.laws.atoms import Atoms, Sample, Support
from randwalk.laws.cells import Cells
from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import Estimate, exact
from randwalk.laws.law import Law
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Axis, Domain, Interval, Line, Ring
from randwalk.model.region import Ball

mpl.use("Agg")

A, R = rw.Absorbing(), rw.Reflecting()
UNITS = [1.0, 1e-6]  # metres, micrometres
WALKERS = 200_000


class Given(Law[Any]):
    """A law at one time, put together by hand."""

    kind = "exact law"

    def __init__(self, domain: Domain, here: Distribution, gone: dict[str, float], kind: str = "exact law") -> None:
        self._domain, self.here, self.gone, self.kind = domain, here, gone, kind  # type: ignore[misc]

    @property
    def domain(self) -> Domain:
        return self._domain

    @property
    def times(self) -> Floats:
        return np.array([1.0])

    def _at(self, t: float) -> Distribution:
        if t != 1.0:
            raise ValueError(f"t = {t:g} was not recorded")
        return self.here

    def _absorbed(self, exit: str, t: ArrayLike) -> Any:
        return np.full(np.shape(t), self.gone.get(exit, 0.0))

    def _survival(self, t: ArrayLike) -> Any:
        return np.full(np.shape(t), self.here.total())


def room(unit: float = 1.0) -> tuple[Domain, Support, Floats]:
    """A domain with a trap, its sites, and probabilities that sum to 0.8."""
    trap = Ball((1.5 * unit, 1.0 * unit), 0.4 * unit)
    domain = (Interval(0.0, 3.0 * unit, A, R) * Ring(0.0, 2.0 * unit)).without(trap, A, "trap")
    x, y = 0.2 * unit * np.arange(1, 15), 0.1 * unit * np.arange(20)
    p = np.random.default_rng(1).random((x.size, y.size)) * ~trap.contains((x[:, None], y))
    return domain, Support((x, y), (0.2 * unit, 0.1 * unit), domain.axes), 0.8 * p / p.sum()


def laws(unit: float = 1.0) -> tuple[Given, Given]:
    """The exact law of the room, and a sample of it."""
    domain, support, p = room(unit)
    counts = np.random.default_rng(2).multinomial(WALKERS, np.append(p.ravel(), 0.2))[:-1].reshape(p.shape)
    gone = {"left": 0.1, "trap": 0.1}
    return Given(domain, Atoms(support, p), gone), Given(domain, Sample(support, counts, WALKERS), gone, "walk")


@pytest.mark.parametrize("unit", UNITS)
def test_answers_are_sums_over_sites_one_by_one(unit: float) -> None:
    law, sample = laws(unit)
    _, support, p = room(unit)
    sites = [(a, b, p[i, j]) for i, a in enumerate(support.places[0]) for j, b in enumerate(support.places[1])]
    x, y, w = np.array(sites).T
    mean = np.average([x, y], axis=1, weights=w)
    np.testing.assert_allclose(law.mean(1.0), mean, rtol=1e-12)
    np.testing.assert_allclose(law.variance(1.0), np.cov([x, y], aweights=w, ddof=0), rtol=1e-10)
    assert law.expect(lambda a, b: a * b**2, 1.0) == pytest.approx(sum(c * a * b**2 for a, b, c in sites), rel=1e-12)
    edges = ([0.0, 1.0 * unit, 1.1 * unit, 3.0 * unit], [-math.inf, 0.5 * unit, 2.0 * unit])
    naive = np.zeros((3, 2))
    for i, j in itertools.product(range(3), range(2)):
        naive[i, j] = sum(
            c for a, b, c in sites
            if edges[0][i] - 1e-9 * unit <= a < edges[0][i + 1] - 1e-9 * unit and edges[1][j] <= b < edges[1][j + 1]
        )  # fmt: skip
    np.testing.assert_allclose(law.mass(edges, 1.0), naive, atol=1e-15)
    assert law.mass(edges, [1.0, 1.0]).shape == (2, 3, 2) and law.mean([[1.0]]).shape == (1, 1, 2)
    assert law.variance([1.0]).shape == (1, 2, 2) and law.survival(1.0) == pytest.approx(0.8)
    # five standard errors of ten numbers: one false alarm in 2·10⁵
    questions: list[Callable[[Law[Any]], Any]] = [
        lambda one: one.mean(1.0), lambda one: one.variance(1.0), lambda one: one.mass(edges, 1.0),
        lambda one: one.expect(lambda a, b: a * b**2, 1.0),
    ]  # fmt: skip
    for ask in questions:
        found: Estimate = ask(sample)
        assert np.abs(found.z(ask(law))).max() < 5.0


def test_standard_errors_of_moments_are_those_of_many_samples() -> None:
    """The spread of the estimates of 400 samples agrees with the stated error to 5 of its own standard errors, 1/√800 each."""
    _, support, p = room()
    draws = np.random.default_rng(3).multinomial(2000, np.append(p.ravel(), 0.2), size=400)[:, :-1]
    found = [Sample(support, c.reshape(p.shape), 2000) for c in draws]
    moments: list[Callable[[Sample], Any]] = [lambda one: one.mean(), lambda one: one.variance()]
    for ask in moments:
        values = np.array([ask(one).value for one in found])
        stated = np.mean([ask(one).error for one in found], axis=0)
        np.testing.assert_allclose(values.std(axis=0) / stated, 1.0, atol=5.0 / math.sqrt(800.0) + 0.01)


@pytest.mark.parametrize("unit", UNITS)
def test_density_of_atoms_is_that_of_their_cells(unit: float) -> None:
    law, sample = laws(unit)
    _, support, p = room(unit)
    dx, dy = support.spacings
    assert law.pdf((support.places[0][3], support.places[1][7]), 1.0) == pytest.approx(p[3, 7] / (dx * dy))
    seam = np.array([0.02, 1.98, 3.98]) * unit  # the cell of y = 0 lies on both sides of the seam
    np.testing.assert_allclose(law.pdf((support.places[0][0], seam), 1.0), p[0, 0] / (dx * dy))
    assert law.pdf((-0.1 * unit, 0.5 * unit), 1.0) == law.pdf((1.5 * unit, 1.0 * unit), 1.0) == 0.0
    assert law.pdf((np.zeros((3, 1)) + unit, np.zeros(4)), 1.0).shape == (3, 4)
    assert law.here.cells().total() == pytest.approx(0.8, rel=1e-12)  # type: ignore[attr-defined]
    x = (np.linspace(0.3, 2.7, 7) * unit)[:, None], np.linspace(0.0, 1.9, 5) * unit
    z = sample.pdf(x, 1.0).z(law.pdf(x, 1.0))
    assert np.abs(z[np.isfinite(z)]).max() < 5.0


def test_cells_against_overlaps_one_by_one() -> None:
    rng = np.random.default_rng(4)
    edges = (np.sort(rng.random(7)), np.sort(rng.random(6)) * 2.0)
    cells = Cells(edges, rng.random((6, 5)), (Line(), Line()))
    cuts = (np.array([0.1, 0.4, 0.45, 5.0]), np.array([-math.inf, 0.7, 1.0]))
    naive = np.zeros((3, 2))
    for i, j, a, b in itertools.product(range(3), range(2), range(6), range(5)):
        wide = min(cuts[0][i + 1], edges[0][a + 1]) - max(cuts[0][i], edges[0][a])
        high = min(cuts[1][j + 1], edges[1][b + 1]) - max(cuts[1][j], edges[1][b])
        naive[i, j] += max(wide, 0.0) * max(high, 0.0) * cells.density[a, b]
    np.testing.assert_allclose(cells.mass(cuts), naive, rtol=1e-12)
    np.testing.assert_allclose(
        cells.onto((1,)).mass(cuts[1]), cells.mass((np.array([-1.0, 9.0]), cuts[1]))[0], rtol=1e-12
    )
    power = sum(
        d * (edges[0][a + 1] ** 3 - edges[0][a] ** 3) / 3 * (edges[1][b + 1] ** 2 - edges[1][b] ** 2) / 2
        for (a, b), d in np.ndenumerate(cells.density)
    )
    assert cells.expect(lambda x, y: x**2 * y) == pytest.approx(power, rel=1e-12)
    assert cells.onto((1, 0)).expect(lambda y, x: x**2 * y) == pytest.approx(power, rel=1e-12)


class Normals(Distribution):
    """A normal law with everything but density and masses left to the defaults."""

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        self.law: Any = stats.multivariate_normal(mean, covariance)

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return ((-math.inf, math.inf),) * self.law.dim

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        sd = np.sqrt(np.diag(self.law.cov))
        return tuple((m - 9.0 * s, m + 9.0 * s) for m, s in zip(self.law.mean, sd, strict=True))

    def pdf(self, x: Any) -> Any:
        return self.law.pdf(np.stack(x, axis=-1))

    def mass(self, edges: Any) -> Any:
        corners = np.stack(np.meshgrid(*(np.clip(e, -60.0, 60.0) for e in edges), indexing="ij"), axis=-1)
        values = self.law.cdf(corners)
        for axis in range(self.law.dim):
            values = np.diff(values, axis=axis)
        return values


def test_defaults_integrate_a_density() -> None:
    covariance = np.array([[0.5, 0.2], [0.2, 0.3]])
    law = Given(Line() ** 2, Normals([0.3, -0.2], covariance), {})
    np.testing.assert_allclose(law.mean(1.0), [0.3, -0.2], atol=1e-8)
    np.testing.assert_allclose(law.variance(1.0), covariance, atol=1e-8)
    y = np.array([-0.5, 0.4])
    marginal = law.marginal("y")
    normal = stats.norm(-0.2, math.sqrt(0.3))
    np.testing.assert_allclose(marginal.pdf(y, 1.0), normal.pdf(y), rtol=1e-8)
    np.testing.assert_allclose(marginal.cdf(y, 1.0), normal.cdf(y), atol=1e-4)  # SciPy's own error in the plane
    np.testing.assert_allclose(marginal.mass([-1.0, 0.0, 2.0], 1.0), np.diff(normal.cdf([-1.0, 0.0, 2.0])), atol=1e-4)
    assert marginal.to_scipy(1.0).mean() == pytest.approx(-0.2, abs=1e-8)


def plane(n: int) -> tuple[Floats, Floats]:
    """(sites of an axis, probabilities) of the walk on Z² after n steps: turned by 45° it is two fair coins."""
    k = np.arange(-n, n + 1)
    coin = np.where((k + n) % 2 == 0, stats.binom.pmf((k + n) // 2, n, 0.5), 0.0)
    across = np.array(
        [[coin[i + j + n] * coin[i - j + n] if abs(i + j) <= n >= abs(i - j) else 0.0 for j in k] for i in k]
    )
    return k.astype(np.float64), across


@pytest.mark.parametrize("periodic", [False, True])
def test_atoms_on_every_second_site_of_the_plane(periodic: bool) -> None:
    """Spread over cells two sites wide their density is the normal one, to the O(1/n) of Edgeworth's correction."""
    n = 40
    k, p = plane(n)
    axis: Axis = Ring(-n - 0.0, n + 2.0) if periodic else Line()
    k, p = (np.append(k, n + 1.0), np.pad(p, (0, 1))) if periodic else (k, p)
    kept = (np.add.outer(k, k) + n) % 2 == 0
    here = Atoms(Support((k, k), (1.0, 1.0), (axis, axis), lambda: (kept, (2, 1))), p)
    assert here.total() == pytest.approx(1.0) and here.cells().total() == pytest.approx(1.0)
    x, y = (np.linspace(-9.3, 9.3, 20)[:, None] + 0.0 * k[:20]).ravel(), np.tile(np.linspace(-9.4, 9.4, 20), 20)
    sd = math.sqrt(n / 2.0)
    normal = stats.norm.pdf(x, 0.0, sd) * stats.norm.pdf(y, 0.0, sd)
    slope = 1.0 / (sd * math.sqrt(math.e)) / (2.0 * math.pi * sd**2)  # the steepest, over half a cell of √5
    np.testing.assert_allclose(here.pdf((x, y)), normal, atol=0.5 * math.sqrt(5.0) * slope)
    places, density = here.density()
    assert places.shape == (kept.sum(), 2) and density.sum() * 2.0 == pytest.approx(1.0)
    assert here.onto((0,)).support.known[1] == (1,)  # seen from the side, all sites are taken
    assert here.variance()[0, 0] == pytest.approx(n / 2.0) and abs(here.variance()[0, 1]) < 1e-12


def test_diagonal_steps_keep_every_second_site_of_both_axes() -> None:
    k = np.arange(-4.0, 5.0)
    coin = np.where(np.abs(k) % 2 == 0, stats.binom.pmf((k + 4) // 2, 4, 0.5), 0.0)
    kept = np.multiply.outer(k % 2 == 0, k % 2 == 0)
    here = Atoms(Support((k, k), (1.0, 1.0), (Line(), Line()), lambda: (kept, (2, 2))), np.multiply.outer(coin, coin))
    side = here.onto((1,))
    assert side.support.known == (slice(0, None, 2), (2,))
    np.testing.assert_allclose(side.pdf(np.array([-2.9, 0.0, 0.9, 1.1])), [1 / 8, 3 / 16, 3 / 16, 1 / 8])
    np.testing.assert_allclose(here.pdf((np.array([0.5]), np.array([-2.9]))), 3 / 16 * 1 / 8)


def test_cells_fold_at_half_way_walls() -> None:
    """A uniform law of bricks two sites wide between reflecting walls stays uniform."""
    axis = Interval(0.0, 1.0, R, R)
    x = (np.arange(10) + 0.5) / 10.0
    everywhere = np.ones((10, 10), dtype=bool)
    here = Atoms(Support((x, x), (0.1, 0.1), (axis, axis), lambda: (everywhere, (2, 1))), np.full((10, 10), 0.01))
    cells = here.cells()
    np.testing.assert_allclose(cells.density, 1.0, rtol=1e-12)
    assert cells.span == ((0.0, 1.0), (0.0, 1.0))


def test_xarray_has_all_axes() -> None:
    for law in laws():
        data = law.to_xarray()
        assert data["density"].dims == ("time", "x", "y") and data["absorbed"].dims == ("time", "exit")
        assert data["mean"].dims == ("time", "axis") and data["variance"].dims == ("time", "axis", "other_axis")
        assert data["exit"].values.tolist() == ["left", "right", "trap", "killing"]
        grid = np.meshgrid(data["x"].values, data["y"].values, indexing="ij")
        np.testing.assert_array_equal(data["density"].values[0], exact(law.pdf(tuple(grid), 1.0)))
        np.testing.assert_array_equal(data["variance"].values[0], exact(law.variance(1.0)))


def test_marginals_are_laws() -> None:
    law, sample = laws()
    _, _, p = room()
    side = law.marginal("y")
    np.testing.assert_allclose(side.mass([0.0, 0.55, 2.0], 1.0), [p[:, :6].sum(), p[:, 6:].sum()])
    assert side.dimension == 1 and side.exits == law.exits and side.absorbed("trap", 1.0) == 0.1
    assert side.survival(1.0) + sum(side.absorbed(exit, 1.0) for exit in side.exits) == pytest.approx(1.0)
    assert side.mean(1.0) == pytest.approx(law.mean(1.0)[1]) and law.marginal(1).domain == Ring(0.0, 2.0)
    assert float(sample.marginal(0).variance(1.0)) == pytest.approx(sample.variance(1.0).value[0, 0])
    assert side.to_scipy(1.0).mean() == pytest.approx(side.mean(1.0))
    assert side.to_xarray()["density"].dims == ("time", "y")
    with pytest.raises(rw.NoAnswer, match="t = 2 was not recorded"):
        side.mean(2.0)


QUESTIONS: list[tuple[Callable[[Law[Any]], Any], type[Exception], str]] = [
    (lambda law: law.pdf(0.5, 1.0), ValueError, r"x = 0\.5: give a point \(x, y\)"),
    (lambda law: law.pdf((0.5, 0.5, 0.5), 1.0), ValueError, r"give a point \(x, y\)"),
    (lambda law: law.pdf((0.5, np.nan), 1.0), ValueError, "y = nan"),
    (lambda law: law.mass([0.0, 1.0, 2.0], 1.0), ValueError, "a list of edges for each of the 2 axes"),
    (lambda law: law.mass(([0.0, 1.0], [1.0, 0.0]), 1.0), ValueError, "edges must be at least two increasing numbers"),
    (lambda law: law.cdf(0.5, 1.0), rw.NoAnswer, r"marginal\(axis\)\.cdf\(x, t\)"),
    (lambda law: law.to_scipy(1.0), rw.NoAnswer, r"to_scipy of marginal\(axis\)"),
    (lambda law: law.marginal("z"), ValueError, "a law in 2 dimensions has axis 0, 'x' or 1, 'y'"),
    (lambda law: law.marginal(2), ValueError, "axis = 2"),
    (lambda law: law.absorbed("top", 1.0), ValueError, "has no wall there"),
    (lambda law: law.absorbed("cheese", 1.0), ValueError, "must be one of 'left', 'right', 'bottom', 'top', 'trap'"),
    (lambda law: law.plot([1.0, 1.0]), ValueError, "a map shows one time"),
    (lambda law: law.plot(1.0, against=law), rw.NoAnswer, "neither law is a sample"),
    (lambda law: law.plot(1.0, against=law.marginal("x")), ValueError, "a law in 1 dimensions, and this one in 2"),
    (lambda law: law.expect(lambda x: x, 1.0), TypeError, "argument"),
]


@pytest.mark.parametrize(("ask", "kind", "told"), QUESTIONS)
def test_what_has_no_answer_says_what_to_ask(ask: Callable[[Law[Any]], Any], kind: type[Exception], told: str) -> None:
    law, _ = laws()
    with pytest.raises(kind, match=told):
        ask(law)


def test_maps_show_density_walls_and_exits() -> None:
    law, sample = laws()
    ax = law.plot(1.0)
    (mesh,) = [c for c in ax.collections if type(c).__name__ == "QuadMesh"]
    assert mesh.get_array().max() == pytest.approx(float(law.here.pieces()[1].max()))
    assert ax.get_legend_handles_labels()[1] == ["left: 10 %", "trap: 10 %"]
    assert ax.get_aspect() == 1.0 and (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")
    assert law.plot(1.0, ax) is ax
    shown = mpl.colormaps[mesh.get_cmap().name](np.linspace(0.0, 1.0, 50))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(shown) > 0.0).all()  # the lightness tells values apart in grey
    z = sample.plot(1.0, against=law).collections[0].get_array()
    known = np.asarray(z[~np.ma.getmaskarray(z)])
    known = known[np.isfinite(known)]
    assert known.size > 200 and abs(known.std() - 1.0) < 5.0 / math.sqrt(2.0 * known.size)
    np.testing.assert_array_equal(law.plot(1.0, against=sample).collections[0].get_array(), z)  # sample minus law
    line = sample.marginal("x").plot(1.0, against=law.marginal("x"))
    assert np.abs(np.asarray(line.lines[0].get_ydata(), dtype=float)).max() < 5.0
    mpl.pyplot.close("all")


def test_three_dimensions_cost_no_code() -> None:
    """Three axes: sums one by one, marginals of marginals, three maps."""
    axes = (Interval(0.0, 1.0, A, A), Ring(0.0, 1.0), Line())
    domain = rw.Interval(0.0, 1.0, A, A) * Ring(0.0, 1.0) * Line()
    places = (np.arange(1, 5) / 5.0, np.arange(4) / 4.0, np.arange(6) - 2.0)
    p = np.random.default_rng(5).random((4, 4, 6))
    p *= 0.7 / p.sum()
    law = Given(domain, Atoms(Support(places, (0.2, 0.25, 1.0), axes), p), {"left": 0.2, "right": 0.1})
    x, y, z = (v.ravel() for v in np.meshgrid(*places, indexing="ij"))
    np.testing.assert_allclose(law.variance(1.0), np.cov([x, y, z], aweights=p.ravel(), ddof=0), rtol=1e-10)
    assert law.expect(lambda x, y, z: x * y * z, 1.0) == pytest.approx(float(p.ravel() @ (x * y * z)))
    assert law.mass(([0, 1], [0, 1], [-9, -0.5, 9]), 1.0)[0, 0] == pytest.approx([p[..., :2].sum(), p[..., 2:].sum()])
    assert law.pdf((0.2, 0.25, 0.0), 1.0) == pytest.approx(p[0, 1, 2] / 0.05)
    assert law.marginal("z").mean(1.0) == pytest.approx(law.mean(1.0)[2])
    assert law.to_xarray()["density"].dims == ("time", "x", "y", "z")
    maps = law.plot()
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in maps] == [("$x$", "$y$"), ("$x$", "$z$"), ("$y$", "$z$")]
    with pytest.raises(ValueError, match="ax has 1 axes: a law in 3 dimensions is drawn on 3"):
        law.plot(1.0, maps[0])
    mpl.pyplot.close("all")
