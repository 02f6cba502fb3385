"""Keyword-only arguments, which one release still takes by position."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.inputs.keywords import once_positional

OLD: Any = rw  # without types: the calls below are those of 0.3
WALK = rw.LatticeWalk(0.5, 0.5, dx=1.0)
HEAT = rw.pde.FokkerPlanck(0.0, 0.5)
BETWEEN = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
BOX = rw.pde.FokkerPlanck(0.0, 0.5, domain=BETWEEN, start=0.5)
RING = rw.LatticeWalk(0.3, 0.2, sites=5, domain=rw.Ring(0.0, 1.0))

# a call of 0.3, the same call by keywords, and the keywords that the warning names
CALLS: dict[str, tuple[Callable[[], Any], Callable[[], Any], str]] = {
    "LatticeWalk": (
        lambda: OLD.LatticeWalk(0.3, 0.2, 0.25, 1.0, BETWEEN, 0.5, 0.1),
        lambda: rw.LatticeWalk(0.3, 0.2, dx=0.25, dt=1.0, domain=BETWEEN, start=0.5, killing=0.1),
        "dx=..., dt=..., domain=..., start=..., killing=...",
    ),
    "LatticeWalk.from_drift": (
        lambda: OLD.LatticeWalk.from_drift(0.1, 0.5, 0.1, 0.01),
        lambda: rw.LatticeWalk.from_drift(0.1, 0.5, dx=0.1, dt=0.01),
        "dx=..., dt=...",
    ),
    "FokkerPlanck": (
        lambda: OLD.pde.FokkerPlanck(0.1, 0.5, BETWEEN, 0.5, 0.3),
        lambda: rw.pde.FokkerPlanck(0.1, 0.5, domain=BETWEEN, start=0.5, killing=0.3),
        "domain=..., start=..., killing=...",
    ),
    "walk_for": (
        lambda: OLD.pde.walk_for(HEAT, 0.1),
        lambda: rw.pde.walk_for(HEAT, dx=0.1),
        "dx=...",
    ),
    "Problem": (
        lambda: OLD.Problem(WALK, (3.0,), 70, 4),
        lambda: rw.Problem(WALK, (3.0,), walkers=70, seed=4),
        "walkers=..., seed=...",
    ),
    "simulate": (
        lambda: OLD.simulate(WALK, 70, [3.0], 4, "paths").counts.tolist(),
        lambda: rw.simulate(WALK, 70, [3.0], seed=4, method="paths").counts.tolist(),
        "seed=..., method=...",
    ),
    "explain": (
        lambda: OLD.explain(WALK, 70, [3.0], [rw.Maximum()]).method,
        lambda: rw.explain(WALK, 70, [3.0], record=[rw.Maximum()]).method,
        "record=...",
    ),
    "trajectories": (
        lambda: OLD.trajectories(WALK, 2, [3.0], 5).x.tolist(),
        lambda: rw.trajectories(WALK, 2, [3.0], seed=5).x.tolist(),
        "seed=...",
    ),
    "solve": (
        lambda: OLD.pde.solve(HEAT, [1.0], 1e-2).survival(1.0),
        lambda: rw.pde.solve(HEAT, [1.0], tolerance=1e-2).survival(1.0),
        "tolerance=...",
    ),
    "backward": (
        lambda: OLD.pde.backward(BOX, np.cos, 0.1, 1e-2).value(0.5),
        lambda: rw.pde.backward(BOX, np.cos, 0.1, tolerance=1e-2).value(0.5),
        "tolerance=...",
    ),
    "mean_exit_time": (
        lambda: OLD.pde.mean_exit_time(BOX, 1e-2).value(0.5),
        lambda: rw.pde.mean_exit_time(BOX, tolerance=1e-2).value(0.5),
        "tolerance=...",
    ),
    "exit_probability": (
        lambda: OLD.pde.exit_probability(BOX, "left", 1e-2).value(0.5),
        lambda: rw.pde.exit_probability(BOX, "left", tolerance=1e-2).value(0.5),
        "tolerance=...",
    ),
    "exact_law": (
        lambda: OLD.pde.exact_law(WALK, [900.0], 1e-3).sites.size,
        lambda: rw.pde.exact_law(WALK, [900.0], leak=1e-3).sites.size,
        "leak=...",
    ),
    "stationary_law": (
        lambda: OLD.pde.stationary_law(RING, None).mean,
        lambda: rw.pde.stationary_law(RING, window=None).mean,
        "window=...",
    ),
    "compare": (
        lambda: OLD.validate.compare(rw.pde.exact_law(WALK, [9.0]), rw.pde.exact_law(WALK, [9.0]), 1e-3),
        lambda: rw.validate.compare(rw.pde.exact_law(WALK, [9.0]), rw.pde.exact_law(WALK, [9.0]), alpha=1e-3),
        "alpha=...",
    ),
}


def outcome(call: Callable[[], Any]) -> object:
    """The value of a call, or the text of its refusal."""
    try:
        return repr(call())
    except (TypeError, ValueError) as error:
        return str(error)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_by_position_goes_on_and_names_the_keywords(name: str) -> None:
    old, new, keywords = CALLS[name]
    with pytest.warns(DeprecationWarning) as caught:
        before = outcome(old)
    assert before == outcome(new)
    message = str(caught[0].message)
    assert message == f"{name}() takes by keyword since 0.4 what is given by position here: write {keywords}"
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "function",
    [
        rw.LatticeWalk, rw.LatticeWalk.from_drift, rw.pde.FokkerPlanck, rw.pde.walk_for, rw.simulate, rw.explain,
        rw.trajectories, rw.pde.solve, rw.pde.backward, rw.pde.exact_law, rw.validate.validate, rw.gallery.save,
        rw.Ensemble.extend, rw.Ensemble.resume,
    ],
)  # fmt: skip
def test_signatures_show_keyword_only_parameters(function: Callable[..., Any]) -> None:
    parameters = inspect.signature(function).parameters.values()
    named = [p.name for p in parameters if p.name != "self"]
    optional = [p for p in parameters if p.default is not p.empty]
    # the first arguments of validate() and gallery.save(), and the steps of a walk in one dimension
    by_position = {"names", "chosen", "out", "right", "left"}
    assert named
    assert all(p.kind is p.KEYWORD_ONLY for p in optional if p.name not in by_position)


@once_positional("b", "c")
def joined(a: int, *, b: int = 0, c: int = 0, new: int = 0) -> tuple[int, ...]:
    return a, b, c, new


def test_only_what_was_positional_is_taken() -> None:
    call: Any = joined
    with pytest.warns(DeprecationWarning, match=r"write b=\.\.\., c=\.\.\.$"):
        assert call(1, 2, 3, new=4) == (1, 2, 3, 4)
    assert joined(1, c=3) == (1, 0, 3, 0)
    with pytest.raises(TypeError, match="takes 1 positional argument but 4"):
        call(1, 2, 3, 4)
    with pytest.raises(TypeError, match="multiple values for argument 'b'"):
        call(1, 2, b=3)


def test_a_former_keyword_goes_on_and_names_the_new_one() -> None:
    record = rw.FirstPassage()
    walk = rw.LatticeWalk(0.5, 0.5, dx=0.25, domain=BETWEEN, start=0.5)
    passages: Any = rw.simulate(walk, 70, [9.0], record=[record])[record]
    smooth: Any = rw.pde.exact_law(walk, [9.0]).smoothed()
    form: Any = rw.pde.closed_form(BOX)
    calls: list[tuple[Callable[..., Any], str]] = [
        (lambda **given: float(passages.mean(**given)), "Passages.mean"),
        (lambda **given: float(smooth.passage_curve(**given)(4.0)), "SmoothedLaw.passage_curve"),
        (lambda **given: float(form.first_passage_density(t=1.0, **given)), "ClosedForm.first_passage_density"),
    ]
    for call, name in calls:
        with pytest.warns(DeprecationWarning, match=rf"{name}\(\) has exit= since 0\.4 for wall=") as caught:
            assert call(wall="left") == call(exit="left")
        assert caught[0].filename == __file__
        with pytest.warns(DeprecationWarning), pytest.raises(TypeError, match="give exit= alone"):
            call(wall="left", exit="left")


def test_warnings_point_at_the_line_that_called() -> None:
    quick = rw.LatticeWalk.from_drift(0.0, rw.expression("0.5 + 0.4*sin(100*t)"), dx=1.0, dt=0.5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rw.pde.exact_law(quick, [1.0])
    assert [w.filename for w in caught] == [__file__]
