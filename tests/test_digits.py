"""Probabilities of 62 binary digits: where the first 31 tie the others decide, and small probabilities keep their digits."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import randwalk as rw
from randwalk.tables.table import StepTable

from . import naive
from .test_stream import same
from .ties import FULL, HIGH, ROOM, SEED, WALKS, on_both_sides, steps_taken, uniform

OLD = Path(__file__).parent / "data"
ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()


# ---------------------------------------------------------------- ties of 31 digits


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("n", [0, 13, 70])
def test_the_last_31_digits_decide_ties(name: str, n: int) -> None:
    """Step n of a walker whose uniform lies between two neighbouring numbers: the one probability takes the step, the other
    does not. All kernels: endpoints, first passages, functionals."""
    if n and name in ("right, p", "left, p", "right, p(x)"):
        return  # walkers leave before
    for walker in (5, 2**33 + 1):
        kept: list[list[Any]] = [[], [rw.FirstPassage()], [rw.Maximum()]]
        for records in kept:
            assert steps_taken(name, walker, n, records) == [False, True]
        for p, taken in zip(on_both_sides(uniform(name, walker, n)), (False, True), strict=True):
            places = naive.path(WALKS[name](p, n), walker, n + 1, SEED)
            assert (places[n] != places[n + 1]) == taken


IGNORED = """
from tests.faults import replace_device
replace_device("randwalk.kernels.step", "after", lambda found, given: found | ((1 << 31) - 1))
from tests.ties import steps_taken
print([steps_taken(name, 5, 0, []) for name in ("right, p", "right on the line")])
"""


def test_ties_decided_by_31_digits_alone_do_not_go_unnoticed(tmp_path: Path) -> None:
    """The physics changed on purpose: the last 31 digits are not looked at."""
    environment = {**os.environ, "RANDWALK_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(OLD.parents[1])}
    done = subprocess.run(
        [sys.executable, "-P", "-c", IGNORED], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[[False, False], [False, False]]"


def test_the_last_31_digits_decide_who_is_killed() -> None:
    """Walkers with a first uniform near 1, and killing probabilities that differ from what is left by 10⁻¹⁵."""
    walkers = [w for w in range(20_000) if naive.table_uniform(w, 0, SEED) > FULL - FULL // 2**12][:3]
    assert len(walkers) == 3
    for walker in walkers:
        left = FULL - naive.table_uniform(walker, 0, SEED)  # K ≥ left kills
        assert 8192 < left % HIGH < HIGH - 8192
        for units, dies in ((left - 4096, False), (left + 4096, True)):
            for domain in (rw.Line(), ROOM):
                walk = rw.LatticeWalk(0.0, 0.0, dx=1.0, dt=1.0, domain=domain, killing=-math.log1p(-units / FULL))
                run = rw.simulate(walk, range(walker, walker + 1), [1.0], seed=SEED, method="paths")
                assert run.raw[0, [0, -2, -1]].tolist() == [0, 0, int(dies)]
                assert (naive.path(walk, walker, 1, SEED)[1] == "killed") == dies


# ---------------------------------------------------------------- what small probabilities do


def test_a_small_killing_kills() -> None:
    """1.78e-10 a step, 10⁶ steps: 1 - exp(-1.78e-4) by the law, whose million products are rounded, and by 10¹² walkers."""
    room = rw.Interval(0, 8, REFLECT, REFLECT)
    walk = rw.LatticeWalk(0.25, 0.25, dx=1.0, dt=0.1, killing=1.78e-9, domain=room, start=0.5)
    dead = -math.expm1(-1.78e-4)
    law = rw.pde.exact_law(walk, [1e5])
    assert float(law.absorbed("killing", 1e5)) == pytest.approx(dead, rel=1e-9)
    run = rw.simulate(walk, 10**12, [1e4], seed=SEED, method="occupation")
    share = -math.expm1(-1.78e-5)
    z = (int(run.raw[0, -1]) - 1e12 * share) / math.sqrt(1e12 * share)
    assert abs(z) < stats.norm.isf(0.5e-6)


def test_a_small_step_is_made() -> None:
    """Nobody returns: who has stepped is at the wall, 1 - (1 - 1e-9)ⁿ of all."""
    walk = rw.LatticeWalk(1e-9, 0.0, dx=1.0, dt=1.0, domain=rw.Interval(-1, 1, ABSORB, ABSORB))
    steps, passed = 10**7, -math.expm1(1e7 * math.log1p(-1e-9))
    assert passed == pytest.approx(9.950e-3, rel=1e-4)
    assert float(rw.pde.exact_law(walk, [float(steps)]).absorbed("right", steps)) == pytest.approx(passed, rel=1e-9)


def test_a_true_stay_is_kept_and_a_rounded_one_is_none() -> None:
    def stay(right: float, left: float) -> Fraction:
        walk = rw.LatticeWalk(right, left, dx=1.0, dt=1.0)
        _, _, stays, killed = StepTable(walk, ((-2, 5),)).probabilities()
        assert (killed == 0.0).all() and (stays == stays[0]).all()
        return Fraction(float(stays[0]))

    for p in (0.5, 0.25, 0.3, 1 / 3, 0.9):
        for q in (1.0 - p, math.nextafter(1.0 - p, 0.0), 1.0 - p - 2.0**-51):
            assert stay(p, q) == 0
        left = 1.0 - p - 1e-10
        assert stay(p, left) == 1 - Fraction(p) - Fraction(left)


def test_the_law_comes_as_near_to_its_equation_as_the_lattice_is_fine() -> None:
    """Brownian motion with drift between absorbing walls by a walk of fourth order: E[cos(πX/2)] of those that are left, against
    the closed form. With probabilities of 31 digits the error stopped at 1e-8."""
    equation = rw.pde.FokkerPlanck(drift=1.0, diffusion=0.5, domain=rw.Interval(-1, 1, ABSORB, ABSORB))
    form, t = rw.pde.closed_form(equation), 0.25

    def f(x: Any) -> Any:
        return np.cos(0.5 * np.pi * x)

    true = quad(lambda x: f(x) * form.pdf(x, t), -1, 1, epsabs=1e-13)[0]
    errors = [
        rw.pde.exact_law(rw.pde.walk_for(equation, dx=1 / n, dt=1 / (3 * n**2)), [t]).expect(f, t) - true
        for n in (8, 16, 32, 64, 128)
    ]
    orders = -np.diff(np.log2(np.abs(errors)))
    assert abs(errors[-1]) < 2e-10 and (np.abs(orders - 4.0) < 0.1).all()


# ---------------------------------------------------------------- ensembles of version 2


@pytest.mark.parametrize("name", ["paths", "occupation", "jump"])
def test_ensembles_of_version_2_are_continued_where_their_walk_draws_the_same(name: str) -> None:
    """Probabilities ⅜ and ¼: what 0.3.0 drew and saved is what is drawn today."""
    old = rw.Ensemble.load(OLD / f"stream_2_{name}.npz")
    again = rw.simulate(old.walk, 40, [5.0, 30.0], seed=11, method=name, record=list(old.records))
    same(old, again)
    same(old.extend(60), again.extend(60))
    same(old.resume([31.0]), again.resume([31.0]))
    part = rw.simulate(old.walk, range(40, 50), [5.0, 30.0], seed=11, method=name, record=list(old.records))
    same(old.merge(part), again.merge(part))


def test_other_ensembles_of_version_2_are_read_and_not_continued() -> None:
    old = rw.Ensemble.load(OLD / "stream_2_others.npz")
    assert old.stream == 2 and old.walkers == 40 and old.raw.sum() == 80
    message = "from version 2 of the random stream and would go on from version 3"
    with pytest.raises(ValueError, match=message):
        old.extend(60)
    with pytest.raises(ValueError, match=message):
        old.resume([31.0])
    part = rw.simulate(old.walk, range(40, 50), [5.0, 30.0], seed=11, method="paths")
    with pytest.raises(ValueError, match="differ in stream: 2 and 3"):
        old.merge(part)
