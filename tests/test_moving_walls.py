"""Domains whose walls move: what they say, who refuses them, and the law in the frame in which they rest."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import randwalk as rw

A, R = rw.Absorbing(), rw.Reflecting()
e = rw.expression
COLLAPSING = rw.Interval(e("t/4 - 1"), e("1 - t/4"), A, A)


def test_an_end_that_moves() -> None:
    assert COLLAPSING.moves and (COLLAPSING.low, COLLAPSING.high) == (-1.0, 1.0)
    assert COLLAPSING.at(2.0) == rw.Interval(-0.5, 0.5, A, A) and not COLLAPSING.at(2.0).moves
    assert pickle.loads(pickle.dumps(COLLAPSING)) == COLLAPSING != COLLAPSING.at(0.0)
    assert repr(COLLAPSING).startswith("Interval(0.25*t - 1, ") and "left=Absorbing()" in repr(COLLAPSING)
    distance = COLLAPSING.distance
    assert distance is not None
    assert [float(distance(x, 2.0)) for x in (0.0, 0.4, 0.6)] == pytest.approx([0.5, 0.1, -0.1])
    assert not rw.Interval(e("2"), 3.0, R, R).moves
    box = (COLLAPSING * rw.Line()).without(rw.Ball((0.0, 5.0), e("1 + t")), R)
    assert box.moves and box.at(1.0).bounds == ((-0.75, 0.75), (-math.inf, math.inf))
    assert box.at(1.0).regions[0].shape == rw.Ball((0.0, 5.0), 2.0)


def test_a_replaced_field_leaves_the_walls_moving() -> None:
    partial = rw.PartiallyAbsorbing(2.0)
    assert replace(COLLAPSING, left=R) == rw.Interval(e("t/4 - 1"), e("1 - t/4"), R, A)
    assert replace(COLLAPSING, low=-0.5, right=partial) == rw.Interval(-0.5, e("1 - t/4"), A, partial)
    longer = replace(COLLAPSING, high=e("2 + t"))  # type: ignore[arg-type]
    assert longer == rw.Interval(e("t/4 - 1"), e("2 + t"), A, A)
    ball = rw.Ball((0.0, 5.0), e("1 + t"))
    assert replace(ball, centre=(1.0, 2.0)).at(1.0) == rw.Ball((1.0, 2.0), 2.0)
    assert replace(ball, radius=3.0) == rw.Ball((0.0, 5.0), 3.0)


def test_bins_cover_a_domain_that_grows() -> None:
    """By t = 2 walkers are spread over 0 … 5, of which 0 … 1 was there at the start."""
    domain = rw.Interval(0.0, e("1 + 2*t"), R, R)
    ensemble = rw.simulate(rw.ItoWalk(0.0, 4.0, dt=0.02, domain=domain, start=0.5), 200, [0.5, 2.0], seed=1)
    edges = np.asarray(ensemble.bins.edges[0])
    assert (edges[0], edges[-1]) == (0.0, 5.0)
    assert ensemble.mass([0.0, 5.0], 2.0).value == pytest.approx([1.0])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rw.Interval(e("x + t"), 5.0, A, A), "moves with the time alone"),
        (lambda: rw.Interval(e("1/t"), 5.0, A, A), "is inf at t = 0"),
        (lambda: rw.Interval(e("2 + t"), 1.0, A, A), "must be less than high"),
        (lambda: rw.Ball((0.0, 0.0), e("t - 1")), "must be positive"),
        (lambda: COLLAPSING.at(5.0), "must be less than high"),
    ],
)
def test_paths_that_are_none(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "use",
    [
        lambda eq: rw.LatticeWalk(0.5, 0.5, dx=0.1, domain=eq.domain),
        lambda eq: rw.LatticeWalk.from_drift(drift=0.0, diffusion=0.5, dx=0.1, domain=eq.domain),
        lambda eq: rw.pde.walk_for(eq, dx=0.1),
        lambda eq: rw.pde.solve(eq, times=[1.0]),
        rw.pde.closed_form,
        rw.pde.mean_exit_time,
        lambda eq: rw.pde.exit_probability(eq, "left"),
    ],
)
def test_who_rests_refuses(use: Callable[[rw.pde.FokkerPlanck], object]) -> None:
    with pytest.raises(ValueError, match=r"has a wall that moves.*take an ItoWalk"):
        use(rw.pde.FokkerPlanck(0.8, 0.5, domain=COLLAPSING))


def test_a_frame_with_one_end_is_a_galilean_one() -> None:
    """First passage to b + ct with drift a: that to b with a - c, an inverse Gaussian law."""
    b, c, a = 0.9, 0.6, 1.1
    equation = rw.pde.FokkerPlanck(a, 0.5, domain=rw.Interval(-math.inf, e(f"{b} + {c}*t"), None, A))
    frame = rw.pde.MovingFrame(equation)
    law = frame.law(rw.pde.closed_form(frame.resting))
    t = np.array([0.3, 1.0, 4.0])
    inverse = stats.invgauss(1.0 / (b * (a - c)), scale=b**2)
    np.testing.assert_allclose(law.absorbed("right", t), inverse.cdf(t), rtol=1e-9)
    assert law.pdf([1.4999, 1.5001], 1.0)[1] == 0.0 < law.pdf([1.4999], 1.0)[0]
    assert law.mass([-9.0, 1.5], 1.0)[0] == pytest.approx(law.survival(1.0))


def test_a_frame_of_a_drift_that_depends_on_place_and_time() -> None:
    """The solution in the frame against walkers: places and passages in one comparison."""
    domain = rw.Interval(e("-1 - t/2"), e("1 + sin(t)/2"), R, A)
    walk = rw.ItoWalk(e("-x + t"), e("0.3 + 0.1*x**2"), dt=0.01, domain=domain, start=0.2)
    run = rw.simulate(walk, 40_000, [0.7, 1.5], seed=4, bins=np.linspace(-1.6, 1.4, 31), record=[rw.FirstPassage()])
    frame = rw.pde.MovingFrame(rw.pde.limit(walk))
    law = frame.law(rw.pde.solve(frame.resting, times=[0.7, 1.5]))
    assert rw.validate.compare(run, law).passed
    still = rw.pde.FokkerPlanck(e("-x + t"), e("0.3 + 0.1*x**2"), domain=domain.at(0.0), start=0.2)
    wrong = rw.pde.solve(still, times=[0.7, 1.5])
    assert not rw.validate.compare(run, wrong).passed


def test_a_drift_diffusion_model_with_collapsing_bounds() -> None:
    """Its response times against the law of its equation."""
    walk = rw.ItoWalk(drift=0.8, diffusion=0.5, dt=0.01, domain=COLLAPSING)
    run = rw.simulate(walk, 40_000, [3.5], seed=1, record=[rw.FirstPassage()])
    times = run[rw.FirstPassage()]
    frame = rw.pde.MovingFrame(rw.pde.limit(walk))
    law = frame.law(rw.pde.solve(frame.resting, times=[3.5]))
    assert times.censored == 0 and rw.validate.compare(run, law).passed
    assert times.place("right").value == pytest.approx(1.0 - times.mean("right").value / 4.0, rel=1e-12)


@pytest.mark.parametrize(
    ("equation", "words"),
    [
        (rw.pde.FokkerPlanck(0.0, 0.5), "must be an Interval with an end that moves"),
        (
            rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(-1.0, e("1 + t"), rw.PartiallyAbsorbing(1.0), A)),
            "needs a length that does not change",
        ),
    ],
)
def test_frames_that_are_none(equation: rw.pde.FokkerPlanck, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rw.pde.MovingFrame(equation)


def test_a_file_says_how_walls_move(tmp_path: Path) -> None:
    bounds = rw.Interval(e("t/4 - 1"), e("1 - t/4"), A, A)
    disc = (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), e("1 + t")), A, "rim")
    for domain, drift in ((bounds, 0.8), (disc, (0.0, 0.0))):
        start = (0.0, 0.0) if domain.dimension > 1 else 0.0
        walk = rw.ItoWalk(drift, 0.5, dt=0.01, domain=domain, start=start)
        run = rw.simulate(walk, 100, [0.1], seed=1, bins=4)
        run.save(tmp_path / "run.npz")
        assert rw.ItoEnsemble.load(tmp_path / "run.npz").walk.domain == domain
