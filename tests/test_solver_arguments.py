"""What solvers refuse, before anything runs: the message names the argument and the value, and its remedy works."""

import math
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.pde import (
    FokkerPlanck,
    backward,
    closed_form,
    exit_probability,
    limit,
    mean_exit_time,
    modified,
    solve,
    walk_for,
)  # fmt: skip

BOX = FokkerPlanck(1.0, 0.5, domain=rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing()), start=0.4)


def cosine(x: Any) -> Any:
    return np.cos(x)


WITH_TOLERANCE: dict[str, Callable[[Any], object]] = {
    "solve": lambda value: solve(BOX, [0.1], tolerance=value),
    "solve, cells given": lambda value: solve(BOX, [0.1], tolerance=value, cells=64),
    "backward": lambda value: backward(BOX, cosine, 0.1, tolerance=value),
    "mean_exit_time": lambda value: mean_exit_time(BOX, tolerance=value),
    "exit_probability": lambda value: exit_probability(BOX, "left", tolerance=value),
}
OF_EQUATION: dict[str, Callable[[Any], object]] = {
    "solve": lambda value: solve(value, [0.1]),
    "backward": lambda value: backward(value, cosine, 0.1),
    "mean_exit_time": lambda value: mean_exit_time(value),
    "exit_probability": lambda value: exit_probability(value, "left"),
    "closed_form": lambda value: closed_form(value),
    "walk_for": lambda value: walk_for(value, dx=0.1),
}
OF_WALK: dict[str, Callable[[Any], object]] = {"limit": limit, "modified": modified}
NO_NUMBERS: list[Any] = [None, "1e-4", [1e-4], np.array([1e-4, 1e-3]), True, 1j]


@pytest.mark.parametrize("call", WITH_TOLERANCE.values(), ids=WITH_TOLERANCE)
@pytest.mark.parametrize("value", [*NO_NUMBERS, math.nan, math.inf, 0.0, -1e-3, 1.0, 2, 1e-13])
def test_tolerances(call: Callable[[Any], object], value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^tolerance = "):
        call(value)


@pytest.mark.parametrize("call", OF_EQUATION.values(), ids=OF_EQUATION)
@pytest.mark.parametrize("value", [None, 1.0, "box", rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), FokkerPlanck], ids=str)
def test_equations(call: Callable[[Any], object], value: Any) -> None:
    with pytest.raises(TypeError, match=r"^equation = .*FokkerPlanck"):
        call(value)


@pytest.mark.parametrize("call", OF_WALK.values(), ids=OF_WALK)
@pytest.mark.parametrize("value", [None, 1.0, "walk", BOX, rw.LatticeWalk], ids=str)
def test_walks(call: Callable[[Any], object], value: Any) -> None:
    with pytest.raises(TypeError, match=r"^walk = .*LatticeWalk"):
        call(value)


@pytest.mark.parametrize("x", ["ab", None, 1j, math.nan, [0.1, math.nan], {0.1}, True])
@pytest.mark.parametrize(("name", "of"), [("pdf", "x"), ("cdf", "x"), ("mass", "edges"), ("value", "x")])
def test_places_in_answers(name: str, of: str, x: Any) -> None:
    law, payoff = solve(BOX, [0.1], tolerance=1e-2), backward(BOX, cosine, 0.1, tolerance=1e-2)
    with pytest.raises((TypeError, ValueError), match=rf"^{of} "):
        payoff.value(x) if name == "value" else getattr(law, name)(x, 0.1)


@pytest.mark.parametrize("wall", [None, 1, ["left"], np.array(["left", "right"]), "top"])
def test_walls_in_answers(wall: Any) -> None:
    with pytest.raises(ValueError, match=r"^exit = .*must be one of 'left', 'right', 'killing'"):
        solve(BOX, [0.1], tolerance=1e-2).absorbed(wall, 0.1)


@pytest.mark.parametrize("wall", [None, ["left"], np.array(["left", "right"])])
def test_walls_of_a_closed_form(wall: Any) -> None:
    with pytest.raises(ValueError, match=r"^exit = "):
        closed_form(BOX).absorbed(wall, 0.1)


