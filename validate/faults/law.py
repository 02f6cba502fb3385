"""Faults of the exact law, of closed forms, of the equation, of the solver, and of what is made of them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from randwalk.model.coefficient import Constant, constant_value
from randwalk.model.domain import Box, Domain, Reflecting
from randwalk.model.tensor import symmetric
from randwalk.pde import FokkerPlanck

from .coefficients import at_start
from .fault import Fault
from .planting import Change, Function, Patch, called, changed, replace

LAW, SOLVE, STENCIL = "randwalk.pde.exact_law", "randwalk.pde.solve", "randwalk.pde.solver.stencil"
PASSAGE = "randwalk.pde.hitting.passage:Passage"
DRIFT = ("randwalk.model.walk:LatticeWalk", "from_drift")


def _equation(**wrong: Callable[[Any], Any]) -> Callable[[Any], FokkerPlanck]:
    """The equation with other terms."""

    def change(equation: Any) -> FokkerPlanck:
        kept = {
            "drift": equation.declared_drift, "diffusion": equation.diffusion, "domain": equation.domain,
            "start": equation.declared_start, "killing": equation.killing, "convention": equation.convention,
        }  # fmt: skip
        return FokkerPlanck(**{name: wrong[name](value) if name in wrong else value for name, value in kept.items()})

    return change


def _solving(**wrong: Callable[[Any], Any]) -> Change:
    """The solver of another equation."""
    change = _equation(**wrong)
    return called(lambda given: {"equation": change(given["equation"])})


def _each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Of a vector or a tensor each entry, of a coefficient itself."""

    def changed_entries(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(change, value))
        if hasattr(value, "dimension") and hasattr(value, "rows"):
            return symmetric(value.dimension, lambda i, j: change(value[i, j]))
        return change(value)

    return changed_entries


def _flipped(tensor: Any) -> Any:
    return symmetric(tensor.dimension, lambda i, j: tensor[i, j] if i == j else -tensor[i, j])


def _closed(domain: Domain) -> Domain:
    """The domain with partially absorbing walls that reflect."""

    def wall(given: Any) -> Any:
        partial = given is not None and 0.0 < given.reactivity < np.inf
        return Reflecting() if partial else given

    axes = [
        dataclasses.replace(axis, left=wall(axis.left), right=wall(axis.right)) if not axis.periodic else axis
        for axis in domain.axes
    ]
    return axes[0] if len(axes) == 1 else Box(*axes, regions=domain.regions)


def _one_more(right: Function) -> Function:
    """The master equation with a step more in its first stretch."""

    def planted(table: Any, mass: Any, start: int, stop: int) -> Any:
        after, left = right(table, mass, start, stop)
        return (right(table, after, stop - 1, stop)[0], left) if start == 0 else (after, left)

    return planted


def _upwind(w: Any) -> Any:
    """Coefficients of first order in place of w/(eʷ - 1) and w/(1 - e⁻ʷ)."""
    return np.stack([1.0 + np.maximum(-w, 0.0), 1.0 + np.maximum(w, 0.0)])


def _set(module: str, name: str, change: Change) -> Callable[[Patch], None]:
    """Replace what one module alone calls by this name."""

    def plant(patch: Patch) -> None:
        place = sys.modules[module]
        patch.setattr(place, name, change(getattr(place, name)))

    return plant


def _late(moments: Any, _: Any) -> Any:
    mean, variance = moments
    return mean + 1.0, variance


def _doubled(value: Any) -> Any:
    return 2.0 * float(np.asarray(constant_value(value) if hasattr(value, "derivative") else value))


