"""The exact law against dense matrices, binomials, ruin formulas and eigenvectors; smoothed laws and equations by orders."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, optimize, special, stats

import randwalk as rw
from randwalk.kernels.program import FULL
from randwalk.model.coefficient import Coefficient
from randwalk.model.walk import Rule
from randwalk.tables.table import StepTable
from randwalk.tables.window import table_for

from . import naive
from .test_stream import WALKS

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
EPS = float(np.finfo(np.float64).eps)
Floats = NDArray[np.float64]


# ---------------------------------------------------------------- the master equation


@pytest.mark.parametrize(
    "name", [name for name in WALKS if name not in ("coin", "never moves", "always right", "always left")]
)
def test_law_is_that_of_the_dense_matrix(name: str) -> None:
    """Every product and sum is rounded once a step: n steps of at most four operations, 4 n ulp of a probability ≤ 1."""
    walk, n = WALKS[name](), 40
    law = rw.pde.exact_law(walk, np.array([0, 7, n]) * walk.dt)
    lattice, table = walk.lattice, law.table
    first = table.first if lattice.first is None else lattice.first
    last = table.first + table.sites - 1 if lattice.last is None else lattice.last
    chain = naive.Chain(walk, first, last)
    for row, steps in enumerate((0, 7, n)):
        expected = chain.law(steps)
        allowed = 4 * max(steps, 1) * EPS + 2.0**-53 + law.leaked
        np.testing.assert_allclose(law.pmf[row], expected[:-3], rtol=0, atol=allowed)
        np.testing.assert_allclose(law.gone[steps], expected[-3:], rtol=0, atol=allowed)
        assert law.pmf[row].sum() + law.gone[steps].sum() == pytest.approx(1.0, abs=allowed * 10)


@pytest.mark.parametrize("n", [1, 2, 50, 1000, 2500, 20_000])
def test_symmetric_walk_is_binomial(n: int) -> None:
    """scipy's binomial is good to some 1e-13 here (it takes exp of lgamma-like sums); below 2^-1000 nothing is compared."""
    law = rw.pde.exact_law(rw.LatticeWalk(0.5, 0.5, dx=1.0), [n])
    k = np.rint(law.sites).astype(int)
    even = (k + n) % 2 == 0
    expected = np.where(even & (np.abs(k) <= n), stats.binom.pmf((k + n) // 2, n, 0.5), 0.0)
    np.testing.assert_allclose(law.pmf[0], expected, rtol=1e-10, atol=1e-300)
    assert law.pmf[0][~even].max(initial=0.0) == 0.0


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.3, 0.4), (0.75, 0.25), (0.1, 0.0)])
def test_power_and_transfer_agree(p: float, q: float) -> None:
    """The same walk by its generating function (a constant) and by the transfer matrix (a function that is constant).

    Relative accuracy: 1e-10 of the power, n ulp of the transfer; down to the leak of the window.
    """
    n = 3000
    power = rw.LatticeWalk(p, q, dx=1.0)
    stepped = rw.LatticeWalk(lambda t: np.full(np.shape(t), p), q, dx=1.0)
    assert table_for(power, n).digits and not table_for(stepped, n).digits
    one, other = rw.pde.exact_law(power, [100, n]), rw.pde.exact_law(stepped, [100, n])
    wide = max(one.table.sites, other.table.sites)
    for row in range(2):
        a = dict(zip(np.rint(one.sites).tolist(), one.pmf[row].tolist(), strict=True))
        b = dict(zip(np.rint(other.sites).tolist(), other.pmf[row].tolist(), strict=True))
        common = sorted(set(a) & set(b))
        assert len(common) > wide // 2
        np.testing.assert_allclose([a[k] for k in common], [b[k] for k in common], rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("name", ["quarters", "seven digits", "ties"])
def test_power_with_a_spread_start(name: str) -> None:
    walk = WALKS[name]()
    chain_walk = rw.LatticeWalk(lambda t, p=walk.right: p(0.0, t), walk.left, dx=walk.dx, dt=walk.dt, start=walk.start)
    a, b = rw.pde.exact_law(walk, [100 * walk.dt]), rw.pde.exact_law(chain_walk, [100 * walk.dt])
    edges = np.linspace(-30, 30, 61) * walk.dx
    np.testing.assert_allclose(a.mass(edges, 100 * walk.dt), b.mass(edges, 100 * walk.dt), rtol=1e-9, atol=1e-16)


def test_naive_chain_is_a_stochastic_matrix() -> None:
    for name in ("mixed", "robin", "killed on a ring", "array"):
        walk = WALKS[name]()
        assert walk.lattice.last is not None
        m = naive.Chain(walk, 0, walk.lattice.last).matrix(3)
        assert (m >= 0).all()
        np.testing.assert_array_equal(m.sum(axis=0), 1.0)  # multiples of 2⁻³¹: exact


# ---------------------------------------------------------------- walls


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.55, 0.45), (0.3, 0.4), (0.2, 0.2)])
@pytest.mark.parametrize("start", [1, 4, 9])
def test_ruin(p: float, q: float, start: int) -> None:
    """Gambler's ruin (Feller I, XIV.2–3): P(ruin) and mean duration, to rounding."""
    n_sites = 9
    walk = rw.LatticeWalk(p, q, sites=n_sites, domain=rw.Interval(0, 10, ABSORB, ABSORB), start=float(start))
    steps = 4000
    law = rw.pde.exact_law(walk, [steps])
    total, r = 10, q / p
    ruin = 1 - start / total if p == q else (r**start - r**total) / (1 - r**total)
    duration = start * (total - start) / (p + q) if p == q else (start - total * (1 - ruin)) / (q - p)
    assert law.survival(steps) < 1e-12
    assert law.absorbed("left", [steps])[0] == pytest.approx(ruin, rel=1e-11)
    assert law.absorbed("right", [steps])[0] == pytest.approx(1 - ruin, rel=1e-11)
    alive = 1.0 - law.gone.sum(axis=1)
    assert alive.sum() == pytest.approx(duration, rel=1e-11)  # E[T] = Σ P(T > n), dt = 1


