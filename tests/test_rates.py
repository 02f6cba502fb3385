"""From drift and diffusion to probabilities where D varies: conventions, jumps, the fitted rule, partially absorbing walls."""

from __future__ import annotations

import itertools
import math
import re
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.bernoulli import Bernoulli, bernoulli
from randwalk.model.bond import BondMean
from randwalk.model.coefficient import Coefficient, Floats
from randwalk.model.walk import Rule
from randwalk.validate.convergence import refine

ITO, STRATONOVICH, FICK = rw.Convention.ITO, rw.Convention.STRATONOVICH, rw.Convention.FICK
REFLECT, ABSORB = rw.Reflecting(), rw.Absorbing()
BOX = rw.Interval(0.0, 1.0, REFLECT, REFLECT)
EPS = float(np.finfo(np.float64).eps)
RULES = [rule for rule in Rule if rule is not Rule.TWO_WAY]
SMOOTH = rw.expression("1 + 0.5*sin(3*x)")
JUMPY = rw.expression("0.1 + 2*heaviside(x - 0.3141) - 1.7*heaviside(x - 0.66)")


def sites_of(walk: rw.LatticeWalk) -> Floats:
    lattice = walk.lattice
    assert lattice.first is not None and lattice.last is not None
    return lattice.x(np.arange(lattice.first, lattice.last + 1))


# ---------------------------------------------------------------- equilibrium without drift: ρ ~ D^-λ


def test_a_pore_with_a_jump_of_the_diffusion_fills_evenly() -> None:
    """ρ_t = (Dρ_x)_x keeps the uniform law, so [0, 20] of [0, 100] holds 0.2, however D jumps at 20."""
    walk = rw.LatticeWalk.from_drift(
        0.0, rw.expression("1e-4 + 0.0099*heaviside(20 - x)"), sites=200, start=50.0,
        domain=rw.Interval(0.0, 100.0, REFLECT, REFLECT), convention=FICK,
    )  # fmt: skip
    law = rw.pde.stationary_law(walk)
    assert law.mass([0.0, 20.0])[0] == pytest.approx(0.2, abs=1e-12)
    assert np.ptp(law.pmf) * 200 < 1e-12


@pytest.mark.parametrize("convention", list(rw.Convention))
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "diffusion",
    [SMOOTH, JUMPY, rw.Table([0.0, 0.2, 0.25, 1.0], [1.0, 0.2, 3.0, 0.5]), lambda x: np.exp(3 * np.cos(9 * x))],
    ids=["smooth", "jumps", "table", "steep function"],
)
def test_equilibrium_without_drift_is_a_power_of_the_diffusion(
    convention: rw.Convention, rule: Rule, diffusion: Any
) -> None:
    """π D^λ is level. π(k+1)/π(k) = p(k)/q(k+1) each within some ulp of 1: 40 relative errors of 2⁻⁵²/p add up at
    worst to 40·2⁻⁵¹/min p."""
    walk = rw.LatticeWalk.from_drift(0.0, diffusion, sites=40, domain=BOX, start=0.5, rule=rule, convention=convention)
    x = sites_of(walk)
    level = rw.pde.stationary_law(walk).pmf * walk.diffusion(x) ** convention.exponent
    rarest = min(float(walk.right(x).min()), float(walk.left(x).min()))
    assert np.ptp(level) / level.mean() < 40 * 2.0**-51 / rarest


def test_equilibrium_on_a_ring_whose_diffusion_jumps_across_the_seam() -> None:
    walk = rw.LatticeWalk.from_drift(
        0.0,
        rw.expression("1 + 4*heaviside(x - 0.97) + x"),
        sites=20,
        domain=rw.Ring(0.0, 1.0),
        start=0.5,
        convention=FICK,
    )
    assert np.ptp(rw.pde.stationary_law(walk).pmf) * 20 < 1e-13


