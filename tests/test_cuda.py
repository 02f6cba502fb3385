"""CUDA: in Numba's simulator, and what is said where there is no GPU. Kernels are compiled for GPUs by `.ci/cuda`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.run import devices

from .test_expectation import PARABOLIC, bell

ROOT = Path(__file__).parents[1]


def simulated(parts: str, kernels: Path | None = None) -> str:
    """Run parts of tests/simulated.py in one process, its compiled kernels kept in the folder `kernels`."""
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT)}
    if kernels is not None:
        environment["RANDWALK_CACHE_DIR"] = str(kernels)
    arguments = [sys.executable, "-P", "-m", "tests.simulated", *parts.split()]
    done = subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.parametrize(
    "parts",
    [
        "constant tossed table info",
        "occupation jump launches plane digits windows",
        "space records devices",
        "ito spheres values",
    ],
)
def test_the_simulator_gives_the_bits_of_the_cpu(parts: str) -> None:
    simulated(parts)


def test_a_planted_change_of_the_physics_changes_both_backends_alike(tmp_path: Path) -> None:
    """No physics is written twice: change it where it stands, and CPU and CUDA go wrong in the same way."""
    right, wrong = json.loads(simulated("digest")), json.loads(simulated("planted", tmp_path))
    assert len(right) == 4
    for name in right:
        assert right[name]["cpu"] == right[name]["cuda"] != wrong[name]["cpu"] == wrong[name]["cuda"], name


def test_the_parts_need_no_package_but_pytest() -> None:
    """`.ci/cuda` runs them beside numba-cuda, without the other packages of the tests."""
    extra = ("h5netcdf", "h5py", "hypothesis", "mpmath", "randomgen", "xarray", "xdist")
    code = f"import sys; sys.modules.update(dict.fromkeys({extra})); import tests.simulated"
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, "-P", "-c", code]
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


WALK = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    with pytest.raises(
        rw.DeviceError, match=r"backend = 'cuda' cannot run here: .*pip install \"randwalk-pde\[cuda\]\""
    ):
        rw.simulate(WALK, 10, [10.0], backend="cuda")
    assert devices.report() == [("cuda", 'no: the CUDA extra is not installed: pip install "randwalk-pde[cuda]"')]
    assert devices.choose("auto", None, 1e9, 1).name == "cpu"


def test_a_value_is_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_spec", lambda name: None)

    def value(**asked: Any) -> float:
        return float(rw.pde.expectation(PARABOLIC, bell(0.3), 0.5, 1.0, dt=0.25, walkers=50, **asked))

    with pytest.raises(rw.DeviceError, match="backend = 'cuda' cannot run here"):
        value(backend="cuda")
    with pytest.raises(ValueError, match="backend = 'gpu': must be one of cpu, cuda, auto"):
        value(backend="gpu")
    with pytest.raises(ValueError, match=r"devices = \[0\] are CUDA devices"):
        value(devices=[0])
    assert value(backend="auto") == value()


def test_half_an_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_spec", lambda name: True)
    monkeypatch.setitem(sys.modules, "randwalk.run.cuda", None)
    monkeypatch.delattr("randwalk.run.cuda", raising=False)
    with pytest.raises(rw.DeviceError, match=r"does not load .*reinstall it"):
        rw.simulate(WALK, 10, [10.0], backend="cuda")


@pytest.mark.parametrize(("version", "told"), [("2.5.1", 'pip install "numpy<2.5"'), ("2.4.6", "reinstall it")])
@pytest.mark.parametrize("module", ["randwalk.run.cuda", "numba.cuda.np"])
def test_a_numpy_that_is_too_new_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, version: str, told: str
) -> None:
    """numba-cuda 0.30.4 asks for `numpy.row_stack`, which NumPy 2.5 no longer has, when it compiles its first kernel."""

    class Loading:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == module:
                raise AttributeError("module 'numpy' has no attribute 'row_stack'")

    monkeypatch.setattr(devices, "find_spec", lambda name: True)
    if module == "randwalk.run.cuda":
        monkeypatch.delattr(module, raising=False)
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Loading(), *sys.meta_path])
    monkeypatch.setattr(np, "__version__", version)
    ((name, said),) = devices.report()
    assert name == "cuda" and "does not load (AttributeError: module 'numpy' has no attribute 'row_stack')" in said
    assert told in said and ("NumPy 2.5.1" in said) == (version == "2.5.1")


def test_a_missing_gpu_or_an_old_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU this is the true state of the machine; versions are pretended."""
    installation: Any = import_module("randwalk.run.cuda.installation")

    monkeypatch.setattr(installation.cuda, "implementation", "NVIDIA", raising=False)
    monkeypatch.setattr(installation.cuda, "is_available", lambda: False)
    assert "nvidia-smi" in str(installation.why_not())
    monkeypatch.setattr(installation.cuda, "is_available", lambda: True)

    class Versions:
        def __init__(self, *version: int) -> None:
            self.get_version = lambda: version

    monkeypatch.setattr(installation, "_driver", lambda: Versions(12, 4))
    monkeypatch.setattr(installation.cuda, "runtime", Versions(13, 0))
    monkeypatch.setattr(installation.nvvm, "NVVM", lambda: None)
    assert "driver supports CUDA 12.4 and the toolkit is 13.0: update the driver" in str(installation.why_not())
    monkeypatch.setattr(installation, "_driver", lambda: Versions(13, 0))
    assert installation.why_not() is None

    def missing() -> None:
        raise ImportError("libNVVM cannot be found")

    monkeypatch.setattr(installation.nvvm, "NVVM", missing)
    assert "libNVVM cannot be found" in str(installation.why_not()) and "numba-cuda[cu13]" in str(
        installation.why_not()
    )
    monkeypatch.setattr(installation.cuda, "implementation", "Built-in")
    assert "deprecated" in str(installation.why_not())


def test_bad_backends_are_refused() -> None:
    with pytest.raises(ValueError, match="backend = 'gpu': must be one of cpu, cuda, auto"):
        rw.simulate(WALK, 10, [10.0], backend="gpu")
    with pytest.raises(ValueError, match=r"devices = \[0\] are CUDA devices"):
        rw.simulate(WALK, 10, [10.0], devices=[0])
