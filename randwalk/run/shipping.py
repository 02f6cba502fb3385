"""Works that travel to other processes: pickled once, unpickled once in each process, whatever the number of calls."""

from __future__ import annotations

import io
import pickle
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from typing import Any, Protocol

from ..model.functions import check_travels, functions_in
from ..version import __version__
from .pieces import Ended
from .wanted import Wanted

WORKS = 4  # that a process keeps, with the tables they have made


class Work(Protocol):
    """What workers do for an item, until the run is `ended`: then it raises :class:`Ended`, with the part that is done. Its
    `shared` objects are part of what it returns, and do not travel back."""

    @property
    def shared(self) -> Sequence[Any]: ...

    def __call__(self, item: Any, ended: Callable[[], bool], /) -> Any: ...


class Shipped:
    """A work as it is submitted. In another process it arrives as :class:`Arrived`."""

    def __init__(self, work: Work, wanted: Wanted) -> None:
        self.work, self.wanted = work, wanted

    @cached_property
    def packed(self) -> bytes:
        """The work, pickled; by cloudpickle where it is installed, which knows functions without a module, too."""
        if find_spec("cloudpickle") is not None:
            import cloudpickle as packer
        else:
            packer = pickle
        try:
            return bytes(packer.dumps((self.work, self.wanted)))
        except Exception as error:  # whatever an object says that cannot be pickled
            check_travels(functions_in(self.work), packer.dumps)
            raise TypeError(
                f"executor: the run cannot be sent to other processes ({error}); write its functions as "
                'rw.expression("...") or in a module, or install cloudpickle'
            ) from error

    def __reduce__(self) -> tuple[Any, ...]:
        return Arrived, (self.packed, __version__)

    def sent(self, item: Any) -> Sent:
        """An item as it is submitted."""
        return Sent(item, self.work)

    def __call__(self, sent: Sent) -> Any:
        return self.work(sent.item, self.wanted.ended)

    def received(self, result: Any) -> Any:
        """A result of the work; one that has travelled is unpacked."""
        return result.unpacked(self.work) if isinstance(result, Packed) else result


@dataclass(frozen=True)
class Sent:
    """An item for a work. In another process it arrives as :class:`Packed`, without what the work shares."""

    item: Any
    work: Work

    def __reduce__(self) -> tuple[Any, ...]:
        return Packed, (_packed(self.work, self.item).packed,)


@dataclass(frozen=True)
class Packed:
    """A result or an item on its way."""

    packed: bytes

    def unpacked(self, work: Work) -> Any:
        return _Back(io.BytesIO(self.packed), work).load()


class Arrived:
    """A work in another process, which has the `version` of the one that sent it."""

    def __init__(self, packed: bytes, version: str) -> None:
        self.packed, self.version = packed, version

    def __call__(self, item: Packed) -> Packed:
        if self.version != __version__:
            raise OSError(
                f"a worker of the executor, on {platform.node() or 'its machine'}, has randwalk {__version__}, and the run is "
                f"one of randwalk {self.version}: install the same version for all"
            )
        work, wanted = _unpacked(self.packed)
        try:
            return _packed(work, work(item.unpacked(work), wanted.ended))
        except Ended as end:
            raise Ended(None if end.part is None else _packed(work, end.part)) from None


def _packed(work: Work, result: Any) -> Packed:
    buffer = io.BytesIO()
    _There(buffer, work).dump(result)
    return Packed(buffer.getvalue())


@lru_cache(maxsize=WORKS)
def _unpacked(packed: bytes) -> tuple[Work, Wanted]:
    arrived: tuple[Work, Wanted] = pickle.loads(packed)
    return arrived


class _There(pickle.Pickler):
    """Writes a number for each object that a work shares."""

    def __init__(self, file: io.BytesIO, work: Work) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(shared): number for number, shared in enumerate(work.shared)}

    def persistent_id(self, item: Any) -> int | None:
        return self._numbers.get(id(item))


class _Back(pickle.Unpickler):
    """Reads a number as the object that this process has in its place."""

    def __init__(self, file: io.BytesIO, work: Work) -> None:
        super().__init__(file)
        self._shared = tuple(work.shared)

    def persistent_load(self, number: int) -> Any:
        return self._shared[number]
