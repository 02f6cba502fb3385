"""The driver of walks in continuous space, and the functions of the model that it drives.

Between the two marks stand the functions of one model, here of Brownian motion on the line. For a given walk
:mod:`randwalk.tables.ito_program` writes this file again with the functions of that walk in their place, so that the driver is
written once and the compiled code is kept on disk under the name of that file.

The noise of a step is σ √dt z with increments z of mean 0 and variance 1. A run of `pairs` = 2 makes steps of 2 dt from the
increments of two steps of dt, with the same law: for levels that share their noise, as 4 and 8 do. What a walker does depends on
its number, the key and the numbers of the steps alone, so batches, blocks and stretches of steps are free.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import elementary, portable
from .compile import aside, device, kernel
from .normal import BLOCK, SPARE, normal_pair
from .philox import BRIDGE, HALF, LIFETIME, LOW, PLACE, U, of_axis, philox, words64
from .vector import apart, wide
from .wall import depth, lowest, may_reach, passage, quantile, refracted, unit

# [model]
# isort: split
from .normal import merged_normals as merged
from .normal import normals as fill

D, M = 1, 1  # coordinates of a point, and sources of noise
WEIGHED, GATHERED, WALLS, KILLED = False, False, 0, 0  # the last: 1 + the number of the exit of the killed, or 0
INTERFACES, RINGS = 0, False  # planes where the noise jumps; whether an axis closes
EXITS = (0,)  # 1 + the number of the exit of each wall
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
def near(x, y, t, h, p):  # type: ignore[no-untyped-def]
    """Whether a step from x to y may reach a wall."""
    return False


@device
def payoff(x, t, p):  # type: ignore[no-untyped-def]
    """What a walker counts that is there at the end."""
    return 1.0


@device
def boundary(x, t, p, exit):  # type: ignore[no-untyped-def]
    """What a walker counts that left by an exit."""
    return 0.0


# [/model]

RANK = 128  # steps after which the walkers of all blocks that have not left are brought together again
ONTO = 1 if D == 1 else 3  # moves that bring a point onto a curved wall

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


@aside
def loaded(state, live, begin, size, block):  # type: ignore[no-untyped-def]
    """Take walkers into a block."""
    s, who, left, _, weight, gathered, _ = block
    for j in range(size):
        i = live[begin + j]
        who[j], left[j] = i, 0
        weight[j], gathered[j] = state.weight[i], state.gathered[i]
        for a in range(D):
            s[a, j] = state.x[a, i]


@aside
def stored(state, size, block):  # type: ignore[no-untyped-def]
    """Give walkers of a block back to the batch; returns the number of those that did not leave, which stand first now."""
    s, who, left, gone, weight, gathered, place = block
    stay = 0
    for j in range(size):
        i = who[j]
        for a in range(D):
            state.x[a, i] = place[a, j] if left[j] else s[a, j]
        state.weight[i], state.gathered[i] = weight[j], gathered[j]
        if left[j]:
            state.exit[i], state.gone_at[i] = left[j], gone[j]
        else:
            for a in range(D):
                s[a, stay] = s[a, j]
            who[stay], left[stay], weight[stay], gathered[stay] = i, 0, weight[j], gathered[j]
            stay += 1
    return stay


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
    first, wall, end = 2.0, -1, y
    for w in range(WALLS):
        n = normal[w]
        along, twice = conormal(g, n)
        d0, d1, s2 = max(before[w], 0.0), after[w], twice * h
        if not may_reach(d0, d1, s2):
            continue
        drawn = philox(walker & LOW, walker >> HALF, U(step), of_axis(BRIDGE, w), keys[0], keys[1])
        m = lowest(d0, d1, s2, unit(drawn[0]))
        below = depth(reactive[w], 0.5 * twice, unit(drawn[1]))
        if m < -below:
            part = passage(d0 + below, d1 + below, s2, quantile(unit(drawn[2])), unit(drawn[3]))
            if part < first:
                first, wall = part, w
        elif m < 0.0:
            end = shifted(end, -m / twice, along) if twice > 0.0 else shifted(end, -m, n)
    if wall >= 0:
        return EXITS[wall], first * h, place_of_passage(x, y, t, h, first, wall, walker, step, p, keys)
    return 0, h, kept_inside(end, -1, 1.0, t + h, p)


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
def place_of_passage(x, y, t, h, part, wall, walker, step, p, keys):  # type: ignore[no-untyped-def]
    """Where a walker is when it reaches the wall: a point of the bridge from x to y, or its image in front of a wall, moved along
    Dn onto the wall. What is independent of the distance is so left as it is, and the place on a plane has its exact law."""
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
    return home(kept_inside(place, -1, 1.0, then, p), p)


@device
def skipped(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """What a walk does not need."""


@device
def free_step(block, lanes, z, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step of a block whose walkers stay."""
    s, (_, t, h) = block[0], times
    root = math.sqrt(h)
    for j in range(size):
        put(s, j, moved(at(s, j), t, h, root, increments(z, row, j), p))


