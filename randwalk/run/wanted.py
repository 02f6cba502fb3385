"""Whether a run is still wanted, as its workers know: after Ctrl-C they end the ranges that they are at, too."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from typing import Any


class Wanted:
    """Ended by :meth:`end`: for threads of this process, and for its other processes by a file that is there until then. Of
    processes on other machines, which do not see the file, the ranges go on to their end."""

    def __init__(self) -> None:
        number, self._path = tempfile.mkstemp(prefix="randwalk-run-")
        os.close(number)
        self._over = threading.Event()
        self._seen = self._travelled = False

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._path, self._seen, self._travelled = state["_path"], False, True

    def ended(self) -> bool:
        """Whether the run has been ended."""
        if not self._travelled:
            return self._over.is_set()
        there = os.path.exists(self._path)
        self._seen |= there
        return self._seen and not there

    def renew(self) -> None:
        """Make the file again, if something else has removed it."""
        with suppress(OSError):
            open(self._path, "ab").close()

    def end(self) -> None:
        self._over.set()
        with suppress(OSError):
            os.unlink(self._path)
