"""The command line with walks in the plane and in space, in µm and ns."""

from __future__ import annotations

import json
import math
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import cli
from randwalk.run import free, paths
from randwalk.run.counts import added
from randwalk.run.task import Task

ROOM = """
title = "A room with a trap"
[walk]
drift = ["1e1", "0"]
diffusion = 5e-6
dx = 2.0e-7
[domain]
x = { low = 0.0, high = 4.1e-6, left = "absorbing", right = "reflecting" }
y = { ring = [0.0, 4.0e-6] }
[[domain.region]]
name = "trap"
ball = { centre = [1.0e-6, 1.0e-6], radius = 0.5e-6 }
wall = "absorbing"
[start]
point = [2e-6, 2e-6]
[run]
times = [1e-7, 2e-7]
walkers = 2000
seed = 3
[validate]
order = 1
[solve]
tolerance = 2e-2
"""
SPACE = """
[walk]
right = 0.1
left = 0.1
up = 0.2
down = 0.1
front = 0.2
back = 0.2
dx = 1e-6
dt = 1e-9
[run]
times = [6e-9]
walkers = 500
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "room.toml").write_text(ROOM)
    (tmp_path / "space.toml").write_text(SPACE)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of a command."""
    monkeypatch.setattr(sys, "argv", ["randwalk", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, "".join(line for line in err.splitlines(True) if "compiling" not in line)


def rows(out: str) -> list[list[str]]:
    """The cells of a table, a list for each row, the header first."""
    cut = [line.replace("┃", "│").split("│")[1:-1] for line in out.splitlines() if line[:1] in "┃│" and line]
    return [[cell.strip() for cell in row] for row in cut]


def test_simulate_tells_exits_and_coordinates(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, err = told(capsys, monkeypatch, "simulate", "room.toml", "--json", "run.json", "--out", "run.npz")
    assert status == 0 and not err
    head, *table = rows(out)
    places = [f"{name}, {axis}" for name in ("mean of survivors", "variance") for axis in "xy"]
    assert head == ["time", "alive", *places, "left", "right", "trap", "killing"]
    run = rw.Ensemble.load(files / "run.npz")
    again = rw.simulate(rw.Problem.load("room.toml").walk, 2000, [1e-7, 2e-7], seed=3)
    np.testing.assert_array_equal(run.counts, again.counts)
    for row, entry, t in zip(table, json.loads((files / "run.json").read_text())["times"], run.times, strict=True):
        assert row[0] == f"{t:g}" and row[-2] == str(run.absorbed("trap", t)) and row[3] == str(run.mean(t)[1])
        assert entry["passed"]["trap"]["value"] == float(run.absorbed("trap", t).value) > 0.0
        assert np.shape(entry["variance"]) == (2, 2) and entry["mean"][0]["value"] == float(run.mean(t)[0].value)
    status, out, _ = told(capsys, monkeypatch, "simulate", "space.toml")
    assert status == 0 and rows(out)[0][2:5] == [f"mean of survivors, {axis}" for axis in "xyz"]
    assert "killing" in rows(out)[0] and len(rows(out)) == 2


def test_solve_tells_exits_and_writes_densities(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, err = told(capsys, monkeypatch, "solve", "room.toml", "--out", "rho.csv")
    assert status == 0 and not err, err
    head, *table = rows(out)
    assert head == ["time", "survival", "mean, x", "mean, y", "sd, x", "sd, y", "absorbed left", "absorbed trap"]
    for row in table:
        survival, left, trap = (float(row[head.index(name)]) for name in ("survival", "absorbed left", "absorbed trap"))
        assert survival + left + trap == pytest.approx(1.0, abs=1e-4)
    data = np.genfromtxt("rho.csv", delimiter=",", names=True)
    assert data.dtype.names == ("x", "y", "rho_t1e07", "rho_t2e07")
    assert data["x"].max() < 4.1e-6 and data["rho_t1e07"].min() >= 0.0
    cell = math.prod(np.diff(np.unique(data[axis]))[0] for axis in "xy")
    assert data["rho_t1e07"].sum() * cell == pytest.approx(float(table[0][1]), rel=0.02)
    status, out, _ = told(capsys, monkeypatch, "solve", "space.toml", "--tolerance", "1e-2")
    assert status == 0 and "closed form: " in out and "sd, z" in rows(out)[0]


def test_validate_and_explain(files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "room.toml").write_text(ROOM.replace("times = [1e-7, 2e-7]", "times = [1e-7]"))
    status, out, err = told(capsys, monkeypatch, "validate", "room.toml", "--walkers", "2000", "--json", "report.json")
    assert status == 0 and not err, out + err
    assert "passage sides and times" in out and "y at t = 1e-07" in out
    assert json.loads((files / "report.json").read_text())["passed"]
    status, out, _ = told(capsys, monkeypatch, "explain", "room.toml", "--walkers", str(10**9))
    assert status == 0 and out.startswith("occupation (predicted: paths ")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("dx = 2.0e-7", "dx = 1.5e-7"), r"room.toml:6: dx = 1.5e-07 does not fit the x axis, "),
        (
            ("point = [2e-6, 2e-6]", "point = [1e-6, 1e-6]"),
            "room.toml:15: start = .* is in the trap 'trap'; start elsewhere",
        ),
        (
            ("centre = [1.0e-6, 1.0e-6]", "centre = [1.0e-6]"),
            "room.toml:10: Ball: centre = .*: give a number for each axis",
        ),
        (
            ('"1e1", "0"', '"1e1", "0", "0"'),
            r"room.toml:4: drift = \(10, 0, 0\) has 3 components, and the domain has 2 dimensions",
        ),
        (
            ("diffusion = 5e-6", "diffusion = [[1e-6, 2e-6], [2e-6, 1e-6]]"),
            "room.toml:5: .*must be positive semi-definite; its entry off the diagonal may have at most the size 1e-06",
        ),
        (("radius = 0.5e-6", "radius = 9e-6"), "start = .* is in the trap 'trap'"),
    ],
)
def test_bad_input_is_one_line(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], line: str
) -> None:
    assert change[0] in ROOM
    (files / "room.toml").write_text(ROOM.replace(*change))
    for command in ("simulate", "solve"):
        status, out, err = told(capsys, monkeypatch, command, "room.toml")
        assert status == 2 and not out and err.count("\n") == 1 and err.startswith("randwalk: room.toml")
        assert re.search(line, err), err