@pytest.mark.parametrize("diffusion", [SMOOTH, JUMPY], ids=["smooth", "jumps"])
def test_equilibrium_with_drift_in_the_fick_form_is_boltzmanns(diffusion: Coefficient) -> None:
    """Without a current ρ is exp(∫ a/D), and the fitted rules take ∫ a/D over each bond by the midpoint rule between breaks:
    exact for the linear a and a D that only jumps, else with an error that falls by 9 when dx is divided by 3."""
    drift, errors = rw.expression("3 - 5*x"), []
    fine = np.linspace(0.0, 1.0, 200_001)
    middle = 0.5 * (fine[1:] + fine[:-1])
    log = np.concatenate([[0.0], np.cumsum(drift(middle) / diffusion(middle)) / 200_000])
    for sites in (30, 90):
        for rule in (Rule.FITTED, Rule.CAPPED):
            walk = rw.LatticeWalk.from_drift(
                drift, diffusion, sites=sites, domain=BOX, start=0.5, rule=rule, convention=FICK
            )
            law = rw.pde.stationary_law(walk).pmf
            right = np.exp(np.interp(sites_of(walk), fine, log))
            errors.append(np.abs(law - right / right.sum()).max() / law.max())
    rounded = 1e-9  # of the sum of the reference
    assert errors[0] == pytest.approx(errors[1], rel=1e-3, abs=rounded)  # one p/q
    assert errors[2] < max(errors[0] / 7, rounded) and errors[2] < 1e-3


# ---------------------------------------------------------------- the bonds


def test_rates_of_the_fick_form_are_those_half_way() -> None:
    walk = rw.LatticeWalk.from_drift(0.0, SMOOTH, dx=0.1, rule=Rule.LINEAR, convention=FICK)
    x = np.linspace(-3.0, 3.0, 7)
    np.testing.assert_allclose(walk.right(x), SMOOTH(x + 0.05) * walk.dt / 0.01, rtol=1e-14)
    np.testing.assert_allclose(walk.left(x), SMOOTH(x - 0.05) * walk.dt / 0.01, rtol=1e-14)


@pytest.mark.parametrize("convention", [FICK, STRATONOVICH])
@pytest.mark.parametrize("jump", [0.30, 0.305, 0.31, 0.3141, 0.33])
def test_a_bond_that_holds_a_jump_is_two_resistances(convention: rw.Convention, jump: float) -> None:
    """Between sites 0.3 and 0.34 D is 0.02 before the jump and 3 after: G = 1/∫ D^(λ-1), p = G D_left^λ, q = G D_right^λ."""
    d = rw.expression("0.02 + 2.98*heaviside(x - jump)", jump=jump)
    walk = rw.LatticeWalk.from_drift(0.0, d, dx=0.04, rule=Rule.LINEAR, convention=convention, start=0.02, dt=1e-5)
    power = convention.exponent
    conductance = 1.0 / ((jump - 0.3) * 0.02 ** (power - 1) + (0.34 - jump) * 3.0 ** (power - 1))
    p, q = float(walk.right(0.3)), float(walk.left(0.34))
    before = 3.0 if jump == 0.30 else 0.02  # at the jump itself heaviside is 1
    if abs(jump - 0.3) > 1e-9 or convention is FICK:
        assert p == pytest.approx(conductance * before**power * walk.dt / 0.04, rel=1e-9)
    assert q == pytest.approx(conductance * 3.0**power * walk.dt / 0.04, rel=1e-9)


def test_exit_times_across_jumps_are_of_second_order() -> None:
    """In the Fick form the mean time from 0 (reflecting) to 1 (absorbing) is ∫ y/D dy; here with two jumps inside bonds. The
    lattice's solves (I - P)τ = dt."""
    fine = np.linspace(0.0, 1.0, 2_000_001)
    middle = 0.5 * (fine[1:] + fine[:-1])
    right = float(np.mean(middle / JUMPY(middle)))
    errors = []
    for cells in (20, 60, 180):
        walk = rw.LatticeWalk.from_drift(
            0.0, JUMPY, dx=1.0 / (cells + 0.5), domain=rw.Interval(0.0, 1.0, REFLECT, ABSORB), start=0.01,
            convention=FICK, rule=Rule.LINEAR,
        )  # fmt: skip
        x = sites_of(walk)
        p, q = walk.right(x), walk.left(x)
        q[0] = 0.0
        tau = np.linalg.solve(np.diag(p + q) - np.diag(p[:-1], 1) - np.diag(q[1:], -1), np.full(x.size, walk.dt))
        errors.append(abs(tau[0] - right) / right)
    assert errors[0] < 5e-3 and errors[1] < 5e-3 / 7 and errors[2] < 5e-3 / 49, errors


