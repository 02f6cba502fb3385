"""``python -m benchmarks.begin [--repetitions 3] [--json benchmarks/results/begin.json]``: what the first run of a kind costs.

Each run is a Python of its own, first with an empty folder of kernels, then with the kernels of the first; the median of the
seconds of the processor, Python's start included.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numba

from .machine import about

RUNS = (
    "rw.simulate(rw.LatticeWalk(0.5, 0.5, dx=1.0), 10**5, [1000.0], method='paths')",
    "rw.simulate(rw.LatticeWalk(0.3, 0.5, dx=1.0), 10**5, [1000.0], method='paths')",
    "rw.simulate(rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.1, times=[1.0]), 10**5, [1.0], method='paths')",
    "rw.simulate(rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.1, times=[1.0]), 10**5, [1.0], method='occupation')",
)


def spent() -> float:
    """Seconds of the processor that processes begun here have taken."""
    used = os.times()
    return used.children_user + used.children_system


def seconds(code: str, kernels: str) -> float:
    """What a Python takes that runs the code, with compiled kernels kept in that folder."""
    begun = spent()
    subprocess.run(
        [sys.executable, "-c", f"import randwalk as rw; {code}"],
        env=os.environ | {"RANDWALK_CACHE_DIR": kernels},
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return spent() - begun


def both(code: str) -> tuple[float, float]:
    """Seconds of the first run, and of the next."""
    with tempfile.TemporaryDirectory() as kernels:
        return seconds(code, kernels), seconds(code, kernels)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.begin", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", type=Path, help="keep the seconds")
    options = parser.parse_args()
    runs = []
    for code in RUNS:
        first, later = map(statistics.median, zip(*(both(code) for _ in range(options.repetitions)), strict=True))
        runs.append((code, round(first, 2), round(later, 2)))
        print(f"{first:6.2f} s, then {later:6.2f} s: {code}", flush=True)
    if options.json:
        kept = about("python -m benchmarks.begin", numba.get_num_threads()) | {"runs": runs}
        options.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
