"""What became of the observations."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

_log = logging.getLogger("eddyline")

FULL = "full"
LOST = "lost"
REFUSED = "refused"
INVALID = "invalid"
CLOSED = "closed"

_SAID = {
    FULL: "the queue is full, since they come faster than they can be sent",
    LOST: "the connection broke while they were sent, and some may have counted",
    REFUSED: "the server refuses them",
    INVALID: "their values can't be sent",
    CLOSED: "they came after close(), or couldn't be sent before it",
}


@dataclass(frozen=True)
class BatcherStats:
    """What became of the observations since the batcher was made (in a child: since the fork)."""

    queued: int
    """Waiting, or under way."""
    sent: int
    """Counted by the server."""
    dropped: dict[str, int]
    """Given up, by reason: `full`, `lost`, `refused`, `invalid`, `closed`."""

    @property
    def dropped_in_all(self) -> int:
        """All that were given up."""
        return sum(self.dropped.values())


class Drops:
    """Counts what is given up, and says so the first, tenth, hundredth … time."""

    def __init__(self) -> None:
        # may be entered again by the same thread: a signal's handler, or a finaliser, may observe too
        self._lock = threading.RLock()
        self._counts: dict[str, int] = {}
        self._next: dict[str, int] = {}

    def count(self, reason: str, n: int, detail: str = "") -> None:
        """Count `n` observations."""
        if not n:
            return
        with self._lock:
            total = self._counts.get(reason, 0) + n
            self._counts[reason] = total
            is_news = total >= self._next.get(reason, 1)
            if is_news:
                self._next[reason] = 10 ** len(str(total))
        if is_news:
            _log.warning(
                "eddyline: %d observations dropped so far: %s%s", total, _SAID[reason], detail and f": {detail}"
            )

    def read(self) -> dict[str, int]:
        """The counts by reason."""
        with self._lock:
            return dict(self._counts)
