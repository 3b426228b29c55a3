"""Alerts from the gateway for asyncio: a thread reads the stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping

from ..alert import Alert
from ..http.connection import Gateway
from .from_http import HttpAlerts


class AsyncHttpAlerts(AsyncIterator[Alert]):
    """An endless iterator, begun by `async with` or the first wait; `close()`, or cancelling the task, ends it."""

    def __init__(self, gateway: Gateway, monitors: Iterable[str] | str | None, after: Mapping[str, str] | None) -> None:
        self._arguments = (gateway, monitors, after)
        self._alerts: HttpAlerts | None = None
        self._closed = False

    async def __anext__(self) -> Alert:
        """Wait for the next alert."""
        alerts = await self._begun()
        try:
            alert = None if self._closed else await asyncio.to_thread(next, alerts, None)
        except asyncio.CancelledError:
            self.close()
            raise
        if alert is None:
            raise StopAsyncIteration
        return alert

    @property
    def positions(self) -> dict[str, str]:
        """The last entry of each monitor that was given out: what `after` takes, in another process too."""
        return {} if self._alerts is None else self._alerts.positions

    def close(self) -> None:
        """End the iteration at once."""
        self._closed = True
        if self._alerts is not None:
            self._alerts.close()

    async def __aenter__(self) -> AsyncHttpAlerts:
        await self._begun()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def _begun(self) -> HttpAlerts:
        if self._alerts is None:
            self._alerts = await asyncio.to_thread(HttpAlerts, *self._arguments)
        return self._alerts
