"""What no right walk can do is seen at once, however few walkers do it: places and passages of probability 0, and walkers in
continuous space that are alike in every digit."""

from __future__ import annotations

import numpy as np
import pytest

import randwalk as rw
from randwalk.run.results import Passages
from randwalk.validate import compare
from randwalk.validate.levels import _alike, level, quantities

WALK = rw.LatticeWalk(
    0.48, 0.52, dx=1.0, dt=1.0, domain=rw.Interval(0.0, 20.0, rw.Absorbing(), rw.Absorbing()), start=5.0
)


def test_a_passage_at_a_step_that_is_not_made() -> None:
    """From 5 of 20 the right end is reached after odd numbers of steps alone; classes of times hide a step more."""
    run = rw.simulate(WALK, 20_000, [60.0], seed=1, record=[rw.FirstPassage()])
    law = rw.pde.exact_law(WALK, [60.0])
    assert compare(run, law).passed and not any("probability 0" in check.name for check in compare(run, law).checks)
    (record,) = run.records.values()
    assert isinstance(record, Passages)
    record.counts.setflags(write=True)
    record.counts[:, 1] = np.roll(record.counts[:, 1], 1)
    (check,) = (check for check in compare(run, law).checks if "probability 0" in check.name)
    assert check.p_value == 0.0 and check.statistic == record.counts[:, 1].sum() > 0


@pytest.mark.parametrize(("places", "alike"), [([0.1, 0.3, 0.1, 0.1], 2), ([0.1, 0.2], 0), ([0.5, 0.5, 0.5], 0)])
def test_walkers_at_one_place(places: list[float], alike: int) -> None:
    assert _alike(np.array(places)) == alike


@pytest.mark.parametrize("increments", [rw.TwoPoint(), rw.ThreePoint(), rw.Gaussian()])
def test_walkers_that_may_be_alike_are_not_judged_by_it(increments: object) -> None:
    """Two-point increments have few places in three steps, and a step that begins on a wall may stay on it."""
    walk = rw.ItoWalk(lambda x: -x, 0.5, dt=0.1, start=0.3, increments=increments)  # type: ignore[arg-type]
    walls = rw.ItoWalk(0.0, 0.5, dt=0.25, start=0.3, domain=rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()))
    for each, until in ((walk, 0.4), (walls, 2.0)):
        law = rw.pde.solve(rw.pde.limit(each), [until], tolerance=1e-3)
        wanted = quantities(each, [until], law)
        assert level(each, each.steps([until]), wanted, 2000, 1, 1.0, 1).alike == 0
