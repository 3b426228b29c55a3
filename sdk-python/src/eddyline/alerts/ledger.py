"""How far each monitor's incidents were read, and where there is news: no connection, so that both clients share it."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from ..alert import Alert, UnreadableAlertError
from ..errors import InvalidValueError
from ..keys import ALERTS, alerts, incidents
from ..operation import Command, Conversation, Operation
from ..replies import entries

START: Final = "0-0"
PAGE: Final = 250
_log = logging.getLogger("eddyline")


def entry_id(text: str) -> tuple[int, int]:
    """The parts of a stream's id, which order as ids do."""
    milliseconds, _, sequence = text.partition("-")
    return int(milliseconds), int(sequence or 0)


class Ledger:
    """How far each monitor was read."""

    def __init__(self, monitors: Iterable[str] | str | None, after: Mapping[str, str] | None) -> None:
        named = [monitors] if isinstance(monitors, str) else monitors
        self.named: tuple[str, ...] | None = None if named is None else tuple(dict.fromkeys(named))
        if self.named == ():
            raise InvalidValueError("alerts() takes the names of monitors, or nothing for those of all")
        for monitor in self.named or ():
            incidents(monitor)
        self._read: dict[str, str] = {}
        for monitor, entry in (after or {}).items():
            try:
                entry_id(entry)
            except ValueError:
                raise InvalidValueError(f"after has ids of entries such as 1795226643000-0, got {entry!r}") from None
            self._read[monitor] = entry
        self._given: Final = dict(self._read)
        self._ready: deque[Alert] = deque()
        # monitor -> the entry it was heard of, where that is not beyond what was read
        self._news: dict[str, str | None] = {}

    @property
    def channels(self) -> tuple[str, ...]:
        """What to subscribe to."""
        return (ALERTS,) if self.named is None else tuple(alerts(monitor) for monitor in self.named)

    def begin(self, monitor: str, last: str) -> None:
        """Of a monitor that was there before: only what comes after its last entry."""
        self._read.setdefault(monitor, last)

    def is_given(self, monitor: str) -> bool:
        """Whether the caller said where to begin."""
        return monitor in self._given

    def look_at(self, monitors: Iterable[str]) -> None:
        """There may be news of these, and of all that are known."""
        for monitor in (*self._read, *monitors):
            if self.named is None or monitor in self.named:
                self._news.setdefault(monitor, None)

    def heard(self, message: bytes | str) -> None:
        """A message came on a channel."""
        try:
            told = json.loads(message)
            monitor, entry = str(told["monitor"]), str(told["entry"])
            is_news = entry_id(entry) > entry_id(self._read.get(monitor, START))
            incidents(monitor)
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("eddyline: a message on %s isn't an alert: %r", ALERTS, error)
            return
        # of another database, since they share the channels: then the stream has no news
        if self.named is None or monitor in self.named:
            self._news.setdefault(monitor, None if is_news else entry)

    def news(self) -> str | None:
        """The next monitor to read."""
        return next(iter(self._news), None)

    def next(self) -> Alert | None:
        """The next alert that was read."""
        return self._ready.popleft() if self._ready else None

    def unread(self) -> dict[str, str]:
        """Where to go on, should the reader end now."""
        positions = dict(self._read)
        for alert in reversed(self._ready):
            milliseconds, sequence = entry_id(alert.entry)
            before = f"{milliseconds}-{sequence - 1}" if sequence else f"{max(milliseconds - 1, 0)}-{(1 << 64) - 1}"
            positions[alert.monitor] = before
        return positions

    def read(self, monitor: str) -> Operation[None]:
        """Read a page of the monitor's entries."""

        def converse() -> Conversation[None]:
            after, heard = self._read.get(monitor, START), self._news.get(monitor)
            reply = yield Command(("XRANGE", incidents(monitor), f"({after}", "+", "COUNT", PAGE))
            page = entries(reply)
            if not page and heard is not None:
                # said again right after a reconnect, or the stream is another than it was (deleted, a failover)
                last = entries((yield Command(("XREVRANGE", incidents(monitor), "+", "-", "COUNT", 1))))
                if last and entry_id(last[0][0]) < entry_id(after):
                    reply = yield Command(("XRANGE", incidents(monitor), heard, "+", "COUNT", PAGE))
                    page = entries(reply)
            if len(page) < PAGE:
                self._news.pop(monitor, None)
            for entry, fields in page:
                self._take(monitor, entry, fields.get(b"alert", b""))

        return Operation(converse, None, "alerts")

    def last_entry(self, monitor: str) -> Operation[None]:
        """Begin after the last entry that there is."""

        def converse() -> Conversation[None]:
            last = entries((yield Command(("XREVRANGE", incidents(monitor), "+", "-", "COUNT", 1))))
            self.begin(monitor, last[0][0] if last else START)

        return Operation(converse, None, "alerts")

    def _take(self, monitor: str, entry: str, message: bytes) -> None:
        self._read[monitor] = entry
        try:
            self._ready.append(Alert.from_json(message))
        except UnreadableAlertError as error:
            _log.warning("eddyline: entry %s of %s is left out: %s", entry, incidents(monitor), error)
