"""What an observation costs the application's thread, in µs a call: with Redis there, and with Redis gone.

    python bench/latency.py [--calls 200000]

With Redis gone the queue fills, and then every call drops. Calls are spread over time, as requests are.
"""

from __future__ import annotations

import argparse
import logging
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eddyline import Batcher

ROOT = Path(__file__).resolve().parents[2]


def measure(batcher: Batcher, calls: int, pause: float) -> list[float]:
    took = []
    observe, now = batcher.observe, time.perf_counter_ns
    for n in range(calls):
        began = now()
        observe("shop", endpoint="/charge", status=200, latency_ms=n * 0.37)
        took.append((now() - began) / 1000)
        if pause and n % 100 == 0:
            time.sleep(pause)
    return took


def told(name: str, took: list[float]) -> None:
    cuts = statistics.quantiles(took, n=1000)
    print(
        f"{name:<34} median {statistics.median(took):6.2f} µs   p99 {cuts[989]:6.2f} µs   p99.9 {cuts[998]:8.2f} µs   "
        f"longest {max(took):8.0f} µs"
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--module", default=ROOT / "target" / "release" / "libeddyline.so", type=Path)
    arguments.add_argument("--calls", default=200_000, type=int)
    given = arguments.parse_args()
    if not given.module.is_file():
        sys.exit(f"{given.module} isn't there: cargo build --release -p eddyline-redis-module, or --module")
    logging.disable()
    gone = Batcher(f"redis://127.0.0.1:{free_port()}", max_queue=given.calls // 4)
    told("Redis gone, queue filling, then full", measure(gone, given.calls, 0.001))
    gone.close(0)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = ["redis-server", "--port", str(port), "--save", "", "--dir", folder]
        server = subprocess.Popen([*command, "--loadmodule", str(given.module.resolve())], stdout=subprocess.DEVNULL)
        try:
            batcher = Batcher(f"redis://127.0.0.1:{port}", max_queue=given.calls)
            told("Redis there", measure(batcher, given.calls, 0.001))
            batcher.close()
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