@lru_cache
def survival(equation: rw.pde.FokkerPlanck) -> float:
    return float(rw.pde.solve(equation, [0.25], tolerance=1e-6).survival(0.25))


@pytest.mark.parametrize("convention", list(rw.Convention))
@pytest.mark.parametrize("rule", RULES)
def test_the_walk_tends_to_its_equation_at_second_order(convention: rw.Convention, rule: Rule) -> None:
    """Survival between a reflecting and an absorbing wall against finite differences (to 1e-6)."""
    domain, drift, d = (
        rw.Interval(0.0, 1.05, REFLECT, ABSORB),
        rw.expression("1 - 3*x"),
        rw.expression("0.6 + 0.3*sin(4*x)"),
    )
    equation = rw.pde.FokkerPlanck(drift, d, domain=domain, start=rw.Uniform(0.1, 0.6), convention=convention)
    right, errors = survival(equation), []
    for dx in (0.3, 0.1, 0.1 / 3):
        law = rw.pde.exact_law(rw.pde.walk_for(equation, dx=dx, rule=rule, times=[0.25]), [0.25])
        errors.append(law.survival(0.25) - right)
    assert math.log(abs(errors[1] / errors[2]), 3) == pytest.approx(2, abs=0.25), errors


@pytest.mark.parametrize("convention", list(rw.Convention))
@pytest.mark.parametrize("rule", RULES)
def test_units_do_not_matter(convention: rw.Convention, rule: Rule) -> None:
    """The same pore in micrometres and in metres, seconds and nanoseconds: the same probabilities, with Python functions."""

    def pore(length: float, time: float) -> tuple[Floats, Floats]:
        walk = rw.LatticeWalk.from_drift(
            lambda x: 0.3 * np.cos(x / length) * length / time, lambda x: (1 + 0.5 * np.sin(x / length)) * length**2 / time,
            sites=49, domain=rw.Interval(0.0, 20.0 * length, ABSORB, rw.PartiallyAbsorbing(0.1 * length / time)),
            start=10 * length, rule=rule, convention=convention, times=[20.0 * time],
        )  # fmt: skip
        law = rw.pde.exact_law(walk, [20.0 * time])
        return law.pmf[0], law.gone[-1]

    plain = pore(1.0, 1.0)
    for length, time in ((1e-6, 1.0), (1e-6, 1e-9), (1e6, 1e9)):
        for a, b in zip(plain, pore(length, time), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-11)


# ---------------------------------------------------------------- conventions of walks, equations and files


def test_the_convention_survives_every_road() -> None:
    walk = rw.LatticeWalk.from_drift(
        rw.expression("1 - x"), SMOOTH, dx=0.1, start=0.2, convention=STRATONOVICH, killing=0.1
    )
    equation = rw.pde.limit(walk)
    assert equation == rw.pde.FokkerPlanck(
        rw.expression("1 - x"), SMOOTH, start=0.2, killing=0.1, convention=STRATONOVICH
    )
    assert rw.pde.limit(rw.pde.walk_for(equation, dx=0.05)) == equation
    assert walk.with_start(0.3).convention is equation.with_start(0.3).convention is STRATONOVICH
    assert refine(walk, 3).convention is STRATONOVICH
    problem = rw.Problem(walk, (walk.dt,))
    again = rw.Problem.of(rw.problem.Source.parse(problem.dumps())).walk
    assert again == walk
    for name, text in (("fick", "(D ρ_x)_x"), ("stratonovich", "(√(D) (√(D) ρ)_x)_x"), ("ito", "((D)ρ)_xx")):
        shown = repr(rw.pde.FokkerPlanck(0.0, SMOOTH, convention=rw.Convention(name)))
        assert text.replace("D", str(SMOOTH)) in shown.replace(f"(({SMOOTH}) ρ_x)_x", f"({SMOOTH} ρ_x)_x")


