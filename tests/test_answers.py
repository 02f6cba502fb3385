"""`randwalk info --check`: known answers of runs of every kind, made on the CPU by version 0.6.0 (fifteen of
them) and 0.9.0."""

from __future__ import annotations

import sys

import pytest

from randwalk import cli
from randwalk.jit.compile import DeviceError
from randwalk.validate import answers

SOON = (
    "fair coin",
    "p(x)",
    "p(x, t)",
    "p(x), killed, on a ring",
    "first passage",
    "jumps",
    "value by walks on spheres",
)  # kernels that other tests use, too


@pytest.mark.parametrize("name", SOON)
def test_the_cpu_gives_the_known_answers(name: str) -> None:
    case = answers.CASES[name]
    assert answers.answer(case) == case.answer


@pytest.mark.quick
def test_cases_have_answers_of_their_own() -> None:
    found = {case.answer for case in answers.CASES.values()}
    assert len(found) == len(answers.CASES) == 19 and all(len(answer) == 16 for answer in found)


def test_a_wrong_answer_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    right = answers.CASES["first passage"]
    wrong = right._replace(answer=right.answer[::-1])
    monkeypatch.setattr(answers, "CASES", {"right": right})
    assert status(monkeypatch) == 0
    assert "check cpu      1 known answers" in capsys.readouterr().out
    monkeypatch.setattr(answers, "CASES", {"right": right, "first passage": wrong})
    assert status(monkeypatch) == 1
    assert "WRONG answers: first passage;" in capsys.readouterr().out


def failing(*arguments: object, **named: object) -> None:
    raise DeviceError("CUDA device 0 failed")


def test_a_failing_device_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "simulate", failing)
    assert answers.checked("cuda", [0]) == ("failed: CUDA device 0 failed", False)


def status(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["randwalk", "info", "--check"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)
