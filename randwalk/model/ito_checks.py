"""Checks of an Itô walk when it is declared: its coefficients at sampled places, and its step against the size of the domain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .barrier import barriers
from .coefficient import Coefficient, Floats, Function, coordinate
from .remedy import rounded_down
from .scheme import Exact, Gaussian, Milstein, Platen
from .start import Everywhere
from .start_check import check_start

if TYPE_CHECKING:
    from .ito import ItoWalk

SAMPLES = 512  # places at which coefficients are looked at
REACH = 100.0  # steps after which the farthest of these places may be reached on an unbounded axis
TIMES = (0.0, 1.0, 7.3, REACH)  # steps after which coefficients that depend on time are looked at


def check_ito(walk: ItoWalk) -> None:
    """Refuse a walk that is none: walls without a distance, a start beyond a wall, coefficients that are no numbers, a step
    longer than the domain, and a scheme that does not fit."""
    barriers(walk.domain)  # refuses regions without a distance
    if isinstance(walk.start, Everywhere):
        raise ValueError(f"start = {walk.start}: an Itô walk has no sites; give Uniform(low, high)")
    check_start(walk.start, walk.domain)
    _check_scheme(walk)
    _check_coefficients(walk)
    _check_step(walk)


def _check_scheme(walk: ItoWalk) -> None:
    scheme, increments = walk.scheme, walk.increments
    if isinstance(scheme, Platen) and increments.moments < 5.0:
        raise ValueError(
            f"increments = {increments} have {increments.moments:g} moments of a normal distribution, and scheme = {scheme} "
            "needs 5 for its order: take Gaussian() or ThreePoint()"
        )
    if isinstance(scheme, Exact):
        if not isinstance(increments, Gaussian):
            raise ValueError(f"increments = {increments}: scheme = Exact() draws from a law and needs Gaussian()")
        walk.exact_step  # noqa: B018  # refuses a walk whose steps have no known law
    elif isinstance(scheme, Milstein) and not (walk.diagonal or walk.sources == 1):
        raise ValueError(
            f"scheme = {scheme} needs a scalar or a diagonal noise, and this one has {walk.dimension} × {walk.sources} entries: "
            "take EulerMaruyama() or Platen()"
        )


def _check_coefficients(walk: ItoWalk) -> None:
    """Refuse values that are no numbers, a negative D or killing rate, at sampled places of the domain."""
    places = _places(walk)
    known = [(f"drift{_index(walk, i)}", a) for i, a in enumerate(walk.drift)]
    one = walk.dimension == walk.sources == 1
    known += [
        ("noise" if one else f"noise[{i}][{k}]", s) for i, row in enumerate(walk.noise) for k, s in enumerate(row)
    ]
    varying = [(name, c) for name, c in known if c.variables]
    for steps in TIMES:
        t = steps * walk.dt
        if walk.declared_noise is None:
            _check_tensor(walk, places, t)
        killed = walk.killing(places, t)
        _refuse("killing", killed, ~(np.isfinite(killed) & (killed >= 0.0)), places, t, "a number ≥ 0")
        for name, coefficient in varying:
            values = coefficient(places, t)
            _refuse(name, values, ~np.isfinite(values), places, t, "a finite number")


def check_vector(name: str, vector: Sequence[Coefficient], walk: ItoWalk) -> None:
    """Refuse a vector, by the name of the argument, that is no number at one of the sampled places of a walk."""
    places = _places(walk)
    for i, component in enumerate(vector):
        for t in (steps * walk.dt for steps in TIMES):
            values = component(places, t)
            _refuse(f"{name}{_index(walk, i)}", values, ~np.isfinite(values), places, t, "a finite number")


def _check_tensor(walk: ItoWalk, places: tuple[Floats, ...], t: float) -> None:
    tensor = walk.diffusion
    if walk.dimension == 1 or tensor.diagonal:
        for i in range(walk.dimension):
            values = tensor[i, i](places, t)
            name = "diffusion" + ("" if walk.dimension == 1 else f"[{i}][{i}]")
            _refuse(name, values, ~(np.isfinite(values) & (values >= 0.0)), places, t, "a number ≥ 0")
    elif walk.noise_numbers is None:
        tensor.check(places, t)


def _refuse(name: str, values: Floats, wrong: np.ndarray, places: tuple[Floats, ...], t: float, wanted: str) -> None:
    if not wrong.any():
        return
    spread = np.broadcast_arrays(values, wrong, *places)
    at = int(np.argmax(spread[1]))
    place = ", ".join(f"{coordinate(i)} = {x[at]:.6g}" for i, x in enumerate(spread[2:]))
    raise ValueError(
        f"{name} = {spread[0][at]:.6g} at {place}, t = {t:.6g}: must be {wanted}; change it there, or put a wall before it"
    )


def _places(walk: ItoWalk) -> tuple[Floats, ...]:
    """Places of the domain: over all of a bounded axis, on others about the start, as far as walkers spread in some steps."""
    rng = np.random.default_rng(0)
    at_start = tuple(np.array([0.5 * (low + high)]) for low, high in walk.start.bounds)
    along = []
    for i, ((low, high), (first, last)) in enumerate(zip(walk.domain.bounds, walk.start.bounds, strict=True)):
        d = float(np.abs(walk.diffusion[i, i](at_start, 0.0)).ravel()[0])
        reach = math.sqrt(2.0 * d * walk.dt * REACH) if math.isfinite(d) else 0.0
        begin, end = max(low, first - reach), min(high, last + reach)
        inner = begin + (end - begin) * np.concatenate([[0.5], rng.uniform(1e-9, 1.0 - 1e-9, SAMPLES - 1)])
        along.append(inner)
    for x, (first, last) in zip(along, walk.start.bounds, strict=True):
        x[0] = 0.5 * (first + last)
    inside = walk.domain.contains(tuple(along)) if walk.domain.regions else np.ones(SAMPLES, dtype=bool)
    return tuple(x[inside] for x in along)


def _check_step(walk: ItoWalk) -> None:
    """Refuse a step whose noise is longer than the domain between two walls."""
    places = _places(walk)
    walls = {face.axis for face in walk.domain.faces}
    for i, (low, high) in enumerate(walk.domain.bounds):
        width = high - low
        if not math.isfinite(width) or not (i in walls or walk.domain.regions):
            continue
        largest = float(np.max(walk.diffusion[i, i](places, 0.0)))
        if math.sqrt(2.0 * largest * walk.dt) > width:
            raise ValueError(
                f"dt = {walk.dt:g}: the noise of a step, √(2D dt) = {math.sqrt(2.0 * largest * walk.dt):.3g}, is longer than the "
                f"domain along {coordinate(i)}, which is {width:g}; take dt ≤ {rounded_down(0.01 * width**2 / (2.0 * largest))}"
            )


def _index(walk: ItoWalk, i: int) -> str:
    return "" if walk.dimension == 1 else f"[{i}]"


def opaque_ones(walk: ItoWalk) -> Iterator[Coefficient]:
    """The coefficients that are Python functions without a tree."""
    entries = (*walk.drift, *(s for row in walk.noise for s in row), walk.killing)
    return (c for c in entries if isinstance(c, Function) and c.tree is None)