def test_what_cannot_be_held_is_refused_before_work(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (files / "space.toml").write_text(SPACE.replace("6e-9", "1e-4"))  # 10⁵ steps in space
    (files / "room.toml").write_text(
        ROOM.replace("dx = 2.0e-7", "dx = [1e-13, 1e-13]").replace("4.1e-6", "4.00000005e-6")
    )
    begun = time.process_time()
    for arguments, told_of in (
        (("simulate", "space.toml"), "counted one by one: take a larger dt, or shorter times"),
        (("explain", "space.toml"), "counted one by one"),
        (("simulate", "room.toml"), "GiB of memory"),
    ):
        status, out, err = told(capsys, monkeypatch, *arguments)
        assert status == 2 and not out and told_of in err and err.count("\n") == 1, err
    assert time.process_time() - begun < 20.0


@pytest.mark.parametrize("name", ["room", "space"])
def test_ctrl_c_keeps_what_is_finished(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In the fourth batch, of walkers on a table and of free ones."""
    kind: Any = paths._Walkers if name == "room" else free.FreeWalkers
    run, done = kind.run, []

    def stopped(walkers: object) -> object:
        done.append(walkers)
        if len(done) == 4:
            signal.raise_signal(signal.SIGINT)
        return run(walkers)

    monkeypatch.setattr(paths, "BATCH", 1 << 14)
    monkeypatch.setattr(paths, "LARGE_BATCH", 1 << 14)
    monkeypatch.setattr(kind, "run", stopped)
    monkeypatch.setattr("randwalk.run.host.ALONE", 1 << 60)
    options = ("--walkers", "100_000", "--method", "paths", "--threads", "1", "--out", "run.npz")
    status, out, err = told(capsys, monkeypatch, "simulate", f"{name}.toml", *options)
    walkers = 3 << 14
    said = "they are in run.npz: the same command goes on from there"
    assert status == 130 and f"{walkers:,} walkers" in out
    assert err == f"randwalk: interrupted with {walkers:,} walkers finished; {said}\n"
    monkeypatch.undo()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the command has put back to that of the system
    kept, problem = rw.Ensemble.load(files / "run.npz"), rw.Problem.load(files / f"{name}.toml")
    whole = rw.simulate(problem.walk, walkers, problem.times, seed=problem.seed, method="paths")
    assert kept.walkers == walkers
    np.testing.assert_array_equal(kept.raw, whole.raw)


@pytest.mark.parametrize(("name", "method"), [("room", "paths"), ("room", "occupation"), ("space", "paths")])
def test_progress_is_told_to_the_end(files: Path, name: str, method: str) -> None:
    problem, told_of = rw.Problem.load(files / f"{name}.toml"), list[float]()
    steps = tuple(problem.walk.steps(problem.times))
    task = Task(problem.walk, steps, seed=1, method=method)
    counts = added(task.stream(range(40_000), advance=told_of.append))
    assert counts.walkers == 40_000 and sum(told_of) == pytest.approx(1.0) and min(told_of) > 0.0