def test_first_passage_of_the_simple_walk() -> None:
    """P(T_k = n) = k/n C(n, (n + k)/2) 2⁻ⁿ (hitting-time theorem; Feller I, III.7)."""
    k, n = 5, 120
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=rw.Interval(0, math.inf, ABSORB), start=float(k))
    law = rw.pde.exact_law(walk, [n])
    expected = [
        k / m * math.comb(m, (m + k) // 2) / 2**m if m >= k and (m + k) % 2 == 0 else 0.0 for m in range(1, n + 1)
    ]
    np.testing.assert_allclose(np.diff(law.gone[:, 0]), expected, rtol=0, atol=4 * n * EPS)


def test_reflecting_wall_is_the_image() -> None:
    """Half-way reflection of the symmetric walk: the free law plus its mirror image at the wall, exactly."""
    n = 60
    half = rw.LatticeWalk(0.3, 0.3, dx=1.0, domain=rw.Interval(0, math.inf, REFLECT), start=3.5)
    free = rw.LatticeWalk(0.3, 0.3, dx=1.0, start=3.5)
    law, line = rw.pde.exact_law(half, [n]), rw.pde.exact_law(free, [n])
    at = dict(zip(line.sites.tolist(), line.pmf[0].tolist(), strict=True))
    expected = [at.get(x, 0.0) + at.get(-x, 0.0) for x in law.sites.tolist()]
    np.testing.assert_allclose(law.pmf[0], expected, rtol=0, atol=4 * n * EPS)


def test_ring_is_the_wrapped_line() -> None:
    n, sites = 60, 7
    ring = rw.LatticeWalk(0.5, 0.2, dx=1.0, domain=rw.Ring(0, sites), start=2.0)
    line = rw.pde.exact_law(rw.LatticeWalk(0.5, 0.2, dx=1.0, start=2.0), [n])
    expected = np.zeros(sites)
    np.add.at(expected, np.rint(line.sites).astype(int) % sites, line.pmf[0])
    np.testing.assert_allclose(rw.pde.exact_law(ring, [n]).pmf[0], expected, rtol=0, atol=4 * n * EPS)


def test_killing_alone_is_exponential() -> None:
    walk = rw.LatticeWalk(0.3, 0.5, dx=1.0, dt=0.01, killing=0.7)
    law = rw.pde.exact_law(walk, [1.0])
    assert law.survival(1.0) == pytest.approx(math.exp(-0.7), rel=1e-13)
    assert law.absorbed("killing", [1.0])[0] == pytest.approx(1 - math.exp(-0.7), rel=1e-13)


def test_window_leak_is_what_is_asked() -> None:
    """Each walker-run may lose the stated mass at the edges of the window; a wider one loses less, and agrees inside."""
    walk = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.1, dt=0.005, start=1.0)
    tight, loose = rw.pde.exact_law(walk, [1.0]), rw.pde.exact_law(walk, [1.0], leak=1e-4)
    assert tight.leaked <= 1e-18 and loose.leaked <= 1e-4
    assert loose.table.sites < tight.table.sites
    assert loose.survival(1.0) >= 1 - 1e-4 and tight.survival(1.0) == pytest.approx(1.0, abs=1e-13)
    shared = slice(loose.table.first - tight.table.first, loose.table.first - tight.table.first + loose.table.sites)
    assert np.abs(tight.pmf[0][shared] - loose.pmf[0]).max() < 1e-4
    line = rw.pde.exact_law(rw.LatticeWalk(0.4, 0.4, dx=1.0), [5000], leak=1e-6)
    assert line.table.sites < 2000 and 1 - 1e-6 < line.survival(5000) <= 1.0 + 1e-12


