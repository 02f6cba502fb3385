"""One question, one answer: every law means the same by a time, a wall, an edge and a unit."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.laws.estimate import exact
from randwalk.pde import closed_form, exact_law, limit, solve, stationary_law

A, R, P = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(0.7)
TIMES = [0.5, 1.0]
WALKERS = 20_000
TOLERANCE = 1e-3

WALKS: dict[str, dict[str, Any]] = {
    "absorbing, reflecting": {"sites": 20, "domain": rw.Interval(0, 2.05, A, R), "start": 1.0},
    "partially absorbing": {"sites": 20, "domain": rw.Interval(0, 2, P, P), "start": 1.05},
    "half-line": {"dx": 0.1, "domain": rw.Interval(0, math.inf, A), "start": 1.0},
    "reflecting": {"sites": 20, "domain": rw.Interval(0, 2, R, R), "start": 1.05, "killing": 0.5},
    "line": {"dx": 0.1},
    "killed on the line": {"dx": 0.1, "killing": 0.5},
    "ring": {"sites": 20, "domain": rw.Ring(0, 2), "start": 0.5},
}
KINDS = ("ensemble", "passages", "exact law", "smoothed law", "solution", "closed form")


def made(name: str) -> rw.LatticeWalk:
    return rw.LatticeWalk.from_drift(0.3, 0.5, times=TIMES, **WALKS[name])


@cache
def law(name: str, kind: str) -> Any:
    walk = made(name)
    kinds: dict[str, Callable[[], Any]] = {
        "ensemble": lambda: rw.simulate(walk, WALKERS, TIMES, seed=1),
        "passages": lambda: rw.simulate(walk, WALKERS, TIMES, seed=1, record=[rw.FirstPassage()]),
        "exact law": lambda: exact_law(walk, TIMES),
        "smoothed law": lambda: exact_law(walk, TIMES).smoothed(),
        "solution": lambda: solve(limit(walk), TIMES, tolerance=TOLERANCE),
        "closed form": lambda: closed_form(limit(walk)),
    }
    return kinds[kind]()


def sampled(kind: str) -> float:
    """Five standard errors of at most ½/√n (one false alarm in 2·10⁶ questions), the step error of a few 1e-3 at dx = 0.1,
    and the tolerance of the solution."""
    return (2.5 / math.sqrt(WALKERS) if kind in ("ensemble", "passages") else 0.0) + 4e-3 + TOLERANCE


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_has_left_and_what_is_left(name: str, kind: str) -> None:
    """Against the closed form; a wall that only reflects, and killing without killing, have 0 and are no error; a wall that is
    not there is refused by all. The shape is that of the times."""
    this, form, domain = law(name, kind), law(name, "closed form"), made(name).domain
    for wall in ("left", "right", "killing"):
        if wall != "killing" and getattr(domain, wall) is None:
            for one in (this, form):
                with pytest.raises(ValueError, match=f"exit = '{wall}'"):
                    one.absorbed(wall, TIMES)
            continue
        want = form.absorbed(wall, TIMES)
        got = exact(this.absorbed(wall, TIMES))
        assert got.shape == (2,) and exact(this.absorbed(wall, 1.0)).shape == ()
        np.testing.assert_allclose(got, want, rtol=0, atol=sampled(kind))
        assert float(this.absorbed(wall, 1.0)) == got[1]
        if getattr(domain, wall, None) == R or (wall == "killing" and "killing" not in WALKS[name]):
            assert (got == 0.0).all() and (want == 0.0).all()
    alive = exact(this.survival(TIMES))
    assert alive.shape == (2,) and exact(this.survival(1.0)).shape == ()
    np.testing.assert_allclose(alive, form.survival(TIMES), rtol=0, atol=sampled(kind))
    for bad in ("up", None, 0):
        with pytest.raises(ValueError, match="exit = "):
            this.absorbed(bad, 1.0)


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("kind", KINDS)
def test_masses(name: str, kind: str) -> None:
    """Bins between the sites; ends may be infinite; all of them hold the survivors."""
    this, form, walk = law(name, kind), law(name, "closed form"), made(name)
    edges = walk.lattice.x(np.array([4, 8, 12])) + 0.5 * walk.dx
    got = exact(this.mass(edges, 1.0))
    np.testing.assert_allclose(got, form.mass(edges, 1.0), rtol=0, atol=sampled(kind))
    assert float(this.mass([-math.inf, math.inf], 1.0)[0]) == pytest.approx(float(this.survival(1.0)), abs=1e-9)
    for bad in ([1.0], [1.0, 0.0], [0.0, math.nan], [[0.0, 1.0]]):
        with pytest.raises(ValueError, match=r"edges must be|edges = nan"):
            this.mass(bad, 1.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["half-line", "killed on the line"])
def test_times_that_are_none(name: str, kind: str) -> None:
    this, wall = law(name, kind), "left" if name == "half-line" else "killing"
    wrong: list[Any] = [math.nan, -1.0, [0.5, math.nan]]
    for bad in wrong:
        for ask in (this.survival, lambda t: this.absorbed(wall, t), lambda t: this.mass([0.0, 1.0], t)):
            with pytest.raises((ValueError, TypeError), match=r"^t\b"):
                ask(bad)
    nothing: list[Any] = ["noon", None, 1j, {}]
    for bad in nothing:
        for ask in (this.survival, lambda t: this.absorbed(wall, t), lambda t: this.mass([0.0, 1.0], t)):
            with pytest.raises(TypeError, match=r"^t = "):
                ask(bad)
    if kind != "closed form":
        with pytest.raises(ValueError, match=r"t = 0\.77 was not recorded"):
            this.mass([0.0, 1.0], 0.77)
        with pytest.raises(ValueError, match=r"t = 2\b"):
            this.absorbed(wall, 2.0)


def test_between_steps_a_lattice_law_answers_with_the_last_step() -> None:
    """A fair walk from 0 between absorbing walls at ±5, one step a unit of time: 2·2⁻⁵ by step 5, and nobody before it."""
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=rw.Interval(-5, 5, A, A))
    run = rw.simulate(walk, 1000, [6], seed=1, record=[rw.FirstPassage()])
    for this in (exact_law(walk, [6]), exact_law(walk, [6]).smoothed(), run):
        assert exact(this.absorbed("left", [0.0, 4.51, 4.999])).tolist() == [0.0, 0.0, 0.0]
        assert float(this.absorbed("left", 5.0)) == float(this.absorbed("left", 5.9)) > 0.0
        assert exact(this.survival([4.999, 5.0])).tolist()[0] == 1.0


UNITS = [(1e-6, 1e-9), (1e6, 1e6), (1e-9, 1e3)]


def in_units(name: str, length: float, time: float) -> rw.LatticeWalk:
    """The same walk, written in a unit of length and of time."""
    given = dict(WALKS[name])
    domain = given.pop("domain", rw.Line())
    speed = length / time

    def wall(kind: Any) -> Any:
        return rw.PartiallyAbsorbing(kind.reactivity * speed) if kind == P else kind

    if isinstance(domain, rw.Interval):
        domain = rw.Interval(domain.low * length, domain.high * length, wall(domain.left), wall(domain.right))
    elif isinstance(domain, rw.Ring):
        domain = rw.Ring(domain.low * length, domain.high * length)
    start = given.pop("start", 0.0) * length
    killing = given.pop("killing", 0.0) / time
    scaled = {key: value * length if key == "dx" else value for key, value in given.items()}
    return rw.LatticeWalk.from_drift(
        0.3 * speed, 0.5 * length**2 / time, domain=domain, start=start, killing=killing,
        times=[t * time for t in TIMES], **scaled,
    )  # fmt: skip


@pytest.mark.parametrize(("length", "time"), UNITS)
@pytest.mark.parametrize("name", WALKS)
def test_units_change_nothing(name: str, length: float, time: float) -> None:
    """Walk, exact law, solution, closed form and comparison: the same numbers, to rounding."""
    walk, scaled = made(name), in_units(name, length, time)
    assert walk.steps(TIMES) == scaled.steps([t * time for t in TIMES])
    edges = walk.lattice.x(np.array([2, 5, 9, 14])) + 0.5 * walk.dx
    t = time * 1.0
    pairs: list[tuple[Any, Any, float]] = [
        (law(name, "exact law"), exact_law(scaled, [v * time for v in TIMES]), 1e-12),
        (law(name, "solution"), solve(limit(scaled), [v * time for v in TIMES], tolerance=TOLERANCE), 1e-6),
        (law(name, "closed form"), closed_form(limit(scaled)), 1e-12),
    ]  # fmt: skip
    for one, other, close in pairs:
        np.testing.assert_allclose(other.mass(edges * length, t), one.mass(edges, 1.0), rtol=0, atol=close)
        assert float(other.survival(t)) == pytest.approx(float(one.survival(1.0)), abs=close)
        for wall in ("left", "right"):
            if getattr(walk.domain, wall) is not None:
                got, want = float(other.absorbed(wall, t)), float(one.absorbed(wall, 1.0))
                assert got == pytest.approx(want, abs=close)
        if hasattr(one, "mean") and (isinstance(walk.domain, rw.Line) or not hasattr(one, "law")):
            assert float(other.mean(t)) / length == pytest.approx(float(one.mean(1.0)), abs=3 * close)
    run = rw.simulate(scaled, WALKERS, [v * time for v in TIMES], seed=1)
    result = rw.validate.compare(run, exact_law(scaled, [v * time for v in TIMES]))
    plain = rw.validate.compare(law(name, "ensemble"), law(name, "exact law"))
    assert result.passed  # a false alarm once in 1000 seeds, and the seed is fixed
    assert result.p_value == pytest.approx(plain.p_value, rel=0.05, abs=0.01)


@pytest.mark.parametrize(("length", "time"), UNITS)
@pytest.mark.parametrize("name", ["ring", "reflecting"])
def test_units_change_no_stationary_law(name: str, length: float, time: float) -> None:
    def alive(walk: rw.LatticeWalk) -> rw.LatticeWalk:
        return rw.LatticeWalk(walk.right, walk.left, dx=walk.dx, dt=walk.dt, domain=walk.domain, start=walk.start)

    one, other = stationary_law(alive(made(name))), stationary_law(alive(in_units(name, length, time)))
    np.testing.assert_allclose(other.pmf, one.pmf, rtol=1e-6)
    assert other.mean() / length == pytest.approx(one.mean(), rel=1e-6)
    assert other.variance() / length**2 == pytest.approx(one.variance(), rel=1e-6)
