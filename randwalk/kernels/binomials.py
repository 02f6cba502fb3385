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
from ..jit.lanes import LANES, fetch, keep, numbers
from ..jit.reals import bits, choose, digits, fetch_reals, from_bits, negative, rough_inverse
from ..jit.vector import append, ones, wide, zeros_below
from .binomial import SIGNED, _asked, _drift, _excess, _hat, _mode, _proposal, _target, binomial, block
from .portable import INVERSE_LN2, SERIES_FROM, deviance_near, floor, log, near, signed_real, stirling_series, whole

U = np.uint64
WIDTH = 8  # draws in a vector
SURELY_LARGE = 10.0001  # the mean, however rounded, is above INVERSION_BELOW too
FEW = U(20)  # so many draws or fewer have no large mean of the rarer outcome
MANY = U(1) << U(50)  # below it, m is off by one at most
CHUNK = 256  # draws that are gathered together, in the first-level cache
ACCEPTED, REJECTED, UNSURE = U(0), U(1), U(2)  # what the full test says
REACH = 5.0  # standard deviations from the mode to which the squeeze tells what is accepted
SLACK = 3e-5  # above the errors of the squeeze that are not those of its series: 1.2e-7 of 1/sd² and 2.6e-6 of `_exp2`
EXP2 = 9.99999297e-01, 6.93121607e-01, 2.40246905e-01, 5.59188714e-02, 9.57183487e-03


@device
def _exp(x):  # type: ignore[no-untyped-def]
    """exp x of lanes with -700 <= x <= 700, within a relative 2.6e-6 + 3e-16 |x|."""
    powers = x * INVERSE_LN2
    nearest = powers + SIGNED
    f = powers - (nearest - SIGNED)
    low, high = EXP2[0] + f * EXP2[1], EXP2[2] + f * (EXP2[3] + f * EXP2[4])
    return (low + (f * f) * high) * from_bits((bits(nearest) + U(1023)) << U(52))


@device
def _squeeze(y, p, sd, above, below):  # type: ignore[no-untyped-def]
    """Whether f(k)/f(m) of Binomial(n, p), with m = np - excess and y = k - m - excess - p + ½, surely is above/below or more,
    and whether it surely is less. Of lanes.

    From m to k, log f(k + 1)/f(k) = log(1 - t/(nq)) - log(1 + (t + 1)/(np)), t = k - np, adds up to

        log f(k)/f(m) = -z²/2 + (1 - 2p) z³/(6 sd) + R,   z = y/sd,   |R| <= (1 + z²)²/sd² where that is below 1,

    by the first two terms of the series and a bound of the others. Further out than REACH f(k) is below what it is there.
    """
    most, inverse = REACH * sd, rough_inverse(sd * sd)
    near = min(max(y, -most), most)
    w = near * inverse
    square = 1.0 + near * w
    ratio = _exp(near * w * ((1.0 - 2.0 * p) * (1.0 / 6.0) * w - 0.5)) * below
    sure = (1.0 - SLACK) - square * square * inverse
    return (above <= ratio * sure) & (y == near), above * sure > ratio


@device
def _judge(n, p, m, excess, sd, first, second):  # type: ignore[no-untyped-def]
    """The full test without a branch: (the draw, ACCEPTED, REJECTED or, where this cannot tell, UNSURE)."""
    width, slope, _ = _hat(p, sd)
    v, inside, offset = _proposal(first, second, excess, width, slope)
    d = floor(offset, SIGNED)
    ratio, holds = _log_ratio_near(n, p, m, excess, d)
    above, below = _target(v, inside, sd, width, slope)
    good = log(above / below) <= ratio
    tells = holds & (-signed_real(m) <= offset) & (abs(offset) < 2.0**50)
    return m + whole(d, SIGNED), (ACCEPTED if good else REJECTED) if tells else UNSURE


