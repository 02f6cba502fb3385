"""Green's function and the potential kernel of a walk with the same probabilities everywhere on a lattice without ends.

With the characteristic function φ(θ) of a step, the mean number of visits to the site x of a walk from 0 that goes on with
probability z after each step is

    G_z(x) = ∫ e^(-iθ·x)/(1 - zφ(θ)) dθ/(2π)^d        (Spitzer, *Principles of Random Walk*, 1976, P8 and P12).

The integral over one angle is known: with φ = b + a e^(iθ₁) + c e^(-iθ₁) it is uⁿ/s for n = x₁ ≥ 0, where
s = √((1 - zb)² - 4z²ac) and u = 2za/(1 - zb + s), or 2zc/(1 - zb + s) for n = -x₁. What is left, with a root of a quadratic form
at 0, is smooth in s and u on pyramids θ = s (1, u₂, …) around 0 (Duffy, SIAM J. Numer. Anal. 19, 1260, 1982), so that Gauss's
nodes converge exponentially; s is divided into panels of half the size each, down to the smallest scale of the walk and of x.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats
from randwalk.model.walk import LatticeWalk
from randwalk.tables.sublattice import hermite

from .clock import visits_by_time

FIRST: Final = 12  # nodes along each angle of a panel
MORE: Final = 4.0 / 3.0
NODES: Final = 1 << 19  # of a pyramid and panel, at most
MOST: Final = 250  # nodes along each angle of a panel
AT_ONCE: Final = 1 << 21  # numbers of an array of nodes and places
CLOSE: Final = 3e-10  # of the largest value: difference of two numbers of nodes, of which the larger is to this ^ MORE
ROUNDING: Final = 4e-16
ROUGH: Final = 1e-9  # of a site: how far from a sum of steps it may be by rounding
STEEPEST: Final = 60.0  # of a tilt

Complex: TypeAlias = NDArray[np.complex128]
Whole: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Moves:
    """The steps of a walk that are the same everywhere.

    Attributes
    ----------
    steps : (K, d) array of whole numbers
    chances : (K,) array
        Positive; what is missing to 1 - `lost` is the probability of staying.
    lost : float
        The probability of being killed in a step.
    """

    steps: Whole
    chances: Floats
    lost: float

    @classmethod
    def of(cls, walk: LatticeWalk) -> Moves:
        """Those of a walk that is the same everywhere; their span is refused if it has fewer dimensions than the lattice."""
        now, origin = np.zeros(()), (np.zeros(()),) * walk.dimension
        point = origin if walk.dimension > 1 else origin[0]
        lost = float(-np.expm1(-walk.killing_rate(point, now) * walk.dt))
        chances = {step: float(p(point, now)) * (1.0 - lost) for step, p in walk.probabilities.items()}
        kept = {step: p for step, p in chances.items() if p > 0.0}
        steps = np.array(list(kept), dtype=np.int64).reshape(-1, walk.dimension)
        if np.linalg.matrix_rank(steps) < walk.dimension:
            raise ValueError(
                f"the steps {', '.join(map(str, kept))} span fewer than {walk.dimension} dimensions: declare the walk in those"
            )
        return cls(steps, np.array(list(kept.values())), lost)

    @property
    def dimension(self) -> int:
        return int(self.steps.shape[1])

    @cached_property
    def drift(self) -> Floats:
        """The mean step, (d,); 0 where it is rounding."""
        mean = self.chances @ self.steps
        return np.where(np.abs(mean) <= ROUNDING * (self.chances @ np.abs(self.steps)), 0.0, mean)

    def even(self, axis: int) -> bool:
        """Whether the steps are the same mirrored along an axis."""
        chances = {tuple(step): p for step, p in zip(self.steps.tolist(), self.chances.tolist(), strict=True)}
        mirrored = self.steps * np.where(np.arange(self.dimension) == axis, -1, 1)
        return all(
            chances.get(tuple(step)) == p for step, p in zip(mirrored.tolist(), self.chances.tolist(), strict=True)
        )

    @property
    def recurrent(self) -> bool:
        """Whether walkers come back for certain: in one or two dimensions, without drift or killing (Pólya 1921)."""
        return self.dimension <= 2 and not self.lost and not self.drift.any()

    @cached_property
    def steepest(self) -> int:
        """The axis of the largest drift, over the width of a step."""
        return int(np.argmax(np.abs(self.drift) / np.sqrt(self.chances @ self.steps**2)))

    @cached_property
    def gap(self) -> float:
        """How far from z = 1 the integrals over the angle of the steepest axis are smooth in z."""
        walks = [self] if self.tilt is None else [self, self.tilted(self.tilt)]
        return min(walk.lost + (math.sqrt(walk._along(1)) - math.sqrt(walk._along(-1))) ** 2 for walk in walks)

    def _along(self, way: int) -> float:
        """The probability of a step in one way along the steepest axis."""
        return float(self.chances[self.steps[:, self.steepest] == way].sum())

    @cached_property
    def basis(self) -> Whole:
        """The sublattice that the steps span, a row for each basis vector."""
        return np.array(hermite(self.steps.tolist(), self.dimension))

    def class_of(self, numbers: Whole) -> Whole:
        """A representative of the coset of the sublattice that sites (…, d) are on, (…, d)."""
        rest = np.array(numbers)
        for axis in reversed(range(self.dimension)):
            rest -= np.floor_divide(rest[..., axis], self.basis[axis, axis])[..., None] * self.basis[axis]
        return rest

    def reaches(self, numbers: Whole) -> NDArray[np.bool_]:
        """Whether sites (n, d) are on the sublattice of the steps and in their cone, beyond which no sum of steps comes, (n,)."""
        from scipy.optimize import nnls

        def beyond(site: Floats) -> bool:
            return bool(nnls(self.steps.T.astype(np.float64), site)[1] > ROUGH * np.linalg.norm(site))

        there: NDArray[np.bool_] = np.asarray(~self.class_of(numbers).any(axis=1))
        if beyond(-self.steps.sum(axis=0).astype(np.float64)):  # else the cone is the whole space
            there[there] = [not beyond(site) for site in numbers[there].astype(np.float64)]
        return there

    @cached_property
    def by_axis(self) -> tuple[Floats, Floats] | None:
        """The probabilities of a step up and down each axis, (d,) each; None if a step goes along several."""
        if (np.count_nonzero(self.steps, axis=1) > 1).any():
            return None
        return self.chances @ (self.steps > 0), self.chances @ (self.steps < 0)

    @cached_property
    def tilt(self) -> Floats | None:
        """λ ≠ 0 with Σ p_e e^(λ·e) = Σ p_e, against the drift; None where there is none, or nothing to gain."""
        from scipy.optimize import brentq

        if self.lost or not self.drift.any():
            return None
        spread = (self.steps.T * self.chances) @ self.steps
        way = -np.linalg.solve(spread, self.drift)
        along = self.steps @ way

        def excess(t: float) -> float:
            return float(self.chances @ np.expm1(t * along))

        longest = STEEPEST / np.abs(along).max()
        if not (along > 0.0).any() or excess(longest) <= 0.0:
            return None
        least = longest
        while excess(least) > 0.0:
            least *= 0.5
        return np.asarray(brentq(excess, least, 2.0 * least, xtol=1e-300, rtol=1e-15) * way)

    def tilted(self, tilt: Floats) -> Moves:
        return Moves(self.steps, self.chances * np.exp(self.steps @ tilt), 0.0)


def visits(moves: Moves, numbers: Whole, more: Complex | None = None) -> Any:
    """G_z at the sites `numbers` (n, d), (n,); with `more` = z - 1, closed under conjugation, (z, n) and complex.

    Its error is at most 1e-12 of the largest value; against a drift it is that of the value itself.
    """
    if more is None and moves.dimension > 2 and moves.by_axis is not None:
        return visits_by_time(*moves.by_axis, moves.lost, numbers)
    zs = np.zeros(1, dtype=complex) if more is None else more
    found = np.zeros((zs.size, len(numbers)), dtype=complex)
    there = moves.reaches(numbers)
    tilt = moves.tilt
    against = there & (numbers @ tilt > 0.0) if tilt is not None else np.zeros_like(there)
    for which, walk in ((there & ~against, moves), (against, moves if tilt is None else moves.tilted(tilt))):
        if which.any():
            found[:, which] = _settled(walk, numbers[which], zs, _visits)
    if tilt is not None:
        found[:, against] *= np.exp(-(numbers[against] @ tilt))
    return found if more is not None else found[0].real


def kernel(moves: Moves, numbers: Whole) -> Floats:
    """a(x) = Σ_n P(S_n = 0) - P(S_n = x) of a recurrent walk S from 0, at sites of its sublattice, (n,)."""
    if moves.dimension == 1:
        return np.asarray(np.abs(numbers[:, 0]) / moves.chances.sum())
    return _settled(moves, numbers, np.zeros(1, dtype=complex), _less_visits)[0].real


def mean_visit(moves: Moves, numbers: Whole) -> Floats:
    """Σ_n n P(S_n = x), in five dimensions or more, (n,)."""
    if moves.by_axis is not None:
        later, visited = (visits_by_time(*moves.by_axis, moves.lost, numbers, power) for power in (1, 0))
        return later - visited
    found, there = np.zeros(len(numbers)), moves.reaches(numbers)
    if there.any():
        found[there] = _settled(moves, numbers[there], np.zeros(1, dtype=complex), _slope)[0].real
    return found


def _settled(moves: Moves, numbers: Whole, more: Complex, of: Any) -> Complex:
    """The integrals (z, n), each over the angle of its own axis in closed form, with nodes until they settle."""
    found = np.zeros((more.size, len(numbers)), dtype=complex)
    axes = _axes(moves, numbers)
    for axis in np.unique(axes):
        which = axes == axis
        found[:, which] = _refined(moves, int(axis), numbers[which], more, of)
    return found


def _axes(moves: Moves, numbers: Whole) -> Whole:
    """The axis whose angle is eliminated: that of the largest drift, or that along which a site is farthest: e^(-|θ||x|)
    then is small where the phases of other axes turn fast."""
    if moves.drift.any():
        return np.full(len(numbers), moves.steepest)
    widest = moves.chances @ np.abs(moves.steps)
    return np.argmax(np.abs(numbers) + widest / (1.0 + widest.sum()), axis=1).astype(np.int64)


def _refined(moves: Moves, axis: int, numbers: Whole, more: Complex, of: Any) -> Complex:
    rest = moves.dimension - 1
    count, before = FIRST, None
    while True:
        found = _integral(moves, axis, numbers, more, of, count)
        scale = np.abs(found).max()
        if not rest or (before is not None and np.abs(found - before).max() <= CLOSE * scale):
            return found
        error = math.inf if before is None else float(np.abs(found - before).max() / scale)
        before, count = found, math.ceil(MORE * count)
        if count**rest > NODES or count > MOST:
            raise ValueError(
                f"the integral over the angles of a step settles to {error:.2g} only: take sites nearer to each other, or "
                "probabilities of more similar sizes"
            )


def _integral(moves: Moves, axis: int, numbers: Whole, more: Complex, of: Any, count: int) -> Complex:
    """The sum over the nodes of half of all angles, and their conjugates from the other half."""
    others = [a for a in range(moves.dimension) if a != axis]
    n, phases = numbers[:, axis], numbers[:, others].astype(np.float64)
    steps, along = moves.steps[:, others], moves.steps[:, axis]
    total = np.zeros((more.size, len(numbers)), dtype=complex)
    for angles, weights, mirrors in _nodes(moves, axis, numbers, count):
        for part in _chunks(len(angles), len(numbers) + len(steps)):
            theta = angles[part]
            turned = theta @ steps.T.astype(np.float64)
            less = moves.chances * (-2j * np.sin(0.5 * turned) * np.exp(0.5j * turned))  # p (1 - e^(iθ'·e))
            back, forth = (moves.chances[along == way].sum() - less[:, along == way].sum(axis=1) for way in (-1, 1))
            gap = moves.lost + less.sum(axis=1)
            phase = [(theta * mirror) @ phases.T for mirror in mirrors]
            for k, zeta in enumerate(more):
                symbol = _Symbol.at(gap, forth, back, zeta)
                total[k] += sum(weights[part] @ of(symbol, n, turn) for turn in phase)
    mirrored = np.array([int(np.argmin(np.abs(more - zeta.conjugate()))) for zeta in more])
    return 0.5 * (total + total[mirrored].conj())


@dataclass(frozen=True)
class _Symbol:
    """1 - zφ = base - z (forth e^(iθ₁) + back e^(-iθ₁)) at nodes of the other angles, (nodes,)."""

    z: complex
    gap: Complex  # 1 - φ at θ₁ = 0
    forth: Complex
    back: Complex
    excess: Complex  # 1 - zφ at θ₁ = 0
    base: Complex
    root: Complex

    @classmethod
    def at(cls, gap: Complex, forth: Complex, back: Complex, zeta: complex) -> _Symbol:
        z = 1.0 + zeta
        excess = z * gap - zeta
        base = excess + z * (forth + back)
        square = excess**2 + 2.0 * z * excess * (forth + back) + z**2 * (forth - back) ** 2
        return cls(z, gap, forth, back, excess, base, base * np.sqrt(square / base**2))

    def less(self, forward: bool) -> Complex:
        """1 - u, to the digits of u near 1."""
        difference = self.back - self.forth if forward else self.forth - self.back
        return (self.excess + self.z * difference + self.root) / (self.base + self.root)

    def power(self, n: Whole) -> Complex:
        """u^|n| of each place, (nodes, n)."""
        forward, backward = (2.0 * self.z * way / (self.base + self.root) for way in (self.forth, self.back))
        with np.errstate(all="ignore"):
            chosen = np.where(n >= 0, forward[:, None], backward[:, None])
            near = np.log1p(-np.where(n >= 0, self.less(True)[:, None], self.less(False)[:, None]))
            powers = np.exp(np.abs(n) * near)
        return np.where(chosen == 0.0, n == 0, powers)


def _visits(symbol: _Symbol, n: Whole, phase: Floats) -> Complex:
    return symbol.power(n) * np.exp(-1j * phase) / symbol.root[:, None]


def _less_visits(symbol: _Symbol, n: Whole, phase: Floats) -> Complex:
    with np.errstate(all="ignore"):
        near = np.log1p(-np.where(n >= 0, symbol.less(True)[:, None], symbol.less(False)[:, None]))
        turned = np.where(n == 0, 0.0, np.abs(n) * near) - 1j * phase
    return -np.expm1(turned) / symbol.root[:, None]


def _slope(symbol: _Symbol, n: Whole, phase: Floats) -> Complex:
    """dG_z/dz at z = 1."""
    both, apart = symbol.forth + symbol.back, symbol.forth - symbol.back
    excess = symbol.gap - 1.0
    root = (symbol.excess * excess + excess * both + symbol.excess * both + apart**2) / symbol.root
    share = 1.0 - (excess + both + root) / (symbol.base + symbol.root)
    return _visits(symbol, n, phase) * (np.abs(n) * share[:, None] - (root / symbol.root)[:, None])


def _nodes(moves: Moves, axis: int, numbers: Whole, count: int) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Angles (nodes, d - 1), weights, and signs of the angles (mirrors, d - 1) with which 1 - φ is the same; the weights sum to 1
    over half of all angles, those with a first angle ahead of a corner.

    Where 1 - φ vanishes beside 0, on the dual of a sublattice, angles repeat those around 0: a cube of such corners is one of a
    grid, and classes of corners are taken once.
    """
    rest = moves.dimension - 1
    if not rest:
        yield np.zeros((1, 0)), np.ones(1), np.ones((1, 0))
        return
    parts, corners = _corners(moves, axis)
    nodes, weights = np.polynomial.legendre.leggauss(count)
    nodes, weights = 0.5 * (nodes + 1.0), 0.5 * weights
    panels = _panels(moves, axis, numbers)
    s = np.concatenate([low + (high - low) * nodes for low, high in panels])
    of_s = np.concatenate([(high - low) * weights for low, high in panels])
    across = _product(nodes, rest - 1)
    cube = s[:, None, None] * np.insert(across, 0, 1.0, axis=1)  # the first angle leads
    cube = cube.reshape(-1, rest) * (math.pi / parts)
    weight = np.multiply.outer(of_s * s ** (rest - 1), _product(weights, rest - 1).prod(axis=1)).reshape(-1)
    weight *= 2.0 / (2.0 * parts) ** rest
    even = [moves.even(a) for a in range(moves.dimension) if a != axis][1:]
    for corner, times in corners:
        same = [e and 2 * k % parts == 0 for e, k in zip(even, corner[1:], strict=True)]
        mirrors = [[1.0, *signs] for signs in itertools.product(*((1.0, -1.0)[: 1 + e] for e in same))]
        for signs in itertools.product(*((1.0, -1.0)[: 2 - e] for e in same)):
            for leading in range(rest):
                angles = np.insert(cube[:, 1:], leading, cube[:, 0], axis=1) * np.array([1.0, *signs])
                yield angles + np.array(corner) * (2.0 * math.pi / parts), times * weight, np.array(mirrors)


