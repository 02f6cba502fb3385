"""Errors against seconds: the reference of the benchmark, what it leaves out, and the table of it in the documentation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erfc

from benchmarks.who_wins import DIMENSIONS, METHODS, QUANTITIES, T, along_an_axis, density, measured, table

ROOT = Path(__file__).parent.parent
FOUND = json.loads((ROOT / "gallery" / "results" / "who_wins.json").read_text(encoding="utf-8"))


def test_density_is_that_of_the_images() -> None:
    """Σ over images of the source at 4k (+) and 2 + 4k (-), with the weights of the drift (Carslaw and Jaeger)."""
    x, k = 0.3, np.arange(-5, 6)[:, None]
    places, signs = np.hstack([4.0 * k, 2.0 + 4.0 * k]), np.array([1.0, -1.0])
    kernel = np.exp(-((x - places) ** 2) / (2 * T)) / np.sqrt(2 * np.pi * T)
    assert density(x) == pytest.approx(np.exp(x - T / 2) * (signs * kernel).sum(), rel=1e-12)
    without_right_wall = 1 - 0.5 * (erfc((1 + T) / np.sqrt(2 * T)) + np.exp(-2) * erfc((1 - T) / np.sqrt(2 * T)))
    assert along_an_axis(density)[2] < without_right_wall


def test_walkers_and_law_meet_the_reference() -> None:
    law = [row["error"][1] for row in measured("exact law", 1, 1, 0.0)]
    assert law and max(law) < 0.05
    rows = list(measured("Itô walkers", 1, 3, 0.0))
    assert {row["quantity"] for row in rows} == set(QUANTITIES)
    assert max(row["error"][1] for row in rows if row["size"] == 100) < 4 * 0.2  # a density of 100 walkers: 10 % each


def test_every_cell_has_a_number_or_a_reason() -> None:
    cells = {(d, method, quantity) for d in DIMENSIONS for method in METHODS for quantity in QUANTITIES}
    measured_ = {(row["dimension"], row["method"], row["quantity"]) for row in FOUND["rows"]}
    empty = {(cell["dimension"], cell["method"], cell["quantity"]) for cell in FOUND["empty"] if cell["why"]}
    assert measured_ | empty == cells and not measured_ & empty
    assert all(low <= middle <= high for row in FOUND["rows"] for low, middle, high in (row["seconds"], row["error"]))


def test_table_of_the_documentation_is_that_of_the_result() -> None:
    assert table(FOUND) in (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert FOUND["date"] in (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")


def seconds_of_a_value(method: str, dimension: int, error: float) -> float:
    return min(
        row["seconds"][1]
        for row in FOUND["rows"]
        if (row["method"], row["dimension"], row["quantity"]) == (method, dimension, "value at a point")
        if row["error"][1] <= error
    )


def test_what_the_page_concludes_has_the_numbers_of_the_result() -> None:
    page = " ".join((ROOT / "docs" / "methods.md").read_text(encoding="utf-8").split())
    plane, space = (max(seconds_of_a_value(m, d, 1e-6) for m in ("exact law", "solver")) for d in (2, 3))
    assert f"of a value in {plane:.1g} s in the plane and in {space:.1g} s in space" in page
    walkers, law = (seconds_of_a_value(method, 3, 1e-2) for method in ("Itô walkers", "exact law"))
    assert f"takes {walkers:.1g} s of Itô walkers and {law:.1g} s of the exact law" in page
    assert f"in ten dimensions 1 % of a value takes {seconds_of_a_value('Itô walkers', 10, 1e-2):.1g} s" in page
    assert f"right to rounding in {max(seconds_of_a_value('closed form', d, 1e-12) for d in DIMENSIONS):.1g} s" in page
