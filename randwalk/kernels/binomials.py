"""Many binomial draws together, on vectors: those of :func:`randwalk.kernels.binomial.binomial`, the same bits.

Most proposals that the quick test does not accept are decided by a squeeze, in the manner of V. Kachitvichyanukul and B. W.
Schmeiser, "Binomial random variate generation", Comm. ACM 31 (1988): bounds of f(k)/f(m) that take no logarithm. What lies
between the bounds goes to the full test, so that no decision changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..jit.compile import aside, device, maker
from ..jit.lanes import LANES, fetch, keep
from ..jit.vector import wide
from .binomial import (
    SIGNED,
    _asked,
    _centre,
    _drift,
    _hat,
    _proposal,
    _target,
    binomial,
    block,
)
from .portable import INVERSE_LN2, SERIES_FROM, deviance_near, floor, log, near, real, stirling_series, whole

U = np.uint64
WIDTH = 8  # draws in a vector
SURELY_LARGE = 10.0001  # the mean, however rounded, is above INVERSION_BELOW too
ACCEPTED, REJECTED, UNSURE = U(0), U(1), U(2)
CERTAIN, LARGE, SMALL = U(0), U(1), U(2)
REACH = 5.0  # standard deviations from the mode to which the squeeze tells what is accepted
SLACK = 3e-5  # above the errors of the squeeze that are not those of its series: 1.2e-7 of 1/sd² and 2.6e-6 of `_exp2`
EXP2 = 9.99999297e-01, 6.93121607e-01, 2.40246905e-01, 5.59188714e-02, 9.57183487e-03


@device
def _exp(x):  # type: ignore[no-untyped-def]
    """exp x of -700 <= x <= 700, within a relative 2.6e-6 + 3e-16 |x|."""
    powers = x * INVERSE_LN2
    nearest = powers + SIGNED
    scale = np.int64((np.float64(nearest).view(np.int64) + np.int64(1023)) << np.int64(52)).view(np.float64)
    f = powers - (nearest - SIGNED)
    low, high = EXP2[0] + f * EXP2[1], EXP2[2] + f * (EXP2[3] + f * EXP2[4])
    return (low + (f * f) * high) * scale


@device
def _squeeze(y, p, sd, target):  # type: ignore[no-untyped-def]
    """Whether f(k)/f(m) >= `target` of Binomial(n, p), with m = np - excess and y = k - m - excess - p + ½: ACCEPTED, REJECTED or
    UNSURE.

    From m to k, log f(k + 1)/f(k) = log(1 - t/(nq)) - log(1 + (t + 1)/(np)), t = k - np, adds up to

        log f(k)/f(m) = -z²/2 + (1 - 2p) z³/(6 sd) + R,   z = y/sd,   |R| <= (1 + z²)²/sd² where that is below 1,

    by the first two terms of the series and a bound of the others. Further out than REACH f(k) is below what it is there.
    """
    most, inverse = REACH * sd, np.float64(np.float32(1.0) / np.float32(sd * sd))
    near = min(max(y, -most), most)
    w = near * inverse
    square = 1.0 + near * w
    ratio = _exp(near * w * ((1.0 - 2.0 * p) * (1.0 / 6.0) * w - 0.5))
    sure = (1.0 - SLACK) - square * square * inverse
    yes, no = (target <= ratio * sure) & (y == near), target * sure > ratio
    return ACCEPTED if yes else REJECTED if no else UNSURE


@device
def _judge(n, p, m, excess, sd, first, second):  # type: ignore[no-untyped-def]
    """The full test without a branch: (the draw, ACCEPTED, REJECTED or, where this cannot tell, UNSURE)."""
    width, slope, _ = _hat(p, sd)
    v, inside, offset = _proposal(first, second, excess, width, slope)
    d = floor(offset, SIGNED)
    ratio, holds = _log_ratio_near(n, p, m, excess, d)
    good = log(_target(v, inside, sd, width, slope)) <= ratio
    tells = holds & (-real(U(m)) <= offset) & (abs(offset) < 2.0**50)
    return m + whole(d, SIGNED), (ACCEPTED if good else REJECTED) if tells else UNSURE


@device
def _log_ratio_near(n, p, m, excess, d):  # type: ignore[no-untyped-def]
    """As `_log_ratio` at j = d without a branch, and whether it holds: not far out, nor at a small mode."""
    x, y = real(U(m + 1)), real(U(n - m + 1))
    xj, yj = x + d, y - d
    errors = (stirling_series(x) - stirling_series(xj)) + (stirling_series(y) - stirling_series(yj))
    ratio = (_drift(p, x, excess, d) + errors) - (deviance_near(xj, x, d) + deviance_near(yj, y, -d))
    return ratio, (min(min(x, xj), min(y, yj)) >= SERIES_FROM) & near(xj, x, d) & near(yj, y, -d)


@device
def _filled(number, width):  # type: ignore[no-untyped-def]
    """As many and those that fill the last vector, whose results are not looked at: a loop over the rest of them, one by one,
    would take as long as that over all the vectors."""
    return (number + U(width - 1)) & ~U(width - 1)


class Room(NamedTuple):
    """The memory that draws together need.

    Of those that are under way: what is given (:func:`binomials`); whether the rarer outcome is not the one asked for; what
    `_centre` makes of them; a block, its proposal, what f(k)/f(m) is compared with and how far off k is; the verdict. Of all:
    their kinds, and the results of those that are certain. And lists of numbers of draws: of those under way, and of some of
    these.
    """

    many: NDArray[np.int64]
    taken: NDArray[np.int64]
    total: NDArray[np.int64]
    inverse: NDArray[np.float64]
    number: NDArray[np.uint64]
    flip: NDArray[np.uint64]
    p: NDArray[np.float64]
    mode: NDArray[np.int64]
    excess: NDArray[np.float64]
    sd: NDArray[np.float64]
    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    drawn: NDArray[np.int64]
    target: NDArray[np.float64]
    off: NDArray[np.float64]
    verdict: NDArray[np.uint64]
    kind: NDArray[np.uint64]
    sure: NDArray[np.int64]
    queue: NDArray[np.uint64]
    some: NDArray[np.uint64]
    whose: NDArray[np.uint64]


@maker
def workspace(size):  # type: ignore[no-untyped-def]
    """Room for `size` draws together."""
    room = np.int64(_filled(U(size), LANES))
    i, u, r = np.empty((6, room), np.int64), np.empty((9, room), np.uint64), np.empty((6, room), np.float64)
    return Room(
        i[0], i[1], i[2], r[0], u[0], u[1], r[1], i[3], r[2], r[3], u[2], u[3], i[4], r[4], r[5], u[4], u[5], i[5],
        u[6], u[7], u[8],
    )  # fmt: skip


@device
def _sort(n, a, b, room, size):  # type: ignore[no-untyped-def]
    """The kind of each draw: certain, of a large mean or of one that is not sure to be; how many there are of the last two."""
    wide()
    large, small = U(0), U(0)
    for j in range(size):
        other = b[j] - a[j]
        is_open = (n[j] > 0) & (min(a[j], other) > 0)
        is_large = is_open & (real(U(n[j])) * real(U(min(a[j], other))) > SURELY_LARGE * real(U(b[j])))
        room.sure[j] = n[j] if (a[j] > 0) & (other <= 0) else 0
        room.kind[j] = LARGE if is_large else SMALL if is_open else CERTAIN
        large += U(is_large)
        small += U(is_open)
    return large, small - large


@device
def _propose(n, a, b, inverse, number, c1, c2, c3, k0, k1, room, waiting):  # type: ignore[no-untyped-def]
    """A proposal for each of the draws that are under way, and what the quick test and the squeeze say of it."""
    wide()
    size = _filled(waiting, WIDTH)
    for i in range(0, waiting, LANES):
        first, second = block(fetch(number, i), c1, c2, c3, k0, k1)
        keep(first, room.first, i)
        keep(second, room.second, i)
    for i in range(size):
        other = b[i] - a[i]
        room.flip[i] = U(a[i] > other)
        room.p[i], room.mode[i], room.excess[i], room.sd[i] = _centre(n[i], min(a[i], other), b[i], inverse[i])
    for i in range(size):
        width, slope, quick = _hat(room.p[i], room.sd[i])
        v, inside, offset = _proposal(room.first[i], room.second[i], room.excess[i], width, slope)
        d = floor(offset, SIGNED)
        room.drawn[i] = _asked(room.mode[i] + whole(d, SIGNED), n[i], room.flip[i])
        room.verdict[i] = U((inside < 0.07) | (v * width > quick))
        room.target[i] = _target(v, inside, room.sd[i], width, slope)
        room.off[i] = d - (room.excess[i] + room.p[i] - 0.5)
    for i in range(size):
        told = _squeeze(room.off[i], room.p[i], room.sd[i], room.target[i])
        room.verdict[i] = told if room.verdict[i] else ACCEPTED


@device
def _left(many, room, waiting):  # type: ignore[no-untyped-def]
    """Make the queue that of the draws whose proposals were rejected, and give those of which the squeeze cannot tell to the full
    test, as the first ones, numbers in `whose`; how many of each."""
    wide()
    far, left, unsure = U(0), U(0), U(0)
    for i in range(waiting):
        room.some[far] = U(i)
        far += U(room.verdict[i] != ACCEPTED)
    for s in range(far):
        i = room.some[s]
        told, j = room.verdict[i], room.queue[i]
        room.queue[left], room.some[unsure], room.whose[unsure] = j, i, j
        left += U(told == REJECTED)
        unsure += U(told == UNSURE)
    for i in range(unsure):
        j = room.some[i]
        room.many[i], room.flip[i], room.mode[i], room.p[i] = many[j], room.flip[j], room.mode[j], room.p[j]
        room.excess[i], room.sd[i] = room.excess[j], room.sd[j]
        room.first[i], room.second[i] = room.first[j], room.second[j]
    for i in range(_filled(unsure, WIDTH)):
        k, room.verdict[i] = _judge(
            room.many[i], room.p[i], room.mode[i], room.excess[i], room.sd[i], room.first[i], room.second[i]
        )
        room.drawn[i] = _asked(k, room.many[i], room.flip[i])
    return left, unsure


@device
def _finish(many, n, a, b, c0, c1, c2, c3, k0, k1, out, room, waiting):  # type: ignore[no-untyped-def]
    """Decide on proposals that are neither accepted nor rejected; how many draws go on."""
    wide()
    left, unsure = _left(many, room, waiting)
    for i in range(unsure):
        told, j = room.verdict[i], room.whose[i]
        out[j] = room.drawn[i]
        if told == UNSURE:
            out[j] = binomial(n[j], a[j], b[j], c0[j], c1, c2, c3, k0, k1)
        room.queue[left] = j
        left += U(told == REJECTED)
    return left


@aside
def binomials(n, a, b, inverse, c0, c1, c2, c3, k0, k1, out, room, size):  # type: ignore[no-untyped-def]
    """`size` draws of Binomial(n[j], a[j]/b[j]) into out[j], each that of :func:`binomial` at counter word c0[j]; inverse[j] is
    1/b[j], rounded. The arrays given are longer by up to LANES - 1 numbers, which may be any.

    What vectors cannot do (small means, small modes, far tails) is drawn one by one. `room` is made by :func:`workspace`. The
    loops are short, so that the processor, which looks some hundred instructions ahead, works on several rounds of them at once.
    """
    wide()
    large, small = _sort(n, a, b, room, size)
    if small:
        for j in range(size):
            if room.kind[j] == SMALL:
                room.sure[j] = binomial(n[j], a[j], b[j], c0[j], c1, c2, c3, k0, k1)
    attempt, waiting = U(0), U(0)
    if 4 * large > 3 * U(size):  # sooner all than those alone
        _propose(n, a, b, inverse, c0, c1, c2, c3, k0, k1, room, U(size))
        for j in range(size):
            room.queue[j] = U(j)
            out[j] = room.drawn[j] if room.kind[j] == LARGE else room.sure[j]
            room.verdict[j] = room.verdict[j] if room.kind[j] == LARGE else ACCEPTED
        waiting = _finish(n, n, a, b, c0, c1, c2, c3, k0, k1, out, room, U(size))
        attempt += U(1)
    else:
        for j in range(size):
            out[j] = room.sure[j]
        for j in range(size):
            room.queue[waiting] = U(j)
            waiting += U(room.kind[j] == LARGE)
    while waiting > U(0):
        for i in range(waiting):
            j = room.queue[i]
            room.many[i], room.taken[i], room.total[i] = n[j], a[j], b[j]
            room.inverse[i], room.number[i] = inverse[j], c0[j]
        _propose(
            room.many, room.taken, room.total, room.inverse, room.number, c1, c2 + attempt, c3, k0, k1, room, waiting
        )
        for i in range(waiting):
            out[room.queue[i]] = room.drawn[i]
        waiting = _finish(room.many, n, a, b, c0, c1, c2, c3, k0, k1, out, room, waiting)
        attempt += U(1)
