"""What a run needs of a machine: a walk as data for its kernels, the machine's methods, and the error of a failed device.

A machine is the host's processor (:mod:`randwalk.run.host`) or CUDA devices (:mod:`randwalk.kernels.cuda`). Both give the same
results, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from .program import DigitsProgram, Keys, TableProgram

T = TypeVar("T")


class DeviceError(OSError):
    """A device is missing or failed.

    After a failure during a run `ensemble` holds the walkers that were finished, as a run of that many walkers gives them (None
    if there are none); ``ensemble.extend(walkers)`` continues, on any backend. `partial` is the same as the runner of the
    walkers returns it.
    """

    partial: Any = None
    ensemble: Any = None


class Start(NamedTuple):
    """The law of the start, or the part of it that belongs to an axis: numbers of cells, and their masses in whole numbers of
    2⁻⁵³. A walker begins at the sum of the numbers that are drawn for it from the parts."""

    sites: NDArray[np.int32]
    masses: NDArray[np.int64]


NO_SETS = np.empty((0, 0), dtype=np.uint8)
NO_PLACES = np.empty((0, 0), dtype=np.int32)
NO_BITS = np.empty((0, 0), dtype=np.uint32)


class Levels(NamedTuple):
    """What the functionals of paths refer to; there is a row of the state of walkers for each.

    Attributes
    ----------
    visits
        Cells whose last visits are kept: the number of steps at the last one, -1 if there was none.
    positives
        Cells of the only axis above which times are.
    sets
        Whether each cell is in a set, 1 or 0, shape (sets, cells): how many steps are made from its cells.
    heights
        The place of each cell along an axis, shape (axes, cells), -1 for that of the killed: the highest one.
    rings
        The same along periodic axes of three sites or more: the turns, upward minus downward ones.
    seen
        Where each walker has been, shape (walkers, 2 slots), an array of the machine that is kept up to date: in a slot the
        number of a word of 32 cells, counted from 1, or 0 if it is free, and `slots` columns further a bit for each of these
        cells. The row is the number of cells where the walker has been.
    """

    visits: NDArray[np.int32]
    positives: NDArray[np.int32]
    sets: NDArray[np.uint8] = NO_SETS
    heights: NDArray[np.int32] = NO_PLACES
    rings: NDArray[np.int32] = NO_PLACES
    seen: Any = NO_BITS

    @property
    def rows(self) -> int:
        """Rows of the state, with those of the step of leaving and of the highest site."""
        return 2 + sum(len(kept) for kept in self[:-1]) + (self.seen.size > 0)

    @property
    def told(self) -> tuple[Any, Any, Any]:
        """What kernels are told: (visits, positives, what is known of each cell); the last is None if nothing is."""
        return self.visits, self.positives, self[2:] if any(kept.size for kept in self[2:]) else None


NO_LEVELS = Levels(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))


class JumpProgram(NamedTuple):
    """All steps of the recorded interval number `interval` along an axis by one draw: the alias table of
    :mod:`randwalk.kernels.alias` for the displacement minus `first`."""

    interval: int
    first: int
    bits: int
    cells: NDArray[np.uint64]
    rests: NDArray[np.uint32]
    axis: int = 0


Program: TypeAlias = TableProgram | DigitsProgram | JumpProgram


class Walkers(NamedTuple):
    """A batch of walkers on a machine: walker number `first` + j is on site[j].

    `site` and `state` are arrays of the machine. `state` has a row for each functional of the paths: the step of leaving, the
    highest site, then those of `levels`. It is None if no functional is recorded; if `leaving`, the step of leaving alone is
    kept up to date. `places` are those j whose walkers a :class:`TableProgram` advances, None for
    all.
    """

    first: int
    site: Any
    state: Any = None
    levels: Levels = NO_LEVELS
    leaving: bool = False
    places: NDArray[np.int32] | None = None


class Numbering(Protocol):
    """What the occupation method asks of a layout (:class:`randwalk.tables.layout.Layout`)."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def periodic(self) -> tuple[bool, ...]: ...

    @property
    def strides(self) -> tuple[int, ...]: ...

    @property
    def address(self) -> NDArray[np.uint64]: ...

    def slabs(self, pieces: int) -> list[range]: ...

    def slab(self, own: range, steps: int, farthest: int) -> tuple[NDArray[np.int32], int, int, int, int]: ...


class Machine(Protocol):
    """A machine that moves and counts walkers."""

    @property
    def name(self) -> str: ...

    def batches(
        self, walkers: range, size: int, steps: int, width: int, work: Callable[[range], T]
    ) -> Iterator[tuple[range, T]]:
        """Give `work` one batch of walkers after another: (batch, result), in order.

        `size` is the number of walkers in a batch of the host, `steps` the number of steps of a walker, `width` the number of
        int32 kept for each walker.
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

    def unpack(self, packed: Any, bits: int, numbers: Any) -> None:
        """Add to the numbers of walkers along some axes, int64 of shape (axes, walkers), the displacements `packed` in fields
        of so many bits (:mod:`randwalk.kernels.packing`), and put these back to 0. Both are arrays of the machine."""
        ...

    def occupy(
        self, counts: NDArray[np.int64], program: TableProgram, layout: Numbering, start: int, stop: int,
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