@pytest.mark.parametrize("diffusion", [0.5, rw.expression("1 + 0.5*sin(t)")])
def test_where_the_diffusion_is_even_the_conventions_are_one(diffusion: Any) -> None:
    plain = rw.pde.FokkerPlanck(0.3, diffusion, start=0.2)
    for convention in (FICK, STRATONOVICH):
        equation = rw.pde.FokkerPlanck(0.3, diffusion, start=0.2, convention=convention)
        assert equation == plain and rw.pde.closed_form(equation).mean(1.0) == pytest.approx(0.5)
        assert rw.LatticeWalk.from_drift(0.3, 0.5, dx=0.1, convention=convention) == rw.LatticeWalk.from_drift(
            0.3, 0.5, dx=0.1
        )


def test_a_jump_has_no_ito_drift() -> None:
    walk = rw.LatticeWalk.from_drift(0.0, JUMPY, sites=20, domain=BOX, start=0.5, convention=FICK)
    for thing in (walk, rw.pde.limit(walk)):
        with pytest.raises(ValueError, match=r"jumps at x = 0\.3141.* has no Itô drift: let D rise"):
            _ = thing.drift
        assert thing.declared_drift == rw.Constant(0.0)
    with pytest.raises(ValueError, match="no Itô drift"):
        rw.pde.modified(walk)
    with pytest.raises(rw.pde.NoClosedForm, match="a closed form needs a constant diffusion"):
        rw.pde.closed_form(rw.pde.limit(walk))
    with pytest.raises(rw.pde.NoClosedForm, match="depends on x"):
        rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, JUMPY, convention=FICK))
    elsewhere = rw.Interval(0.7, 1.7, REFLECT, REFLECT)
    assert rw.pde.FokkerPlanck(0.0, JUMPY, domain=elsewhere, start=1.0, convention=FICK).drift == rw.Constant(0.0)


# ---------------------------------------------------------------- the fitted and the capped rule


def test_a_strong_drift_is_followed() -> None:
    """a = 100, D = ½, dx = 0.1: mean 100 after t = 1; the variance is 1 with the step that follows, a little more when it is
    shortened to divide the time: (dt₀ - dt) a² t more."""
    walk = rw.LatticeWalk.from_drift(100.0, 0.5, dx=0.1, rule=Rule.FITTED)
    n = round(1.0 / walk.dt)
    t = n * walk.dt
    law = rw.pde.exact_law(walk, [t])
    assert law.mean(t) == pytest.approx(100.0 * t, rel=1e-8) and law.variance(t) == pytest.approx(t, rel=1e-5)
    told = rw.LatticeWalk.from_drift(100.0, 0.5, dx=0.1, rule=Rule.FITTED, times=[1.0])
    law = rw.pde.exact_law(told, [1.0])
    assert law.mean(1.0) == pytest.approx(100.0, rel=1e-8)
    assert law.variance(1.0) == pytest.approx(1.0 + (walk.dt - told.dt) * 1e4, rel=1e-6)


@pytest.mark.parametrize("convention", list(rw.Convention))
@pytest.mark.parametrize("rate", [1.0, 30.0, 1000.0])
def test_the_step_of_the_fitted_rule_is_valid_on_all_of_a_bounded_domain(
    convention: rw.Convention, rate: float
) -> None:
    drift = rate * rw.expression("sin(7*x)*(1 + sin(50*t))")
    walk = rw.LatticeWalk.from_drift(
        drift, rw.expression("0.3 + 0.25*sin(40*x)"), sites=30, domain=BOX, start=0.5, rule=Rule.FITTED, convention=convention,
        times=[0.1],
    )  # fmt: skip
    x, t = sites_of(walk), np.linspace(0.0, 0.1, 501)[:, None]
    both = walk.right(x, t) + walk.left(x, t)
    assert both.max() <= 1.0 and (rate < 100 or both.max() > 0.5)


