"""The stationary law of a chain of sites on a ring, whose neighbours exchange walkers.

An interval is a ring with a closed bond, so one elimination serves both. The elimination of Grassmann, Taksar and Heyman,
Operations Research 33, 1107 (1985) removes sites one after another and adds up the rates of their neighbours, without a
subtraction, so that each probability, however small, keeps its relative accuracy. After each removal the chain is a ring
again, so n sites take n steps and no matrix. Products have a wider range than doubles, therefore every number has an
exponent of its own.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from randwalk.model.coefficient import Floats


def closed_classes(p: Floats, q: Floats) -> list[np.ndarray]:
    """The closed classes: sets of sites that reach one another and that no walker leaves, each in increasing order.

    `p` (k to k + 1) and `q` (k to k - 1) are the step probabilities on a ring, shape (sites,).
    """
    k = np.arange(p.size)
    rows, columns = np.concatenate([k, k]), np.concatenate([(k + 1) % p.size, (k - 1) % p.size])
    there = np.concatenate([p, q]) > 0.0
    rows, columns = rows[there], columns[there]
    graph = sparse.coo_array((np.ones(rows.size), (rows, columns)), (p.size, p.size))
    count, label = csgraph.connected_components(graph.tocsr(), directed=True, connection="strong")
    left = np.zeros(count, dtype=bool)
    left[label[rows[label[rows] != label[columns]]]] = True
    return [np.flatnonzero(label == one) for one in np.flatnonzero(~left)]


def stationary(p: Floats, q: Floats) -> Floats:
    """Probabilities of the sites of an irreducible ring that π = πP keeps, shape (sites,); they sum to 1.

    `p` (k to k + 1) and `q` (k to k - 1) are the step probabilities. The relative error is a few n ulp for n sites; a
    probability below 1e-308 is rounded to 0 or a subnormal number.
    """
    n = p.size
    right, left = p.tolist(), q.tolist()
    # Sites n-1, n-2, … are taken out. `on` = rate from the last site on to site 0, `back` = rate from site 0 back to the last.
    on, on_e = right[-1], 0
    back, back_e = left[0], 0
    out, out_e, entry, entry_e = [0.0] * n, [0] * n, [0.0] * n, [0] * n
    for m in range(n - 1, 0, -1):
        total, total_e = _sum(on, on_e, left[m], 0)
        out[m], out_e[m], entry[m], entry_e[m] = total, total_e, back, back_e
        on, shift = math.frexp(right[m - 1] * (on / total))
        on_e += shift - total_e
        back, shift = math.frexp(back * (left[m] / total))
        back_e += shift - total_e
    mass, mass_e = [1.0] * n, [0] * n
    for m in range(1, n):
        total, total_e = _sum(mass[m - 1] * right[m - 1], mass_e[m - 1], entry[m], entry_e[m])
        mass[m], shift = math.frexp(total / out[m])
        mass_e[m] = total_e - out_e[m] + shift
    exponents = np.array(mass_e)
    scaled = np.ldexp(np.array(mass), np.maximum(exponents - exponents.max(), -2000).astype(np.int32))
    return scaled / scaled.sum()


def _sum(a: float, a_e: int, b: float, b_e: int) -> tuple[float, int]:
    """a 2^a_e + b 2^b_e as a number and an exponent."""
    if a == 0.0 or (b != 0.0 and b_e - a_e > 200):
        return b, b_e
    if b == 0.0 or a_e - b_e > 200:
        return a, a_e
    return (a + math.ldexp(b, b_e - a_e), a_e) if a_e >= b_e else (math.ldexp(a, a_e - b_e) + b, b_e)
