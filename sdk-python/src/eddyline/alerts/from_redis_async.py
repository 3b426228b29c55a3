"""Alerts from Redis for asyncio."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from typing import Any

import redis.asyncio
import redis.exceptions

from ..aio_transport import AsyncRedisTransport, closed
from ..alert import Alert
from ..errors import CLIENT_ERRORS, BusyError, EddylineError, InvalidValueError, UnreachableError, of_redis
from .ledger import Ledger
from .pace import DEAD_AFTER, LOOK_EVERY, PING_AFTER, Backoff

_log = logging.getLogger("eddyline")


class AsyncRedisAlerts(AsyncIterator[Alert]):
    """An endless iterator, begun by `async with` or the first wait; `close()`, or cancelling the task, ends it."""

    def __init__(
        self, transport: AsyncRedisTransport, monitors: Iterable[str] | str | None, after: Mapping[str, str] | None
    ) -> None:
        self._transport = transport
        self._ledger = Ledger(monitors, after)
        self._pubsub: Any = None
        self._heard = 0.0
        self._asked = False
        self._begun = False
        self._backoff = Backoff()
        self._closed = asyncio.Event()

    async def __anext__(self) -> Alert:
        """Wait for the next alert."""
        try:
            if not self._begun:
                await _whole(self._begin())
            while not self._closed.is_set():
                alert = self._ledger.next()
                if alert is not None:
                    return alert
                try:
                    await _whole(self._step())
                except (UnreachableError, BusyError) as error:
                    await self._leave(error)
        except asyncio.CancelledError:
            await self._drop()
            raise
        await self._drop()
        raise StopAsyncIteration

    @property
    def positions(self) -> dict[str, str]:
        """The last entry of each monitor that was given out: what `after` takes, in another process too."""
        return self._ledger.unread()

    def close(self) -> None:
        """End the iteration, within a second."""
        self._closed.set()

    async def __aenter__(self) -> AsyncRedisAlerts:
        if not self._begun:
            await self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed.set()
        await self._drop()

    async def _begin(self) -> None:
        named = self._ledger.named
        monitors = await self._transport.with_incidents() if named is None else named
        for monitor in monitors:
            if not self._ledger.is_given(monitor):
                await self._transport.do(self._ledger.last_entry(monitor))
        await self._subscribe()
        self._begun = True

    async def _step(self) -> None:
        if self._pubsub is None:
            await self._subscribe()
        monitor = self._ledger.news()
        if monitor is not None:
            await self._transport.do(self._ledger.read(monitor))
            return
        message = await self._message()
        if message is None:
            return
        if message["type"] == "message":
            self._ledger.heard(message["data"])
        elif message["type"] == "subscribe":
            # also where redis-py has connected anew by itself
            self._backoff.reset()
            named = self._ledger.named
            self._ledger.look_at(await self._transport.with_incidents() if named is None else named)

    async def _subscribe(self) -> None:
        try:
            client = self._transport.client
            if isinstance(client, redis.asyncio.RedisCluster):
                await client.initialize()
            if not hasattr(client, "pubsub"):
                raise InvalidValueError(
                    f"the cluster client for asyncio of redis-py {redis.__version__} can't subscribe: a newer one can"
                )
            self._pubsub = client.pubsub()
            await self._pubsub.subscribe(*self._ledger.channels)
        except CLIENT_ERRORS as error:
            await self._drop()
            raise of_redis(error) from error
        self._heard, self._asked = time.monotonic(), False

    async def _message(self) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] | None = await self._pubsub.get_message(timeout=LOOK_EVERY)
            silent = time.monotonic() - self._heard
            if message is not None:
                self._heard, self._asked = time.monotonic(), False
            elif silent > DEAD_AFTER:
                raise UnreachableError(f"no word from Redis for {DEAD_AFTER:.0f} seconds")
            elif silent > PING_AFTER and not self._asked:
                self._asked = True
                await self._pubsub.ping()
        except CLIENT_ERRORS as error:
            raise of_redis(error) from error
        except OSError as error:
            raise UnreachableError(f"the connection to Redis broke: {error}") from error
        return message

    async def _leave(self, error: EddylineError) -> None:
        delay = self._backoff.delay()
        _log.info("eddyline: alerts are interrupted (%s), trying again in %.1f s", error, delay)
        await self._drop()
        try:
            await asyncio.wait_for(self._closed.wait(), delay)
        except asyncio.TimeoutError:
            return

    async def _drop(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            try:
                await closed(pubsub)
            except (*CLIENT_ERRORS, OSError) as error:
                _log.debug("eddyline: closing a lost connection: %s", error)


async def _whole(step: Coroutine[Any, Any, None]) -> None:
    # redis-py swallows a cancellation now and then (8.1, RESP3), so it gets a task that ends within a second anyway
    task = asyncio.create_task(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise
