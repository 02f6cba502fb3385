"""The master equation, one step after another: P(x, t + dt) from P(x, t), on the table the simulation uses."""

from __future__ import annotations

from .compile import device, kernel
from .philox import U
from .step import ONE, column

TINY = 1e-292  # a mass to drop at the edge of the reached sites: denormal numbers are a hundred times slower


@device
def _interior(target, source, begin, end, p, q, r):  # type: ignore[no-untyped-def]
    for j in range(begin, end):
        i = U(j)  # an index that might be negative would keep this off vectors
        target[i] = p[i - ONE] * source[i - ONE] + q[i + ONE] * source[i + ONE] + r[i] * source[i]


@device
def _interior_constant(target, source, begin, end, p, q, r):  # type: ignore[no-untyped-def]
    for j in range(begin, end):
        i = U(j)
        target[i] = p * source[i - ONE] + q * source[i + ONE] + r * source[i]


@device
def _clear(mass, begin, end):  # type: ignore[no-untyped-def]
    for i in range(begin, end):  # assigning to a slice takes two seconds longer to compile
        mass[i] = 0.0


@kernel
def evolve(mass, other, steps, p, q, r, d, low, high, wrap, reach, out, drop):  # type: ignore[no-untyped-def]
    """Advance `mass` (index 0 … sites + 1) by `steps` steps, in place, with scratch `other`.

    p, q, r, d: (rows, columns) probabilities of right, left, stay, killed, one row for all steps or a row a step; `d` may have
    no rows. `reach` = [lowest, highest index with mass, lowest, highest ever], updated; masses below `drop` at its ends are
    dropped. out[step] = mass that left during that step: to the left, to the right, killed.
    """
    sites = mass.size - 2
    lo, hi, lowest, highest = reach[0], reach[1], reach[2], reach[3]
    source, target = mass, other
    for n in range(steps):
        row = n if p.shape[0] > 1 else 0
        pr, qr, rr = p[row], q[row], r[row]
        if d.shape[0] > 0:
            for i in range(lo, hi + 1):
                out[n, 2] += d[row, column(i, low, high)] * source[i]
        if wrap:
            source[0], source[sites + 1] = source[sites], source[1]
            lo, hi = 1, sites
        else:
            if lo == 1:
                out[n, 0] = qr[column(1, low, high)] * source[1]
            if hi == sites:
                out[n, 1] = pr[column(sites, low, high)] * source[sites]
            lo, hi = max(lo - 1, 1), min(hi + 1, sites)
        if high > sites:  # a column is a site
            _interior(target, source, lo, hi + 1, pr, qr, rr)
            if wrap:
                target[1] = pr[sites] * source[0] + qr[2 if sites > 1 else 1] * source[2] + rr[1] * source[1]
                target[sites] = (
                    pr[max(sites - 1, 1)] * source[sites - 1] + qr[1] * source[sites + 1] + rr[sites] * source[sites]
                )
        else:
            pc, qc, rc = pr[2], qr[2], rr[2]
            a, b = max(lo, 3), max(min(hi, sites - 2), 2) + 1
            _interior_constant(target, source, a, b, pc, qc, rc)
            for end in range(4):
                i = lo + end if end < 2 else hi - end + 2
                if (i < 3 or i > sites - 2) and lo <= i <= hi:
                    before = column(i - 1 if i > 1 else sites, low, high)
                    after = column(i + 1 if i < sites else 1, low, high)
                    here = column(i, low, high)
                    target[i] = pr[before] * source[i - 1] + qr[after] * source[i + 1] + rr[here] * source[i]
        if not wrap:
            while lo < hi and target[lo] < drop:
                target[lo] = 0.0
                lo += 1
            while hi > lo and target[hi] < drop:
                target[hi] = 0.0
                hi -= 1
            _clear(target, max(lo - 2, 0), lo)  # the next step reads two places beyond what this one reached
            _clear(target, hi + 1, min(hi + 3, sites + 2))
        lowest, highest = min(lowest, lo), max(highest, hi)
        source, target = target, source
    if steps % 2:
        for i in range(lo, hi + 1):
            mass[i] = other[i]
    _clear(mass, 0, lo)
    _clear(mass, hi + 1, sites + 2)
    reach[0], reach[1], reach[2], reach[3] = lo, hi, lowest, highest