def _narrow(patch: Patch) -> None:
    """A law on a third of the window that is foreseen, whose leak goes unseen."""
    third = changed(
        lambda ends, given: [
            (first + (2 * (low - first)) // 3 * (first < low), last - (2 * (last - high)) // 3 * (last > high))
            for (first, last), (low, high) in zip(ends, given["start"], strict=True)
        ]
    )
    replace(patch, "randwalk.tables.window", "guessed_ends", third)
    replace(patch, LAW, "_by_steps", called(lambda given: {"windows": dataclasses.replace(given["windows"], leak=2.0)}))


DOUBLED = _equation(diffusion=_each(lambda d: 2.0 * d))
ALPHA = _solving(diffusion=_each(lambda d: 2.0 * d))

FAULTS = (
    Fault(
        "α for D", "law", ("discretisation",),
        lambda patch: replace(
            patch, "randwalk.pde.equation", "limit", changed(lambda equation, _: DOUBLED(equation))
        ),
    ),
    Fault("the exact law one step ahead", "law", ("sampling",), lambda patch: replace(patch, LAW, "_advanced", _one_more)),
    Fault(
        "what is alive by the exact law off by 10⁻⁷", "law", ("discretisation",),
        lambda patch: replace(patch, f"{LAW}:ExactLaw", "_survival", changed(lambda alive, _: (1.0 + 1e-7) * alive)),
    ),
    Fault(
        "the power of a step law one step ahead", "law", ("sampling",),
        lambda patch: replace(
            patch, "randwalk.tables.step_law:StepLaw", "power", called(lambda given: {"n": given["n"] + 1})
        ),
    ),
    Fault(
        "a window too narrow, and not made wider", "law", ("sampling",),
        _narrow,
    ),
    Fault(
        "a closed form of another drift", "law", ("discretisation", "solver"),
        lambda patch: replace(
            patch, "randwalk.pde.closed_form", "closed_form",
            called(lambda given: {"equation": _equation(drift=_each(lambda a: 1.1 * a))(given["equation"])}),
        ),
    ),
    Fault("α for D in the solver", "solver", ("solver",), lambda patch: replace(patch, SOLVE, "solve", ALPHA)),
    Fault(
        "the sign of the mixed term in the solver", "solver", ("solver",),
        lambda patch: replace(patch, SOLVE, "solve", _solving(diffusion=_flipped)),
    ),
    Fault(
        "killing left out of the solver", "solver", ("solver",),
        lambda patch: replace(patch, SOLVE, "solve", _solving(killing=lambda _: Constant(0.0))),
    ),
    Fault(
        "a killing rate at time 0 for ever in the solver", "solver", ("discretisation",),
        lambda patch: replace(patch, SOLVE, "solve", _solving(killing=at_start)),
    ),
    Fault(
        "a drift at time 0 for ever in the solver", "solver", ("solver",),
        lambda patch: replace(patch, SOLVE, "solve", _solving(drift=_each(at_start))),
    ),
    Fault(
        "a varying drift at time 0 for ever in the solver", "solver", ("discretisation",),
        lambda patch: replace(patch, SOLVE, "solve", _solving(drift=_each(at_start))),
    ),
    Fault(
        "a diffusion at time 0 for ever in the solver", "solver", ("discretisation",),
        lambda patch: replace(patch, SOLVE, "solve", _solving(diffusion=_each(at_start))),
    ),
    Fault(
        "a partially absorbing wall that reflects in the solver", "solver", ("solver",),
        lambda patch: replace(patch, SOLVE, "solve", _solving(domain=_closed)),
    ),
    Fault(
        "an upwind flux in place of Scharfetter and Gummel's", "solver", ("solver",),
        _set(STENCIL, "bernoulli", lambda _: _upwind),
    ),
    Fault(
        "hitting times one step late", "law", ("discretisation",),
        lambda patch: replace(patch, PASSAGE, "moments", changed(_late)),
    ),
    Fault(
        "hitting probabilities of the other exit", "law", ("discretisation",),
        lambda patch: replace(patch, PASSAGE, "probability", changed(lambda p, _: 1.0 - p)),
    ),
    Fault(
        "α for D against measured counts", "law", ("data",),
        lambda patch: replace(patch, *DRIFT, called(lambda given: {"diffusion": _doubled(given["diffusion"])})),
    ),
    Fault(
        "twice the drift against measured counts", "law", ("data",),
        lambda patch: replace(patch, *DRIFT, called(lambda given: {"drift": _doubled(given["drift"])})),
    ),
)  # fmt: skip
