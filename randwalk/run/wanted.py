"""Whether a run is still wanted, as its workers know: after Ctrl-C they end the ranges that they are at, too."""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
from collections import deque
from contextlib import suppress
from typing import Any

KEPT = 16  # files of runs that have ended, until this process ends
_files: deque[str] = deque()


class Wanted:
    """Ended by :meth:`end`: for threads of this process, and for its other processes by a file that is empty until then, and
    stays for those that come later. Of processes on other machines, which do not see the file, the ranges go on to their end."""

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
        try:
            said = os.stat(self._path).st_size > 0
        except OSError:
            return self._seen
        self._seen = True
        return said

    def renew(self) -> None:
        """Make the file again, if something else has removed it."""
        with suppress(OSError):
            open(self._path, "ab").close()

    def end(self) -> None:
        self._over.set()
        with suppress(OSError), open(self._path, "wb") as file:
            file.write(b"over")
        _files.append(self._path)
        _remove(KEPT)


def _remove(kept: int) -> None:
    """The files of earlier runs, but for the last ones."""
    while len(_files) > kept:
        with suppress(OSError):
            os.unlink(_files.popleft())


atexit.register(_remove, 0)
