"""Errors planted in the running package beyond one dimension: which rungs of validation catch each.

A planted error must be caught by the rungs that are named and by no others; without one all cases pass
(tests/test_validate_plane.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from randwalk.kernels.program import LIVE
from randwalk.model.tensor import Tensor, symmetric
from randwalk.pde import FokkerPlanck
from randwalk.tables.layout import Layout

from .faults import Function, replace
from .test_planted import called, changed, of_simulation, verdicts

LAYOUT, STEPS = "randwalk.tables.layout:Layout", "randwalk.model.discretise"


def other_exits(wrong: Callable[[Any, Any], Any]) -> Callable[[Function], Any]:
    """The exits of cells as wrong(right ones, layout)."""

    def change(right: Any) -> Any:
        planted = cached_property(lambda layout: wrong(right.func(layout), layout))
        planted.__set_name__(Layout, "exit_of")
        return planted

    return change


def mislabelled(exits: Any, layout: Layout) -> Any:
    """Bottom for top, and top for bottom."""
    bottom, top = layout.exits.index("bottom"), layout.exits.index("top")
    return np.where(exits == bottom, top, np.where(exits == top, bottom, exits)).astype(np.uint8)


def corners(layout: Layout) -> Any:
    """The cells that are ghosts of two axes, with room for that of the killed."""
    outside = np.zeros(layout.padded, dtype=np.int64)
    for axis, periodic in enumerate(layout.periodic):
        ends = np.moveaxis(outside, axis, 0)
        ends[[0, -1]] += not periodic
    return np.append(outside.ravel() > 1, False)


def by_last_axis(exits: Any, layout: Layout) -> Any:
    """A step across a corner counts for the last axis, not for the first."""
    box = np.full(layout.padded, LIVE, dtype=np.uint8)
    for axis, periodic in enumerate(layout.periodic):
        if not periodic:
            ends = np.moveaxis(box, axis, 0)
            ends[0], ends[-1] = 2 * axis, 2 * axis + 1
    return np.where(corners(layout), np.append(box.ravel(), exits[-1]), exits).astype(np.uint8)


def twice(gone: Any, given: dict[str, Any]) -> Any:
    """What rests on a corner at the bottom is counted there too."""
    layout, values = given["self"], given["values"]
    at_bottom = corners(layout) & np.append(np.indices(layout.padded)[1].ravel() == 0, False)
    gone = gone.copy()
    gone[..., layout.exits.index("bottom")] += values[..., at_bottom].sum(axis=-1)
    return gone


def opened(layout: Layout, _: Any) -> Layout:
    """The first site of an obstacle let in."""
    if layout.taken is None:
        return layout
    taken = layout.taken.copy()
    taken.ravel()[np.flatnonzero(taken.ravel() != LIVE)[0]] = LIVE
    return dataclasses.replace(layout, taken=taken)


def flipped(tensor: Tensor) -> Tensor:
    """The tensor with the other sign of its mixed terms."""
    return symmetric(tensor.dimension, lambda i, j: tensor[i, j] if i == j else -tensor[i, j])


def mirrored(equation: FokkerPlanck) -> FokkerPlanck:
    """The equation with the other sign of its mixed derivatives."""
    kept = {name: getattr(equation, name) for name in ("domain", "start", "killing", "convention")}
    return FokkerPlanck(equation.declared_drift, flipped(equation.diffusion), **kept)


def declared(**wrong: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """The steps of a walk made of other coefficients than were declared."""

    def change(given: dict[str, Any]) -> dict[str, Any]:
        right = given["declared"]
        return {"declared": dataclasses.replace(right, **{name: f(getattr(right, name)) for name, f in wrong.items()})}

    return called(change)


# name: (how the error is planted, the case that is validated, the rungs that catch it)
PLANTED: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str, str]] = {
    "axes swapped": (
        lambda patch: replace(patch, STEPS, "axis_pairs", declared(drift=lambda drift: drift[::-1])),
        "plane_torus", "discretisation",
    ),
    "a corner counted twice": (
        lambda patch: replace(patch, LAYOUT, "gone", changed(twice)), "plane_box", "sampling",
    ),
    "an exit mislabelled": (
        lambda patch: replace(patch, LAYOUT, "exit_of", other_exits(mislabelled)), "plane_box", "discretisation",
    ),
    "an exit mislabelled in the simulation": (
        lambda patch: of_simulation(patch, LAYOUT, "exit_of", other_exits(mislabelled)), "plane_box", "sampling",
    ),
    "one site of an obstacle open": (
        lambda patch: of_simulation(patch, "randwalk.tables.surroundings", "with_regions", changed(opened)),
        "plane_obstacle", "sampling",
    ),
    "the sign of the mixed term": (
        lambda patch: replace(patch, STEPS, "steps_of", declared(diffusion=flipped)), "plane_tensor", "discretisation",
    ),
    "the sign of the mixed term in the solver": (
        lambda patch: replace(
            patch, "randwalk.pde.solve", "solve", called(lambda given: {"equation": mirrored(given["equation"])})
        ),
        "plane_tensor", "solver",
    ),
    "a diagonal across a corner counted for the other axis": (
        lambda patch: of_simulation(patch, LAYOUT, "exit_of", other_exits(by_last_axis)), "plane_box", "sampling",
    ),
    "a diagonal across a reflecting face not made": (
        lambda patch: of_simulation(
            patch, "randwalk.model.walk:LatticeWalk", "axis_steps", lambda _: property(lambda walk: None)  # type: ignore[arg-type,return-value]
        ),
        "plane_mixed_faces", "sampling",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("plant", "case", "rungs"), PLANTED.values(), ids=list(PLANTED))
def test_the_named_rungs_catch_the_planted_error(
    plant: Callable[[pytest.MonkeyPatch], None], case: str, rungs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert [name for name, verdict in verdicts(case).items() if verdict == "fail"] == rungs.split()
