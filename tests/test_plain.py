"""The scalar functions of the kernels mean in compiled code what they mean in Python: the same results, bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .plain import PARTS, answers

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def plain() -> dict[str, list[list[Any]]]:
    """What Python makes of all calls, in a process of its own, without the compiler."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.plain"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, list[list[Any]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("part", PARTS)
def test_compiled_functions_are_those_of_python(part: str, plain: dict[str, list[list[Any]]]) -> None:
    compiled = answers(part)
    assert len(compiled) == len(plain[part]) > 0
    for (call, result), (same_call, wanted) in zip(compiled, plain[part], strict=True):
        assert call == same_call
        assert result == wanted, call
