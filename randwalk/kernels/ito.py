"""A step of a walk in continuous space: the functions of a model, and what walls, weights and killing make of the step.

Between the two marks stand the functions of one model, here of Brownian motion on the line. For a given walk
:mod:`randwalk.tables.ito_program` writes this file again with the functions of that walk in their place, and the driver of
:mod:`randwalk.kernels.ito_blocks` below them, so that both are written once and the compiled code is kept on disk under the name
of that file. :mod:`randwalk.kernels.cuda.ito` drives the same functions.

The noise of a step is σ √dt z with increments z of mean 0 and variance 1. A run of `pairs` = 2 makes steps of 2 dt from the
increments of two steps of dt, with the same law: for levels that share their noise, as 4 and 8 do. What a walker does depends on
its number, the key and the numbers of the steps alone, so batches, blocks and stretches of steps are free.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..jit.compile import aside, device, kernel  # noqa: F401
from . import elementary, portable
from .normal import normal_pair
from .philox import BRIDGE, HALF, LIFETIME, LOW, PLACE, U, of_axis, philox, words64
from .wall import REACH, clearance, depth, lowest, may_reach, passage, quantile, refracted, unit  # noqa: F401

# [model]
# isort: split
from .normal import NO_NORMALS as NOTHING  # noqa: F401
from .normal import joined_normals, normal_of
from .normal import merged_normals as merged  # noqa: F401
from .normal import normals as fill  # noqa: F401

D, M = 1, 1  # coordinates of a point, and sources of noise
WEIGHED, GATHERED, WALLS, KILLED = False, False, 0, 0  # the last: 1 + the number of the exit of the killed, or 0
INTERFACES, RINGS = 0, False  # planes where the noise jumps; whether an axis closes
EXITS = (0,)  # 1 + the number of the exit of each wall
HELD, CARRIED = False, False  # whether walls take from weights and walkers stay; whether coordinates are no places
LINEAR, CHUNK = False, 8  # whether matrices make a step; the steps of a block between two looks for walkers that left


@device
def at(s, j):  # type: ignore[no-untyped-def]
    """The point of walker j of a block."""
    return (s[0, j],)


@device
def put(s, j, x):  # type: ignore[no-untyped-def]
    """Make x the point of walker j."""
    s[0, j] = x[0]


@device
def increments(z, row, j):  # type: ignore[no-untyped-def]
    """The increments of walker j in rows from `row` on."""
    return (z[row, j],)


@device
def drawn(walker, n, last, keys):  # type: ignore[no-untyped-def]
    """(the increments of step n of a walker, what was drawn last): :func:`randwalk.kernels.normal.normal_of`."""
    z0, last = normal_of(walker, n, last, keys)
    return (z0,), last


@device
def joined(a, b):  # type: ignore[no-untyped-def]
    """The increments of a step of twice the length."""
    return (joined_normals(a[0], b[0]),)


@device
def moved(x, t, h, root, z, p):  # type: ignore[no-untyped-def]
    """The point after a step of length h; `root` is √h."""
    return (x[0] + root * z[0],)


@device
def matrices(h, root):  # type: ignore[no-untyped-def]
    """Of a step x ↦ k x + f (b + A x) + r S z by matrices: k, f, r, and where b, A and S begin in the array of tables."""
    return 1.0, h, root, 0, 0, 0


@device
def killing(x, t, p):  # type: ignore[no-untyped-def]
    """The killing rate."""
    return 0.0


@device
def source(x, t, p):  # type: ignore[no-untyped-def]
    """What is gathered per unit of time."""
    return 0.0


@device
def shifted(x, by, v):  # type: ignore[no-untyped-def]
    """x + by v."""
    return (x[0] + by * v[0],)


@device
def home(x, p):  # type: ignore[no-untyped-def]
    """The point with its coordinates along rings between their ends."""
    return x


@device
def noise(x, t, p):  # type: ignore[no-untyped-def]
    """The noise: a row for each axis, a column for each source."""
    return ((1.0,),)


@device
def scattered(g, k, z):  # type: ignore[no-untyped-def]
    """σz of a noise σ = g and the increments z of the sources k and k + 1 alone."""
    return (g[0][0] * z[0],)


@device
def conormal(g, n):  # type: ignore[no-untyped-def]
    """σσᵀn = 2Dn of a noise σ = g and a normal n, and nᵀσσᵀn."""
    return (g[0][0] * g[0][0] * n[0],), g[0][0] * g[0][0] * n[0] * n[0]


@device
def distances(x, t, p):  # type: ignore[no-untyped-def]
    """The distance to each wall, positive inside."""
    return (math.inf,)


@device
def inward(x, t, p):  # type: ignore[no-untyped-def]
    """The gradient of each distance."""
    return ((1.0,),)


@device
def reactivities(p):  # type: ignore[no-untyped-def]
    """Of each wall: infinite if it absorbs, 0 if it reflects."""
    return (0.0,)


@device
def holding(p):  # type: ignore[no-untyped-def]
    """The reactivity of each wall that takes from weights, 0 of the others."""
    return (0.0,)


@device
def pushed(x, by, v):  # type: ignore[no-untyped-def]
    """x + by v in the coordinates that walls change."""
    return (x[0] + by * v[0],)


@device
def drift(x, t, p):  # type: ignore[no-untyped-def]
    """The drift of Itô's equation."""
    return (0.0,)


