"""Faults of lattice walks in more than one dimension."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from randwalk.kernels.program import LIVE
from randwalk.model.tensor import Tensor, symmetric
from randwalk.tables.layout import Layout

from .fault import Fault
from .planting import Change, called, changed, of_simulation, replace

LAYOUT, STEPS, OUTLET = "randwalk.tables.layout:Layout", "randwalk.model.discretise", "randwalk.model.outlet"
WALK, REGIONS = "randwalk.model.walk:LatticeWalk", ("randwalk.tables.surroundings", "with_regions")
SAMPLING, REFINED = ("sampling",), ("discretisation",)


def _walk(name: str, owner: str, function: str, change: Any, rungs: tuple[str, ...] = REFINED) -> Fault:
    return Fault(name, "walk", rungs, lambda patch: replace(patch, owner, function, change))


def _simulation(name: str, owner: str, function: str, change: Any) -> Fault:
    return Fault(name, "simulation", SAMPLING, lambda patch: of_simulation(patch, owner, function, change))


def _exchanged(first: str, second: str) -> Callable[[Any, dict[str, Any]], Any]:
    """One exit for another, and the other for the one."""

    def wrong(exits: Any, given: dict[str, Any]) -> Any:
        (layout,) = given.values()
        one, other = (layout.exits.index(name) for name in (first, second))
        return np.where(exits == one, other, np.where(exits == other, one, exits)).astype(np.uint8)

    return wrong


def _corners(layout: Layout) -> Any:
    """The cells that are ghosts of two axes, with room for that of the killed."""
    outside = np.zeros(layout.padded, dtype=np.int64)
    for axis, periodic in enumerate(layout.periodic):
        ends = np.moveaxis(outside, axis, 0)
        ends[[0, -1]] += not periodic
    return np.append(outside.ravel() > 1, False)


def _by_last_axis(exits: Any, given: dict[str, Any]) -> Any:
    """A step across a corner counts for the last axis, not for the first."""
    (layout,) = given.values()
    box = np.full(layout.padded, LIVE, dtype=np.uint8)
    for axis, periodic in enumerate(layout.periodic):
        if not periodic:
            ends = np.moveaxis(box, axis, 0)
            ends[0], ends[-1] = 2 * axis, 2 * axis + 1
    return np.where(_corners(layout), np.append(box.ravel(), exits[-1]), exits).astype(np.uint8)


def _twice(gone: Any, given: dict[str, Any]) -> Any:
    """What rests on a corner at the bottom is counted there too."""
    layout, values = given["self"], given["values"]
    at_bottom = _corners(layout) & np.append(np.indices(layout.padded)[1].ravel() == 0, False)
    gone = gone.copy()
    gone[..., layout.exits.index("bottom")] += values[..., at_bottom].sum(axis=-1)
    return gone


def _opened(layout: Layout, _: Any) -> Layout:
    """The first site of a region let in."""
    if layout.taken is None:
        return layout
    taken = layout.taken.copy()
    taken.ravel()[np.flatnonzero(taken.ravel() != LIVE)[0]] = LIVE
    return dataclasses.replace(layout, taken=taken)


def _grown(layout: Layout, _: Any) -> Layout:
    """Regions that let in the sites beside their boundary, so that a wall stands a site farther out."""
    if layout.taken is None:
        return layout
    taken = layout.taken.copy()
    for axis in range(taken.ndim):
        for by in (1, -1):
            taken[np.roll(layout.taken == LIVE, by, axis=axis)] = LIVE
    return dataclasses.replace(layout, taken=taken)


def _misnamed(layout: Layout, given: dict[str, Any]) -> Layout:
    """What a region absorbs counted for the first face."""
    if layout.taken is None:
        return layout
    return dataclasses.replace(layout, taken=np.where(layout.taken == LIVE, LIVE, 0).astype(np.uint8))


def _flipped(tensor: Tensor) -> Tensor:
    """The tensor with the other sign of its mixed terms."""
    return symmetric(tensor.dimension, lambda i, j: tensor[i, j] if i == j else -tensor[i, j])


def _halved(tensor: Tensor) -> Tensor:
    """The tensor with half of its mixed terms."""
    return symmetric(tensor.dimension, lambda i, j: tensor[i, j] if i == j else 0.5 * tensor[i, j])


def _declared(**wrong: Callable[[Any], Any]) -> Change:
    """The steps of a walk made of other coefficients than were declared."""

    def change(given: dict[str, Any]) -> dict[str, Any]:
        right = given["declared"]
        return {"declared": dataclasses.replace(right, **{name: f(getattr(right, name)) for name, f in wrong.items()})}

    return called(change)


def _mirrored(offsets: Any, given: dict[str, Any]) -> Any:
    """The offsets with the first diagonal displacement turned round along the last axis."""
    (table,) = given.values()
    steps, strides = list(table.walk.probabilities), table.layout.strides
    at = next(i for i, step in enumerate(steps) if all(step))
    return tuple(n - 2 * steps[i][-1] * strides[-1] if i == at else n for i, n in enumerate(offsets))


def _next_row(home: Any, given: dict[str, Any]) -> Any:
    """Ghosts of the last axis stand for sites of the next row."""
    (layout,) = given.values()
    if not (home.size and layout.periodic[-1]):
        return home
    box = home[: layout.killed].reshape(layout.padded).copy()
    box[..., -1] = np.roll(box[..., -1], 1, axis=0)
    return np.append(box.reshape(-1), home[-1]).astype(home.dtype)


FAULTS = (
    _walk(
        "components of the drift in each other's place", STEPS, "axis_pairs", _declared(drift=lambda drift: drift[::-1])
    ),
    _walk("a corner counted twice", LAYOUT, "gone", changed(_twice), SAMPLING),
    _walk("bottom and top exchanged", LAYOUT, "exit_of", changed(_exchanged("bottom", "top"))),
    _walk("an axis counted in the place of another", LAYOUT, "exit_of", changed(_exchanged("left", "bottom"))),
    _walk("the sign of the mixed term", STEPS, "steps_of", _declared(diffusion=_flipped)),
    _walk("the mixed term without its factor 2", STEPS, "steps_of", _declared(diffusion=_halved)),
    _walk("the steps along a reflecting face left out", WALK, "face_steps", changed(lambda steps, _: ({},) * len(steps))),
    _walk(
        "absorption by the coefficients of another axis", OUTLET, "_seen", called(lambda given: {"axis": 1 - given["axis"]})
    ),
    _walk("a displacement with the wrong sign", "randwalk.tables.table:StepTable", "offsets", changed(_mirrored)),
    _walk("a periodic axis left at one end and entered in another row", LAYOUT, "home", changed(_next_row)),
    _walk("what a region absorbs counted for a face", *REGIONS, changed(_misnamed)),
    _walk(
        "a diagonal across a corner for the other axis, in walk and law", LAYOUT, "exit_of", changed(_by_last_axis)
    ),
    _walk("a site of a region open, in walk and law", *REGIONS, changed(_opened)),
    _walk("a region a site too far out, in walk and law", *REGIONS, changed(_grown)),
    _simulation("bottom and top exchanged in the simulation", LAYOUT, "exit_of", changed(_exchanged("bottom", "top"))),
    _simulation("one site of an obstacle open", *REGIONS, changed(_opened)),
    _simulation("a curved wall a site too far out", *REGIONS, changed(_grown)),
    _simulation("a diagonal across a corner counted for the other axis", LAYOUT, "exit_of", changed(_by_last_axis)),
    _simulation("a diagonal across a reflecting face not made", WALK, "axis_steps", lambda _: lambda walk: None),
    _simulation(
        "two displacements exchanged", "randwalk.tables.table:StepTable", "offsets",
        changed(lambda offsets, _: (offsets[1], offsets[0], *offsets[2:])),
    ),
)  # fmt: skip
