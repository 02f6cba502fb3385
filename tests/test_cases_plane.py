"""The built-in cases beyond one dimension climb all rungs."""

from __future__ import annotations

import pytest

from randwalk.validate import Report, case_names, load_case, validate_problem

CASES = sorted(name for name in case_names() if name.startswith(("plane_", "space_")))


@pytest.mark.parametrize("name", CASES)
def test_the_built_in_cases_pass(name: str) -> None:
    """Families of Holm's at 1e-3 each; seeds are fixed."""
    case = validate_problem(load_case(name), walkers=20_000)
    report = Report((case,))
    told = report.verdicts(case)
    assert "fail" not in told.values(), report.details(case)
    closed = {
        "plane_obstacle",
        "plane_trap",
        "plane_disc",
        "plane_tensor_reflecting",
        "plane_moving_drift",
        "plane_diagonal",
    }
    assert (told["solver"] == "—") is (name in closed)


def test_there_are_cases_of_all_kinds() -> None:
    assert len(CASES) >= 12