def test_passed_at_other_times() -> None:
    law = rw.pde.exact_law(rw.LatticeWalk(0.5, 0.5, sites=3, domain=rw.Interval(0, 4, ABSORB, ABSORB), start=2.0), [10])
    assert law.absorbed("left", [2, 3, 4]).tolist() == [0.25, 0.25, 0.375]
    assert law.smoothed().absorbed("left", [2, 4]).tolist() == [0.25, 0.375]
    for times in ([11], [-1]):
        with pytest.raises(ValueError, match="must lie between 0 and 10"):
            law.absorbed("left", times)
    with pytest.raises(ValueError, match="exit = 'up': must be one of 'left', 'right', 'killing'"):
        law.absorbed("up", [1])
    with pytest.raises(ValueError, match="t = 3 was not recorded; the recorded times are 10"):
        law.density(3)


def test_estimates_of_the_law() -> None:
    law = rw.pde.exact_law(rw.LatticeWalk(0.3, 0.5, dx=0.5, dt=0.1), [10.0])
    assert law.mean(10.0) == pytest.approx(100 * -0.2 * 0.5, rel=1e-12)
    assert law.variance(10.0) == pytest.approx(100 * (0.8 - 0.04) * 0.25, rel=1e-12)
    assert law.expect(lambda x: x**2, 10.0) == pytest.approx(law.variance(10.0) + law.mean(10.0) ** 2, rel=1e-12)


# ---------------------------------------------------------------- stationary laws


def eigenvector(walk: rw.LatticeWalk) -> Floats:
    """The eigenvector of eigenvalue 1 of the dense matrix."""
    assert walk.lattice.last is not None
    m = naive.Chain(walk, 0, walk.lattice.last).matrix(0)[:-3, :-3]
    values, vectors = np.linalg.eig(m)
    at = np.argmin(np.abs(values - 1.0))
    assert abs(values[at] - 1.0) < 1e-12
    v = np.real(vectors[:, at])
    return v / v.sum()


@pytest.mark.parametrize(
    "make",
    [
        lambda: rw.LatticeWalk(0.45, 0.35, sites=12, domain=rw.Interval(0, 1, REFLECT, REFLECT), start=0.5),
        lambda: rw.LatticeWalk(
            lambda x: 0.3 + 0.2 * x, 0.4, sites=15, domain=rw.Interval(0, 1, REFLECT, REFLECT), start=0.5
        ),
        lambda: rw.LatticeWalk(lambda x: 0.3 + 0.2 * np.sin(6 * x), 0.3, sites=11, domain=rw.Ring(0, 1), start=0.5),
        lambda: rw.LatticeWalk(0.5, 0.4, sites=9, domain=rw.Ring(0, 1), start=0.5),
        lambda: rw.LatticeWalk(0.5, 0.5, sites=2, domain=rw.Interval(0, 1, REFLECT, REFLECT), start=0.5),
        lambda: rw.LatticeWalk(0.3, 0.2, sites=1, domain=rw.Ring(0, 1)),
        lambda: rw.LatticeWalk(0.3, 0.2, sites=2, domain=rw.Ring(0, 1)),
    ],
)
def test_stationary_law_is_the_eigenvector(make: Callable[[], rw.LatticeWalk]) -> None:
    """LAPACK's eigenvector is good to ulp over the spectral gap, here above 1e-2."""
    walk = make()
    law = rw.pde.stationary_law(walk)
    np.testing.assert_allclose(law.pmf, eigenvector(walk), rtol=0, atol=1e-12)
    assert walk.lattice.last is not None
    step = naive.Chain(walk, 0, walk.lattice.last).matrix(0)[:-3, :-3]
    np.testing.assert_allclose(step @ law.pmf, law.pmf, rtol=0, atol=1e-14)
    assert law.mass([-1.0, 2.0])[0] == pytest.approx(1.0, abs=1e-14)