def test_fitted_agrees_with_the_equation_where_linear_is_refused() -> None:
    """A steep double well between walls: |a| dx/D up to 12. Rung 2 of the same walk falls at second order."""
    drift = rw.expression("20*(x - x**3)")
    domain = rw.Interval(-1.6, 1.6, REFLECT, REFLECT)
    with pytest.raises(ValueError, match=r"rule=Rule\.FITTED"):
        rw.LatticeWalk.from_drift(drift, 0.5, sites=32, domain=domain, rule=Rule.LINEAR)
    equation = rw.pde.FokkerPlanck(drift, 0.5, domain=domain, start=0.1)
    right = float(rw.pde.solve(equation, [0.05], tolerance=1e-6).mass([0.0, 1.6], 0.05)[0])
    errors = []
    for sites in (32, 96, 192):
        walk = rw.pde.walk_for(equation, sites=sites, rule=Rule.FITTED, times=[0.05])
        errors.append(float(rw.pde.exact_law(walk, [0.05]).smoothed().mass([0.0, 1.6], 0.05)[0]) - right)
    assert math.log2(abs(errors[1] / errors[2])) == pytest.approx(2, abs=0.3), errors


@pytest.mark.parametrize("d", [1e-140, 1e-30, 1e-12])
def test_a_drift_without_diffusion_to_speak_of(d: float) -> None:
    """w = a dx/D beyond e^w of floating point: p + q tends to 1, and a step is dx to the right, all but surely."""
    walk = rw.LatticeWalk.from_drift(2.0, d, dx=0.1, rule=Rule.FITTED)
    assert walk.dt == pytest.approx(0.05, rel=1e-9) and float(walk.right(0.0)) == pytest.approx(1.0, abs=1e-9)
    assert 0.0 <= float(walk.left(0.0)) < 1e-300 and float(walk.right(0.0)) <= 1.0 + 8 * EPS


@pytest.mark.parametrize(("a", "dx"), [(100.0, 0.1), (-20.0, 0.1), (1e-3, 1e3)])
def test_capped_is_refused_where_walkers_start_at_its_cap(a: float, dx: float) -> None:
    """tanh(w/2)/(w/2) of the speed is left; both remedies work."""
    with pytest.raises(ValueError, match="rule = capped loses") as caught:
        rw.LatticeWalk.from_drift(a, 0.5, dx=dx, rule=Rule.CAPPED)
    h = abs(a) * dx / 1.0 / 2 * 2
    lost = float(re.findall(r"loses ([\d.]+) %", str(caught.value))[0])
    assert lost == pytest.approx(100 * (1 - math.tanh(h) / h), rel=0.01)
    finer = float(re.findall(r"take dx ≤ ([\d.e+-]+),", str(caught.value))[0])
    rw.LatticeWalk.from_drift(a, 0.5, dx=finer, rule=Rule.CAPPED)
    rw.LatticeWalk.from_drift(a, 0.5, dx=dx, rule=Rule.FITTED)


def test_capped_says_so_where_walkers_get_to_its_cap() -> None:
    """Calm at the start, a = 40 (w = 8, 75 % of the speed lost) beyond x = 1, where most are by t = 2; by t = 0.05 none is."""
    drift = rw.expression("1 + 39*heaviside(x - 1)")
    walk = rw.LatticeWalk.from_drift(drift, 0.5, dx=0.1, rule=Rule.CAPPED, times=[0.05, 2.0])
    rw.pde.exact_law(walk, [0.05])
    rw.simulate(walk, 1000, [0.05], seed=1)
    for run in (rw.pde.exact_law, lambda walk, times: rw.simulate(walk, 1000, times, seed=1)):
        with pytest.warns(
            RuntimeWarning, match=r"rule = capped loses \d+.* % of the mean speed at t = 2: .*rule=Rule\.FITTED"
        ):
            run(walk, [0.05, 2.0])


