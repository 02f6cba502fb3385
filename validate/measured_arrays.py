"""Checks of the arrays of measured data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from randwalk.inputs.arguments import culprit
from randwalk.inputs.wording import shown


def arrays(data: object, *names: str) -> None:
    """Turn lists into arrays of numbers, which must be as long as one another."""
    for name in names:
        array = np.asarray(getattr(data, name))
        if array.ndim != 1 or array.dtype.kind not in "iuf" or not array.size:
            given = getattr(data, name)
            raise ValueError(f"{name} must be a list of numbers, not {shown(given)}{culprit(given)}")
        object.__setattr__(data, name, array)
    sizes = [getattr(data, name).size for name in names]
    if len(set(sizes)) > 1:
        raise ValueError(f"{', '.join(names)} have {', '.join(map(str, sizes))} entries; give as many of each")


def refuse(wrong: NDArray[np.bool_], name: str, values: NDArray[Any], why: str) -> None:
    """Refuse the first value that is `wrong`, with its row."""
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name} = {values[row]:g} in row {row}: {why}")
