"""What objects look like: every law, solution, comparison and report draws itself, and says in one line what it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

import randwalk as rw

WALK = rw.LatticeWalk.from_drift(
    drift=-1.0, diffusion=0.5, dx=0.1, start=1.0, times=[0.5], domain=rw.Interval(0.0, math.inf, rw.Absorbing())
)
CURVE = rw.validate.MeasuredCurve(
    np.array([0.3, 0.5, 0.3]), np.array([0.19, 0.37, 0.06]), np.array([1.0, 1.0, 1.5]), "left", 0.02, "here"
)


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    matplotlib.use("Agg")
    yield
    plt.close("all")


def drawn() -> list[Any]:
    ensemble, law, equation = rw.simulate(WALK, 1000, [0.5], seed=1), rw.pde.exact_law(WALK, [0.5]), rw.pde.limit(WALK)
    report = rw.validate.validate(["biased_line"], walkers=1000)
    case = report.cases[0]
    counts = rw.validate.MeasuredCounts(np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([60, 40]), time=0.5)
    return [
        ensemble, law, law.smoothed(), rw.pde.solve(equation, [0.5], cells=100), report, case.discretisation, case.solver,
        counts, CURVE, rw.validate.compare(ensemble, law), rw.validate.compare(counts, law.smoothed()),
        rw.validate.compare(CURVE, CURVE.law_of(WALK)),
    ]  # fmt: skip


def test_whatever_can_be_drawn_is_drawn_on_given_axes_or_new_ones() -> None:
    for thing in drawn():
        given = plt.subplots()[1]
        assert thing.plot(ax=given) is given, thing
        new = thing.plot()
        assert isinstance(new, Axes) and new is not given and new.get_xlabel() and new.get_ylabel(), thing
        new.figure.canvas.draw()
        plt.close("all")


@pytest.mark.parametrize(
    "walk",
    [
        WALK,
        rw.LatticeWalk(0.5, 0.5, dx=0.1, dt=0.5 / 50),  # every second site
        rw.LatticeWalk.from_drift(1.0, 0.1, sites=9, domain=rw.Ring(0.0, 1.0), times=[0.5]),
        rw.LatticeWalk.from_drift(
            1.0, 0.1, sites=10, domain=rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()), start=0.5, times=[0.5]
        ),
    ],
)
def test_the_curve_of_a_smoothed_law_holds_its_mass(walk: rw.LatticeWalk) -> None:
    law = rw.pde.exact_law(walk, [0.5])
    (stairs,) = law.smoothed().plot().patches
    values, edges, _ = stairs.get_data()
    assert values @ np.diff(edges) == pytest.approx(law.survival(0.5), abs=1e-12)
    assert values.max() == pytest.approx(law.density(0.5)[1].max(), rel=0.02)


def test_what_an_equation_says_has_one_sign_a_term() -> None:
    def text(**terms: Any) -> str:
        return repr(rw.pde.FokkerPlanck(diffusion=0.5, **terms)).split(" on ")[0]

    assert text(drift=1.0) == "FokkerPlanck: ρ_t = -1 ρ_x + 0.5 ρ_xx"
    assert text(drift=-2.5, killing=0.5) == "FokkerPlanck: ρ_t = 2.5 ρ_x + 0.5 ρ_xx - 0.5 ρ"
    assert text(drift=rw.Affine(slope=-1.0)) == "FokkerPlanck: ρ_t = -((-x)ρ)_x + 0.5 ρ_xx"
    latex = rw.pde.modified(rw.LatticeWalk(0.4, 0.5, dx=1.0, dt=1.0))._repr_latex_()
    assert r"\partial_x\left[" in latex and r"\partial_x^2\left[" in latex and latex.count("$") == 2


def test_one_line_says_what_a_thing_is() -> None:
    assert repr(rw.simulate(WALK, 1000, [0.1], seed=1)).endswith("% alive at the end)")
    form = rw.pde.closed_form(rw.pde.limit(WALK))
    assert repr(form).startswith("ClosedForm(method of images, absorbing half-line; FokkerPlanck: ρ_t = 1 ρ_x")
    assert repr(rw.pde.exact_law(WALK, [0.5]).smoothed()).startswith("SmoothedLaw(ExactLaw(")
    assert repr(rw.expression("x - x**3")) == "<coefficient x - x**3>"
    assert repr(rw.expression("sin(t)")) == "<coefficient sin(t)>"
    report = rw.validate.validate(["perrin_displacements"], walkers=1000)
    assert repr(report).startswith("1 case, ") and "\n" not in repr(report.cases[0])
    assert repr(report.cases[0]).startswith("CaseReport(perrin_displacements: sampling p = ")
    assert ", data p = " in repr(report.cases[0])