def test_the_rule_that_a_message_names_runs() -> None:
    """On a bounded domain FITTED, on the line, where a confining drift grows without bound, CAPPED; and a dt for FITTED."""
    steep = rw.expression("-20*x**3")
    line: dict[str, Any] = {"dx": 0.1, "start": 0.5, "times": [0.5]}
    box: dict[str, Any] = line | {"domain": rw.Interval(-2.0, 2.0, REFLECT, REFLECT)}
    for place, rule in ((line, Rule.CAPPED), (box, Rule.FITTED)):
        with pytest.raises(ValueError, match=f"rule=Rule.{rule.name}"):
            rw.pde.exact_law(rw.LatticeWalk.from_drift(steep, 0.5, rule=Rule.LINEAR, **place), [0.5])
        law = rw.pde.exact_law(rw.LatticeWalk.from_drift(steep, 0.5, rule=rule, **place), [0.5])
        assert law.survival(0.5) == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(ValueError, match="take dt ≤ ") as caught:
        rw.LatticeWalk.from_drift(
            steep, 0.5, dt=0.01, rule=Rule.FITTED, **{k: box[k] for k in ("dx", "domain", "start")}
        )
    dt = float(re.findall(r"dt ≤ ([\d.e-]+)", str(caught.value))[0])
    rw.LatticeWalk.from_drift(steep, 0.5, dt=dt, rule=Rule.FITTED, **{k: box[k] for k in ("dx", "domain", "start")})


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_beta(order: int) -> None:
    """Against the n-th central difference of the function itself in 60 digits."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        for w in (-30.0, -3.0, -0.999, -1e-3, 0.0, 1e-6, 0.5, 1.001, 4.0, 25.0):
            right = mpmath.diff(lambda z: z / mpmath.expm1(z) if z else mpmath.mpf(1), w, order)
            value = float(Bernoulli(rw.expression("x"), order)(w))
            assert value == pytest.approx(float(right), rel=1e-11, abs=1e-13), w


def test_beta_keeps_its_digits() -> None:
    w = np.array([1e-20, 1e-9, 0.3, 40.0, 700.0])
    down, up = bernoulli(w)
    np.testing.assert_allclose(up - down, w, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(np.log(up) - np.log(down), w, rtol=1e-14, atol=1e-15)


def test_a_bond_mean_is_an_integral() -> None:
    """Piecewise constant, with several jumps in a bond: exact; the walk's arrays of any shape give what scalars do."""
    steps = rw.expression("1 + heaviside(x - 0.11) - 3*heaviside(x - 0.12)*heaviside(0.17 - x) + t")
    mean = BondMean(steps, 0.1, rw.Line())
    x = np.array([0.0, 0.05, 0.1, 0.115, 0.2])
    right = np.array([float(np.mean(steps(np.linspace(a, a + 0.1, 200_001)[1:]))) for a in x])
    np.testing.assert_allclose(mean(x, 0.0), right, atol=3e-5)
    t = np.array([0.0, 1.0, 2.0])[:, None]
    np.testing.assert_allclose(mean(x, t), right + t, atol=3e-5)
    np.testing.assert_allclose([float(mean(a, 1.0)) for a in x], mean(x, 1.0), rtol=1e-15)
    np.testing.assert_allclose(mean(x, np.arange(5.0)), right + np.arange(5.0), atol=3e-5)
    backward = BondMean(steps, -0.1, rw.Line())
    np.testing.assert_allclose(backward(x + 0.1, 0.0), mean(x, 0.0), rtol=1e-12)


# ---------------------------------------------------------------- partially absorbing walls


def wall_errors(
    convention: rw.Convention, rule: Rule, side: str, drift: str, d: str, k: float, sites: int, tolerance: float
) -> tuple[float, list[float]]:
    """(what is right, errors at dx, dx/3, dx/9) of the mass absorbed by t = 0.2 on [0, 1], the other wall reflecting."""
    robin = rw.PartiallyAbsorbing(k)
    domain = rw.Interval(0.0, 1.0, robin, REFLECT) if side == "left" else rw.Interval(0.0, 1.0, REFLECT, robin)
    coefficients = rw.expression(drift), rw.expression(d)
    equation = rw.pde.FokkerPlanck(*coefficients, domain=domain, start=rw.Uniform(0, 1), convention=convention)
    right = float(rw.pde.solve(equation, [0.2], tolerance=tolerance).absorbed(side, [0.2])[0])
    walk = rw.pde.walk_for(equation, sites=sites, rule=rule, times=[0.2])
    laws = [rw.pde.exact_law(refine(walk, f) if f > 1 else walk, [0.2]) for f in (1, 3, 9)]
    return right, [float(law.absorbed(side, [0.2])[0]) - right for law in laws]


