"""Observations a second from one thread: the batcher beside a plain pipelined XADD loop of the same client.

    python bench/throughput.py [--module ../target/release/libeddyline.so] [--seconds 3] [--rounds 5]

Both in turn, so that a busy machine slows both; the ratio is the figure. A monitor reads the stream of the XADD loop,
so that both end up counted.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import redis

from eddyline import Batcher, Eddyline

ROOT = Path(__file__).resolve().parents[2]
FIELDS = {
    "dimensions": ["endpoint", "status"],
    "measures": ["latency_ms"],
    "crosses": ["endpoint*latency_ms"],
}
ENDPOINTS = [f"/orders/{n}" for n in range(20)]


def observed(client: redis.Redis, monitor: str) -> int:
    return Eddyline(client).info(monitor).observations


def by_xadd(client: redis.Redis, seconds: float) -> float:
    began, sent = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        pipeline = client.pipeline(transaction=False)
        for n in range(1000):
            fields = {"endpoint": ENDPOINTS[n % 20], "status": 200 + n % 5, "latency_ms": n * 0.37}
            pipeline.xadd("metrics", fields, maxlen=100_000, approximate=True)  # type: ignore[arg-type]
        pipeline.execute()
        sent += 1000
    return sent / (time.perf_counter() - began)


def by_batcher(client: redis.Redis, batcher: Batcher, seconds: float) -> float:
    before = batcher.stats.sent
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        for n in range(1000):
            batcher.observe("direct", endpoint=ENDPOINTS[n % 20], status=200 + n % 5, latency_ms=n * 0.37)
        # no more than is sent: what is dropped doesn't count
        while batcher.stats.queued > 50_000:
            time.sleep(0.001)
    assert batcher.flush(60)
    took = time.perf_counter() - began
    assert batcher.stats.dropped == {}, batcher.stats
    return (batcher.stats.sent - before) / took


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--module", default=ROOT / "target" / "release" / "libeddyline.so", type=Path)
    arguments.add_argument("--seconds", default=3.0, type=float)
    arguments.add_argument("--rounds", default=5, type=int)
    given = arguments.parse_args()
    if not given.module.is_file():
        sys.exit(f"{given.module} isn't there: cargo build --release -p eddyline-redis-module, or --module")
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/redis.sock"
        command = ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
        server = subprocess.Popen([*command, "--loadmodule", str(given.module.resolve())], stdout=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 10
            while not Path(socket).exists() and time.monotonic() < until:
                time.sleep(0.01)
            measure(redis.Redis(unix_socket_path=socket), given.seconds, given.rounds)
        finally:
            server.kill()
            server.wait()


def measure(client: redis.Redis, seconds: float, rounds: int) -> None:
    eddyline = Eddyline(client)
    eddyline.create("sourced", sources=["metrics"], **FIELDS)  # type: ignore[arg-type]
    eddyline.create("direct", **FIELDS)  # type: ignore[arg-type]
    batcher = Batcher(client)
    ways: list[Callable[[], float]] = [lambda: by_xadd(client, seconds), lambda: by_batcher(client, batcher, seconds)]
    by_batcher(client, batcher, 0.2)
    figures = [[way() for way in ways] for _ in range(rounds)]
    assert observed(client, "direct") == batcher.stats.sent
    batcher.close()
    for xadd, batched in figures:
        print(f"xadd {xadd:>9,.0f}/s   batcher {batched:>9,.0f}/s   {batched / xadd:.1f} times")
    xadds, batches = zip(*figures, strict=True)
    ratio = statistics.median(batched / xadd for xadd, batched in figures)
    print(
        f"median: pipelined XADD {statistics.median(xadds):,.0f}/s, batcher {statistics.median(batches):,.0f}/s, "
        f"{ratio:.1f} times (redis-py {redis.__version__}, Python {sys.version.split()[0]})"
    )


if __name__ == "__main__":
    main()
