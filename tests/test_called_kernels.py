"""Kernels that kernels call by name: what is read from the disk finds them, also where they are not there or have changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numba import float64

from randwalk.jit.compile import kernel

INNER = """from randwalk.jit.compile import kernel
@kernel
def inner(values, j):
    return {}
"""
OUTER = """import sys
import numpy as np
from inner import inner
from randwalk.jit.compile import kernel
@kernel
def outer(values):
    found = 0.0
    for j in range(values.size):
        found += inner(values, j)
    return found
print(outer(np.array([1.0, 2.0])), sum(outer._cache_hits.values()), sum(inner._cache_hits.values()))
"""


def test_in_every_process(tmp_path: Path) -> None:
    """Compiled; read; read where the file of the inner one is gone; compiled again where its text has changed."""
    folder, kept = tmp_path / "text", tmp_path / "kept"
    folder.mkdir()
    (folder / "outer.py").write_text(OUTER)

    def told(returned: str) -> list[str]:
        (folder / "inner.py").write_text(INNER.format(returned))
        given = os.environ | {"RANDWALK_CACHE_DIR": str(kept), "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run(
            [sys.executable, str(folder / "outer.py")], env=given, check=True, capture_output=True, text=True
        )
        return ran.stdout.split()

    tmp_path.chmod(0o700)
    assert told("3.0 * values[j]") == ["9.0", "0", "0"]
    assert told("3.0 * values[j]") == ["9.0", "1", "1"]
    for path in kept.rglob("inner.inner-*"):
        path.unlink()
    assert told("3.0 * values[j]") == ["9.0", "1", "0"]
    assert told("5.0 * values[j] + values[j]")[0] == "18.0"


def test_two_of_one_name() -> None:
    """Each caller calls the one that it was written for."""

    def written(twice: bool) -> tuple[Any, Any]:
        if twice:

            @kernel
            def inner(x):  # type: ignore[no-untyped-def]
                return x + x

        else:

            @kernel
            def inner(x):  # type: ignore[no-untyped-def]
                return x * x * x

        @kernel
        def outer(values):  # type: ignore[no-untyped-def]
            return inner(values[0])

        return inner, outer

    made = [written(twice) for twice in (True, False)]
    for inner, _ in made:
        inner.get_overload((float64,))
    assert [outer(np.array([3.0])) for _, outer in made] == [6.0, 27.0]
