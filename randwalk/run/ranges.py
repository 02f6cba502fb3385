"""Spans of walkers, cut into ranges for the workers of an executor."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

SHORTEST, LONGEST = 1.0, 60.0  # seconds of a range, as predicted or as the last ranges took
WHOLE = 1 << 10  # walkers; a range of more is a multiple of them


def missing(wanted: Sequence[range], held: Iterable[range]) -> list[range]:
    """The walkers of the `wanted` ranges that none of those `held` has, in increasing order within each.

    >>> missing([range(0, 100)], [range(40, 50), range(0, 10)])
    [range(10, 40), range(50, 100)]
    """
    found = []
    for part in wanted:
        at = part.start
        for other in sorted(held, key=lambda known: known.start):
            if other.stop > at and other.start < part.stop:
                if other.start > at:
                    found.append(range(at, other.start))
                at = max(at, other.stop)
        if at < part.stop:
            found.append(range(at, part.stop))
    return found


class Cut:
    """Spans of walkers of which one range after another is taken: of a minute at most, and of a part of the work that is left,
    so that workers end together. The first one is short, and tells the pace. Counts do not depend on where a run is cut.

    Parameters
    ----------
    spans : sequence of range
    seconds : float
        The predicted time of all of them; how long ranges take corrects it.
    """

    def __init__(self, spans: Sequence[range], seconds: float) -> None:
        self._spans, self._parts = deque(spans), len(spans)
        self.walkers = sum(map(len, spans))
        self._left = self.walkers
        self._pace = seconds / max(1, self.walkers)  # seconds a walker

    def take(self, shares: int) -> range | None:
        """The next range, where the work that is left is for so many shares; None if there is none."""
        if not self._spans:
            return None
        span = self._spans.popleft()
        begun = self._left < self.walkers
        seconds = min(max(self._left * self._pace / shares, SHORTEST), LONGEST) if begun else SHORTEST
        size = max(1, round(min(seconds / max(self._pace, 1e-300), self._left)))
        size -= size % WHOLE if size > WHOLE else 0
        if size < len(span):
            self._spans.appendleft(range(span.start + size, span.stop))
            span = range(span.start, span.start + size)
        self._left -= len(span)
        return span

    def took(self, walkers: range, seconds: float) -> None:
        """A range took so long."""
        self._pace = seconds / len(walkers)

    def share(self, walked: range) -> float:
        """Which part of a span a range is, of spans as long as they are on average."""
        return len(walked) * self._parts / self.walkers

    def after(self, walked: range, counts: T) -> Iterator[T]:
        """Those of a range, now that it has come."""
        yield counts

    def rest(self, late: Sequence[T]) -> Sequence[T]:
        """Those that came `late`."""
        return late
