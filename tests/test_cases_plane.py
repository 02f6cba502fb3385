"""The built-in cases beyond one dimension climb all rungs."""

from __future__ import annotations

import pytest

from randwalk.pde import closed_form, limit
from randwalk.validate import Report, case_names, load_case, validate_problem

CASES = sorted(name for name in case_names() if name.startswith(("plane_", "space_")))


HERE = {"plane_mixed_faces", "plane_tensor", "space_box"}  # every kind of wall, a tensor, space


@pytest.mark.parametrize(
    "name", [name if name in HERE else pytest.param(name, marks=pytest.mark.long) for name in CASES]
)
def test_the_built_in_cases_pass(name: str) -> None:
    """Families of Holm's at 1e-3 each; seeds are fixed. The long ones, a minute in all, are cases of `randwalk validate`, which
    finds with more walkers what they would find."""
    case = validate_problem(load_case(name), walkers=20_000)
    report = Report((case,))
    told = report.verdicts(case)
    assert "fail" not in told.values(), report.details(case)
    assert (told["solver"] == "—") is bool(case.missing)


@pytest.mark.parametrize("name", ["plane_rotation", "plane_box", "plane_tensor", "plane_disc", "space_box"])
def test_closed_forms_judge_the_solver(name: str) -> None:
    closed_form(limit(load_case(name).walk))


def test_there_are_cases_of_all_kinds() -> None:
    assert len(CASES) >= 12
