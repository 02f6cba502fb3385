"""Published values of processes with a name: games, urns, arcsine laws, escapes, walkers that never meet, and prices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

import randwalk as rw

E = rw.expression
ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()
COIN = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)


def test_three_gamblers() -> None:
    """Each round one of the three, by chance, pays another one a coin; the first is ruined after 3abc/(a + b + c) rounds in the
    mean (Engel, *Amer. Math. Monthly* 100 (1993) 62)."""
    steps: dict[tuple[int, ...], Any] = dict.fromkeys(((1, -1), (-1, 1), (1, 0), (-1, 0), (0, 1), (0, -1)), 1 / 6)
    for a, b, c in ((3, 4, 5), (1, 1, 10), (7, 7, 7)):
        coins = float(a + b + c)
        table = (rw.Interval(0.0, coins, ABSORBING, ABSORBING) ** 2).without(
            ~rw.HalfSpace((-1.0, -1.0), -coins), ABSORBING, name="third"
        )
        game = rw.LatticeWalk(steps=steps, dx=1.0, domain=table, start=(float(a), float(b)))
        assert rw.pde.hitting_time(game).mean == pytest.approx(3 * a * b * c / coins, rel=1e-12)


def test_meetings_on_a_cycle() -> None:
    """Of two walkers, one of whom steps at a time, at a distance k on n sites: k (n - k) steps in the mean."""
    n, k = 12, 5
    two = rw.LatticeWalk(
        right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, domain=rw.Ring(0.0, float(n)) ** 2, start=(0.0, float(k))
    )
    for target in (rw.Mask(np.eye(n, dtype=bool)), np.eye(n, dtype=bool), (np.arange(n), np.arange(n))):
        assert rw.pde.hitting_time(two, target).mean == pytest.approx(k * (n - k), rel=1e-12)


def test_urns() -> None:
    """Mean recurrence times 2^N/C(N, k) of Ehrenfest's urns (Kac, *Amer. Math. Monthly* 54 (1947) 369) and C(2r, r)/C(r, k)² of
    Bernoulli's and Laplace's (Feller, volume I, XV.2); of Pólya's urn every number of balls is as likely."""
    ehrenfest = rw.LatticeWalk(
        E("1 - x/1000"), E("x/1000"), dx=1.0, domain=rw.Interval(-0.5, 1000.5, REFLECTING, REFLECTING)
    )
    for k in (0, 250, 500):
        mean = rw.pde.return_time(ehrenfest, float(k)).mean
        assert mean == pytest.approx(2**1000 / math.comb(1000, k), rel=1e-11)
    mixing = rw.LatticeWalk(
        E("(1 - x/12)**2"), E("(x/12)**2"), dx=1.0, domain=rw.Interval(-0.5, 12.5, REFLECTING, REFLECTING)
    )
    for k in (0, 3, 6):
        mean = rw.pde.return_time(mixing, float(k)).mean
        assert mean == pytest.approx(math.comb(24, 12) / math.comb(12, k) ** 2, rel=1e-12)
    n, drawn = 30.0, rw.Interval(-0.5, 30.5, REFLECTING, REFLECTING)
    with pytest.raises(ValueError, match=r"by 15\.5 \(or, where nobody comes, make them 0 by where\(\.\.\.\)\)$"):
        rw.LatticeWalk(E("(1 + x)/(2 + t)"), 0.0, dx=1.0, domain=drawn)
    polya = rw.LatticeWalk(E("where(x <= t, (1 + x)/(2 + t), 0)"), 0.0, dx=1.0, domain=drawn)
    assert rw.pde.exact_law(polya, [n]).mass(np.arange(-0.5, 31.0), n) == pytest.approx(np.full(31, 1 / 31), rel=1e-13)


def test_discrete_arcsine_laws() -> None:
    """The last visit to 0 and the time above it in 40 tosses have the law u_2k u_40-2k (Feller, volume I, III.4): p > 1e-4."""
    n, walkers = 20, 100_000
    returns = np.array([math.comb(2 * k, k) / 4.0**k for k in range(n + 1)])
    law = walkers * returns * returns[::-1]
    records = [rw.LastVisit(0.0), rw.TimePositive(0.0)]
    run = rw.simulate(COIN, walkers, [2.0 * n], seed=5, record=records)
    for record in records:
        histogram = run[record]
        found = np.zeros(n + 1)
        for value, count in zip(histogram.values, np.ravel(histogram.counts), strict=True):
            if count:
                found[round(value / 2)] += count
        assert stats.chi2.sf(((found - law) ** 2 / law).sum(), n) > 1e-4, record


def test_the_maximum_of_a_bridge() -> None:
    """P(max ≥ k | S_2n = 0) = C(2n, n + k)/C(2n, n), by reflection."""
    n, origin = 50, [-0.5, 0.5]
    for k in (1, 3, 7):
        below = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0, domain=rw.Interval(high=float(k), right=ABSORBING))
        kept, free = (float(rw.pde.exact_law(w, [2.0 * n]).mass(origin, 2.0 * n)[0]) for w in (below, COIN))
        assert 1.0 - kept / free == pytest.approx(math.comb(2 * n, n + k) / math.comb(2 * n, n), rel=1e-12)


