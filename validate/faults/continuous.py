"""Faults of walks in continuous space, and of values at points."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from randwalk.jit.compile import device
from randwalk.kernels.wall import lowest
from randwalk.model.coefficient import ZERO
from randwalk.model.convention import Convention
from randwalk.model.domain import Box, Interval, Reflecting
from randwalk.model.ito import ItoWalk
from randwalk.model.region import Ball
from randwalk.model.scheme import EulerMaruyama, Platen
from randwalk.model.start import Normal, Uniform

from .coefficients import at_start
from .fault import Fault
from .planting import Change, Function, called, changed, replace

PROGRAM, WALLS = "randwalk.tables.ito_program", "randwalk.tables.ito_walls"
GENERATED = ("randwalk.tables.generated", "generated")
SAMPLING = ("sampling",)


def _walking(change: Callable[[ItoWalk], ItoWalk]) -> Change:
    """The program of another walk."""
    return called(lambda given: {"walk": change(given["walk"])})


def _fault(name: str, change: Callable[[ItoWalk], ItoWalk], rungs: tuple[str, ...] = SAMPLING) -> Fault:
    return Fault(name, "Itô walk", rungs, lambda patch: replace(patch, PROGRAM, "program", _walking(change)))


def _text(name: str, function: str, wrong: Change) -> Fault:
    return Fault(name, "Itô walk", SAMPLING, lambda patch: replace(patch, WALLS, function, wrong))


def _noise(change: Callable[[Any, ItoWalk], Any]) -> Callable[[ItoWalk], ItoWalk]:
    """The walk with another noise, a function of the rows, and the same drift."""
    return lambda walk: walk.replaced(noise=change(walk.noise, walk), **_as_ito(walk))


def _as_ito(walk: ItoWalk) -> dict[str, Any]:
    """The drift, which another noise leaves as it is in Itô's convention alone."""
    return {"drift": walk.drift, "convention": Convention.ITO}


def _scaled(rows: Any, by: float) -> Any:
    return tuple(tuple(by * entry for entry in row) for row in rows)


def _stratonovich(walk: ItoWalk) -> ItoWalk:
    """A drift larger by ½σσ'."""
    noise = walk.noise[0][0]
    return walk.replaced(
        drift=walk.drift[0] + 0.5 * noise * noise.derivative("x"), noise=noise, convention=Convention.ITO
    )


def _correlated(rows: Any, walk: ItoWalk) -> Any:
    """The noise of z₁ and 0.1 z₁ + 0.995 z₂ in place of z₁ and z₂."""
    return tuple((row[0] + 0.1 * row[1], 0.995 * row[1]) for row in rows)


def _transposed(rows: Any, walk: ItoWalk) -> Any:
    return tuple(zip(*rows, strict=True))


def _shared(walk: ItoWalk) -> ItoWalk:
    """One source of noise for all axes, by a scheme that has it."""
    rows = tuple((row[axis], *(ZERO for _ in row[1:])) for axis, row in enumerate(walk.noise))
    return walk.replaced(noise=rows, scheme=EulerMaruyama(), **_as_ito(walk))


def _reflecting(walk: ItoWalk) -> ItoWalk:
    """The walls that absorb in part reflect."""

    def wall(given: Any) -> Any:
        return Reflecting() if given is not None and 0.0 < given.reactivity < float("inf") else given

    axes = [
        axis if axis.periodic else dataclasses.replace(axis, left=wall(axis.left), right=wall(axis.right))
        for axis in walk.domain.axes
    ]
    return walk.replaced(domain=axes[0] if len(axes) == 1 else Box(*axes))


def _resting(walk: ItoWalk) -> ItoWalk:
    """The walls of time 0 for ever."""
    (axis,) = walk.domain.axes
    places = {face.exit: abs(float(face.distance((0.0,), 0.0))) for face in walk.domain.faces}
    low = -places["left"] if "left" in places else -float("inf")
    high = places["right"] if "right" in places else float("inf")
    return walk.replaced(domain=Interval(low, high, axis.left, axis.right))


def _exits_exchanged(walls: Any, _: Any) -> Any:
    """Barriers with the first two exits exchanged."""
    other = {0: 1, 1: 0}
    return tuple(dataclasses.replace(wall, exit=other.get(wall.exit, wall.exit)) for wall in walls)


def _other_share(planes: Any, _: Any) -> Any:
    return tuple(dataclasses.replace(plane, share=1.0 - plane.share) for plane in planes)


def _middles(right: Function) -> Function:
    """Starts that are spread out, all at their middle."""

    def planted(walk: ItoWalk, batch: range, keys: Any) -> Any:
        state = right(walk, batch, keys)
        for axis, factor in enumerate(walk.start.factors or ()):
            if isinstance(factor, Uniform):
                state.x[axis] = 0.5 * (factor.low + factor.high)
            elif isinstance(factor, Normal):
                state.x[axis] = factor.mean
        return state

    return planted


def _as_the_first(given: dict[str, Any]) -> dict[str, Any]:
    """The number of the first walker of every batch, 0."""
    return {"first": 0}


