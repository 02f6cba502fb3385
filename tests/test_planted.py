"""The self-test: planted faults are caught by the rungs that the library names, and one that is missed fails.

A part of it here; `randwalk validate --self-test` is the whole, and so is the test marked long.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import randwalk as rw
from randwalk.cli import main
from randwalk.pde.equation import limit
from randwalk.validate import Check, SelfTest, Trial, case_names, load_case, self_test, validate_problem
from randwalk.validate import self_test as run_self_test
from randwalk.validate.faults import LIBRARY, Fault, planting, trials
from randwalk.validate.faults.trials import JUDGE, trial
from randwalk.validate.run import caught

NAMED = {name: caught(load_case(name)) for name in case_names()}
PLANTED = [  # one of every kind
    ("hitting times one step late", "gamblers_ruin"),
    ("exit sides exchanged", "gamblers_ruin"),
    ("a killing probability κ dt in place of 1 - exp(-κ dt)", "killing"),
    ("killing left out of the solver", "killing"),
    ("two parts of an occupation run that draw the same numbers", "drift_absorbing_reflecting"),
    ("an upwind flux in place of Scharfetter and Gummel's", "drift_reflecting_absorbing"),
    ("the cells of a normal start in place of its density", "normal_start"),
    ("α for D against measured counts", "perrin_displacements"),
    ("one site of an obstacle open", "plane_obstacle"),
]


def test_every_case_names_faults_and_every_fault_has_a_case() -> None:
    for name, faults in NAMED.items():
        assert faults and set(faults) <= LIBRARY.keys(), (name, set(faults) - LIBRARY.keys())
    named = {fault for faults in NAMED.values() for fault in faults}
    assert {name for name, fault in LIBRARY.items() if JUDGE not in fault.rungs} == named
    assert len(LIBRARY) >= 25
    assert {fault.part for fault in LIBRARY.values()} == {
        "walk", "simulation", "law", "solver", "Itô walk", "value", "statistics",
    }  # fmt: skip


@pytest.mark.parametrize(("fault", "case"), PLANTED)
def test_planted_faults_are_caught(fault: str, case: str) -> None:
    assert fault in NAMED[case]
    found = trial(case, LIBRARY[fault])
    assert found.passed, str(found)


def test_the_package_without_a_fault_passes() -> None:
    for case in ("gamblers_ruin", "plane_obstacle"):
        found = trial(case, None)
        assert found.passed and not found.failed, str(found)


def test_a_fault_that_is_missed_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    harmless = Fault("nothing", "walk", ("sampling",), lambda patch: None)
    found = trial("killing", harmless)
    assert not found.passed and "MISSED" in str(found)
    assert SelfTest((found,), ()).status == 1 and "1 MISSED" in SelfTest((found,), ()).summary()
    broken = trial("killing", replace(harmless, plant=lambda patch: patch.setattr(rw, "none", 1)))
    assert not broken.passed and "KeyError" in str(broken)
    name = "exit sides exchanged"
    monkeypatch.setitem(LIBRARY, name, replace(LIBRARY[name], plant=lambda patch: None))
    monkeypatch.setattr("sys.argv", ["randwalk", "validate", "--self-test", "gamblers_ruin"])
    with pytest.raises(SystemExit) as status:
        main()
    assert status.value.code == 1 and "1 MISSED" in capsys.readouterr().out


def test_what_is_planted_is_put_back() -> None:
    right = limit, rw.pde.limit
    with planting() as patch:
        LIBRARY["α for D"].plant(patch)
        assert rw.pde.limit is not right[1]
    assert rw.pde.limit is right[1]
    walk = rw.LatticeWalk(0.2, 0.2, dx=0.1, dt=0.01)
    assert float(rw.pde.limit(walk).diffusion(0.0)) == pytest.approx(0.2)


def test_a_case_and_a_fault_that_do_not_exist() -> None:
    with pytest.raises(ValueError, match="there is no case 'no'"):
        run_self_test(["no"])


def test_the_report_as_json() -> None:
    found = SelfTest((Trial("killing", "a", "walk", ("sampling",), ("sampling",), 0.1),), ())
    data = json.loads(found.to_json())
    assert data["passed"] and data["trials"][0]["failed"] == ["sampling"] and found.status == 0
    assert not SelfTest(found.trials, ("b",)).passed


def test_walkers_seed_and_alpha_are_those_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def validated(problem: Any, **named: Any) -> Any:
        asked.append((named["walkers"], named["seed"]))
        return validate_problem(problem, **named)

    def judged(seed: int) -> tuple[Check, ...]:
        asked.append(seed)
        return (Check("", "", 0.0, 1, 1.0, 1.0),)

    monkeypatch.setattr(trials, "validate_problem", validated)
    monkeypatch.setattr(trials, "judge", judged)
    command = ["randwalk", "validate", "--self-test", "killing", JUDGE, "--walkers", "4000", "--seed", "3"]
    monkeypatch.setattr(trials, "LIBRARY", {})  # the cases as they are
    for alpha, status in (("1e-3", 0), ("0.99", 1)):  # right walks fail at nearly every rate of false alarms
        monkeypatch.setattr("sys.argv", [*command, "--alpha", alpha])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == status
    assert asked == [(4000, 3), 3] * 2
    with pytest.raises(ValueError, match="alpha = 2"):
        run_self_test(["killing"], alpha=2.0)


@pytest.mark.long
def test_the_whole_library() -> None:
    """Some minutes: every fault in every case that names it; the statistics themselves."""
    found = self_test()
    assert found.passed, "\n".join(str(each) for each in found.trials if not each.passed) + found.summary()
