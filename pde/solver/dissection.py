"""Factors of sparse matrices that join cells of a mesh to their neighbours, in an order by nested dissection [George, SIAM J.
Numer. Anal. 10, 345, 1973]: a layer of cells parts a mesh in two, and comes after both parts, as their layers come after theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from randwalk.jit.pools import apart
from randwalk.model.coefficient import Floats

SMALL: Final = 32  # cells that are not parted


def dissected(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of cells at `places` (n, d) of a mesh, whole numbers, in the order in which they are eliminated."""

    def parts(own: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        here = places[own]
        widths = np.ptp(here, axis=0) if own.size else np.zeros(1)
        if own.size <= SMALL or widths.max() < 2:
            yield own
            return
        along = here[:, int(np.argmax(widths))]
        layer = np.partition(along, own.size // 2)[own.size // 2]
        yield from parts(own[along < layer])
        yield from parts(own[along > layer])
        yield own[along == layer]

    return np.concatenate(list(parts(np.arange(len(places)))))


def factorised(matrix: sparse.csr_array, order: NDArray[np.int64]) -> Callable[[Floats, bool], Floats]:
    """The solution for a right-hand side, of the transposed `matrix` if asked. The diagonal dominates rows or columns, so that it
    is the pivot, and signs are kept. Ctrl-C is heard meanwhile."""
    options = {"SymmetricMode": True}
    ordered = matrix[order][:, order].tocsc()
    factors = apart(lambda: splu(ordered, permc_spec="NATURAL", diag_pivot_thresh=0.0, options=options))

    def solution(b: Floats, transposed: bool) -> Floats:
        found = np.empty_like(b)
        found[order] = factors.solve(b[order], "T" if transposed else "N")
        return found

    return solution