def test_detailed_balance_between_walls() -> None:
    walk = rw.LatticeWalk(lambda x: 0.3 + 0.2 * x, 0.4, sites=15, domain=rw.Interval(0, 1, REFLECT, REFLECT), start=0.5)
    pmf = rw.pde.stationary_law(walk).pmf
    rates = [naive.thresholds(walk, k, 0) for k in range(15)]
    for k in range(14):
        assert pmf[k] * rates[k][0] == pytest.approx(pmf[k + 1] * rates[k + 1][1], rel=1e-12)


def test_a_ring_that_turns_is_not_in_detailed_balance() -> None:
    walk = rw.LatticeWalk(lambda x: 0.4 + 0.2 * np.sin(6 * x), 0.2, sites=11, domain=rw.Ring(0, 1), start=0.5)
    pmf = rw.pde.stationary_law(walk).pmf
    rates = [naive.thresholds(walk, k, 0) for k in range(11)]
    currents = [(pmf[k] * rates[k][0] - pmf[(k + 1) % 11] * rates[(k + 1) % 11][1]) / FULL for k in range(11)]
    assert min(currents) > 1e-3 and np.ptp(currents) < 1e-15  # one current, the same through every bond


@pytest.mark.parametrize("dx", [0.15, 0.1])
@pytest.mark.parametrize("rule", [Rule.LINEAR, Rule.EXACT_VARIANCE])
def test_stationary_variance_of_ornstein_uhlenbeck(dx: float, rule: Rule) -> None:
    """a = -x, D = ½. A step has E[Δx] = -x dt. Linear rule: E[Δx²] = dt, so V = V - 2dt V + dt and V = ½ exactly (MATH.md,
    item 6). Exact variance: V = (1 - dt)² V + dt, so V = 1/(2 - dt). What is left is rounding."""
    walk = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=dx, rule=rule)
    law = rw.pde.stationary_law(walk, window=(-6.4, 6.4))
    assert law.mean() == pytest.approx(0.0, abs=1e-13)
    assert law.variance() == pytest.approx(0.5 if rule is Rule.LINEAR else 1 / (2 - walk.dt), rel=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rw.LatticeWalk(0.5, 0.4, sites=9, domain=rw.Ring(0, 1), killing=0.1), "walkers are lost"),
        (
            lambda: rw.LatticeWalk(
                0.5, 0.4, sites=9, domain=rw.Interval(0, 1, REFLECT, REFLECT), start=0.5, killing=0.1
            ),
            "walkers are lost",
        ),
        (
            lambda: rw.LatticeWalk(0.5, 0.4, sites=9, domain=rw.Interval(0, 1, REFLECT, ABSORB), start=0.5),
            "walkers are lost",
        ),
        (
            lambda: rw.LatticeWalk(
                0.2, 0.2, sites=9, domain=rw.Interval(0, 1, rw.PartiallyAbsorbing(0.01), REFLECT), start=0.5
            ),
            "walkers are lost",
        ),
        (lambda: rw.LatticeWalk(lambda t: 0.3 + 0 * t, 0.4, sites=9, domain=rw.Ring(0, 1)), "depend on time"),
        (lambda: rw.LatticeWalk(0.5, 0.4, dx=1.0), "unbounded on the left"),
        (
            lambda: rw.LatticeWalk(
                lambda x: 0.4 * (x > 0.45),
                lambda x: 0.4 * (x <= 0.45),
                sites=9,
                domain=rw.Interval(0, 1, REFLECT, REFLECT),
                start=0.2,
            ),
            "separate parts",
        ),
    ],
)
def test_no_stationary_law(make: Callable[[], rw.LatticeWalk], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rw.pde.stationary_law(make())


def test_a_window_too_narrow() -> None:
    walk = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.2)
    with pytest.raises(ValueError, match=r"end of the window holds a mass of .*: widen it"):
        rw.pde.stationary_law(walk, window=(-2, 2))


# ---------------------------------------------------------------- parity and smoothing


