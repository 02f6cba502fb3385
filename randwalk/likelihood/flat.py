"""Parameters that data do not determine, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from randwalk.model.coefficient import Floats

from .information import Information
from .maximum import refined
from .objective import Objective

FAR = 30.0  # errors with all others fixed: how far a weak direction is followed
PARTS = 6  # in so many steps
LEVEL = 0.02  # of log L: a direction is flat if it falls by less as far as that
SEEN = 0.02  # of the largest share: a parameter that changes by less is not named


def flat_directions(f: Objective, x: Floats, found: Information) -> list[Floats]:
    """The directions along which log L stays the same, as far as thirty errors: others are maximised on the way."""
    directions = [np.eye(x.size)[i] for i in np.flatnonzero(found.idle)]
    return directions + [direction for direction in found.weak() if _is_flat(f, x, found, direction)]


def _is_flat(f: Objective, x: Floats, found: Information, direction: Floats) -> bool:
    leader = int(np.argmax(np.abs(direction) / np.where(found.idle, np.inf, found.steps)))
    others = np.arange(x.size) != leader
    basis, here = found.part(others).basis, f(x)
    for side in (1.0, -1.0):
        at = x.copy()
        for _ in range(PARTS):
            moved = at + side * FAR / PARTS * direction * found.steps[leader] / abs(direction[leader])
            rest = f.without(f.names[leader], float(moved[leader]))
            moved[others] = refined(rest, moved[others], basis)
            height = rest(moved[others])
            if not np.isfinite(height):
                break
            if here - height > LEVEL:
                return False
            at = moved
        else:
            return True
    return False


def endless(f: Objective, x: Floats, found: Information) -> list[str]:
    """Sentences about parameters that the data bound on one side only: on the other log L does not fall in thirty errors."""
    here, told = f(x), []
    for i in np.flatnonzero(~found.idle):
        for side, beyond, bound in ((1.0, "above", "below"), (-1.0, "below", "above")):
            step = side * found.steps[i] * np.eye(x.size)[i]
            if here - f(x + step) < LEVEL and here - f(x + FAR * step) < LEVEL:
                told.append(
                    f"{f.names[i]} is bounded from {bound} only: log L does not fall however far {beyond} {x[i]:g} it is; its "
                    "error means nothing"
                )
    return told


def sentence(names: Sequence[str], x: Floats, direction: Floats) -> str:
    """What cannot be told, and what to do."""
    relative = all(v != 0.0 for v, d in zip(x, direction, strict=True) if d)
    change = np.divide(direction, x, out=np.zeros(x.size), where=x != 0.0) if relative else direction
    change = change / np.abs(change).max()
    change *= np.sign(change[np.argmax(np.abs(change))])
    part = [i for i in range(x.size) if abs(change[i]) > SEEN]
    if len(part) == 1:
        return f"{names[part[0]]} does not matter to these data: log L does not depend on it; leave it out of free"
    unit = " %" if relative else ""
    moves = ", ".join(f"{names[i]} by {change[i]:+.1g}{unit}" for i in part)
    listed = ", ".join(names[i] for i in part[:-1]) + f" and {names[part[-1]]}"
    return f"{listed} are not determined separately: log L stays the same along {moves}; fix one of them"
