"""The HTTP transport against the gateway itself."""

from __future__ import annotations

import asyncio
import inspect
import json
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from servers import Program, Server, eventually, free_port
from test_documents import run_examples
from writing import write_alert

from eddyline import (
    AsyncEddyline,
    Batcher,
    Eddyline,
    Heavy,
    LearningError,
    MonitorExistsError,
    RefusedError,
    UnknownIncidentError,
    UnknownMonitorError,
)

FIELDS: dict[str, Any] = {"dimensions": ["endpoint", "status"], "measures": ["latency_ms"], "window_ms": 1000}


@pytest.fixture
def gateway(server: Server, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    address = f"127.0.0.1:{port}"
    program = Program("serve", "--redis", server.url, "--http", address, log=tmp_path / "log")

    def is_ready() -> bool:
        program.check()
        try:
            with urllib.request.urlopen(f"http://{address}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    eventually(is_ready)
    yield f"http://{address}"
    program.stop()


def test_what_is_observed_is_told(gateway: str, plain: Any) -> None:
    Eddyline(plain).create("shop", **FIELDS, clock="stream")
    plain.execute_command("EDDY.CLOSE", "shop", 1_000_000)
    with Eddyline(gateway) as eddyline:
        eddyline.observe("shop", endpoint="/charge", status=500, latency_ms=10.0, absent=None)
        assert eddyline.observe_many("shop", [{"endpoint": "/charge", "latency_ms": 10}, {"endpoint": "/é"}]) == 2
        charge, never = eddyline.count("shop", "endpoint", "/charge", "/never")
        assert (charge.item, charge.open, charge.last, never.open) == ("/charge", 2, 0, 0)
        assert eddyline.top("shop", "endpoint", 2).open == (Heavy("/charge", 2), Heavy("/é", 1))
        info = eddyline.info("shop")
        assert info == Eddyline(plain).info("shop")
        assert info.open_observations == 3
        plain.execute_command("EDDY.CLOSE", "shop", 1_001_000)
        eventually(lambda: plain.xlen("{shop}:fingerprints"))
        closed = eddyline.fingerprint("shop")
        assert closed is not None
        assert (closed.id, closed.n, closed.values["count"]) == ("1001000-0", 3, 3)
        assert eddyline.fingerprint("shop", "1001000-0") == closed
        assert eddyline.fingerprint("shop", "5-0") is None
        [median] = eddyline.quantile("shop", "latency_ms", 0.5)
        assert median == pytest.approx(10, rel=0.05)
        assert eddyline.top("shop", "endpoint").last[0] == Heavy("/charge", 2)


def test_errors_are_typed(gateway: str, plain: Any) -> None:
    Eddyline(plain).create("inferred")
    Eddyline(plain).create("shop", **FIELDS)
    with Eddyline(gateway) as eddyline:
        for ask in (lambda: eddyline.observe("nobody", endpoint="/"), lambda: eddyline.info("nobody")):
            with pytest.raises(UnknownMonitorError, match=r"EDDY\.CREATE makes one"):
                ask()
        with pytest.raises(LearningError):
            eddyline.top("inferred", "endpoint")
        with pytest.raises(RefusedError):
            eddyline.top("shop", "colour")


def test_the_batcher_counts_everything_once(gateway: str, plain: Any) -> None:
    Eddyline(plain).create("shop", **{**FIELDS, "window_ms": 3_600_000})
    with Batcher(gateway) as batcher:
        for n in range(5000):
            batcher.observe("shop", endpoint="/charge", status=200 + n % 2, latency_ms=n / 2)
        assert batcher.flush(30)
        assert (batcher.stats.sent, batcher.stats.dropped) == (5000, {})
    assert Eddyline(plain).info("shop").observations == 5000


def test_alerts_are_streamed(gateway: str, plain: Any) -> None:
    for monitor in ("shop", "other"):
        Eddyline(plain).create(monitor, **FIELDS)
    write_alert(plain, "shop", 0)
    with Eddyline(gateway).alerts("shop", after={"shop": "1795166105000-0"}) as alerts:
        told = write_alert(plain, "shop", 1)
        write_alert(plain, "other", 1)
        plain.publish("eddyline:closed", "shop")
        assert next(alerts).raw == told
        later = write_alert(plain, "shop", 2, event="resolved", reason="over")
        assert next(alerts).raw == later


def test_monitors_are_made(gateway: str, plain: Any) -> None:
    with Eddyline(gateway) as eddyline:
        assert eddyline.create("{eu}:shop", **FIELDS)
        assert not eddyline.create("{eu}:shop", **FIELDS)
        assert not eddyline.create("{eu}:shop", dimensions=["colour"])
        with pytest.raises(MonitorExistsError):
            eddyline.create("{eu}:shop", dimensions=["colour"], exist_ok=False)
    assert Eddyline(plain).info("{eu}:shop").window_ms == 1000


def has_counted(plain: Any, monitor: str, observations: int) -> bool:
    return Eddyline(plain).info(monitor).observations == observations


def test_monitors_are_made_with_all_that_redis_takes(gateway: str, plain: Any) -> None:
    for ms in (5000, 5500, 6000):
        plain.xadd("{eu}:metrics", {"user": f"user-{ms}"}, id=f"{ms}-0")
    definition: dict[str, Any] = {
        "sources": ["{eu}:metrics"],
        "since": "5000-0",
        "clock": "stream",
        "window_ms": 60_000,
        "buckets": 64,
        "dimensions": ["user"],
        "hashed": ["user"],
        "salt": "000102030405060708090a0b0c0d0e0f",
    }
    with Eddyline(gateway) as eddyline:
        assert eddyline.create("{eu}:http", **definition)
        assert Eddyline(plain).create("{eu}:redis", **definition)
        # what the streams had before is read little by little
        for name in ("{eu}:http", "{eu}:redis"):
            eventually(partial(has_counted, plain, name, 2))
        assert eddyline.info("{eu}:http").clock == "stream"
        # the same salt hashes alike
        top, other = (Eddyline(plain).top(f"{{eu}}:{name}", "user").open for name in ("http", "redis"))
        assert (len(top), {heavy.item for heavy in top}) == (2, {heavy.item for heavy in other})
        assert not any("user-" in heavy.item for heavy in top)
        names = [plain.execute_command("EDDY.SCHEMA", f"{{eu}}:{name}") for name in ("http", "redis")]
        assert (names[0], str(names[0]).count("user[")) == (names[1], 64)
        with pytest.raises(MonitorExistsError, match="other clock, buckets"):
            eddyline.create("{eu}:http", clock="server", buckets=8, exist_ok=False)
        with pytest.raises(RefusedError, match="SALT must be 32 hexadecimal digits") as refused:
            eddyline.create("other", dimensions=["user"], hashed=["user"], salt="5ec7e7")
        assert "5ec7e7" not in str(refused.value)


def test_a_business_metric_is_what_it_is_over_redis(gateway: str, plain: Any) -> None:
    async def report() -> None:
        async with AsyncEddyline(gateway) as eddyline:
            await eddyline.business_metric("http", 43.5, expected_range=(None, 600))

    with Eddyline(gateway) as eddyline:
        eddyline.business_metric("http", 42, expected_range=(10, 500.5), period_ms=1000)
        asyncio.run(report())
        Eddyline(plain).business_metric("redis", 42, expected_range=(10, 500.5), period_ms=1000)
        Eddyline(plain).business_metric("redis", 43.5, expected_range=(None, 600))
        over: list[Any] = []
        for name in ("http", "redis"):
            values = [float(fields[b"value"]) for _, fields in plain.xrange(f"{{{name}}}:fingerprints")]
            chosen = plain.hgetall(f"{{{name}}}:settings")
            over.append((values, chosen[b"period_ms"], float(chosen[b"expect:value"].removeprefix(b".."))))
        assert over == [([42.0, 43.5], b"1000", 600.0)] * 2
        eddyline.create("counted", **FIELDS)
        with pytest.raises(MonitorExistsError, match="takes no vectors"):
            eddyline.business_metric("counted", 1)


@pytest.mark.parametrize("kind", [Eddyline, AsyncEddyline])
def test_the_examples_run_over_http_too(gateway: str, kind: Any) -> None:
    async def run() -> None:
        client = kind(gateway)
        for method in (kind.create, kind.observe, kind.observe_many, kind.business_metric):
            assert await run_examples(method, {"eddyline": client}) == 1
        closed = client.close()
        if inspect.isawaitable(closed):
            await closed

    asyncio.run(run())


def test_feedback_is_given(gateway: str, plain: Any) -> None:
    Eddyline(plain).create("shop", **FIELDS)
    told = write_alert(plain, "shop", 0)
    with Eddyline(gateway) as eddyline:
        eddyline.feedback(told["incident"], "snooze", for_seconds=60, by="ann")
        [said] = json.loads(plain.hget("{shop}:settings", "feedback"))["said"]
        assert (said["what"], said["by"]) == ("snooze", "ann")
        with pytest.raises(UnknownIncidentError):
            eddyline.feedback("0000000000000000", "normal")
