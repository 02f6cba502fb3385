"""Solutions of equations that Ctrl-C cuts short: what was reached is kept, and is that of a looser tolerance bit for bit; and the
bar of one solution after another."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import randwalk as rw
from randwalk import cli, pde
from randwalk.pde.solver import dissection
from randwalk.terminal import progress

BETWEEN = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
LINE = pde.FokkerPlanck(rw.Affine(slope=-1.0), 0.5, domain=BETWEEN, start=0.4)
CLOSED = pde.FokkerPlanck(
    lambda x, y: (1.0 - x + y, x - 2.0 * y),
    ((0.5, 0.2), (0.2, 0.4)),
    domain=rw.Interval(0.0, 1.0, rw.Reflecting(), rw.Reflecting()) ** 2,
    start=(0.3, 0.4),
)
OPEN = pde.FokkerPlanck(lambda x, y: (y, -x), 0.5, domain=BETWEEN**2, start=(0.3, 0.4))

Ask = Callable[[float], Any]
ASKED: dict[str, tuple[Ask, float]] = {  # to a tolerance, and one that takes several levels
    "solve": (lambda tolerance: pde.solve(OPEN, [0.05, 0.1], tolerance=tolerance), 1e-7),
    "solve on a line": (lambda tolerance: pde.solve(LINE, [0.1], tolerance=tolerance), 1e-9),
    "solve with dt": (
        lambda tolerance: pde.solve(LINE, [0.1], tolerance=tolerance, scheme=pde.SDIRK2(dt=1e-3)),
        2e-7,
    ),
    "backward": (lambda tolerance: pde.backward(OPEN, lambda x, y: x * y, 0.1, tolerance=tolerance), 1e-6),
    "mean exit time": (lambda tolerance: pde.mean_exit_time(OPEN, tolerance=tolerance), 1e-6),
    "exit probability": (lambda tolerance: pde.exit_probability(OPEN, "left", tolerance=tolerance), 1e-5),
    "exit probability on a line": (lambda tolerance: pde.exit_probability(LINE, "left", tolerance=tolerance), 1e-8),
    "stationary law": (lambda tolerance: pde.stationary_law(CLOSED, tolerance=tolerance), 1e-6),
}


def told_to(monkeypatch: pytest.MonkeyPatch, stages: progress.Stages) -> None:
    """Let the solvers tell `stages` in place of a bar."""
    monkeypatch.setattr("randwalk.pde.solver.levels.stages_bar", lambda shown: contextlib.nullcontext(stages))


def stop_at(monkeypatch: pytest.MonkeyPatch, stage: int) -> None:
    """Ctrl-C in the stage of this number, after its first part."""
    begun = list[str]()

    def begin(name: str, total: float) -> progress.Advance:
        begun.append(name)
        return stop if len(begun) == stage else lambda done: None

    def stop(done: float) -> None:
        signal.raise_signal(signal.SIGINT)

    told_to(monkeypatch, begin)


def interrupted(monkeypatch: pytest.MonkeyPatch, ask: Ask, tolerance: float, stage: int) -> rw.Interrupted:
    with monkeypatch.context() as patch, pytest.raises(rw.Interrupted) as caught:
        stop_at(patch, stage)
        ask(tolerance)
    return caught.value


@pytest.mark.parametrize("name", ASKED)
def test_what_is_kept_is_the_solution_to_a_looser_tolerance(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first stage nothing is; at a later one what is kept is what the call gives for the error that it tells."""
    ask, tolerance = ASKED[name]
    first = interrupted(monkeypatch, ask, tolerance, 1)
    assert first.reached is None and "interrupted before any solution had an error; nothing is kept" in str(first)
    stages = (interrupted(monkeypatch, ask, tolerance, stage) for stage in range(2, 30))
    stopped = next(stop for stop in stages if stop.reached is not None)
    kept = stopped.reached
    assert stopped.ensemble is None and kept.error_estimate > tolerance
    assert f"with a solution of error ≈ {kept.error_estimate:.1e}; .reached of this exception has it" in str(stopped)
    size = 1.0  # that errors are relative to
    if hasattr(kept, "u"):
        size = float(kept.value((0.3, 0.4))) if name == "backward" else float(np.nanmax(np.abs(kept.u)))
    again = ask(1.2 * kept.error_estimate / size)
    assert again.mesh.shape == kept.mesh.shape and again.error_estimate == kept.error_estimate
    for quantity in ("density", "errors", "left_so_far", "ages", "u", "differences"):
        if hasattr(kept, quantity):
            np.testing.assert_array_equal(getattr(again, quantity), getattr(kept, quantity))