def _product(values: Floats, axes: int) -> Floats:
    """All combinations of the values, (n^axes, axes)."""
    return np.array(list(itertools.product(values.tolist(), repeat=axes))).reshape(len(values) ** axes, axes)


def _corners(moves: Moves, axis: int) -> tuple[int, list[tuple[tuple[int, ...], int]]]:
    """(m, [(k, how many corners are of its class)]) of the grid of corners 2πk/m."""
    index = round(float(np.linalg.det(moves.basis)))
    dual = np.rint(index * np.linalg.inv(moves.basis)).astype(np.int64).T  # times index: rows span the dual
    divisor = math.gcd(index, *map(int, dual.ravel()))
    parts, others = index // divisor, [a for a in range(moves.dimension) if a != axis]
    generators = {tuple(row) for row in ((dual // divisor)[:, others] % parts).tolist()}
    group = {(0,) * len(others)}
    while len(
        bigger := {tuple((a + b) % parts for a, b in zip(x, y, strict=True)) for x in group for y in generators} | group
    ) > len(group):
        group = bigger
    left, found = set(itertools.product(range(parts), repeat=len(others))), []
    while left:
        corner = min(left)
        same = {tuple((a + b) % parts for a, b in zip(corner, y, strict=True)) for y in group}
        left -= same
        found.append((corner, len(same)))
    return parts, found


def _panels(moves: Moves, axis: int, numbers: Whole) -> list[tuple[float, float]]:
    """Intervals of (0, 1), each half as long as the one above, down to the smallest scale of the integrand."""
    scales = [1.0 / (1.0 + float(np.abs(numbers).max())), 1.0]
    if moves.lost:
        scales.append(math.sqrt(moves.lost))
    if moves.drift.any():
        scales.append(float(moves.drift[axis] ** 2))
    halvings = max(0, math.ceil(-math.log2(min(scales))))
    ends = [0.0, *(2.0**-k for k in reversed(range(halvings + 1)))]
    return list(itertools.pairwise(ends))


def _chunks(nodes: int, places: int) -> Iterator[slice]:
    size = max(1, AT_ONCE // max(places, 1))
    for begin in range(0, nodes, size):
        yield slice(begin, begin + size)
