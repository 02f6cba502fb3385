"""Standard input, output and error of the command, in any encoding."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from typing import TextIO

READABLE = "randwalk.readable"  # the name of the error handler
LARGEST = 1 << 20  # bytes read from standard input
FORMS = {
    "±": "+-", "−": "-", "–": "-", "—": "-", "‑": "-", "·": "*", "×": "x", "✗": "x", "≈": "~", "≠": "!=", "≤": "<=", "≥": ">=",
    "→": "->", "←": "<-", "↔": "<->", "…": "...", "∞": "inf", "√": "sqrt ", "∂": "d", "∫": "int ", "∑": "sum ", "⌊": "[",
    "⌋": "]", "°": " deg", "‘": "'", "’": "'", "“": '"', "”": '"', "µ": "u", "⁄": "/", "•": "*", "█": "#",
}  # fmt: skip


def readable(text: str) -> str:
    """Text in ASCII: Greek letters by their names, other signs by their usual forms.

    >>> readable("ρ_t = ½ρ_xx − κρ, 1.5 ± 0.1, 10⁻³⁰⁰ ≤ Δx²")
    'rho_t = 1/2rho_xx - kapparho, 1.5 +- 0.1, 10^-300 <= Deltax^2'
    """
    pieces: list[str] = []
    raised = False
    for sign in text:
        is_raised = unicodedata.decomposition(sign).startswith("<super>")
        pieces.append("^" * (is_raised and not raised) + _form(sign))
        raised = is_raised
    return "".join(pieces)


def _form(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign in FORMS:
        return FORMS[sign]
    name = unicodedata.name(sign, "")
    if name.startswith("GREEK") and " LETTER " in name:
        letter = name.split(" LETTER ")[1].split()[0].removeprefix("FINAL")
        return letter.title() if " CAPITAL " in name else letter.lower()
    if name.startswith("BOX DRAWINGS"):
        return {"─": "-", "━": "-", "═": "-", "╌": "-", "╸": "-", "╺": "-", "│": "|", "┃": "|", "║": "|"}.get(sign, "+")
    if "\udc80" <= sign <= "\udcff":  # a byte of a file name outside the encoding
        return f"\\x{ord(sign) - 0xDC00:02x}"
    parts = unicodedata.normalize("NFKD", sign)
    known = "".join(FORMS.get(part, part) for part in parts)
    return "".join(part for part in known if part.isascii()) or "?"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return readable(error.object[error.start : error.end]), error.end


codecs.register_error(READABLE, _replace)


def printable(text: str, stream: TextIO) -> str:
    """Text as a stream will write it, so that columns can be aligned."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, READABLE).decode(encoding)


def prepare() -> None:
    """Let standard output and error write ASCII forms of signs outside their encoding; the null device replaces a closed one."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the rest of the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=READABLE)


def close_output() -> None:
    """Redirect standard output to the null device after its reader has closed it, so that the last flush of Python succeeds."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stdout__.fileno())  # type: ignore[union-attr]
        os.close(nowhere)
    except (AttributeError, OSError, ValueError):  # standard output is closed, or no file
        return


def read_standard_input() -> str:
    """The text on standard input: UTF-8, at most 1 MiB.

    Raises
    ------
    ValueError
        if there are more bytes, or bytes that are not UTF-8.
    """
    if sys.stdin is None:
        raise ValueError("standard input is closed: give the name of a file")
    content = sys.stdin.buffer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"standard input has more than {LARGEST:,} bytes, which is all that are read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"standard input:{line}: the byte 0x{content[error.start]:02x} is not UTF-8 text") from None