@device
def _log_ratio_near(n, p, m, excess, d):  # type: ignore[no-untyped-def]
    """As `_log_ratio` at j = d without a branch, and whether it holds: not far out, nor at a small mode."""
    x, y = signed_real(m + 1), signed_real(n - m + 1)
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

    Of a chunk of draws: what is given (:func:`binomials`), if gathered; what `_centre` makes of it; a block, the result, the
    verdict. Of LANES draws each, as digits: whose means are surely large, and which others to draw alone. Of the draws of a chunk
    that the quick test does not accept, one after another: v and `inside` of the proposal, how far off it is, p, sd, and as bits
    the number of the draw. And lists of numbers of draws: of all, of those that no proposal was made for, of those to go on with,
    and of those of which the squeeze cannot tell.
    """

    many: NDArray[np.int64]
    taken: NDArray[np.int64]
    total: NDArray[np.int64]
    inverse: NDArray[np.float64]
    number: NDArray[np.uint64]
    p: NDArray[np.float64]
    mode: NDArray[np.int64]
    excess: NDArray[np.float64]
    sd: NDArray[np.float64]
    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    drawn: NDArray[np.int64]
    verdict: NDArray[np.uint64]
    large: NDArray[np.uint64]
    alone: NDArray[np.uint64]
    doubts: NDArray[np.float64]
    every: NDArray[np.uint64]
    untried: NDArray[np.uint64]
    queue: NDArray[np.uint64]
    unsure: NDArray[np.uint64]


@maker
def workspace(size):  # type: ignore[no-untyped-def]
    """Room for `size` draws together."""
    room = np.int64(_filled(U(size), LANES))
    i, u, r = np.zeros((5, CHUNK), np.int64), np.zeros((6, CHUNK), np.uint64), np.zeros((4, CHUNK), np.float64)
    lists = np.empty((4, room), np.uint64)
    for j in range(room):
        lists[0, j] = U(j)
    return Room(
        i[0], i[1], i[2], r[0], u[0], r[1], i[3], r[2], r[3], u[1], u[2], i[4], u[3], u[4], u[5],
        np.zeros((6, CHUNK + LANES), np.float64), lists[0], lists[1], lists[2], lists[3],
    )  # fmt: skip


@device
def _outcome(a, b):  # type: ignore[no-untyped-def]
    """Of lanes: whether not the rarer outcome is the one asked for, and in how many of b cases the rarer one occurs."""
    other = b - a
    flip = negative(other - a)
    return flip, choose(flip, other, a)


@device
def _sort(i, n, mean, room, count):  # type: ignore[no-untyped-def]
    """Which of the LANES draws from number i of a chunk have a mean that is surely large, and that the others are drawn alone;
    how many are large."""
    among = ~U(0) >> U(64 - min(count - i, LANES))
    large = among & digits((mean > SURELY_LARGE) & (n < MANY))
    room.large[i // LANES], room.alone[i // LANES] = large, among & ~large
    return ones(large)


@device
def _means(n, a, b, inverse, room, count):  # type: ignore[no-untyped-def]
    """:func:`_sort` of a chunk; what is certain is not drawn."""
    for i in range(0, count, LANES):
        many = fetch(n, i)
        _, rarer = _outcome(fetch(a, i), fetch(b, i))
        _sort(i, many, signed_real(many) * (signed_real(rarer) * fetch_reals(inverse, i)), room, count)
        room.alone[i // LANES] &= digits((many > U(0)) & (rarer > U(0)))


@device
def _centres(n, a, b, inverse, room, count):  # type: ignore[no-untyped-def]
    """:func:`_sort` of a chunk, and `_centre` of each draw where the mode is off by one at most; how many are large."""
    large = U(0)
    for i in range(0, count, LANES):
        many, total, by = fetch(n, i), fetch(b, i), fetch_reals(inverse, i)
        _, rarer = _outcome(fetch(a, i), total)
        p, m, mean, sd = _mode(many, rarer, by)
        left = many * rarer - m * total
        keep(bits(p), room.p, i)
        keep(m, room.mode, i)
        keep(bits(_excess(signed_real(left & ~U(7)), left & U(7), by)), room.excess, i)
        keep(bits(sd), room.sd, i)
        large += _sort(i, many, mean, room, count)
    return large


@device
def _blocks(number, c1, c2, c3, k0, k1, room, count):  # type: ignore[no-untyped-def]
    """The words of a chunk."""
    for i in range(0, count, LANES):
        first, second = block(fetch(number, i), c1, c2, c3, k0, k1)
        keep(first, room.first, i)
        keep(second, room.second, i)


@device
def _propose(n, a, b, whose, room, count):  # type: ignore[no-untyped-def]
    """A proposal for each draw of a chunk; how many there are of those whose means are large that the quick test does not
    accept."""
    doubts = 0
    for i in range(0, count, LANES):
        many, p, excess, sd = fetch(n, i), fetch_reals(room.p, i), fetch_reals(room.excess, i), fetch_reals(room.sd, i)
        width, slope, quick = _hat(p, sd)
        v, inside, offset = _proposal(fetch(room.first, i), fetch(room.second, i), excess, width, slope)
        d = floor(offset, SIGNED)
        flip, _ = _outcome(fetch(a, i), fetch(b, i))
        keep(_asked(fetch(room.mode, i) + whole(d, SIGNED), many, flip), room.drawn, i)
        told = v, inside, d - (excess + p - 0.5), p, sd, from_bits(fetch(whose, i))
        doubtful = room.large[i // LANES] & digits((inside < 0.07) | (v * width > quick))
        doubts = append(told, doubtful, room.doubts, doubts)
    return doubts


@device
def _list(room, doubts, ends):  # type: ignore[no-untyped-def]
    """Put the numbers of the draws of a chunk whose proposals are not accepted into lists; the ends of these."""
    (left, unsure), told = ends, room.doubts
    for i in range(0, doubts, LANES):
        v, inside, off = fetch_reals(told[0], i), fetch_reals(told[1], i), fetch_reals(told[2], i)
        p, sd, listed = fetch_reals(told[3], i), fetch_reals(told[4], i), bits(fetch_reals(told[5], i))
        width, slope, _ = _hat(p, sd)
        yes, no = _squeeze(off, p, sd, *_target(v, inside, sd, width, slope))
        among = numbers(U(i)) < U(doubts)
        left = append(listed, among & no, room.queue, left)
        unsure = append(listed, among & ~(yes | no), room.unsure, unsure)
    return left, unsure


@device
def _gather(n, a, b, inverse, number, c1, c2, c3, k0, k1, listed, room, count):  # type: ignore[no-untyped-def]
    """What is given of the draws listed, :func:`_centres` and :func:`_blocks` of these."""
    for i in range(count):
        j = listed[i]
        room.many[i], room.taken[i], room.total[i], room.inverse[i] = n[j], a[j], b[j], inverse[j]
        room.number[i] = number[j]
    _centres(room.many, room.taken, room.total, room.inverse, room, count)
    _blocks(room.number, c1, c2, c3, k0, k1, room, count)


@device
def _try(listed, n, a, b, inverse, number, c1, c2, c3, k0, k1, out, room, waiting, ends):  # type: ignore[no-untyped-def]
    """A proposal for each of the draws listed, whose means are surely large; the ends of the lists of those to go on with and of
    those that are unsure."""
    for begin in range(0, waiting, CHUNK):
        count, some = min(CHUNK, waiting - begin), listed[begin:]
        _gather(n, a, b, inverse, number, c1, c2, c3, k0, k1, some, room, count)
        doubts = _propose(room.many, room.taken, room.total, some, room, count)
        for i in range(count):
            out[some[i]] = room.drawn[i]
        ends = _list(room, doubts, ends)
    return ends


@device
def _settle(n, a, b, inverse, number, c1, c2, c3, k0, k1, out, room, ends):  # type: ignore[no-untyped-def]
    """The full test of the proposals of which the squeeze cannot tell; how many draws go on."""
    left, unsure = ends
    for begin in range(0, unsure, CHUNK):
        count, some = min(CHUNK, unsure - begin), room.unsure[begin:]
        _gather(n, a, b, inverse, number, c1, c2, c3, k0, k1, some, room, count)
        for i in range(_filled(U(count), WIDTH)):
            k, room.verdict[i] = _judge(
                room.many[i], room.p[i], room.mode[i], room.excess[i], room.sd[i], room.first[i], room.second[i]
            )
            room.drawn[i] = _asked(k, room.many[i], room.taken[i] > room.total[i] - room.taken[i])
        for i in range(count):
            told, j = room.verdict[i], some[i]
            out[j] = room.drawn[i]
            if told == UNSURE:
                out[j] = binomial(n[j], a[j], b[j], number[j], c1, c2 & ~U(0xFFFF), c3, k0, k1)
            if told == REJECTED:
                room.queue[left] = j
                left += 1
    return left


@aside
def binomials(n, a, b, inverse, c0, c1, c2, c3, k0, k1, out, room, size):  # type: ignore[no-untyped-def]
    """`size` draws of Binomial(n[j], a[j]/b[j]) into out[j], each that of :func:`binomial` at counter word c0[j]; inverse[j] is
    1/b[j], rounded. The arrays given are longer by up to LANES - 1 numbers, which may be any.

    What vectors cannot do (small means, small modes, far tails) is drawn one by one. `room` is made by :func:`workspace`. The
    loops are short, so that the processor, which looks some hundred instructions ahead, works on several vectors at once.
    """
    wide()
    untried, ends = 0, (0, 0)
    for begin in range(0, size, CHUNK):
        count, many, taken, total = min(CHUNK, size - begin), n[begin:], a[begin:], b[begin:]
        several = U(0)
        for i in range(0, count, LANES):
            cases = fetch(taken, i)
            several += ones(digits((fetch(many, i) > FEW) & (cases > U(0)) & (cases < fetch(total, i))))
        dense = 4 * several > 3 * U(count)  # sooner all than those alone
        if dense:
            dense = 4 * _centres(many, taken, total, inverse[begin:], room, count) > 3 * U(count)
        else:
            _means(many, taken, total, inverse[begin:], room, count)
        if dense:
            _blocks(c0[begin:], c1, c2, c3, k0, k1, room, count)
            doubts = _propose(many, taken, total, room.every[begin:], room, count)
            ends = _list(room, doubts, ends)
        else:
            for i in range(0, count, LANES):
                flip, _ = _outcome(fetch(taken, i), fetch(total, i))
                keep(choose(flip, fetch(many, i), U(0)), room.drawn, i)
                listed = fetch(room.every, begin + i)
                untried = append(listed, room.large[i // LANES], room.untried, untried)
        for i in range(count):
            out[begin + i] = room.drawn[i]
        for i in range(0, count, LANES):
            alone = room.alone[i // LANES]
            while alone:
                at = begin + i + np.int64(zeros_below(alone))
                out[at] = binomial(n[at], a[at], b[at], c0[at], c1, c2, c3, k0, k1)
                alone &= alone - U(1)
    some, waiting, attempt = room.untried, untried, U(0)
    while waiting + ends[0] + ends[1] > 0:
        ends = _try(some, n, a, b, inverse, c0, c1, c2 + attempt, c3, k0, k1, out, room, waiting, ends)
        waiting = _settle(n, a, b, inverse, c0, c1, c2 + attempt, c3, k0, k1, out, room, ends)
        some, ends, attempt = room.queue, (0, 0), attempt + U(1)
