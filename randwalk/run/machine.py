"""What a run needs of a machine: to move and to count walkers.

A machine is the host's processor (:mod:`randwalk.run.host`) or CUDA devices (:mod:`randwalk.run.cuda`). Both give the same
results, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..kernels.ito import State
from ..kernels.program import Keys, Levels, Program, Start, TableProgram, Walkers
from ..model.coefficient import Floats
from ..tables.ito_program import ItoProgram
from ..tables.layout import Layout
from ..tables.sphere_program import SphereProgram

T = TypeVar("T")


class Machine(Protocol):
    """A machine that moves and counts walkers."""

    @property
    def name(self) -> str: ...

    @property
    def late(self) -> list[Any]:
        """Results of :meth:`batches` that were finished when no more were asked for, besides those that were given; the last one
        that was given may be among them."""
        ...

    @property
    def packed(self) -> Any:
        """The type of whole numbers in which it adds up displacements along several axes (:mod:`randwalk.kernels.packing`)."""
        ...

    def batches(
        self, walkers: range, size: int, steps: int, width: int, work: Callable[[range], T], most: int | None = None
    ) -> Iterator[tuple[range, T]]:
        """Give `work` one batch of walkers after another: (batch, result), in order.

        `size` is the number of walkers in a batch of the host, `steps` the number of steps of a walker, `width` the number of
        int32 kept for each walker, `most` that of walkers in a batch of a device at most, where `work` keeps them on the host.
        """
        ...

    def place(self, batch: range, start: Sequence[Start], keys: Keys) -> Any:
        """The start sites of a batch, an array of the machine; `start` has a part for each axis, or one for all."""
        ...

    def begin(self, site: Any, levels: Levels) -> Any:
        """The functionals of paths of no steps, the `state` of :class:`Walkers`."""
        ...

    def advance(self, walkers: Walkers, program: Program, start: int, stop: int, keys: Keys) -> None:
        """Move walkers from step `start` to step `stop`, in place. Row 0 of a table with a row for every step is step `start`."""
        ...

    def move(
        self, program: ItoProgram, state: State, first: int, start: int, stop: int, dt: float, keys: Keys,
        pairs: int = 1,
    ) -> None:  # fmt: skip
        """Move walkers number `first`, … in continuous space, whose `state` is on the host, in place from step `start` to step
        `stop` of `pairs` dt, piece by piece.

        Raises
        ------
        Ended
            between two pieces, once the run has :meth:`ended`.
        """
        ...

    def spheres(
        self, program: SphereProgram, walkers: range, start: Sequence[float], epsilon: float, most: int, keys: Keys
    ) -> Floats:
        """Walks on spheres: what :meth:`SphereProgram.walked` returns."""
        ...

    def ended(self) -> bool:
        """Whether the run of which batches are made has been ended."""
        ...

    def unpack(self, packed: Any, bits: int, numbers: Any) -> None:
        """Add to the numbers of walkers along some axes, int64 of shape (axes, walkers), the displacements `packed` in fields
        of so many bits (:mod:`randwalk.kernels.packing`), and put these back to 0. Both are arrays of the machine."""
        ...

    def occupy(
        self, counts: NDArray[np.int64], program: TableProgram, layout: Layout, start: int, stop: int,
        gone: NDArray[np.int64], keys: Keys,
    ) -> None:  # fmt: skip
        """Advance the number of walkers on every live site, in place, from step `start` to step `stop`.

        `counts` has a number for every cell. gone[step, exit] receives the walkers that leave in a step. See
        :mod:`randwalk.kernels.occupation`.
        """
        ...

    def array(self, values: NDArray[Any]) -> Any:
        """An array of the machine with the same values."""
        ...

    def copy(self, site: Any) -> Any:
        """A copy of the sites."""
        ...

    def columns(self, state: Any) -> Sequence[Any]:
        """The functionals one by one, each for all walkers."""
        ...

    def histogram(
        self, values: Any, size: int, shift: int = 0, minus: Any = None, live: tuple[int, int] | None = None
    ) -> NDArray[np.int64]:
        """The number of walkers in each of `size` bins; walker j is in bin values[j] - minus[j] + shift, in the first or the last
        bin if that is outside. Only walkers with `live`[0] ≤ values[j] ≤ `live`[1] are counted."""
        ...

    def passages(self, site: Any, passage: Any, steps: int, exit_of: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The number of walkers that left after 0 … `steps` steps by each exit, shape (steps + 1, exits); `exit_of` is that of a
        :class:`TableProgram`."""
        ...

    def host(self, site: Any) -> NDArray[np.int32]:
        """The sites as a NumPy array."""
        ...
