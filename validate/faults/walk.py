"""Faults of lattice walks: in their tables, which simulation and exact law share, and in the simulation alone."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from typing import Any

import numpy as np

from randwalk.kernels.program import FULL
from randwalk.model.bond import BondMean
from randwalk.model.coefficient import Coefficient, apply
from randwalk.model.convention import Convention
from randwalk.model.rule import Rule
from randwalk.model.start import Normal

from .coefficients import at_start
from .fault import Fault
from .planting import Function, Patch, called, changed, of_simulation, replace

TABLE, OUTLET, WALK = "randwalk.tables.table", "randwalk.model.outlet", "randwalk.model.walk:LatticeWalk"
LAYOUT, RULE = "randwalk.tables.layout:Layout", "randwalk.model.rule:Rule"
SAMPLING, REFINED = ("sampling",), ("discretisation",)


def _walk(name: str, owner: str, function: str, change: Any, rungs: tuple[str, ...] = REFINED) -> Fault:
    return Fault(name, "walk", rungs, lambda patch: replace(patch, owner, function, change))


def _simulation(name: str, owner: str, function: str, change: Any) -> Fault:
    return Fault(name, "simulation", SAMPLING, lambda patch: of_simulation(patch, owner, function, change))


def _half_way(lattice: Any, given: dict[str, Any]) -> Any:
    """A lattice whose left wall stands half way where it should stand on a site."""
    wall = given["axis"].left
    shift = 0.5 * lattice.dx * bool(wall is not None and wall.on_site and not lattice.periodic)
    return dataclasses.replace(lattice, origin=lattice.origin - shift)


def _mirrored(thresholds: Any, _: Any) -> Any:
    """Thresholds with p and q of the first site exchanged."""
    p, both = thresholds[0, ..., 0].copy(), thresholds[1, ..., 0]
    thresholds[0, ..., 0] = both - p
    return thresholds


def _raised(thresholds: Any, _: Any) -> Any:
    """Thresholds with p larger by 2⁻²⁰, and q smaller."""
    thresholds[0] = np.minimum(thresholds[0] + (FULL >> 20), thresholds[1])
    return thresholds


def _at_wall(walk: Any, face: Any, point: Any, t: Any) -> Any:
    """D at the site in place of D at the wall."""
    return walk.diffusion(point, t)


def _linear_killing(rate: Coefficient, given: dict[str, Any]) -> Coefficient:
    """The rate of which 1 - exp(-κ' dt) is κ dt."""
    dt = given["self"].dt
    return (-1.0 / dt) * apply("log", 1.0 - dt * rate)


def _moved_reading(right: Function) -> Function:
    """Probabilities with the drift at the site where a step ends."""

    def planted(self: Any, drift: Any, diffusion: Any, dx: float, *more: Any) -> Any:
        up, _ = right(self, drift.shifted("x", dx), diffusion, dx, *more)
        _, down = right(self, drift.shifted("x", -dx), diffusion, dx, *more)
        return up, down

    return planted


def _wider_start(right: Function) -> Function:
    """A normal start of which each site has the mass of its cell, which adds dx²/12 to the variance."""

    def planted(self: Normal, lattice: Any) -> Any:
        return right(Normal(self.mean, float(np.hypot(self.sd, lattice.dx / np.sqrt(12.0)))), lattice)

    return planted


def _alive(weights: Any, _: Any) -> Any:
    """The masses of the outermost sites moved one site in."""
    first, masses = weights
    masses = masses.copy()
    masses[[1, -2]] += masses[[0, -1]]
    masses[[0, -1]] = 0.0
    return first, masses


def _late_row(right: Function) -> Function:
    """A table of several steps whose first row is that of the step before."""

    def planted(self: Any, start: int, stop: int) -> Any:
        rows = right(self, start, stop)
        if start and rows.shape[0] > 1:
            rows = rows.copy()
            rows[0] = self._rows(np.array([start - 1]))[0]
        return rows

    return planted


def _held(right: Function) -> Function:
    """A table that holds the value of a row until the next."""

    def planted(self: Any, point: Any, t: Any) -> Any:
        at = np.clip(np.searchsorted(self.x, point[0], side="right") - 1, 0, self.x.size - 1)
        return self.values[at]

    return planted


def _leaking(faces: Any, _: Any) -> Any:
    """The faces without those that reflect, through which walkers so leave."""
    return [(face, beside) for face, beside in faces if face.wall.reactivity > 0.0]


def _one_way(home: Any, given: dict[str, Any]) -> Any:
    """Ghosts at the low end of the first axis stand for the sites beside them."""
    (layout,) = given.values()
    if not (home.size and layout.periodic[0]):
        return home
    box = home[: layout.killed].reshape(layout.padded).copy()
    box[0] = box[1]
    return np.append(box.reshape(-1), home[-1]).astype(home.dtype)


def _exchanged(exits: Any, _: Any) -> Any:
    """Left for right, and right for left."""
    return np.where(exits == 0, 1, np.where(exits == 1, 0, exits)).astype(np.uint8)


def _twice(right: Function) -> Function:
    """A driver that makes the second half of some steps with the random words of the first."""

    def planted(self: Any, walkers: Any, program: Any, start: int, stop: int, keys: Any) -> None:
        half = (stop - start) // 2
        right(self, walkers, program, start, start + half, keys)
        right(self, walkers, program, start, start + half, keys)
        right(self, walkers, program, start + 2 * half, stop, keys)

    return planted


def _few_digits(program: Any, _: Any) -> Any:
    """A program of which ties beyond the eighth digit are settled downwards."""
    unit = FULL >> 8
    return program._replace(thresholds=tuple(n // unit * unit for n in program.thresholds))


def _turned(program: Any, _: Any) -> Any:
    """A program with right and left exchanged."""
    return program._replace(offsets=tuple(reversed(program.offsets)))


def _one_step_more(right: Function) -> Function:
    """The driver of the occupation method, which makes the last step of its first stretch twice."""

    def planted(*arguments: Any, **named: Any) -> None:
        right(*arguments, **named)
        call = inspect.signature(right).bind(*arguments, **named).arguments
        if call["start"] == 0:
            right(**call | {"start": call["stop"] - 1})

    return planted


class _AtStart(BondMean):
    """The mean over a bond at time 0."""

    def evaluate(self, point: Any, t: Any) -> Any:
        return super().evaluate(point, 0.0 * t)


def _wrong_column(given: dict[str, Any]) -> dict[str, Any]:
    return {"value": given["x"]}


def _bond_at_time_zero(patch: Patch) -> None:
    patch.setattr(sys.modules[OUTLET], "BondMean", _AtStart)


def _half_weight(given: dict[str, Any]) -> float:
    """(1 + K dx/2D - 1)/out of a wall without drift: what divides K dt/dx."""
    walk, face = given["walk"], given["face"]
    return 0.5 * walk.spacings[face.axis] ** 2 / (walk.dt * float(walk.diffusion(0.0)))


FAULTS = (
    _walk("an absorbing wall half a spacing off", "randwalk.model.lattice", "_on_axis", changed(_half_way)),
    _walk("right and left exchanged at the left wall", TABLE, "quantise", changed(_mirrored), SAMPLING + REFINED),
    _walk("D_x left out of Fick's form", RULE, "probabilities", called(lambda _: {"convention": Convention.ITO})),
    _walk("Fick's form in place of Stratonovich's", RULE, "probabilities", called(lambda _: {"convention": Convention.FICK})),
    _walk(
        "the diffusion half way where it jumps, in place of two resistances", "randwalk.model.bond:BondMean", "_cuts",
        lambda _: lambda bond, x: np.empty(0),
    ),
    _walk("the diffusion of the site at a partially absorbing wall", OUTLET, "_at_wall", lambda _: _at_wall),
    Fault("the diffusion at a partially absorbing wall at time 0 for ever", "walk", REFINED, _bond_at_time_zero),
    _walk(
        "a partially absorbing wall at time 0 for ever", OUTLET, "absorption", called(lambda given: {"t": 0.0 * given["t"]})
    ),
    _walk(
        "an absorption weight without its denominator", OUTLET, "absorption",
        changed(lambda out, given: out / (1.0 - out * _half_weight(given))),
    ),
    _walk("a killing probability κ dt in place of 1 - exp(-κ dt)", WALK, "killing_rate", changed(_linear_killing)),
    _walk("a killing rate at time 0 for ever", WALK, "killing_rate", changed(lambda rate, _: at_start(rate))),
    _walk(
        "probabilities taken from the time a step ends", f"{TABLE}:StepTable", "_rows",
        called(lambda given: {"steps": given["steps"] + 1}),
    ),
    _walk(
        "probabilities of the first step used for all", f"{TABLE}:StepTable", "_rows",
        called(lambda given: {"steps": 0 * given["steps"]}),
    ),
    _walk("the first row of a table of times that of the step before", f"{TABLE}:StepTable", "rows", _late_row),
    _walk("a drift read at the site a step ends on", RULE, "probabilities", _moved_reading),
    _walk(
        "a drift that only walks see at time 0 for ever", RULE, "probabilities",
        called(lambda given: {"drift": at_start(given["drift"])}),
    ),
    _walk(
        "a diffusion that only walks see at time 0 for ever", RULE, "probabilities",
        called(lambda given: {"diffusion": at_start(given["diffusion"])}),
    ),
    _walk("a fitted rule whose speed is capped", RULE, "probabilities", called(lambda _: {"self": Rule.CAPPED})),
    _walk("the cells of a normal start in place of its density", "randwalk.model.start:Normal", "weights", _wider_start),
    _walk("half cells beside absorbing walls alive at time 0", "randwalk.model.start:Uniform", "weights", changed(_alive)),
    _walk("a table held constant between its rows", "randwalk.model.tabulated:Table", "evaluate", _held),
    _walk("a table read from the wrong column", "randwalk.model.tabulated:Table", "from_csv", called(_wrong_column)),
    _walk("a seam that is crossed in one direction only", LAYOUT, "home", changed(_one_way)),
    _simulation("walkers lost at a reflecting wall", "randwalk.tables.surroundings:Surroundings", "faces", changed(_leaking)),
    _simulation("right and left exchanged at the left wall of the simulation", TABLE, "quantise", changed(_mirrored)),
    _simulation("a threshold off by 2⁻²⁰", TABLE, "quantise", changed(_raised)),
    _simulation(
        "thresholds looked up at the site beside", TABLE, "quantise", changed(lambda rows, _: np.roll(rows, 1, axis=-1))
    ),
    _simulation("exit sides exchanged", LAYOUT, "exit_of", changed(_exchanged)),
    _simulation("killed walkers that go on walking", WALK, "killing_rate", changed(lambda rate, _: 0.0 * rate)),
    _simulation(
        "passage times one step late", "randwalk.run.host:Host", "passages", changed(lambda n, _: np.roll(n, 1, axis=0))
    ),
    _simulation(
        "passages by one of two exits a step late", "randwalk.run.host:Host", "passages",
        changed(lambda n, _: np.column_stack([n[:, :1], np.roll(n[:, 1:], 1, axis=0)])),
    ),
    _simulation("random bits used for two steps", "randwalk.run.host:Host", "advance", _twice),
    _simulation("ties of binary digits settled wrongly", f"{TABLE}:StepTable", "digits_program", changed(_few_digits)),
    _simulation("right and left exchanged in the bit-sliced kernel", f"{TABLE}:StepTable", "digits_program", changed(_turned)),
    _simulation("one step too many", "randwalk.run.host:Host", "occupy", _one_step_more),
    _simulation(
        "two parts of an occupation run that draw the same numbers", "randwalk.run.occupation", "key",
        lambda right: lambda seed, *part: right(seed),
    ),
    _simulation(
        "sites that share their draws", LAYOUT, "address", changed(lambda address, _: np.zeros_like(address))
    ),
)  # fmt: skip
