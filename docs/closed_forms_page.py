"""A Sphinx extension that puts the list of closed forms on its page, from ``randwalk.pde.closed_forms()``."""

from __future__ import annotations

from sphinx.application import Sphinx

import randwalk as rw
from randwalk.pde import KnownForm

PAGE, MARK = "theory/closed_forms", "<!-- closed forms -->"
ENTRY = """\
## {title}

$$
\\rho(x,t) = {formula}
$$

| drift $a$ | diffusion $D$ | domain | start | killing |
|---|---|---|---|---|
| {drift} | {diffusion} | {domain} | {start} | constant |

Source: {source}.

*Example:* `{example}` has the form “{description}”.
"""


def entry(form: KnownForm) -> str:
    """The section of a closed form."""
    parts = {name: getattr(form, name) for name in ("formula", "drift", "diffusion", "domain", "start", "source")}
    name = form.name or "products of these"
    title = f"{name[0].upper()}{name[1:]}" + (f": {form.domain}" if form.domain not in name else "")
    description = rw.pde.closed_form(form.example).description
    return ENTRY.format(title=title, example=form.example, description=description, **parts)


def put_in_forms(app: object, name: str, source: list[str]) -> None:
    """Put the sections in the place of the mark."""
    if name == PAGE:
        source[0] = source[0].replace(MARK, "\n".join(map(entry, rw.pde.closed_forms())))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", put_in_forms)
    return {"parallel_read_safe": True}
