"""A library of faults, to be planted into the running package: which rung of which case catches each?"""

from __future__ import annotations

from . import continuous, law, space, statistics, walk
from .fault import Fault as Fault
from .planting import planting as planting
from .planting import replace as replace

LIBRARY: dict[str, Fault] = {
    fault.name: fault for fault in (*walk.FAULTS, *space.FAULTS, *law.FAULTS, *continuous.FAULTS, *statistics.FAULTS)
}
