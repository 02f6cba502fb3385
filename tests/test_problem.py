"""Problem files: what is written reads back, and what is wrong is told with file, line and remedy."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import randwalk as rw
from randwalk.model.walk import Rule
from randwalk.problem import Problem, ProblemError, Source, dumps, walk_data

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()

FULL = """\
title = "Drift towards a wall"

[parameters]
v = 1.0
D = 0.5

[walk]
drift = "-v + 0.1*sin(x)"
diffusion = "D"
dx = 0.05
rule = "linear"
killing = 0.2

[domain]
low = 0.0
high = inf
left = "absorbing"

[start]
point = 1.0

[run]
times = [0.5, 1.0]
walkers = 2_000
seed = 7
"""


def test_a_full_file() -> None:
    problem = Problem.of(Source.parse(FULL, "full.toml"))
    walk = rw.LatticeWalk.from_drift(
        rw.expression("-1 + 0.1*sin(x)"),
        0.5,
        dx=0.05,
        domain=rw.Interval(0, math.inf, ABSORB),
        start=1.0,
        killing=0.2,
        rule=Rule.LINEAR,
        times=[0.5, 1.0],
    )
    assert problem == Problem(walk, (0.5, 1.0), walkers=2000, seed=7, title="Drift towards a wall")
    assert rw.simulate(problem.walk, problem.walkers, problem.times, seed=problem.seed).walkers == 2000


def test_what_may_be_left_out() -> None:
    problem = Problem.of(Source.parse("[walk]\nright = 0.5\nleft = 0.5\ndx = 1\ndt = 1\n[run]\ntimes = [3]\n"))
    assert problem == Problem(rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), (3.0,))


WALKS = [
    rw.LatticeWalk(0.3, 0.4, dx=0.1, dt=0.01),
    rw.LatticeWalk(
        1 / 3,
        rw.expression("0.1 + 0.2/(1 + x**2)"),
        dx=0.1,
        dt=0.01,
        start=rw.Normal(0.1, 0.7),
        killing=rw.expression("x**2*exp(-t)"),
    ),
    rw.LatticeWalk(
        np.linspace(0.1, 0.5, 9), 0.4, sites=9, domain=rw.Interval(0, 1, ABSORB, ABSORB), start=rw.Uniform(0.2, 0.3)
    ),
    rw.LatticeWalk(0.3, 0.4, sites=9, domain=rw.Ring(-1, 1), start=rw.Sites([0.1, 0.7], [0.25, 0.75])),
    rw.LatticeWalk.from_drift(
        rw.Affine(1, -2), 0.3, sites=9, domain=rw.Interval(0, 1, REFLECT, rw.PartiallyAbsorbing(0.3)), start=0.4
    ),
    rw.LatticeWalk.from_drift(
        rw.Tanh(1, 2, 0.3), rw.expression("1 + 0.1*cos(x)"), dx=0.1, rule=Rule.FITTED, convention=rw.Convention.FICK
    ),
    rw.LatticeWalk.from_drift(
        rw.expression("-x + cos(3*t)"), 0.5, dx=0.1, times=[1.0], domain=rw.Interval(-math.inf, 3, None, ABSORB)
    ),
    rw.LatticeWalk.from_drift(0.7, 0.5, dx=0.1, rule=Rule.TWO_WAY),
    rw.LatticeWalk.from_drift(
        rw.Table([0, 1], [0.5, -0.5]), 0.5, sites=9, domain=rw.Interval(0, 1, REFLECT, REFLECT), start=0.5
    ),
]


@pytest.mark.parametrize("case", range(len(WALKS)))
def test_round_trip(case: int) -> None:
    """The same walk, field by field: a file is as good as the declaration."""
    walk = WALKS[case]
    problem = Problem(walk, (walk.dt * 4, walk.dt * 10), walkers=123, seed=9, title="a title")
    text = problem.dumps()
    again = Problem.of(Source.parse(text))
    assert again.walk.rule is walk.rule and again.walk.lattice == walk.lattice
    x = walk.lattice.x(np.arange(4))
    for name in ("right", "left", "killing", "drift", "diffusion"):
        np.testing.assert_allclose(
            getattr(again.walk, name)(x, 0.3), getattr(walk, name)(x, 0.3), rtol=1e-15, atol=1e-18
        )
    assert (again.times, again.walkers, again.seed, again.title) == (problem.times, 123, 9, "a title")
    assert again.walk.domain == walk.domain and again.walk.start == walk.start
    assert Problem.of(Source.parse(again.dumps())) == again


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.floats(0.01, 0.99),
    st.floats(1e-9, 1e9),
    st.integers(0, 2**63 - 1),
)
def test_round_trip_of_texts_and_numbers(title: str, p: float, dx: float, seed: int) -> None:
    problem = Problem(rw.LatticeWalk(p, 1 - p, dx=dx, dt=0.1), (0.1, 0.7), walkers=10, seed=seed, title=title)
    assert Problem.of(Source.parse(problem.dumps())) == problem


def test_numbers_of_numpy_are_written_as_numbers() -> None:
    f = np.float64
    walk = rw.LatticeWalk(
        f(0.25), f(0.5), dx=f(0.1), dt=f(0.5), domain=rw.Interval(f(0), f(1), REFLECT, REFLECT), start=rw.Point(f(0.5))
    )
    data = tomllib.loads(dumps(walk_data(walk)))
    assert data["walk"]["right"] == 0.25 and data["domain"]["low"] == 0.0 and data["start"]["point"] == 0.5


def test_opaque_functions_cannot_be_written() -> None:
    for opaque in (
        rw.LatticeWalk(lambda x: 0.5 + 0 * float(x), 0.4, dx=1.0),
        rw.LatticeWalk.from_drift(lambda x: -float(x), 0.5, dx=0.1),
    ):
        with pytest.raises(
            ValueError, match=r"a Python function cannot be written to a file: declare it with rw\.expression"
        ):
            Problem(opaque, (1.0,)).dumps()
    with pytest.raises(ValueError, match="cannot be written to a file"):
        Problem(rw.LatticeWalk(rw.Table([-9, 9], [0.2, 0.3]) * 0.5 + 0.1, 0.4, dx=1.0), (1.0,)).dumps()


# ---------------------------------------------------------------- errors

WALK = "[walk]\ndrift = 0.5\ndiffusion = 0.5\ndx = 0.1\n"  # lines 1 to 4
RUN = "[run]\ntimes = [1.0]\n"

ERRORS = [
    ("x = [1\n", r"p\.toml:1: ", "an array without an end"),
    ("[walk]\ndx = = 1\n", r"p\.toml:2: ", "broken TOML"),
    ("a = 1\na = 2\n", r"p\.toml:2: ", "a key twice"),
    (WALK + RUN + "[plot]\n", r"p\.toml:7: unknown table or key 'plot'; known are title", "unknown table"),
    (WALK + "dy = 3\n" + RUN, r"p\.toml:5: unknown key 'dy' in \[walk\]; known are dx, sites", "unknown key"),
    (WALK, r"p\.toml:1: \[run\] needs times", "no run"),
    ("walk = 3\n" + RUN, r"p\.toml:1: \[walk\] must be a table", "walk is a number"),
    ("[walk]\ndrift = 1\ndx = 0.1\n" + RUN, r"p\.toml:1: \[walk\] needs diffusion", "no diffusion"),
    ("[walk]\nright = 1\ndx = 0.1\ndt = 1\n" + RUN, r"p\.toml:1: \[walk\] needs left", "no left"),
    ("[walk]\nright = 0.5\nleft = 0.5\ndx = 0.1\n" + RUN, r"p\.toml:1: \[walk\] needs dt", "no dt"),
    (WALK + "right = 0.5\n" + RUN, r"p\.toml:5: \[walk\] has both drift and right", "both"),
    (
        "[walk]\nright = 0.5\nleft = 0.5\ndx = 1\ndt = 1\nrule = 'linear'\n" + RUN,
        r"p\.toml:6: rule goes with drift",
        "rule",
    ),
    (WALK.replace("0.5", '"-y"', 1) + RUN, r"p\.toml:2: unknown name 'y' in the formula '-y'", "unknown name"),
    (WALK.replace("0.5", '"__import__(1)"', 1) + RUN, r"p\.toml:2: .* is not allowed in the formula", "call"),
    (WALK.replace("0.5", "[1]", 1) + RUN, r"p\.toml:2: drift = \[1\]: must be a number, a formula", "list"),
    (WALK.replace("0.5", "true", 1) + RUN, r"p\.toml:2: drift = True: must be a number", "boolean"),
    (WALK.replace("0.5", "nan", 1) + RUN, r"p\.toml:2: a coefficient must be a finite number", "nan"),
    (WALK.replace("0.5", "{x = [0, 1], values = [1]}", 1) + RUN, r"p\.toml:2: a table needs two", "short table"),
    (
        WALK.replace("0.5", '{csv = "no.csv", x = "a", value = "b"}', 1) + RUN,
        r"p\.toml:2: .*no\.csv cannot be read",
        "no CSV",
    ),
    (
        WALK.replace("0.5", '{csv = "bad.csv", x = "a", value = "b"}', 1) + RUN,
        r"p\.toml:2: .*bad\.csv, line 3: 'oops'",
        "bad CSV",
    ),
    (
        WALK.replace("0.5", '{csv = "bad.csv", x = "a"}', 1) + RUN,
        r"p\.toml:2: drift = \{.*must be a number",
        "CSV without a column",
    ),
    (WALK.replace("0.1", "-0.1") + RUN, r"p\.toml:4: dx = -0.1: must be positive", "negative dx"),
    (WALK.replace("0.1", "'a'") + RUN, r"p\.toml:4: dx = 'a': must be a number", "dx is a text"),
    (WALK + "rule = 'magic'\n" + RUN, r"p\.toml:5: rule = 'magic': must be one of exact_variance, linear", "rule"),
    (WALK + "dt = 0.3\n" + RUN, r"p\.toml:5: right \+ left = .*take dt", "too large a step"),
    (WALK + "[domain]\nlow = 0\nhigh = 1\n" + RUN, r"p\.toml:6: the left end, at x = 0, needs a wall", "no walls"),
    (
        WALK + "[domain]\nlow = 1\nhigh = 0\nring = true\n" + RUN,
        r"p\.toml:6: Ring: low = 1.0 must be less",
        "ends swapped",
    ),
    (WALK + "[domain]\nlow = 'a'\n" + RUN, r"p\.toml:6: low = 'a': must be a number", "low is a text"),
    (
        WALK + "[domain]\nlow = 0\nhigh = 1\nring = true\nleft = 'absorbing'\n" + RUN,
        r"p\.toml:8: a ring has no walls",
        "ring and walls",
    ),
    (
        WALK + "[domain]\nlow = 0\nhigh = 1\nring = 1\n" + RUN,
        r"p\.toml:8: ring = 1: must be true or false",
        "ring is a number",
    ),
    (
        WALK + "[domain]\nlow = 0\nleft = 'sticky'\n" + RUN,
        r"p\.toml:7: left = 'sticky': must be \"absorbing\"",
        "unknown wall",
    ),
    (
        WALK + "[domain]\nlow = 0\nleft = {reactivity = -1}\n" + RUN,
        r"p\.toml:7: reactivity = -1.0: must be positive",
        "reactivity",
    ),
    (WALK + "[start]\npoint = 'a'\n" + RUN, r"p\.toml:6: point = 'a': must be a number", "start is a text"),
    (
        WALK + "[start]\npoint = 1\nnormal = {mean = 0, sd = 1}\n" + RUN,
        r"p\.toml:5: \[start\] has point, normal: give one",
        "two starts",
    ),
    (WALK + "[start]\nnormal = {mean = 0}\n" + RUN, r"p\.toml:6: normal = .*must be \{mean = …, sd = …\}", "no sd"),
    (WALK + "[start]\nnormal = {mean = 0, sd = -1}\n" + RUN, r"p\.toml:6: Normal: .*positive", "negative sd"),
    (WALK + "[start]\nuniform = {low = 'a', high = 1}\n" + RUN, r"p\.toml:6: ", "uniform with a text"),
    (
        WALK + "[start]\nsites = {x = [1, 2], masses = [0.5, 0.6]}\n" + RUN,
        r"p\.toml:6: Sites: the masses sum to 1.1",
        "masses",
    ),
    (WALK + "[start]\npint = 1\n" + RUN, r"p\.toml:6: unknown key 'pint' in \[start\]", "unknown start"),
    (WALK + "[run]\ntimes = 1.0\n", r"p\.toml:6: times = 1.0: must be a list of numbers", "times is a number"),
    (WALK + "[run]\ntimes = []\n", r"p\.toml:6: times = \[\]", "no times"),
    (WALK + "[run]\ntimes = [1.0, 0.5]\n", r"p\.toml:6: times must increase", "times decrease"),
    (
        WALK + "dt = 0.003\n[run]\ntimes = [1.0]\n",
        r"p\.toml:7: time 1 is not a whole number of steps",
        "times off the grid",
    ),
    (WALK + RUN + "walkers = 0\n", r"p\.toml:7: walkers = 0: must be a positive whole number", "no walkers"),
    (
        WALK + RUN + "walkers = 1e6\n",
        r"p\.toml:7: walkers = 1000000.0: must be a positive whole number; write 1_000_000$",
        "walkers is a float",
    ),
    (WALK + RUN + "seed = -1\n", r"p\.toml:7: seed = -1: must be a whole number", "negative seed"),
    (WALK + RUN + "seed = true\n", r"p\.toml:7: seed = True", "boolean seed"),
    ("parameters = 3\n" + WALK + RUN, r"p\.toml:1: \[parameters\] must be a table", "parameters is a number"),
    ("[parameters]\nv = 'a'\n" + WALK + RUN, r"p\.toml:2: the parameter v must be a number", "parameter is a text"),
]


@pytest.mark.parametrize(("text", "message", "name"), ERRORS, ids=[error[2] for error in ERRORS])
def test_errors_name_the_line(text: str, message: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n0,1\n1,oops\n")
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProblemError, match=message):
        Problem.load(path)


def test_csv_beside_the_problem_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "drift.csv").write_text("x,a\n-5,1\n5,-1\n")
    (tmp_path / "p.toml").write_text(WALK.replace("0.5", '{csv = "data/drift.csv", x = "x", value = "a"}', 1) + RUN)
    problem = Problem.load(tmp_path / "p.toml")
    assert float(problem.walk.drift(2.5)) == -0.5
    again = Problem.of(Source.parse(problem.dumps()))  # the table goes into the file
    assert again.walk.drift == problem.walk.drift


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"no\.toml cannot be read: .*No such file"):
        Problem.load(tmp_path / "no.toml")
    with pytest.raises(ProblemError, match=r"cannot be read: .*directory"):
        Problem.load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProblemError, match="cannot be read"):
        Problem.load(tmp_path / "binary.toml")
    with pytest.raises(ProblemError, match=r"deep\.toml:\d+: "):
        Source.parse("a = " + "[" * 5000, "deep.toml")


def test_lines_are_found_in_odd_layouts() -> None:
    source = Source.parse('# [walk]\n\n [ walk ]\n  "dx" = 1 # drift = 2\ndrift.x = 1\n[run]\ndx = 3\n')
    assert source.line("walk") == 3 and source.line("walk", "dx") == 4 and source.line("walk", "drift") == 5
    assert source.line("run", "dx") == 7 and source.line("walk", "nowhere") == 3 and source.line("nowhere") == 1


# ---------------------------------------------------------------- parameters, lines, and the other tables


def test_parameters_may_stand_wherever_a_number_does() -> None:
    names = "[parameters]\nL = 2.0\nn = 40\nK = 1.5\n"
    walk = '[walk]\ndrift = "-K"\ndiffusion = "K/3"\ndx = "L/n"\ndt = "1/n**2/8"\nkilling = "K/8"\n'
    domain = '[domain]\nlow = "-L/2"\nhigh = "L/2"\nleft = {reactivity = "K/L"}\nright = "reflecting"\n'
    run = '[run]\ntimes = ["L/4", 1.0]\nwalkers = "100*n"\nseed = "n"\n'
    more = '[solve]\ntolerance = "1/n"\n[validate]\nwalkers = "n"\nseed = 5\n'
    starts: dict[str, rw.model.start.Start] = {
        'point = "L/8"': rw.Point(0.25), 'normal = {mean = "L/40", sd = "L/40"}': rw.Normal(0.05, 0.05),
        'uniform = {low = "-L/4", high = "L/4"}': rw.Uniform(-0.5, 0.5),
        'sites = {x = [0, "L/4"], masses = ["1/L", 0.5]}': rw.Sites([0, 0.5], [0.5, 0.5]),
    }  # fmt: skip
    for text, start in starts.items():
        problem = Problem.of(Source.parse(f"{names}{walk}{domain}[start]\n{text}\n{run}{more}"))
        expected = rw.LatticeWalk.from_drift(
            -1.5, 0.5, dx=0.05, dt=1 / 12800, killing=0.1875, start=start,
            domain=rw.Interval(-1.0, 1.0, rw.PartiallyAbsorbing(0.75), REFLECT),
        )  # fmt: skip
        assert problem == Problem(
            expected, (0.5, 1.0), walkers=4000, seed=40, tolerance=1 / 40, validation_walkers=40, validation_seed=5
        )
        assert Problem.of(Source.parse(problem.dumps())) == problem
    sites = Problem.of(
        Source.parse(names + walk.replace('dx = "L/n"', 'sites = "n"').replace("/8", "/80") + domain + run)
    )
    assert sites.walk.lattice.sites == 40


LINES = [  # what is put in place of a line of FULL, and the line and the words of the complaint
    ("dx = 0.05", "dx = [\n]", 10, "dx = []: must be a number, or a formula of [parameters] in quotes"),
    ("dx = 0.05", "dx = 'x'", 10, "dx = 'x': must be a number, and depends on x or t"),
    ("dx = 0.05", "dx = 'w'", 10, "dx = 'w': must be a number, or a formula of [parameters]: unknown name 'w'"),
    ("dx = 0.05", "dx = inf", 10, "dx = inf: must be positive and finite"),
    ("dx = 0.05", "dx = 0x" + "f" * 4000, 10, "dx = a number of thousands of digits: is too large"),
    ("dx = 0.05", "sites = 3.0", 10, "sites = 3.0: must be a positive whole number; write 3"),
    ("dx = 0.05", "sites = 30", 10, "sites = 30 needs a bounded domain"),
    ('rule = "linear"', 'rule = "liner"', 11, "rule = 'liner': must be one of exact_variance, linear, two_way, fitted"),
    ('rule = "linear"', "convention = 3", 11, "convention = 3: must be one of ito, stratonovich, fick"),
    ("killing = 0.2", "dxx = 1", 12, "unknown key 'dxx' in [walk]"),
    ('diffusion = "D"', "diffusion = 0.0", 9, "diffusion = 0: must be a positive number"),
    ('diffusion = "D"', 'diffusion = {x = [0, "D"], values = [0, "q"]}', 9, "values = 'q': must be a number"),
    ("D = 0.5", "D = true", 5, "the parameter D must be a number, not True"),
    ("D = 0.5", "D = nan", 5, "the parameter D must be a finite number, not nan"),
    ("D = 0.5", "D = 1" + "0" * 400, 5, "D = 1000"),
    ("D = 0.5", "D = 0.5\nx = 1.0", 6, "the parameter name 'x' is taken"),
    ("D = 0.5", "D = 0.5\nlambda = 1.0", 6, "the parameter 'lambda' cannot be written in a formula"),
    ("D = 0.5", 'D = 0.5\n"a b" = 1.0', 6, "the parameter 'a b' cannot be written in a formula"),
    ('left = "absorbing"', 'left = "absorb"', 17, "did you mean 'absorbing'?"),
    ('left = "absorbing"', 'left = {reactivity = "-D"}', 17, "reactivity = -0.5: must be positive and finite"),
    ('left = "absorbing"', "", 15, 'the left end, at x = 0, needs a wall: left = "absorbing", "reflecting" or {reactivity'),
    ('left = "absorbing"', 'left = "absorbing"\nright = "reflecting"', 18, "right = 'reflecting': needs high"),
    ("low = 0.0", "low = 'inf'", 15, "low = 'inf': write inf without quotes"),
    ("low = 0.0", "low = nan", 15, "low = nan must be less than high"),
    ("point = 1.0", "point = -1.0", 20, "start = Point(x=-1.0) lies outside"),
    ("point = 1.0", "point = nan", 20, "the start must be a finite number"),
    ("point = 1.0", "normal = {mean = 1.0, sd = 'D/1000'}", 20, "sd = 0.0005 is narrower than dx"),
    ("point = 1.0", "[start.uniform]\nlow = 3\nhigh = [1]", 22, "high = [1]: must be a number"),
    ("times = [0.5, 1.0]", "times = [\n0.5,\n'no']", 23, "times = 'no': must be a number"),
    ("times = [0.5, 1.0]", "times = 1.0", 23, "times = 1.0: must be a list of numbers; write [1.0]"),
    ("walkers = 2_000", "walkers = 1e6", 24, "walkers = 1000000.0: must be a positive whole number; write 1_000_000"),
    ("walkers = 2_000", "walkers = 'D'", 24, "walkers = 'D': must be a positive whole number"),
    ("walkers = 2_000", "walkers = 0x" + "f" * 4000, 24, "walkers = a number of thousands of digits: must be at most 2**53"),
    ("seed = 7", "seed = 7.0", 25, "seed = 7.0: must be a whole number; write 7"),
    ("seed = 7", "seed = 7\n[solve]\ntolerence = 1", 27, "did you mean 'tolerance'?"),
    ("seed = 7", "seed = 7\n[solve]\ntolerance = 1", 27, "tolerance = 1: must lie between 0 and 1"),
    ("seed = 7", "seed = 7\n[validate]\nwalkers = 1e5", 27, "walkers = 100000.0: must be a positive whole number; write 100_000"),
    ("seed = 7", "seed = 7\n[[validate]]\nwalkers = 5", 26, "[validate] must be a table"),
    ("seed = 7", "seed = 7\n[valid]", 26, "did you mean 'validate'?"),
    ("seed = 7", "seed = " + "9" * 5000, 25, "digits"),
    ('title = "Drift towards a wall"', "title = 3", 1, "title = 3: must be a text in quotes"),
    ('title = "Drift towards a wall"', 'catches = """\n[walk]\ndx = 3"""\ntitle = 3', 4, "title = 3: must be a text"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "told"), LINES, ids=[f"{i}" for i in range(len(LINES))])
def test_the_line_is_that_of_the_key(old: str, new: str, line: int, told: str) -> None:
    assert old in FULL
    with pytest.raises(ProblemError) as error:
        Problem.of(Source.parse(FULL.replace(old, new), "full.toml"))
    assert str(error.value).startswith(f"full.toml:{line}: ") and told in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_remedies_are_in_the_words_of_the_file() -> None:
    """What a message says to write is written, and read."""
    text = "[walk]\ndrift = 50.0\ndiffusion = 0.5\ndx = 0.1\ndt = 0.003\n[run]\ntimes = [1.0]\n"
    with pytest.raises(ProblemError, match=r"p\.toml:7: time 1 is not a whole number of steps.*leave dt out") as error:
        Problem.of(Source.parse(text.replace("50.0", "0.5"), "p.toml"))
    assert "from_drift" not in str(error.value)
    assert Problem.of(Source.parse(text.replace("50.0", "0.5").replace("dt = 0.003\n", ""))).times == (1.0,)
    with pytest.raises(ProblemError) as error:
        Problem.of(Source.parse(text.replace("dt", 'rule = "linear"\ndt'), "p.toml"))
    assert "Rule." not in str(error.value) and 'or rule = "fitted" without dt' in str(error.value)
    assert Problem.of(Source.parse(text.replace("dt = 0.003", 'rule = "fitted"'))).walk.rule is Rule.FITTED


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_marks_and_ends_of_lines_of_other_editors(ends: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", ends).encode())
    assert Problem.load(tmp_path / "p.toml") == Problem.of(Source.parse(FULL))
    assert Problem.of(Source.parse("\ufeff" + FULL)) == Problem.of(Source.parse(FULL))
    (tmp_path / "q.toml").write_bytes(
        b"\xef\xbb\xbf" + FULL.replace("seed = 7", "seed = -7").replace("\n", ends).encode()
    )
    with pytest.raises(ProblemError, match=r"q\.toml:25: seed = -7"):
        Problem.load(tmp_path / "q.toml")


def test_a_problem_file_is_small(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(FULL + "#" * (1 << 20))
    with pytest.raises(
        ProblemError, match=r"p\.toml cannot be read: has 1,0\d\d,\d\d\d bytes: at most 1,048,576 are read"
    ):
        Problem.load(tmp_path / "p.toml")
    (tmp_path / "q.toml").write_bytes(FULL.replace("towards", "t\xfc").encode("latin-1"))
    with pytest.raises(ProblemError, match=r"q\.toml cannot be read: line 1: the byte 0xfc is not UTF-8"):
        Problem.load(tmp_path / "q.toml")


def test_times_without_a_common_measure_are_written() -> None:
    times = (1.3464589594272631, 2.0)
    walk = rw.LatticeWalk.from_drift(0.0, 0.5, dx=0.1, times=times)
    problem = Problem(walk, times)
    again = Problem.of(Source.parse(problem.dumps()))
    assert again == problem and again.walk.steps(times) == walk.steps(times)
    assert again.walk.inexact_times == walk.inexact_times != ()
