"""What a notebook shows: small plots beside the text, and equations in TeX."""

from __future__ import annotations

import base64
import math
import re
from typing import Any

import matplotlib.mathtext
import numpy as np
import pytest

import randwalk as rw
from randwalk.laws.plotting import in_notebook

MIRROR, CURVED = rw.Reflecting(), rw.expression("0.5 - x**2")
WALK = rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0, domain=rw.Interval(-5.0, math.inf, rw.Absorbing()))
PICTURE = re.compile(r'<img alt="[^"]*" src="data:image/png;base64,([^"]+)">')


def picture(html: str | None) -> bytes:
    found = PICTURE.search(html or "")
    assert found, html
    return base64.b64decode(found[1])


def test_laws_samples_and_results_have_a_small_plot() -> None:
    passages = rw.FirstPassage()
    run = rw.simulate(WALK, 2000, [4, 8], seed=1, record=[passages])
    law = rw.pde.exact_law(WALK, [4, 8])
    for thing in (run, law, run[passages], rw.validate.compare(run, law)):
        html = thing._repr_html_() or ""
        assert picture(html).startswith(b"\x89PNG") and len(picture(html)) < 30_000
        assert repr(thing).split("\n")[0].split(" < ")[0] in (html or "").replace("&#x27;", "'")
    assert "<table>" in (run._repr_html_() or "")


def test_data_and_fits_have_a_small_plot() -> None:
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    rng = np.random.default_rng(1)
    data = rw.FirstPassageTimes(rng.wald(1.0, 2.0, 60), "left")
    beyond = rw.Interval(0.0, math.inf, rw.Absorbing())
    fit = rw.fit(data, lambda v=1.0: rw.pde.FokkerPlanck(drift=-v, diffusion=0.25, domain=beyond, start=1.0))
    tracks = rw.Tracks(None, np.arange(40.0), np.cumsum(rng.normal(size=(40, 2)), axis=0))
    paths = rw.trajectories(WALK, 70, [0.0, 1.0, 2.0], seed=1)
    for thing in (data, fit, fit.profile("v"), tracks, tracks.fit(), tracks.msd(), paths):
        html = thing._repr_html_() or ""
        assert picture(html).startswith(b"\x89PNG") and repr(thing).split("(")[0] in html
    assert len(picture(paths._repr_html_())) < 40_000  # of the first walkers alone
    assert plt.get_fignums() == before


def test_plots_differ_where_laws_do() -> None:
    early, late = (picture(rw.pde.exact_law(WALK, [n])._repr_html_()) for n in (2, 8))
    assert early != late


def test_no_window_and_no_figure_is_left_open() -> None:
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    rw.pde.exact_law(WALK, [8])._repr_html_()
    assert plt.get_fignums() == before


def test_a_law_of_all_times_is_its_text() -> None:
    assert rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5))._repr_html_() is None


def test_an_answer_that_is_none_leaves_the_text() -> None:
    def draw(ax: object) -> None:
        raise rw.NoAnswer("nothing was counted")

    assert in_notebook("a < b", draw) == "<pre>a &lt; b</pre>"


@pytest.mark.parametrize(
    ("walk", "parts"),
    [
        (rw.LatticeWalk(0.25, 0.5, dx=0.1, dt=0.01), ["X_{t+0.01}", "X_t +0.1 & ", "X_t -0.1 & ", "0.25", "otherwise"]),
        (rw.LatticeWalk(0.25, 0.25, up=0.25, down=0.25, dx=1.0), ["X_t + (1, 0)", "X_t + (0, -1)"]),
        (rw.LatticeWalk(CURVED, 0.1, dx=0.1, dt=1.0, domain=rw.Interval(-0.5, 0.5, MIRROR, MIRROR)), ["x^{2}"]),
    ],
)  # fmt: skip
def test_a_walk_in_tex(walk: rw.LatticeWalk, parts: list[str]) -> None:
    tex = walk._repr_latex_()
    assert all(part in tex for part in parts), tex
    assert tex.count("{") == tex.count("}") and tex.startswith("$") and tex.endswith("$")


@pytest.mark.parametrize(
    "declared",
    [WALK, rw.pde.limit(WALK), rw.ItoWalk(drift=-1.0, diffusion=0.5, dt=0.1, domain=WALK.domain, start=0.5)],
    ids=["walk", "equation", "Itô walk"],
)
def test_a_notebook_says_the_domain_and_the_start_beside_the_formula(declared: Any) -> None:
    formula, _, where = declared._repr_markdown_().partition(" on ")
    assert formula == declared._repr_latex_()
    assert where == f"`Interval(-5.0, inf, left=Absorbing())`, start `{declared.start}`"


def test_steps_that_fill_the_probability_leave_no_other() -> None:
    assert "otherwise" not in WALK._repr_latex_()


def test_a_modified_equation_has_its_coefficients_in_tex() -> None:
    walk = rw.LatticeWalk.from_drift(
        rw.expression("-x**3"), 0.5, dx=0.1, domain=rw.Interval(-1.0, 1.0, MIRROR, MIRROR), sites=None
    )
    tex = rw.pde.modified(walk)._repr_latex_()
    assert "**" not in tex and "^{3}" in tex
    matplotlib.mathtext.MathTextParser("path").parse(tex)