def test_three_walkers_that_never_meet() -> None:
    """p₁₂ + p₂₃ - p₁₃ with the probabilities that two do not cross, by which a Pfaffian has it (de Bruijn, *J. Indian Math. Soc.*
    19 (1955) 133): of three Brownian motions at 0, 1, 2; |z| < 4 is missed by one in 16 000."""
    apart = (rw.Line() ** 3).without(
        rw.HalfSpace((1.0, -1.0, 0.0), 0.0) | rw.HalfSpace((0.0, 1.0, -1.0), 0.0), ABSORBING, name="met"
    )
    walk = rw.ItoWalk(0.0, 0.5, dt=1 / 64, domain=apart, start=(0.0, 1.0, 2.0))
    alive = rw.simulate(walk, 20_000, [1.0], seed=1).survival(1.0)
    assert abs(alive.z(2.0 * special.erf(0.5) - special.erf(1.0))) < 4.0


def test_two_correlated_accumulators() -> None:
    """Neither has reached 1 (Iyengar, *SIAM J. Appl. Math.* 45 (1985) 983): a series of Bessel functions in a wedge."""
    rho, t = -0.5, 1.0
    angle, r = math.acos(-rho), math.sqrt(2.0 * (1.0 - rho) / (1.0 - rho**2))
    n, x = np.arange(1, 200, 2), r * r / (4.0 * t)
    bessel = special.iv((n * math.pi / angle - 1) / 2, x) + special.iv((n * math.pi / angle + 1) / 2, x)
    terms = np.sin(n * math.pi / 2) / n * bessel
    undecided = 2.0 * r / math.sqrt(2.0 * math.pi * t) * math.exp(-x) * terms.sum()
    walk = rw.ItoWalk(
        0.0, ((0.5, 0.5 * rho), (0.5 * rho, 0.5)), dt=0.02, start=(0.0, 0.0),
        domain=rw.Interval(high=1.0, right=ABSORBING) ** 2,
    )  # fmt: skip
    assert abs(rw.simulate(walk, 20_000, [t], seed=1).survival(t).z(undecided)) < 4.0
    solution = rw.pde.solve(rw.pde.limit(walk), [t], tolerance=1e-2)
    assert solution.survival(t) == pytest.approx(undecided, abs=2.0 * solution.error_estimate)


def test_escape_over_a_barrier_in_the_plane() -> None:
    """The mean time of the double well (x² - 1)²/4 + y² is that of one dimension, by quadrature, whose prefactor tends to that
    of Eyring and Kramers, 2π √½ e^(1/4D), with a correction ∝ D."""
    ratios = []
    for d in (0.05, 0.025):
        box = rw.Interval(-3.0, 1.0, REFLECTING, ABSORBING) * rw.Interval(-2.5, 2.5, REFLECTING, REFLECTING)
        well = rw.pde.FokkerPlanck((E("x - x**3"), E("-2*y")), d, domain=box)
        found = rw.pde.mean_exit_time(well, tolerance=1e-3)
        z = np.linspace(-3.0, 1.0, 40_001)
        weight = np.exp((z**2 - 1.0) ** 2 / (-4.0 * d))
        inner = integrate.cumulative_simpson(weight, x=z, initial=0.0)
        exact = integrate.simpson((inner / weight)[z >= -1.0], x=z[z >= -1.0]) / d
        assert float(found.value((-1.0, 0.0))) == pytest.approx(exact, abs=2.0 * found.error_estimate)
        ratios.append(2.0 * exact / (2.0 * math.pi * math.sqrt(0.5) * 2.0 * math.exp(0.25 / d)))
    assert ratios[0] - 1.0 == pytest.approx(2.0 * (ratios[1] - 1.0), rel=0.25)


def test_narrow_escape() -> None:
    """From the centre of a disc whose rim reflects but for an arc of half the angle ε: ¼ - log sin(ε/2), with D = 1
    (Singer, Schuss and Holcman, *J. Stat. Phys.* 122 (2006) 465; Caginalp and Chen, *Arch. Ration. Mech. Anal.* 203 (2012)
    329). The arc is a part of what is outside, of which the first region counts."""
    eps, disc, plane = 0.8, rw.Ball((0.0, 0.0), 1.0), rw.Line() ** 2
    sine, cosine = math.sin(eps), math.cos(eps)
    arc = ~disc & rw.HalfSpace((sine, -cosine), 0.0) & rw.HalfSpace((sine, cosine), 0.0) & rw.HalfSpace((1.0, 0.0), 0.0)
    covered = plane.inside(disc, REFLECTING, "rim").without(arc, ABSORBING, "window")
    with pytest.raises(ValueError, match="first of regions that overlap counts, take 'window' out first"):
        rw.pde.mean_exit_time(rw.pde.FokkerPlanck(0.0, 1.0, domain=covered))
    opened = plane.without(arc, ABSORBING, "window").inside(disc, REFLECTING, "rim")
    found = rw.pde.mean_exit_time(rw.pde.FokkerPlanck(0.0, 1.0, domain=opened), tolerance=0.05)
    exact = 0.25 - math.log(math.sin(eps / 2))
    assert float(found.value((0.0, 0.0))) == pytest.approx(exact, abs=found.error_estimate)
    assert found.error_estimate < 0.1