@pytest.mark.skipif(os.name != "posix", reason="a signal to a thread")
def test_it_is_heard_while_a_matrix_is_factorised(monkeypatch: pytest.MonkeyPatch) -> None:
    done, main = threading.Event(), threading.main_thread().ident
    assert main is not None

    def endless(*given: object, **more: object) -> None:
        threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGINT)).start()
        done.wait(600.0)

    monkeypatch.setattr(dissection, "splu", endless)
    with pytest.raises(rw.Interrupted, match="nothing is kept"):
        pde.mean_exit_time(OPEN)
    assert not done.is_set()
    done.set()


def shown(monkeypatch: pytest.MonkeyPatch, delay: float, **more: Any) -> str:
    """What a terminal shows of a solution."""
    screen = io.StringIO()

    def console(**given: Any) -> Console:
        assert given == {"stderr": True}
        return Console(file=screen, force_terminal=True, width=120)

    with monkeypatch.context() as patch:
        patch.setattr("rich.console.Console", console)
        patch.setattr(progress, "DELAY", delay)
        pde.solve(OPEN, [0.1], tolerance=1e-3, **more)
    return screen.getvalue()


def test_a_bar_shows_one_solution_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its cells; nothing of work that is soon done, or unasked for."""
    assert re.search(r"solving on \d+ × \d+ cells", shown(monkeypatch, -1.0, progress=True))
    assert shown(monkeypatch, 600.0, progress=True) == "" and shown(monkeypatch, -1.0) == ""


def test_the_bar_is_full_at_the_end_of_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = dict[str, float](), dict[str, float]()

    def begin(name: str, total: float) -> progress.Advance:
        key = f"{len(whole)}: {name}"
        whole[key], parts[key] = total, 0.0

        def advance(done: float) -> None:
            parts[key] += done

        return advance

    told_to(monkeypatch, begin)
    for name, (ask, _) in ASKED.items():
        whole.clear()
        parts.clear()
        ask(1e-2)
        assert len(whole) > 1 and parts == whole and all("cells" in key for key in whole), name


PROBLEM = """
[walk]
drift = "-x"
diffusion = 0.5
dx = 0.2

[start]
point = 1.0

[run]
times = [0.5]
walkers = 100
"""


def test_the_command_shows_and_writes_what_was_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "mine.toml"
    place.write_text(PROBLEM)
    reached = pde.solve(pde.limit(rw.Problem.load(place).walk), [0.5], tolerance=1e-2)
    kept = [None, reached]

    def stop(*arguments: object, **named: object) -> None:
        last = kept.pop()
        raise rw.Interrupted(None, "; and so on", last, "early" if last is None else "with an error")

    monkeypatch.setattr(pde, "solve", stop)
    monkeypatch.setattr(sys, "argv", ["randwalk", "solve", str(place), "--out", str(tmp_path / "rho.csv")])
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capsys.readouterr()
    assert left.value.code == 130 and told.err == "randwalk: interrupted with an error\n"
    assert repr(reached) in " ".join(told.out.split()) and "survival" in told.out
    assert (tmp_path / "rho.csv").read_text().startswith("x,rho_t=0.5\n")
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capsys.readouterr()
    assert left.value.code == 130 and told.err == "randwalk: interrupted early\n" and told.out == ""
