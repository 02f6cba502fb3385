"""Times of first passage as data: response times, exit times, lifetimes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import is_missing, numbers
from ..inputs.columns import NUMBER, Columns, read_columns
from ..inputs.wording import did_you_mean, shown
from ..laws.lookup import NoAnswer
from ..model.coefficient import Floats
from .datum import Known, Laws, Passages, Series, checked_known, log_of, named, value_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNKNOWN = ""  # the exit of a walker that was not seen to leave, or by an exit that is not known
MOST_BINS = 60  # of a histogram


@dataclass(frozen=True, eq=False, repr=False)
class FirstPassageTimes:
    """Times at which walkers left, and by which exit; some were only watched until then.

    Parameters
    ----------
    times : (n,) positive numbers
        In the unit of time of the model.
    exits : (n,) names, or one name for all, optional
        In the names of the domain: "left", "right", a region, "killing". Left out, or "" for a walker: it left by any exit.
    censored : (n,) booleans, optional
        Walkers that had not left at their time, when they were last seen. Nobody if left out.
    offset : number or name
        When the walk begins on the clock of the data, as the time of a response that is not spent on the decision; or the
        name of a parameter, which may be fitted.
    source : str
        Where the data come from.

    Raises
    ------
    ValueError, TypeError
        for times that are not positive and finite (with their row), lists of different lengths, and a walker that is
        censored and has an exit.

    Examples
    --------
    >>> data = FirstPassageTimes([0.61, 0.84, 1.20, 2.00], ["right", "left", "right", ""], [False, False, False, True])
    >>> data
    FirstPassageTimes(4: 2 by right, 1 by left, 1 censored; times 0.61 … 2)
    >>> data.size, data.by("right").tolist()
    (4, [0.61, 1.2])
    """

    times: Floats
    exits: NDArray[np.str_]
    censored: NDArray[np.bool_]
    offset: Known = 0.0
    source: str = ""

    def __init__(
        self,
        times: ArrayLike,
        exits: Sequence[str] | NDArray[np.str_] | str | None = None,
        censored: ArrayLike | None = None,
        *,
        offset: Known = 0.0,
        source: str = "",
    ) -> None:
        given = numbers("times", times)
        if given.ndim != 1 or not given.size:
            raise ValueError(f"times = {shown(times)}: must be a list of at least one number")
        wrong = ~((given > 0.0) & np.isfinite(given))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"times = {given[row]:g} in row {row}: a time of passage must be positive and finite")
        ways = _names(exits, given.size)
        late = np.zeros(given.size, dtype=bool) if censored is None else np.asarray(censored)
        if late.dtype.kind != "b":
            row = next((i for i, value in enumerate(late.flat) if not isinstance(value, (bool, np.bool_))), 0)
            told = f"; row {row} has {shown(late.flat[row])}" if late.size else ""
            raise TypeError(f"censored = {shown(censored)}: must be a list of True and False{told}")
        for name, values in (("exits", ways), ("censored", late)):
            if values.shape != given.shape:
                raise ValueError(f"{name} has {values.size} entries and times {given.size}: give one for each")
        both = late & (ways != UNKNOWN)
        if both.any():
            row = int(np.argmax(both))
            raise ValueError(
                f'exits = {str(ways[row])!r} in row {row}, which is censored: a walker that has not left has exit ""'
            )
        fields = {
            "times": given, "exits": ways.astype(np.str_), "censored": late, "offset": checked_known("offset", offset),
            "source": source,
        }  # fmt: skip
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(
        cls,
        table: Any,
        time: str,
        exit: str | None = None,
        *,
        exits: Mapping[Any, str | None] | None = None,
        offset: Known = 0.0,
        source: str = "",
    ) -> FirstPassageTimes:
        """The data in columns of a `table`: a pandas object, an xarray Dataset, or a dict of lists.

        `time` and `exit` name columns. `exits` says what an entry of the second means, as ``{1: "right", 0: "left"}``; None
        for those that had not left. Numbers are alike in all spellings (1, 1.0, "1"), and so are None, NaN and empty fields.
        Left out, the entries are the names of exits.

        >>> FirstPassageTimes.of({"rt": [0.6, 0.9], "hit": [1, 0]}, "rt", "hit", exits={1: "right", 0: "left"})
        FirstPassageTimes(2: 1 by left, 1 by right; times 0.6 … 0.9)
        """
        for name in (time, exit):
            if name is not None and name not in table:
                known = [str(column) for column in table]
                raise ValueError(
                    f"there is no column {name!r}; the columns are {', '.join(known)}{did_you_mean(name, known)}"
                )
        entries = None if exit is None else np.asarray(table[exit], dtype=object).tolist()
        places = [f"row {row}" for row in range(len(table[time]))]
        return cls._named(np.asarray(table[time]), entries, exits, places, offset, source)

    @classmethod
    def read(
        cls,
        path: str | Path,
        time: str,
        exit: str | None = None,
        *,
        exits: Mapping[Any, str | None] | None = None,
        offset: Known = 0.0,
        source: str = "",
    ) -> FirstPassageTimes:
        """The data in columns of a CSV file (:mod:`randwalk.inputs.columns` says what is accepted), as :meth:`of`.

        ``exits={1: "right", 0: "left", "": None}`` says that an empty field is one that had not left. Errors name file, line and
        column.
        """
        columns = read_columns(path, list(dict.fromkeys([time] if exit is None else [time, exit])))
        return cls.of_columns(columns, time, exit, exits=exits, offset=offset, source=source)

    @classmethod
    def of_columns(
        cls,
        columns: Columns,
        time: str,
        exit: str | None = None,
        *,
        exits: Mapping[Any, str | None] | None = None,
        offset: Known = 0.0,
        source: str = "",
    ) -> FirstPassageTimes:
        """The data in columns of a file that was read, as :meth:`read`."""
        times = columns.numbers([time])[time]
        entries = None if exit is None else columns.fields[exit]
        places = [f"{columns.path}, line {line}" for line in columns.lines]
        return cls._named(np.array(times), entries, exits, places, offset, source)

    @classmethod
    def _named(
        cls, times: Any, entries: Sequence[Any] | None, exits: Mapping[Any, str | None] | None, places: Sequence[str],
        offset: Known, source: str,
    ) -> FirstPassageTimes:  # fmt: skip
        """The data whose exits are `entries`, translated by `exits`; `places` are where they stand."""
        if entries is None:
            return cls(times, offset=offset, source=source)
        if exits is None:
            missing = next((place for entry, place in zip(entries, places, strict=True) if is_missing(entry)), None)
            if missing is not None:
                raise ValueError(
                    f"{missing}: the exit is missing; say what that means, as exits={{…, None: None}}, not yet left"
                )
            return cls(times, [str(entry) for entry in entries], offset=offset, source=source)
        meant = {_entry(entry): name for entry, name in exits.items()}
        if len(meant) < len(exits):
            raise ValueError(f"exits = {shown(dict(exits))}: two of the entries are one; give each entry once")
        for entry, place in zip(entries, places, strict=True):
            if _entry(entry) not in meant:
                raise ValueError(f"{place}: the exit {shown(entry)} is none of exits, {', '.join(map(shown, exits))}")
        ways = [meant[_entry(entry)] for entry in entries]
        return cls(
            times, [way or UNKNOWN for way in ways], np.array([way is None for way in ways]), offset=offset,
            source=source,
        )  # fmt: skip

    @property
    def size(self) -> int:
        """The number of walkers."""
        return self.times.size

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the measurement: the offset, if it is one."""
        return named(self.offset)

    @property
    def axes(self) -> tuple[str, str]:
        return "time $t$", "density of passages"

    @property
    def ways(self) -> tuple[str, ...]:
        """The exits that were taken, by how often."""
        names, counts = np.unique(self.exits[~self.censored], return_counts=True)
        return tuple(names[np.argsort(-counts, kind="stable")].tolist())

    def by(self, exit: str) -> Floats:
        """The times of those that left by an exit, in the order of the data."""
        return self.times[(self.exits == exit) & ~self.censored]

    def with_offset(self, offset: Known) -> FirstPassageTimes:
        """The same data with another offset."""
        return FirstPassageTimes(self.times, self.exits, self.censored, offset=offset, source=self.source)

    def log_likelihood(self, laws: Laws, parameters: Mapping[str, float]) -> float:
        """Σ log f(t, exit) over those that left, and log S(t) over those that had not; t from the offset on."""
        t = self.times - value_of(self.offset, parameters)
        gone = ~self.censored
        if (t[gone] <= 0.0).any():
            return -np.inf
        if not (t > 0.0).any():  # all were last seen before the walk began
            return 0.0
        law = laws.passages(t[t > 0.0])
        total = 0.0
        for way in self.ways:
            times = t[gone & (self.exits == way)]
            total += log_of(
                sum((law.density(exit, times) for exit in ((way,) if way else law.exits)), np.zeros(times.size))
            )
        return total + log_of(law.survival(t[self.censored & (t > 0.0)]))

    def series(self, laws: Laws, parameters: Mapping[str, float]) -> list[Series]:
        """Densities of the passages by every exit, in bins of time. Where somebody is censored, only before that."""
        offset = value_of(self.offset, parameters)
        last = float(np.min(self.times[self.censored], initial=np.max(self.times)))
        bins = int(np.clip(np.sqrt(self.size), 5, MOST_BINS))
        edges = np.linspace(min(float(self.times.min()), offset), last, bins + 1)
        fine = np.linspace(edges[0], last, 401)
        law = laws.passages(np.maximum(fine - offset, 0.0)[fine > offset])
        result = []
        for way in self.ways:
            counts, width = np.histogram(self.by(way), edges)[0], np.diff(edges)
            after, line = np.maximum(edges - offset, 0.0), np.zeros(fine.size)
            share = np.zeros(bins)
            for exit in (way,) if way else law.exits:
                share += np.diff(law.absorbed(exit, after))
                line[fine > offset] += law.density(exit, fine[fine > offset] - offset)
            scale = 1.0 / (self.size * width)
            result.append(
                Series(
                    way or "any exit", 0.5 * (edges[1:] + edges[:-1]), counts * scale, share / width,
                    np.sqrt(np.maximum(share * self.size, 1.0)) * scale, (fine, line),
                )
            )  # fmt: skip
        return result

    def resolved(self, parameters: Mapping[str, float]) -> FirstPassageTimes:
        """The same with the number in place of the name of a parameter."""
        return self.with_offset(value_of(self.offset, parameters))

    @property
    def known_offset(self) -> float:
        """The offset, refused if it is a parameter."""
        if isinstance(self.offset, str):
            raise NoAnswer(f"offset = {self.offset!r} is a parameter: fit it, or give the data with_offset(number)")
        return self.offset

    def law_in(self, laws: Laws) -> Passages:
        """The passages of a fitted model, with the offset as a number."""
        after = self.times - self.known_offset
        return laws.passages(after[after > 0.0])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Histograms of the times of every exit, as densities whose integrals are the shares of the exits."""
        from ..laws.plotting import axes

        ax = axes(ax)
        edges = np.histogram_bin_edges(self.times, bins=int(np.clip(np.sqrt(self.size), 5, MOST_BINS)))
        for way in self.ways:
            counts = np.histogram(self.by(way), edges)[0]
            ax.stairs(counts / (self.size * np.diff(edges)), edges, label=way or "any exit")
        ax.set(xlabel=self.axes[0], ylabel=self.axes[1])
        if self.ways:
            ax.legend()
        return ax

    def to_xarray(self) -> Any:
        """The data as a Dataset: time, exit and censored along the dimension walker."""
        try:
            import xarray
        except ImportError:
            raise ImportError('to_xarray needs xarray: pip install "randwalk-pde[io]"') from None
        columns = {"time": self.times, "exit": self.exits, "censored": self.censored}
        return xarray.Dataset(
            {name: ("walker", values) for name, values in columns.items()},
            attrs={"offset": self.offset, "source": self.source},
        )

    def _repr_html_(self) -> str:
        from ..laws.plotting import in_notebook

        return in_notebook(repr(self), self.plot)

    def __repr__(self) -> str:
        parts = [f"{self.by(way).size} by {way or 'any exit'}" for way in self.ways]
        parts += [f"{int(self.censored.sum())} censored"] if self.censored.any() else []
        span = f"times {self.times.min():g} … {self.times.max():g}"
        offset = "" if self.offset == 0.0 else f", offset {self.offset}"
        return f"FirstPassageTimes({self.size}: {', '.join(parts)}; {span}{offset})"


def _names(exits: Any, size: int) -> NDArray[Any]:
    """The exits of `size` walkers as an array of text."""
    if exits is None or isinstance(exits, str):
        return np.full(size, UNKNOWN if exits is None else exits)
    if not isinstance(exits, Iterable):
        raise TypeError(f'exits = {shown(exits)}: must be a name of an exit, or a list of them, as "left" and "right"')
    for row, way in enumerate(exits):
        if not isinstance(way, str):
            told = f'row {row} has {shown(way)}; of an exit that is not known the name is ""'
            raise TypeError(f'exits = {shown(exits)}: must be names of exits, as "left" and "right"; {told}')
    return np.asarray(exits, dtype=np.str_)


def _entry(entry: Any) -> Any:
    """An entry of a table, so that 1, 1.0, "1" and "1.0" are one, and all that is missing is another."""
    if is_missing(entry):
        return UNKNOWN
    text = str(entry).strip() if isinstance(entry, str) else entry
    number = isinstance(text, Real) or (isinstance(text, str) and NUMBER.fullmatch(text))
    return float(text) if number else text
