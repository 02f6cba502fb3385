"""The import paths of 0.3, which go on working for one release: ``randwalk.record`` is ``randwalk.run.record`` now."""

from __future__ import annotations

import importlib
import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType

_MODULES = {
    "inputs": "arguments columns files memory signature source wording",
    "laws": "binning estimate plotting",
    "model": "bernoulli bond coefficient convention domain formula lattice outlet remedy roots rule start step_mean tabulated "
    "times walk",
    "model.coefficient": "difference function tracing",
    "run": "occupation paths record threads",
    "tables": "step_law table window",
    "terminal": "output progress status streams",
}
MOVED = {
    f"randwalk.{name}": f"randwalk.{folder}.{name}" for folder, names in _MODULES.items() for name in names.split()
}
MOVED["randwalk.parity"] = "randwalk.tables.sublattice"
MOVED["randwalk.pde.transfer"] = "randwalk.pde"  # in two files now, whose names the folder has
MOVED["randwalk.pde.law"] = "randwalk.pde.normal_laws"
MOVED["randwalk.device"] = "randwalk.run.devices"


def _warn(name: str, level: int) -> None:
    warnings.warn(f"{name} is {MOVED[name]} since 0.4: import that", DeprecationWarning, stacklevel=level)


def attribute(name: str) -> ModuleType:
    """The module that was an attribute of the package; the warning shows the line that asks the package for it."""
    _warn(name, 4)
    return importlib.import_module(MOVED[name])


class Finder:
    """Finds a module under its path of 0.3 and warns."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name not in MOVED:
            return None
        _warn(name, 3)
        return ModuleSpec(name, Finder())  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """The default."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module(MOVED[module.__name__])


def install() -> None:
    """Look for the old paths after all others."""
    sys.meta_path.append(Finder)
