"""The scripts of the page on clusters, run as a reader would: copied from the page into files."""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from benchmarks import cost, scaling

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "how_to" / "cluster.md"
FILE = re.compile(r"^```(?:python|toml)\n# (\S+\.(?:py|toml))\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def ran(folder: Path, *command: str) -> rw.Ensemble:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    return rw.Ensemble.load(folder / "run.npz")


def whole(folder: Path) -> rw.Ensemble:
    problem = rw.Problem.load(folder / "run.toml")
    return rw.simulate(problem.walk, problem.walkers, problem.times, seed=problem.seed, method="paths")


def test_the_script_of_processes_with_threads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pool(processes: int, mp_context: Any) -> ThreadPoolExecutor:
        assert mp_context.get_start_method() == "spawn"
        return ThreadPoolExecutor(processes)

    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", pool)
    monkeypatch.chdir(folder)
    runpy.run_path("processes.py", run_name="__main__")
    assert np.array_equal(rw.Ensemble.load("run.npz").counts, whole(folder).counts)


@pytest.mark.long
def test_the_script_of_processes(folder: Path) -> None:
    assert np.array_equal(ran(folder, sys.executable, "processes.py").counts, whole(folder).counts)


def test_the_script_of_an_array(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of parts that have not the same number of walkers."""
    monkeypatch.chdir(folder)
    for number in map(str, range(3)):
        monkeypatch.setattr(sys, "argv", ["part.py", number, "3"])
        runpy.run_path("part.py", run_name="__main__")
    parts = [rw.Ensemble.load(f"part{number}.npz") for number in range(3)]
    assert np.array_equal(reduce(rw.Ensemble.merge, parts).counts, whole(folder).counts)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="MPI is not installed")
def test_the_script_of_mpi(folder: Path) -> None:
    pytest.importorskip("mpi4py")
    root = ("--allow-run-as-root", "--oversubscribe") if hasattr(os, "getuid") and os.getuid() == 0 else ()
    made = ran(folder, "mpiexec", *root, "-n", "3", sys.executable, "-m", "mpi4py.futures", "by_mpi.py")
    assert np.array_equal(made.counts, whole(folder).counts)


SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SLURM = {"SLURM_CPUS_PER_TASK": "64", "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "4"}
STUB = '#!/bin/bash\necho "$(basename $0) $*" >> "$CALLS"\n[ $(basename $0) != hostname ] || echo node1\n'


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_shell_scripts_start_what_they_say(tmp_path: Path) -> None:
    """Each has bash's syntax; those of SLURM and of the GPUs run, with programs in place of its own that note their arguments."""
    scripts = SHELL.findall(PAGE.read_text(encoding="utf-8"))
    for text in scripts:
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    for name in ("dask", "srun", "randwalk", "hostname", "sleep", "python"):
        (tmp_path / name).write_text(STUB, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    begun = []
    for text in (text for text in scripts if "#SBATCH" in text or "CUDA_VISIBLE_DEVICES" in text):
        calls = tmp_path / "calls"
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls)} | SLURM
        subprocess.run(["bash", "-eu", "-c", f"{text}\nwait"], cwd=tmp_path, env=environment, check=True)
        begun.append(sorted(calls.read_text(encoding="utf-8").splitlines()))
        calls.unlink()
    by_dask, by_mpi, by_array, by_gpus = begun
    assert by_dask == [
        "dask scheduler --port 8786", "hostname ",
        "randwalk simulate run.toml --method paths --out run.npz --dask tcp://node1:8786", "sleep 10",
        "srun --cpus-per-task=64 dask worker tcp://node1:8786 --nworkers 64 --nthreads 1",
    ]  # fmt: skip
    assert by_mpi == ["srun python -m mpi4py.futures by_mpi.py"]
    assert by_array == ["python part.py 3 4"]
    assert by_gpus.count("dask worker tcp://node1:8786 --nthreads 1") == 4 and "--backend cuda" in by_gpus[-1]


DURATION = re.compile(r"([\d.]+) (years|days|h|min|s)\b")


def durations(text: str) -> list[float]:
    sizes = dict(cost.UNITS) | {"s": 1.0}
    return [float(number) * sizes[unit] for number, unit in DURATION.findall(text)]


def test_the_table_of_costs_is_that_of_the_kept_rates() -> None:
    """Where rates that are measured again move it by more than a third, `python -m benchmarks.cost` prints the new one."""
    table = cost.table()
    begin = PAGE.read_text(encoding="utf-8").split(table.splitlines()[0])[1]
    shown, now = durations(begin.split("\nSo: ")[0]), durations(table)
    assert len(now) == 22 and shown == pytest.approx(now, rel=0.34)
    assert cost.duration(7000.0) == "120 min" and cost.duration(7300.0) == "2 h" and cost.duration(0.344) == "0.34 s"


def test_scaling_is_linear_until_the_client_is_busy() -> None:
    assert scaling.speed_up(1, 0.0, 60.0) == 1.0 and scaling.speed_up(64, 0.0, 60.0) == pytest.approx(64.0)
    assert scaling.speed_up(10**9, 0.01, 60.0) == pytest.approx(6000.0, rel=1e-4)


def test_what_the_page_says_of_scaling_is_what_was_measured() -> None:
    found = json.loads((ROOT / "gallery" / "results" / "scaling.json").read_text(encoding="utf-8"))
    page, client = " ".join(PAGE.read_text(encoding="utf-8").split()), found["client seconds a range"]
    assert f"took {1000 * client:.2g} ms of its processor" in page
    assert f"W = r/c ≈ {float(f'{60.0 / client:.1g}'):.0f}" in page
    one, two = (found["rates"][workers] / 1e9 for workers in ("1", "2"))
    assert f"({one:.1f} and {two:.1f} G each)" in page and f"(load {found['load before']:.0f})" in page
