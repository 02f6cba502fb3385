"""Large sparse systems of rates, I - P or -G on the cells of a mesh, by Krylov iterations with multigrid.

Blocks of cells are the unknowns of the next coarser system, with their values made smooth by one Jacobi step each way (smoothed
aggregation: Vaněk, Mandel and Brezina, Computing 56, 179, 1996); along axes whose rates are small beside the others cells are not
joined. One such cycle is the preconditioner of BiCGSTAB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, bicgstab, splu

from randwalk.model.coefficient import Floats

BLOCK: Final = 3  # cells of a block along an axis
STRONG: Final = 0.1  # of the largest mean rate along an axis: along weaker axes cells stay apart
SMALL: Final = 1500  # unknowns that are factorised
SWEEPS: Final = 2  # of Jacobi's, before and after
DAMPING: Final = 0.7
SMOOTHING: Final = 2.0 / 3.0
ITERATIONS: Final = 300
RESIDUAL: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Multigrid:
    """The levels of a matrix, from fine to coarse: (matrix, inverse of its diagonal, from the next level, to it)."""

    levels: Sequence[tuple[Any, Floats, Any, Any]]
    coarsest: Any

    @classmethod
    def of(cls, matrix: sparse.csr_array, places: NDArray[np.int64]) -> Multigrid:
        """Of a `matrix` of unknowns at `places` (n, d) of a mesh, whole numbers."""
        levels = []
        while matrix.shape[0] > SMALL:
            joined = _joined(matrix, places)
            blocks = places // np.where(joined, BLOCK, 1)
            coarse, number = np.unique(blocks, axis=0, return_inverse=True)
            if len(coarse) > 0.7 * len(places):
                break
            n = len(places)
            plain = sparse.csr_array((np.ones(n), (np.arange(n), number.reshape(-1))), (n, len(coarse)))
            inverse = 1.0 / matrix.diagonal()
            scaled = sparse.diags_array(SMOOTHING * inverse, format="csr")
            up = (plain - scaled @ (matrix @ plain)).tocsr()
            down = (plain - scaled @ (matrix.T.tocsr() @ plain)).T.tocsr()
            levels.append((matrix, DAMPING * inverse, up, down))
            matrix, places = (down @ (matrix @ up)).tocsr(), coarse
        return cls(levels, splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A"))

    def cycle(self, b: Floats, level: int = 0) -> Floats:
        """An approximate solution."""
        if level == len(self.levels):
            return np.asarray(self.coarsest.solve(b))
        matrix, inverse, up, down = self.levels[level]
        x = inverse * b
        for _ in range(SWEEPS - 1):
            x += inverse * (b - matrix @ x)
        x += up @ self.cycle(down @ (b - matrix @ x), level + 1)
        for _ in range(SWEEPS):
            x += inverse * (b - matrix @ x)
        return x


def solved(
    matrix: sparse.csr_array,
    b: Floats,
    places: NDArray[np.int64],
    guess: Floats | None = None,
    residual: float = RESIDUAL,
) -> Floats | None:
    """The solution for `b`, from a `guess`, to a `residual` of b; None if the iterations do not converge."""
    cycle = LinearOperator(matrix.shape, Multigrid.of(matrix, places).cycle)
    found, failed = bicgstab(matrix, b, x0=guess, rtol=residual, atol=0.0, maxiter=ITERATIONS, M=cycle)
    return None if failed else np.asarray(found)


def _joined(matrix: sparse.csr_array, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The axes along which cells are joined."""
    entries = matrix.tocoo()
    apart = places[entries.col] != places[entries.row]
    along = (np.abs(entries.data)[:, None] * (apart & (apart.sum(axis=1) == 1)[:, None])).sum(axis=0)
    return np.asarray(along > STRONG * along.max())
