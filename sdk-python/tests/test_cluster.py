"""A cluster, of one node that has all slots: commands find their keys, and scripts reach one slot only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
from servers import Server, eventually, free_port
from writing import write_alert

from eddyline import AsyncEddyline, Batcher, Eddyline, InvalidValueError


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    server = Server("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    with server.connect() as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO", NEVER_DECODE=True))
    yield server
    server.stop()


@pytest.fixture
def plain(cluster: Server) -> Iterator[Any]:
    with cluster.connect(protocol=2) as client:
        client.flushall()
        yield client


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def client(cluster: Server, request: pytest.FixtureRequest) -> Iterator[Any]:
    client = redis.RedisCluster(host="127.0.0.1", port=cluster.port, protocol=request.param)
    yield client
    client.close()


def test_commands_and_batches_find_their_keys(client: Any, plain: Any) -> None:
    eddyline = Eddyline(client)
    assert eddyline.create("{shop}:checkout", sources=["{shop}:metrics"], dimensions=["endpoint"], window_ms=3_600_000)
    eddyline.observe("{shop}:checkout", endpoint="/")
    with Batcher(client) as batcher:
        batcher.define("other", dimensions=["endpoint"], window_ms=3_600_000)
        for n in range(1500):
            batcher.observe("{shop}:checkout" if n % 2 else "other", endpoint="/")
        assert batcher.flush()
        assert (batcher.stats.sent, batcher.stats.dropped) == (1500, {})
    [root] = eddyline.count("{shop}:checkout", "endpoint", "/")
    assert root.open + root.last == 751
    assert eddyline.info("other").observations == 750
    eddyline.business_metric("orders", 5)
    assert plain.xlen("{orders}:fingerprints") == 1


def test_alerts_and_feedback_reach_every_slot(client: Any, plain: Any) -> None:
    eddyline = Eddyline(client)
    told = write_alert(plain, "shop", 0)
    with eddyline.alerts(after={"shop": "0-0"}) as alerts:
        assert next(alerts).raw == told
        told = write_alert(plain, "other", 1)
        assert next(alerts).raw == told
    given = eddyline.feedback(told["incident"], "normal", by="ann", monitor="other")
    assert given.monitor == "other"
    [said] = json.loads(plain.hget("{other}:settings", "feedback"))["said"]
    assert said["by"] == "ann"
    [(_, audited)] = plain.xrange("{eddyline}:audit")
    assert audited[b"monitor"] == b"other"


def test_asyncio_reaches_every_slot_too(cluster: Server, plain: Any) -> None:
    async def all_of_it() -> None:
        async with redis.asyncio.RedisCluster(host="127.0.0.1", port=cluster.port) as client:
            eddyline = AsyncEddyline(client)
            await eddyline.create("shop", dimensions=["endpoint"])
            await eddyline.observe("shop", endpoint="/")
            told = write_alert(plain, "shop", 0)
            alerts = eddyline.alerts(after={"shop": "0-0"})
            if hasattr(client, "pubsub"):
                async with alerts:
                    assert (await alerts.__anext__()).raw == told
            else:
                with pytest.raises(InvalidValueError, match="a newer one can"):
                    await alerts.__anext__()
            assert (await eddyline.feedback(told["incident"], "normal")).monitor == "shop"

    asyncio.run(all_of_it())
