"""What a report draws of a case: where walkers were found beside where they were expected, in coarse bins; and who is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from randwalk.ensemble import Ensemble
from randwalk.ito_ensemble import ItoEnsemble
from randwalk.laws.estimate import Estimate, exact
from randwalk.laws.law import Law
from randwalk.laws.lookup import NoAnswer
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.coefficient.variables import coordinate
from randwalk.model.ito import ItoWalk
from randwalk.run.record import FirstPassage
from randwalk.simulation import simulate

from .measured_curve import MeasuredCurve

BINS = {1: 48, 2: 24}  # of each axis, by the number of axes that a picture has
TIMES = 60  # of a curve
SEEN = 1e-5  # of the mass at either end of an axis that is not drawn
FEWEST = 5.0  # walkers expected in a bin, below which it has no residual
PICTURED = 20_000  # walkers of the picture of an Itô walk, whose rungs keep means alone
FINER = 4  # times smaller is the step of these walkers than that of the walk


@dataclass(frozen=True, eq=False)
class Sample:
    """Shares of walkers with their standard errors, by what they are compared with, and the residuals in these errors."""

    name: str
    walkers: int
    share: Floats
    error: Floats
    residual: Floats

    @classmethod
    def of(cls, name: str, found: Floats, expected: Floats, walkers: int) -> Sample:
        """Errors and residuals by the probabilities expected: a bin without walkers has no error of its own."""
        p = np.clip(expected, 0.0, 1.0)
        error = np.sqrt(p * (1.0 - p) / walkers)
        with np.errstate(divide="ignore", invalid="ignore"):
            residual = np.where(p * walkers >= FEWEST, (found - expected) / error, np.nan)
        return cls(name, walkers, found, error, residual)


@dataclass(frozen=True, eq=False)
class Profile:
    """Bins along one axis at one time: what was expected in each, by the law of the walk and by the equation, and found."""

    axis: str
    time: float
    edges: Floats  # shape (bins + 1,)
    expected: Floats
    equation: Floats
    samples: tuple[Sample, ...]


@dataclass(frozen=True, eq=False)
class Map:
    """The same in the plane; `expected` and the sample's arrays have the shape (bins along x, bins along y)."""

    axes: tuple[str, str]
    time: float
    edges: tuple[Floats, Floats]
    expected: Floats
    sample: Sample


@dataclass(frozen=True, eq=False)
class Curve:
    """The share that has not left, by time."""

    times: Floats
    expected: Floats
    found: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class Fractions:
    """Measured fractions that have passed a wall by given times, from one start."""

    wall: str
    start: float
    times: Floats
    found: Floats
    error: float
    expected: Floats


Exhibit: TypeAlias = Profile | Map | Curve | Fractions


def of_lattice(ensembles: Sequence[Ensemble], law: Law[Any], equation: Law[Any]) -> tuple[Exhibit, ...]:
    """The pictures of a walk on a lattice at its last time: bins hold whole cells of its atoms."""
    t = float(ensembles[0].times[-1])
    told = [(f"{_many(e.walkers)} walkers by {e.method}", e) for e in sorted(ensembles, key=lambda e: e.walkers)]
    return _pictures(told, law, equation, t)


def of_ito(walk: ItoWalk, times: Sequence[float], law: Law[Any], seed: int, threads: int | None) -> tuple[Exhibit, ...]:
    """The pictures of an Itô walk: some walkers with a finer step, whose error is still in them."""
    fine = walk.replaced(dt=walk.dt / FINER)
    record = [FirstPassage()] if walk.domain.open_exits(walk.killing != Constant(0.0)) else []
    run = simulate(fine, PICTURED, [times[-1]], seed=seed, record=record, threads=threads)
    return _pictures([(f"{_many(PICTURED)} walkers with dt = {fine.dt:.3g}", run)], law, law, float(times[-1]))


def _many(walkers: int) -> str:
    return f"{walkers:,}" if walkers < 10**7 else f"{walkers:.0e}"


