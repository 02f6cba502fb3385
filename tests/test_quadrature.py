"""The integral of a coefficient over time, against antiderivatives, in any unit."""

import math

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.coefficient import as_coefficient
from randwalk.pde.forms.quadrature import integral

CASES = [
    ("1000*(heaviside(t - 0.3712) - heaviside(t - 0.3722))", 1.0),
    ("1000*exp(-((t - 0.37)/1e-3)**2)", math.sqrt(math.pi)),
    ("1000*exp(-((t - 0.37)/1e-6)**2)", 1e-3 * math.sqrt(math.pi)),
    ("50*sin(300*t)", (1.0 - math.cos(300.0)) / 6.0),
    ("abs(t - 0.3)", 0.29),
    ("sqrt(t)", 2.0 / 3.0),
    ("1/(1 + ((t - 0.5)/1e-5)**2)", 2e-5 * math.atan(0.5e5)),
    ("sign(sin(200*t))", (64.0 * math.pi - 200.0) / 200.0),
    ("tanh((t - 0.2)/1e-4)", 0.6),
]


@pytest.mark.quick
@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e6])
@pytest.mark.parametrize(("text", "exact"), CASES)
def test_pulses_are_not_stepped_over(text: str, exact: float, unit: float) -> None:
    """Panels agree with their halves to 1e-13 of the absolute integral, which is at most 400 times the integral here."""
    coefficient = rw.expression(text.replace("t)", f"(t/{unit!r}))").replace("t -", f"t/{unit!r} -"))
    assert integral(coefficient, unit) == pytest.approx(exact * unit, rel=1e-10)


def test_a_python_function_and_a_table() -> None:
    bell = as_coefficient(lambda t: np.exp(-(((t - 0.4) / 1e-3) ** 2)))
    assert integral(bell, 1.0) == pytest.approx(1e-3 * math.sqrt(math.pi), rel=1e-10)
    opaque = rw.Function(lambda t: 1000.0 if 0.3712 < t <= 0.3722 else 0.0, t_breaks=[0.3712, 0.3722])
    assert integral(opaque, 1.0) == pytest.approx(1.0, rel=1e-10)


@pytest.mark.parametrize(
    "text", ["1000*(heaviside(t - 0.3712) - heaviside(t - 0.3722))", "1000*exp(-((t - 0.37)/1e-3)**2)"]
)
def test_a_driven_law_follows_a_pulse(text: str) -> None:
    form = rw.pde.closed_form(rw.pde.FokkerPlanck(rw.expression(text), 0.5))
    exact = 1.0 if "heaviside" in text else math.sqrt(math.pi)
    assert form.mean(1.0) == pytest.approx(exact, rel=1e-12)
    assert form.mean(0.3) == pytest.approx(0.0, abs=1e-12)
    spread = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5 + rw.expression(text)))
    assert spread.variance(1.0) == pytest.approx(1.0 + 2.0 * exact, rel=1e-12)