@device
def beyond_interfaces(x, p):  # type: ignore[no-untyped-def]
    """The distance from each interface, positive above it."""
    return (x[0],)


@device
def interfaces(t, p):  # type: ignore[no-untyped-def]
    """Of each interface the noise below and above it, the share of the upper side, and the direction across it."""
    return ((1.0, 1.0, 0.5, (1.0,)),)


@device
def clearances(x, y, t, h, p):  # type: ignore[no-untyped-def]
    """The clearance of a step from x to y from each wall and interface, at least (:func:`randwalk.kernels.wall.clearance`)."""
    return (math.inf,)


@device
def note(q, near, j, c):  # type: ignore[no-untyped-def]
    """Make c the clearances of walker j of a block, and flag it where any is in reach."""
    q[0, j] = c[0]
    near[j] = np.uint32(not c[0] > REACH)


@device
def boundary(x, t, p, exit):  # type: ignore[no-untyped-def]
    """What a walker counts that left by an exit."""
    return 0.0


# [/model]

ONTO = 1 if D == 1 else 3  # moves that bring a point onto a curved wall
ROUNDING = 1e-9  # a killing rate of 0 on a wall may be less beside it: so much of its integral over a step is let pass

Floats = NDArray[np.float64]


class State(NamedTuple):
    """A batch of walkers, an array of each quantity.

    Attributes
    ----------
    x
        The points, shape (D, walkers); of those that left, where they did.
    exit
        0 for those inside, else 1 + the number of the exit.
    gone_at
        The time of leaving.
    weight
        exp(-∫κ ds), where killing is a weight or an exit.
    gathered
        ∫ g exp(-∫κ ds) ds of the source g.
    """

    x: Floats
    exit: NDArray[np.int32]
    gone_at: Floats
    weight: Floats
    gathered: Floats


class Block(NamedTuple):
    """Walkers that the CPU advances together, a column for each.

    Attributes
    ----------
    who, number
        Their places in the batch, and their numbers.
    x, before, place
        Their points, those before the step, and where those are that left.
    left, gone, weight, gathered
        As `exit`, `gone_at`, `weight` and `gathered` of :class:`State`; those that left are dropped before others are loaded, so
        `left` is 0 in every column then.
    spell, earlier, fate
        What they live of the step, their weight before it, and that at which they are killed.
    z, words
        Increments, and the random words of increments.
    clear, room
        The clearance of the step from each wall and interface, and what :func:`randwalk.kernels.bridges.may_cross` needs.
    """

    who: NDArray[np.int64]
    number: NDArray[np.uint64]
    x: Floats
    before: Floats
    place: Floats
    left: NDArray[np.int32]
    gone: Floats
    weight: Floats
    gathered: Floats
    spell: Floats
    earlier: Floats
    fate: Floats
    z: Floats
    words: NDArray[np.uint64]
    clear: Floats
    room: Any


