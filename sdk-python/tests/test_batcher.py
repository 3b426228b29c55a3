"""Observations in the background: counted once, never waited for, never lost without a count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from decimal import Decimal
from enum import Enum
from http import HTTPStatus
from typing import Any

import pytest
import redis
import redis.asyncio
from servers import Server, eventually, free_port

from eddyline import Batcher, Eddyline, InvalidValueError
from eddyline.batcher.packing import Packer


def observations(client: Any, monitor: str) -> int:
    return Eddyline(client).info(monitor).observations


def test_everything_arrives_grouped_by_its_fields(client: Any) -> None:
    eddyline = Eddyline(client)
    eddyline.create("shop", dimensions=["endpoint", "status"], measures=["latency_ms"], window_ms=3_600_000)
    eddyline.create("other", dimensions=["endpoint"])
    with Batcher(client) as batcher:
        for n in range(2500):
            batcher.observe("shop", endpoint="/charge", status=200 + n % 2, latency_ms=n / 2)
            batcher.observe("shop", endpoint="/é" if n % 2 else None, status="ok")
        batcher.observe("other", endpoint="/")
        assert batcher.flush()
        assert batcher.stats.sent == 5001
        assert batcher.stats.dropped == {}
    [charge] = eddyline.count("shop", "endpoint", "/charge")
    [accent] = eddyline.count("shop", "endpoint", "/é")
    assert charge.open + charge.last == 2500
    assert accent.open + accent.last == 1250
    assert observations(client, "shop") == 5000
    assert eddyline.info("shop").left_out == {"endpoint:absent": 1250, "latency_ms:absent": 2500}
    assert observations(client, "other") == 1


def test_few_observations_go_out_by_themselves(server: Server, plain: Any) -> None:
    Eddyline(plain).create("shop", dimensions=["endpoint"])
    with Batcher(server.url, interval=0.01) as batcher:
        batcher.observe("shop", endpoint="/")
        eventually(lambda: observations(plain, "shop") == 1)


def test_a_monitor_that_does_not_exist_is_made(server: Server, plain: Any) -> None:
    with Batcher(server.url) as batcher:
        batcher.define("shop", dimensions=["endpoint"], window_ms=1000)
        batcher.observe("shop", endpoint="/")
        batcher.observe("inferred", endpoint="/")
        assert batcher.flush()
        assert batcher.stats.dropped == {}
    assert Eddyline(plain).info("shop").window_ms == 1000
    assert observations(plain, "shop") == 1
    assert Eddyline(plain).info("inferred").state.startswith("learning 1/")


class Colour(str, Enum):
    RED = "red"


def test_values_are_packed_as_the_client_would(plain: Any) -> None:
    packer = Packer()
    columns = ("a", "b")
    cases: list[tuple[list[Any], list[bytes]]] = [
        (["x", "é"], [b"x", "é".encode()]),
        ([1, True], [b"1", b"true"]),
        ([1, 1], [b"1", b"1"]),
        ([True, False], [b"true", b"false"]),
        ([1.0, 0.1], [b"1.0", b"0.1"]),
        ([HTTPStatus.OK, Colour.RED], [b"200", b"red"]),
        ([b"\xff", Decimal("0.10")], [b"\xff", b"0.10"]),
    ]
    for values, told in cases:
        packed = packer.mobserve("m", columns, [{"a": values[0], "b": values[1]}])
        pool = plain.connection_pool
        expected = b"".join(pool.make_connection().pack_command("EDDY.MOBSERVE", "m", 2, *columns, *told))
        assert packed == expected, values
    # equal as keys of a dict, and yet other words
    rows = [{"a": value} for value in (1, True, 1.0, "1")]
    assert packer.mobserve("m", ("a",), rows).endswith(b"$1\r\n1\r\n$4\r\ntrue\r\n$3\r\n1.0\r\n$1\r\n1\r\n")


def test_a_value_that_can_not_be_sent_takes_nothing_with_it(server: Server, plain: Any) -> None:
    Eddyline(plain).create("shop", dimensions=["endpoint"])
    with Batcher(server.url) as batcher:
        batcher.observe("shop", endpoint="/")
        batcher.observe("shop", endpoint=object())  # type: ignore[arg-type]
        batcher.observe("shop")
        batcher.observe("{}", endpoint="/")
        batcher.observe(5, endpoint="/")  # type: ignore[arg-type]
        batcher.observe("shop", **{f"field{n}": 1 for n in range(65)})
        batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        assert batcher.stats.sent == 2
        assert batcher.stats.dropped == {"invalid": 5}
    assert observations(plain, "shop") == 2


def test_what_the_server_refuses_is_counted_and_said(
    server: Server, plain: Any, caplog: pytest.LogCaptureFixture
) -> None:
    plain.set("shop", "a string")
    with Batcher(server.url) as batcher:
        for _ in range(3):
            batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        assert batcher.stats.dropped == {"refused": 3}
    assert "3 observations dropped so far: the server refuses them: " in caplog.text


def test_with_redis_gone_the_queue_is_bounded_and_drops_are_counted() -> None:
    batcher = Batcher(f"redis://127.0.0.1:{free_port()}", max_queue=500)
    for _ in range(2000):
        batcher.observe("shop", endpoint="/")
    assert batcher.stats.queued == 500
    assert batcher.stats.dropped == {"full": 1500}
    assert not batcher.flush(0.05)
    began = time.monotonic()
    batcher.close(0.2)
    assert time.monotonic() - began < 10
    # its thread may come to know of it a little later
    eventually(lambda: batcher.stats.queued == 0)
    assert batcher.stats.dropped == {"full": 1500, "closed": 500}
    batcher.observe("shop", endpoint="/")
    assert batcher.stats.dropped["closed"] == 501


def test_it_recovers_by_itself_and_counts_nothing_twice(own_server: Server) -> None:
    with Batcher(own_server.url, interval=0.01) as batcher:
        batcher.define("shop", dimensions=["endpoint"])
        batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        own_server.kill()
        for _ in range(100):
            batcher.observe("shop", endpoint="/")
        assert not batcher.flush(0.1)
        own_server.start()
        assert batcher.flush(30)
        assert batcher.stats.sent == 101
        assert batcher.stats.dropped == {}
        with own_server.connect() as client:
            # the server came back empty: the monitor was made anew
            assert observations(client, "shop") == 100


def test_what_was_under_way_when_the_connection_broke_is_not_sent_again(own_server: Server) -> None:
    with own_server.connect() as client, Batcher(own_server.url, interval=0) as batcher:
        Eddyline(client).create("shop", dimensions=["endpoint"])
        batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        # the server stands still: what is sent waits in its socket, and the connection is cut there
        assert own_server._process is not None
        os.kill(own_server._process.pid, signal.SIGSTOP)
        batcher.observe("shop", endpoint="/")
        eventually(lambda: batcher.stats.dropped.get("lost") == 1)
        os.kill(own_server._process.pid, signal.SIGCONT)
        assert batcher.flush()
        batcher.observe("shop", endpoint="/")
        assert batcher.flush()
        assert batcher.stats.sent == 2
        assert 2 <= observations(client, "shop") <= 3


def test_many_threads_lose_nothing(server: Server, plain: Any) -> None:
    Eddyline(plain).create("shop", dimensions=["thread"])
    with Batcher(server.url) as batcher:

        def work(name: int) -> None:
            for _ in range(2000):
                batcher.observe("shop", thread=name)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert batcher.flush()
        assert batcher.stats.sent == 16_000
    assert observations(plain, "shop") == 16_000


def run(program: str, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(program), url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_what_is_left_goes_out_at_exit(server: Server, plain: Any) -> None:
    Eddyline(plain).create("shop", dimensions=["endpoint"])
    done = run(
        """
        import sys
        from eddyline import Batcher
        batcher = Batcher(sys.argv[1], interval=60)
        for _ in range(10):
            batcher.observe("shop", endpoint="/")
        """,
        server.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert observations(plain, "shop") == 10


def test_with_redis_gone_a_process_still_ends() -> None:
    began = time.monotonic()
    done = run(
        """
        import sys
        from eddyline import Batcher
        Batcher(sys.argv[1]).observe("shop", endpoint="/")
        """,
        f"redis://127.0.0.1:{free_port()}",
    )
    assert done.returncode == 0, done.stderr
    assert "couldn't be sent before it" in done.stderr
    assert time.monotonic() - began < 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_sends_its_own_and_only_those(server: Server, plain: Any) -> None:
    Eddyline(plain).create("shop", dimensions=["process"], window_ms=3_600_000)
    done = run(
        """
        import os, sys
        from eddyline import Batcher
        batcher = Batcher(sys.argv[1], interval=60)
        for _ in range(10):
            batcher.observe("shop", process="parent")
        child = os.fork()
        if child == 0:
            assert batcher.stats.queued == 0
            for _ in range(5):
                batcher.observe("shop", process="child")
            assert batcher.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0, status
        assert batcher.flush()
        """,
        server.url,
    )
    # newer Pythons warn of any fork beside threads
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    parent, child = Eddyline(plain).count("shop", "process", "parent", "child")
    assert (parent.open + parent.last, child.open + child.last) == (10, 5)


def test_what_makes_no_batcher_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="serves asyncio too"):
        Batcher(redis.asyncio.Redis())  # type: ignore[arg-type]
    cases: list[dict[str, Any]] = [{"max_queue": 0}, {"batch_size": 0}, {"interval": -1}]
    for wrong in cases:
        with pytest.raises(InvalidValueError):
            Batcher("redis://127.0.0.1", **wrong)
