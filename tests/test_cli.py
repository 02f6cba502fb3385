"""The command line as a user meets it."""

from __future__ import annotations

import io
import json
import logging
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import randwalk as rw
from randwalk import cli
from randwalk.jit import compile
from randwalk.terminal import output
from randwalk.terminal.streams import read_standard_input

PROBLEM = """
title = "A small walk"
[walk]
drift = "-theta * x"
diffusion = 0.5
dx = 0.2
[parameters]
theta = 1.0
[start]
point = 1.0
[run]
times = [0.5]
walkers = 1000
seed = 3
"""


def run(
    *arguments: str, cwd: Path, text: str | None = None, encoding: str = "utf-8", columns: str = "80"
) -> subprocess.CompletedProcess[str]:
    """The command in this process, with streams of its own: its exit status and what it wrote."""
    streams = [io.BytesIO((text or "").encode()), io.BytesIO(), io.BytesIO()]
    with pytest.MonkeyPatch.context() as patch:
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patch.setattr(sys, name, io.TextIOWrapper(stream, encoding=encoding, write_through=name != "stdin"))
        patch.setattr(sys, "argv", ["randwalk", *arguments])
        patch.setenv("COLUMNS", columns)
        patch.chdir(cwd)
        with pytest.raises(SystemExit) as left:
            cli.main()
        written = [stream.getvalue().decode(encoding) for stream in streams[1:]]
    return subprocess.CompletedProcess(arguments, int(left.value.code or 0), *written)


