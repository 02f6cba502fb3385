"""What is made of a value object and is of use again: runs of one walk with many seeds share their tables."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")

MOST = 8  # that are kept of an object
NOTHING = object()


class Keeping:
    """A value object that keeps the last things that were made of it, as long as it lives; copies and pickles begin with none."""

    @cached_property
    def _kept(self) -> dict[Hashable, Any]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_kept"}

    def kept(self, what: Hashable, make: Callable[[], T], small: Callable[[T], bool]) -> T:
        """What is kept under a name, which says all that it depends on besides the object; else what is made, kept if it is
        `small`."""
        found: Any = self._kept.get(what, NOTHING)
        if found is NOTHING:
            found = make()
            if small(found):
                for oldest in list(self._kept)[: 1 - MOST]:
                    self._kept.pop(oldest, None)
                self._kept[what] = found
        return found
