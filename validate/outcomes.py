"""Counts of mutually exclusive outcomes beside their probabilities: where an ensemble was found, and by which exits it left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from randwalk.ensemble import Ensemble
from randwalk.ito_ensemble import ItoEnsemble
from randwalk.laws.cells import summed
from randwalk.laws.estimate import exact
from randwalk.laws.law import Law
from randwalk.model.coefficient import Constant, Floats
from randwalk.model.coefficient.variables import coordinate
from randwalk.model.domain import Axis, Domain
from randwalk.pde.exact_law import ExactLaw
from randwalk.run.results import Passages
from randwalk.tables.window import start_index

from .order import by_distance, morton

EXPECTED = 25.0  # walkers expected in every class of a chi-square test after merging
MOST_CLASSES = 400  # of passage times
Tests: TypeAlias = tuple[str, ...]
Pair: TypeAlias = tuple[NDArray[np.int64], Floats]
FROM_START = "distance from the start"
TESTS: Tests = ("chi²", "KS")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Counts of labelled, mutually exclusive outcomes and their expected probabilities, in a natural order.

    Outcomes are merged into classes for a chi-square test until each class expects `least` counts. `tests` are those that are
    made of them: of places in space chi-square, whose classes are neighbours; Kolmogorov–Smirnov where the order is one of size.
    """

    name: str
    labels: Floats
    observed: NDArray[np.int64]
    expected: Floats
    least: float = EXPECTED
    tests: Tests = TESTS

    @property
    def total(self) -> int:
        """The number of observations."""
        return int(self.observed.sum())

    def merged(self) -> tuple[NDArray[np.int64], Floats]:
        """(observed, expected) counts of classes: neighbouring outcomes are joined until a class expects `least` counts."""
        expected = self.expected * self.total
        numbers = classes(expected, self.least)
        observed = np.zeros(int(numbers[-1]) + 1, dtype=np.int64)
        np.add.at(observed, numbers, self.observed)
        return observed, np.bincount(numbers, weights=expected).astype(np.float64)


def classes(expected: Floats, least: float) -> NDArray[np.int64]:
    """The number of the class of each outcome: neighbours are joined until a class expects `least` counts."""
    numbers, gathered, number = np.empty(expected.size, dtype=np.int64), 0.0, 0
    for i, count in enumerate(expected):
        numbers[i] = number
        gathered += count
        if gathered >= least:
            number, gathered = number + 1, 0.0
    return np.minimum(numbers, max(number - 1, 0))  # the remaining outcomes at the end join the last full class


def ensemble_outcomes(ensemble: Ensemble | ItoEnsemble, law: Law[Any]) -> list[Outcomes]:
    """For every recorded time, the places of the survivors and the exits; and the passages, if they were recorded."""
    result = []
    for row, t in enumerate(ensemble.times.tolist()):
        exits = ensemble.domain.open_exits(ensemble.walk.killing != Constant(0.0))
        left = ensemble.gone[row].copy()
        gone = np.array(
            [float(exact(law.absorbed(exit, t))) if exit in exits else 0.0 for exit in ensemble.domain.exits]
        )
        if isinstance(ensemble, ItoEnsemble):
            if not ensemble.bins.joint:
                continue
            seen = _in_bins(ensemble, law, t)
            left = np.append(left, ensemble.outside[row])
            gone = np.append(gone, max(0.0, 1.0 - gone.sum() - seen.probabilities.sum()))
        else:
            seen = _by_sites(ensemble, law, t) if isinstance(law, ExactLaw) else _by_bins(ensemble, law, t)
            left[0] += ensemble.leaked[row]
        found = of_places(seen, left, gone, _centre(ensemble), f"t = {t:g}")
        inside = np.isfinite(found[0].labels)
        result += [*found, *(_unreached(found[0], inside) if isinstance(law, ExactLaw) else [])]
    for record in ensemble.records.values():
        if isinstance(record, Passages):
            passages = _passages(record, law, ensemble.domain)
            result += [passages, *(_unreached(passages) if isinstance(law, ExactLaw) else [])]
    return result


