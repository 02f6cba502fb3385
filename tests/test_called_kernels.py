"""Kernels that kernels call by name: what is read from the disk finds them, also where they are not there or have changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from randwalk.jit.called import give, leads
from randwalk.jit.compile import kernel

INNER = """from randwalk.jit.compile import kernel
@kernel
def inner(values, j):
    return {}
"""
OUTER = """import sys
import numpy as np
from inner import inner
from randwalk.jit.compile import aside, kernel
@aside
def between(values, j):
    return inner(values, j)
@kernel
def outer(values):
    found = 0.0
    for j in range(values.size):
        found += between(values, j)
    return found
print(outer(np.array([1.0, 2.0])), sum(outer._cache_hits.values()), sum(inner._cache_hits.values()))
"""


def test_in_every_process(tmp_path: Path) -> None:
    """Compiled; read; read where the file of the inner one is gone, or its text has changed; compiled again where its result has
    another type."""
    folder, kept = tmp_path / "text", tmp_path / "kept"
    folder.mkdir()
    (folder / "outer.py").write_text(OUTER)

    def told(text: str) -> list[str]:
        (folder / "inner.py").write_text(text)
        given = os.environ | {"RANDWALK_CACHE_DIR": str(kept), "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run(
            [sys.executable, str(folder / "outer.py")], env=given, check=True, capture_output=True, text=True
        )
        return ran.stdout.split()

    tmp_path.chmod(0o700)
    times = INNER.format("3.0 * values[j]")
    assert told(times) == ["9.0", "0", "0"]
    assert told(times) == ["9.0", "1", "1"]
    for path in kept.rglob("inner.inner-*"):
        path.unlink()
    assert told(times) == ["9.0", "1", "0"]
    assert told(INNER.format("5.0 * values[j]")) == ["15.0", "1", "0"]
    assert told(INNER.format("values.size * (j + 1)")) == ["6.0", "0", "0"]


@kernel
def first(values):  # type: ignore[no-untyped-def]
    return values[0]


@kernel
def twice(values):  # type: ignore[no-untyped-def]
    return 2.0 * first(values)


def test_a_name_that_leads_elsewhere_is_refused() -> None:
    assert twice(np.array([3.0])) == 6.0
    (name,) = [name for name, told in leads.items() if told[:2] == (__name__, "first")]
    give(name, *leads[name])
    for other in ("twice", "nothing", "np"):
        with pytest.raises(LookupError, match="is not"):
            give(name, leads[name][0], other, leads[name][2])


def test_two_of_one_name() -> None:
    """Each caller calls the one that it was written for."""

    def written(times: float) -> Any:
        @kernel
        def inner(x):  # type: ignore[no-untyped-def]
            return times * x

        @kernel
        def outer(values):  # type: ignore[no-untyped-def]
            return inner(values[0])

        return outer

    assert [written(times)(np.array([3.0])) for times in (2.0, 9.0, 2.0)] == [6.0, 27.0, 6.0]