def test_parity_is_computed() -> None:
    line = rw.LatticeWalk(0.5, 0.5, dx=1.0)
    x, rho = rw.pde.exact_law(line, [20]).density(20)
    assert set(np.rint(x).astype(int) % 2) == {0} and rho.sum() * 2 == pytest.approx(1.0, abs=1e-13)
    cases: list[tuple[rw.LatticeWalk, int]] = [
        (rw.LatticeWalk(0.5, 0.49, dx=1.0), 1),
        (rw.LatticeWalk(0.5, 0.5, dx=1.0, start=rw.Uniform(-2, 2)), 1),
        (rw.LatticeWalk(0.5, 0.5, dx=1.0, start=rw.Sites([0, 2], [0.5, 0.5])), 2),
        (rw.LatticeWalk(0.5, 0.5, sites=10, domain=rw.Ring(0, 1)), 2),
        (rw.LatticeWalk(0.5, 0.5, sites=11, domain=rw.Ring(0, 1)), 1),
        (rw.LatticeWalk(0.5, 0.5, sites=9, domain=rw.Interval(0, 1, ABSORB, ABSORB), start=0.5), 2),
        (rw.LatticeWalk(0.5, 0.5, sites=9, domain=rw.Interval(0, 1, ABSORB, REFLECT), start=9 / 19), 1),
        (
            rw.LatticeWalk(
                lambda x: 0.5 + 0.1 * x,
                lambda x: 0.5 - 0.1 * x,
                sites=9,
                domain=rw.Interval(0, 1, ABSORB, ABSORB),
                start=0.5,
            ),
            2,
        ),
        (rw.LatticeWalk(lambda t: 0.5 + 0 * t, lambda t: 0.5 - 0.1 * (t > 5), dx=1.0), 1),
    ]
    for walk, every in cases:
        law = rw.pde.exact_law(walk, [8.0])
        x, rho = law.density(8.0)
        if x.size > 1:
            assert np.diff(x) == pytest.approx(every * walk.dx), walk
        assert rho.sum() * every * walk.dx == pytest.approx(law.survival(8.0), abs=1e-13), walk


@pytest.mark.parametrize(
    "name",
    ["coin", "absorbing", "reflecting", "mixed", "two sites", "robin", "ring", "one site", "ring of one", "half line"],
)
@pytest.mark.parametrize("n", [5, 40])
def test_smoothed_law_sums_to_survival(name: str, n: int) -> None:
    walk = WALKS[name]()
    law = rw.pde.exact_law(walk, [n * walk.dt])
    low = walk.domain.low if math.isfinite(walk.domain.low) else -1e3
    high = walk.domain.high if math.isfinite(walk.domain.high) else 1e3
    smooth = law.smoothed()
    for bins in (1, 3, 10):
        total = smooth.mass(np.linspace(low, high, bins + 1), n * walk.dt).sum()
        assert total == pytest.approx(law.survival(n * walk.dt), abs=1e-12)
    assert (smooth.mass(np.linspace(low, high, 50), n * walk.dt) >= -1e-15).all()


EDGES = np.cumsum([-2.03, *(0.05 + 0.1 * (0.6180339887 * k % 1.0) for k in range(40))])  # anywhere between the sites


def rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def order(errors: list[float]) -> float:
    return math.log(errors[0] / errors[-1], 3 ** (len(errors) - 1))


def test_atoms_converge_at_order_one_and_smoothed_at_two() -> None:
    """Against the heat kernel on bins whose edges fall anywhere between sites; lattices refined by 3."""
    edges, t, d = EDGES, 0.5, 0.5
    exact = np.diff(stats.norm.cdf(edges, scale=math.sqrt(2 * d * t)))
    atoms, smooth = [], []
    for dx in (0.1, 0.1 / 3, 0.1 / 9):
        law = rw.pde.exact_law(rw.LatticeWalk.from_drift(0.0, d, dx=dx, times=[t]), [t])
        atoms.append(rms(law.mass(edges, t) - exact))
        smooth.append(rms(law.smoothed().mass(edges, t) - exact))
    assert 0.6 < order(atoms) < 1.4  # an atom is in a bin or not: order 1 with noise of its own size
    assert 1.8 < order(smooth) < 2.2
    assert smooth[0] < atoms[0]


