"""Parts of messages: a value cut to fit on a line, and the known word that the user probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

WIDEST = 80  # characters of a value in a message


def shown(value: Any) -> str:
    """The repr of a value on one line, cut in the middle if it is long.

    >>> shown([0.5, "a"]), len(shown(list(range(1000))))
    ("[0.5, 'a']", 80)
    """
    try:
        text = repr(value)
        text = " ".join(text.split()) if "\n" in text else text  # the repr of an array has several lines
    except ValueError:  # Python refuses to write whole numbers of more than 4300 digits
        return "a number of thousands of digits"
    if len(text) <= WIDEST:
        return text
    return f"{text[: WIDEST - 20]} … {text[-17:]}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'dx'?"`` if one of the `known` words is close to `word`, ignoring case; else an empty text.

    >>> did_you_mean("absorbin", ["absorbing", "reflecting"])
    "; did you mean 'absorbing'?"
    """
    words = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), list(words), 1)
    return f"; did you mean {words[close[0]]!r}?" if close else ""
