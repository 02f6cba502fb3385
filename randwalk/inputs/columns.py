"""CSV files: columns of numbers under a header. A field whose meaning is not certain is refused with file, line and
column.

The separator is ``,``, ``;`` or a tab: the one that splits the header into the columns asked for. Blanks around a field are
removed, and a field may stand in double quotes. A first column without a name is a number of the row, and is passed over.
``#`` begins a comment at the start of a line or after a blank; empty lines are skipped. In files with ``;`` or tabs, numbers may
have a decimal comma, unless the comma could also separate thousands.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .files import read_text
from .wording import did_you_mean, shown

LARGEST = 1 << 25  # bytes
SEPARATORS = (",", ";", "\t")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
BLANKS_AFTER_QUOTE = re.compile(r'" +(?=[,;\t\n])')  # the csv module refuses these blanks
COMMENT = re.compile(r'((?:"[^"]*"|[^"])*?)(?:^|(?<=\s))#')  # a # outside quotes, at the start or after a blank


@dataclass(frozen=True)
class Columns:
    """Some columns of a CSV file, as text: ``fields[name][i]`` stands on line ``lines[i]``."""

    path: Path
    separator: str
    lines: tuple[int, ...]
    fields: dict[str, tuple[str, ...]]

    def where(self, name: str, value: str) -> Columns:
        """The rows that have `value` in the column `name`; ValueError if there is none."""
        kept = [i for i, field in enumerate(self.fields[name]) if field == value]
        if not kept:
            close = did_you_mean(value, set(self.fields[name]))
            raise ValueError(f"{self.path}: no row has {value!r} in column {name!r}{close}")
        fields = {column: tuple(texts[i] for i in kept) for column, texts in self.fields.items()}
        return Columns(self.path, self.separator, tuple(self.lines[i] for i in kept), fields)

    def numbers(self, names: Sequence[str]) -> dict[str, list[float]]:
        """The columns called `names` as finite numbers."""
        comma = self.separator != "," and self._decimal_comma(names)
        return {
            name: [
                self._number(field, line, name, comma)
                for field, line in zip(self.fields[name], self.lines, strict=True)
            ]
            for name in names
        }

    def _decimal_comma(self, names: Sequence[str]) -> bool:
        """Whether the numbers have a decimal comma: the comma of at least one cannot separate thousands, and none has a point.
        ValueError where this is not clear."""
        doubtful: tuple[str, int, str] | None = None
        certain = False
        point: tuple[str, int, str] | None = None
        for name in names:
            for field, line in zip(self.fields[name], self.lines, strict=True):
                if "." in field and NUMBER.fullmatch(field):
                    point = (field, line, name)
                elif DECIMAL_COMMA.fullmatch(field) or THOUSANDS.fullmatch(field):
                    doubtful = doubtful or (field, line, name)
                    certain = certain or not THOUSANDS.fullmatch(field)
        if doubtful is None or (certain and point is None):
            return certain
        field, line, name = doubtful
        why = (
            f"numbers have a comma and a point ({point[0]!r} on line {point[1]})"
            if point is not None
            else "the comma can be a decimal one or separate thousands"
        )
        raise ValueError(
            f"{self._at(line)}: {field!r} in column {name!r} is not clear: {why}; write decimal points only"
        )

    def _number(self, field: str, line: int, name: str, comma: bool) -> float:
        text = field.replace(",", ".") if comma and DECIMAL_COMMA.fullmatch(field) else field
        if NUMBER.fullmatch(text) and abs(value := float(text)) < float("inf"):
            return value
        if not field:
            raise ValueError(f"{self._at(line)}: column {name!r} is empty")
        first = line == self.lines[0] and not re.fullmatch(r"(?i)[+-]?(nan|inf|infinity)|.*\d.*", field)
        units = "; if the line holds units, begin it with #" if first else ""
        raise ValueError(f"{self._at(line)}: {shown(field)} in column {name!r} is not a finite number{units}")

    def _at(self, line: int) -> str:
        return f"{self.path}, line {line}"


def read_columns(path: str | Path, names: Sequence[str]) -> Columns:
    """The columns called `names` of a CSV file, as text.

    Raises
    ------
    ValueError
        for a file that cannot be read, has another number of fields in a row than in its header, two columns of one name, or
        lacks one of the columns; the message has the file, and the line where there is one.
    """
    path = Path(path)
    text = _text(path)
    separator = _separator(text, names)
    lines_of = (BLANKS_AFTER_QUOTE.sub('"', line) for line in _without_comments(text))
    reader = csv.reader(lines_of, delimiter=separator, skipinitialspace=True, strict=True)
    header: list[str] | None = None
    lines: list[int] = []
    rows: list[list[str]] = []
    wanted: list[int] = []
    try:
        for row in reader:
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            fields = [field.strip() for field in row]
            if header is None:
                header = fields
                wanted = [_column(path, reader.line_num, header, name) for name in names]
                continue
            if len(fields) != len(header):
                raise ValueError(_wrong_length(path, reader.line_num, fields, header))
            if any(field and not name for field, name in zip(fields[1:], header[1:], strict=True)):
                raise ValueError(
                    f"{path}, line {reader.line_num}: a column that has no name in the header is not empty"
                )
            lines.append(reader.line_num)
            rows.append([fields[i] for i in wanted])
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: cannot be read as CSV: {error}") from None
    if header is None:
        raise ValueError(f"{path} is empty: the first line must name the columns, {', '.join(names)} among them")
    if not rows:
        raise ValueError(f"{path} has a header and no rows")
    return Columns(path, separator, tuple(lines), {name: tuple(row[i] for row in rows) for i, name in enumerate(names)})


def read_header(path: str | Path) -> list[str]:
    """The names of the columns of a CSV file: its first line, split by the separator that gives most names."""
    path = Path(path)
    text = _text(path)
    first = next((line for line in _without_comments(text) if line.strip()), None)
    if first is None:
        raise ValueError(f"{path} is empty: the first line must name the columns")
    try:
        reader = csv.reader([BLANKS_AFTER_QUOTE.sub('"', first)], delimiter=_separator(text, ()), skipinitialspace=True)
        return [field.strip() for field in next(reader)]
    except csv.Error as error:
        raise ValueError(f"{path}: the header cannot be read as CSV: {error}") from None


def _text(path: Path) -> str:
    """The text of a CSV file; a ValueError names the file."""
    try:
        text = read_text(path, LARGEST)
    except OSError as error:
        raise ValueError(f"{path} cannot be read as CSV: {error.strerror or error}") from None
    except ValueError as error:
        raise ValueError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
    if "\0" in text:
        raise ValueError(f"{path}, line {text[: text.index(chr(0))].count(chr(10)) + 1}: a null character is not CSV")
    return text


def read_csv(path: str | Path, names: Sequence[str]) -> dict[str, list[float]]:
    """The numeric columns called `names` of a CSV file with a header. Errors name file, line and column."""
    return read_columns(path, names).numbers(names)


def _separator(text: str, names: Sequence[str]) -> str:
    """The separator that finds most of the columns `names` in the first line; of equals, the one that gives most fields."""
    first = next((line for line in _without_comments(text) if line.strip()), "")

    def fit(separator: str) -> tuple[int, int]:
        try:
            fields = next(csv.reader([first], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            return 0, 0
        return len({field.strip() for field in fields} & set(names)), len(fields)

    return max(SEPARATORS, key=fit)


def _without_comments(text: str) -> Iterator[str]:
    """The lines of a text without comments. A # inside quotes begins no comment, also if the quotes span several lines."""
    inside = False
    for line in text.split("\n"):  # str.splitlines would also split at form feeds and other signs
        kept = line
        if not inside and "#" in line and (match := COMMENT.match(line)):
            kept = match[1]
        inside ^= kept.count('"') % 2 == 1
        yield kept + "\n"


def _column(path: Path, line: int, header: list[str], name: str) -> int:
    named = [field for field in header if field]
    twice = next((field for field in named if named.count(field) > 1), None)
    if twice is not None:
        raise ValueError(f"{path}, line {line}: the header has the column {twice!r} twice: give each a name of its own")
    if name not in header:
        listed = ", ".join(header)
        numeric = all(NUMBER.fullmatch(field) for field in header)
        hint = (
            "; the first line must be a header that names the columns"
            if numeric
            else did_you_mean(name, header) or "; columns are separated by a comma, a semicolon or a tab"
        )
        raise ValueError(
            f"{path}, line {line}: there is no column {name!r}; the columns are {shown(listed)[1:-1]}{hint}"
        )
    return header.index(name)


def _wrong_length(path: Path, line: int, fields: list[str], header: list[str]) -> str:
    count = f"{len(fields)} field{'s' * (len(fields) != 1)} where the header has {len(header)}"
    if len(fields) > len(header):
        return (
            f"{path}, line {line}: {count}; a decimal comma needs a semicolon or a tab between columns, and a field that "
            "holds a separator needs quotes"
        )
    return f"{path}, line {line}: {count}; a # after a blank begins a comment, unless the field is in quotes"
