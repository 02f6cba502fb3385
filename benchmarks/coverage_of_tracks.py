"""``python -m benchmarks.coverage_of_tracks``: how often intervals of level 95 % of fits of tracks hold the truth.

Each row is a kind of data: 4000 simulated sets of tracks, seeds 0 … 3999, drawn exactly (``tests/tracks.py``); the shares have
a standard error of 0.3 %. Results are in ``benchmarks/coverage_of_tracks.txt``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from tests.tracks import seen_tracks

RUNS = 4000
LEVEL = 0.95
KINDS: dict[str, dict[str, Any]] = {
    "one track of 100": {"particles": 1, "frames": 100, "diffusion": 1.0, "drift": (0.2,), "sigma": 0.5},
    "one track of 30 in the plane": {"particles": 1, "frames": 30, "diffusion": 1.0, "drift": (0.2, 0.0), "sigma": 0.5},
    "20 tracks of 10, in space": {
        "particles": 20,
        "frames": 10,
        "diffusion": 1.0,
        "drift": (0.1, 0.0, 0.0),
        "sigma": 1.0,
    },
    "with blur and a gap": {
        "particles": 4,
        "frames": 60,
        "diffusion": 1.0,
        "drift": (0.2, 0.0),
        "sigma": 1.0,
        "exposure": 1.0,
        "gap": 7,
    },
    "error much larger than a step": {"particles": 2, "frames": 200, "diffusion": 0.05, "drift": (0.0,), "sigma": 1.0},
    "no error": {"particles": 2, "frames": 60, "diffusion": 1.0, "drift": (0.2,), "sigma": 0.0},
}


def held(kind: Mapping[str, Any], seed: int) -> list[bool]:
    """Whether the intervals of D, of the drift along x and of σ hold the truth."""
    tracks = seen_tracks(seed, interval=1.0, **kind)
    likelihood = tracks.likelihood(kind.get("exposure", 0.0))
    diffusion, square = likelihood.best()
    best = {"diffusion": diffusion, "localisation": np.sqrt(max(square, 0.0))}
    truths, allowed = {"diffusion": kind["diffusion"], "localisation": kind["sigma"]}, special.chdtri(1.0, 1.0 - LEVEL)
    inside = {
        name: likelihood.profile(name, value) - likelihood.profile(name, best[name]) <= allowed
        for name, value in truths.items()
    }
    low, high = tracks.fit(exposure=kind.get("exposure", 0.0)).interval("drift", LEVEL)
    return [inside["diffusion"], bool(low[0] <= kind["drift"][0] <= high[0]), inside["localisation"]]


def main(runs: int = RUNS) -> None:
    print(f"{'':32}{'D':>8}{'drift':>8}{'σ':>8}    % of {runs} intervals of level 95 % that hold the truth")
    for name, kind in KINDS.items():
        shares = 100.0 * np.mean([held(kind, seed) for seed in range(runs)], axis=0)
        print(f"{name:32}" + "".join(f"{share:8.1f}" for share in shares), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
