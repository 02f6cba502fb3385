"""First passages of Itô walks as records: times, places, exits, what is censored, and that counts add."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import randwalk as rw
from randwalk.run.counts import added

A = rw.Absorbing()
BOUNDS = rw.Interval(-1.0, 1.0, A, A)
WALK = rw.ItoWalk(0.8, 0.5, dt=0.02, domain=BOUNDS, start=0.2)
PASSAGE, EACH = rw.FirstPassage(), rw.Departures()
N = 20_000


@pytest.fixture(scope="module")
def run() -> rw.ItoEnsemble:
    return rw.simulate(WALK, N, [0.5, 12.0], seed=3, record=[PASSAGE, EACH], threads=1)


@pytest.fixture(scope="module")
def short() -> rw.ItoEnsemble:
    return rw.simulate(WALK, N, [0.5], seed=3, record=[PASSAGE, EACH], threads=1)


def test_times_and_places_are_those_of_the_walkers(run: rw.ItoEnsemble) -> None:
    passages, each = run[PASSAGE], run[EACH]
    assert passages.censored == 0 and np.isfinite(each.time).all()
    assert passages.mean().value == pytest.approx(each.time.mean(), rel=1e-14)
    assert passages.mean().error == pytest.approx(each.time.std(ddof=1) / math.sqrt(N), rel=1e-12)
    for exit, place in (("left", -1.0), ("right", 1.0)):
        mine = each.by(exit)
        assert passages.mean(exit).value == pytest.approx(each.time[mine].mean(), rel=1e-14)
        assert passages.place(exit).value == place and set(each.place[mine]) == {place}
        assert passages.counts[:, passages.exits.index(exit)].sum() == mine.sum()
    in_step = np.ceil(each.time / WALK.dt).astype(int)
    np.testing.assert_array_equal(np.bincount(in_step, minlength=601), passages.counts.sum(axis=1))


def test_means_against_the_equations(run: rw.ItoEnsemble) -> None:
    """Probability (e^(-2ax₀) - e^(-2aL))/… and mean exit time of the equation, within 4 standard errors and the step error."""
    equation = rw.pde.FokkerPlanck(0.8, 0.5, domain=BOUNDS, start=0.2)
    mean = float(rw.pde.mean_exit_time(equation).value(0.2))
    right = float(rw.pde.exit_probability(equation, "right").value(0.2))
    assert abs(run[PASSAGE].mean().value - mean) < 4 * run[PASSAGE].mean().error + 1e-3
    assert abs(run.absorbed("right", 12.0).value - right) < 4 * math.sqrt(right * (1 - right) / N) + 1e-3
    edges = np.linspace(0.0, 12.0, 13)
    form, density = rw.pde.closed_form(equation), run[PASSAGE].density(edges, "right")
    exact = np.diff(np.asarray(form.absorbed("right", edges)))
    assert (np.abs(density.value - exact) < 4 * np.sqrt(exact / N) + 1e-3).all()
    assert density.value.sum() == pytest.approx(run.absorbed("right", 12.0).value)


def test_what_is_censored_is_said(short: rw.ItoEnsemble) -> None:
    passages, each = short[PASSAGE], short[EACH]
    left = int(np.isinf(each.time).sum())
    assert passages.censored == left > 0 and f"{left:,} censored" in repr(passages)
    with pytest.raises(ValueError, match=rf"{left:,} of 20,000 walkers have not left at t = 0\.5"):
        passages.mean()
    capped = np.minimum(each.time, 0.5)
    assert passages.restricted_mean().value == pytest.approx(capped.mean(), rel=1e-14)
    assert passages.restricted_mean().error == pytest.approx(capped.std(ddof=1) / math.sqrt(N), rel=1e-12)
    assert passages.conditional_mean().value == pytest.approx(each.time[each.exit >= 0].mean(), rel=1e-14)
    still = rw.simulate(WALK, 100, [0.0], seed=3, record=[PASSAGE], threads=1)[PASSAGE]
    assert still.restricted_mean().value == 0.0 and math.isnan(still.conditional_mean().value)


def test_counts_add_to_the_same_bits(run: rw.ItoEnsemble) -> None:
    parts = [run.task.run(part) for part in (range(7000, N), range(0, 1), range(1, 7000))]
    whole = added(parts)
    for record in (PASSAGE, EACH):
        for field in fields(run[record]):
            np.testing.assert_array_equal(
                getattr(whole.records[record], field.name) if field.name != "parts" else 0,
                getattr(run[record], field.name) if field.name != "parts" else 0,
                err_msg=field.name,
            )


def test_a_file_keeps_them(short: rw.ItoEnsemble, tmp_path: Path) -> None:
    kept = rw.simulate(WALK, 1000, [0.5], seed=3, record=[PASSAGE], threads=1)
    kept.save(tmp_path / "run.npz")
    read = rw.ItoEnsemble.load(tmp_path / "run.npz")[PASSAGE]
    assert read.sums == kept[PASSAGE].sums and read.spots == kept[PASSAGE].spots
    assert read.restricted_mean().value == kept[PASSAGE].restricted_mean().value
    with pytest.raises(ValueError, match=r"Departures\(\) is not saved"):
        short.save(tmp_path / "each.npz")


@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_places_of_passage_in_the_plane(unit: float) -> None:
    disc = (rw.Line() ** 2).inside(rw.Ball((3.0 * unit, 0.0), 1.2 * unit), A, "rim")
    walk = rw.ItoWalk((0.4 * unit, 0.0), 0.3 * unit**2, dt=0.05, domain=disc, start=(3.0 * unit, 0.0))
    run = rw.simulate(walk, 4000, [20.0], seed=1, record=[PASSAGE, EACH], threads=1)
    place, each = run[PASSAGE].place("rim"), run[EACH]
    np.testing.assert_allclose(place.value, each.place[each.by("rim")].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(place.error, each.place[each.by("rim")].std(axis=0, ddof=1) / math.sqrt(4000), rtol=1e-3)
    # by optional stopping the mean place is the start and drift times mean time of passage
    expected = 3.0 * unit + 0.4 * unit * run[PASSAGE].mean().value
    assert abs(place.value[0] - expected) < 4 * place.error[0] and abs(place.value[1]) < 4 * place.error[1]


def test_bad_questions(run: rw.ItoEnsemble) -> None:
    with pytest.raises(ValueError, match="two or more times"):
        run[PASSAGE].density([1.0, 1.001])
    with pytest.raises(ValueError, match="must be one of 'left', 'right', 'killing'"):
        run[PASSAGE].mean("top")
    with pytest.raises(ValueError, match="must be one of"):
        run[EACH].by("top")
    assert run[PASSAGE].plot().get_ylabel() == "density"