def main(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The same with the streams of pytest: the exit status."""
    monkeypatch.setattr(sys, "argv", ["randwalk", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_validate_passes_and_writes_json(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    done = run("validate", "mine.toml", "--json", "out.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all passed" in done.stdout and "order" in done.stdout
    assert json.loads((tmp_path / "out.json").read_text())["passed"]


def test_data_that_do_not_fit_exit_with_1(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("low,high,n\n-1,0,900\n0,1,100\n1,2,900\n")
    measured = '[measured]\nkind = "counts"\ncsv = "counts.csv"\nlow = "low"\nhigh = "high"\ncount = "n"\ntime = 0.5\n'
    (tmp_path / "mine.toml").write_text(PROBLEM + measured)
    done = run("validate", "mine.toml", cwd=tmp_path)
    assert done.returncode == 1 and "FAILED" in done.stdout and "data" in done.stdout


def test_simulate_and_solve(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    done = run("simulate", "mine.toml", "--out", "run.npz", cwd=tmp_path)
    assert done.returncode == 0 and "±" in done.stdout and (tmp_path / "run.npz").exists()
    done = run("solve", "mine.toml", "--out", "rho.csv", cwd=tmp_path)
    assert done.returncode == 0 and "closed form" in done.stdout
    assert (tmp_path / "rho.csv").read_text().startswith("x,rho_t=0.5\n")


def test_an_interrupted_run_shows_and_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    finished = rw.simulate(rw.Problem.load(tmp_path / "mine.toml").walk, 400, [0.5], seed=3, method="paths")

    def stop(*arguments: object, out: str, **named: object) -> None:
        finished.save(out)  # as a run that is interrupted does
        raise rw.Interrupted(finished, f"; they are in {out}: the same call goes on from there")

    monkeypatch.setattr(rw, "simulate", stop)
    arguments = ["randwalk", "simulate", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "run.npz")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capsys.readouterr()
    assert (
        left.value.code == 130
        and "400 walkers finished; they are in " in told.err
        and "400 walkers by paths" in told.out
    )
    kept = rw.Ensemble.load(tmp_path / "run.npz")
    assert (kept.raw == finished.raw).all() and kept.walkers == 400


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("diffusion = 0.5", "diffusion = -0.5"), "diffusion"),
        (("dx = 0.2", "dx = 0.2\ntypo = 1"), "mine.toml:7: unknown key 'typo'"),
        (("theta * x", "__import__('os').system('true')"), "mine.toml:4"),
        (("times = [0.5]", "times = [0.5, 0.25]"), "increase"),
        (("walkers = 1000", "walkers = 0"), "mine.toml:13: walkers"),
        (('title = "A small walk"', "title = "), "mine.toml:2"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM.replace(*change))
    done = run("validate", "mine.toml", cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert told in done.stderr and "Traceback" not in done.stderr and done.stderr.count("\n") == 1


def test_one_bad_case_is_told_in_one_line_and_the_others_go_on(tmp_path: Path) -> None:
    long = "a" * 60 + "/" + "b" * 60
    (tmp_path / long).mkdir(parents=True)
    (tmp_path / "mine.toml").write_text(PROBLEM)
    (tmp_path / long / "bad.toml").write_text(PROBLEM.replace("walkers = 1000", "walkers = 1e3"))
    done = run("validate", f"{long}/bad.toml", "mine.toml", "--json", "out.json", cwd=tmp_path)
    assert done.returncode == 2
    line = f"randwalk: {long}/bad.toml:13: walkers = 1000.0: must be a positive whole number; write 1_000\n"
    assert done.stderr == line and "bad" not in done.stdout and "mine" in done.stdout
    written = json.loads((tmp_path / "out.json").read_text())
    assert [case["name"] for case in written["cases"]] == ["mine"] and list(written["failures"]) == ["bad"]


def test_a_missing_file_exits_with_2(tmp_path: Path) -> None:
    done = run("simulate", "nowhere.toml", cwd=tmp_path)
    assert done.returncode == 2 and "nowhere.toml" in done.stderr


def test_nothing_is_left_where_the_output_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    done = run("simulate", "mine.toml", "--out", "run.xyz", cwd=tmp_path)
    assert done.returncode == 2 and ".npz" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.toml"]


POSIX = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("command", [
    "validate mine.toml --details", "validate --list", "simulate mine.toml", "solve mine.toml", "gallery --list", "info",
    "simulate --help",
])  # fmt: skip
def test_an_output_that_is_not_utf_8_gets_readable_text(tmp_path: Path, command: str) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    done = run(*command.split(), cwd=tmp_path, encoding="ascii")
    assert done.returncode == 0 and done.stdout.isascii(), done.stderr
    assert "?" not in done.stdout.replace("equation?", "").replace("stationary?", "")
    if command.startswith("simulate mine"):
        rows = done.stdout.splitlines()[1:]
        assert "+-" in rows[3] and len({len(row) for row in rows}) == 1  # the columns stand
    if command.startswith("solve"):
        assert "rho_t = -((-x)rho)_x + 0.5 rho_xx" in done.stdout


def test_another_encoding(tmp_path: Path) -> None:
    """Of the streams that Python makes itself."""
    (tmp_path / "mine.toml").write_text(PROBLEM)
    ran = subprocess.run(
        [sys.executable, "-m", "randwalk", "solve", "mine.toml"], cwd=tmp_path, env={**os.environ, **POSIX},
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0 and b"rho" in ran.stdout and b"Traceback" not in ran.stderr


def test_errors_are_readable_too(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM.replace("theta * x", "ρ * x"), encoding="utf-8")
    done = run("simulate", "mine.toml", cwd=tmp_path, encoding="ascii")
    assert done.returncode == 2 and "rho" in done.stderr


@pytest.mark.quick
@pytest.mark.parametrize("command", ["--help", "validate --list", "simulate mine.toml --out run.npz"])
def test_a_closed_pipe_is_no_evidence(tmp_path: Path, command: str) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "randwalk", *command.split()], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    os.close(writing)
    assert ran.returncode == 141
    assert [line for line in ran.stderr.splitlines() if "compiling" not in line] == []
    if "--out" in command:
        assert rw.Ensemble.load(tmp_path / "run.npz").walkers == 1000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device")
def test_an_output_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "randwalk", "info"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.returncode == 2 and ran.stderr == "randwalk: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="a POSIX device")
def test_a_report_may_go_where_the_table_goes(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    (tmp_path / "log").write_text("earlier\n")
    command = [sys.executable, "-m", "randwalk", "simulate", "mine.toml", "--json", "/dev/stdout"]
    with (tmp_path / "log").open("a") as log:
        assert subprocess.run(command, cwd=tmp_path, stdout=log, check=False).returncode == 0
    said = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert said[:2] == ["earlier", "{"] and said[-1] == "written to /dev/stdout"
    piped = subprocess.run([*command, "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert piped.returncode == 0 and json.loads(piped.stdout)["walkers"] == 1000, piped.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device")
def test_a_report_that_cannot_be_written_takes_nothing_from_the_screen(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    for command in ("simulate", "validate"):
        done = run(command, "mine.toml", "--json", "/dev/full", cwd=tmp_path)
        assert done.returncode == 2 and "0.5" in done.stdout
        assert done.stderr.splitlines()[-1] == "randwalk: /dev/full: No space left on device"


@pytest.mark.quick
@pytest.mark.parametrize("command", ["simulate", "solve", "validate"])
def test_what_goes_wrong_in_a_run_is_told_in_the_words_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PROBLEM.replace("-theta * x", "-theta * x**999"))
    assert main(command, str(file), monkeypatch=monkeypatch) == 2
    told = capsys.readouterr().err
    assert "mine" in told and "Rule." not in told and "from_drift" not in told


@pytest.mark.parametrize("option", [[], ["--quiet"]])
def test_quiet_is_quiet_while_kernels_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, option: list[str]
) -> None:
    load = rw.Problem.load

    def compiles(path: str) -> rw.Problem:
        told = SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=rw.simulate)})  # as Numba tells it
        compile._Notice().on_start(told)
        return load(path)

    (tmp_path / "mine.toml").write_text(PROBLEM)
    monkeypatch.setattr(rw.Problem, "load", compiles)
    done = run("simulate", "mine.toml", *option, cwd=tmp_path)
    assert {record.message[:27] for record in caplog.records} == (set() if option else {"randwalk: compiling kernels"})
    assert (done.returncode, done.stdout == "", done.stderr) == (0, bool(option), "")


def test_an_equation_has_no_time_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PROBLEM.replace("times = [0.5]", "times = [0]"))
    assert main("solve", str(file), monkeypatch=monkeypatch) == 2
    assert f"{file}:12: times = [0]" in capsys.readouterr().err


@pytest.mark.quick
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_at_any_time_is_one_line(tmp_path: Path) -> None:
    """While importing, while reading, while running. The process is asked from its first import inside `main` on: what Python
    does before that nobody can catch."""
    (tmp_path / "mine.toml").write_text(PROBLEM)
    code = (
        "import sys; from randwalk.cli import main\n"
        "class Told:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'randwalk.launch':\n"
        "            print('here', flush=True)\n"
        "sys.meta_path.insert(0, Told)\n"
        "main()"
    )
    for delay in (0.0, 0.05, 0.15, 0.3, 0.5, 0.8, 1.5):
        process = subprocess.Popen(
            [sys.executable, "-c", code, "simulate", "mine.toml", "--walkers", str(10**12), "--method", "paths"],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None and process.stdout.readline() == "here\n"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=120)[1]
        lines = [line for line in told.splitlines() if "compiling" not in line]
        assert process.returncode == 130 and len(lines) == 1 and "randwalk: interrupted" in lines[0], (delay, told)


def test_an_import_that_ctrl_c_turns_into_another_error_is_still_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **named: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("numpy failed to import") from None

    monkeypatch.setattr(rw.Problem, "load", broken)
    assert main("solve", "mine.toml", monkeypatch=monkeypatch) == 130
    assert capsys.readouterr().err == "randwalk: interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_ctrl_c_that_a_finalizer_hears_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def load(*arguments: object, **named: object) -> None:
        Finalized()
        time.sleep(20.0)

    monkeypatch.setattr(rw.Problem, "load", load)
    begun = time.monotonic()
    assert main("solve", "mine.toml", monkeypatch=monkeypatch) == 130
    assert time.monotonic() - begun < 10.0 and capsys.readouterr().err == "randwalk: interrupted\n"
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_ends_a_compiler(threads: str, tmp_path: Path) -> None:
    """Which would go on for ten seconds and more (here: sleeps, deaf to signals as LLVM is)."""
    (tmp_path / "mine.toml").write_text(PROBLEM)
    code = (
        "import ctypes, sys; from randwalk.jit import compile; from randwalk.cli import main\n"
        "def slow(self, *given):\n"
        "    print('compiling', flush=True)\n"
        "    ctypes.CDLL(None).sleep(30)\n"
        "compile.KernelCache.load_overload = slow\n"
        "main()"
    )
    command = ("simulate", "mine.toml", "--method", "paths", "--threads", threads)
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "compiling\n"
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 130 and time.monotonic() - begun < 10.0
    how = "with --out run.npz the same command goes on from what is finished"
    assert told == f"randwalk: interrupted before any walkers were finished; {how}\n"


def test_a_fault_of_the_program_is_no_evidence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rw.Problem, "load", lambda path: {}[path])
    assert main("solve", "mine.toml", monkeypatch=monkeypatch) == 70
    told = capsys.readouterr().err
    assert "Traceback" in told and "please report" in told


@pytest.mark.quick
@pytest.mark.parametrize(("option", "told"), [
    (["simulate", "mine.toml", "--out", "no/run.npz"], "--out no/run.npz: there is no folder no; make it (mkdir -p no)"),
    (["simulate", "mine.toml", "--out", "./mine.toml/run.nc"], "--out ./mine.toml/run.nc: Not a directory"),
    (["simulate", "mine.toml", "--json", "."], "--json .: this is a folder"),
    (["simulate", "mine.toml", "--out", "r.nc", "--json", "./r.nc"], "--json ./r.nc: this is the file of --out"),
    (["simulate", "mine.toml", "--json", "no//r.json"], "--json no//r.json: there is no folder no"),
    (["simulate", "mine.toml", "--out", "run.csv"], "--out run.csv: must end in .npz or .nc"),
    (["solve", "mine.toml", "--out", "rho.npz"], "--out rho.npz: must end in .csv"),
    (["solve", "mine.toml", "--out", "a" * 300 + ".csv"], "File name too long"),
    (["validate", "mine.toml", "--json", "no/r.json"], "--json no/r.json: there is no folder no"),
    (["gallery", "--out", "mine.toml"], "--out mine.toml: this is a file, not a folder"),
    (["gallery", "--out", "mine.toml/figures"], "is a file, not a folder"),
])  # fmt: skip
def test_outputs_are_tried_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: list[str], told: str
) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rw.Problem, "load", lambda path: pytest.fail("it ran"))
    assert main(*option, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr()
    assert told in said.err and said.err.count("\n") == 1 and said.out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["mine.toml"]


def test_a_missing_extra_is_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "find_spec", lambda name: None if name == "h5netcdf" else object())
    assert main("simulate", "x.toml", "--out", str(tmp_path / "run.nc"), monkeypatch=monkeypatch) == 2
    assert "h5netcdf" in (said := capsys.readouterr().err) and 'pip install "randwalk-pde[io]"' in said


def test_a_disk_that_is_full_at_last_takes_nothing_from_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: rw.Ensemble, path: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "mine.toml").write_text(PROBLEM)
    monkeypatch.setattr(rw.Ensemble, "save", full)
    arguments = ("simulate", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "run.npz"))
    assert main(*arguments, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr()
    assert "1,000 walkers" in said.out and "written to" not in said.out and "No space left" in said.err


@pytest.mark.skipif(os.name == "nt", reason="links and devices are POSIX")
def test_links_stay_links_and_pipes_are_written_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there")
    output.write_text(output.check_output("--json", tmp_path / "link"), "1")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "there").read_text() == "1"
    output.write_text(output.check_output("--json", "/dev/null"), "1")
    assert Path("/dev/null").is_char_device()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "there"]


@pytest.mark.quick
def test_options_everybody_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("--version", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == f"randwalk {rw.__version__}\n"
    for command in ([], ["validate"], ["simulate"], ["solve"], ["gallery"], ["info"]):
        assert main(*command, "-h", monkeypatch=monkeypatch) == 0
        assert "Usage: " in capsys.readouterr().out
    assert main("simulat", monkeypatch=monkeypatch) == 2 and "Did you mean 'simulate'?" in capsys.readouterr().err
    assert main("validate", "lasy_line", monkeypatch=monkeypatch) == 2
    assert "did you mean 'lazy_line'?" in capsys.readouterr().err
    (tmp_path / "mine.toml").write_text(PROBLEM)
    for command in (["simulate"], ["solve"], ["validate", "--walkers", "1000"]):
        assert main(*command, str(tmp_path / "mine.toml"), "--quiet", monkeypatch=monkeypatch) == 0
        assert not logging.getLogger("randwalk").level
        assert capsys.readouterr().out == ""
    assert main("--show-completion", "bash", monkeypatch=monkeypatch) == 0
    assert "_RANDWALK_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(("given", "told"), [
    ("1e6", "'1e6' is not a whole number: write 1_000_000"), ("2.5", "'2.5' is not a whole number"), ("many", "'many' is not"),
    ("nan", "'nan' is not"), ("0", "0 must be at least 1"), ("-3", "-3 must be at least 1"),
])  # fmt: skip
def test_walkers_are_whole_numbers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str, told: str
) -> None:
    assert main("validate", "lazy_line", f"--walkers={given}", monkeypatch=monkeypatch) == 2
    assert told in capsys.readouterr().err


def test_one_case_without_its_details(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    for option, shown in (("--no-details", False), ("--details", True), (None, True)):
        assert (
            main("validate", str(tmp_path / "mine.toml"), *([option] if option else []), monkeypatch=monkeypatch) == 0
        )
        assert ("2 discretisation" in capsys.readouterr().out) == shown


@pytest.mark.parametrize("command", ["simulate", "solve", "validate"])
def test_a_problem_from_standard_input(tmp_path: Path, command: str) -> None:
    done = run(command, "-", cwd=tmp_path, text="\ufeff" + PROBLEM)
    assert done.returncode == 0 and "0.5" in done.stdout, done.stderr
    done = run(command, "-", cwd=tmp_path, text=PROBLEM.replace("dx = 0.2", "dx = -1"))
    assert done.returncode == 2 and "standard input:" in done.stderr and done.stderr.count("\n") == 1


def test_standard_input_is_bounded_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for content, told in (
        (b"a" * (1 << 20) + b"a", "1,048,576 bytes"),
        (b"a\n\xff", "standard input:2: the byte 0xff"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        with pytest.raises(ValueError, match=told):
            read_standard_input()


def test_rows_are_whole_however_narrow_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PROBLEM)
    for command in ("simulate", "solve"):
        done = run(command, "mine.toml", cwd=tmp_path, columns="20")
        (row,) = (line for line in done.stdout.splitlines() if line.startswith("│"))
        assert "…" not in row and row.split("│")[1].strip() == "0.5"
        if command == "simulate":
            ensemble = rw.simulate(rw.Problem.load(tmp_path / "mine.toml").walk, 1000, [0.5], seed=3)
            assert str(ensemble.mean(0.5)) in row and str(ensemble.variance(0.5)) in row


def test_estimates_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    walls = '[domain]\nlow = 0.0\nhigh = inf\nleft = "absorbing"\n'
    (tmp_path / "mine.toml").write_text(PROBLEM + walls)
    arguments = ("simulate", str(tmp_path / "mine.toml"), "--json", str(tmp_path / "run.json"))
    assert main(*arguments, monkeypatch=monkeypatch) == 0 and "written to" in capsys.readouterr().out
    data = json.loads((tmp_path / "run.json").read_text())
    problem = rw.Problem.load(tmp_path / "mine.toml")
    ensemble = rw.simulate(problem.walk, problem.walkers, problem.times, seed=problem.seed)
    (row,) = data["times"]
    assert (data["walkers"], data["seed"], row["time"]) == (1000, 3, 0.5)
    for name, estimate in (
        ("alive", ensemble.survival(0.5)), ("mean", ensemble.mean(0.5)), ("variance", ensemble.variance(0.5)),
    ):  # fmt: skip
        assert row[name] == {"value": float(estimate.value), "error": float(estimate.error)}
    assert row["passed"]["left"]["value"] == float(ensemble.absorbed("left", [0.5]).value[0])


def test_solve_prints_moments_on_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An Ornstein–Uhlenbeck process from 1: mean e⁻ᵗ, variance (1 - e⁻²ᵗ)/2, to the tolerance of 1e-5."""
    (tmp_path / "mine.toml").write_text(PROBLEM)
    assert main("solve", str(tmp_path / "mine.toml"), monkeypatch=monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    headings = [cell.strip() for cell in next(line for line in lines if "survival" in line).strip("┃").split("┃")]
    cells = [cell.strip() for cell in next(line for line in lines if line.startswith("│")).strip("│").split("│")]
    row = dict(zip(headings, map(float, cells), strict=True))
    for name, right in (("survival", 1.0), ("mean", math.exp(-0.5)), ("sd", math.sqrt((1 - math.exp(-1.0)) / 2))):
        assert row[name] == pytest.approx(right, abs=3e-5)
        assert row[f"{name}, closed form"] == pytest.approx(right, rel=1e-5)


def test_listings(tmp_path: Path) -> None:
    done = run("validate", "--list", cwd=tmp_path)
    assert done.returncode == 0 and "catches" in done.stdout and "gamblers_ruin" in done.stdout
    assert "stream" in run("info", cwd=tmp_path).stdout
