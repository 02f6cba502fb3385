"""Equations without a start: what does not need one goes without, and what does says so."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import randwalk as rw
from randwalk import pde

A, R = rw.Absorbing(), rw.Reflecting()
BETWEEN = rw.Interval(1.0, 2.0, A, A)
LINE = pde.FokkerPlanck(0.0, 0.5, domain=BETWEEN)
SQUARE = pde.FokkerPlanck(0.0, 0.5, domain=BETWEEN**2)
BEYOND = pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(1.0, math.inf, A))


def test_exits_from_an_interval_and_a_square() -> None:
    """(x - 1)(2 - x)/2D and x - 1; in a square the torsion of a bar, 0.1473427/2D of its width² (Timoshenko)."""
    assert float(pde.mean_exit_time(LINE).value(1.5)) == pytest.approx(0.25, abs=1e-4)
    assert float(pde.exit_probability(LINE, "right").value(1.3)) == pytest.approx(0.3, abs=1e-4)
    assert float(pde.mean_exit_time(SQUARE, tolerance=1e-2).value((1.5, 1.5))) == pytest.approx(0.1473427, rel=1e-2)


def test_survival_is_that_with_a_start() -> None:
    """Of an interval, a half-line and a square, beside the series of images and its product."""

    def series(x: float, t: float) -> float:
        k = np.arange(1, 200, 2)
        return float(
            np.sum(4.0 / (k * math.pi) * np.sin(k * math.pi * (x - 1.0)) * np.exp(-0.5 * (k * math.pi) ** 2 * t))
        )

    one = pde.backward(LINE, lambda x: 1.0 + 0.0 * x, 0.1)
    assert float(one.value(1.3)) == pytest.approx(series(1.3, 0.1), abs=2e-4)
    far = pde.backward(BEYOND, lambda x: 1.0 + 0.0 * x, 0.1, over=(2.0, 3.0))
    assert float(far.value(2.2)) == pytest.approx(math.erf(1.2 / math.sqrt(0.2)), abs=2e-4)
    both = pde.backward(SQUARE, lambda x, y: 1.0 + 0.0 * x, 0.1, tolerance=1e-2, over=((1.4, 1.6), (1.4, 1.6)))
    assert float(both.value((1.5, 1.5))) == pytest.approx(series(1.5, 0.1) ** 2, abs=1e-2)


def test_stationary_laws_and_copies() -> None:
    box = pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(1.0, 2.0, R, R))
    reflecting = pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(1.0, 2.0, R, R), start=1.5)
    assert float(pde.stationary_law(box).cdf(1.3)) == float(pde.stationary_law(reflecting).cdf(1.3))
    again = pickle.loads(pickle.dumps(LINE))
    assert again == LINE and hash(again) == hash(LINE) and again.with_start(1.5).start == rw.Point(1.5)
    assert LINE.axis(0) == LINE != LINE.with_start(1.5)
    assert "start" not in repr(LINE) and "start" not in LINE._repr_markdown_()


@pytest.mark.parametrize(
    "needs",
    [
        lambda equation: equation.start,
        lambda equation: pde.solve(equation, [0.1]),
        lambda equation: pde.closed_form(equation),
        lambda equation: pde.walk_for(equation, dx=0.1, dt=0.001),
    ],
)
@pytest.mark.parametrize("equation", [LINE, SQUARE])
def test_what_needs_a_start_says_so(needs: Callable[[pde.FokkerPlanck], object], equation: pde.FokkerPlanck) -> None:
    with pytest.raises(
        ValueError,
        match=r"^start: this equation has none, because the origin is not inside .*equation\.with_start\(\.\.\.\)",
    ):
        needs(equation)
    equation.with_start((1.5,) * equation.dimension)


def test_a_start_that_is_given_is_checked_and_the_origin_stays_the_default() -> None:
    for start in (1.0, 0.0, 2.5):
        with pytest.raises(ValueError, match="start = "):
            pde.FokkerPlanck(0.0, 0.5, domain=BETWEEN, start=start)
    assert pde.FokkerPlanck(0.0, 0.5).start == rw.Point(0.0)
    assert pde.FokkerPlanck(0.0, 0.5, domain=rw.Line() ** 2).start == rw.Point((0.0, 0.0))
