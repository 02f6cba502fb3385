"""Spread starts between walls of several axes: who has not left along an axis, by the integral of the fluxes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import special

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.pde.forms.decay import Rate, decay

MICRO, NANO = 1e-6, 1e-9
ABSORB = rw.Absorbing()


def _half(rate: Rate, s: Floats) -> Floats:
    return 0.5 * rate(s)


@pytest.mark.parametrize("unit", [1.0, NANO])
def test_decays_with_a_formula(unit: float) -> None:
    """1 - ∫ rate: an exponential, one that begins like t^-1/2, and first passages, 0 to all orders at t = 0 (Lévy's law)."""
    t = np.geomspace(1e-6, 5.0, 200) * unit
    cases: list[tuple[Rate, Floats]] = [
        (lambda s: 3.0 / unit * np.exp(-3.0 * s / unit), np.exp(-3.0 * t / unit)),
        (lambda s: np.exp(-s / unit) / np.sqrt(np.pi * s * unit), special.erfc(np.sqrt(t / unit))),
        (
            lambda s: np.exp(-unit / (4.0 * s)) * np.sqrt(unit / (4.0 * np.pi)) / s**1.5,
            special.erf(1.0 / (2.0 * np.sqrt(t / unit))),
        ),
    ]
    for rate, formula in cases:
        found = decay([rate], 1e-30 * unit, 5.0 * unit)(t)
        np.testing.assert_allclose(found, formula, rtol=0.0, atol=2e-14)
        halves = decay([partial(_half, rate)] * 2, 1e-30 * unit, 5.0 * unit)(t)
        np.testing.assert_allclose(halves, formula, rtol=0.0, atol=2e-14)
    assert (decay([], 1.0, 2.0)(t) == 1.0).all()


STARTS: dict[str, Any] = {
    "uniform": rw.Uniform((0.3, 0.2), (0.6, 0.9)), "to the wall": rw.Uniform((0.0, 0.2), (0.6, 1.0)),
    "normal": rw.Normal((0.5, 0.45), 0.04),
}  # fmt: skip


@pytest.mark.parametrize("name", STARTS)
def test_what_has_left_by_each_exit_and_what_has_not_are_all(name: str) -> None:
    other = ABSORB if name == "normal" else rw.PartiallyAbsorbing(0.7)
    wall, mixed = rw.Interval(0.0, 1.0, ABSORB, ABSORB), rw.Interval(0.0, 1.0, ABSORB, other)
    equation = rw.pde.FokkerPlanck((0.3, -0.2), (0.1, 0.15), domain=wall * mixed, start=STARTS[name])
    form, t = rw.pde.closed_form(equation), np.array([0.01, 0.5])
    law: Any = form.law  # of independent axes
    left = sum(form.absorbed(exit, t) for exit in form.exits if exit != "killing")
    np.testing.assert_allclose(left + form.survival(t), 1.0, rtol=0.0, atol=3e-13)
    along = [factor.staying(0.2) for factor in law.factors]
    found = [float(law._staying(axis, np.array([0.2, 0.7]))[0]) for axis in (0, 1)]
    np.testing.assert_allclose(found, along, rtol=0.0, atol=1e-13)


def test_units_do_not_matter() -> None:
    box = rw.Interval(0.0, 1.0, ABSORB, ABSORB)
    small = rw.Interval(0.0, MICRO, ABSORB, ABSORB)
    one = rw.pde.closed_form(rw.pde.FokkerPlanck((0.3, 0.0), 0.1, domain=box**2, start=STARTS["uniform"]))
    start = rw.Uniform((0.3 * MICRO, 0.2 * MICRO), (0.6 * MICRO, 0.9 * MICRO))
    speed, spread = 0.3 * MICRO / NANO, 0.1 * MICRO**2 / NANO
    other = rw.pde.closed_form(rw.pde.FokkerPlanck((speed, 0.0), spread, domain=small**2, start=start))
    for exit in ("left", "top"):
        assert float(other.absorbed(exit, 0.5 * NANO)) == pytest.approx(float(one.absorbed(exit, 0.5)), abs=1e-13)