def _unreached(outcomes: Outcomes, among: Any = True) -> list[Outcomes]:
    """The walkers at places, or with passages, that a lattice walk does not reach, such as at every second step, which classes
    hide; nothing if there are none."""
    count = int(outcomes.observed[(outcomes.expected == 0.0) & among].sum())
    if not count:
        return []
    observed = np.array([outcomes.total - count, count])
    name = f"{outcomes.name}, of probability 0"
    return [Outcomes(name, np.arange(2.0), observed, np.array([1.0, 0.0]), 0.0, ("impossible",))]


@dataclass(frozen=True, eq=False)
class Seen:
    """Counts of walkers and their probabilities on a product of places, shape (places of each axis)."""

    places: tuple[Floats, ...]
    axes: tuple[Axis, ...]
    counts: NDArray[np.int64]
    probabilities: Floats

    def map(self, change: Callable[[Any], Any]) -> Pair:
        """The changed counts and the changed probabilities."""
        return change(self.counts), change(self.probabilities)


def of_places(seen: Seen, left: NDArray[np.int64], gone: Floats, centre: list[float], when: str) -> list[Outcomes]:
    """The outcomes of one time: classes in Morton's order between the exits; beyond one dimension also the places along each
    axis, and their distances from the centre of the start, which have an order."""
    order = morton(seen.counts.shape)
    dimension = len(seen.places)
    labels = seen.places[0] if dimension == 1 else np.arange(order.size, dtype=np.float64)

    def outcomes(name: str, labels: Floats, inside: Pair, ends: tuple[int, int], tests: Tests) -> Outcomes:
        """The outcomes of walkers inside, with the two exits `ends` at either end, and the other exits after them."""
        (low, high), (counts, p) = ends, inside
        others = [way for way in range(left.size) if way not in ends]
        observed, expected = (
            np.concatenate([values[[low]], inner, values[[high, *others]]])
            for values, inner in ((left, counts), (gone, p))
        )
        names = np.concatenate([[-np.inf], labels, [np.inf], np.full(len(others), np.nan)])
        return Outcomes(f"{name} at {when}", names, observed, expected, tests=tests)

    flat = seen.map(lambda values: values.ravel()[order])
    result = [outcomes("places", labels, flat, (0, 1), TESTS if dimension == 1 else TESTS[:1])]
    if dimension == 1:
        return result
    for axis, places in enumerate(seen.places):
        sums = seen.map(lambda values, axis=axis: summed(values, (axis,)))  # type: ignore[misc]
        result.append(outcomes(coordinate(axis), places, sums, (2 * axis, 2 * axis + 1), TESTS[1:]))
    distances, number = by_distance(seen.places, seen.axes, centre)
    sums = seen.map(lambda values: _gathered(values.ravel(), number))
    return [*result, outcomes(FROM_START, distances, sums, (0, 1), TESTS[1:])]


def _gathered(values: np.ndarray, number: NDArray[np.int64]) -> np.ndarray:
    """Sums of the values of each number."""
    total = np.zeros(int(number.max(initial=0)) + 1, dtype=values.dtype)
    np.add.at(total, number, values)
    return total


def _centre(ensemble: Ensemble | ItoEnsemble) -> list[float]:
    """The mean place of the start, of an Itô walk the middle."""
    if isinstance(ensemble, ItoEnsemble):
        return [0.5 * (low + high) for low, high in ensemble.walk.start.bounds]
    table = ensemble.table
    cells, masses = start_index(table)
    numbers = table.layout.numbers(cells)
    weights = masses / masses.sum()
    return [float(lattice.x(k) @ weights) for lattice, k in zip(table.lattices, numbers, strict=True)]


