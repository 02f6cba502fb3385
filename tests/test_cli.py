"""The command line as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import randwalk as rw
from randwalk import cli

PROBLEM = """
title = "A small walk"
[walk]
drift = "-theta * x"
diffusion = 0.5
dx = 0.2
[parameters]
theta = 1.0
[start]
point = 1.0
[run]
times = [0.5]
walkers = 1000
seed = 3
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "randwalk", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_validate_passes_and_writes_json(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    done = run("validate", "mine.toml", "--json", "out.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all passed" in done.stdout and "order" in done.stdout
    assert json.loads((tmp_path / "out.json").read_text())["passed"]


def test_data_that_do_not_fit_exit_with_1(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("low,high,n\n-1,0,900\n0,1,100\n1,2,900\n")
    measured = '[measured]\nkind = "counts"\ncsv = "counts.csv"\nlow = "low"\nhigh = "high"\ncount = "n"\ntime = 0.5\n'
    (tmp_path / "mine.toml").write_text(PROBLEM + measured)
    done = run("validate", "mine.toml", cwd=tmp_path)
    assert done.returncode == 1 and "FAILED" in done.stdout and "data" in done.stdout


def test_simulate_and_solve(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    done = run("simulate", "mine.toml", "--out", "run.npz", cwd=tmp_path)
    assert done.returncode == 0 and "±" in done.stdout and (tmp_path / "run.npz").exists()
    done = run("solve", "mine.toml", "--out", "rho.csv", cwd=tmp_path)
    assert done.returncode == 0 and "closed form" in done.stdout
    assert (tmp_path / "rho.csv").read_text().startswith("x,rho_t=0.5\n")


def test_an_interrupted_run_shows_and_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    finished = rw.simulate(rw.Problem.load(tmp_path / "mine.toml").walk, 400, [0.5], 3, "paths")

    def stop(*arguments: object, **named: object) -> None:
        raise rw.Interrupted(finished)

    monkeypatch.setattr(rw, "simulate", stop)
    arguments = ["randwalk", "simulate", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "run.npz")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capsys.readouterr()
    assert left.value.code == 130 and "400 walkers finished" in told.err and "400 walkers by paths" in told.out
    kept = rw.Ensemble.load(tmp_path / "run.npz")
    assert (kept.raw == finished.raw).all() and kept.walkers == 400


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("diffusion = 0.5", "diffusion = -0.5"), "diffusion"),
        (("dx = 0.2", "dx = 0.2\ntypo = 1"), "mine.toml:7: unknown key 'typo'"),
        (("theta * x", "__import__('os').system('true')"), "mine.toml:4"),
        (("times = [0.5]", "times = [0.5, 0.25]"), "increase"),
        (("walkers = 1000", "walkers = 0"), "mine.toml:13: walkers"),
        (('title = "A small walk"', "title = "), "mine.toml:2"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM.replace(*change))
    done = run("validate", "mine.toml", cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert told in done.stderr and "Traceback" not in done.stderr and done.stderr.count("\n") == 1


def test_one_bad_case_is_told_in_one_line_and_the_others_go_on(tmp_path: Path) -> None:
    long = "a" * 60 + "/" + "b" * 60
    (tmp_path / long).mkdir(parents=True)
    (tmp_path / "mine.toml").write_text(PROBLEM)
    (tmp_path / long / "bad.toml").write_text(PROBLEM.replace("walkers = 1000", "walkers = 1e3"))
    done = run("validate", f"{long}/bad.toml", "mine.toml", "--json", "out.json", cwd=tmp_path)
    assert done.returncode == 2
    line = f"randwalk: {long}/bad.toml:13: walkers = 1000.0: must be a positive whole number; write 1_000\n"
    assert done.stderr == line and "bad" not in done.stdout and "mine" in done.stdout
    written = json.loads((tmp_path / "out.json").read_text())
    assert [case["name"] for case in written["cases"]] == ["mine"] and list(written["failures"]) == ["bad"]


def test_a_missing_file_exits_with_2(tmp_path: Path) -> None:
    done = run("simulate", "nowhere.toml", cwd=tmp_path)
    assert done.returncode == 2 and "nowhere.toml" in done.stderr


def test_nothing_is_left_where_the_output_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    done = run("simulate", "mine.toml", "--out", "run.xyz", cwd=tmp_path)
    assert done.returncode == 2 and ".npz" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.toml"]


def test_listings(tmp_path: Path) -> None:
    done = run("validate", "--list", cwd=tmp_path)
    assert done.returncode == 0 and "catches" in done.stdout and "gamblers_ruin" in done.stdout
    assert "stream" in run("info", cwd=tmp_path).stdout
