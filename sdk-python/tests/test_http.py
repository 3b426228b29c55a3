"""The HTTP transport, against a gateway that answers what the test says."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from servers import eventually, free_port
from stub import Stub
from writing import message

from eddyline import (
    AsyncEddyline,
    Batcher,
    BusyError,
    Eddyline,
    ForbiddenError,
    Heavy,
    InvalidValueError,
    LearningError,
    ModuleMissingError,
    MonitorExistsError,
    RefusedError,
    UnknownMonitorError,
    UnreachableError,
)
from eddyline.alerts.pace import Backoff
from eddyline.http.events import EventReader


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.stop()


@pytest.fixture
def eddyline(stub: Stub) -> Iterator[Eddyline]:
    with Eddyline(stub.url, key="edk_secret") as eddyline:
        yield eddyline


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "delay", lambda _: 0.001)


def test_observations_are_posted_with_the_key(stub: Stub, eddyline: Eddyline) -> None:
    stub.answer(202, {"accepted": 1})
    eddyline.observe("{eu}:shop", endpoint="/é", status=500, latency_ms=1.5, absent=None, raw=b"\xff")
    assert eddyline.observe_many("shop", [{"endpoint": "/" * 600}] * 3) == 1
    one, many = stub.asked
    assert (one.method, one.target) == ("POST", "/v1/events?monitor=%7Beu%7D%3Ashop")
    assert one.json == {"endpoint": "/é", "status": "500", "latency_ms": "1.5", "raw": "\\xff"}
    assert one.headers["authorization"] == "Bearer edk_secret"
    assert one.headers["content-type"] == "application/json"
    assert many.headers["content-encoding"] == "gzip"
    assert many.json == [{"endpoint": "/" * 600}] * 3
    assert one.headers["idempotency-key"] != many.headers["idempotency-key"]


def test_questions_are_asked_and_answers_read(stub: Stub, eddyline: Eddyline) -> None:
    items = [{"item": "/a", "open": 1, "last": 7, "usual": 5.5}, {"item": "/b", "open": 3, "last": 0, "usual": 1.0}]
    stub.answer(200, {"items": items})
    stub.answer(200, {"items": items})
    stub.answer(200, {"quantiles": [{"q": 0.5, "value": 12.5}, {"q": 0.99, "value": None}]})
    window = {"id": "5000-0", "end_ms": 5000, "n": 3, "schema": "ab", "gap_ms": 0, "partial": False}
    stub.answer(200, {"fingerprints": [{**window, "values": {"count": 3, "latency_ms:p99": None}}]})
    stub.answer(200, {"fingerprints": []})
    stub.answer(201)
    stub.answer(200)
    stub.answer(200, {"incident": "ab", "word": "snooze", "message": "done"})
    counted = eddyline.count("shop", "endpoint", "/a", "/b")
    assert (counted[0].last, counted[1].open, counted[0].usual) == (7, 3, 5.5)
    top = eddyline.top("shop", "endpoint", 1)
    assert (top.open, top.last) == ((Heavy("/b", 3),), (Heavy("/a", 7),))
    assert eddyline.quantile("shop", "latency_ms", 0.5, 0.99) == [12.5, None]
    closed = eddyline.fingerprint("shop", "5000-0")
    assert closed is not None
    assert (closed.end_ms, closed.values) == (5000, {"count": 3.0, "latency_ms:p99": None})
    assert eddyline.fingerprint("shop") is None
    assert eddyline.create("shop", dimensions=["endpoint"], window_ms=1000)
    assert not eddyline.create("shop")
    eddyline.feedback("ab", "snooze", for_seconds=90, by="ann")
    assert [asked.target for asked in stub.asked] == [
        "/v1/monitors/shop/count?dimension=endpoint&item=%2Fa&item=%2Fb",
        "/v1/monitors/shop/top?dimension=endpoint&k=1",
        "/v1/monitors/shop/quantiles?measure=latency_ms&q=0.5%2C0.99",
        "/v1/monitors/shop/fingerprints?after=4999-0&before=5001-0&limit=1",
        "/v1/monitors/shop/fingerprints?limit=1",
        "/v1/monitors/shop",
        "/v1/monitors/shop",
        "/v1/incidents/ab/feedback",
    ]
    assert stub.asked[5].json == {"dimensions": ["endpoint"], "window_ms": 1000}
    assert stub.asked[7].json == {"word": "snooze", "by": "ann", "for": "90s"}


def test_errors_are_typed(stub: Stub, eddyline: Eddyline) -> None:
    cases: list[tuple[int, str, type[Exception]]] = [
        (404, "unknown_monitor", UnknownMonitorError),
        (404, "not_found", RefusedError),
        (401, "unauthorized", ForbiddenError),
        (403, "forbidden", ForbiddenError),
        (429, "rate_limited", BusyError),
        (503, "redis_unavailable", BusyError),
        (503, "unknown_outcome", UnreachableError),
        (503, "no_module", ModuleMissingError),
        (504, "timeout", UnreachableError),
        (400, "invalid_item", RefusedError),
    ]
    for status, code, error in cases:
        stub.answers.clear()
        stub.answer(status, {"code": code, "message": "what to do"}, retry_after="7")
        with pytest.raises(error, match="what to do") as raised:
            eddyline.observe("shop", endpoint="/")
        if isinstance(raised.value, BusyError):
            assert raised.value.retry_after == 7
    stub.answers.clear()
    stub.answer(409, {"code": "conflict", "message": "the monitor is still learning its fields"})
    with pytest.raises(LearningError):
        eddyline.top("shop", "endpoint")
    stub.answers.clear()
    told = {"index": 0, "code": "invalid_item", "message": "no field"}
    stub.answer(207, {"accepted": 1, "rejected": 1, "errors": [told]})
    with pytest.raises(RefusedError, match="no field"):
        eddyline.observe_many("shop", [{"a": 1}, {"b": 2}])
    stub.answers.clear()
    stub.answer(200)
    with pytest.raises(MonitorExistsError):
        eddyline.create("shop", exist_ok=False)
    stub.answers.clear()
    stub.answer(200, "<html>")
    with pytest.raises(UnreachableError, match="is this the address"):
        eddyline.info("shop")


def test_a_business_metric_is_a_vector_under_its_key(stub: Stub, eddyline: Eddyline) -> None:
    stub.answer(202, {"id": "5-0"})
    eddyline.business_metric("{eu}:orders", 42, expected_range=(10, None), period_ms=1000)
    stub.answer(0)
    stub.answer(202, {"id": "6-0"})
    eddyline.business_metric("orders", 43.5)
    first, *again = stub.asked
    assert (first.method, first.target) == ("POST", "/v1/monitors/%7Beu%7D%3Aorders/vectors")
    assert first.json == {"values": {"value": 42.0}, "period_ms": 1000, "expect": {"value": "10.0.."}}
    assert [asked.json for asked in again] == [{"values": {"value": 43.5}, "period_ms": 60_000}] * len(again)
    assert len({asked.headers["idempotency-key"] for asked in stub.asked}) == 2
    for wrong in (math.nan, math.inf):
        with pytest.raises(InvalidValueError, match="value must be a finite number"):
            eddyline.business_metric("orders", wrong)
    stub.answers.clear()
    stub.answer(409, {"code": "conflict", "message": "the module counts for this monitor"})
    with pytest.raises(MonitorExistsError, match="the module counts"):
        eddyline.business_metric("orders", 1)


def test_a_kept_connection_that_was_closed_is_made_anew(stub: Stub, eddyline: Eddyline) -> None:
    stub.answer(202, {"accepted": 1})
    stub.answer(0)
    stub.answer(202, {"accepted": 1})
    for _ in range(2):
        eddyline.observe("shop", endpoint="/")
    # under the same key, so that it can't count twice
    assert len(stub.asked) == 3
    assert stub.asked[1].headers["idempotency-key"] == stub.asked[2].headers["idempotency-key"]
    with pytest.raises(UnreachableError), Eddyline(f"http://127.0.0.1:{free_port()}") as nobody:
        nobody.observe("shop", endpoint="/")


def test_the_key_is_in_no_message(stub: Stub, eddyline: Eddyline) -> None:
    stub.answer(401, {"code": "unauthorized", "message": "no such key"})
    with pytest.raises(ForbiddenError) as raised:
        eddyline.info("shop")
    assert "edk_secret" not in repr(raised.value) + repr(eddyline.__dict__)
    for url in ("ftp://host", "http://user:edk_secret@host", "http://host?key=edk_secret"):
        with pytest.raises((InvalidValueError, ValueError)) as refused:
            Eddyline(url)
        assert "edk_secret" not in str(refused.value)


def test_a_batch_is_sent_again_under_its_key_until_it_is_taken(stub: Stub) -> None:
    stub.answer(503, {"code": "redis_unavailable", "message": "later"}, retry_after="0")
    stub.answer(0)
    stub.answer(503, {"code": "unknown_outcome", "message": "later"}, retry_after="0")
    stub.answer(202, {"accepted": 3})
    with Batcher(stub.url, key="edk_secret") as batcher:
        for _ in range(3):
            batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        assert (batcher.stats.sent, batcher.stats.dropped) == (3, {})
    assert len({asked.headers["idempotency-key"] for asked in stub.asked}) == 1
    assert stub.asked[-1].json == [{"endpoint": "/"}] * 3


def test_items_that_are_refused_are_counted(stub: Stub) -> None:
    error = {"index": 0, "code": "invalid_item", "message": "no field"}
    stub.answer(207, {"accepted": 2, "rejected": 1, "errors": [error]})
    with Batcher(stub.url) as batcher:
        for _ in range(3):
            batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        assert (batcher.stats.sent, batcher.stats.dropped) == (2, {"refused": 1})


def test_a_monitor_that_is_not_there_is_made_or_its_observations_are_dropped(stub: Stub) -> None:
    unknown = (404, {"code": "unknown_monitor", "message": "there is no monitor"})
    stub.answer(*unknown)
    stub.answer(201)
    stub.answer(202, {"accepted": 1})
    with Batcher(stub.url) as batcher:
        batcher.define("shop", dimensions=["endpoint"])
        batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        assert batcher.stats.dropped == {}
    assert [asked.method for asked in stub.asked] == ["POST", "PUT", "POST"]
    assert stub.asked[1].json == {"dimensions": ["endpoint"]}
    stub.answers.clear()
    stub.answer(*unknown)
    stub.answer(403, {"code": "forbidden", "message": "this key only writes"})
    with Batcher(stub.url) as batcher:
        batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        assert batcher.stats.dropped == {"refused": 1}


def event(n: int, monitor: str = "shop", kind: str = "alert") -> str:
    told = message(monitor, n)
    return f"event: {kind}\nid: {told['window_end_ms']}\ndata: {json.dumps(told)}\n\n"


BEFORE = "Fri, 20 Nov 2026 09:15:00 GMT"


def test_alerts_come_once_though_the_stream_breaks(stub: Stub, eddyline: Eddyline) -> None:
    stub.answer(200, ": eddyline\nid: 1795166100000\n\n", date=BEFORE)
    stub.answer(200, event(1) + event(1, "other") + event(2, kind="score") + "event: alert\nid: 5", date=BEFORE)
    stub.answer(200, event(1) + event(1, "other") + "event: alert\ndata: {}\n\n" + event(2) + event(3), date=BEFORE)
    stub.answer(503, {"code": "busy", "message": "later"})
    stub.answer(200, event(3) + event(4), date=BEFORE)
    with eddyline.alerts() as alerts:
        heard = [(alert.monitor, alert.entry) for alert in islice(alerts, 5)]
        positions = alerts.positions
    entries = [message("shop", n)["entry"] for n in range(5)]
    assert heard == [("shop", entries[1]), ("other", entries[1]), *(("shop", entry) for entry in entries[2:5])]
    assert positions == {"shop": entries[4], "other": entries[1]}
    targets = [asked.target for asked in stub.asked]
    assert targets[:4] == [
        "/v1/stream",
        "/v1/stream?after=1795166100000",
        f"/v1/stream?after={message('shop', 2)['window_end_ms']}",
        f"/v1/stream?after={message('shop', 3)['window_end_ms']}",
    ]


def test_alerts_go_on_after_an_entry_and_of_named_monitors(stub: Stub, eddyline: Eddyline) -> None:
    stub.answer(200, event(1) + event(1, "other") + event(2), date=BEFORE)
    with eddyline.alerts("shop", after={"shop": message("shop", 1)["entry"]}) as alerts:
        assert next(alerts).entry == message("shop", 2)["entry"]
    assert stub.asked[0].target == f"/v1/stream?monitor=shop&after={message('shop', 1)['window_end_ms']}"


def test_a_stream_that_is_refused_is_told_at_once(stub: Stub, eddyline: Eddyline) -> None:
    stub.answer(401, {"code": "unauthorized", "message": "no such key"})
    with pytest.raises(ForbiddenError, match="no such key"):
        eddyline.alerts()


def test_asyncio_asks_the_gateway_too(stub: Stub) -> None:
    async def ask() -> tuple[Any, Any]:
        async with AsyncEddyline(stub.url) as eddyline:
            stub.answer(202, {"accepted": 1})
            await eddyline.observe("shop", endpoint="/")
            stub.answers.clear()
            stub.answer(200, event(1), date=BEFORE)
            async with eddyline.alerts() as alerts:
                alert = await alerts.__anext__()
                alerts.close()
                return alert.entry, [left async for left in alerts]

    assert asyncio.run(ask()) == (message("shop", 1)["entry"], [])


def test_events_are_read_as_they_are_written() -> None:
    reader = EventReader()
    lines = ["", "event: score", "data:a", "data: b", ":comment", "id: 5", "", "data", "", "id: 6", "", "id: x\0", ""]
    events = [told for told in map(reader.line, lines) if told is not None]
    assert [(told.kind, told.data) for told in events] == [("score", "a\nb"), ("message", "")]
    assert reader.id == "6"


def test_a_closed_batcher_lets_the_connection_go(stub: Stub) -> None:
    stub.answer(202, {"accepted": 1})
    batcher = Batcher(stub.url)
    batcher.observe("shop", endpoint="/")
    batcher.close()
    eventually(lambda: batcher.stats.sent == 1)
