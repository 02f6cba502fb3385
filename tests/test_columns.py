"""CSV files: what can be read for certain is read right, all else is refused with file and line, and nothing waits."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

import randwalk as rw
from randwalk.inputs.columns import LARGEST, read_columns, read_csv

READ = [
    ("x,v\n0,10\n1,5\n", [0.0, 1.0], [10.0, 5.0]),
    ("x;v\n0;10,5\n1;11,25\n", [0.0, 1.0], [10.5, 11.25]),
    ("x;v\n0,5;1,234\n1,5;2\n", [0.5, 1.5], [1.234, 2.0]),  # 0,5 tells what 1,234 is
    ("x;v\n0;10.5\n1;11\n", [0.0, 1.0], [10.5, 11.0]),
    ("x;v;note\n0;10.5;a, b\n1;11;\n", [0.0, 1.0], [10.5, 11.0]),
    ("x\tv\n0\t-1,5e-3\n1\t2\n", [0.0, 1.0], [-1.5e-3, 2.0]),
    ("v,note,x\n1,a,0\n2,b,1\n", [0.0, 1.0], [1.0, 2.0]),
    ("\ufeffx,v\r\n0,1\r\n1,2\r\n", [0.0, 1.0], [1.0, 2.0]),
    ("x,v\r0,1\r1,2\r", [0.0, 1.0], [1.0, 2.0]),
    ("# from a book\n x , v # in m\n0, 1 # first\n\n  # more\n1,\t2\n\n", [0.0, 1.0], [1.0, 2.0]),
    ('"x","v"\n"0" , "1"\n1,"2"\n', [0.0, 1.0], [1.0, 2.0]),
    ('x,v,note\n0,1,"a, # b"\n1,2,"c\nd # e"\n', [0.0, 1.0], [1.0, 2.0]),
    ("x,v,\n0,1,\n1,2,\n", [0.0, 1.0], [1.0, 2.0]),
    (",x,v\n0,0,1\n1,1,2\n", [0.0, 1.0], [1.0, 2.0]),
    ("x,v\n+.5,1.\n1E0,2e+1\n", [0.5, 1.0], [1.0, 20.0]),
]


@pytest.mark.parametrize(("text", "x", "v"), READ, ids=range(len(READ)))
def test_what_is_clear_is_read(text: str, x: list[float], v: list[float], tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(text.encode())
    table = rw.Table.from_csv(tmp_path / "f.csv", "x", "v")
    assert table.x.tolist() == x and table.values.tolist() == v


REFUSED = [
    ("x,v\n0,10,5\n1,11,5\n", r"f\.csv, line 2: 3 fields where the header has 2; a decimal comma needs a semicolon"),
    ("x,v,\n0,10,5\n1,11,5\n", r"line 2: a column that has no name in the header is not empty"),
    ("x,v\n0,1\n1\n", r"line 3: 1 field where the header has 2"),
    ("x,v\n0,1\n1,2,3\n", r"line 3: 3 fields where the header has 2"),
    ("x,v\n0,1\n,\n", r"line 3: column 'x' is empty"),
    (
        "x;v\n0;1,5\n1;2.5\n",
        r"line 2: '1,5' in column 'v' is not clear: numbers have a comma and a point \('2.5' on line 3\)",
    ),
    (
        "x;v\n0;1,234\n1;5,678\n",
        r"line 2: '1,234' in column 'v' is not clear: .* or separate thousands; write decimal points",
    ),
    ("x;v\n0;0,5\n1;1,234,567\n", r"line 3: '1,234,567' in column 'v' is not a finite number"),
    ("# c\nx,v\n0,1\n1,NaN\n", r"line 4: 'NaN' in column 'v' is not a finite number$"),
    ("x,v\n0,nan\n1,1\n", r"line 2: 'nan' in column 'v' is not a finite number$"),
    ("x,v\n-inf,0\n1,1\n", r"line 2: '-inf' in column 'x' is not a finite number$"),
    ("x,v\n0,1e999\n1,1\n", r"line 2: '1e999' in column 'v' is not a finite number$"),
    ("x,v\n1_0,0\n11,1\n", r"line 2: '1_0' in column 'x' is not a finite number$"),
    (
        "x,v\nm,1/s\n0,1\n1,2\n",
        r"line 2: 'm' in column 'x' is not a finite number; if the line holds units, begin it with #",
    ),
    ("x,v\n0,1\n0,2\n", r"line 3: x = 0 comes after 0 and must increase"),
    ("x,v\n0,1\n2,2\n\n1,3\n", r"line 5: x = 1 comes after 2 and must increase"),
    ("x,v\n0,1\n", r"f\.csv has one row, on line 2: a table needs two"),
    ("x,v\n", r"f\.csv has a header and no rows"),
    ("", r"f\.csv is empty: the first line must name the columns, x, v among them"),
    ("# x,v\n0,1\n1,2\n", r"line 2: there is no column 'x'; the columns are 0, 1; the first line must be a header"),
    ("x,v,v\n0,1,2\n1,2,3\n", r"line 1: the header has the column 'v' twice"),
    ("x,v,w,w\n0,1,2,3\n1,2,3,4\n", r"line 1: the header has the column 'w' twice"),
    ("x,vel\n0,1\n1,2\n", r"line 1: there is no column 'v'; the columns are x, vel"),
    ("x v\n0 1\n1 2\n", r"line 1: there is no column 'x'; .*separated by a comma, a semicolon or a tab"),
    ('x,v\n"0,1\n1,2\n', r"line \d: cannot be read as CSV"),
    ("x,v\n0,\0\n1,2\n", r"line 2: a null character"),
    (b"x,v\n0,1\n1,\xb5\n", r"line 3: the byte 0xb5 is not UTF-8 text: save the file as UTF-8"),
    ("x,v\n0,1\n1,2\n".encode("utf-16"), r"line 1: the byte 0xff is not UTF-8 text"),
]


@pytest.mark.parametrize(("text", "told"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_clear_is_refused_with_its_line(text: str | bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ValueError, match=told) as error:
        rw.Table.from_csv(tmp_path / "f.csv", "x", "v")
    assert str(error.value).startswith(str(tmp_path / "f.csv")) and "\n" not in str(error.value)


def test_only_chosen_rows_must_hold_numbers(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("set,v\na,1\nb,lost\na,2\n")
    columns = read_columns(tmp_path / "f.csv", ["v", "set"])
    assert columns.where("set", "a").numbers(["v"]) == {"v": [1.0, 2.0]} and columns.lines == (2, 3, 4)
    with pytest.raises(ValueError, match=r"f\.csv, line 3: 'lost' in column 'v'"):
        columns.numbers(["v"])
    with pytest.raises(ValueError, match=r"f\.csv: no row has 'A' in column 'set'"):
        columns.where("set", "A")


def test_only_regular_files_of_bounded_size_are_opened(tmp_path: Path) -> None:
    """A pipe that nobody writes to and a device without an end would be read for ever."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(LARGEST + 1)
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    for path, told in [
        (Path("/dev/zero"), "/dev/zero is a device: give a regular file"),
        (tmp_path / "link.csv", "link.csv is a device"),
        (tmp_path / "pipe", "pipe is a pipe: give a regular file"),
        (tmp_path, "is a directory: give a regular file"),
        (tmp_path / "huge.csv", r"has 33,554,433 bytes: at most 33,554,432 are read"),
        (tmp_path / "gone.csv", r"gone\.csv cannot be read as CSV: No such file"),
        (tmp_path / "a\0b", "cannot be a file"),
    ]:
        for read in (read_columns, read_csv):
            with pytest.raises(ValueError, match=told):
                read(path, ["x"])
        if "\0" not in str(path):
            with pytest.raises(ValueError, match=rf"cannot be read: |{path}"):
                rw.Problem.load(path)
        with pytest.raises((ValueError, OSError)):
            rw.Ensemble.load(path)


def test_any_text_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    """2000 texts of the characters that matter, from a seed: no other exception."""
    choose = random.Random(3)
    read = 0
    for _ in range(2000):
        rows = ["".join(choose.choice('01,;."# \tve\n') for _ in range(choose.randrange(6))) for _ in range(2)]
        separator = choose.choice(",;\t")
        text = "\n".join([f"x{separator}v", *rows, f"8{separator}1", f"9{separator}2"])
        (tmp_path / "f.csv").write_text(text)
        try:
            rw.Table.from_csv(tmp_path / "f.csv", "x", "v")
            read += 1
        except ValueError as error:
            assert str(error).startswith(str(tmp_path)) and "\n" not in str(error)
    assert read > 20
