"""MathML of the formulas that the package writes in TeX: browsers typeset it without any script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[0-9]+(?:\.[0-9]*)?|\.[0-9]+|[a-zA-Z]|\s+|.", re.DOTALL)
SIGNS = {
    r"\partial": "∂", r"\nabla": "∇", r"\cdot": "⋅", r"\times": "×", r"\langle": "⟨", r"\rangle": "⟩", r"\ge": "≥", r"\le": "≤",
    r"\circ": "∘", r"\_": "_", r"\|": "|", "-": "−", r"\{": "{", r"\}": "}",
}  # fmt: skip
LETTERS = {r"\rho": "ρ", r"\beta": "β", r"\alpha": "α", r"\kappa": "κ", r"\sigma": "σ", r"\theta": "θ", r"\pi": "π"}
SPACES = {r"\,": "0.17em", r"\;": "0.28em", r"\ ": "0.25em", r"\quad": "1em"}
ENDS = {r"\right", r"\end", "&", r"\\", "}"}


def mathml(tex: str) -> str:
    r"""A formula of TeX between dollars, or without them, as a display.

    >>> mathml(r"$x^{2}$")
    '<math display="block"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    """
    return f'<math display="block">{_Reader(tex.strip().strip("$")).row()}</math>'


class _Reader:
    """The tokens of a formula, read once from left to right."""

    def __init__(self, tex: str) -> None:
        self.tokens = TOKEN.findall(tex)
        self.at = 0

    def row(self) -> str:
        """Everything up to a token that ends a group."""
        return f"<mrow>{''.join(self._scripted())}</mrow>"

    def _peek(self) -> str:
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def _scripted(self) -> Iterator[str]:
        """The atoms with what is raised and lowered beside them."""
        while self._peek() and self._peek() not in ENDS:
            base, scripts = self._atom(), {}
            while self._peek() in ("^", "_"):
                mark = self._next()
                scripts[mark] = self._atom()
            if len(scripts) == 2:
                yield f"<msubsup>{base}{scripts['_']}{scripts['^']}</msubsup>"
            elif scripts:
                ((mark, script),) = scripts.items()
                tag = "msup" if mark == "^" else "msub"
                yield f"<{tag}>{base}{script}</{tag}>"
            else:
                yield base

    def _atom(self) -> str:
        token = self._next()
        if token == "{":
            return self._group()
        if token == r"\left":
            return self._fenced()
        if token == r"\begin":
            return self._table()
        if token == r"\sqrt":
            self._next()
            return f"<msqrt>{self._group()}</msqrt>"
        if token in (r"\mathrm", r"\operatorname", r"\text"):
            return f'<mi mathvariant="normal">{escape(self._text())}</mi>'
        if token in SPACES:
            return f'<mspace width="{SPACES[token]}"></mspace>'
        if token in LETTERS or (token.isalpha() and len(token) == 1):
            return f"<mi>{LETTERS.get(token, token)}</mi>"
        if token[:1].isdigit() or (token[:1] == "." and len(token) > 1):
            return f"<mn>{token}</mn>"
        if token in SIGNS or not token.startswith("\\"):
            fence = ' stretchy="false"' if token in "()[]|" else ""
            return f"<mo{fence}>{escape(SIGNS.get(token, token))}</mo>"
        return f"<mi>{escape(token[1:])}</mi>"  # the name of a function, such as \sin

    def _group(self) -> str:
        """The content of braces, the first of which was read; without a row of its own for a single atom."""
        parts = list(self._scripted())
        self._next()
        return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"

    def _fenced(self) -> str:
        fences = [self._next()]
        inner = "".join(self._scripted())
        self._next()
        fences.append(self._next())
        low, high = (
            "" if f == "." else f'<mo fence="true" stretchy="true">{escape(SIGNS.get(f, f))}</mo>' for f in fences
        )
        return f"<mrow>{low}{inner}{high}</mrow>"

    def _text(self) -> str:
        """The letters between braces."""
        parts, depth = [], 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            depth += (token == "{") - (token == "}")
            if depth == 0:
                break
            if token != "{":
                parts.append(SIGNS.get(token, token) if token != "-" else token)
        return "".join(parts)

    def _table(self) -> str:
        """A matrix or a choice of cases."""
        kind = self._text()
        rows: list[list[str]] = [[]]
        while self._peek() not in (r"\end", ""):
            rows[-1].append(f"<mtd>{self.row()}</mtd>")
            if self._peek() == r"\\":
                rows.append([])
            if self._peek() != r"\end":
                self._next()
        self._next()
        self._text()
        body = "".join(f"<mtr>{''.join(row)}</mtr>" for row in rows)
        low, high = ("{", "") if kind == "cases" else ("(", ")")
        low, high = (f'<mo fence="true" stretchy="true">{fence}</mo>' if fence else "" for fence in (low, high))
        return f"<mrow>{low}<mtable>{body}</mtable>{high}</mrow>"
