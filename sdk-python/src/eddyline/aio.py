"""The client for asyncio."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import redis
import redis.asyncio

from .aio_transport import AsyncHttpTransport, AsyncRedisTransport, closed, connect
from .alerts.from_http_async import AsyncHttpAlerts
from .alerts.from_redis_async import AsyncRedisAlerts
from .commands.business_metric import business_metric
from .commands.count import Count, count
from .commands.create import create
from .commands.feedback import Feedback, Verdict, feedback
from .commands.fingerprint import Fingerprint, fingerprint
from .commands.info import Info, info
from .commands.observe import observe
from .commands.observe_many import observe_many
from .commands.quantile import quantile
from .commands.top import Top, top
from .errors import InvalidValueError
from .http.connection import Gateway
from .values import Value


class AsyncEddyline:
    """Speaks to eddyline through the Redis client that the application has, or through the gateway.

    The same as `Eddyline`, awaited. To send many observations without ever waiting, use `Batcher`, which serves asyncio
    as well.
    """

    def __init__(
        self,
        client_or_url: redis.asyncio.Redis | redis.asyncio.RedisCluster | str,
        *,
        key: str | None = None,
        timeout: float = 5.0,
    ) -> None:
        """Take the application's Redis client, an address of Redis, or one of the gateway with its `key`.

        With an address, an answer is waited for `timeout` seconds; a client has its own limits.

        >>> eddyline = AsyncEddyline("redis://localhost:6379")
        """
        self._transport: AsyncRedisTransport | AsyncHttpTransport
        self._owned: redis.asyncio.Redis | None = None
        if isinstance(client_or_url, (redis.Redis, redis.RedisCluster)):
            raise InvalidValueError("this client blocks: use Eddyline, or give redis.asyncio.Redis")
        if not isinstance(client_or_url, str):
            self._transport = AsyncRedisTransport(client_or_url)
        elif client_or_url.startswith(("http://", "https://")):
            self._transport = AsyncHttpTransport(Gateway(client_or_url, key, timeout))
        else:
            self._owned = connect(client_or_url, timeout)
            self._transport = AsyncRedisTransport(self._owned)

    async def observe(self, monitor: str, /, **fields: Value) -> None:
        """Count one observation in the open window. Fields that are None are absent.

        >>> await eddyline.observe("checkout", endpoint="/charge", status=500, latency_ms=812.5)
        """
        await self._transport.do(observe(monitor, fields))

    async def observe_many(self, monitor: str, observations: Iterable[Mapping[str, Value]]) -> int:
        """Count observations in the open window; how many there were.

        >>> await eddyline.observe_many("checkout", [{"endpoint": "/charge", "status": 200}, {"endpoint": "/refund"}])
        2
        """
        return await self._transport.do(observe_many(monitor, observations))

    async def create(
        self,
        monitor: str,
        *,
        sources: Sequence[str] = (),
        since: str | None = None,
        clock: Literal["server", "stream"] | None = None,
        window_ms: int | None = None,
        buckets: int | None = None,
        retention: int | None = None,
        memory: int | None = None,
        dimensions: Sequence[str] = (),
        crosses: Sequence[str] = (),
        measures: Sequence[str] = (),
        uniques: Sequence[str] = (),
        hashed: Sequence[str] = (),
        salt: str | None = None,
        exist_ok: bool = True,
    ) -> bool:
        """Make a monitor; False if it was there already (and is left as it is).

        With none of the four lists, fields are inferred from the first observations. `sources` are streams that it
        reads, `since` the id after which (`$`: with the next entry), `window_ms` 100 to 86,400,000 (5,000), `retention`
        fingerprints that are kept, `memory` bytes. `buckets`, 8 to 1,024 (32), is into how many numbers items are
        folded; with the `clock` "stream" only entries move time. Of `hashed` fields only a keyed hash is stored, under
        the key `salt`, 32 hex digits, or one that the server draws. Over HTTP it takes an admin key.

        >>> await eddyline.create("checkout", dimensions=["endpoint", "status"], measures=["latency_ms"],
        ...                 crosses=["endpoint*latency_ms"], window_ms=1000)
        True
        """
        return await self._transport.do(
            create(
                monitor,
                sources=sources,
                since=since,
                clock=clock,
                window_ms=window_ms,
                buckets=buckets,
                retention=retention,
                memory=memory,
                dimensions=dimensions,
                crosses=crosses,
                measures=measures,
                uniques=uniques,
                hashed=hashed,
                salt=salt,
                exist_ok=exist_ok,
            )
        )

    async def count(self, monitor: str, dimension: str, *items: str) -> list[Count]:
        """Estimate how often items were counted: in the open window, in the last, and a window in the long run.

        >>> [counted] = await eddyline.count("checkout", "endpoint", "/charge")
        >>> counted.open
        2
        """
        return await self._transport.do(count(monitor, dimension, items))

    async def top(self, monitor: str, dimension: str, k: int = 10) -> Top:
        """Tell the `k` heaviest items (at most 32) of the open window and of the last.

        >>> (await eddyline.top("checkout", "endpoint")).open[0]
        Heavy(item='/charge', count=2)
        """
        return await self._transport.do(top(monitor, dimension, k))

    async def quantile(self, monitor: str, measure: str, *ranks: float) -> list[float | None]:
        """Estimate quantiles, ranks 0 to 1, in the last closed window; in the measure's unit, None if it was empty.

        >>> median, p99 = await eddyline.quantile("checkout", "latency_ms", 0.5, 0.99)
        """
        return await self._transport.do(quantile(monitor, measure, ranks))

    async def fingerprint(self, monitor: str, id: str | None = None) -> Fingerprint | None:
        """Tell the numbers of the last closed window, or of the one under an id; None if there is none.

        >>> closed = await eddyline.fingerprint("checkout")
        >>> calls = closed.values["count"] if closed else None
        """
        return await self._transport.do(fingerprint(monitor, id))

    async def info(self, monitor: str) -> Info:
        """Tell how a monitor is: what it counted, what it left out and why.

        >>> (await eddyline.info("checkout")).observations
        3
        """
        return await self._transport.do(info(monitor))

    async def business_metric(
        self,
        name: str,
        value: float,
        *,
        expected_range: tuple[float | None, float | None] | None = None,
        period_ms: int = 60_000,
    ) -> None:
        """Add one value of a number that matters, about every `period_ms`. Its monitor is a vector monitor.

        Outside of `expected_range` (either end may be None) it opens an incident from the first value on; what is
        ordinary within is learnt. One process should report a name. `period_ms` is 100 to 86,400,000; over HTTP it
        takes a key that may write.

        >>> await eddyline.business_metric("orders_per_minute", 42, expected_range=(10, None))
        """
        await self._transport.do(business_metric(name, value, expected_range, period_ms))

    def alerts(self, *monitors: str, after: Mapping[str, str] | None = None) -> AsyncRedisAlerts | AsyncHttpAlerts:
        """Iterate over alerts from now on, each once, in order per monitor, across disconnects; it ends with `close()`.

        Of all monitors, also such that come later, or of those that are named. `after` has the entry of a monitor after
        which to begin: what `positions` of an earlier iterator said.

        >>> async for alert in eddyline.alerts():  # doctest: +SKIP
        ...     print(alert.monitor, alert.event, alert.summary)
        """
        named = monitors or None
        if isinstance(self._transport, AsyncHttpTransport):
            return AsyncHttpAlerts(self._transport.gateway, named, after)
        return AsyncRedisAlerts(self._transport, named, after)

    async def feedback(
        self,
        incident: str,
        word: Verdict,
        *,
        for_seconds: float | None = None,
        by: str = "sdk",
        monitor: str | None = None,
    ) -> Feedback:
        """Say what the like of an incident opens from now on.

        `normal`: nothing any more; `snooze`: nothing `for_seconds`; `anomaly`: it is one; `undo` takes back what was
        said last. With `monitor` it isn't looked for.

        >>> await eddyline.feedback(alert.incident, "snooze", for_seconds=7200, by="ann")  # doctest: +SKIP
        """
        return await self._transport.do(feedback(incident, word, for_seconds, by, monitor))

    async def close(self) -> None:
        """Close connections that were made for an address; the application's own client stays open."""
        if isinstance(self._transport, AsyncHttpTransport):
            self._transport.gateway.close()
        if self._owned is not None:
            await closed(self._owned)

    async def __aenter__(self) -> AsyncEddyline:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()