def test_smoothing_keeps_parity_at_order_two() -> None:
    edges, t = EDGES, 0.5
    exact = np.diff(stats.norm.cdf(edges, scale=math.sqrt(t)))
    errors = []
    for dx in (0.1, 0.1 / 3, 0.1 / 9):
        walk = rw.LatticeWalk.from_drift(0.0, 0.5, dx=dx, rule=Rule.TWO_WAY)
        time = round(t / walk.dt) * walk.dt
        assert time == pytest.approx(t, abs=1e-12)
        errors.append(rms(rw.pde.exact_law(walk, [time]).smoothed().mass(edges, time) - exact))
    assert 1.8 < order(errors) < 2.2


def test_constant_walk_at_one_third_converges_at_order_four() -> None:
    """MATH.md item 3: the density on the sites, with drift and exact variance, s = ⅓."""
    t, errors = 0.5, []
    for dx in (0.2, 0.2 / 3):
        walk = rw.LatticeWalk.from_drift(1.0, 0.5, dx=dx, dt=t / round(3 * t / dx**2))
        law = rw.pde.exact_law(walk, [t])
        x, rho = law.density(t)
        errors.append(float(np.abs(rho - stats.norm.pdf(x, t, math.sqrt(t))).max()))
    assert 3.6 < order(errors) < 4.4


# ---------------------------------------------------------------- modified equation


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.3, 0.2), (1 / 6, 1 / 6), (0.7, 0.3)])
def test_modified_equation_of_a_constant_walk_has_its_cumulants(p: float, q: float) -> None:
    """The rates of the first four cumulants are those of a step over dt, the third and fourth to the next order in dx (here a
    is of order one, p - q of order dx): the terms left out are (p - q)² and (p - q)⁴ smaller, by their formulas."""
    dx, dt = 0.1, 0.01
    walk = rw.LatticeWalk(p, q, dx=dx, dt=dt)
    rates = rw.pde.modified(walk).moment_rates(0.0)
    s, m = p + q, p - q
    cumulants = [m, s - m**2, m * (1 - 3 * s + 2 * m**2), s - 3 * s**2 - 4 * m**2 + 12 * s * m**2 - 6 * m**4]
    left_out = [0.0, 0.0, 2 * m**3, -4 * m**2 + 12 * s * m**2 - 6 * m**4]
    for n, (rate, cumulant, rest) in enumerate(zip(rates, cumulants, left_out, strict=True), start=1):
        assert rate == pytest.approx((cumulant - rest) * dx**n / dt, abs=1e-12 * dx**n / dt)
    step = np.array([q, 1 - s, p])
    k = np.array([-1, 0, 1]) - m
    assert cumulants[3] == pytest.approx(
        float(step @ k**4) - 3 * float(step @ k**2) ** 2, abs=1e-14
    )  # the formula itself


def test_modified_equation_of_ornstein_uhlenbeck_keeps_one_half() -> None:
    """MATH.md item 6: E[X²] of the modified equation is stationary where the walk's is (the test above), up to O(dt²). The rates
    are linear in (1, x²), so the fixed point is read from two of them."""
    for rule in (Rule.EXACT_VARIANCE, Rule.LINEAR):
        walk = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.1, rule=rule)
        equation = rw.pde.modified(walk)
        # d/dt E[X²] = E[2 X b(X) + c(X)] with b, c the first two moment rates
        values = [2 * x * equation.moment_rates(x)[0] + equation.moment_rates(x)[1] for x in (0.0, 1.0)]
        fixed = values[0] / (values[0] - values[1])
        exact = 0.5 if rule is Rule.LINEAR else 1 / (2 - walk.dt)
        assert fixed == pytest.approx(exact, abs=2 * walk.dt**2)
        assert abs(fixed - 0.4988) > walk.dt / 8  # where the constant formula, applied locally, goes wrong


def test_modified_equation_predicts_the_first_moments_of_a_walk() -> None:
    """A walk with variable coefficients from a smooth start: over a time t the mean of the walk is that of the limit equation
    plus a correction of order dt, which the modified equation has: at a place x, E[ΔX]/dt and E[ΔX²]/dt of two steps."""
    drift, d = rw.expression("sin(x) + 0.3*cos(2*x)"), rw.expression("0.5 + 0.2*cos(x)")
    ratios = []
    for dx in (0.1, 0.05):
        walk = rw.LatticeWalk.from_drift(drift, d, dx=dx, rule=Rule.LINEAR, start=0.4)
        n = 8
        law = rw.pde.exact_law(walk, [n * walk.dt])
        mean = law.mean(n * walk.dt) - 0.4
        # exp(n dt G) x with G = L† - (dt/2) L†²: Σ over steps gives n dt L†x + n(n-1)/2 dt² L†²x exactly for the walk
        a, ax, axx, D = (
            float(c(0.4)) for c in (drift, drift.derivative("x"), drift.derivative("x").derivative("x"), d)
        )
        first, second = a, a * ax + D * axx
        corrected = float(rw.pde.modified(walk).moment_rates(0.4)[0])
        assert corrected == pytest.approx(a - 0.5 * walk.dt * second, rel=1e-12)
        t = n * walk.dt
        ratios.append((mean - (t * corrected + 0.5 * t**2 * second)) / (mean - (t * first + 0.5 * t**2 * second)))
    assert (
        abs(ratios[1]) < 0.5 * abs(ratios[0]) < 0.25
    )  # what the correction leaves is dx² smaller than what it corrects


