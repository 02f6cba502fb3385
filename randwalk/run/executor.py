"""Work on any executor: submitted a few items a worker at a time, taken as it is done, submitted again where a worker is lost.

An executor is anything with ``submit(f, *args)`` that returns futures, objects with ``done()``, ``result()`` and ``cancel()``:
those of concurrent.futures, of dask.distributed (a Client), of joblib's loky, of mpi4py.futures. Nothing here knows which.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..inputs.wording import shown
from ..jit.compile import DeviceError
from .pieces import SOON, Ended
from .shipping import Shipped, Work
from .wanted import Wanted

T = TypeVar("T")

LOSSES = 3  # times that an item may be lost
FEW = 4  # items under way once one is done
LOOK = 0.02  # seconds between two looks at what is done
GRACE = 1.0  # seconds that an item may be on its way, besides its work


class NoExecutor(TypeError):
    """What was given as executor is none."""


class Items(Protocol[T]):
    """What there is to do."""

    def take(self, shares: int) -> T | None:
        """The next item, where all that is left is for so many shares; None if there is none."""

    def took(self, item: T, seconds: float) -> None:
        """The work for an item took so long."""


class RangeFailed(OSError):
    """A range of walkers could not be run by an executor: there was an error in it, or its workers were lost again and again.

    `item` is the range, or of a run by ``occupation`` the stretch of steps, with its `walkers`, `start` and `stop`; `ensemble`
    holds the walkers that were finished (None if there are none), and ``ensemble.extend`` goes on. Of values at points `reached`
    holds what the finished walkers say.
    """

    ensemble: Any = None
    reached: Any = None

    def __init__(self, item: Any, reason: str) -> None:
        told = f"walkers {item.start} … {item.stop - 1}" if isinstance(item, range) else str(item)
        super().__init__(f"{told}: {reason}")
        self.item = item


@dataclass(frozen=True)
class Done:
    """The result of an item, and the seconds that the work for it took."""

    result: Any
    seconds: float


@dataclass(frozen=True)
class Failed:
    """An error of the work for an item, in words, because errors themselves may not travel; `device` if it is one of a device."""

    reason: str
    where: str
    device: bool = False


@dataclass(frozen=True)
class Unfinished:
    """The part of an item that was done when the run was ended; None for nothing."""

    part: Any


def work_on(work: Any, item: Any, attempt: int) -> Done | Failed | Unfinished:
    """What is submitted. The number of the `attempt` makes each submission another one to executors that keep results."""
    begun = time.perf_counter()
    try:
        result = work(item)
    except Ended as end:
        return Unfinished(end.part)
    except DeviceError as error:
        return Failed(str(error), traceback.format_exc(), device=True)
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}", traceback.format_exc())
    return Done(result, time.perf_counter() - begun)


@dataclass
class _Sent:
    """An item that is under way."""

    item: Any
    attempt: int
    when: float


def check_executor(given: Any) -> None:
    """Refuse what is neither an executor nor a function that may make one."""
    if not _submits(given) and not callable(given):
        raise NoExecutor(
            f"executor = {shown(given)}: must have submit(f, *args), as a concurrent.futures executor or a dask Client has, "
            "or be a function that makes such a one"
        )


def _submits(given: Any) -> bool:
    return not isinstance(given, type) and hasattr(given, "submit")


class Supply:
    """An executor, or executors that a function makes, one after another that takes no more work."""

    def __init__(self, given: Any) -> None:
        check_executor(given)
        self._make = None if _submits(given) else given
        self._executor = given if self._make is None else None
        self._broken = 0

    def submit(self, *work: Any) -> Any:
        """A future.

        Raises
        ------
        Exception
            of an executor that takes no more work, where no other can be made.
        """
        while True:
            try:
                if self._executor is None:
                    self._executor = self._made()
                future = self._executor.submit(work_on, *work)
            except NoExecutor:
                raise
            except Exception:
                self._broken += 1
                if self._make is None or self._broken > LOSSES:
                    raise
                self._executor = None
            else:
                return self._checked(future)

    def _made(self) -> Any:
        assert self._make is not None
        made = self._make()
        if not hasattr(made, "submit"):
            raise NoExecutor(f"executor = {shown(self._make)}: makes {shown(made)}, which has no submit(f, *args)")
        return made

    def _checked(self, future: Any) -> Any:
        lacking = [name for name in ("done", "result", "cancel") if not hasattr(future, name)]
        if lacking:
            raise NoExecutor(
                f"executor = {shown(self._executor)}: its submit(f, *args) returns {shown(future)}, which is no future: it has "
                f"no {lacking[0]}()"
            )
        return future

    def served(self) -> None:
        """It has done some work."""
        self._broken = 0


def gathered(
    executor: Any, work: Work, items: Items[T], late: Callable[[Any], None] | None = None
) -> Generator[tuple[T, Any], None, None]:
    """Items and what `work` makes of them, as they are done. After an error no further ones are begun. Where this is cut short,
    by Ctrl-C or because it is closed, `late` is told what workers have made of the items under way, if they say so soon.

    The first item goes ahead alone: its worker compiles what is not in the cache of kernels yet, and the others find it there.
    Then there are so many under way that an item waits for its worker about as long as the work for another takes, one to three
    of them: then workers are never without work, whether they are few or many, and whether some come or go.

    Raises
    ------
    DeviceError
        if the worker that goes ahead has no device that is asked for.
    RangeFailed
        for an error in the work for an item, or if its workers are lost more than three times.
    """
    supply, wanted = Supply(executor), Wanted()
    shipped = Shipped(work, wanted)
    under_way: dict[Any, _Sent] = {}
    again: deque[_Sent] = deque()
    room = 1
    failed: BaseException | None = None
    try:
        while True:
            while failed is None and len(under_way) < room:
                sent = _next(again, items, 2 * room)
                if sent is None:
                    break
                try:
                    future = supply.submit(shipped, shipped.sent(sent.item), sent.attempt)
                except NoExecutor:
                    raise
                except Exception as error:
                    failed = _no_executor(sent.item, error)
                else:
                    under_way[future] = sent
            if not under_way:
                break
            finished = [future for future in under_way if future.done()]
            if not finished:
                time.sleep(LOOK)
            for future in finished:
                sent = under_way.pop(future)
                answer = _answer(future)
                if isinstance(answer, (Unfinished, BaseException)) and not _cannot_travel(answer):
                    wanted.renew()  # which a worker that ends it has not seen
                    if sent.attempt > LOSSES:
                        failed = failed or _lost(sent.item, answer)
                    again.append(_Sent(sent.item, sent.attempt + 1, 0.0))
                    continue
                if not isinstance(answer, Done):
                    failed = failed or _error(sent.item, answer, alone=room == 1)
                    continue
                supply.served()
                room = max(FEW, room + _change(time.perf_counter() - sent.when, answer.seconds))
                items.took(sent.item, answer.seconds)
                yield sent.item, shipped.received(answer.result)
    finally:
        wanted.end()
        if late is not None:
            for part in _parts(under_way, shipped):
                late(part)
        for future in under_way:
            future.cancel()
    if failed is not None:
        raise failed


def _parts(under_way: dict[Any, _Sent], shipped: Shipped) -> Iterator[Any]:
    """What workers have made of the items under way and hand over soon."""
    until, left = time.monotonic() + SOON, list(under_way)
    while left:
        for future in [future for future in left if future.done()]:
            left.remove(future)
            try:
                answer = future.result()
            except BaseException:  # lost, cancelled, or interrupted as this process was
                continue
            if isinstance(answer, Done):
                yield shipped.received(answer.result)
            elif isinstance(answer, Unfinished) and (part := shipped.received(answer.part)) is not None:
                yield part
        if not left or time.monotonic() > until:
            return
        time.sleep(LOOK)


def _next(again: deque[_Sent], items: Items[Any], shares: int) -> _Sent | None:
    """The next to submit: one that was lost, else a new one."""
    sent = again.popleft() if again else None
    if sent is None:
        item = items.take(shares)
        if item is None:
            return None
        sent = _Sent(item, 1, 0.0)
    sent.when = time.perf_counter()
    return sent


def _change(there_and_back: float, worked: float) -> int:
    """How many more should be under way."""
    waited = there_and_back - worked
    if waited < worked:
        return 1
    return -1 if waited > 3.0 * worked + GRACE else 0


def _answer(future: Any) -> Any:
    """What a worker answers; the error of an executor that has lost it, as those of the work are answers."""
    try:
        return future.result()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        return error


def _error(item: Any, answer: Any, alone: bool) -> BaseException:
    """The error for the answer of a worker, which went ahead `alone` or not; or for what is not sent to one."""
    if not isinstance(answer, Failed):
        assert isinstance(answer, BaseException)
        return answer
    failed = DeviceError(answer.reason) if answer.device and alone else RangeFailed(item, answer.reason)
    failed.add_note(f"Where the error was raised:\n{answer.where}")
    return failed


def _lost(item: Any, answer: Any) -> RangeFailed:
    if isinstance(answer, Unfinished):
        return RangeFailed(item, f"ended {LOSSES + 1} times by its worker")
    return RangeFailed(item, f"lost {LOSSES + 1} times by the executor, the last time by {_told(answer)}")


def _no_executor(item: Any, error: Exception) -> Exception:
    if _cannot_travel(error):
        return error
    return RangeFailed(
        item,
        f"the executor takes no more work ({_told(error)}); give a function that makes one, executor=lambda: ..., and another "
        "one takes its place",
    )


def _cannot_travel(error: object) -> bool:
    """Whether it is that of a work that is not sent: of submitting it, or of its future where another thread sends it."""
    return isinstance(error, TypeError) and str(error).startswith("executor:")


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
