"""The likely cause of a disagreement, from the shape of its residuals: which change of the law takes most of it away."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, optimize

from randwalk.model.coefficient import Floats
from randwalk.model.domain import Axis

from .outcomes import Outcomes, classes

LEAST = 5.0  # counts expected in a class of the residuals
CLEAR = 6.0  # standard errors from which a share differs beyond doubt
NEARLY = 0.9  # of what the best change takes away, for a simpler one to be named
HALF = 0.5  # of everything, for any change to be named
STRETCHED = 2.5  # the width of what is mixed into a law to change its tails
OUTER = 2.0  # standard deviations from the middle where tails begin that are left free
FAR = 3.0  # those beyond which walkers are counted, to say how many
NEAR = (0.03, 0.1, 0.25)  # how far the effect of a wall reaches, in parts of the range of places
TILT = 50.0  # the largest exponential tilt that is tried, over the range of places


@dataclass(frozen=True)
class Cause:
    """A likely cause: its `kind` (shift, width, wall, parity, tail, dependence or unknown), and what was seen, in words."""

    kind: str
    seen: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.seen}"


@dataclass(frozen=True, eq=False)
class Shape:
    """Shares of places in order, of those that have left, and what the law expects of both."""

    x: Floats
    found: Floats  # shape (places,), and so is expected
    expected: Floats
    left: Floats  # of the exits in the order of the labels, and so is leaving
    leaving: Floats
    exits: tuple[str, ...]
    total: float  # the size of a sample with as much noise

    @classmethod
    def of(cls, outcomes: Outcomes, size: float) -> Shape:
        shares, finite = outcomes.observed / outcomes.total, np.isfinite(outcomes.labels)
        inside = finite & ((shares > 0.0) | (outcomes.expected > 0.0))  # without every second site, if nothing is there
        names = np.where(
            np.isnan(outcomes.labels), "another exit", np.where(outcomes.labels > 0, "the high wall", "the low wall")
        )
        return cls(
            outcomes.labels[inside], shares[inside], outcomes.expected[inside], shares[~finite], outcomes.expected[~finite],
            tuple(names[~finite].tolist()), size,
        )  # fmt: skip

    @property
    def apart(self) -> Floats:
        """How many more left by each exit than expected, in standard errors."""
        return (self.left - self.leaving) / np.sqrt(np.clip(self.leaving, 1.0 / self.total, None) / self.total)

    def moments(self, shares: Floats) -> tuple[float, float]:
        """Mean and standard deviation of places."""
        mean = float(shares @ self.x) / float(shares.sum())
        return mean, math.sqrt(max(float(shares @ (self.x - mean) ** 2) / float(shares.sum()), 0.0))

    @property
    def edges(self) -> Floats:
        """Between the places, half way, and as far beyond the first and the last."""
        middles = 0.5 * (self.x[1:] + self.x[:-1])
        return np.concatenate([[2 * self.x[0] - middles[0]], middles, [2 * self.x[-1] - middles[-1]]])

    def moved(self, change: Callable[[Floats], Floats]) -> Floats:
        """The expected shares if the law were that of another place: `change` leads a place to the one it was before."""
        edges, below = self.edges, np.append(0.0, np.cumsum(self.expected))
        return np.diff(interpolate.PchipInterpolator(edges, below)(np.clip(change(edges), edges[0], edges[-1])))

    def rotated(self, shift: float, period: float) -> Floats:
        """The expected shares if the law on a ring were turned by `shift`."""
        start, below = self.edges[0], np.append(0.0, np.cumsum(self.expected))
        inside = (self.edges - start) * (period / (self.edges[-1] - start))
        once = interpolate.PchipInterpolator(inside, below)
        turns, rest = np.divmod(inside - shift, period)
        return np.diff(turns * below[-1] + once(rest))

    def turn(self, period: float) -> float:
        """How far the sample is turned on a ring, by the mean directions."""
        round_ = np.exp(2j * np.pi * self.x / period)
        return float(np.angle((self.found @ round_) / (self.expected @ round_))) * period / (2.0 * np.pi)

    def distance(self, expected: Floats, leaving: Floats) -> float:
        """Freeman and Tukey's statistic of classes of places, and of exits."""
        size = int(self.classes[-1]) + 1
        found, wanted = (np.bincount(self.classes, np.clip(v, 0.0, None), size) for v in (self.found, expected))
        pairs = ((found, wanted), (self.left, leaving))
        return 4.0 * self.total * float(sum(((np.sqrt(a) - np.sqrt(b)) ** 2).sum() for a, b in pairs))

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The number of the class of each place."""
        return classes(self.expected * self.total, LEAST)


@dataclass(frozen=True, eq=False)
class Change:
    """A changed law: the cause that it stands for, its shares of places and of exits, and how many numbers were fitted."""

    cause: Cause
    expected: Floats
    leaving: Floats
    fitted: int = 1


def likely_cause(outcomes: Outcomes, axis: Axis, size: float) -> Cause:
    """The change of the expected shares that takes most of the residuals away; a simpler one is preferred.

    `axis` is that of the places, and `size` that of a sample which has as much noise beside a law as is in the residuals.
    """
    shape = Shape.of(outcomes, size)
    parity = _parity(shape)
    if parity is not None:
        return parity
    noise = float(shape.classes[-1] + shape.left.size)
    whole = max(shape.distance(shape.expected, shape.leaving) - noise, 1e-300)
    taken = [
        (change.cause, 1.0 - max(shape.distance(change.expected, change.leaving) - noise + change.fitted, 0.0) / whole)
        for change in _changes(shape, axis)
    ]
    best = max((part for _, part in taken), default=0.0)
    if best < HALF:
        worst = int(np.argmax(np.abs(np.sqrt(shape.found) - np.sqrt(shape.expected))))
        return Cause(
            "unknown", f"no shift, width, wall or tail explains it; it is largest near x = {shape.x[worst]:.4g}"
        )
    named = next(cause for cause, part in taken if part >= NEARLY * best)
    cause, part = max((row for row in taken if row[0] == named), key=lambda row: row[1])
    return Cause(cause.kind, f"{cause.seen}; that explains {100.0 * part:.0f} % of it")


def _changes(shape: Shape, axis: Axis) -> Iterator[Change]:
    """The changes in order of simplicity. What moves places moves the shares of exits, too: they are taken as found."""
    inside, expected = float(shape.found.sum()), float(shape.expected.sum())
    if not (inside > 0.0 and expected > 0.0):
        yield from _exits(shape, shape.expected)
        return
    alike = shape.expected * (inside / expected)
    (mean, sd), (own, width) = shape.moments(shape.found), shape.moments(shape.expected)
    yield from _exits(shape, alike)
    if axis.periodic:
        period = axis.high - axis.low
        turn = shape.turn(period)
        turned = shape.rotated(turn, period)
        yield Change(
            _shift(shape, turn, sd / math.sqrt(shape.total * inside), width),
            turned * (inside / turned.sum()),
            shape.left,
        )
    elif sd > 0.0 and width > 0.0:
        shift, ratio = mean - own, sd / width
        cause = _shift(shape, shift, sd / math.sqrt(shape.total * inside), width)
        for moved in (shape.moved(lambda x: x - shift), _tilted(shape, mean)):
            yield Change(cause, moved * (inside / moved.sum()), shape.left)
        told = f"the sample is {ratio:.4g} times as wide as the law, its variance {ratio**2:.4g} times as large"
        wider = shape.moved(lambda x: own + (x - own) / ratio)
        yield Change(
            Cause("width", f"{told}: look at D (σ² = 2D) and at the step of time"),
            wider * (inside / wider.sum()),
            shape.left,
        )
    for end, name in ((axis.low, "low"), (axis.high, "high")):
        if math.isfinite(end) and not axis.periodic:
            first = np.zeros(shape.x.size)
            first[0 if name == "low" else -1] = 1.0
            reach = [np.exp(-np.abs(shape.x - end) / (part * np.ptp(shape.x))) * alike for part in NEAR]
            cause = Cause("wall", f"the residuals lie near the {name} wall, x = {end:g}: look at its place and kind")
            yield Change(cause, _fitted(shape, alike, [*reach, first]), shape.left, len(reach) + 1)
    yield from _tails(shape, alike, own, width)


def _shift(shape: Shape, shift: float, error: float, width: float) -> Cause:
    """The cause of moved places. A drift that moves them away from a wall lets fewer leave there: if more do, it is the wall."""
    apart = shape.apart
    for exit, z in zip(shape.exits, apart.tolist(), strict=True):
        away = {"the low wall": shift > 0.0, "the high wall": shift < 0.0}.get(exit)
        if away is not None and abs(z) > CLEAR and (z > 0.0) == away:
            told = (
                f"{_left(shape, apart)}, and the others lie {'further from' if away else 'nearer to'} it than expected"
            )
            return Cause("wall", f"{told}, which no drift does: look at its place and kind")
    told = f"the sample lies {abs(shift):.3g} ± {error:.1g} {'above' if shift > 0 else 'below'} the law"
    return Cause("shift", f"{told} ({shift / width:+.2g} of its standard deviation): look at drift, start and sign")


def _left(shape: Shape, apart: Floats) -> str:
    """How many left by the exit that is furthest from what is expected."""
    way = int(np.argmax(np.abs(apart)))
    found, expected = shape.left[way], shape.leaving[way]
    return f"{found:.4g} of the walkers left by {shape.exits[way]}, where {expected:.4g} are expected ({apart[way]:+.1f} σ)"


def _exits(shape: Shape, alike: Floats) -> Iterator[Change]:
    """The exits as found, and places as expected."""
    if shape.left.any() or shape.leaving.any():
        yield Change(
            Cause("wall", f"{_left(shape, shape.apart)}, and the others are where they should be"), alike, shape.left
        )


def _tilted(shape: Shape, mean: float) -> Floats:
    """The shares times exp(a x), which have the given mean: what a constant drift makes of a law, between walls, too."""
    z = (shape.x - shape.x[0]) / np.ptp(shape.x)
    wanted = float((mean - shape.x[0]) / np.ptp(shape.x))

    def tilted(a: float) -> Floats:
        logs = np.log(np.clip(shape.expected, 1e-300, None)) + a * z
        shares = np.exp(logs - logs.max())
        return np.asarray(shares / shares.sum())

    def off(a: float) -> float:
        return float(tilted(a) @ z) - wanted

    return tilted(optimize.brentq(off, -TILT, TILT)) if off(-TILT) < 0.0 < off(TILT) else shape.expected


def _tails(shape: Shape, alike: Floats, own: float, width: float) -> Iterator[Change]:
    """Symmetric changes at the same width, and tails that are left free."""
    if not width > 0.0:
        return
    z = (shape.x - own) / width
    far = np.abs(z) > FAR
    found, expected = (float(shares[far].sum()) for shares in (shape.found, alike))
    told = f"{found:.3g} of the walkers are beyond {FAR:g} standard deviations, where {expected:.3g} are expected"
    cause = Cause("tail", f"{told}, at about the same width: look at rare large steps")
    stretched = shape.moved(lambda x: own + (x - own) / STRETCHED)
    even = [alike * np.clip(z, -5.0, 5.0) ** power for power in (2, 4, 6)]
    yield Change(cause, _fitted(shape, alike, [stretched, *even]), shape.left, len(even) + 1)
    core = np.abs(z) <= OUTER
    smooth = _fitted(shape, alike, [np.where(core, d, 0.0) for d in even] + [np.where(core, 0.0, alike)])
    free = np.where(core, smooth, shape.found)
    yield Change(cause, free, shape.left, len(even) + np.unique(shape.classes[~core]).size)


def _fitted(shape: Shape, alike: Floats, directions: list[Floats]) -> Floats:
    """The best combination of the shares and directions, by weighted least squares, which keeps their total."""
    columns = np.array([d / np.abs(d).max() for d in directions]).T
    columns = columns - alike[:, None] * (columns.sum(axis=0) / alike.sum())
    weights = 1.0 / np.sqrt(np.clip(alike, 1.0 / shape.total, None))
    coefficients = np.linalg.lstsq(columns * weights[:, None], (shape.found - alike) * weights, rcond=None)[0]
    fitted = np.clip(alike + columns @ coefficients, 0.0, None)
    return np.asarray(fitted * (alike.sum() / fitted.sum()))


def _parity(shape: Shape) -> Cause | None:
    """Every second place has too many, if that is so everywhere, and explains the rest."""
    if shape.x.size < 4:
        return None
    second = np.arange(shape.x.size) % 2 == 0
    (found, other), (expected, between) = (
        (float(shares[second].sum()), float(shares[~second].sum())) for shares in (shape.found, shape.expected)
    )
    if not (found + other > 0.0 and expected + between > 0.0):
        return None
    share, wanted = found / (found + other), expected / (expected + between)
    noise = max(wanted * (1.0 - wanted), 1.0 / shape.total) / (shape.total * (found + other))
    if abs(share - wanted) < CLEAR * math.sqrt(noise):
        return None
    before, after = (
        float(((np.sqrt(mine) - np.sqrt(law)) ** 2).sum())
        for mine, law in ((shape.found, shape.expected), (_in_twos(shape.found), _in_twos(shape.expected)))
    )
    if after > HALF * before:
        return None
    told = f"{100.0 * share:.4g} % of the sample lies on every second place, where {100.0 * wanted:.4g} % are expected"
    return Cause("parity", f"{told}: look at the number of steps, and at whether the walk can stay")


def _in_twos(shares: Floats) -> Floats:
    """The shares of pairs of neighbours."""
    return np.add.reduceat(shares, np.arange(0, shares.size, 2))