SHORT = {
    (Rule.LINEAR, rw.Convention.FICK),
    (Rule.FITTED, rw.Convention.STRATONOVICH),
    (Rule.CAPPED, rw.Convention.ITO),
    (Rule.EXACT_VARIANCE, rw.Convention.ITO),
}  # every rule and every convention; the other pairs are long


@pytest.mark.parametrize(("rule", "convention"), [
    pair if pair in SHORT else pytest.param(*pair, marks=pytest.mark.long)
    for pair in itertools.product([rule for rule in Rule if rule is not Rule.TWO_WAY], rw.Convention)
])  # fmt: skip
def test_modified_equation_is_the_walk_to_second_order(rule: Rule | None, convention: rw.Convention) -> None:
    """One step of a walk with a(x, t) and D(x, t), E f(x + Δx), is exp of the modified backward generator M = Σ (-1)ⁿ bₙ ∂ⁿ to
    the order it claims: f + dt Mf + ½dt² (M² + ∂_tM) f is left with O(dt³) = O(dx⁶). A wrong term in any bₙ would leave dx⁴.
    Derivatives of Mf are those of its Chebyshev interpolant on 25 nodes, good to 1e-9 of ½dt²."""
    drift, d = rw.expression("sin(x) + 0.3*cos(2*x)*(1 + t)"), rw.expression("0.5 + 0.2*cos(x + t) + 0.1*t")
    f, x, t, errors = rw.expression("sin(x) + 0.5*cos(0.7*x)"), 0.4, 0.3, []
    for dx in (0.2, 0.1):
        walk = rw.LatticeWalk.from_drift(
            drift, d, dx=dx, dt=0.4 * dx**2, rule=rule or Rule.LINEAR, convention=convention
        )
        if rule is None:
            walk = rw.LatticeWalk(walk.right, walk.left, dx=dx, dt=walk.dt)
        p, q = float(walk.right(x, t)), float(walk.left(x, t))
        step = p * float(f(x + dx)) + q * float(f(x - dx)) + (1 - p - q) * float(f(x))
        m = [(-1) ** n * b for n, b in enumerate(rw.pde.modified(walk).b, start=1)]
        nodes = x + 0.5 * np.cos(np.pi * (np.arange(25) + 0.5) / 25)
        mf = np.polynomial.Chebyshev.fit(nodes, generator(m, f, nodes, t), 24, domain=[x - 0.5, x + 0.5])
        again = sum(float(b(x, t)) * float(mf.deriv(n)(x)) for n, b in enumerate(m, start=1))
        h = 1e-3  # ∂_tM f by a central difference, good to h² = 1e-6 of ½dt²
        moving = float(generator(m, f, np.array(x), t + h) - generator(m, f, np.array(x), t - h)) / (2 * h)
        errors.append(abs(step - (float(f(x)) + walk.dt * float(mf(x)) + 0.5 * walk.dt**2 * (again + moving))))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(
        6, abs=0.7
    )  # the next terms are dx = 0.1 times numbers of a few


def generator(m: list[Coefficient], f: Coefficient, x: Floats, t: float) -> Floats:
    """Σ mₙ ∂ⁿf at x and t."""
    total = np.zeros_like(x)
    for b in m:
        f = f.derivative("x")
        total = total + b(x, t) * f(x, t)
    return total


def test_modified_equation_refuses_killing() -> None:
    with pytest.raises(ValueError, match="without killing"):
        rw.pde.modified(rw.LatticeWalk(0.5, 0.4, dx=1.0, killing=0.1))


# ---------------------------------------------------------------- partially absorbing walls


