"""A kernel of random numbers alone, for measuring their rate."""

from __future__ import annotations

from ..philox import STEPS, U, words64
from ..step import ZERO
from .compile import Kernel, cuda


@Kernel
def mix_blocks(out, blocks, keys):  # type: ignore[no-untyped-def]
    """The exclusive or of `blocks` Philox blocks a thread."""
    k0, k1 = keys
    for j in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        mixed = ZERO
        for n in range(blocks):
            first, second = words64(U(j), U(0), U(n), STEPS, k0, k1)
            mixed ^= U(first) ^ U(second)
        out[j] = mixed
