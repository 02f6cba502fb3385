"""The rungs of Itô walks: right walks pass, planted faults fail at a named rung, and weak orders are those of the theory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import randwalk as rw
from randwalk.tables.ito_program import ItoProgram, program
from randwalk.validate import levels, load_case
from randwalk.validate.run import validate_problem

CASES = (
    "ito_double_well", "ito_geometric_brownian_motion", "ito_killed_walk", "ito_ornstein_uhlenbeck", "ito_robin_half_line",
    "ito_rotation", "ito_square", "ito_disc", "ito_ball", "ito_torus", "ito_bessel", "ito_collapsing_bounds", "ito_interface",
    "ito_moving_wall",
)  # fmt: skip


def test_there_are_cases() -> None:
    assert set(CASES) <= set(rw.validate.case_names())
    assert all(isinstance(load_case(name).walk, rw.ItoWalk) for name in CASES)


HERE = {"ito_geometric_brownian_motion", "ito_ornstein_uhlenbeck", "ito_robin_half_line"}


@pytest.mark.parametrize(
    "name", [name if name in HERE else pytest.param(name, marks=pytest.mark.long) for name in CASES]
)
def test_right_walks_pass(name: str) -> None:
    """Those in which faults are planted below; the long ones, 40 s in all, are cases of `randwalk validate`, which finds with
    more walkers what they would find."""
    report = rw.validate.validate([name], walkers=40_000)
    (case,) = report.cases
    assert report.passed, report.details(case)
    assert "extrapolated ensembles against" in report.details(case)


@pytest.mark.parametrize(
    ("scheme", "order"), [(rw.EulerMaruyama(), 1.0), (rw.Milstein(), 1.0), (rw.Platen(), 2.0)], ids=str
)
def test_weak_orders(scheme: Any, order: float) -> None:
    """Of a nonlinear drift with a noise that varies; the order is right to 0.4 at this noise."""
    noise = rw.expression("0.4 + 0.1*cos(x)")
    walk = rw.ItoWalk(
        rw.expression("-2*x + 0.2*sin(x)"), noise=noise, dt=0.25 if order > 1.0 else 0.1, start=2.0, scheme=scheme
    )
    against = levels.law_of(walk, [1.0])
    _, halving, _ = levels.climb(walk, [1.0], against, 100_000, 5, order, None)
    assert halving.errors[-1] > 2.0 * halving.floor
    assert abs(halving.orders[-1] - order) < 0.4, halving


def _stratonovich(walk: rw.ItoWalk) -> ItoProgram:
    drift = walk.drift[0] + 0.5 * walk.noise[0][0] * walk.noise[0][0].derivative("x")
    return program(rw.ItoWalk(drift, noise=walk.noise[0][0], dt=walk.dt, start=walk.start, scheme=walk.scheme))


def _changed(old: str, new: str) -> Callable[[rw.ItoWalk], ItoProgram]:
    """The program with a text replaced by another."""

    def make(walk: rw.ItoWalk) -> ItoProgram:
        right = program(walk)
        assert old in right.text, right.text
        return replace(right, text=right.text.replace(old, new))

    return make


def _another_wall(walk: rw.ItoWalk) -> ItoProgram:
    """A wall that reflects where it absorbs in part."""
    domain = rw.Interval(0.0, float("inf"), rw.Reflecting())
    return program(walk.replaced(domain=domain))


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("ito_geometric_brownian_motion", _stratonovich),
        ("ito_ornstein_uhlenbeck", _changed("root * z[0]", "h * z[0]")),
        ("ito_rotation", _changed("z[1]", "(0.1 * z[0] + 0.994987437 * z[1])")),
        ("ito_rotation", _changed("* root) * z[0]", "* root) * z[1]")),
        ("ito_robin_half_line", _another_wall),
        ("ito_moving_wall", _changed("return (clearance(before[0], after[0], ", "return (after[0] * (1e9 + 0.0 * ")),
    ],
    ids=[
        "Stratonovich for Itô",
        "dt for √dt",
        "correlated pair of normals",
        "noise transposed",
        "wall of another kind",
        "bridge left out",
    ],
)
def test_planted_faults_are_caught_by_rung_one(
    monkeypatch: pytest.MonkeyPatch, name: str, plant: Callable[[rw.ItoWalk], ItoProgram]
) -> None:
    monkeypatch.setattr(levels, "program", plant)
    problem = load_case(name)
    times = list(problem.times)
    sampling, _, _ = levels.climb(
        problem.walk, times, levels.law_of(problem.walk, times), 40_000, 1, problem.walk.scheme.order, None
    )
    assert sampling.p_value < 1e-4


def test_measured_data_need_a_kind() -> None:
    problem = load_case("ito_ornstein_uhlenbeck")
    assert problem.source is not None
    source = replace(problem.source, data=dict(problem.source.data) | {"measured": {}})
    with pytest.raises(ValueError, match="needs kind"):
        validate_problem(replace(problem, source=source))
