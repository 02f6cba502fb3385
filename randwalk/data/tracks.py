"""Tracks: where particles were seen, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite, finite_numbers, numbers
from ..inputs.extras import xarray_for
from ..inputs.wording import did_you_mean, shown
from ..laws.estimate import Profile
from ..laws.plotting import COLOURS, axes, in_notebook
from ..model.coefficient import Floats
from .brownian import Likelihood, Steps
from .mean_square import mean_square
from .samples import Samples
from .track_fit import TrackFit
from .track_rows import checked_exposure, frames_of, labels, positive
from .track_table import AXES, TrackTable, read_track_file, read_track_frame

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

LAGS = 30  # of a mean square displacement, if none are asked for,
QUARTER = 4  # up to this part of the longest track
DRAWN = 1000  # tracks at most in a picture


@dataclass(frozen=True, eq=False, repr=False)
class Tracks:
    """Positions of particles at times, in one, two or three dimensions.

    Rows may come in any order, and tracks may begin, end and have gaps at any frame. Times must lie on frames at equal intervals:
    the time between two observations of a particle is a whole number of intervals, to 5 % of one, and is taken as that.

    Parameters
    ----------
    particle : (rows,) array of whole numbers or text, or None
        Whose position it is; None for a single particle.
    time : (rows,) array
        In `time_unit`.
    positions : (rows,) or (rows, dimension) array
        In `unit`.
    interval : float, optional
        The time between two frames; by default that of the closest observations.
    unit, time_unit : str
        The units of length and time, for what is shown.

    Examples
    --------
    >>> import numpy as np
    >>> steps = np.random.default_rng(1).normal(0.0, 0.2, (1000, 2))  # D = 0.2²/(2 · 0.1) = 0.2
    >>> tracks = Tracks(None, 0.1 * np.arange(1000), np.cumsum(steps, axis=0), unit="µm", time_unit="s")
    >>> tracks
    Tracks(1 particle, 1000 positions in 2 dimensions in µm, 1000 frames of 0.1 s)
    >>> fit = tracks.fit()
    >>> fit.diffusion
    0.199038 ± 0.011
    """

    particle: Any
    time: Floats
    positions: Floats
    interval: float = field(default=None, kw_only=True)  # type: ignore[assignment]  # never None once made
    unit: str = field(default="", kw_only=True)
    time_unit: str = field(default="", kw_only=True)
    frame: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        time, positions = numbers("time", self.time), numbers("positions", self.positions)
        positions = positions[:, None] if positions.ndim == 1 else positions
        if time.ndim != 1 or not time.size:
            raise ValueError(f"time has the shape {time.shape}: give one time for each position, at least one")
        if not np.isfinite(time).all():
            row = int(np.argmin(np.isfinite(time)))
            raise ValueError(f"time must be finite, not {time[row]}, in row {row}: leave the row out, or give its time")
        particle = np.zeros(time.size, dtype=np.int64) if self.particle is None else labels(self.particle)
        if positions.ndim != 2 or not 1 <= positions.shape[1] <= len(AXES):
            raise ValueError(
                f"positions has the shape {positions.shape}: must be (rows,) or (rows, dimension), up to 3"
            )
        if not particle.shape == time.shape == positions.shape[:1]:
            raise ValueError(
                f"particle, time and positions have {particle.size}, {time.size} and {len(positions)} rows: give as many of each"
            )
        unseen = ~np.isfinite(positions).all(axis=1)
        if unseen.any():
            row = int(np.argmax(unseen))
            raise ValueError(
                f"positions = {shown(positions[row].tolist())} in row {row}, at time {time[row]:g}: must be finite; leave out "
                "the rows of frames in which a particle was not seen, which are then gaps"
            )
        order = np.lexsort((time, particle))
        particle, time, positions = particle[order], time[order], positions[order]
        interval, frame = frames_of(particle, time, self.interval)
        made = {"particle": particle, "time": time, "positions": positions, "interval": interval, "frame": frame}
        for name, value in made.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        interval: float | None = None,
        pixel: float | None = None,
        unit: str | None = None,
        time_unit: str | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> Tracks:
        """The tracks in a CSV file with a header.

        The columns particle (or track, track_id, …; without one there is a single particle), frame or time, x, y and z are
        found by their names, which may have a unit: ``x [µm]``, ``x_um``. Other columns are passed over. Separators are
        commas, semicolons and tabs, the last two also with decimal commas; ``#`` begins a comment.

        Parameters
        ----------
        interval : float, optional
            The time between two frames, by which frames become times; 1 if only frames are known.
        pixel : float, optional
            The length of a pixel in `unit`; positions are multiplied by it.
        unit, time_unit : str, optional
            By default those of the header.
        columns : mapping, optional
            The names of columns that have others, such as ``{"x": "Centroid X"}``.
        """
        return cls._of(read_track_file(path, columns), interval, pixel, unit, time_unit)

    @classmethod
    def from_table(
        cls,
        table: Any,
        *,
        interval: float | None = None,
        pixel: float | None = None,
        unit: str | None = None,
        time_unit: str | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> Tracks:
        """The tracks in a pandas DataFrame (that of trackpy, say), an xarray Dataset or a dict of arrays; as :meth:`read`."""
        return cls._of(read_track_frame(table, columns), interval, pixel, unit, time_unit)

    @classmethod
    def _of(
        cls, table: TrackTable, interval: float | None, pixel: float | None, unit: str | None, time_unit: str | None
    ) -> Tracks:
        scale = 1.0 if pixel is None else positive("pixel", pixel)
        own_unit = table.unit if pixel is None else ""
        if table.time is not None and (interval is None or table.frame is None):
            time = table.time
            told = table.time_unit
        else:
            assert table.frame is not None  # one of the two is there
            whole = table.frame == np.rint(table.frame)
            if not whole.all():
                raise ValueError(
                    f"frame = {table.frame[~whole][0]:g}: must be a whole number; is it a time? columns={{'time': …}}"
                )
            time = table.frame * (1.0 if interval is None else positive("interval", interval))
            told = "frames" if interval is None else ""
            interval = 1.0 if interval is None else interval
        return cls(
            table.particle,
            time,
            scale * table.positions,
            interval=interval,  # type: ignore[arg-type]
            unit=own_unit if unit is None else unit,
            time_unit=told if time_unit is None else time_unit,
        )

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return int(self.positions.shape[1])

    @cached_property
    def particles(self) -> NDArray[Any]:
        """The particles, in order."""
        return np.unique(self.particle)

    @property
    def units(self) -> dict[str, str]:
        """``unit`` and ``time_unit``."""
        return {"unit": self.unit, "time_unit": self.time_unit}

    def of(self, particle: Any) -> Tracks:
        """The track of one particle, or the tracks of a list of particles."""
        wanted = np.atleast_1d(np.asarray(particle))
        for name in wanted:
            if name not in self.particles:
                near = did_you_mean(str(name), map(str, self.particles.tolist()))
                raise ValueError(
                    f"particle = {shown(name.item())}: there is none{near}; the names are in tracks.particles"
                )
        return self._some(np.isin(self.particle, wanted), self.positions)

    def along(self, axis: int | str) -> Tracks:
        """The tracks of one coordinate, by the number of its axis or by its name."""
        names = AXES[: self.dimension]
        if axis not in names and axis not in range(self.dimension):
            raise ValueError(f"axis = {shown(axis)}: must be one of {', '.join(names)}")
        number = names.index(axis) if isinstance(axis, str) else axis
        return self._some(np.ones(len(self.particle), dtype=bool), self.positions[:, [number]])

    def every(self, frames: int) -> Tracks:
        """The positions of every `frames`-th frame of each track, from its first: what happens in between is not looked at."""
        if isinstance(frames, bool) or not isinstance(frames, (int, np.integer)) or frames < 1:
            raise ValueError(f"frames = {shown(frames)}: must be a whole number of frames, at least 1")
        first = np.flatnonzero(np.diff(self._track, prepend=-1))
        rows = (self.frame - self.frame[first][self._track]) % frames == 0
        interval = self.interval * frames
        return Tracks(self.particle[rows], self.time[rows], self.positions[rows], interval=interval, **self.units)

    def _some(self, rows: NDArray[np.bool_], positions: Floats) -> Tracks:
        return Tracks(self.particle[rows], self.time[rows], positions[rows], interval=self.interval, **self.units)

    @cached_property
    def _track(self) -> NDArray[np.int64]:
        """The number of the track of each row."""
        return np.unique(self.particle, return_inverse=True)[1].astype(np.int64)

    @cached_property
    def steps(self) -> Steps:
        """The steps between successive observations: how far, shape (steps, dimension), after which time, and whether a step
        begins where the one before it ends."""
        same = np.diff(self._track) == 0
        moved, waited = np.diff(self.positions, axis=0)[same], np.diff(self.frame)[same] * self.interval
        track = self._track[1:][same]
        return Steps(moved, waited.astype(np.float64), track[1:] == track[:-1])

    def fit(
        self, *, exposure: float = 0.0, drift: ArrayLike | None = None, localisation: float | None = None
    ) -> TrackFit:
        """D, drift and localisation error, the same for all particles, by maximum likelihood.

        The model is Brownian motion with a constant drift, whose positions are seen with independent normal errors of standard
        deviation σ along each axis, as means over the exposure of a frame [Berglund, Phys. Rev. E 82, 011917 (2010)].
        The likelihood is exact for tracks of any length with gaps, and restricted to what does not depend on the drift.

        Parameters
        ----------
        exposure : float
            The time for which the shutter is open in each frame, in ``time_unit``, from 0 to ``interval``: what moves
            meanwhile is seen at its mean place (motion blur). D hardly depends on it, σ does.
        drift : number, or one for each axis, optional
            By default it is fitted; give 0 where there can be none.
        localisation : float, optional
            σ, if it is known (from particles that are stuck, say).
        """
        exposure = checked_exposure(exposure, self.interval)
        if localisation is not None and finite("localisation", localisation) < 0.0:
            raise ValueError(f"localisation = {localisation:g}: must not be negative")
        given = None
        if drift is not None:
            given = finite_numbers("drift", drift)
            if given.shape not in ((), (self.dimension,)):
                raise ValueError(f"drift = {shown(drift)}: give a number, or one for each of the {self.dimension} axes")
            given = np.broadcast_to(given, (self.dimension,))
        return TrackFit.of(self, self.likelihood(exposure, given, localisation))

    def likelihood(self, exposure: float, drift: Floats | None = None, localisation: float | None = None) -> Likelihood:
        """The likelihood of the steps as a function of D and σ², that of :meth:`fit`, of which the arguments are. A `drift` has
        the shape (dimension,).

        Raises
        ------
        ValueError
            for steps that cannot tell D, with the reason.
        """
        steps = self.steps
        likelihood = Likelihood(steps, exposure, drift, localisation)
        if steps.waited.size < 2:
            raise ValueError(
                f"the tracks have {steps.waited.size} steps between observations of one particle: a fit needs two, and for "
                "useful errors a hundred"
            )
        if not likelihood.scale > 0.0:
            raise ValueError("the particles do not move: all steps are alike, and D has no likelihood")
        if likelihood.localisation is None and not steps.joined.any() and np.ptp(steps.waited) == 0.0:
            raise ValueError(
                "no particle was seen more than twice, all after the same time: D and the localisation error cannot be told "
                "apart; give localisation="
            )
        return likelihood

    def msd(self, lags: ArrayLike | None = None, *, model: tuple[float, Floats, float] | None = None) -> Profile:
        """The mean square displacement after each of the times `lags`, over all windows in all tracks: an estimate with `value`,
        `error` and the lags as `x`, each of shape (lags,).

        Windows overlap, so that their displacements are correlated, and so are the values of different lags. The standard errors
        are exact for Brownian motion with the D, drift and localisation error of :meth:`fit`; a curve should be fitted to
        the tracks (as :meth:`fit` does), not to these values.

        `lags` are whole numbers of frames as times; by default up to a quarter of the longest track, 30 at most. A `model` of the
        errors, (D, drift, σ² - D exposure/3), takes the place of the fit.
        """
        if model is None:
            likelihood = self.likelihood(self.interval)
            diffusion, square = likelihood.best()
            spread = likelihood.spread(diffusion, square)
            model = diffusion, likelihood.solved(diffusion, spread)[2], spread
        result = mean_square(self._track, self.frame, self.positions, self._lags(lags), model, self.interval)
        if np.isnan(result.value).any() and lags is not None:
            lag = result.x[np.isnan(result.value)][0]
            raise ValueError(f"lags = {shown(lags)}: no particle was seen twice {lag:g} apart; take shorter lags")
        seen = ~np.isnan(result.value)
        return result if seen.all() else result[seen]

    def _lags(self, lags: ArrayLike | None) -> NDArray[np.int64]:
        if lags is None:
            first = np.flatnonzero(np.diff(self._track, prepend=-1))
            last = np.append(first[1:], len(self._track)) - 1
            longest = int((self.frame[last] - self.frame[first]).max())
            return np.unique(np.rint(np.geomspace(1, max(1, longest // QUARTER), LAGS)).astype(np.int64))
        given = np.atleast_1d(finite_numbers("lags", lags))
        if given.ndim != 1 or not given.size or (given <= 0.0).any():
            raise ValueError(f"lags = {shown(lags)}: must be positive times, one or more")
        return np.array([self._frames_in("lags", lag) for lag in given.tolist()])

    def _frames_in(self, name: str, lag: float) -> int:
        """A time as a number of frames."""
        number = round(lag / self.interval)
        if number < 1 or abs(lag - number * self.interval) > 1e-6 * lag:
            near = max(1, number) * self.interval
            raise ValueError(
                f"{name} = {lag:g}: must be a whole number of frames of {self.interval:g}; take {near:.9g}"
            )
        return number

    def increments(self, lag: float) -> Samples:
        """The displacements after the time `lag`, of windows of each track that do not overlap: a sample to compare with the law
        at that time of a walk that starts at 0.

        Those of Brownian motion are independent, but for the localisation error σ that neighbouring windows share, which
        gives them the correlation -σ²/(2D lag + 2σ²): take a lag for which it is small.
        """
        n = self._frames_in("lag", finite("lag", lag))
        keys = self._track * (int(self.frame.max()) + n + 2) + self.frame  # increasing; tracks farther apart than a lag
        ends = np.searchsorted(keys, keys + n)
        begins = np.flatnonzero(keys[np.minimum(ends, len(keys) - 1)] == keys + n)
        taken: list[int] = []
        free = -1
        for row in begins.tolist():
            if keys[row] >= free:
                taken.append(row)
                free = int(keys[row]) + n
        if not taken:
            raise ValueError(f"lag = {lag:g}: no particle was seen twice that far apart in time; take a shorter one")
        return Samples(self.positions[ends[taken]] - self.positions[taken], time=lag)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the tracks on `ax` or on new axes, which are returned, over time or in the plane of x and y."""
        ax = axes(ax)
        for track in range(min(DRAWN, len(self.particles))):
            rows = self._track == track
            x = self.positions[rows]
            ax.plot(*((self.time[rows], x[:, 0]) if self.dimension == 1 else (x[:, 0], x[:, 1])), lw=0.6)
        length, time = _in(self.unit), _in(self.time_unit)
        if self.dimension == 1:
            ax.set(xlabel=f"time $t${time}", ylabel=f"position $x${length}")
        else:
            ax.set(xlabel=f"position $x${length}", ylabel=f"position $y${length}", aspect="equal")
        return ax

    def plot_msd(self, ax: Axes | None = None) -> Axes:
        """Draw :meth:`msd` with its errors on `ax` or on new axes, which are returned, both logarithmic."""
        ax, seen = axes(ax), self.msd()
        ax.errorbar(seen.x, seen.value, seen.error, fmt=".", color=COLOURS["data"], label="tracks")
        ax.set(xscale="log", yscale="log", xlabel=f"lag{_in(self.time_unit)}")
        ax.set_ylabel(f"mean square displacement{_in(f'{self.unit}²' if self.unit else '')}")
        return ax

    def to_xarray(self) -> xarray.Dataset:
        """A dataset of the rows: ``particle``, ``frame``, ``time`` (row) and the coordinates x, y, z (row)."""
        rows = {"particle": self.particle, "frame": self.frame, "time": self.time}
        rows |= {name: self.positions[:, axis] for axis, name in enumerate(AXES[: self.dimension])}
        attributes = {"interval": self.interval} | self.units
        return xarray_for("to_xarray").Dataset(
            {name: ("row", column) for name, column in rows.items()}, attrs=attributes
        )

    def _repr_html_(self) -> str:
        return in_notebook(repr(self), self.plot)

    def __repr__(self) -> str:
        many, dimension = len(self.particles), self.dimension
        particles = f"{many} particle{'s' * (many != 1)}"
        where = f"{dimension} dimension{'s' * (dimension != 1)}{f' in {self.unit}' if self.unit else ''}"
        frames = int(self.frame.max()) + 1
        length = f" of {self.interval:.6g} {self.time_unit}".rstrip() if self.time_unit != "frames" else ""
        return f"Tracks({particles}, {len(self.time)} positions in {where}, {frames} frames{length})"


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""
