"""What the finite-difference solver says beyond its limits, and how well backward values are known away from their starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.pde import FokkerPlanck, backward, closed_form, solve
from randwalk.pde.backward import _pose_in_space
from randwalk.pde.solver import arguments, effort, together
from randwalk.pde.solver.backward_family import Backward
from randwalk.pde.solver.dissection import dissected, factorised
from randwalk.pde.solver.forward import Run
from randwalk.pde.solver.mesh import Mesh
from randwalk.pde.solver.schemes import Clock, Scheme
from randwalk.pde.solver.stencil import kept
from randwalk.pde.solver.window import find_mesh
from randwalk.terminal.progress import Stages

HONEST = 4.0  # an estimate may be too small by less than this
SIDE = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
TURNING = FokkerPlanck(lambda x, y: (y - 0.5, 0.5 - x), 0.5, domain=SIDE**2, start=(0.5, 0.5))
SQUARE = FokkerPlanck(0.0, 0.5, domain=SIDE**2, start=(0.5, 0.5))


def refused(tolerance: float) -> str:
    with pytest.raises(ValueError, match=r"^tolerance = .* is out of reach: .* was reached; it would take") as error:
        solve(TURNING, [0.1, 0.3], tolerance=tolerance)
    return str(error.value)


def test_what_is_out_of_reach_is_refused_on_the_third_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before finer levels are run, with a tolerance that can be had."""
    monkeypatch.setattr(effort, "LARGEST_WORK", 5e7)  # 384² cells and 320 steps
    made = list[int]()
    of = Run.of

    def noted(equation: FokkerPlanck, scheme: Scheme, mesh: Mesh, clock: Clock, stages: Stages) -> Run:
        made.append(mesh.cells)
        return of(equation, scheme, mesh, clock, stages)

    monkeypatch.setattr(Run, "of", noted)
    message = refused(1e-12)
    assert made and max(made) < 192
    assert "numbers to be stepped, at most 5e+07" in message
    remedy = float(re.search(r"take tolerance = (\S+)$", message).group(1))  # type: ignore[union-attr]
    assert float(re.search(r"(\S+) was reached", message).group(1)) > remedy  # type: ignore[union-attr]
    assert solve(TURNING, [0.1, 0.3], tolerance=remedy).error_estimate <= remedy


def test_iterations_are_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of steps with a tensor between walls, which take dozens of them: a level that takes minutes is refused before it runs."""
    monkeypatch.setattr(effort, "LARGEST_WORK", 4e7)  # twice the numbers, times steps, of the level that is refused
    monkeypatch.setitem(together.DIRECT, 2, 0)
    strip = rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()) * rw.Line()
    equation = FokkerPlanck(0.0, ((0.5, 0.2), (0.2, 0.4)), domain=strip, start=(0.3, 0.5))
    with pytest.raises(ValueError, match=r"numbers to be stepped, at most 4e\+07") as error:
        solve(equation, [0.1], tolerance=5e-5)
    remedy = float(re.search(r"take tolerance = (\S+)$", str(error.value)).group(1))  # type: ignore[union-attr]
    assert solve(equation, [0.1], tolerance=remedy).error_estimate <= remedy


@pytest.mark.quick
def test_a_tensor_with_a_strong_drift_is_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Péclet 1000: what it refused after minutes, if at all. With a drift a tenth as strong it is solved."""
    walls = rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()) ** 2
    tensor = ((0.81, 0.32), (0.32, 0.44))

    def equation(drift: float) -> FokkerPlanck:
        return FokkerPlanck((drift, 0.3 * drift), tensor, domain=walls, start=(0.3, 0.4))

    with monkeypatch.context() as stepped:
        stepped.setattr(Run, "of", None)
        with pytest.raises(
            ValueError, match=r"numbers to be stepped.*take shorter times, a smaller drift, or simulate"
        ):
            solve(equation(1000.0), [0.1], tolerance=1e-3)
    law = solve(equation(10.0), [0.1], tolerance=5e-3)
    assert law.error_estimate <= 5e-3