@device
def near(x, y, t, h, p):  # type: ignore[no-untyped-def]
    """Whether a step from x to y may reach a wall or an interface."""
    close = False
    for q in clearances(x, y, t, h, p):
        close |= not q > REACH
    return close


@aside
def crossed(x, y, t, h, walker, step, p, keys):  # type: ignore[no-untyped-def]
    """What walls make of a step from x to y, each by the bridge of the distance to it: (1 + the number of the exit of the wall
    that absorbs first, or 0; the time until then, or h; the point where the walker is then)."""
    if INTERFACES:
        y = bent(x, y, t, h, walker, step, p, keys)
    if not WALLS:
        return 0, h, y
    before, after, normal = distances(x, t, p), distances(y, t + h, p), inward(y, t + h, p)
    g, reactive = noise(x, t, p), reactivities(p)
    wall: Any = np.int64(-1)  # not a literal, for which what is called would be compiled once more
    first, end, behind = 2.0, y, 0.0
    for w in range(WALLS):
        along, twice = conormal(g, normal[w])
        d0, d1, s2 = before[w] if before[w] > 0.0 else 0.0, after[w], twice * h
        if may_reach(d0, d1, s2):
            drawn = philox(walker & LOW, walker >> HALF, U(step), of_axis(BRIDGE, w), keys[0], keys[1])
            m = lowest(d0, d1, s2, unit(drawn[0]))
            below = depth(reactive[w], 0.5 * twice, unit(drawn[1]))
            if m < -below:
                part = passage(d0 + below, d1 + below, s2, quantile(unit(drawn[2])), unit(drawn[3]))
                if part < first:
                    first, wall, behind = part, w, below
            elif m < 0.0:
                end = pushed(end, -m / twice, along) if twice > 0.0 else shifted(end, -m, normal[w])
    if wall >= 0:
        return EXITS[wall], first * h, place_of_passage(x, y, t, h, first, wall, behind, walker, step, p, keys)
    return 0, h, kept_inside(end, -1, 1.0, t + h, p)


@device
def held(x, y, t, h, walker, step, p, keys):  # type: ignore[no-untyped-def]
    """(the part of its weight that a walker keeps on a step from x to y by walls that absorb in part, what these pay for the
    rest). The push by a wall is the local time there, where it absorbs at the rate K/D, by the same uniform as in `crossed`."""
    if INTERFACES:
        y = bent(x, y, t, h, walker, step, p, keys)
    before, after, normal = distances(x, t, p), distances(y, t + h, p), inward(y, t + h, p)
    g, reactive = noise(x, t, p), holding(p)
    kept, paid = 1.0, 0.0
    for w in range(WALLS):
        along, twice = conormal(g, normal[w])
        d0, d1, s2 = max(before[w], 0.0), after[w], h * twice
        if reactive[w] > 0.0 and twice > 0.0 and may_reach(d0, d1, s2):
            drawn = philox(walker & LOW, walker >> HALF, U(step), of_axis(BRIDGE, w), keys[0], keys[1])
            push = -lowest(d0, d1, s2, unit(drawn[0]))
            if push > 0.0:
                part = elementary.exp(-2.0 * reactive[w] * push / twice)
                paid += kept * (1.0 - part) * boundary(pushed(y, -d1 / twice, along), t + h, p, EXITS[w])
                kept *= part
    return kept, paid


