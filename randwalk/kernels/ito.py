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

from . import elementary
from .compile import aside, device, kernel
from .normal import BLOCK, normal_pair
from .philox import BRIDGE, HALF, LIFETIME, LOW, PLACE, U, of_axis, philox, words64
from .portable import log
from .vector import wide
from .wall import depth, lowest, may_reach, passage, quantile, unit

# [model]
# isort: split
from .normal import merged_normals as merged
from .normal import normals as fill

D, M = 1, 1  # coordinates of a point, and sources of noise
WEIGHED, GATHERED, RINGS, WALLS, KILLED = False, False, False, 0, 0
EXITS = (1,)  # of each wall: 1 + the number of the exit


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
def noise(x, t, p):  # type: ignore[no-untyped-def]
    """The noise: a row for each axis, a column for each source."""
    return ((1.0,),)


@device
def distances(x, t, p):  # type: ignore[no-untyped-def]
    """The distance to each wall, positive inside."""
    return (math.inf,)


@device
def normals(x, t, p):  # type: ignore[no-untyped-def]
    """The gradient of each distance."""
    return ((1.0,),)


@device
def reactivities(p):  # type: ignore[no-untyped-def]
    """Of each wall: infinite if it absorbs, 0 if it reflects."""
    return (0.0,)


@device
def near(x, y, t, h, p):  # type: ignore[no-untyped-def]
    """Whether a step from x to y may have reached a wall."""
    return False


@device
def home(x, p):  # type: ignore[no-untyped-def]
    """The point with the coordinates along rings between their ends."""
    return x


@device
def killing(x, t, p):  # type: ignore[no-untyped-def]
    """The killing rate."""
    return 0.0


@device
def source(x, t, p):  # type: ignore[no-untyped-def]
    """What is gathered per unit of time."""
    return 0.0


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
CHUNK = 8  # steps of a block between two looks for walkers that left

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
    s, _, who, left, _, weight, gathered = block
    for j in range(size):
        i = live[begin + j]
        who[j], left[j] = i, 0
        weight[j], gathered[j] = state.weight[i], state.gathered[i]
        for a in range(D):
            s[a, j] = state.x[a, i]


@aside
def stored(state, size, block):  # type: ignore[no-untyped-def]
    """Give walkers of a block back to the batch; returns the number of those that did not leave, which stand first now."""
    s, out, who, left, gone, weight, gathered = block
    stay = 0
    for j in range(size):
        i, at_end = who[j], out if left[j] else s
        for a in range(D):
            state.x[a, i] = at_end[a, j]
        state.weight[i], state.gathered[i] = weight[j], gathered[j]
        if left[j]:
            state.exit[i], state.gone_at[i] = left[j], gone[j]
        else:
            for a in range(D):
                s[a, stay] = s[a, j]
            who[stay], left[stay], weight[stay], gathered[stay] = i, 0, weight[j], gathered[j]
            stay += 1
    return stay


