"""What changed between two reports that were written as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from randwalk.terminal.status import AGAINST

from .report_json import read_report

SAME = 1e-9  # relative: numbers as close as that are one, on another machine
MADE = ("randwalk", "stream", "python", "system", "processor", "command")
SLOWER, SECONDS = 1.5, 1.0  # a case that takes so many times as long, and so much longer, is told


@dataclass(frozen=True)
class Changes:
    """The differences of two reports, in words.

    Attributes
    ----------
    provenance, cases : tuple of str
        What made them, and what they say.
    worse : tuple of str
        The parts of cases that fail and did not in the old report, or passed there and are judged no more.
    """

    old: str
    new: str
    provenance: tuple[str, ...]
    cases: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def status(self) -> int:
        """The exit status of ``randwalk validate --compare``: 1 if something passes no more, else 0."""
        return AGAINST if self.worse else 0

    def __str__(self) -> str:
        verdict = f"no longer passed: {', '.join(self.worse)}" if self.worse else "everything that passed still does"
        told = self.cases or ("no number changed",)
        return "\n".join([f"{self.old} → {self.new}", *(f"  {line}" for line in (*self.provenance, *told)), verdict])


def changes(old: str | Path, new: str | Path) -> Changes:
    """What changed between two reports of ``randwalk validate --json``.

    Parameters
    ----------
    old, new : str or Path
        The files.

    Raises
    ------
    ValueError, OSError
        for a file that is no such report, or cannot be read.
    """
    first, second = read_report(old), read_report(new)
    before, after = ({case["name"]: case for case in report["cases"]} for report in (first, second))
    worse = [f"{name} ({', '.join(parts)})" for name in before if name in after
             if (parts := _worse(before[name], after[name]))]  # fmt: skip
    worse += [
        name for name, case in before.items() if name in second["failures"] and "fail" not in case["verdicts"].values()
    ]
    lines = [f"{name}: {'could not be run' if name in second['failures'] else 'only in the old report'}"
             for name in before if name not in after]  # fmt: skip
    lines += [f"{name}: only in the new report" for name in after if name not in before]
    lines += [f"{name}: {line}" for name in before if name in after for line in _differences(before[name], after[name])]
    return Changes(
        str(old), str(new), tuple(_made(first["provenance"], second["provenance"])), tuple(lines), tuple(worse)
    )


def _worse(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [
        part
        for part, verdict in new["verdicts"].items()
        if (verdict == "fail" and old["verdicts"].get(part) != "fail")
        or (verdict != "pass" and old["verdicts"].get(part) == "pass")
    ]


def _made(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """The versions and machines that differ, the dates and the durations."""
    yield f"date: {old['date']} → {new['date']}; {old['seconds']:.0f} s → {new['seconds']:.0f} s"
    for name in MADE:
        if old[name] != new[name]:
            yield f"{name}: {old[name]} → {new[name]}"
    for name in sorted({*old["dependencies"], *new["dependencies"]}):
        pair = [report["dependencies"].get(name, "none") for report in (old, new)]
        if pair[0] != pair[1]:
            yield f"{name}: {pair[0]} → {pair[1]}"


def _differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """What changed in a case."""
    for part, verdict in new["verdicts"].items():
        before = old["verdicts"].get(part, "—")
        if verdict != before:
            yield f"{part} {before} → {verdict}"
    told = [{"seed": str(case["seed"]), "runs": ", ".join(case["runs"])} for case in (old, new)]
    yield from (f"{name}: {before} → {told[1][name]}" for name, before in told[0].items() if before != told[1][name])
    if old["problem"] != new["problem"]:
        yield "another problem"
    for part in ("sampling", "data"):
        yield from _checks(part, old[part] or [], new[part] or [])
    for part in ("discretisation", "solver"):
        yield from _errors(part, old[part], new[part])
    if new["seconds"] > SLOWER * old["seconds"] and new["seconds"] > old["seconds"] + SECONDS:
        yield f"{old['seconds']:.1f} s → {new['seconds']:.1f} s"


def _checks(part: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[str]:
    """How many statistics changed, and the smallest p-value before and after; statistics are told apart by their order, too."""
    if len(old) != len(new):
        yield f"{part}: {len(old)} checks → {len(new)}"
    changed = sum(
        a["name"] != b["name"] or not _same(a["statistic"], b["statistic"]) for a, b in zip(old, new, strict=False)
    )
    if changed:
        least = [f"{min((check['p'] for check in checks), default=1.0):.3g}" for checks in (old, new)]
        yield f"{part}: {changed} of {len(new)} statistics differ, smallest p {least[0]} → {least[1]}"


def _errors(part: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    if old["against"] != new["against"]:
        yield f"{part}: against {old['against']} → {new['against']}"
    pairs = list(zip(old["errors"], new["errors"], strict=False))
    if len(old["errors"]) != len(new["errors"]) or not all(_same(a, b, new["floor"]) for a, b in pairs):
        orders = ["—" if not report["orders"] or report["orders"][-1] is None else f"{report['orders'][-1]:.2f}"
                  for report in (old, new)]  # fmt: skip
        sizes = [" ".join("—" if e is None else f"{e:.2e}" for e in report["errors"]) for report in (old, new)]
        yield f"{part}: errors {sizes[0]} → {sizes[1]}, order {orders[0]} → {orders[1]}"


def _same(a: float | None, b: float | None, floor: float | None = None) -> bool:
    """Whether two numbers are one, to rounding; both of no number, or both below the floor, are."""
    if a is None or b is None:
        return a is b
    return abs(a - b) <= SAME * max(abs(a), abs(b)) or max(a, b) <= (floor or 0.0)
