"""Sums over the paths of the walk itself: hitting probabilities and times, returns, and the elimination behind them."""

from .quantities import commute_time as commute_time
from .quantities import escape_probability as escape_probability
from .quantities import hitting_probability as hitting_probability
from .quantities import hitting_time as hitting_time
from .quantities import return_time as return_time
