"""When to try again, and when a silent connection is taken for dead."""

from __future__ import annotations

import random
from typing import Final

PING_AFTER: Final = 15.0
"""Seconds without a word after which the server is asked whether it is there."""
DEAD_AFTER: Final = 30.0
"""Seconds without a word after which the connection is given up."""
LOOK_EVERY: Final = 1.0
"""Seconds after which a wait looks up."""
_FIRST: Final = 0.05
_LONGEST: Final = 5.0


class Backoff:
    """Seconds until the next try: twice as long each time, up to five, and never at the same moment as others."""

    def __init__(self) -> None:
        self._next = _FIRST

    def reset(self) -> None:
        """It worked."""
        self._next = _FIRST

    def delay(self) -> float:
        """It didn't."""
        delay = self._next
        self._next = min(delay * 2, _LONGEST)
        return delay * random.uniform(0.5, 1.0)
