"""Itô walks in problem files, on the command line, and in files of ensembles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import randwalk as rw
from randwalk.commands import app
from randwalk.inputs.source import ProblemError, Source

WELL = """\
title = "A double well"

[parameters]
b = 1.5

[walk]
drift = "b*x - x**3"
diffusion = 0.25
dt = 0.05
scheme = "platen"
increments = "three_point"

[start]
point = -1.0

[run]
times = [0.5, 1.0]
walkers = 2_000
bins = [-3.0, -1.0, 0.0, 1.0, 3.0]
"""
PLANE = """\
[walk]
drift = ["-x - y", "x - y"]
noise = [[1.0, 0.0, 0.2], [0.3, "1 + 0.1*x", 0.0]]
dt = 0.01
killing = 0.1
convention = "stratonovich"

[domain]
x = {low = -3.0, high = 3.0, left = "reflecting", right = "absorbing"}
y = {}

[run]
times = [0.5]
walkers = 1000
"""
FIVE = """\
[walk]
drift = {matrix = [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0.5], [0, 0, 0, -1]], intercept = [0.0, 0.0, 1.0, 0.0]}
diffusion = [0.5, 0.5, 0.25, 0.5]
dt = 0.1

[run]
times = [0.5]
bins = 8
"""


def problem(text: str) -> rw.Problem:
    return rw.Problem.of(Source.parse(text))


@pytest.mark.parametrize("text", [WELL, PLANE, FIVE])
def test_problems_are_read_and_written_back(text: str) -> None:
    read = problem(text)
    assert isinstance(read.walk, rw.ItoWalk)
    again = problem(read.dumps())
    assert again == read and again.walk == read.walk and again.bins == read.bins


def test_what_a_problem_says() -> None:
    well = problem(WELL)
    assert well.walk == rw.ItoWalk(
        rw.expression("1.5*x - x**3"), 0.25, dt=0.05, start=-1.0, scheme=rw.Platen(), increments=rw.ThreePoint()
    )
    assert well.bins == (-3.0, -1.0, 0.0, 1.0, 3.0)
    plane = problem(PLANE).walk
    assert isinstance(plane, rw.ItoWalk) and (plane.dimension, plane.sources) == (2, 3)
    assert plane.convention is rw.Convention.STRATONOVICH
    five = problem(FIVE).walk
    assert isinstance(five, rw.ItoWalk) and five.linear is not None and five.linear.matrix[2, 3] == 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("dt = 0.05\n", "dt = 0.05\ndx = 0.1\n"), "problem:10: dx is a key of walks on a lattice"),
        (("diffusion = 0.25\n", "diffusion = 0.25\nnoise = 1.0\n"), "problem:9: .*diffusion, or noise"),
        (("diffusion = 0.25\n", ""), "diffusion, or noise"),
        (('"platen"', '"plate"'), "problem:10: scheme = 'plate': must be one of .*did you mean|must be one of"),
        (("bins = [-3.0", "bins = [3.0"), "problem:19: bins along x .*increase"),
        (("bins = [-3.0, -1.0, 0.0, 1.0, 3.0]", "bins = 0"), "problem:19: bins = 0"),
        (("times = [0.5, 1.0]", "times = [0.51]"), "problem:17: time 0.51 is not a whole number"),
        (("diffusion = 0.25", "diffusion = -0.25"), "problem:8: diffusion = -0.25"),
        (("three_point", "two_point"), "problem:11: increments"),
        (("dt = 0.05\n", "dt = 0.05\nrule = 'fitted'\n"), "rule is a key of walks on a lattice"),
    ],
)
def test_bad_problems_name_the_line(change: tuple[str, str], said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        problem(WELL.replace(*change))


def test_bins_of_a_lattice_walk_are_refused() -> None:
    text = "[walk]\nright = 0.5\nleft = 0.5\ndx = 1.0\ndt = 1.0\n[run]\ntimes = [1.0]\nbins = 3\n"
    with pytest.raises(ProblemError, match="problem:8: bins: walkers on a lattice"):
        problem(text)


def test_the_command_line(tmp_path: Path) -> None:
    file, out, estimates = tmp_path / "well.toml", tmp_path / "well.npz", tmp_path / "well.json"
    file.write_text(WELL, encoding="utf-8")
    ran = CliRunner().invoke(app, ["simulate", str(file), "--out", str(out), "--json", str(estimates)])
    assert ran.exit_code == 0, ran.output
    assert "A double well: 2,000 walkers by paths" in ran.output
    run = rw.ItoEnsemble.load(out)
    assert run.walkers == 2000 and run.bins.edges == ((-3.0, -1.0, 0.0, 1.0, 3.0),)
    explained = CliRunner().invoke(app, ["explain", str(file)])
    assert explained.exit_code == 0 and explained.output.startswith("paths (predicted: paths ")
    told = json.loads(estimates.read_text(encoding="utf-8"))
    assert str(float(run.mean(1.0))) in json.dumps(told)


@pytest.mark.parametrize("ending", ["npz", "nc"])
def test_ensembles_are_saved_and_go_on(tmp_path: Path, ending: str) -> None:
    walk = rw.ItoWalk(
        rw.expression("-x"), 0.5, dt=0.05, start=1.0, killing=0.2,
        domain=rw.Interval(0.0, np.inf, rw.Absorbing()),
    )  # fmt: skip
    record = [rw.FirstPassage(), rw.Average(rw.expression("x**2"))]
    run = rw.simulate(walk, 1000, [0.5, 1.0], seed=3, record=record)
    path = tmp_path / f"run.{ending}"
    run.save(path)
    read = rw.ItoEnsemble.load(path)
    assert read.walk == walk and read.tally.places == run.tally.places and (read.counts == run.counts).all()
    for item in record:
        assert item in read.records
    assert (read[record[0]].counts == run[record[0]].counts).all()
    more, whole = read.extend(1500), rw.simulate(walk, 1500, [0.5, 1.0], seed=3, record=record)
    assert (more.tally.raw == whole.tally.raw).all() and more.tally.places == whole.tally.places
    assert more.expect(rw.expression("x**2"), 1.0).value == whole[record[1]].mean(1.0).value
    with pytest.raises(ValueError, match=r"ItoEnsemble\.load"):
        rw.Ensemble.load(path)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    walk = rw.ItoWalk(0.0, 0.5, dt=0.1)
    run = rw.simulate(walk, 100, [0.5], seed=3, bins=4)
    path = tmp_path / "run.npz"
    run.save(path)
    with np.load(path) as held:
        arrays = dict(held)
    for name, change, said in (
        ("raw", arrays["raw"] + 1, "checksum"),
        ("meta", np.array(str(arrays["meta"]).replace('"seed": 3', '"seed": 4')), "checksum"),
        ("gone", arrays["gone"][:, :1], "shape"),
        ("meta", np.array(str(arrays["meta"]).replace('"steps": [5]', '"steps": [-5]')), "steps"),
    ):
        np.savez_compressed(path, **(arrays | {name: change}))
        with pytest.raises(ValueError, match=said):
            rw.ItoEnsemble.load(path)
    with pytest.raises(ValueError, match="Positions"):
        rw.simulate(walk, 10, [0.5], record=[rw.Positions()]).save(path)
