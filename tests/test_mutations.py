"""Damaged problem files and ensembles are read, or refused in one clear line: a sample, and the whole study marked long."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import randwalk as rw

from .mutations import damaged_text, ensemble_faults, problem_faults
from .test_store import OLD, RECORDS, walled

SAVED = ["paths.npz", "paths.nc", "occupation.npz", "occupation.nc", "old.npz", "old.nc"]


def saved(name: str, folder: Path) -> Path:
    """An ensemble in a file: with every record, of several parts on the line, or as 0.2.0 wrote it."""
    path = folder / name
    if name.startswith("old"):
        path.write_bytes((OLD / f"ensemble_0.2.0{path.suffix}").read_bytes())
    elif name.startswith("paths"):
        rw.simulate(walled(), 500, [5.0, 20.0], seed=3, method="paths", record=RECORDS).save(path)
    else:
        walk = rw.LatticeWalk.from_drift(rw.Affine(slope=-1.0), 0.5, dx=0.1, start=0.5, times=[1.0])
        rw.simulate(walk, 500, [1.0], seed=3, method="occupation", record=[rw.FirstPassage()]).extend(700).save(path)
    return path


def test_damaged_problem_files(tmp_path: Path) -> None:
    assert problem_faults(tmp_path, 300, seed=7) == []


@pytest.mark.parametrize("name", SAVED)
def test_damaged_ensembles(name: str, tmp_path: Path) -> None:
    assert ensemble_faults(saved(name, tmp_path), 40, seed=7) == []


@pytest.mark.long
def test_twenty_thousand_damaged_problem_files(tmp_path: Path) -> None:
    assert problem_faults(tmp_path, 20_000, seed=11) == []


@pytest.mark.long
@pytest.mark.parametrize("name", SAVED)
def test_two_thousand_and_five_hundred_damaged_ensembles(name: str, tmp_path: Path) -> None:
    assert ensemble_faults(saved(name, tmp_path), 2_500, seed=11) == []


def test_the_damage_is_that_of_the_seed() -> None:
    text = "[walk]\nright = 0.5\nleft = 0.5\ndx = 1\n"
    first, second = ([damaged_text(text, random.Random(seed)) for seed in range(100)] for _ in range(2))
    assert first == second and len(set(first)) > 90
