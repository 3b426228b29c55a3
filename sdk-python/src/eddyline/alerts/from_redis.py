"""Alerts from Redis, blocking."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..alert import Alert
from ..errors import CLIENT_ERRORS, BusyError, EddylineError, UnreachableError, of_redis
from ..transport import RedisTransport
from .ledger import Ledger
from .pace import DEAD_AFTER, LOOK_EVERY, PING_AFTER, Backoff

_log = logging.getLogger("eddyline")


class RedisAlerts(Iterator[Alert]):
    """An endless iterator; `close()`, from any thread, ends it."""

    def __init__(
        self, transport: RedisTransport, monitors: Iterable[str] | str | None, after: Mapping[str, str] | None
    ) -> None:
        self._pubsub: Any = None
        self._transport = transport
        self._ledger = Ledger(monitors, after)
        self._heard = 0.0
        self._asked = False
        self._backoff = Backoff()
        self._closed = threading.Event()
        self._waiting = threading.Lock()
        self._begin()

    def __next__(self) -> Alert:
        """Wait for the next alert."""
        with self._waiting:
            while not self._closed.is_set():
                alert = self._ledger.next()
                if alert is not None:
                    return alert
                try:
                    self._step()
                except (UnreachableError, BusyError) as error:
                    self._leave(error)
            self._drop()
        raise StopIteration

    @property
    def positions(self) -> dict[str, str]:
        """The last entry of each monitor that was given out: what `after` takes, in another process too."""
        return self._ledger.unread()

    def close(self) -> None:
        """End the iteration, within a second."""
        self._closed.set()
        # whoever waits leaves by itself
        if self._waiting.acquire(blocking=False):
            try:
                self._drop()
            finally:
                self._waiting.release()

    def __del__(self) -> None:
        # A subscription and its connection refer to each other. Left to the garbage collector, which may come while
        # redis-py holds the lock of its connections, it would wait for that lock for ever (redis-py 5).
        with contextlib.suppress(Exception):
            self._drop()

    def __enter__(self) -> RedisAlerts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        named = self._ledger.named
        monitors = self._transport.with_incidents() if named is None else named
        for monitor in monitors:
            if not self._ledger.is_given(monitor):
                self._transport.do(self._ledger.last_entry(monitor))
        self._subscribe()

    def _step(self) -> None:
        if self._pubsub is None:
            self._subscribe()
        monitor = self._ledger.news()
        if monitor is not None:
            self._transport.do(self._ledger.read(monitor))
            return
        message = self._message()
        if message is None:
            return
        if message["type"] == "message":
            self._ledger.heard(message["data"])
        elif message["type"] == "subscribe":
            # also where redis-py has connected anew by itself
            self._backoff.reset()
            self._ledger.look_at(self._transport.with_incidents() if self._ledger.named is None else self._ledger.named)

    def _subscribe(self) -> None:
        try:
            self._pubsub = self._transport.client.pubsub()
            self._pubsub.subscribe(*self._ledger.channels)
        except CLIENT_ERRORS as error:
            self._drop()
            raise of_redis(error) from error
        self._heard, self._asked = time.monotonic(), False

    def _message(self) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] | None = self._pubsub.get_message(timeout=LOOK_EVERY)
            silent = time.monotonic() - self._heard
            if message is not None:
                self._heard, self._asked = time.monotonic(), False
            elif silent > DEAD_AFTER:
                raise UnreachableError(f"no word from Redis for {DEAD_AFTER:.0f} seconds")
            elif silent > PING_AFTER and not self._asked:
                self._asked = True
                self._pubsub.ping()
        except CLIENT_ERRORS as error:
            raise of_redis(error) from error
        except OSError as error:
            raise UnreachableError(f"the connection to Redis broke: {error}") from error
        return message

    def _leave(self, error: EddylineError) -> None:
        delay = self._backoff.delay()
        _log.info("eddyline: alerts are interrupted (%s), trying again in %.1f s", error, delay)
        self._drop()
        self._closed.wait(delay)

    def _drop(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            try:
                pubsub.close()
            except (*CLIENT_ERRORS, OSError) as error:
                _log.debug("eddyline: closing a lost connection: %s", error)
