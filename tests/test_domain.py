"""Walls, exits and faces of a domain as data."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest

import randwalk as rw
from randwalk.model.domain import Face

ROOT = Path(__file__).parents[1]
WALLS = {"Absorbing", "Reflecting", "PartiallyAbsorbing", "Wall"}
SOURCES = [
    path
    for folder in ("randwalk", "pde", "validate", "gallery", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
]


def test_a_wall_is_its_reactivity_and_its_place() -> None:
    facts = [(wall.reactivity, wall.on_site) for wall in (rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(0.3))]
    assert facts == [(math.inf, True), (0.0, False), (0.3, False)]
    assert rw.Absorbing() == rw.Absorbing() and repr(rw.Absorbing()) == "Absorbing()"


def test_faces_are_the_ends_with_a_wall() -> None:
    absorbing, reflecting = rw.Absorbing(), rw.Reflecting()
    left, right = Face("left", absorbing, -1.0, 1.0), Face("right", reflecting, 2.0, -1.0)
    assert rw.Interval(-1.0, 2.0, absorbing, reflecting).faces == (left, right)
    assert rw.Interval(low=-1.0, left=absorbing).faces == (left,)
    assert rw.Interval(high=2.0, right=reflecting).faces == (right,)
    assert rw.Line().faces == rw.Ring(0.0, 1.0).faces == ()
    assert rw.Interval(high=2.0, right=reflecting).face("left") is None
    assert rw.Interval(high=2.0, right=reflecting).face("right") == right


@pytest.mark.parametrize("domain", [rw.Line(), rw.Ring(0.0, 1.0), rw.Interval(low=0.0, left=rw.Reflecting())])
def test_exits_have_a_fixed_order(domain: rw.Line | rw.Ring | rw.Interval) -> None:
    assert domain.exits == ("left", "right", "killing")
    assert domain.exit("killing") == 2


def test_open_exits_are_those_that_walkers_can_take() -> None:
    robin = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(0.1), rw.Reflecting())
    assert robin.open_exits(killed=False) == ("left",) and robin.open_exits(killed=True) == ("left", "killing")
    assert rw.Ring(0.0, 1.0).open_exits(killed=False) == ()
    assert rw.Interval(high=1.0, right=rw.Absorbing()).open_exits(killed=True) == ("right", "killing")


def test_an_exit_is_looked_up_by_name() -> None:
    half = rw.Interval(high=2.0, right=rw.Reflecting())
    assert half.exit("right") == 1
    with pytest.raises(ValueError, match=r"^wall = 'left': Interval\(.*\) has no wall there$"):
        half.exit("left")
    for wrong in ("up", None, 1, ["left"]):
        with pytest.raises(ValueError, match=r"^exit = .*: must be one of 'left', 'right', 'killing'$"):
            half.exit(wrong, "exit")  # type: ignore[arg-type]


def questions_of_kind(path: Path) -> list[str]:
    """The lines of a file that ask for the class of a wall: isinstance, issubclass, type() and match patterns."""
    found, text = [], path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text if any(wall in text for wall in WALLS) else "")):
        names: set[str] = set()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"isinstance", "issubclass"}:
            names = {getattr(n, "id", getattr(n, "attr", "")) for argument in node.args[1:] for n in ast.walk(argument)}
        elif isinstance(node, ast.MatchClass):
            names = {getattr(node.cls, "id", getattr(node.cls, "attr", ""))}
        elif isinstance(node, ast.Compare):
            names = {getattr(n, "id", getattr(n, "attr", "")) for n in node.comparators}
        if names & WALLS:
            found.append(f"{path.name}:{node.lineno}")  # type: ignore[attr-defined]
    return found


def test_nobody_asks_for_the_class_of_a_wall() -> None:
    assert len(SOURCES) > 100
    asked = {path.relative_to(ROOT).as_posix(): questions_of_kind(path) for path in SOURCES}
    assert [place for path, lines in asked.items() if path != "randwalk/model/wall.py" for place in lines] == []
    assert asked["randwalk/model/wall.py"] != []  # where walls are checked


def test_each_way_to_ask_for_the_class_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "asks.py"
    path.write_text(
        "isinstance(w, rw.Absorbing)\nisinstance(w, (Absorbing, NoneType))\nissubclass(w, Reflecting)\n"
        "type(w) is PartiallyAbsorbing\nmatch w:\n    case Absorbing():\n        pass\nAbsorbing() == w\nWall(w)\n"
    )
    assert questions_of_kind(path) == ["asks.py:1", "asks.py:2", "asks.py:3", "asks.py:4", "asks.py:6"]
