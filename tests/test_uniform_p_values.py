"""P-values of a true null over thousands of seeds (`benchmarks.p_values`): what the study sees, and its table."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import p_values
from benchmarks.p_values import RATE, Row, studies, table, written, wrong

KEPT = Path(__file__).parent.parent / "benchmarks" / "p_values.txt"


def row(p: np.ndarray, uniform: bool) -> Row:
    return Row("", "", uniform, p)


def test_what_a_row_sees() -> None:
    """Right p-values pass; those too small, and some that are tiny, are wrong of both kinds, those too large of the uniform ones.
    One false alarm in 10⁴ seeds."""
    p = np.random.default_rng(1).random(2000)
    kinds = (True, False)
    assert all(row(p, kind).verdict > 1e-4 for kind in kinds)
    assert all(row(p**1.2, kind).verdict < 1e-5 for kind in kinds)
    assert [row(p**0.8, kind).verdict < 1e-5 for kind in kinds] == [True, False]
    assert all(row(np.where(p < 0.07, 1e-9, p), kind).verdict < 1e-5 for kind in kinds)


def test_a_degree_of_freedom_too_many_or_too_few_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight classes, over 400 seeds."""
    monkeypatch.setattr(p_values, "studies", lambda: [one for one in studies() if one.name == "counts in classes"])
    assert not wrong(table(range(400)))
    for fewer in (1, -1):
        monkeypatch.setattr(
            import_module("randwalk.validate.compare"),
            "chi_square_p",
            lambda x, expected, fewer=fewer: float(stats.chi2.sf(x, expected.size - 1 - fewer)),
        )
        assert "data: chi²" in [one.check for one in wrong(table(range(400)))], fewer


def test_the_table_that_is_kept_has_every_study_and_no_row_that_is_wrong() -> None:
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    kept = {line[:30].strip() for line in lines[1:-1]}
    assert kept == {study.name for study in studies()}
    limit = float(lines[-1].rsplit(" ", 1)[1])
    assert limit == pytest.approx(RATE / (len(lines) - 2), rel=0.01)
    assert all(float(line.split()[-1]) >= limit for line in lines[1:-1])
    assert all(" 2000 " in line for line in lines[1:-1])


@pytest.mark.long
def test_p_values_of_every_kind_of_test() -> None:
    """A minute: 2000 seeds of 13 studies. Finds p-values that are too small in any of them, and of chi-square too large ones, by
    some per cent."""
    rows = table(range(p_values.SEEDS))
    assert not wrong(rows), written(rows)