@device
def bent(x, y, t, h, walker, step, p, keys):  # type: ignore[no-untyped-def]
    """The end of a step from x to y that may cross interfaces: the noise is refracted, and then the drift moves the walker."""
    f, g, planes = drift(x, t, p), noise(x, t, p), interfaces(t, p)
    for i in range(INTERFACES):
        below, above, share, across = planes[i]
        d0, d1 = beyond_interfaces(x, p)[i], beyond_interfaces(shifted(y, -h, f), p)[i]
        s2 = conormal(g, across)[1] * h
        if may_reach(abs(d0), d1 if d0 >= 0.0 else -d1, s2):
            drawn = philox(walker & LOW, walker >> HALF, U(step), of_axis(BRIDGE, WALLS + i), keys[0], keys[1])
            end = refracted(d0, d1, s2, below, above, share, unit(drawn[0]), unit(drawn[1]))
            y = shifted(y, end - d1, across)
    return y


@device
def kept_inside(x, own, times, t, p):  # type: ignore[no-untyped-def]
    """The point moved inward by some `times` what it is beyond walls other than its own: 1 moves it onto a wall, 2 to its image
    in front of it."""
    for w in range(WALLS):
        beyond = distances(x, t, p)[w]
        if beyond < 0.0 and w != own:
            x = shifted(x, -times * beyond, inward(x, t, p)[w])
    return x


@device
def place_of_passage(x, y, t, h, part, wall, behind, walker, step, p, keys):  # type: ignore[no-untyped-def]
    """Where a walker is when it reaches the wall: a point of the bridge from x to y, or its image in front of a wall, moved along
    Dn onto the wall. What is independent of the distance is so left as it is, and the place on a plane has its exact law. What
    is carried is moved as far as where the wall absorbs, which is `behind` it if it absorbs in part."""
    g, then = noise(x, t, p), t + part * h
    place = shifted(shifted(x, -part, x), part, y)
    if D > 1:
        for k in range(0, M, 2):
            a, b = words64(walker & LOW, walker >> HALF, U(step), of_axis(PLACE, k // 2), keys[0], keys[1])
            place = shifted(place, math.sqrt(part * (1.0 - part) * h), scattered(g, k, normal_pair(a, b)))
        place = kept_inside(place, wall, 2.0, then, p)
    for _ in range(ONTO):
        beyond, n = distances(place, then, p)[wall], inward(place, then, p)[wall]
        along, twice = conormal(g, n)
        place = shifted(place, -beyond / twice, along) if twice > 0.0 else shifted(place, -beyond, n)
    place = pushed(shifted(place, -behind / twice, along), behind / twice, along) if CARRIED and twice > 0.0 else place
    return home(kept_inside(place, -1, 1.0, then, p), p)


@device
def weighed(x, y, t, lived, weight, gathered, p):  # type: ignore[no-untyped-def]
    """(weight, what is gathered) after the time that a walker lived of a step from x to y, by the trapezoidal rule. The weight is
    NaN after a killing rate that is negative, by more than rounding, or no number."""
    then = t + lived
    after = weight
    if WEIGHED:
        rate = 0.5 * (killing(x, t, p) + killing(y, then, p))
        met = elementary.exp(-rate * lived) if rate * lived > -ROUNDING else math.nan
        after = weight * met if lived > 0.0 else weight
    if GATHERED:
        gain = 0.5 * lived * (weight * source(x, t, p) + after * source(y, then, p))
        gathered += gain if lived > 0.0 else 0.0
    return after, gathered


@device
def lifetime(walker, keys):  # type: ignore[no-untyped-def]
    """The weight at which a walker is killed: uniform in (0, 1]."""
    first, _ = words64(walker & LOW, walker >> HALF, U(0), LIFETIME, keys[0], keys[1])
    return (np.float64(np.int64(first >> U(12))) + 1.0) * 2.0**-52


@device
def lived_until(earlier, fate, weight, lived):  # type: ignore[no-untyped-def]
    """The time after which a weight that falls at a constant rate from `earlier` to `weight` is `fate`."""
    return lived * (portable.log(earlier / fate) / portable.log(earlier / weight))