def test_hestons_price() -> None:
    """6.8061 (Broadie and Kaya, *Oper. Res.* 54 (2006) 217): the variance is often 0, where the tensor vanishes; |z| < 4."""
    v, rate = "where(y > 0, y, 0)", 0.0319
    mixed = E(f"-0.7*0.61/2*{v}")
    equation = rw.pde.FokkerPlanck(
        (E(f"{rate} - {v}/2"), E(f"6.21*(0.019 - {v})")),
        ((E(f"{v}/2"), mixed), (mixed, E(f"0.61**2/2*{v}"))),
        killing=rate,
    )
    call = E("where(x > log(100), exp(x) - 100, 0)")
    found = rw.pde.expectation(equation, call, (math.log(100.0), 0.010201), 1.0, walkers=40_000, dt=1 / 32)
    assert abs(found.z(6.8061)) < 4.0 and found.error < 0.15


@pytest.mark.parametrize(("rate", "sigma", "price"), [(0.02, 0.1, 0.0559860415), (0.18, 0.3, 0.2183875466)])
def test_asian_options(rate: float, sigma: float, price: float) -> None:
    """Linetsky, *Oper. Res.* 52 (2004) 856, table 1: strike and share 2, a year; in Vecer's coordinate (*Risk* 15 (2002) 113);
    |z| < 4."""
    held = (1.0 - math.exp(-rate)) / rate
    start = held - math.exp(-rate)
    diffusion = E("s**2/2*((1 - exp(-r*(1 - t)))/r - x)**2", s=sigma, r=rate)
    equation = rw.pde.FokkerPlanck(0.0, diffusion, start=start)
    found = rw.pde.expectation(equation, E("where(x > 0, x, 0)"), start, 1.0, walkers=40_000, dt=1 / 32)
    assert abs((2.0 * found).z(price)) < 4.0 and 2.0 * found.error < 0.01 * price


def test_a_lookback_option() -> None:
    """25.3533 (Haug, *The Complete Guide to Option Pricing Formulas*, 2007, 4.15.1) by the formula of Goldman, Sosin and Gatto
    (*J. Finance* 34 (1979) 1111). The logarithm of the share over its minimum is reflected at 0, the share being the unit of
    money."""
    share, least, rate, carry, sigma, years = 120.0, 100.0, 0.10, 0.04, 0.3, 0.5
    equation = rw.pde.FokkerPlanck(
        carry + sigma**2 / 2, sigma**2 / 2, domain=rw.Interval(low=0.0, left=REFLECTING), start=math.log(share / least)
    )
    paid = rw.pde.closed_form(equation).expect(lambda x: 1.0 - np.exp(-x), years)
    price = share * math.exp((carry - rate) * years) * paid
    spread, power, n = sigma * math.sqrt(years), 2.0 * carry / sigma**2, special.ndtr
    a = (math.log(share / least) + (carry + sigma**2 / 2) * years) / spread
    again = (share / least) ** -power * n(power * spread - a) - math.exp(carry * years) * n(-a)
    known = share * math.exp(carry * years) * n(a) - least * n(a - spread) + share / power * again
    assert price == pytest.approx(math.exp(-rate * years) * known, rel=1e-10)
    assert price == pytest.approx(25.3533, abs=1e-4)


def test_a_constant_elasticity_of_variance() -> None:
    """The square root model by Schroder's noncentral χ² (*J. Finance* 44 (1989) 211): S = K = 100, half a year, r = 5 %."""
    rate, years = 0.05, 0.5
    k = 2.0 * rate / (4.0 * math.expm1(rate * years))
    x, y = 100.0 * k * math.exp(rate * years), 100.0 * k
    price = 100.0 * stats.ncx2.sf(2 * y, 4, 2 * x) - 100.0 * math.exp(-rate * years) * stats.ncx2.cdf(2 * x, 2, 2 * y)
    equation = rw.pde.FokkerPlanck(
        E("0.05*x"), E("2*x"), killing=rate, domain=rw.Interval(low=0.0, left=ABSORBING), start=100.0
    )
    found = rw.pde.backward(equation, E("where(x > 100, x - 100, 0)"), years, tolerance=1e-5)
    assert float(found.value(100.0)) == pytest.approx(price, abs=2.0 * found.error_estimate)