@pytest.mark.parametrize("x", ["a", None, math.nan, [0.1]])
def test_places_of_a_modified_equation(x: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^x = "):
        modified(rw.LatticeWalk(0.5, 0.5, dx=0.1, dt=0.01)).moment_rates(x)


def test_ring() -> None:
    """Nothing is at infinity, and a place outside of the part that was asked for is not one inside of it."""
    ring = FokkerPlanck(1.0, 0.1, domain=rw.Ring(0.0, 1.0), start=0.5)
    assert solve(ring, [0.1], tolerance=1e-2).pdf([-math.inf, math.inf], 0.1).tolist() == [0.0, 0.0]
    part = backward(ring, cosine, 0.1, over=(0.2, 0.4))
    np.testing.assert_allclose(part.value([1.3, -0.6]), part.value([0.3, 0.4]), rtol=1e-12)
    with pytest.raises(ValueError, match=r"^x = 0\.7"):
        part.value(0.7)


@pytest.mark.parametrize("cells", [100.0, 101, 14, 0, -100, "100", [100], True, math.nan])
def test_cells(cells: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^cells = "):
        solve(BOX, [0.1], cells=cells)


def test_memory_is_refused_with_a_number_of_cells_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("randwalk.inputs.memory", "randwalk.pde.solver.arguments"):
        monkeypatch.setattr(f"{module}.available", lambda: 2.0**22)
    with pytest.raises(
        MemoryError, match=r"1000000 cells and 1 recorded times needs .* GiB.* at most \d+ cells"
    ) as told:
        solve(BOX, [0.1], cells=10**6)
    most = int(str(told.value).split("at most ")[1].split()[0])
    assert solve(BOX, [0.1], cells=most).x.size == most
    with pytest.raises(MemoryError, match=r"16 cells and 10000 recorded times needs .*record fewer times"):
        solve(BOX, np.linspace(0.1, 0.2, 10**4))


@pytest.mark.parametrize(
    "times",
    [None, "1", [], [[0.1, 0.2]], [[0.1], [0.2, 0.3]], [0.1, math.nan], [math.inf], [0.0, 1.0], [-1.0], [0.2, 0.1], [0.1, 0.1],
     ["0.1"], True, 1j, {0.1}],
)  # fmt: skip
def test_times(times: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^times"):
        solve(BOX, times)


@pytest.mark.parametrize("scheme", ["CrankNicolson", rw.pde.CrankNicolson, 2, object(), False])
def test_schemes(scheme: Any) -> None:
    with pytest.raises(TypeError, match=r"^scheme = .*give BackwardEuler\(\), CrankNicolson\(\) or SDIRK2\(\)"):
        solve(BOX, [0.1], scheme=scheme)


@pytest.mark.parametrize("time", [*NO_NUMBERS, math.nan, math.inf, 0.0, -1.0])
def test_time_of_a_backward_problem(time: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^time = "):
        backward(BOX, cosine, time)


@pytest.mark.parametrize("name", ["left", "right", "killed"])
@pytest.mark.parametrize("value", [*NO_NUMBERS, math.nan, math.inf])
def test_what_is_paid(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^{name} = "):
        backward(BOX, cosine, 0.1, **{name: value})


@pytest.mark.parametrize(
    "over", [1.0, "ab", (0.1,), (0.2, 0.1), (0.1, math.nan), (-1.0, 0.5), (0.1, 0.2, 0.3), [[0.1, 0.2]]]
)
def test_range_of_starts(over: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^over = "):
        backward(BOX, cosine, 0.1, over=over)


@pytest.mark.parametrize("payoff", [math.nan, None, "x"])
def test_payoffs(payoff: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^payoff"):
        backward(BOX, payoff, 0.1)


@pytest.mark.parametrize("wall", ["up", None, 0, ["left"]])
def test_walls(wall: Any) -> None:
    with pytest.raises(ValueError, match=r"^wall = "):
        exit_probability(BOX, wall)


def test_a_tolerance_out_of_reach_names_one_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few cells and steps are allowed here, so that the remedy can be followed quickly."""
    for module, name in (
        ("solver.needs", "LARGEST_CELLS"),
        ("solver.needs", "LARGEST_STEPS"),
        ("backward", "LARGEST_CELLS"),
    ):
        monkeypatch.setattr(sys.modules[f"randwalk.pde.{module}"], name, 512)
    calls: list[Callable[[float], Any]] = [
        lambda tolerance: solve(BOX, [0.05, 0.5], tolerance=tolerance),
        lambda tolerance: solve(
            FokkerPlanck(0.0, 1.0, domain=rw.Ring(0.0, 1.0), start=0.2), [0.01], tolerance=tolerance
        ),
        lambda tolerance: backward(BOX, cosine, 0.1, tolerance=tolerance),
        lambda tolerance: mean_exit_time(BOX, tolerance=tolerance),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"^tolerance = 1e-10 is out of reach: .*take tolerance = ") as refused:
            call(1e-10)
        remedy = float(re.search(r"take tolerance = (\S+)$", str(refused.value)).group(1))  # type: ignore[union-attr]
        assert (
            call(remedy).error_estimate <= 1.01 * remedy
        )  # |cos| ≤ 1 is what backward's is relative to; exit times are below 1


def test_too_few_cells_to_show_anything_are_refused_with_a_number_that_is_enough() -> None:
    ring = FokkerPlanck(1.0, 1.0 / 100.0, domain=rw.Ring(0.0, 1.0), start=0.2)
    with pytest.raises(ValueError, match=r"^cells = 16: too few .* take cells = \d+ or more") as refused:
        solve(ring, [1.0], cells=16)
    enough = int(re.search(r"cells = (\d+) or", str(refused.value)).group(1))  # type: ignore[union-attr]
    assert solve(ring, [1.0], cells=enough).x.size == enough


def test_quicker_changes_than_steps_can_follow_are_refused() -> None:
    fast = FokkerPlanck(
        rw.expression("sin(1e8*t)"), 0.5, domain=rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Absorbing()), start=0.4
    )
    for call in (lambda: solve(fast, [1.0]), lambda: backward(fast, cosine, 1.0)):
        with pytest.raises(
            ValueError, match=r"times up to 1 would take more than 2e\+08 steps .* take times up to 0.00066"
        ):
            call()
