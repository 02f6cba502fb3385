"""Tracks as data of a fit: the likelihood against a dense matrix, estimates against the fit of the tracks themselves, innovations
that are independent normal numbers, files as programs write them, and what is refused. A bound of 4 standard errors fails a right
program once in 16 000."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import randwalk as rw
from randwalk.commands import app
from randwalk.likelihood.laws import laws_of
from randwalk.validate import MeasuredTracks, fit_problem

from .tracks import seen_tracks

PLANE = rw.Line() ** 2
TRUTH = {"vx": 0.5, "vy": 0.2, "D": 0.4, "sigma": 0.1}


def brownian(vx: float = 0.0, vy: float = 0.0, D: float = 1.0) -> Any:
    return rw.pde.FokkerPlanck((vx, vy), D, domain=PLANE)


@pytest.fixture(scope="module")
def tracks() -> rw.Tracks:
    return seen_tracks(
        3, particles=12, frames=80, diffusion=0.4, drift=(0.5, 0.2), sigma=0.1, interval=0.05, exposure=0.02, gap=6
    )


def dense(tracks: rw.Tracks, drift: list[float], diffusion: float, sigma: float, exposure: float) -> tuple[float, Any]:
    """(log L, innovations along x of the first track) by whole covariance matrices of steps, one for each track."""
    total, first = 0.0, None
    for name in tracks.particles:
        rows = tracks.particle == name
        waited, moved = np.diff(tracks.time[rows]), np.diff(tracks.positions[rows], axis=0)
        spread = sigma**2 - diffusion * exposure / 3.0
        matrix = np.diag(2.0 * (diffusion * waited + spread)) - spread * (
            np.eye(waited.size, k=1) + np.eye(waited.size, k=-1)
        )
        for axis, v in enumerate(drift):
            total += float(stats.multivariate_normal(v * waited, matrix).logpdf(moved[:, axis]))
        if first is None:
            first = np.linalg.solve(np.linalg.cholesky(matrix), moved[:, 0] - drift[0] * waited)
    return total, first


def test_the_likelihood_is_that_of_the_dense_matrix(tracks: rw.Tracks) -> None:
    data, laws = MeasuredTracks(tracks, "sigma", 0.02), laws_of(brownian(0.5, 0.2, 0.4), 1e-5)
    log_likelihood, first = dense(tracks, [0.5, 0.2], 0.4, 0.1, 0.02)
    assert data.log_likelihood(laws, {"sigma": 0.1}) == pytest.approx(log_likelihood, rel=1e-10)
    assert data.log_likelihood(laws, {"sigma": -0.1}) == pytest.approx(log_likelihood, rel=1e-10)
    found = data.resolved({"sigma": -0.1}).law_in(laws)()
    assert found.shape == (data.size // 2, 2) and found[: first.size, 0] == pytest.approx(first, rel=1e-9)


def test_estimates_are_those_of_the_tracks_themselves(tracks: rw.Tracks) -> None:
    """But for the likelihood, which there is restricted: a relative difference of D of one in the number of steps."""
    data = MeasuredTracks(tracks, "sigma", 0.02, "beads")
    found, own = rw.fit(data, brownian, {"vx": 0.0, "vy": 0.0, "D": 1.0, "sigma": 0.2}), tracks.fit(exposure=0.02)
    for name, true in TRUTH.items():
        assert abs(found[name].z(true)) < 4.0, found
    pairs = {"D": own.diffusion, "sigma": own.localisation, "vx": own.drift[0], "vy": own.drift[1]}
    for name, other in pairs.items():
        assert abs(float(found[name]) - float(other.value)) < 0.1 * float(other.error)
        assert float(found[name].error) == pytest.approx(float(other.error), rel=0.05)
    comparison = rw.validate.compare(data, found)
    assert comparison.passed and [check.name for check in comparison.checks] == [
        "data: beads: steps", "data: beads: neighbouring steps",
    ]  # fmt: skip
    assert comparison.checks[1].freedom == 15 - 4
    known = MeasuredTracks(tracks, 0.1, 0.02)
    assert rw.validate.compare(known, known.law_of(brownian(0.5, 0.2, 0.4))).passed
    assert not rw.validate.compare(known, known.law_of(brownian(0.5, 0.2, 0.25))).passed
    still = MeasuredTracks(tracks, 0.0, 0.02)  # without the error of positions neighbouring steps depend on each other
    fitted = rw.fit(still, brownian, {"vx": 0.0, "vy": 0.0, "D": 1.0})
    assert not rw.validate.compare(still, fitted).passed
    upper = found.plot().axes[0]
    assert upper.get_ylabel() == "mean square displacement" and len(upper.lines) >= 2


@pytest.mark.parametrize(("length", "time"), [(1e-6, 1e-9), (1e4, 1e3)])
def test_units_change_nothing(tracks: rw.Tracks, length: float, time: float) -> None:
    scaled = rw.Tracks(tracks.particle, tracks.time * time, tracks.positions * length)
    unit = length**2 / time
    one = rw.fit(MeasuredTracks(tracks, 0.1), lambda D=1.0: brownian(0.5, 0.2, D))
    other = rw.fit(MeasuredTracks(scaled, 0.1 * length),
                   lambda D=unit: brownian(0.5 * length / time, 0.2 * length / time, D))  # fmt: skip
    assert float(other["D"]) / unit == pytest.approx(float(one["D"]), rel=1e-3)
    assert float(other["D"].error) / unit == pytest.approx(float(one["D"].error), rel=1e-2)


PROBLEM = """
title = "Beads"
[parameters]
vx = 0.0
vy = 0.0
D = 1.0
sigma = 0.2
[walk]
drift = ["vx", "vy"]
diffusion = "D"
dt = 0.05
[domain]
x = {}
y = {}
[run]
times = [1.0]
[measured]
kind = "tracks"
csv = "beads.csv"
localisation = "sigma"
exposure = 0.02
[fit]
bounds = {sigma = [0.0, inf]}
"""


def rows_of(tracks: rw.Tracks, line: str, scale: float = 1.0) -> str:
    return "".join(
        line.format(i=i, x=x * scale, y=y * scale, t=t, f=f, p=p)
        for i, (x, y, t, f, p) in enumerate(zip(*tracks.positions.T, tracks.time, tracks.frame, tracks.particle, strict=True))
    )  # fmt: skip


def written(tracks: rw.Tracks) -> dict[str, tuple[bytes, str]]:
    """The tracks as trackpy (by pandas, with its column of row numbers), Excel (semicolons, decimal commas, a byte-order mark)
    and a logger (comments, tabs, units in a line of their own) write them, and what [measured] says besides."""
    pixels = ",y,x,mass,frame,particle\n" + rows_of(tracks, "{i},{y:.5f},{x:.5f},300.0,{f},{p}.0\n", 10.0)
    comma = rows_of(tracks, "{p};{t:.3f};{x:.6f};{y:.6f}\r\n").replace(".", ",")
    logged = "# SN 4711\nrun\tt\tX\tY\n# \ts\tum\tum\n" + rows_of(tracks, "{p}\t{t:.3f}\t{x:.6f}\t{y:.6f}\n")
    return {
        "trackpy": (pixels.encode(), "interval = 0.05\npixel = 0.1"),
        "Excel": (("\ufeffBahn;Zeit [s];X [µm];Y [µm]\r\n" + comma).encode(),
                  'columns = {particle = "Bahn", time = "Zeit [s]"}'),
        "logger": (logged.encode(), 'columns = {particle = "run"}'),
    }  # fmt: skip


def test_files_as_programs_write_them_are_read_alike(tracks: rw.Tracks, tmp_path: Path) -> None:
    for text, keys in written(tracks).values():
        (tmp_path / "beads.csv").write_bytes(text)
        (tmp_path / "beads.toml").write_text(PROBLEM.replace('csv = "beads.csv"', f'csv = "beads.csv"\n{keys}'))
        data = rw.validate.read_measured(rw.Problem.load(tmp_path / "beads.toml"))
        assert isinstance(data, MeasuredTracks) and data.parameters == ("sigma",) and data.exposure == 0.02
        assert data.tracks.interval == pytest.approx(0.05) and data.tracks.frame.tolist() == tracks.frame.tolist()
        np.testing.assert_allclose(data.tracks.positions, tracks.positions, atol=2e-6)


def test_the_command(tracks: rw.Tracks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, keys = written(tracks)["trackpy"]
    Path("beads.csv").write_bytes(text)
    Path("beads.toml").write_text(
        PROBLEM.replace("exposure", f"{keys}\nexposure").split("[fit]")[0] + '[fit]\nfree = ["D"]\n'
    )
    ran = CliRunner().invoke(app, ["fit", "beads.toml", "--plot", "beads.svg"])
    assert ran.exit_code == 0 and "data: steps: chi² =" in ran.output and Path("beads.svg").stat().st_size > 5000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"tracks"', '"track"', r'must be "counts", "passed", "first_passage" or "tracks"'),
        ('"sigma"\n', '"sigm"\n', r"beads.toml:20: localisation = 'sigm': must be a number, or a formula"),
        ('"sigma"\n', "-0.1\n", r"beads.toml:20: localisation = -0.1: must not be negative"),
        ("exposure = 0.02", "exposure = 2.0", r"beads.toml:21: exposure = 2: must be from 0 to the 1 between frames"),
        ("exposure = 0.02", "columns = 3", r"beads.toml:21: columns = 3: must be a table, as"),
        ("exposure = 0.02", 'columns = {x = "X"}', r"'X': .*beads.csv has only the columns"),
        ("exposure = 0.02", 'rows = {column = "p", value = 1}', r"unknown key 'rows' in \[measured\]"),
        ('csv = "beads.csv"', "csv = 3", r"csv = 3: must be a name in quotes"),
    ],
)  # fmt: skip
def test_bad_files_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in PROBLEM
    (tmp_path / "beads.csv").write_text("frame,x,y\n0,0,0\n1,1,1\n2,1.5,0\n3,2,1\n")
    (tmp_path / "beads.toml").write_text(PROBLEM.replace(old, new))
    with pytest.raises(ValueError, match=message):
        fit_problem(rw.Problem.load(tmp_path / "beads.toml"))


def test_models_that_tracks_do_not_have_are_refused(tracks: rw.Tracks) -> None:
    data = MeasuredTracks(tracks, 0.1)
    for model, message in (
        (lambda D=1.0: rw.pde.FokkerPlanck(0.0, D), r"the model has 1 dimensions and the tracks 2: give as many"),
        (lambda D=1.0: rw.pde.FokkerPlanck((rw.expression("-x"), 0.0), D, domain=PLANE), r"fit their displacements"),
        (lambda D=1.0: rw.pde.FokkerPlanck((0.0, 0.0), (D, 2.0), domain=PLANE), r"a constant drift and one D"),
        (lambda D=1.0: rw.pde.closed_form(brownian(D=D)), r"a law does not tell its drift and D"),
    ):
        with pytest.raises(ValueError, match=message):
            rw.fit(data, model)
    with pytest.raises(TypeError, match=r"tracks are compared with a fit of them, or data.law_of\(walk\)"):
        rw.validate.compare(data, rw.pde.closed_form(brownian()))
    with pytest.raises(ValueError, match=r"localisation = 'sigma' is a parameter: fit it"):
        MeasuredTracks(tracks, "sigma").law_of(brownian())
    with pytest.raises(TypeError, match=re.escape("tracks = [1.0]: must be Tracks")):
        MeasuredTracks([1.0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"localisation = -1: must not be negative"):
        MeasuredTracks(tracks, -1.0)


def test_innovations_of_a_wrong_model_are_no_normal_numbers(tracks: rw.Tracks) -> None:
    """Their variance is that of the steps over that of the model: 4 standard errors are 4√(2/n)."""
    found = MeasuredTracks(tracks, 0.1, 0.02).law_of(brownian(0.5, 0.2, 0.4))()
    assert abs(float(np.mean(found**2)) - 1.0) < 4.0 * math.sqrt(2.0 / found.size)
    assert stats.kstest(found.ravel(), "norm").pvalue > 1e-4


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_step_beyond_the_last_class_is_counted(sign: float) -> None:
    steps = np.random.default_rng(1).normal(0.0, 0.2, (300, 2))
    steps[100] = sign * 2.5, 0.0  # its probability is 1 to rounding, or 0
    data = MeasuredTracks(rw.Tracks(None, 0.1 * np.arange(300), np.cumsum(steps, axis=0)))
    first, *_ = data.outcomes(data.law_of(brownian(D=0.2)))
    assert first.observed.shape == first.expected.shape and first.observed.sum() == 2 * 299
