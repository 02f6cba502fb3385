"""Import paths of earlier releases, which go on working: ``randwalk.record`` is ``randwalk.run.record`` since 0.4."""

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
_FOLDERS_OF_PDE = {  # since 0.6
    "forms": "affine catalogue chords exits green modes normal_laws quadrature radial separable series space_form superposition",
    "hitting": "balance excursion passage site_chain",
    "solver": "arguments chains elimination ends field fit forward grid line_density lines mesh moments mosaic operator reading "
    "reconstruct refine schemes shares solution stencil truncate window",
}


def _into(parent: str, folders: dict[str, str]) -> dict[str, str]:
    return {
        f"{parent}.{name}": f"{parent}.{folder}.{name}" for folder, names in folders.items() for name in names.split()
    }


_SINCE_6 = _into("randwalk.pde", _FOLDERS_OF_PDE)
MOVED = _into("randwalk", _MODULES) | _SINCE_6
MOVED["randwalk.parity"] = "randwalk.tables.sublattice"
MOVED["randwalk.pde.transfer"] = "randwalk.pde"  # in two files now, whose names the folder has
MOVED["randwalk.pde.spread"] = "randwalk.pde.solver.moments"
MOVED["randwalk.pde.law"] = "randwalk.pde.forms.normal_laws"
MOVED["randwalk.device"] = "randwalk.run.devices"


def _warn(name: str, level: int) -> None:
    since = "0.6" if name in _SINCE_6 else "0.4"
    warnings.warn(f"{name} is {MOVED[name]} since {since}: import that", DeprecationWarning, stacklevel=level)


def attribute(name: str) -> ModuleType:
    """The module that was an attribute of the package; the warning shows the line that asks the package for it."""
    _warn(name, 4)
    return importlib.import_module(MOVED[name])


class Finder:
    """Finds a module under its path of an earlier release and warns."""

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
