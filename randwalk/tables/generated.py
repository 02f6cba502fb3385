"""Modules of kernels that are written for a walk: files of the package with the walk's functions in their place.

The text is written to a file named by its hash, in the folder of compiled kernels, so that the machine code of the kernels is
kept. What is run is the text itself, never that file.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ..jit.disk import cache_place

KERNELS = Path(__file__).parents[1] / "kernels"
MARKED = re.compile(r"^# \[model\]\n.*?^# \[/model\]\n", re.MULTILINE | re.DOTALL)
DRIVER = "# [driver]"
PACKAGE = "randwalk.kernels"


def generated(files: Sequence[str], text: str, opaque: Sequence[Callable[..., Any]] = ()) -> ModuleType:
    """The module of some files of the kernels: a model's functions stand between the marks of the first, and of the others
    follow the lines below their mark."""
    name, source = _named(KERNELS, tuple(files), text)
    if opaque:  # the text does not tell what these do: its machine code is not kept
        return _imported(name, source, f"<{name}>", opaque)
    if (known := sys.modules.get(f"{PACKAGE}.{name}")) is None:
        known = sys.modules[f"{PACKAGE}.{name}"] = _imported(name, source, _written(name, source), ())
    return known


@lru_cache(maxsize=16)
def _named(folder: Path, files: tuple[str, ...], text: str) -> tuple[str, str]:
    """(name, source) of the module."""
    first, *others = ((folder / file).read_text(encoding="utf-8") for file in files)
    source = MARKED.sub(lambda _: text + "\n\n", first) + "".join(other[other.index(DRIVER) :] for other in others)
    return f"{Path(files[0]).stem}_{hashlib.sha256(source.encode()).hexdigest()[:24]}", source


def _written(name: str, source: str) -> str:
    """The file of a text in the folder of compiled kernels; a name of no file if it cannot be written."""
    folder = cache_place()[0]
    if folder is None:
        return f"<{name}>"
    path = folder / f"{name}.py"
    try:
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            path.write_text(source, encoding="utf-8")
    except OSError:
        return f"<{name}>"
    return str(path)


def _imported(name: str, source: str, file: str, opaque: Sequence[Callable[..., Any]]) -> ModuleType:
    """Run the text as a module of the package's kernels."""
    module = ModuleType(f"{PACKAGE}.{name}")
    module.__package__, module.__file__ = PACKAGE, file
    for i, function in enumerate(opaque):
        setattr(module, f"opaque_{i}", function)
    exec(compile(source, file, "exec"), vars(module))
    return module