def test_work_is_that_of_the_levels_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a tensor without a drift the remedy is a shorter time; a number of cells takes no third level."""
    walls = rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()) ** 2
    still = FokkerPlanck(0.0, ((0.5, 0.2), (0.2, 0.4)), domain=walls, start=(0.3, 0.5))
    monkeypatch.setitem(together.DIRECT, 2, 0)
    monkeypatch.setattr(effort, "LARGEST_WORK", 1e8)
    with pytest.raises(ValueError, match=r"numbers to be stepped.*: take shorter times"):
        solve(still, [100.0], tolerance=0.05)
    assert solve(still, [0.1], tolerance=0.05).error_estimate <= 0.05
    assert solve(still, [100.0], cells=32).mesh.cells == 32


@pytest.mark.quick
def test_no_order_is_made_where_nothing_is_factorised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of systems that iterations solve."""
    monkeypatch.setitem(together.DIRECT, 2, 0)
    monkeypatch.setattr(together, "dissected", None)
    walls = rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()) ** 2
    law = solve(FokkerPlanck(0.0, ((0.5, 0.2), (0.2, 0.4)), domain=walls, start=(0.3, 0.5)), [0.1], cells=32)
    assert law.density.min() >= 0.0


def test_factors_are_held_for_as_many_cells_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for those of one length of steps they are made anew, and the law is the same bit for bit; with coefficients that
    depend on time as many cells are factorised as before, and iterations give the same law to their residual."""
    walls = rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()) ** 2
    tensor = ((0.81, 0.32), (0.32, 0.44))
    strong = FokkerPlanck((10.0, 3.0), tensor, domain=walls, start=(0.3, 0.4))
    made, held = list[float](), list[int]()
    factorised = together.Moves.factorised

    def noted(self: together.Moves, tau: float) -> Callable[[Floats, bool], Floats]:
        made.append(tau)
        return factorised(self, tau)

    def counted(known: dict[Any, Any], *given: Any) -> Any:
        found = kept(known, *given)
        held.extend([len(known)] * (len(given) == 3))  # of factors, which alone are told how many to keep
        return found

    monkeypatch.setattr(together.Moves, "factorised", noted)
    monkeypatch.setattr(together, "kept", counted)
    given: dict[str, Any] = {"times": [0.02, 0.07, 0.3], "cells": 96}
    law, once = solve(strong, **given), len(made)
    assert once > 2 and max(held) > 1
    made.clear()
    held.clear()
    monkeypatch.setattr(together, "ROOM", {2: 1})
    again = solve(strong, **given)
    assert len(made) >= once and max(held) == 1
    np.testing.assert_array_equal(again.density, law.density)
    monkeypatch.setattr(together, "MOVING", {2: 0})
    made.clear()
    moving = FokkerPlanck((rw.expression("10 + 1e-14*t"), 3.0), tensor, domain=walls, start=(0.3, 0.4))
    assert moving.time_dependent and effort.factor_bytes(moving, law.mesh) == 0.0
    assert abs(solve(moving, **given).density - law.density).max() < 1e-8 * law.density.max() and not made


def test_a_tensor_with_a_strong_drift_is_within_reach_by_factors() -> None:
    """Of Péclet 100: the level that shows an error of 1e-3 takes 1/20 of the largest work, not 2/3 as by iterations, and the room
    of its factors is foreseen."""
    walls = rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()) ** 2
    equation = FokkerPlanck((100.0, 30.0), ((0.81, 0.32), (0.32, 0.44)), domain=walls, start=(0.3, 0.4))
    mesh = find_mesh(equation, np.array([0.1]), 1e-6).with_cells(672)
    assert effort.effort(equation, mesh, Clock.equal(np.array([0.1]), 0.1 / 128)) < effort.LARGEST_WORK / 16.0
    assert effort.factor_bytes(equation, mesh) * mesh.size > 0.8e9  # measured


@pytest.mark.quick
def test_factors_in_an_order_by_dissection_are_those_of_the_matrix() -> None:
    """Against NumPy, on a disc of cells and their diagonals; they have no more entries than the order by least degree, three
    times over."""
    places = np.argwhere(np.hypot(*(np.indices((31, 31)) - 15)) < 14)
    near = np.abs(places[:, None] - places[None]).max(axis=2) == 1
    rates = near * np.random.default_rng(1).random(near.shape)
    matrix = sparse.csr_array(np.diag(1.0 + rates.sum(axis=0)) - rates)
    order = dissected(places)
    assert sorted(order.tolist()) == list(range(len(places)))
    b = np.random.default_rng(2).random(len(places))
    solution = factorised(matrix, order)
    assert solution(b, False) == pytest.approx(np.linalg.solve(matrix.toarray(), b), rel=1e-12)
    assert solution(b, True) == pytest.approx(np.linalg.solve(matrix.toarray().T, b), rel=1e-12)
    fewest = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A").L.nnz
    assert splu(matrix[order][:, order].tocsc(), permc_spec="NATURAL").L.nnz < 3.0 * fewest


def test_memory_that_finer_levels_lack_is_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "available", lambda: 2e7)  # half of it is enough for 96² cells, not for 192²
    message = refused(1e-10)
    assert "more than this machine has memory for" in message
    remedy = float(re.search(r"take tolerance = (\S+)$", message).group(1))  # type: ignore[union-attr]
    assert solve(TURNING, [0.1, 0.3], tolerance=remedy).error_estimate <= remedy


@pytest.mark.parametrize("time", [0.1, 1.0])
def test_values_away_from_the_starts_that_were_asked_for(time: float) -> None:
    """The probability of leaving a square by a face jumps in its corners: errors nearby are much larger than at the start, and
    are told so."""
    known = backward(SQUARE, lambda x, y: 0.0 * x * y, time, paid={"left": 1.0}, tolerance=1e-3)
    assert float(known.error((0.5, 0.5))) == pytest.approx(known.error_estimate)
    for place in ((0.5, 0.5), (0.25, 0.25), (0.1, 0.5), (0.1, 0.1), (0.05, 0.1)):
        exact = float(closed_form(SQUARE.with_start(rw.Point(place))).absorbed("left", time))
        assert abs(float(known.value(place)) - exact) <= HONEST * float(known.error(place)), place
    assert float(known.error((0.05, 0.05))) > 100.0 * known.error_estimate


def test_a_ladder_begins_with_steps_that_keep_the_sign() -> None:
    """Of steps that are made again the order is lower: values of Mehler's problem in space then took eight times the cells."""
    killing, payoff = rw.expression("0.5*(x**2 + y**2 + z**2)"), rw.expression("exp(-0.5*(x**2 + y**2 + z**2))")
    equation = FokkerPlanck(0.0, 0.5, domain=rw.Line() ** 3, killing=killing, start=(0.5, 0.0, 0.0))
    mesh, asked, needs, _ = _pose_in_space(equation, payoff, 1.0, [(-0.5, 0.75)] * 3)
    family = Backward(equation, mesh, payoff, {}, 1.0, asked)
    long, short = needs.clock(8), needs.clock(16)
    assert family.run(20, long).redone and not family.run(20, short).redone
    assert family.begun(20, long).steps == short.steps == family.begun(20, short).steps
    u = family.extrapolated(family.run(40, short.refined(2)), family.run(20, short)).solution
    c = 1.0 / np.tanh(1.0) + 1.0
    exact = np.exp(-0.125 / np.tanh(1.0) + 0.125 / np.sinh(1.0) ** 2 / c) * (np.sinh(1.0) * c) ** -1.5
    assert float(u.value((0.5, 0.0, 0.0))) == pytest.approx(float(exact), rel=5e-3)