@device
def skipped(lanes, size, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """What a walk does not need."""


@aside
def lifetimes(lanes, size, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """The weight at which each walker is killed: uniform in (0, 1]."""
    number, fate = lanes[1], lanes[10]
    for j in range(size):
        first, _ = words64(number[j] & LOW, number[j] >> HALF, U(0), LIFETIME, keys[0], keys[1])
        fate[j] = (np.float64(np.int64(first >> U(12))) + 1.0) * 2.0**-52


@device
def meet_near_walls(lanes, size, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """The walls, for those who may have reached one."""
    close, left = lanes[4], lanes[5]
    for j in range(size):
        if close[j] and left[j] == 0:
            meet_walls(lanes, j, n, t, h, p, keys)


@device
def weigh(lanes, size, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """Weights and sources by the trapezoidal rule, over what each walker lives of the step."""
    s, _, old, _, _, _, _, spell, weight, gathered, _, rate = lanes
    for j in range(size):
        x, y, lasts = at(old, j), at(s, j), spell[j]
        rate[j] = 0.5 * (killing(x, t, p) + killing(y, t + lasts, p))
        after = weight[j] * elementary.exp(-rate[j] * lasts)
        gain = 0.5 * lasts * (weight[j] * source(x, t, p) + after * source(y, t + lasts, p))
        gathered[j] += gain if lasts > 0.0 else 0.0
        weight[j] = after if lasts > 0.0 else weight[j]


@device
def kill(lanes, size, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """Walkers leave whose weight falls to their lifetime's, at the time when it does at a constant rate."""
    s, _, old, out, _, left, gone, spell, weight, _, fate, rate = lanes
    for j in range(size):
        if weight[j] <= fate[j] and spell[j] > 0.0:
            end = spell[j] - log(fate[j] / weight[j]) / rate[j]
            for a in range(D):
                out[a, j] = old[a, j] + (end / spell[j]) * (s[a, j] - old[a, j])
            left[j], gone[j], spell[j] = KILLED, t + end, end


@device
def bring_home(lanes, size, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """Points on rings between their ends again."""
    s = lanes[0]
    for j in range(size):
        put(s, j, home(at(s, j), p))


@device
def free_step(lanes, z, row, size, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """A step of a block of walkers that stay."""
    s, root = lanes[0], math.sqrt(h)
    for j in range(size):
        put(s, j, moved(at(s, j), t, h, root, increments(z, row, j), p))


@device
def full_step(lanes, z, row, size, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """A step of a block of walkers that are weighed, gather, or may leave; what left moves on unseen until the block is looked
    through."""
    s, _, old, _, close, left, _, spell = lanes[:8]
    root = math.sqrt(h)
    for j in range(size):
        x = at(s, j)
        y = moved(x, t, h, root, increments(z, row, j), p)
        put(old, j, x)
        put(s, j, y)
        spell[j] = h if left[j] == 0 else 0.0
        close[j] = near(x, y, t, h, p)
    walled(lanes, size, n, t, h, p, keys)
    weighed(lanes, size, n, t, h, p, keys)
    killed(lanes, size, n, t, h, p, keys)


@device
def along(sigma, n, axis):  # type: ignore[no-untyped-def]
    """A component of σσᵀn: of 2Dn."""
    total = 0.0
    for k in range(M):
        across = 0.0
        for a in range(D):
            across += sigma[a][k] * n[a]
        total += sigma[axis][k] * across
    return total


@device
def across(sigma, n):  # type: ignore[no-untyped-def]
    """nᵀσσᵀn: twice the diffusion along a normal."""
    total = 0.0
    for a in range(D):
        total += n[a] * along(sigma, n, a)
    return total


@aside
def meet_walls(lanes, j, n, t, h, p, keys):  # type: ignore[no-untyped-def]
    """What the walls do to walker j in the step number n from `old` to `s`, each by the bridge of the distance to it: of those
    that absorb the walker, the one that it reaches first."""
    s, walker, old, out, _, left, gone, spell = lanes[0], lanes[1][j], *lanes[2:8]
    x, y = at(old, j), at(s, j)
    before, after, normal = distances(x, t, p), distances(y, t + h, p), normals(y, t + h, p)
    sigma, reactive = noise(x, t, p), reactivities(p)
    first, wall, pushed = 2.0, -1, False
    for w in range(WALLS):
        twice = across(sigma, normal[w])
        d0, d1, s2 = max(before[w], 0.0), after[w], twice * h
        if not may_reach(d0, d1, s2):
            continue
        drawn = philox(walker & LOW, walker >> HALF, U(n), of_axis(BRIDGE, w), keys[0], keys[1])
        m = lowest(d0, d1, s2, unit(drawn[0]))
        below = depth(reactive[w], 0.5 * twice, unit(drawn[1]))
        if m < -below:
            part = passage(d0 + below, d1 + below, s2, quantile(unit(drawn[2])), unit(drawn[3]))
            if part < first:
                first, wall = part, w
        elif m < 0.0:
            pushed = True
            for a in range(D):
                s[a, j] -= m * (along(sigma, normal[w], a) / twice if twice > 0.0 else normal[w][a])
    if wall >= 0:
        leave(s, x, y, out, j, t, h, p, first, wall, n, walker, keys)
        left[j], spell[j], gone[j] = EXITS[wall], first * h, t + first * h
    elif pushed:
        keep_inside(s, j, t + h, p)


@aside
def keep_inside(s, j, t, p):  # type: ignore[no-untyped-def]
    """Bring back a walker that one wall pushed beyond another."""
    for _ in range(2):
        for w in range(WALLS):
            x = at(s, j)
            beyond, normal = distances(x, t, p)[w], normals(x, t, p)[w]
            if beyond < 0.0:
                for a in range(D):
                    s[a, j] -= beyond * normal[a]


@aside
def leave(s, x, y, out, j, t, h, p, part, wall, n, walker, keys):  # type: ignore[no-untyped-def]
    """Put walker j where it reaches the wall: at a point of the bridge from x to y, moved along 2Dn onto the wall. What is
    independent of the distance is so left as it is, and the place on a plane has its exact law."""
    sigma = noise(x, t, p)
    for a in range(D):
        s[a, j] = x[a] + part * (y[a] - x[a])
    if D > 1:
        spread = math.sqrt(part * (1.0 - part) * h)
        for pair in range((M + 1) // 2):
            a, b = words64(walker & LOW, walker >> HALF, U(n), of_axis(PLACE, pair), keys[0], keys[1])
            z = normal_pair(a, b)
            for k in range(2 * pair, min(2 * pair + 2, M)):
                for axis in range(D):
                    s[axis, j] += spread * sigma[axis][k] * z[k - 2 * pair]
    for _ in range(3 if D > 1 else 1):
        there = at(s, j)
        beyond, normal = distances(there, t + part * h, p)[wall], normals(there, t + part * h, p)[wall]
        twice = across(sigma, normal)
        for a in range(D):
            s[a, j] -= beyond * (along(sigma, normal, a) / twice if twice > 0.0 else normal[a])
    put(out, j, home(at(s, j), p))


# What a walk needs: the compiler would compile both sides of a choice inside a kernel.
stepped = full_step if WEIGHED or GATHERED or WALLS else free_step
walled = meet_near_walls if WALLS else skipped
weighed = weigh if WEIGHED or GATHERED else skipped
killed, fated = (kill, lifetimes) if KILLED else (skipped, skipped)
turned = bring_home if RINGS else skipped


@kernel
def walk(state, first, start, stop, dt, pairs, p, keys):  # type: ignore[no-untyped-def]
    """Advance walkers number `first`, `first` + 1, … from step `start` to step `stop`, steps of `pairs` dt, in place."""
    wide()
    h = pairs * dt
    fine = pairs * M  # increments of a step
    z, words = np.empty((pairs * CHUNK * M + 4, BLOCK)), np.empty((3, BLOCK), np.uint64)
    s, number, who = np.empty((D, BLOCK)), np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.int64)
    old, out, close = np.empty((D, BLOCK)), np.empty((D, BLOCK)), np.zeros(BLOCK, np.uint8)
    left, gone, spell = np.zeros(BLOCK, np.int32), np.empty(BLOCK), np.empty(BLOCK)
    weight, gathered, fate, rate = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    block = s, out, who, left, gone, weight, gathered
    lanes = s, number, old, out, close, left, gone, spell, weight, gathered, fate, rate
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
            for chunk in range(rank, min(rank + RANK, stop), CHUNK):
                end = min(chunk + CHUNK, rank + RANK, stop)
                for j in range(BLOCK):
                    number[j] = U(first) + U(who[min(j, size - 1)])
                words[2, 0] = U(0)
                shift = fill(z, words, number, size, chunk * fine, (end - chunk) * fine, keys)
                width = pairs
                while width > 1:
                    width //= 2
                    merged(z, size, shift, (end - chunk) * width, M)
                fated(lanes, size, chunk * pairs, chunk * h, h, p, keys)
                for n in range(chunk, end):
                    t, row = n * h, shift + (n - chunk) * M
                    stepped(lanes, z, row, size, n * pairs, t, h, p, keys)
                    turned(lanes, size, n * pairs, t, h, p, keys)
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
