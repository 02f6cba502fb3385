"""Workers of the command line: processes and Dask give what one thread gives, and end with the run however that ends."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import randwalk as rw
from randwalk import cli
from randwalk.named_records import read_record
from randwalk.workers import workers

PROBLEM = """
[walk]
drift = "-sin(x)"
diffusion = 0.5
dx = 0.2
dt = 0.02
[run]
times = [0.5, 1.0]
walkers = 5000
seed = 3
"""


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["randwalk", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    return str(tmp_path / "mine.toml")


def test_processes_give_what_threads_give_and_a_file_goes_on(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, report = str(tmp_path / "run.npz"), tmp_path / "run.json"
    given = ("simulate", file, "--method", "paths", "--record", "Maximum", "--quiet")
    assert main(monkeypatch, *given, "--walkers", "3000", "--workers", "1", "--out", out) == 0
    assert main(monkeypatch, *given, "--out", out, "--json", str(report)) == 0  # the other 2000, on this processor
    held, problem = rw.Ensemble.load(out), rw.Problem.load(file)
    whole = rw.simulate(problem.walk, 5000, problem.times, seed=3, method="paths", record=[rw.Maximum()])
    assert held.walkers == 5000 and (held.raw == whole.raw).all()
    assert (held[rw.Maximum()].counts == whole[rw.Maximum()].counts).all()
    assert json.loads(report.read_text())["walkers"] == 5000
    before = os.stat(out).st_mtime_ns
    assert main(monkeypatch, *given, "--out", out) == 0 and os.stat(out).st_mtime_ns == before  # all are there


def test_a_file_of_another_run_is_kept(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run.npz")
    assert main(monkeypatch, "simulate", file, "--out", out, "--quiet") == 0
    assert main(monkeypatch, "simulate", file, "--out", out, "--seed", "4") == 2
    assert (
        "holds another run, with seed = 3 and not 4; give another name, or remove the file" in capsys.readouterr().err
    )


def test_dask_gives_what_threads_give(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    out = str(tmp_path / "run.npz")
    kind = {"processes": False, "protocol": "tcp", "dashboard_address": None, "host": "127.0.0.1"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, **kind) as cluster:
        given = ("--method", "paths", "--quiet", "--out", out, "--dask", cluster.scheduler_address)
        assert main(monkeypatch, "simulate", file, *given) == 0
    problem = rw.Problem.load(file)
    whole = rw.simulate(problem.walk, 5000, problem.times, seed=3, method="paths")
    assert (rw.Ensemble.load(out).raw == whole.raw).all()


def test_processes_end_at_once_with_an_interrupted_run() -> None:
    with pytest.raises(KeyboardInterrupt), workers(1, None) as make:
        pool = make()
        pid = pool.submit(os.getpid).result()
        pool.submit(time.sleep, 60.0)
        begun = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - begun < 10.0
    assert ended(pid)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_processes_end_with_a_parent_that_is_killed() -> None:
    code = (
        "import os, time\nfrom randwalk.workers import workers\n"
        "if __name__ == '__main__':\n"
        "    with workers(1, None) as make:\n"
        "        print(make().submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert ended(pid)


def ended(pid: int) -> bool:
    """Whether a process ends within seconds."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_arguments_that_are_none(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, "simulate", file, "--workers", "2", "--dask", "tcp://x:1") == 2
    assert "leave one of them out" in capsys.readouterr().err
    assert main(monkeypatch, "simulate", file, "--workers", "0") == 2


def test_a_scheduler_that_does_not_answer(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("randwalk.workers.PATIENCE", 0.2)
    assert main(monkeypatch, "simulate", file, "--dask", "tcp://127.0.0.1:1") == 2
    assert "no Dask scheduler answers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Maximun", "did you mean 'Maximum'"),
        ("LastVisit(x)", "must be numbers in parentheses|malformed"),
        ("LastVisit(", "must be one of"),
        ("TimeIn(3)", "must be one of"),
        ("FirstPassage(1)", "--record"),
        ("Average(__import__('os'))", "is not allowed in the formula"),
    ],
)
def test_records_that_are_none(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_record(text)


def test_explain_names_records_and_workers(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, "explain", file, "--record", "LastVisit(0.4)", "--workers", "10") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("paths (predicted: paths ") and "occupation" not in told[0]
    assert told[1].startswith("5,000 walkers × 50 steps = 2.5e+05 walker-steps") and told[2].startswith("on 10 workers")


def test_cases_by_workers_give_the_same_report_in_the_same_order(tmp_path: Path) -> None:
    names = ["lazy_line", str(tmp_path / "none.toml"), "biased_line"]
    done: list[object] = []
    with ThreadPoolExecutor(2) as pool:
        shared = rw.validate.validate(names, walkers=1000, threads=1, done=done.append, executor=pool)
    alone = rw.validate.validate(names, walkers=1000, threads=1)
    assert [case.name for case in shared.cases] == [case.name for case in alone.cases] and len(done) == len(names)
    assert shared.failures == alone.failures and list(shared.failures) == ["none"]
    assert [case.sampling.p_value for case in shared.cases] == [case.sampling.p_value for case in alone.cases]
    assert pickle.loads(pickle.dumps(shared.cases)) is not None  # what processes send
