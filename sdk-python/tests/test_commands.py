"""Every command against a real server, in both protocols, decoded or not."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest
from servers import Server, eventually

from eddyline import (
    AsyncEddyline,
    Eddyline,
    Heavy,
    InvalidValueError,
    LearningError,
    ModuleMissingError,
    MonitorExistsError,
    RefusedError,
    UnknownMonitorError,
    UnreachableError,
)

SHOP: dict[str, Any] = {
    "dimensions": ["endpoint", "status"],
    "measures": ["latency_ms"],
    "crosses": ["endpoint*latency_ms"],
    "uniques": ["user"],
    "clock": "stream",
    "window_ms": 1000,
}


def make_shop(eddyline: Eddyline, plain: Any) -> None:
    assert eddyline.create("shop", **SHOP)
    plain.execute_command("EDDY.CLOSE", "shop", 1_000_000)


def test_what_is_observed_is_counted(eddyline: Eddyline, plain: Any) -> None:
    make_shop(eddyline, plain)
    assert not eddyline.create("shop", **SHOP)
    eddyline.observe("shop", endpoint="/charge", status=500, latency_ms=812.5, user="ann", absent=None)
    rows: list[dict[str, Any]] = [
        {"endpoint": "/charge", "status": 200},
        {"status": 200, "endpoint": "/refund"},
        {"endpoint": "/é"},
    ]
    assert eddyline.observe_many("shop", rows) == 3

    charge, refund, never = eddyline.count("shop", "endpoint", "/charge", "/refund", "/never")
    assert (charge.item, charge.open, refund.open, never.open) == ("/charge", 2, 1, 0)
    assert isinstance(charge.usual, float)
    top = eddyline.top("shop", "endpoint")
    assert top.open[0] == Heavy("/charge", 2)
    assert {heavy.item for heavy in top.open} == {"/charge", "/refund", "/é"}
    assert top.last == ()
    info = eddyline.info("shop")
    assert (info.state, info.clock, info.window_ms, info.open_observations) == ("counting", "stream", 1000, 4)
    assert info.sources == {}
    assert not info.paused


def test_a_closed_window_is_told(eddyline: Eddyline, plain: Any) -> None:
    make_shop(eddyline, plain)
    assert eddyline.quantile("shop", "latency_ms", 0.5) == [None]
    eddyline.observe_many("shop", [{"endpoint": "/charge", "latency_ms": 10 * n} for n in range(1, 101)])
    plain.execute_command("EDDY.CLOSE", "shop", 1_001_000)
    eventually(lambda: plain.xlen("{shop}:fingerprints"))

    median, most = eddyline.quantile("shop", "latency_ms", 0.5, 1)
    assert median is not None
    assert most is not None
    assert math.isclose(median, 500, rel_tol=0.05)
    closed = eddyline.fingerprint("shop")
    assert closed is not None
    assert (closed.id, closed.end_ms, closed.n, closed.partial) == ("1001000-0", 1_001_000, 100, False)
    assert closed.values["count"] == 100
    assert closed.top["endpoint"][0] == ("/charge", 100)
    assert eddyline.fingerprint("shop", "1001000-0") == closed
    assert eddyline.fingerprint("shop", "5-0") is None
    [last] = eddyline.count("shop", "endpoint", "/charge")
    assert (last.open, last.last) == (0, 100)


def test_bytes_that_are_no_text_are_shown_escaped(eddyline: Eddyline, plain: Any) -> None:
    make_shop(eddyline, plain)
    eddyline.observe("shop", endpoint=b"/\xff")
    assert eddyline.top("shop", "endpoint").open == (Heavy("/\\xff", 1),)


def test_errors_are_typed_and_say_what_to_do(eddyline: Eddyline) -> None:
    with pytest.raises(UnknownMonitorError, match=r"EDDY\.CREATE makes one"):
        eddyline.observe("nobody", endpoint="/")
    eddyline.create("shop", **SHOP)
    with pytest.raises(MonitorExistsError):
        eddyline.create("shop", exist_ok=False)
    with pytest.raises(RefusedError, match="has no dimension 'colour', it has: endpoint"):
        eddyline.top("shop", "colour")
    with pytest.raises(RefusedError, match="WINDOW must be 100 to 86400000"):
        eddyline.create("other", window_ms=1)
    eddyline.create("inferred")
    with pytest.raises(LearningError, match="after 0 of"):
        eddyline.top("inferred", "endpoint")


def test_what_can_not_be_sent_is_refused_before(eddyline: Eddyline) -> None:
    for wrong, message in [
        ({"field": object()}, "field 'field': a value is text"),
        ({"absent": None}, "1 to 256 fields"),
    ]:
        with pytest.raises(InvalidValueError, match=message):
            eddyline.observe("shop", **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="one non-empty"):
        eddyline.observe("{shop}", endpoint="/")
    with pytest.raises(InvalidValueError, match=r"dimensions is a list of names, such as \['endpoint'\]"):
        eddyline.create("shop", dimensions="endpoint")


def test_a_server_without_the_module_is_told_apart() -> None:
    server = Server(with_module=False)
    try:
        with pytest.raises(ModuleMissingError, match="MODULE LOAD"), Eddyline(server.url) as eddyline:
            eddyline.observe("shop", endpoint="/")
    finally:
        server.stop()
    with pytest.raises(UnreachableError), Eddyline(server.url) as eddyline:
        eddyline.observe("shop", endpoint="/")


def test_asyncio_has_the_same(asynchronous: Callable[[], Any], plain: Any) -> None:
    async def all_of_it() -> None:
        async with asynchronous() as client:
            eddyline = AsyncEddyline(client)
            assert await eddyline.create("shop", **SHOP)
            plain.execute_command("EDDY.CLOSE", "shop", 1_000_000)
            await eddyline.observe("shop", endpoint="/charge", status=500, latency_ms=3)
            assert await eddyline.observe_many("shop", [{"endpoint": "/charge"}]) == 1
            [charge] = await eddyline.count("shop", "endpoint", "/charge")
            assert charge.open == 2
            assert (await eddyline.top("shop", "endpoint", 1)).open == (Heavy("/charge", 2),)
            assert await eddyline.quantile("shop", "latency_ms", 0.5) == [None]
            assert await eddyline.fingerprint("shop") is None
            assert (await eddyline.info("shop")).observations == 2
            await eddyline.business_metric("orders", 42, expected_range=(10, None))
            with pytest.raises(UnknownMonitorError):
                await eddyline.info("nobody")

    asyncio.run(all_of_it())
    assert plain.xlen("{orders}:fingerprints") == 1


def test_a_business_metric_is_a_vector_with_limits(eddyline: Eddyline, plain: Any) -> None:
    heard = plain.pubsub(ignore_subscribe_messages=True)
    heard.subscribe("eddyline:closed")
    heard.get_message(timeout=5)
    eddyline.business_metric("orders", 42, expected_range=(10, 500.5), period_ms=1000)
    eddyline.business_metric("orders", 43.5, expected_range=(None, 600))
    assert plain.hgetall("{orders}:settings") == {b"period_ms": b"1000", b"expect:value": b"..600.0"}
    values = [fields for _, fields in plain.xrange("{orders}:fingerprints")]
    assert values == [{b"value": b"42.0"}, {b"value": b"43.5"}]
    message = heard.get_message(timeout=5)
    assert message is not None
    assert message["data"] == b"orders"
    heard.close()
    cases: list[dict[str, Any]] = [
        {"value": math.nan},
        {"value": 1, "expected_range": (5, 1)},
        {"value": 1, "period_ms": 1},
    ]
    for wrong in cases:
        with pytest.raises(InvalidValueError):
            eddyline.business_metric("orders", **wrong)


def test_clients_of_the_other_kind_are_refused(plain: Any, asynchronous: Callable[[], Any]) -> None:
    with pytest.raises(InvalidValueError, match="AsyncEddyline"):
        Eddyline(asynchronous())
    with pytest.raises(InvalidValueError, match="use Eddyline"):
        AsyncEddyline(plain)
