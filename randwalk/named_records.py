"""Records by their names, as the command line gives them: ``Maximum``, ``LastVisit(0.5)``, ``Average(x**2)``."""

from __future__ import annotations

import ast
import re

from .contents import RECORDS
from .inputs.wording import did_you_mean
from .model.formula import expression
from .run.average import Average
from .run.record import Record

OF_SHAPES = ("TimeIn", "Visits")  # which are given by objects
NAMES = (*(name for name in RECORDS if name not in OF_SHAPES), "Average")


def read_record(text: str) -> Record:
    """The record that a text names, with numbers or lists of them in parentheses where it takes some.

    Raises
    ------
    ValueError
        for a name that no such record has, and arguments that it does not take.

    Examples
    --------
    >>> read_record("LastVisit(0.5)"), read_record("FirstPassage"), read_record("Average(x**2)")
    (LastVisit(x=0.5), FirstPassage(), Average(x**2))
    """
    found = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text)
    name, inside = (found[1], found[2] or "") if found else (text, "")
    if name not in NAMES:
        raise ValueError(f"--record {text}: must be one of {', '.join(NAMES)}{did_you_mean(name, NAMES)}")
    try:
        if name == "Average":
            return Average(expression(inside))
        arguments = ast.literal_eval(f"({inside},)") if inside.strip() else ()
        made: Record = RECORDS[name](*arguments)
    except (ValueError, TypeError, SyntaxError) as error:
        told = "must be numbers in parentheses, like LastVisit(0.5)" if isinstance(error, SyntaxError) else error
        raise ValueError(f"--record {text}: {told}") from None
    return made
