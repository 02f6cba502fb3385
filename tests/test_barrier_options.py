"""Barrier options on a geometric Brownian motion against the published table: a wall, a rebate paid there, and a payoff."""

from __future__ import annotations

import functools

import pytest

import randwalk as rw

PUBLISHED = {  # (call or put, H): prices at K = 90, 100, 110
    ("call", 95.0): (9.0246, 6.7924, 4.8759), ("put", 95.0): (2.2798, 2.2947, 2.6252),
    ("call", 105.0): (2.6789, 2.3580, 2.3453), ("put", 105.0): (3.7760, 5.4932, 7.5187),
}  # fmt: skip
KNOCK_IN = {
    ("call", 95.0): (7.7627, 4.0109, 2.0576), ("put", 95.0): (2.9586, 6.5677, 11.9752),
    ("call", 105.0): (14.1112, 8.4482, 4.5910), ("put", 105.0): (1.4653, 3.3721, 7.0846),
}  # fmt: skip
"""Options by the formulas of Reiner and Rubinstein (*Risk* 4 (1991) 28), as in Haug, *The Complete Guide to Option
Pricing Formulas* (2007), table 4-13: S = 100, a rebate of 3 at the barrier H, half a year, r = 0.08, b = 0.04, σ = 0.25."""
START, TIME, REBATE = 100.0, 0.5, 3.0
CASES = [
    (kind, barrier, strike, price)
    for (kind, barrier), prices in PUBLISHED.items()
    for strike, price in zip((90.0, 100.0, 110.0), prices, strict=True)
]


def option(kind: str, barrier: float, strike: float) -> tuple[rw.pde.FokkerPlanck, rw.Coefficient]:
    """The equation before the barrier, which no place at x ≤ 0 limits where the barrier is above, and the payoff."""
    wall = rw.Absorbing()
    domain = rw.Interval(low=barrier, left=wall) if barrier < START else rw.Interval(high=barrier, right=wall)
    paid = "where(x > k, x - k, 0)" if kind == "call" else "where(x < k, k - x, 0)"
    price = rw.pde.FokkerPlanck(
        rw.expression("0.04*x"), rw.expression("0.25**2/2*x**2"), killing=0.08, domain=domain, start=START
    )
    return price, rw.expression(paid, k=strike)


@functools.cache
def vanilla(kind: str, strike: float) -> rw.pde.BackwardSolution:
    """The option without a barrier."""
    equation, payoff = option(kind, 95.0, strike)
    free = rw.pde.FokkerPlanck(equation.drift, equation.diffusion, killing=equation.killing, start=START)
    return rw.pde.backward(free, payoff, TIME, tolerance=1e-5)


@pytest.mark.parametrize(("kind", "barrier", "strike", "price"), CASES)
def test_backward(kind: str, barrier: float, strike: float, price: float) -> None:
    """Where the barrier is above, cells crowd at x = 0, and those at the start are longer than the mean."""
    equation, payoff = option(kind, barrier, strike)
    found = rw.pde.backward(equation, payoff, TIME, tolerance=1e-5, left=REBATE, right=REBATE)
    assert found.value(START) == pytest.approx(price, abs=4.0 * found.error_estimate + 5e-5)


@pytest.mark.parametrize(("kind", "barrier", "strike", "price"), CASES)
def test_by_walks(kind: str, barrier: float, strike: float, price: float) -> None:
    """|z| < 4.5 is met by one in 150 000 of right values: twelve of them all but for 8 in 100 000."""
    equation, payoff = option(kind, barrier, strike)
    seed = CASES.index((kind, barrier, strike, price))
    found = rw.pde.expectation(equation, payoff, START, TIME, boundary=REBATE, walkers=40_000, dt=1 / 32, seed=seed)
    assert abs(found.z(price)) < 4.5
    assert found.error < 0.2


@pytest.mark.parametrize(("kind", "barrier", "strike"), [case[:3] for case in CASES])
def test_knock_in_options(kind: str, barrier: float, strike: float) -> None:
    """The option without a barrier, less payoff and rebate of those who have not met it: the rebate is theirs in the end."""
    equation, payoff = option(kind, barrier, strike)
    plain = vanilla(kind, strike)
    lost = rw.pde.backward(equation, payoff - REBATE, TIME, tolerance=1e-5)
    price = float(plain.value(START)) - float(lost.value(START))
    published = KNOCK_IN[kind, barrier][(90.0, 100.0, 110.0).index(strike)]
    assert price == pytest.approx(published, abs=4.0 * (plain.error_estimate + lost.error_estimate) + 5e-5)
