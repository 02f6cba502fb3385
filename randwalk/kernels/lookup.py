"""Values between the points of tables and grids, which stand in one array of numbers: NaN outside, where there is no value."""

from __future__ import annotations

import math

from ..jit.compile import device


@device
def interval(x, data, place, size):  # type: ignore[no-untyped-def]
    """The number of the last of the `size` - 1 first knots at data[place] … that is not above x, 0 if there is none."""
    low, high = 0, size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if data[place + middle] <= x:
            low = middle
        else:
            high = middle
    return low


@device
def covered(x, first, last):  # type: ignore[no-untyped-def]
    """x, moved to the end of a table from which it is away by rounding only; NaN outside."""
    slack = 1e-9 * (last - first)
    inside = first - slack <= x <= last + slack
    return (first if x < first else (last if x > last else x)) if inside else math.nan


@device
def linear(x, data, place, size):  # type: ignore[no-untyped-def]
    """Between `size` knots, which `size` values follow, linear."""
    at = covered(x, data[place], data[place + size - 1])
    k = place + interval(at, data, place, size)
    before, after = data[k], data[k + 1]
    return data[k + size] + (data[k + size + 1] - data[k + size]) * ((at - before) / (after - before))


@device
def stepped(x, data, place, size):  # type: ignore[no-untyped-def]
    """The value between two of `size` knots, which `size` - 1 values follow; at a knot the mean of both sides."""
    at = covered(x, data[place], data[place + size - 1])
    i = interval(at, data, place, size)
    value = data[place + size + i]
    before = data[place + size + i - 1] if i > 0 and at == data[place + i] else value
    return 0.5 * (before + value) + (at - at)


@device
def multilinear(x, data, place, sizes):  # type: ignore[no-untyped-def]
    """Between the points of a grid, whose axes and values follow each other from data[place] on."""

    total, values = 0.0, place
    for i in range(len(sizes)):
        values += sizes[i]
    for corner in range(1 << len(sizes)):
        weight, at, axis = 1.0, 0, place
        for i in range(len(sizes)):
            side = (corner >> i) & 1
            cell, part = 0, 0.0
            if sizes[i] > 1:
                v = covered(x[i], data[axis], data[axis + sizes[i] - 1])
                cell = interval(v, data, axis, sizes[i])
                part = (v - data[axis + cell]) / (data[axis + cell + 1] - data[axis + cell])
            weight *= part if side else 1.0 - part
            at = at * sizes[i] + (cell + side if cell + side < sizes[i] else sizes[i] - 1)
            axis += sizes[i]
        total += weight * data[values + at]
    return total