def test_absorption_where_the_diffusion_varies() -> None:
    """ρ_t = ((0.3 + x/2)ρ)_xx with J = -ρ at 0: 0.1585599 is absorbed by t = 0.2, and the walk tends to it at order 2."""
    right, errors = wall_errors(ITO, Rule.EXACT_VARIANCE, "left", "0", "0.3 + 0.5*x", 1.0, 20, 1e-7)
    assert right == pytest.approx(0.1585599, abs=2e-7)
    for coarse, fine in itertools.pairwise(errors):
        assert math.log(abs(coarse / fine), 3) == pytest.approx(2, abs=0.1), errors


@pytest.mark.parametrize("convention", list(rw.Convention))
@pytest.mark.parametrize(
    ("rule", "side", "drift", "k"),
    [
        (Rule.LINEAR, "left", "1 - x", 1.0),
        (Rule.FITTED, "right", "x - 2", 10.0),
        (Rule.EXACT_VARIANCE, "right", "1 + x", 0.3),
        (Rule.CAPPED, "left", "-1 - x", 1e6),
    ],
)
def test_absorption_is_of_second_order(convention: rw.Convention, rule: Rule, side: str, drift: str, k: float) -> None:
    _, errors = wall_errors(convention, rule, side, drift, "0.3 + 0.5*x", k, 9, 1e-6)
    assert math.log(abs(errors[1] / errors[2]), 3) > 1.6, errors


def test_absorption_is_of_second_order_where_all_moves() -> None:
    coefficients = "-1 + 0.5*x*cos(9*t)", "0.3 + 0.5*x + 0.1*x*sin(5*t)"
    _, errors = wall_errors(FICK, Rule.EXACT_VARIANCE, "left", *coefficients, 2.0, 9, 1e-6)
    assert math.log(abs(errors[1] / errors[2]), 3) > 1.6, errors


def test_constant_coefficients_keep_their_absorption() -> None:
    """MATH.md item 8, to the last bit: K dt/dx / (1 + (K + a) dx/2D)."""
    domain = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(1.5), rw.PartiallyAbsorbing(0.7))
    for walk in (
        rw.LatticeWalk(0.3, 0.25, sites=10, domain=domain, start=0.5, dt=0.01),
        rw.LatticeWalk.from_drift(0.4, 0.3, sites=10, domain=domain, start=0.5),
    ):
        a, d, dx, dt = float(walk.drift(0.0)), float(walk.diffusion(0.0)), walk.dx, walk.dt
        q = rw.model.outlet.absorption(walk, domain.faces[0], 0.05, np.zeros(1))
        p = rw.model.outlet.absorption(walk, domain.faces[1], 0.95, np.zeros(1))
        assert float(q[0]) == 1.5 * dt / dx / (1.0 + (1.5 + a) * dx / (2.0 * d))
        assert float(p[0]) == 0.7 * dt / dx / (1.0 + (0.7 - a) * dx / (2.0 * d))


def test_declared_probabilities_beside_a_wall() -> None:
    """p and q of a table over the sites, those of the linear rule: the same walk, and D at the wall from the two sites beside
    it, exact where D is linear."""
    domain = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(2.0), REFLECT)
    drifted = rw.LatticeWalk.from_drift(
        0.4, rw.expression("0.3 + 0.2*x"), sites=20, domain=domain, start=0.5, rule=Rule.LINEAR, times=[0.1]
    )
    x = sites_of(drifted)
    declared = rw.LatticeWalk(drifted.right(x), drifted.left(x), sites=20, domain=domain, start=0.5, dt=drifted.dt)
    a, b = (float(rw.pde.exact_law(walk, [0.1]).absorbed("left", [0.1])[0]) for walk in (drifted, declared))
    assert a == pytest.approx(b, abs=1e-8)


@pytest.mark.parametrize("k", [1e-9, 1e-3, 1.0, 1e3, 1e9])
@pytest.mark.parametrize("drift", [-3.0, 3.0])
def test_any_reactivity_has_a_walk(k: float, drift: float) -> None:
    """Against the closed form of a constant drift; a large K tends to the absorbing wall. The walk's error is that of dx²."""
    domain = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(k), REFLECT)
    equation = rw.pde.FokkerPlanck(drift, 1.0, domain=domain, start=rw.Uniform(0.0, 1.0))
    right = float(rw.pde.closed_form(equation).absorbed("left", 0.1))
    walk = rw.pde.walk_for(equation, sites=30, times=[0.1])
    assert float(rw.pde.exact_law(walk, [0.1]).absorbed("left", [0.1])[0]) == pytest.approx(right, rel=4e-3, abs=0.0)