def _kernels(line: str, plant: Callable[[Any], None]) -> Change:
    """Modules of kernels with a function replaced by `plant`. A line of their own keeps their machine code apart from that of
    the right ones."""

    def change(right: Function) -> Function:
        def planted(files: Any, text: str, opaque: Any = ()) -> Any:
            module = right(files, f"{text}\n\n{line} = True\n", opaque)
            plant(module)
            return module

        return planted

    return change


def _one_ended(module: Any) -> None:
    """The killing rate at the beginning of a step for the whole step."""
    killing, source, exp = module.killing, module.source, module.elementary.exp

    @device
    def weighed(x, y, t, lived, weight, gathered, p):  # type: ignore[no-untyped-def]
        after = weight * exp(-killing(x, t, p) * lived) if lived > 0.0 else weight
        gain = 0.5 * lived * (weight * source(x, t, p) + after * source(y, t + lived, p))
        return after, gathered + (gain if lived > 0.0 else 0.0)

    module.weighed = weighed


def _half_variance(module: Any) -> None:
    """The minimum of a bridge by D dt in place of 2D dt."""

    @device
    def narrow(d0, d1, s2, u):  # type: ignore[no-untyped-def]
        return lowest(d0, d1, 0.5 * s2, u)

    module.lowest = narrow


def _wider(walk: ItoWalk) -> ItoWalk:
    """The ball in which the walk stays, a twentieth larger."""
    box = walk.domain.axes[0] ** walk.dimension
    for region in walk.domain.regions:
        ball = ~region.shape
        assert isinstance(ball, Ball)
        box = box.inside(Ball(ball.centre, 1.05 * ball.radius), region.wall, region.name)
    return walk.replaced(domain=box)


def _killing_left_out(walk: ItoWalk) -> ItoWalk:
    return walk.replaced(killing=0.0)


def _euler(walk: ItoWalk) -> ItoWalk:
    return walk.replaced(scheme=EulerMaruyama()) if isinstance(walk.scheme, Platen) else walk


FAULTS = (
    _fault("Stratonovich's drift in place of Itô's", _stratonovich),
    _fault("dt in place of √dt in the noise", _noise(lambda rows, walk: _scaled(rows, walk.dt**0.5))),
    _fault("a pair of normals that is correlated", _noise(_correlated)),
    _fault("the transpose of the noise", _noise(_transposed)),
    _fault("coordinates that share their noise", _shared),
    _fault("components of the drift exchanged", lambda walk: walk.replaced(drift=walk.declared_drift[::-1])),
    _fault("the drift at time 0 for ever", lambda walk: walk.replaced(drift=tuple(map(at_start, walk.declared_drift)))),
    _fault("the noise at time 0 for ever", _noise(lambda rows, walk: tuple(tuple(map(at_start, row)) for row in rows))),
    _fault("the killing rate at time 0 for ever", lambda walk: walk.replaced(killing=at_start(walk.killing))),
    _fault("killing left out", _killing_left_out),
    _fault("a wall that reflects where it absorbs in part", _reflecting),
    _fault("walls that rest", _resting),
    _fault("a scheme of first order in place of the second", _euler, ("discretisation",)),
    Fault(
        "killing at one end of the step alone", "Itô walk", ("discretisation",),
        lambda patch: replace(patch, *GENERATED, _kernels("ONE_ENDED", _one_ended)),
    ),
    Fault(
        "exits exchanged", "Itô walk", SAMPLING,
        lambda patch: replace(patch, "randwalk.model.barrier", "barriers", changed(_exits_exchanged)),
    ),
    Fault(
        "an interface crossed with the other share", "Itô walk", SAMPLING,
        lambda patch: replace(patch, "randwalk.model.ito:ItoWalk", "interfaces", changed(_other_share)),
    ),
    Fault(
        "a start that is not spread out", "Itô walk", SAMPLING,
        lambda patch: replace(patch, "randwalk.run.ito_batch", "begin", _middles),
    ),
    Fault(
        "batches of walkers that draw the same numbers", "Itô walk", SAMPLING,
        lambda patch: replace(patch, f"{PROGRAM}:ItoProgram", "walk", called(_as_the_first)),
    ),
    Fault(
        "the variance of a bridge D dt in place of 2D dt", "Itô walk", SAMPLING,
        lambda patch: replace(patch, *GENERATED, _kernels("HALF_VARIANCE", _half_variance)),
    ),
    _fault("a ball a twentieth too large", _wider),
    _text("the bridge left out", "_squares", lambda _: lambda walk, axes: "0.0"),
    _text("places on a ring that are not brought home", "_turned", lambda _: lambda a, walk, parameters: f"x[{a}]"),
    Fault(
        "a value by twice the diffusion", "value", SAMPLING,
        lambda patch: replace(
            patch, "randwalk.pde.values.spheres", "physics", changed(lambda found, _: (2.0 * found[0], found[1]))
        ),
    ),
)  # fmt: skip
