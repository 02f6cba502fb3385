"""A problem file: its text, its TOML data, and the line of each key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeAlias, TypeVar

from .files import plain, read_text
from .wording import did_you_mean, shown

Read = TypeVar("Read")
Key: TypeAlias = str | tuple[str, ...] | None  # a key of a table, or of a table in it; None: the table itself
LARGEST = 1 << 20  # bytes

TOKEN = re.compile(
    r"""
    (?P<blank>[ \t]+|\#[^\n]*)
    | (?P<text>\"{3}(?:[^\\]|\\.)*?\"{3,5}(?!\")|'{3}.*?'{3,5}(?!')|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')
    | (?P<word>[\w+-]+)
    | (?P<sign>.|\n)
    """,
    re.VERBOSE | re.DOTALL,
)


class ProblemError(ValueError):
    """A problem file that cannot be used; the message starts with the file and the line."""


@dataclass(frozen=True)
class Source:
    """The text of a problem file and its TOML data. Errors name the line.

    Files that the problem names are looked for in `folder`; None: the problem may name no file.
    """

    name: str
    text: str
    data: Mapping[str, Any]
    folder: Path | None

    @classmethod
    def read(cls, path: str | Path) -> Source:
        """The problem file at `path`: a regular file of UTF-8 text of at most 1 MiB."""
        path = Path(path)
        try:
            text = read_text(path, LARGEST)
        except OSError as error:
            raise ProblemError(f"{path} cannot be read: {error.strerror or error}") from None
        except ValueError as error:
            raise ProblemError(f"{path} cannot be read: {str(error).removeprefix(str(path)).lstrip(' ,')}") from None
        return cls.parse(text, str(path), path.parent)

    @classmethod
    def parse(cls, text: str, name: str = "problem", folder: Path | None = Path()) -> Source:
        """Parse a text; error messages call it `name`."""
        text = plain(text)
        try:
            return cls(name, text, tomllib.loads(text), folder)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            raise ProblemError(f"{name}:{line[1] if line else max(1, text.count(chr(10)))}: {error}") from None
        except RecursionError:
            raise ProblemError(f"{name}:1: the file is nested too deeply") from None
        except ValueError as error:  # a whole number of thousands of digits
            line = re.search(r"[\d_]{4000,}", text)
            at = text[: line.start()].count("\n") + 1 if line else 1
            raise ProblemError(f"{name}:{at}: {error}") from None

    @cached_property
    def _lines(self) -> dict[tuple[str, ...], int]:
        return key_lines(self.text)

    def line(self, section: str, key: Key = None) -> int:
        """The line of a key of a section; of its table, if the key is not found."""
        path = (section, *(() if key is None else (key,) if isinstance(key, str) else key))
        return next((self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), 1)

    def fail(self, section: str, key: Key, message: str) -> NoReturn:
        raise ProblemError(f"{self.name}:{self.line(section, key)}: {' '.join(message.split())}") from None

    def section(self, name: str, known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Any]:
        """A table of the file (empty if absent) that has only the known keys and all needed ones."""
        table = self.data.get(name, {})
        if not isinstance(table, dict):
            self.fail(name, None, f"[{name}] must be a table")
        for key in table:
            if key not in known:
                meant = did_you_mean(key, known)
                self.fail(name, key, f"unknown key {shown(key)} in [{name}]; known are {', '.join(known)}{meant}")
        for key in needed:
            if key not in table:
                self.fail(name, None, f"[{name}] needs {key}")
        return dict(table)

    def build(
        self, section: str, key: Key, make: Callable[[], Read], words: Mapping[str, tuple[str, Key]] | None = None
    ) -> Read:
        """The result of make(). An error gets the file and the line of the key.

        `words` maps words to places (section, key): an error is reported at the place of the first of these words in its
        message.
        """
        try:
            return make()
        except ProblemError:
            raise
        except (ValueError, TypeError, ArithmeticError, MemoryError) as error:
            self.fail(*_about(str(error), words or {}, (section, key)), str(error) or type(error).__name__)


def _about(message: str, words: Mapping[str, tuple[str, Key]], otherwise: tuple[str, Key]) -> tuple[str, Key]:
    found = [
        (match.start(), -len(word), place)
        for word, place in words.items()
        if (match := re.search(rf"(?<!\w){re.escape(word)}(?!\w)", message))
    ]
    return min(found, key=lambda item: item[:2])[2] if found else otherwise


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of the first mention of each key and table of a valid TOML text, by path.

    >>> key_lines("[run]\\ntimes = [1.0,\\n  2.0]\\nseed = 1\\n")
    {('run',): 1, ('run', 'times'): 2, ('run', 'seed'): 4}
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    path: list[str] = []
    number, depth, in_header, in_value = 1, 0, False, False
    for match in TOKEN.finditer(text + "\n"):
        kind, token = match.lastgroup, match[0]
        if kind in ("word", "text") and not in_value:
            path.append(token.strip("\"'"))
        elif in_value:
            depth += (token in ("[", "{")) - (token in ("]", "}")) if kind == "sign" else 0
            in_value = depth > 0 or token != "\n"
        elif token == "[":
            in_header, path = True, []
        elif token == "=" or (token == "\n" and in_header):
            whole = (*path,) if in_header else (*table, *path)
            for n in range(1, len(whole) + 1):
                lines.setdefault(whole[:n], number)
            table = whole if in_header else table
            in_value, in_header, path = token == "=", False, []
        number += token.count("\n")
    return lines