def _pictures(
    told: Sequence[tuple[str, Ensemble | ItoEnsemble]], law: Law[Any], equation: Law[Any], t: float
) -> tuple[Exhibit, ...]:
    """What can be drawn: a map in the plane, else a profile of every axis; and the curve of survival, if walkers leave."""
    walkers = told[0][1]
    found: list[Exhibit] = []
    if walkers.dimension == 2:
        found += _some(lambda: _map(told[0][0], walkers, law, t))
    else:
        found += _some(
            *(lambda axis=axis: _profile(axis, told, law, equation, t) for axis in range(min(walkers.dimension, 3)))
        )
    return (*found, *_some(lambda: _curve(walkers, law, t)))


def _some(*asked: Any) -> list[Exhibit]:
    """The exhibits that there are: what a law does not answer is not drawn."""
    found = []
    for ask in asked:
        try:
            found.append(ask())
        except NoAnswer:
            continue
    return [exhibit for exhibit in found if exhibit is not None]


def _profile(
    axis: int, told: Sequence[tuple[str, Ensemble | ItoEnsemble]], law: Law[Any], equation: Law[Any], t: float
) -> Profile | None:
    alone = law.marginal(axis)
    finest = told[0][1].marginal(axis)._at(t).bins()[0]
    edges = _shown(finest, exact(alone.mass(finest, t)), BINS[1])
    if edges is None:
        return None
    expected = exact(alone.mass(edges, t))
    samples = tuple(
        Sample.of(name, exact(run.marginal(axis).mass(edges, t)), expected, run.walkers) for name, run in told
    )
    return Profile(coordinate(axis), t, edges, expected, exact(equation.marginal(axis).mass(edges, t)), samples)


def _map(name: str, run: Ensemble | ItoEnsemble, law: Law[Any], t: float) -> Map | None:
    finest = run._at(t).bins()
    masses = exact(law.mass(finest, t))
    x, y = (_shown(edges, masses.sum(axis=1 - axis), BINS[2]) for axis, edges in enumerate(finest))
    if x is None or y is None:
        return None
    expected, found = (exact(one.mass((x, y), t)) for one in (law, run))
    return Map((coordinate(0), coordinate(1)), t, (x, y), expected, Sample.of(name, found, expected, run.walkers))


def _curve(run: Ensemble | ItoEnsemble, law: Law[Any], t: float) -> Curve | None:
    if not run.domain.open_exits(run.walk.killing != Constant(0.0)):
        return None
    ended = law.times is not None and not hasattr(law, "steps")  # between recorded times it does not answer
    times = np.asarray(law.times) if ended else np.linspace(0.0, t, TIMES + 1)[1:]
    found = run.survival(times)
    assert isinstance(found, Estimate)
    return Curve(times, exact(law.survival(times)), found.value, found.error)


def _shown(edges: Floats, masses: Floats, most: int) -> Floats | None:
    """At most so many bins of these edges, where all mass lies but SEEN at either end; None if there is no mass."""
    total = float(masses.sum())
    if not total > 0.0:
        return None
    below = np.append(0.0, np.cumsum(masses)) / total
    first = max(int(np.searchsorted(below, SEEN, side="right")) - 1, 0)
    last = min(int(np.searchsorted(below, 1.0 - SEEN)), edges.size - 1)
    kept = edges[first : last + 1]
    stride = -(-(kept.size - 1) // most)
    return np.append(kept[:-1:stride], kept[-1]) if kept.size > 1 else None


def of_curve(data: MeasuredCurve, law: Callable[[float, Floats], Floats]) -> tuple[Exhibit, ...]:
    """Measured fractions beside those of a walk, by start and times; one exhibit for each start."""
    found = []
    for start in np.unique(data.starts).tolist():
        rows = np.flatnonzero(data.starts == start)
        rows = rows[np.argsort(data.times[rows])]
        times = data.times[rows].astype(np.float64)
        expected = np.asarray(law(start, times))
        found.append(Fractions(data.wall, start, times, data.values[rows].astype(np.float64), data._sigma, expected))
    return tuple(found)