def test_a_wall_beside_a_jump_and_a_killing() -> None:
    """Half a bond from the wall D jumps, walkers are killed, and the wall is partial: order 2 against more sites,
    on which the jump is elsewhere in its bond."""
    domain = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(2.0), REFLECT)
    d = rw.expression("0.2 + 0.8*heaviside(x - 0.013)")

    def absorbed(sites: int) -> float:
        walk = rw.LatticeWalk.from_drift(
            0.5, d, sites=sites, domain=domain, start=rw.Uniform(0, 1), killing=1.0, convention=FICK, times=[0.1]
        )
        return float(rw.pde.exact_law(walk, [0.1]).absorbed("left", [0.1])[0])

    right = absorbed(300)
    assert absorbed(25) == pytest.approx(right, rel=5e-3)
    assert absorbed(100) == pytest.approx(right, rel=5e-4)


@pytest.mark.parametrize("rule", [Rule.LINEAR, Rule.EXACT_VARIANCE])
def test_the_remedies_of_a_wall_work(rule: Rule) -> None:
    """Too long a step, and a drift that leads out faster than half a bond diffuses."""
    domain = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(1e6), REFLECT)
    given: dict[str, Any] = {"domain": domain, "start": 0.5, "rule": rule}
    walk = rw.LatticeWalk.from_drift(1.0, 0.5, sites=20, dt=0.0023, **given)
    with pytest.raises(ValueError, match="take dt ≤ ") as caught:
        rw.pde.exact_law(walk, [walk.dt])
    dt = float(re.findall(r"dt ≤ ([\d.e-]+)", str(caught.value))[0])
    rw.pde.exact_law(rw.LatticeWalk.from_drift(1.0, 0.5, sites=20, dt=dt, **given), [dt])
    given["domain"] = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(0.1), REFLECT)
    out = rw.expression("-100*exp(-40*x)")  # towards the wall, weak at the next site
    if rule is Rule.EXACT_VARIANCE:
        walk = rw.LatticeWalk.from_drift(out, 0.5, sites=20, **given)
        with pytest.raises(ValueError, match=r"take dx ≤ .* or rule=Rule\.FITTED") as caught:
            rw.pde.exact_law(walk, [walk.dt])
        finer = math.ceil(1.0 / float(re.findall(r"dx ≤ ([\d.e-]+)", str(caught.value))[0]))
        for again in ({"sites": finer}, {"sites": 20, "rule": Rule.FITTED}):
            walk = rw.LatticeWalk.from_drift(out, 0.5, **(given | again))
            t = walk.dt * round(0.1 / walk.dt)
            assert 0.9 < rw.pde.exact_law(walk, [t]).survival(t) < 1.0


def test_declared_probabilities_that_leave_no_room_for_the_wall() -> None:
    domain = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(1e6), REFLECT)
    with pytest.raises(ValueError, match="take right \\+ left ≤ ½ beside it"):
        rw.pde.exact_law(rw.LatticeWalk(0.5, 0.5, sites=10, domain=domain, start=0.5), [1.0])
    rw.pde.exact_law(rw.LatticeWalk(0.25, 0.25, sites=10, domain=domain, start=0.5), [1.0])


@pytest.mark.parametrize("rule", [
    rw.Rule.FITTED, rw.Rule.CAPPED,
    *(pytest.param(rule, marks=pytest.mark.long) for rule in (rw.Rule.EXACT_VARIANCE, rw.Rule.LINEAR)),
])  # fmt: skip
def test_a_drift_where_the_diffusion_begins_at_0_is_refused_in_words(rule: rw.Rule) -> None:
    domain = rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Absorbing())
    with pytest.raises(ValueError, match=r"at x = .*diffusion 0 "):
        rw.LatticeWalk.from_drift(1.0, rw.expression("t"), dx=0.1, domain=domain, times=[0.1], rule=rule)
