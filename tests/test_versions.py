"""The versions in pyproject.toml are those of the tests."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import randwalk as rw

from .conftest import QUICK_FILES, QUICK_TESTS

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def release(text: str) -> tuple[int, ...]:
    """A version without zeros at its end: 0.62 and 0.62.0 are one."""
    numbers = [int(part) for part in text.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def floors(*groups: list[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for requirement in (r for group in groups for r in group):
        name, floor = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement).groups()  # type: ignore[union-attr]
        assert found.setdefault(name, release(floor)) == release(floor), f"two floors of {name}"
    return found


@pytest.mark.quick
def test_the_oldest_dependencies_tested_are_the_floors() -> None:
    extras = PROJECT["optional-dependencies"]
    lines = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert {name: release(pin) for name, pin in pins.items()} == floors(
        PROJECT["dependencies"], extras["io"], extras["test"], extras["distributed"]
    )


def test_one_version_everywhere() -> None:
    assert PROJECT["version"] == rw.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {rw.__version__}\n" in citation
    assert f"'{rw.__version__}'" in (ROOT / "docs" / "install.md").read_text(encoding="utf-8")


@pytest.mark.quick
def test_nothing_that_is_imported_warns() -> None:
    """In the newest and in the oldest dependencies, as warnings become errors one day."""
    code = (
        "import randwalk as rw, randwalk.commands, randwalk.launch\n"
        "for name in rw.__all__: getattr(rw, name)\n"
        "for package in (rw.pde, rw.validate, rw.gallery):\n"
        "    for name in getattr(package, '__all__', []): getattr(package, name)\n"
        "import matplotlib.pyplot, rich.progress, scipy.special"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_quick_part_touches_every_subject() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py")}
    for name in QUICK_TESTS:
        file, _, test = name.partition("::")
        assert f"def {test.partition('[')[0]}(" in written[file], (
            f"{name} is no longer there: choose another for the quick part"
        )
    parts = QUICK_FILES | {name.partition("::")[0] for name in QUICK_TESTS}
    parts |= {file for file, text in written.items() if "@pytest.mark.quick" in text}
    assert parts == set(written)


def test_aliases_are_types_and_not_text() -> None:
    """From NumPy 2.5 and Python 3.12 on `ArrayLike` is a TypeAliasType, which cannot be joined to text by `|`."""
    for folder in ("randwalk", "pde", "validate", "gallery"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text if "TypeAlias" in text else "")):
                if isinstance(node, ast.AnnAssign) and getattr(node.annotation, "id", "") == "TypeAlias":
                    texts = [
                        n
                        for n in ast.walk(node.value or node)
                        if isinstance(n, ast.Constant) and isinstance(n.value, str)
                    ]
                    assert not texts, f"{path}:{node.lineno}"
