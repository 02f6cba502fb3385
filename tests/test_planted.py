"""Errors planted in the running package by replacing functions: which rungs of validation catch each.

A planted error must be caught by the rungs that are named and by no others, and the package without one must pass.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from randwalk.kernels.program import FULL
from randwalk.model.bond import BondMean
from randwalk.model.convention import Convention
from randwalk.pde import FokkerPlanck
from randwalk.validate import Report, load_case, validate_problem

from .faults import Function, replace

TABLE, OUTLET = "randwalk.tables.table", "randwalk.model.outlet"


def changed(wrong: Callable[..., Any]) -> Callable[[Function], Function]:
    """The function whose result is wrong(result, arguments by name) of the right one's."""

    def change(right: Function) -> Function:
        def planted(*arguments: Any, **named: Any) -> Any:
            call = inspect.signature(right).bind(*arguments, **named)
            call.apply_defaults()
            return wrong(right(*arguments, **named), call.arguments)

        return planted

    return change


def called(wrong: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Function], Function]:
    """The function that is called with other arguments: `wrong` gives those that change, from all of them by name."""

    def change(right: Function) -> Function:
        def planted(*arguments: Any, **named: Any) -> Any:
            call = inspect.signature(right).bind(*arguments, **named)
            call.apply_defaults()
            call.arguments.update(wrong(call.arguments))
            return right(*call.args, **call.kwargs)

        return planted

    return change


def of_simulation(patch: pytest.MonkeyPatch, owner: str, name: str, change: Callable[[Function], Function]) -> None:
    """Replace a function while ensembles are simulated, not while the exact law is computed."""

    def simulating(right: Function) -> Function:
        def planted(*arguments: Any, **named: Any) -> Any:
            with pytest.MonkeyPatch.context() as inner:
                replace(inner, owner, name, change)
                return right(*arguments, **named)

        return planted

    replace(patch, "randwalk.simulation", "simulate", simulating)


def mirrored(thresholds: Any, _: Any) -> Any:
    """Thresholds with p and q of the first site swapped."""
    p, both = thresholds[0, ..., 0].copy(), thresholds[1, ..., 0]
    thresholds[0, ..., 0] = both - p
    return thresholds


def raised(thresholds: Any, _: Any) -> Any:
    """Thresholds with p larger by 2⁻²⁰, and q smaller."""
    thresholds[0] = np.minimum(thresholds[0] + (FULL >> 20), thresholds[1])
    return thresholds


def one_step_more(right: Function) -> Function:
    """The driver of the occupation method, which makes the last step of its first stretch twice."""

    def planted(*arguments: Any, **named: Any) -> None:
        right(*arguments, **named)
        call = inspect.signature(right).bind(*arguments, **named).arguments
        if call["start"] == 0:
            right(**call | {"start": call["stop"] - 1})

    return planted


def half_way(lattice: Any, called: dict[str, Any]) -> Any:
    """A lattice whose left wall stands half way where it should stand on a site."""
    on_site = any(face.exit == "left" and face.wall.on_site for face in called["domain"].faces)
    return dataclasses.replace(lattice, origin=lattice.origin - 0.5 * lattice.dx * on_site)


def doubled(equation: Any, _: Any = None) -> Any:
    """The equation with dx²/dt in place of dx²/2dt for D."""
    kept = {name: getattr(equation, name) for name in ("domain", "start", "killing", "convention")}
    return FokkerPlanck(equation.declared_drift, 2.0 * equation.diffusion, **kept)


class Frozen(BondMean):
    """The mean over a bond at time 0."""

    def evaluate(self, point: Any, t: Any) -> Any:
        return super().evaluate(point, 0.0 * t)


def at_site(walk: Any, face: Any, point: Any, t: Any) -> Any:
    """D at the site in place of D at the wall."""
    return walk.diffusion(point, t)


# name: (how the error is planted, the case that is validated, the rungs that catch it; the wall of the walk itself also fails
# against the exact law, which counts nobody who leaves through a wall that reflects)
PLANTED: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str, str]] = {
    "p and q swapped at a wall of the simulation": (
        lambda patch: of_simulation(patch, TABLE, "quantise", changed(mirrored)),
        "drift_absorbing_absorbing", "sampling",
    ),
    "one step too many": (
        lambda patch: replace(patch, "randwalk.run.host:Host", "occupy", one_step_more),
        "ornstein_uhlenbeck", "sampling",
    ),
    "a threshold off by 2^-20": (
        lambda patch: of_simulation(patch, TABLE, "quantise", changed(raised)),
        "ornstein_uhlenbeck", "sampling",
    ),
    "an absorbing wall off by dx/2": (
        lambda patch: replace(patch, "randwalk.model.lattice:Lattice", "on", changed(half_way)),
        "drift_absorbing_reflecting", "discretisation",
    ),
    "α for D": (
        lambda patch: replace(patch, "randwalk.pde.equation", "limit", changed(doubled)),
        "lazy_line", "discretisation",
    ),
    "p and q swapped at a wall of the walk itself": (
        lambda patch: replace(patch, TABLE, "quantise", changed(mirrored)),
        "drift_reflecting_absorbing", "sampling discretisation",
    ),
    "a missing D_x in the Fick form of the walk": (
        lambda patch: replace(
            patch, "randwalk.model.rule:Rule", "probabilities", called(lambda given: {"convention": Convention.ITO})
        ),
        "fick", "discretisation",
    ),
    "the diffusion half way where it jumps, in place of two resistances": (
        lambda patch: replace(patch, "randwalk.model.bond:BondMean", "_cuts", lambda right: lambda bond, x: np.empty(0)),
        "fick_jump", "discretisation",
    ),
    "the diffusion of the site at a partially absorbing wall": (
        lambda patch: replace(patch, OUTLET, "_at_wall", lambda right: at_site),
        "partially_absorbing_variable", "discretisation",
    ),
    "the diffusion at a partially absorbing wall at one time only": (
        lambda patch: patch.setattr(f"{OUTLET}.BondMean", Frozen),
        "partially_absorbing_moving", "discretisation",
    ),
    "α for D in the solver": (
        lambda patch: replace(
            patch, "randwalk.pde.solve", "solve", called(lambda given: {"equation": doubled(given["equation"])})
        ),
        "lazy_line", "solver",
    ),
}  # fmt: skip


def verdicts(case: str) -> dict[str, str]:
    report = validate_problem(load_case(case), walkers=1000)
    return Report((report,)).verdicts(report)


def test_the_package_without_an_error_passes() -> None:
    assert "fail" not in verdicts("lazy_line").values()


@pytest.mark.parametrize(("plant", "case", "rungs"), PLANTED.values(), ids=list(PLANTED))
def test_the_named_rungs_catch_the_planted_error(
    plant: Callable[[pytest.MonkeyPatch], None], case: str, rungs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert [name for name, verdict in verdicts(case).items() if verdict == "fail"] == rungs.split()
