"""Times of first passage as data: made, read, refused, drawn; problem files with them, and `randwalk fit`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from typer.testing import CliRunner

import randwalk as rw
from randwalk.commands import app
from randwalk.validate import fit_problem

from . import naive_passage

PROBLEM = """
title = "Choices"
[parameters]
v = 0.5
a = 1.5
t0 = 0.2
[walk]
drift = "v"
diffusion = 0.5
sites = 40
[domain]
low = "-a"
high = "a"
left = "absorbing"
right = "absorbing"
[run]
times = [1.0]
[measured]
kind = "first_passage"
csv = "rt.csv"
time = "rt_s"
exit = "choice"
exits = {right = "1", left = "0"}
offset = "t0"
censored = "none"
[fit]
free = ["v", "a", "t0"]
bounds = {t0 = [0.0, 1.0]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A problem file and its data: 300 choices of v = 1, a = 1, offset 0.3, of which those after 2.3 are not known."""
    place = tmp_path_factory.mktemp("choices")
    times, right = naive_passage.drawn(np.random.default_rng(5), 300, 1.0, 0.5, 2.0, 0.5)
    rows = [f"{t + 0.3:.4f},{int(r)}" if t < 2.0 else "2.3,none" for t, r in zip(times, right, strict=True)]
    (place / "rt.csv").write_text("\n".join(["rt_s,choice", *rows]))
    (place / "choices.toml").write_text(PROBLEM)
    return place


def test_what_data_say_of_themselves() -> None:
    data = rw.FirstPassageTimes(
        [0.5, 0.7, 0.9, 1.5], ["left", "right", "right", ""], [False, False, False, True], offset=0.1
    )
    assert repr(data) == "FirstPassageTimes(4: 2 by right, 1 by left, 1 censored; times 0.5 … 1.5, offset 0.1)"
    assert data.ways == ("right", "left") and data.by("right").tolist() == [0.7, 0.9] and data.parameters == ()
    assert data.with_offset("t0").parameters == ("t0",) and data.resolved({}).offset == 0.1
    whole = data.to_xarray()
    assert whole.sizes == {"walker": 4} and whole["exit"].values.tolist() == ["left", "right", "right", ""]
    legend = data.plot().get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == ["right", "left"]


BAD: list[tuple[tuple[Any, ...], str]] = [
    (([],), r"times = \[\]: must be a list of at least one number"),
    (([1.0, -2.0],), r"times = -2 in row 1: a time of passage must be positive"),
    (([1.0, float("nan")],), r"times = nan in row 1: a time of passage must be positive and finite"),
    ((["a"],), r"times = \['a'\]: must be a number or numbers"),
    (([1.0, None],), r"times = \[1.0, None\]: must be a number or numbers; row 1 has None"),
    (([1.0, "b"],), r"must be a number or numbers; row 1 has 'b'"),
    (([1.0, 2.0], ["left", None]), r"exits = .*: must be names of exits.*row 1 has None"),
    (([1.0, 2.0], ["left", float("nan")]), r"exits = .*: must be names of exits.*row 1 has nan"),
    (([1.0, 2.0], "left", [True, None]), r"censored = .*: must be a list of True and False; row 1 has None"),
    (([1.0, 2.0], ["left"]), r"exits has 1 entries and times 2: give one for each"),
    (([1.0], [3]), r"exits = \[3\]: must be names of exits"),
    (([1.0], "left", [1]), r"censored = \[1\]: must be a list of True and False"),
    (([1.0, 2.0], "left", [False, True]), r"exits = 'left' in row 1, which is censored"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_bad_data_are_refused(given: tuple[Any, ...], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        rw.FirstPassageTimes(*given)
    with pytest.raises(ValueError, match=r"offset = 'a b': must be a number, or the name of a parameter"):
        rw.FirstPassageTimes([1.0], offset="a b")


def test_tables_and_files_are_the_same_data(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"rt": [0.5, 0.75, 1.25], "hit": [1, 0, -1]})
    one = rw.FirstPassageTimes.of(frame, "rt", "hit", exits={1: "right", 0: "left", -1: None})
    (tmp_path / "rt.csv").write_text("# seconds\nrt;hit\n0,5;1\n0,75;0\n1,25;-1\n")
    other = rw.FirstPassageTimes.read(tmp_path / "rt.csv", "rt", "hit", exits={"1": "right", "0": "left", "-1": None})
    for data in (one, other):
        assert data.times.tolist() == [0.5, 0.75, 1.25] and data.exits.tolist() == ["right", "left", ""]
        assert data.censored.tolist() == [False, False, True]
    with pytest.raises(ValueError, match=r"rt.csv, line 5: the exit '-1' is none of exits, '1', '0'"):
        rw.FirstPassageTimes.read(tmp_path / "rt.csv", "rt", "hit", exits={"1": "right", "0": "left"})
    with pytest.raises(ValueError, match=r"row 2: the exit -1 is none of exits, 1, 0"):
        rw.FirstPassageTimes.of(frame, "rt", "hit", exits={1: "right", 0: "left"})
    with pytest.raises(ValueError, match=r"there is no column 'rts'; the columns are rt, hit; did you mean 'rt'"):
        rw.FirstPassageTimes.of(frame, "rts")


def test_entries_are_known_in_all_spellings(tmp_path: Path) -> None:
    """1, 1.0 and "1" are one entry, as HSSM and PyDDM write responses; what is missing is another."""
    (tmp_path / "hssm.csv").write_text("subject,rt,response\n0,0.5,1.0\n0,0.7,-1.0\n0,0.9,\n")
    for exits in ({1: "right", -1: "left", "": None}, {"1": "right", "-1": "left", None: None}):
        data = rw.FirstPassageTimes.read(tmp_path / "hssm.csv", "rt", "response", exits=exits)
        assert data.exits.tolist() == ["right", "left", ""] and data.censored.tolist() == [False, False, True]
    table = {"rt": [0.5, 0.7, 0.9], "response": ["1", True, math.nan]}
    data = rw.FirstPassageTimes.of(table, "rt", "response", exits={1: "right", None: None})
    assert data.exits.tolist() == ["right", "right", ""]
    with pytest.raises(ValueError, match=r"row 2: the exit is missing; say what that means"):
        rw.FirstPassageTimes.of({"rt": [1, 2, 3], "hit": ["left", "right", None]}, "rt", "hit")


def test_parameters_of_a_problem() -> None:
    problem = rw.Problem.loads(PROBLEM)
    assert problem.parameters == {"v": 0.5, "a": 1.5, "t0": 0.2}
    assert problem.with_parameters(a=2.0).walk.domain.high == 2.0 and problem.with_parameters() is problem
    with pytest.raises(ValueError, match=r"there is no parameter 'b'; known are v, a, t0"):
        problem.with_parameters(b=1.0)
    with pytest.raises(ValueError, match=r"model has no parameters"):
        rw.fit(rw.FirstPassageTimes([1.0], "left"), rw.Problem(problem.walk, (1.0,)))


def test_a_problem_file_is_fitted(folder: Path) -> None:
    """To estimates within 4 standard errors of the truth; the intervals are around them. The bounds are known."""
    text = PROBLEM.replace('["v", "a", "t0"]', '["v", "t0"]').replace("a = 1.5", "a = 1.0")
    (folder / "two.toml").write_text(text)
    found = fit_problem(rw.Problem.load(folder / "two.toml"))
    for name, true in (("v", 1.0), ("t0", 0.3)):
        low, high = found.intervals[name]
        assert abs(found.fit[name].z(true)) < 4.0 and low < float(found.fit[name]) < high
    assert found.comparison is not None and found.comparison.passed
    assert found.fit.model.parameters == pytest.approx(found.fit.parameters)
    told = json.loads(found.to_json())
    assert told["parameters"]["v"]["interval"] == list(found.intervals["v"]) and told["notes"] == []


def test_the_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    Path("drift.toml").write_text(PROBLEM.replace('free = ["v", "a", "t0"]\nbounds', 'free = ["v"]\n#'))
    ran = CliRunner().invoke(app, ["fit", "drift.toml", "--json", "fit.json", "--plot", "fit.svg", "--out", "fit.nc"])
    assert ran.exit_code == 0, ran.output
    assert "sides and times: chi² =" in ran.output and "0.95 interval" in ran.output
    assert json.loads(Path("fit.json").read_text())["observations"] == 300
    assert Path("fit.svg").stat().st_size > 5000
    with xarray.open_dataset("fit.nc", engine="h5netcdf") as draws:
        assert draws["v"].dims == ("chain", "draw")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device")
@pytest.mark.parametrize(("option", "name"), [("--plot", "full.svg"), ("--out", "full.nc")])
def test_a_full_disk_takes_nothing_from_the_screen(
    option: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    Path("drift.toml").write_text(PROBLEM.replace('free = ["v", "a", "t0"]\nbounds', 'free = ["v"]\n#'))
    Path(name).symlink_to("/dev/full")
    ran = CliRunner().invoke(app, ["fit", "drift.toml", option, name])
    Path(name).unlink()
    assert "sides and times: chi² =" in ran.output
    assert isinstance(ran.exception, OSError) and ran.exception.filename == name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('free = ["v", "a", "t0"]', 'free = ["w"]', r"choices.toml:27: free has 'w': the parameters are v, a, t0"),
        ('free = ["v", "a", "t0"]', 'free = "v"', r"choices.toml:27: free = 'v': must be a list of names"),
        ("t0 = [0.0, 1.0]", "t0 = 1.0", r"choices.toml:28: t0 = 1.0: must be a pair \[low, high\]"),
        ("t0 = [0.0, 1.0]", "t0 = [0.5, 1.0]", r"choices.toml:28: t0 = \[0.5, 1\]: must be low < high with the value"),
        ("t0 = [0.0, 1.0]", "w = [0.5, 1.0]", r"choices.toml:28: bounds has 'w': it is no free parameter"),
        ('offset = "t0"', 'offset = "t1"', r"choices.toml:24: offset = 't1': must be a number, or a formula"),
        ('exits = {right = "1", left = "0"}', 'exits = {right = "1"}', r"rt.csv, line \d+: the exit '0' is none of exits"),
        ('exits = {right = "1", left = "0"}', "exits = {right = 1}", r"choices.toml:23: exits = \{'right': 1\}: must be a table"),
        ('exit = "choice"\n', "", r"choices.toml:22: exits needs exit, the column"),
        ('time = "rt_s"', 'time = "rt"', r"there is no column 'rt'"),
        ("[measured]", "[measured.x]", r"\[measured\] needs kind"),
    ],
)  # fmt: skip
def test_bad_files_are_refused(folder: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in PROBLEM
    (tmp_path / "rt.csv").write_text((folder / "rt.csv").read_text())
    (tmp_path / "choices.toml").write_text(PROBLEM.replace(old, new))
    with pytest.raises(ValueError, match=message):
        fit_problem(rw.Problem.load(tmp_path / "choices.toml"))


def test_a_problem_without_data_is_told_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(PROBLEM[: PROBLEM.index("[measured]")])
    with pytest.raises(ValueError, match=r"p.toml: a fit needs measured data: add the table \[measured\]"):
        fit_problem(rw.Problem.load(tmp_path / "p.toml"))
