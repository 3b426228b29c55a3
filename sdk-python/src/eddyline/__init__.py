"""eddyline: send events, hear what broke.

>>> from eddyline import Eddyline
"""

from .aio import AsyncEddyline
from .alert import Alert, Cause, CauseItem, Marker
from .batcher import Batcher, BatcherStats
from .client import Eddyline
from .commands.count import Count
from .commands.feedback import Feedback
from .commands.fingerprint import Fingerprint
from .commands.info import Info
from .commands.top import Heavy, Top
from .errors import (
    BusyError,
    EddylineError,
    ForbiddenError,
    InvalidValueError,
    LearningError,
    ModuleMissingError,
    MonitorExistsError,
    RefusedError,
    UnknownIncidentError,
    UnknownMonitorError,
    UnreachableError,
)

__all__ = [
    "Alert",
    "AsyncEddyline",
    "Batcher",
    "BatcherStats",
    "BusyError",
    "Cause",
    "CauseItem",
    "Count",
    "Eddyline",
    "EddylineError",
    "Feedback",
    "Fingerprint",
    "ForbiddenError",
    "Heavy",
    "Info",
    "InvalidValueError",
    "LearningError",
    "Marker",
    "ModuleMissingError",
    "MonitorExistsError",
    "RefusedError",
    "Top",
    "UnknownIncidentError",
    "UnknownMonitorError",
    "UnreachableError",
]
