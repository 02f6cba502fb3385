"""Errors planted in a copy of the package: which rung of validation catches each.

The copy is validated in a process of its own, always at the same path, so that kernels that did not change are not compiled
again. A planted error must be caught by the rung that is named, and the untouched copy must pass.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PLANTED = [
    # name, file, what stands there, what is put there, case, rung that catches it
    (
        "p and q swapped at a wall of the simulation",
        "randwalk/kernels/occupation.py",
        "odds(row[0, c], row[1, c], row[2, c])",
        "odds(row[1, c] - row[0, c] if begin + i == 1 else row[0, c], row[1, c], row[2, c])",
        "drift_absorbing_absorbing",
        "sampling",
    ),
    (
        "one step too many",
        "randwalk/run/occupation.py",
        "for begin, end, thresholds in table.chunks(done, stop):",
        "for begin, end, thresholds in table.chunks(done, stop + (stop == steps[0])):",
        "ornstein_uhlenbeck",
        "sampling",
    ),
    (
        "a threshold off by 2^-20",
        "randwalk/kernels/occupation.py",
        "odds(row[0, c], row[1, c], row[2, c])",
        "odds(row[0, c] + (FULL >> 20), row[1, c], row[2, c])",
        "ornstein_uhlenbeck",
        "sampling",
    ),
    (
        "an absorbing wall off by dx/2",
        "randwalk/model/lattice.py",
        "return cls(domain.low + low_gap * exact, exact, 0, last, False)",
        "return cls(domain.low + 0.5 * exact, exact, 0, last, False)",
        "drift_absorbing_reflecting",
        "discretisation",
    ),
    (
        "α for D",
        "randwalk/model/walk.py",
        'diffusion=(lattice.dx**2 / (2.0 * dt)) * (values["right"] + values["left"]),',
        'diffusion=(lattice.dx**2 / dt) * (values["right"] + values["left"]),',
        "lazy_line",
        "discretisation",
    ),
    (
        "p and q swapped at a wall of the walk itself",
        "randwalk/tables/table.py",
        'q = np.where(first, self._out("left", q, x, t), q)',
        'p, q = np.where(first, self._out("left", q, x, t), p), np.where(first, p, q)',
        "drift_reflecting_absorbing",
        "discretisation",
    ),
    (
        "a missing D_x in the Fick form of the walk",
        "randwalk/model/walk.py",
        "right, left = rule.probabilities(drift, diffusion, lattice.dx, dt, convention, domain)",
        "right, left = rule.probabilities(drift, diffusion, lattice.dx, dt, Convention.ITO, domain)",
        "fick",
        "discretisation",
    ),
    (
        "the diffusion half way where it jumps, in place of two resistances",
        "randwalk/model/bond.py",
        "if not (last > first).any():",
        "if True:",
        "fick_jump",
        "discretisation",
    ),
    (
        "the Itô drift at a partially absorbing wall",
        "randwalk/model/outlet.py",
        "a, d = inward * drift(x, t), diffusion(x, t)",
        "a, d = inward * drift(x, t), _at_wall(walk, x, place, t)",
        "partially_absorbing_variable",
        "discretisation",
    ),
    (
        "the diffusion at a partially absorbing wall at one time only",
        "randwalk/model/outlet.py",
        "2.0 * d**power / (dx * half(x, t))",
        "2.0 * d**power / (dx * half(x, 0.0 * t))",
        "partially_absorbing_moving",
        "discretisation",
    ),
    (
        "α for D in the solver",
        "pde/stencil.py",
        'diffusion = _checked("diffusion", self.equation.diffusion(x, t), x, t)',
        'diffusion = 2.0 * _checked("diffusion", self.equation.diffusion(x, t), x, t)',
        "lazy_line",
        "solver",
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("planted")
    for name in ("randwalk", "pde", "validate", "gallery"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    yield folder
    shutil.rmtree(folder)


def verdicts(folder: Path, case: str) -> dict[str, str]:
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": str(folder), "RANDWALK_CACHE_DIR": str(folder / "kernels")}
    arguments = [sys.executable, "-P", "-m", "randwalk", "validate", case, "--walkers", "1000", "--json", str(report)]
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, str] = json.loads(report.read_text())["cases"][0]["verdicts"]
    return found


def test_the_untouched_copy_passes(copy: Path) -> None:
    assert "fail" not in verdicts(copy, "lazy_line").values()


@pytest.mark.parametrize(
    ("file", "stands", "put", "case", "rung"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED]
)
def test_the_named_rung_catches_the_planted_error(
    copy: Path, file: str, stands: str, put: str, case: str, rung: str
) -> None:
    path = copy / file
    original, times = path.read_text(), path.stat()
    assert original.count(stands) == 1, f"{file} no longer has the place where this error is planted"
    try:
        path.write_text(original.replace(stands, put))
        assert verdicts(copy, case)[rung] == "fail"
    finally:
        path.write_text(original)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