def robin_survival(k: float, d: float, length: float, x0: float, t: float) -> float:
    """ρ_t = Dρ_xx on [0, L] with flux Kρ out at 0 and none at L, from x₀: survival by the eigenfunctions
    cos(μ(L - x)), μ tan μL = K/D."""
    total = 0.0
    for n in range(60):
        low, high = n * math.pi / length, (n + 0.5) * math.pi / length
        mu = optimize.brentq(lambda m: m * math.sin(m * length) - k / d * math.cos(m * length), low, high, xtol=1e-14)
        norm = length / 2 + math.sin(2 * mu * length) / (4 * mu)
        total += math.cos(mu * (length - x0)) * math.sin(mu * length) / mu / norm * math.exp(-d * mu**2 * t)
    return total


def test_robin_walls_are_of_order_two() -> None:
    k, d, x0, t = 1.5, 0.5, 0.5, 0.4
    exact = robin_survival(k, d, 1.0, x0, t)
    errors = []
    for sites in (9, 27, 81):
        walk = rw.LatticeWalk.from_drift(
            0.0, d, sites=sites, domain=rw.Interval(0, 1, rw.PartiallyAbsorbing(k), REFLECT), start=x0, times=[t]
        )
        law = rw.pde.exact_law(walk, [t])
        errors.append(abs(law.survival(t) - exact))
        assert law.absorbed("left", [t])[0] == pytest.approx(1 - law.survival(t), abs=1e-12)
    assert 1.8 < order(errors) < 2.2


def test_robin_with_drift_is_of_order_two() -> None:
    """Half line, drift a towards the wall, flux Kρ out at 0: the survival from the backward equation's closed form,

    S(x, t) = u with u_t = a u_x + D u_xx, D u_x = K' u at 0 …, here by Laplace transform and Talbot's contour (N = 32).
    """
    a, d, k, x0, t = -0.8, 0.5, 1.2, 0.6, 0.5

    def transform(s: complex) -> complex:
        # u = 1/s + c exp(λx), λ = (-a - √(a² + 4Ds))/2D; backward condition D u_x = K u at 0
        root = (-a - np.sqrt(a * a + 4 * d * s)) / (2 * d)
        c = k / s / (d * root - k)
        return 1 / s + c * np.exp(root * x0)

    n = 32
    theta = (2 * np.arange(n) + 1) * math.pi / n - math.pi
    z = n / t * (0.5017 * theta / np.tan(0.6407 * theta) - 0.6122 + 0.2645j * theta)
    dz = n / t * (0.5017 / np.tan(0.6407 * theta) - 0.5017 * 0.6407 * theta / np.sin(0.6407 * theta) ** 2 + 0.2645j)
    exact = float(np.real(sum(np.exp(zk * t) * transform(zk) * w for zk, w in zip(z, dz, strict=True)) / (1j * n)))
    errors = []
    for dx in (0.08, 0.08 / 3, 0.08 / 9):
        domain = rw.Interval(0, math.inf, rw.PartiallyAbsorbing(k))
        walk = rw.LatticeWalk.from_drift(a, d, dx=dx, domain=domain, start=x0, times=[t])
        errors.append(abs(rw.pde.exact_law(walk, [t]).survival(t) - exact))
    assert 1.7 < order(errors) < 2.3


def test_absorbing_wall_is_of_order_two() -> None:
    """Survival above an absorbing wall without drift: erf(x₀/√(4Dt))."""
    errors = []
    for dx in (0.1, 0.1 / 3, 0.1 / 9):
        walk = rw.LatticeWalk.from_drift(
            0.0, 0.5, dx=dx, domain=rw.Interval(0, math.inf, ABSORB), start=0.6, times=[0.5], rule=Rule.LINEAR
        )
        errors.append(
            abs(rw.pde.exact_law(walk, [0.5]).survival(0.5) - float(special.erf(0.6 / math.sqrt(4 * 0.5 * 0.5))))
        )
    assert errors[-1] < 1e-5 and order(errors) > 1.8


def test_law_describes_itself() -> None:
    law = rw.pde.exact_law(rw.LatticeWalk(0.5, 0.5, sites=3, domain=rw.Interval(0, 4, ABSORB, ABSORB), start=2.0), [10])
    assert repr(law) == "ExactLaw(3 sites, 10 steps, 0.03125 alive at the end, 0 leaked)"
    table = law.table
    assert isinstance(table, StepTable) and integrate.trapezoid(np.ones(3), law.sites) == 2.0