@device
def full_step(block, lanes, z, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step of a block whose walkers are weighed, gather or may leave: what each of them lives of it is `spell`."""
    s, left, before, spell, close = block[0], block[2], lanes[0], lanes[1], lanes[3]
    _, t, h = times
    root = math.sqrt(h)
    for j in range(size):
        x = at(s, j)
        y = moved(x, t, h, root, increments(z, row, j), p)
        put(before, j, x)
        put(s, j, y)
        spell[j] = h if left[j] == 0 else 0.0
        close[j] = np.uint8(near(x, y, t, h, p) & (left[j] == 0))


@aside
def add_row(y, c, x, size):  # type: ignore[no-untyped-def]
    """y += c x of two rows."""
    wide()
    apart()
    for j in range(size):
        y[j] += c * x[j]


@aside
def linear_step(block, lanes, z, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step by matrices, row by row, in as many dimensions as there are."""
    s, before, (_, _, h), data = block[0], lanes[0], times, p[-1]
    k, f, r, b, matrix, noise = matrices(h, math.sqrt(h))
    for a in range(D):
        for j in range(size):
            before[a, j] = s[a, j]
    for a in range(D):
        y = s[a]
        for j in range(size):
            y[j] = data[b + a]
        for i in range(D):
            if data[matrix + a * D + i] != 0.0:
                add_row(y, data[matrix + a * D + i], before[i], size)
        for j in range(size):
            y[j] = k * before[a, j] + f * y[j]
        for i in range(M):
            if data[noise + a * M + i] != 0.0:
                add_row(y, r * data[noise + a * M + i], z[row + i], size)


@aside
def full_linear_step(block, lanes, z, row, size, times, p):  # type: ignore[no-untyped-def]
    """As :func:`full_step`, by matrices."""
    linear_step(block, lanes, z, row, size, times, p)
    s, left, before, spell, close = block[0], block[2], lanes[0], lanes[1], lanes[3]
    _, t, h = times
    for j in range(size):
        spell[j] = h if left[j] == 0 else 0.0
        close[j] = np.uint8(near(at(before, j), at(s, j), t, h, p) & (left[j] == 0))


@device
def walled_block(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """The walls, for those who may have reached one."""
    s, _, left, gone, _, _, place = block
    before, spell, _, close, _ = lanes
    n, t, h = times
    for j in range(size):
        if close[j]:
            exit, lived, y = crossed(at(before, j), at(s, j), t, h, number[j], n, p, keys)
            put(s, j, y)
            if exit:
                left[j], gone[j], spell[j] = exit, t + lived, lived
                put(place, j, y)


@device
def weighed_block(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Weights and sources by the trapezoidal rule, over what each walker lived of the step."""
    s, _, _, _, weight, gathered, _ = block
    before, spell, _, _, earlier = lanes
    _, t, _ = times
    for j in range(size):
        x, y, lived = at(before, j), at(s, j), spell[j]
        then = t + lived
        rate = 0.5 * (killing(x, t, p) + killing(y, then, p))
        after = weight[j] * elementary.exp(-rate * lived) if WEIGHED and lived > 0.0 else weight[j]
        if GATHERED:
            gain = 0.5 * lived * (weight[j] * source(x, t, p) + after * source(y, then, p))
            gathered[j] += gain if lived > 0.0 else 0.0
        earlier[j], weight[j] = weight[j], after


@aside
def lifetimes(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """The weight at which each walker is killed: uniform in (0, 1]."""
    fate = lanes[2]
    for j in range(size):
        first, _ = words64(number[j] & LOW, number[j] >> HALF, U(0), LIFETIME, keys[0], keys[1])
        fate[j] = (np.float64(np.int64(first >> U(12))) + 1.0) * 2.0**-52


@device
def killed_block(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Walkers leave whose weight has fallen below their `fate`, at the time when it did at a constant rate."""
    s, _, left, gone, weight, _, place = block
    _, spell, fate, _, earlier = lanes
    _, t, _ = times
    dying = 0
    for j in range(size):
        dying += weight[j] < fate[j]
    if dying:
        for j in range(size):
            if weight[j] < fate[j] and spell[j] > 0.0:
                part = portable.log(earlier[j] / fate[j]) / portable.log(earlier[j] / weight[j])
                left[j], gone[j], spell[j] = KILLED, t + part * spell[j], 0.0
                put(place, j, at(s, j))


@device
def turned_block(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Points on rings between their ends."""
    s = block[0]
    for j in range(size):
        put(s, j, home(at(s, j), p))


# What a walk needs: of a choice inside a kernel both sides would be compiled.
staying, leaving = (linear_step, full_linear_step) if LINEAR else (free_step, full_step)
stepped = leaving if WEIGHED or GATHERED or WALLS or INTERFACES else staying
walled = walled_block if WALLS or INTERFACES else skipped
weighed = weighed_block if WEIGHED or GATHERED else skipped
fated, killed = (lifetimes, killed_block) if KILLED else (skipped, skipped)
turned = turned_block if RINGS else skipped


@kernel
def walk(state, first, start, stop, dt, pairs, p, keys):  # type: ignore[no-untyped-def]
    """Advance walkers number `first`, `first` + 1, … from step `start` to step `stop`, steps of `pairs` dt, in place."""
    wide()
    h = pairs * dt
    fine = pairs * M  # increments of a step
    z, words = np.empty((pairs * CHUNK * M + SPARE, BLOCK)), np.empty((3, BLOCK), np.uint64)
    s, number, who = np.empty((D, BLOCK)), np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.int64)
    left, gone, weight, gathered = np.zeros(BLOCK, np.int32), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    before, spell, fate, close = np.empty((D, BLOCK)), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.uint8)
    place, earlier = np.empty((D, BLOCK)), np.empty(BLOCK)
    block = s, who, left, gone, weight, gathered, place
    lanes = before, spell, fate, close, earlier
    live, count = np.empty(state.exit.size, np.int64), 0
    for i in range(state.exit.size):
        if state.exit[i] == 0:
            live[count] = i
            count += 1
    for rank in range(start, stop, RANK):
        left_over = 0
        for begin in range(0, count, BLOCK):
            size = min(BLOCK, count - begin)
            loaded(state, live, begin, size, block)
            known = 0  # walkers whose numbers and random words stand in the block
            for chunk in range(rank, min(rank + RANK, stop), CHUNK):
                end = min(chunk + CHUNK, rank + RANK, stop)
                if known != size:
                    for j in range(BLOCK):
                        number[j] = U(first) + U(who[min(j, size - 1)])
                    known, words[2, 0] = size, U(0)
                    fated(block, lanes, number, size, (0, 0.0, h), p, keys)
                shift = fill(z, words, number, size, chunk * fine, (end - chunk) * fine, keys)
                width = pairs
                while width > 1:
                    width //= 2
                    merged(z, size, shift, (end - chunk) * width, M)
                for n in range(chunk, end):
                    times, row = (n * pairs, n * h, h), shift + (n - chunk) * M
                    stepped(block, lanes, z, row, size, times, p)
                    walled(block, lanes, number, size, times, p, keys)
                    weighed(block, lanes, number, size, times, p, keys)
                    killed(block, lanes, number, size, times, p, keys)
                    turned(block, lanes, number, size, times, p, keys)
                if WALLS or KILLED:
                    size = stored(state, size, block)
                    if size == 0:
                        break
            if not (WALLS or KILLED):
                stored(state, size, block)
            for j in range(size):
                live[left_over] = who[j]
                left_over += 1
        count = left_over


@kernel
def settle(state, t, p, values):  # type: ignore[no-untyped-def]
    """What each walker counts at time t: its payoff, or the boundary's value where it left, times its weight, and what it
    gathered."""
    for j in range(values.size):
        x = at(state.x, j)
        value = payoff(x, t, p) if state.exit[j] == 0 else boundary(x, state.gone_at[j], p, state.exit[j])
        values[j] = value * state.weight[j] + state.gathered[j]
