"""Zeros, kinks and jumps of a coefficient along one variable, found by reading its tree."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from .. import roots
from .tree import Tree
from .variables import At, Floats

RANGES = {1: 17, 2: 5}  # values of each of one or two other variables that are tried; 3 of each of more
SCALES = [1.1 * 256.0**k for k in range(-7, 8)]  # sizes of a variable at all scales


def breaks(tree: Tree, variable: str, low: float, high: float) -> set[float]:
    """The places in a range, and some beyond it, where the coefficient may have a kink, a jump or a pole."""
    places = {*tree._places(variable), *tree._own_breaks(variable, low, high)}
    for argument, crossing, _ in tree._singularities:
        alone = [f for f in argument._irreducible() if len(f.variables) == 1]
        found = {zero for f in alone for zero in zeros(f, variable, low, high, {}, double=not crossing)}
        one_variable = crossing and len(argument.variables) == 1
        places |= _changes_of_sign(argument, variable, low, high, found) if one_variable else found
    return places.union(*(breaks(part, variable, low, high) for part in tree.parts if part.depends_on(variable)))


def moving(tree: Tree) -> bool:
    """Whether a kink, a jump or a pole lies where an argument of several variables is 0."""
    factors = (factor for s in tree._singularities for factor in s.argument._irreducible())
    return any(len(factor.variables) > 1 for factor in factors) or any(moving(part) for part in tree.parts)


def jumps(
    tree: Tree, variable: str, low: float, high: float, other: tuple[float, float] | Mapping[str, tuple[float, float]]
) -> tuple[float, ...]:
    """The breaks in a range at which the values jump, for any value of the other variables that is tried."""
    places = np.array(roots.merged(breaks(tree, variable, low, high), low, high))
    rooms = roots.rooms(places, low, high)
    jump = np.zeros(places.size, dtype=bool)
    for at in others(tree, variable, other) if places.size else []:
        jump |= roots.jumps(tree._curve(variable, at), places, rooms)
    return tuple(places[jump].tolist())


def first_jump(tree: Tree, variable: str) -> tuple[float, At] | None:
    """A place, with the values of the other variables, at which the values jump because a step stands in the tree; None if
    there is none. Steps may cancel: x*heaviside(x) is continuous."""
    names = sorted(tree.variables - {variable}) if tree.depends_on(variable) else []
    for at in _elsewhere(names):
        places = np.array(roots.merged(_steps(tree, variable, at), *tree._covered(variable)))
        jump = roots.jumps(tree._curve(variable, at), places, roots.rooms(places, *tree._covered(variable)))
        if jump.any():
            return float(places[jump][0]), at
    return None


def zeros(tree: Tree, variable: str, low: float, high: float, at: At, *, double: bool) -> set[float]:
    """Zeros in the variable; those at which the sign does not change only if `double`."""
    if not tree.depends_on(variable):
        return set()
    if (linear := tree._linear(variable, at)) is not None:
        return {-linear[0] / linear[1] + 0.0} if linear[1] and math.isfinite(linear[0]) else set()
    if (own := tree._own_zeros(variable, low, high, at)) is not None:
        return own
    if (factors := tree._factors()) is not None:
        return set[float]().union(*(zeros(f, variable, low, high, at, double=double) for f in factors))
    points, curve = sampled(tree, variable, low, high, at), tree._curve(variable, at)
    if points.size < 3:
        return set()
    found = set(roots.crossings(curve, points))
    if double:
        found.update(roots.touches(curve, tree.regular_derivative(variable)._curve(variable, at), points))
    return found


def sampled(tree: Tree, variable: str, low: float, high: float, at: At, centres: Iterable[float] = ()) -> Floats:
    """A grid on which nothing in the tree is missed: fine about its places and the zeros of its affine parts, and with
    several points to every wave."""
    start, end = tree._covered(variable)
    low, high = max(low, start), min(high, end)
    if not low < high:
        return np.empty(0)
    points = roots.grid(low, high, {*_centres(tree, variable, at), *centres})
    waves = max((_extent(z) for z in _phases(tree, variable, at, points)), default=0.0) / math.pi
    if waves * 8 > roots.UNIFORM and math.isfinite(high - low):
        even = np.linspace(low, high, int(min(8.0 * waves, 2.0**16)))
        points = np.unique(np.concatenate([points, even]))
    return points


def others(
    tree: Tree, variable: str, other: tuple[float, float] | Mapping[str, tuple[float, float]]
) -> list[dict[str, float]]:
    """Values of the other variables at which to look, from the range of all of them or of each by name."""
    names = sorted(tree.variables - {variable}) if tree.depends_on(variable) else []
    ranges = [other.get(name, (0.0, 0.0)) if isinstance(other, Mapping) else other for name in names]
    values = [np.unique(np.linspace(*ends, RANGES.get(len(names), 3))).tolist() for ends in ranges]
    return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*values)]


def some(places: Sequence[float] | Floats) -> list[float]:
    """At most 64 of the places, evenly chosen."""
    return list(places[:: 1 + len(places) // 64])


def largest(values: Floats) -> float:
    """The largest number of an array that is finite, -inf if there is none."""
    return float(np.max(values, where=np.isfinite(values), initial=-np.inf))


def _extent(values: Floats) -> float:
    """From the smallest finite number of an array to the largest, 0 if there are none."""
    return max(0.0, largest(values) + largest(-values))


def _elsewhere(names: Sequence[str]) -> Iterator[dict[str, float]]:
    """Values of variables: all 0, then every scale with every choice of signs."""
    yield dict.fromkeys(names, 0.0)
    for size in SCALES if names else []:
        for signs in itertools.product((1.0, -1.0), repeat=len(names)):
            yield {name: sign * size for name, sign in zip(names, signs, strict=True)}


def _steps(tree: Tree, variable: str, at: At) -> set[float]:
    """Where a step stands in the tree while the other variables have the values."""
    found = (zeros(s.argument, variable, -math.inf, math.inf, at, double=False) for s in tree._singularities if s.jump)
    return set(tree._own_steps(variable)).union(*found, *(_steps(part, variable, at) for part in tree.parts))


def _centres(tree: Tree, variable: str, at: At) -> set[float]:
    if (linear := tree._linear(variable, at)) is not None:
        return {-linear[0] / linear[1]} if linear[1] else set()
    centres = set(some(tree._own_centres(variable)))
    return centres.union(*(_centres(part, variable, at) for part in tree.parts))


def _phases(tree: Tree, variable: str, at: At, points: Floats) -> Iterator[Floats]:
    if (phase := tree._phase(variable)) is not None:
        yield phase._curve(variable, at)(points)
    for part in tree.parts:
        yield from _phases(part, variable, at, points)


def _changes_of_sign(tree: Tree, variable: str, low: float, high: float, found: set[float]) -> set[float]:
    """The zeros before and after which the sign is not the same."""
    places = roots.merged(found, low, high)
    ends = [low, *places, high]
    between = np.array([_between(a, b) for a, b in itertools.pairwise(ends)])
    signs = np.sign(tree._curve(variable, {})(between))
    return {place for place, before, after in zip(places, signs, signs[1:], strict=False) if before != after}


def _between(low: float, high: float) -> float:
    """A number inside (low, high), whose ends may be infinite."""
    if math.isfinite(low) and math.isfinite(high):
        return 0.5 * low + 0.5 * high
    if math.isfinite(low) or math.isfinite(high):
        return low + max(1.0, abs(low)) if math.isfinite(low) else high - max(1.0, abs(high))
    return 0.0