def _by_sites(ensemble: Ensemble, law: ExactLaw, t: float) -> Seen:
    sample, atoms = ensemble._at(t), law._at(t)
    numbers: tuple[list[Any], list[Any]] = ([], [])
    places = []
    for axis, dx in enumerate(sample.support.spacings):
        x, other, apart = sample.places[axis], atoms.places[axis], atoms.support.spacings[axis]
        mine, theirs = ((sites - x[0]) / dx for sites in (x, other))
        scale = max(1.0, float(np.abs(theirs).max()))
        if abs(apart - dx) * theirs.size > 1e-6 * dx or abs(theirs[0] - np.rint(theirs[0])) > 1e-6 * min(scale, 1e3):
            name = coordinate(axis)
            raise ValueError(
                f"expected is a law on sites {apart:g} apart, one of them at {name} = {other[0]:.9g}, and observed walked on "
                f"sites {dx:g} apart, one of them at {name} = {x[0]:.9g}: compare with "
                "rw.pde.exact_law(observed.walk, observed.times), or with expected.smoothed()"
            )
        both = [np.rint(k).astype(np.int64) for k in (mine, theirs)]
        if sample.support.axes[axis].periodic:
            both = [k % x.size for k in both]
        first = min(int(k.min()) for k in both)
        for known, k in zip(numbers, both, strict=True):
            known.append(k - first)
        places.append(x[0] + dx * np.arange(first, max(int(k.max()) for k in both) + 1))
    shape = tuple(x.size for x in places)
    counts, probabilities = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    counts[np.ix_(*numbers[0])] = sample.counts
    probabilities[np.ix_(*numbers[1])] = atoms.p
    return Seen(tuple(places), sample.support.axes, counts, probabilities)


def _by_bins(ensemble: Ensemble, law: Law[Any], t: float) -> Seen:
    sample = ensemble._at(t)
    support, edges = sample.support, sample.bins()
    places = [0.5 * (e[1:] + e[:-1]) for e in edges]
    cuts = edges[0] if sample.dimension == 1 else edges
    counts, probabilities = support.binned(sample.counts, cuts), exact(law.mass(cuts, t))
    for axis, kind in enumerate(support.axes):
        if kind.periodic:  # the first and the last bin are one, on either side of the seam
            counts, probabilities = (_joined(values, axis) for values in (counts, probabilities))
            places[axis] = places[axis][:-1]
    return Seen(tuple(places), support.axes, counts, probabilities)


def _in_bins(run: ItoEnsemble, law: Law[Any], t: float) -> Seen:
    edges = tuple(map(np.array, run.bins.edges))
    cuts = edges[0] if run.dimension == 1 else edges
    places = tuple(0.5 * (e[1:] + e[:-1]) for e in edges)
    return Seen(places, run.domain.axes, run.bin_counts(cuts, t), exact(law.mass(cuts, t)))


def _joined(values: np.ndarray, axis: int) -> np.ndarray:
    """The values with the last of an axis added to the first."""
    rows = np.moveaxis(values, axis, 0).copy()
    rows[0] += rows[-1]
    return np.moveaxis(rows[:-1], 0, axis)


def _passages(record: Passages, law: Law[Any], domain: Domain) -> Outcomes:
    """The walkers that left by each exit, in classes of time, and the survivors."""
    edges = np.unique(np.linspace(0, record.times.size - 1, MOST_CLASSES).astype(np.int64))
    counts, probabilities = [], []
    for way, exit in enumerate(domain.exits):
        if not record.counts[:, way].any():
            continue
        counts.append(np.add.reduceat(record.counts[:, way], np.append(0, edges[:-1] + 1)))
        probabilities.append(np.diff(exact(law.absorbed(exit, record.times[edges])), prepend=0.0))
    observed = np.concatenate([*counts, [0]]).astype(np.int64)
    observed[-1] = record.walkers - observed.sum()
    expected = np.concatenate([*probabilities, [0.0]])
    expected[-1] = 1.0 - expected.sum()
    return Outcomes("passage sides and times", np.arange(observed.size, dtype=np.float64), observed, expected)
