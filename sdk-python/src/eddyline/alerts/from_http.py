"""Alerts from the gateway's stream of events, blocking."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlencode

from ..alert import Alert, UnreadableAlertError
from ..errors import BusyError, EddylineError, UnreachableError, of_answer
from ..http.connection import Gateway, checked, seconds
from ..http.events import EventReader
from .ledger import Ledger, entry_id
from .pace import DEAD_AFTER, Backoff

_log = logging.getLogger("eddyline")
_MAX_LINE: Final = 4 << 20
# windows are told so long after they ended
_LATE_MS: Final = 10_000


class HttpAlerts(Iterator[Alert]):
    """An endless iterator; `close()`, from any thread, ends it."""

    def __init__(self, gateway: Gateway, monitors: Iterable[str] | str | None, after: Mapping[str, str] | None) -> None:
        ledger = Ledger(monitors, after)
        self._gateway = gateway
        self._named = ledger.named
        self._given_out = ledger.unread()
        # of monitors for which nobody said where to begin: not what came long before
        self._begin_ms = 0
        # where to go on after a disconnect, ms since the epoch: windows that ended then are sent again
        self._after_ms = min((entry_id(entry)[0] for entry in self._given_out.values()), default=None)
        self._connection: http.client.HTTPConnection | None = None
        self._response: http.client.HTTPResponse | None = None
        self._reader = EventReader()
        self._backoff = Backoff()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._connect()

    def __next__(self) -> Alert:
        """Wait for the next alert."""
        while not self._closed.is_set():
            try:
                if self._response is None:
                    self._connect()
                alert = self._event()
                if alert is not None:
                    return alert
            except (UnreachableError, BusyError) as error:
                self._leave(error)
        self._drop()
        raise StopIteration

    @property
    def positions(self) -> dict[str, str]:
        """The last entry of each monitor that was given out: what `after` takes, in another process too."""
        return dict(self._given_out)

    def close(self) -> None:
        """End the iteration at once."""
        self._closed.set()
        with self._lock:
            sock = self._connection.sock if self._connection is not None else None
            if sock is not None:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    _log.debug("eddyline: the stream of alerts had ended by itself")

    def __enter__(self) -> HttpAlerts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._drop()

    def _connect(self) -> None:
        query = {}
        if self._named is not None and len(self._named) == 1:
            query["monitor"] = self._named[0]
        if self._after_ms is not None:
            query["after"] = str(self._after_ms)
        connection = self._gateway.connect()
        connection.timeout = DEAD_AFTER
        headers = {**self._gateway.headers(), "accept": "text/event-stream"}
        try:
            target = "/v1/stream" + (f"?{urlencode(query)}" if query else "")
            connection.request("GET", self._gateway.path(target), headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                content = response.read(1 << 20)
                checked(response.status, seconds(response.getheader("retry-after")), content)
                raise of_answer(500, "", f"the gateway answers {response.status} to a stream", None)
        except EddylineError:
            # some of which are an OSError too
            connection.close()
            raise
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise UnreachableError(f"the gateway doesn't answer: {error}") from error
        if not self._begin_ms:
            self._begin_ms = _moment(response.getheader("date")) - _LATE_MS
        if self._after_ms is None:
            # should the connection break before the first event: nothing from now on may be missed
            self._after_ms = self._begin_ms + _LATE_MS
        self._reader = EventReader()
        with self._lock:
            self._connection, self._response = connection, response
        if self._closed.is_set():
            self.close()

    def _event(self) -> Alert | None:
        assert self._response is not None
        try:
            line = self._response.readline(_MAX_LINE)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(f"the stream of alerts broke: {error}") from error
        if not line.endswith(b"\n"):
            raise UnreachableError("the gateway ended the stream of alerts")
        event = self._reader.line(line.rstrip(b"\r\n").decode("utf-8", "replace"))
        if self._reader.id is not None and self._reader.id.isdigit():
            self._after_ms = int(self._reader.id)
            self._backoff.reset()
        if event is None or event.kind != "alert":
            return None
        return self._news(event.data)

    def _news(self, data: str) -> Alert | None:
        try:
            alert = Alert.from_json(data)
        except UnreadableAlertError as error:
            _log.warning("eddyline: an alert is left out: %s", error)
            return None
        if self._named is not None and alert.monitor not in self._named:
            return None
        begin = self._given_out.get(alert.monitor, f"{self._begin_ms}-0")
        if entry_id(alert.entry) <= entry_id(begin):
            return None
        self._given_out[alert.monitor] = alert.entry
        return alert

    def _leave(self, error: EddylineError) -> None:
        delay = self._backoff.delay()
        _log.info("eddyline: alerts are interrupted (%s), trying again in %.1f s", error, delay)
        self._drop()
        self._closed.wait(delay)

    def _drop(self) -> None:
        with self._lock:
            connection, self._connection, self._response = self._connection, None, None
        if connection is not None:
            connection.close()


def _moment(date: str | None) -> int:
    # the gateway's clock, where it tells it
    try:
        return int((parsedate_to_datetime(date).timestamp() if date else time.time()) * 1000)
    except ValueError:
        return int(time.time() * 1000)
