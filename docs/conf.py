"""Sphinx configuration: ``sphinx-build -W -b html docs docs/_build`` builds the site, with no network."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import randwalk

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # for the extensions in this folder, and for the tables of benchmarks

project = "randwalk"
author = "The randwalk developers"
copyright = author
version = release = randwalk.__version__

extensions = [
    "closed_forms_page",
    "gallery_pages",
    "tutorial_notebook",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["ref.python"]  # a word of a type, as "shape", that several classes have as an attribute
default_role = "literal"  # `name` in a docstring is code

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings have the types in words
autosummary_generate = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_preprocess_types = False
maximum_signature_line_length = 88

# MathJax comes from a CDN unless told otherwise. The package sphinx-mathjax-offline holds it; one of its files is enough.
_found = find_spec("sphinx-mathjax-offline")
if _found is None or _found.origin is None:
    raise ImportError('formulas are drawn by sphinx-mathjax-offline: pip install -e ".[docs]"')
html_static_path = ["_static", str(Path(_found.origin).parent / "static" / "mathjax" / "tex-svg-full.js")]
mathjax_path = "tex-svg-full.js"
mathjax3_config = {"options": {"enableMenu": False}, "svg": {"fontCache": "global"}}

html_theme = "pydata_sphinx_theme"
html_title = f"randwalk {release}"
html_css_files = ["randwalk.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "randwalk"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
# Classes that functions of the package return: their pages show no signature, because nobody else calls them.
RESULTS = frozenset({
    "Ensemble", "ItoEnsemble", "Fit", "Profile", "TrackFit", "Passages", "Histogram", "Paths", "Plan", "Region", "Interrupted",
    "RangeFailed", "BackwardField", "BackwardSolution", "ClosedForm", "ExactLaw", "Expectation", "HittingTime",
    "KnownForm", "ModifiedEquation", "SmoothedLaw", "Solution", "StationaryLaw", "StationarySolution",
    "ToleranceNotMet", "CaseReport", "Changes", "Check", "Comparison", "Convergence", "FittedProblem", "Outcomes",
    "Provenance", "Report", "SelfTest", "Trial",
})  # fmt: skip
# pages without a section have no list beside them
ALONE = (
    "index",
    "install",
    "tutorial",
    "methods",
    "reproducibility",
    "stream",
    "performance",
    "contributing",
    "changes",
)
html_sidebars: dict[str, list[str]] = {name: [] for name in ALONE}
copybutton_prompt_text = ">>> |\\.\\.\\. |\\$ "
copybutton_prompt_is_regexp = True


def _put_in_measurements(app: object, name: str, source: list[str]) -> None:
    """Put the tables of what was measured on the pages that speak of it."""
    if name in ("performance", "methods"):
        from benchmarks.tables import tables

        for mark, table in tables().items():
            source[0] = source[0].replace(f"<!-- {mark} -->", table)


def _say_what_returns(
    app: object, what: str, name: str, thing: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """The type that a function or a method returns; those of parameters are in its docstring, in words. Results have none."""
    if what in ("class", "exception") and name.rpartition(".")[2] in RESULTS:
        return "", None
    signature = signature and signature.replace(", declared=None", "").replace(
        ", source=None", ""
    )  # given by from_drift and load
    kind = getattr(thing, "__annotations__", {}).get("return") if what in ("function", "method") else None
    return signature, kind if isinstance(kind, str) else returns


def setup(app: object) -> None:
    app.connect("source-read", _put_in_measurements)  # type: ignore[attr-defined]
    app.connect("autodoc-process-signature", _say_what_returns)  # type: ignore[attr-defined]
