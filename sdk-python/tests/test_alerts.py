"""Each alert once, in order per monitor, whatever happens to connections."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from servers import Server, eventually
from writing import write_alert

from eddyline import Alert, AsyncEddyline, Eddyline, InvalidValueError, UnreachableError
from eddyline.alerts import from_redis
from eddyline.alerts.pace import Backoff

Collected = list[tuple[str, str]]


class Listener:
    """Collects alerts in a thread."""

    def __init__(self, alerts: Any) -> None:
        self.alerts = alerts
        self.heard: list[Alert] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for alert in self.alerts:
            self.heard.append(alert)

    def of(self, monitor: str) -> list[str]:
        return [alert.entry for alert in self.heard if alert.monitor == monitor]

    def wait_for(self, n: int) -> None:
        eventually(lambda: len(self.heard) >= n)

    def stop(self) -> None:
        self.alerts.close()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_redis, "LOOK_EVERY", 0.05)


@pytest.fixture
def listen(eddyline: Eddyline) -> Iterator[Callable[..., Listener]]:
    listeners: list[Listener] = []

    def start(*monitors: str, **options: Any) -> Listener:
        listeners.append(Listener(eddyline.alerts(*monitors, **options)))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.stop()


def test_alerts_come_from_now_on(plain: Any, listen: Callable[..., Listener]) -> None:
    write_alert(plain, "shop", 0)
    listener = listen()
    told = [write_alert(plain, "shop", 1), write_alert(plain, "{eu}:shop", 1), write_alert(plain, "shop", 2)]
    listener.wait_for(3)
    assert sorted(listener.of("shop")) == listener.of("shop")
    heard = sorted((alert.raw for alert in listener.heard), key=lambda raw: (raw["entry"], raw["monitor"]))
    assert heard == sorted(told, key=lambda raw: (raw["entry"], raw["monitor"]))


def test_named_monitors_only(plain: Any, listen: Callable[..., Listener]) -> None:
    write_alert(plain, "shop", 0)
    listener = listen("shop", "later")
    for monitor in ("other", "shop", "later"):
        write_alert(plain, monitor, 1)
    listener.wait_for(2)
    assert {alert.monitor for alert in listener.heard} == {"shop", "later"}


def test_another_process_goes_on_where_this_one_was(plain: Any, listen: Callable[..., Listener]) -> None:
    told = [write_alert(plain, "shop", n) for n in range(600)]
    first = listen(after={"shop": told[4]["entry"]})
    first.wait_for(595)
    assert first.alerts.positions["shop"] == told[-1]["entry"]
    again = listen(after={"shop": told[590]["entry"]})
    again.wait_for(9)
    assert again.of("shop") == [one["entry"] for one in told[591:]]


def test_what_was_not_given_out_is_not_passed(eddyline: Eddyline, plain: Any) -> None:
    told = [write_alert(plain, "shop", n) for n in range(5)]
    with eddyline.alerts(after={"shop": "0-0"}) as alerts:
        assert [next(alerts).entry for _ in range(3)] == [one["entry"] for one in told[:3]]
        positions = alerts.positions
    with eddyline.alerts(after=positions) as alerts:
        assert next(alerts).entry == told[3]["entry"]


def test_another_database_has_its_own(server: Server, plain: Any, listen: Callable[..., Listener]) -> None:
    listener = listen()
    with server.connect(db=3) as elsewhere:
        write_alert(elsewhere, "shop", 1, db=3)
    told = write_alert(plain, "shop", 2)
    listener.wait_for(1)
    assert listener.of("shop") == [told["entry"]]


def test_what_is_no_alert_is_left_out(
    plain: Any, listen: Callable[..., Listener], caplog: pytest.LogCaptureFixture
) -> None:
    listener = listen()
    for nonsense in ["", "{}", "[]", '{"monitor":"{}","entry":"1-1"}', '{"monitor":"shop","entry":"x"}']:
        plain.publish("eddyline:alerts", nonsense)
    write_alert(plain, "shop", 1, v=2)
    write_alert(plain, "shop", 2)
    listener.wait_for(1)
    assert len(listener.heard) == 1
    assert "version 2" in caplog.text


def test_a_stream_that_begins_anew_is_heard(plain: Any, listen: Callable[..., Listener]) -> None:
    listener = listen()
    write_alert(plain, "shop", 100)
    listener.wait_for(1)
    plain.delete("{shop}:incidents")
    earlier = write_alert(plain, "shop", 5)
    listener.wait_for(2)
    assert listener.of("shop")[1] == earlier["entry"]


def kill_subscriber(client: Any) -> None:
    """Whoever listens, as soon as somebody does."""
    eventually(lambda: client.execute_command("CLIENT", "KILL", "TYPE", "pubsub"))


def test_a_hundred_lost_connections_lose_and_repeat_nothing(
    plain: Any, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "delay", lambda _: 0.001)
    listener = listen()
    told: dict[str, list[str]] = {}
    for n in range(1000):
        # new monitors appear on the way
        monitor = f"shop{n % 3 if n < 500 else n % 5}"
        told.setdefault(monitor, []).append(write_alert(plain, monitor, n)["entry"])
        if n % 10 == 5:
            kill_subscriber(plain)
    listener.wait_for(1000)
    assert len(listener.heard) == 1000
    for monitor, entries in told.items():
        assert listener.of(monitor) == entries


def test_a_restarted_server_is_found_again(own_server: Server) -> None:
    own_server.kill()
    with pytest.raises(UnreachableError), Eddyline(own_server.url) as eddyline:
        eddyline.alerts()
    own_server.start()
    with own_server.connect() as client:
        listener = Listener(Eddyline(own_server.url).alerts())
        write_alert(client, "shop", 1)
        listener.wait_for(1)
        own_server.kill()
        own_server.start()
        write_alert(client, "shop", 2)
        listener.wait_for(2)
        listener.stop()


def test_asyncio_loses_and_repeats_nothing_either(
    asynchronous: Callable[[], Any], plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "delay", lambda _: 0.001)

    async def listen() -> Collected:
        heard: Collected = []
        async with asynchronous() as client, AsyncEddyline(client).alerts() as alerts:

            def write() -> None:
                for n in range(300):
                    write_alert(plain, f"shop{n % 3}", n)
                    if n % 10 == 5:
                        kill_subscriber(plain)

            writing = asyncio.create_task(asyncio.to_thread(write))
            async for alert in alerts:
                heard.append((alert.monitor, alert.entry))
                if len(heard) == 300:
                    await writing
                    alerts.close()
        return heard

    heard = asyncio.run(asyncio.wait_for(listen(), 120))
    assert len(set(heard)) == 300
    for monitor in ("shop0", "shop1", "shop2"):
        entries = [entry for name, entry in heard if name == monitor]
        assert entries == sorted(entries)


def test_a_cancelled_task_leaves_no_subscription(asynchronous: Callable[[], Any], plain: Any) -> None:
    async def cancelled() -> None:
        async with asynchronous() as client:
            alerts = AsyncEddyline(client).alerts("shop")
            waiting = asyncio.create_task(alerts.__anext__())
            while not plain.pubsub_channels("eddyline:alerts:shop"):
                assert not waiting.done(), waiting.result()
                await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(cancelled())
    eventually(lambda: not plain.pubsub_channels("eddyline:alerts:shop"))


@pytest.fixture
def _no_garbage_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_garbage_collector")
def test_whoever_stops_listening_leaves_no_subscription(eddyline: Eddyline, plain: Any) -> None:
    def subscribed() -> bool:
        return bool(plain.pubsub_channels("eddyline:alerts:shop"))

    told = write_alert(plain, "shop", 1)
    for alert in eddyline.alerts("shop", after={"shop": "0-0"}):
        assert alert.entry == told["entry"]
        assert subscribed()
        break
    eventually(lambda: not subscribed())
    closed = eddyline.alerts("shop")
    assert subscribed()
    closed.close()
    eventually(lambda: not subscribed())
    assert list(closed) == []


def test_where_to_begin_is_checked(eddyline: Eddyline) -> None:
    with pytest.raises(InvalidValueError, match="ids of entries"):
        eddyline.alerts(after={"shop": "yesterday"})
    with pytest.raises(InvalidValueError, match="one non-empty"):
        eddyline.alerts("{shop}")
