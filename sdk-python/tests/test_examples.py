"""The examples, with a worker: a shop that is watched, and a subscriber that hears of it."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import Program, Server, eventually, free_port

from eddyline import Eddyline

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    processes = []

    def start(name: str, *command: str, **environment: str) -> Path:
        log = tmp_path / name
        with log.open("wb") as out:
            whole = {**os.environ, **environment}
            processes.append(subprocess.Popen(command, stdout=out, stderr=out, cwd=EXAMPLES, env=whole))
        return log

    yield start
    for process in processes:
        process.terminate()
        process.wait()


def test_a_shop_is_watched_and_a_subscriber_hears_of_it(
    server: Server, plain: Any, tmp_path: Path, started: Any
) -> None:
    port = free_port()
    # a limit, so that nobody has to wait until the worker has learnt
    plain.hset("{shop}:settings", "expect:latency_ms:max", "..150")
    Eddyline(plain).create(
        "shop",
        dimensions=["method", "route", "status"],
        measures=["latency_ms"],
        crosses=["route*status"],
        window_ms=500,
    )
    worker = Program("worker", "--redis", server.url, log=tmp_path / "worker")
    kept = tmp_path / "positions.json"
    heard = started("subscriber", sys.executable, "subscriber.py", server.url, str(kept))
    command = [sys.executable, "-m", "uvicorn", "shop:app", "--port", str(port), "--log-level", "warning"]
    log = started("shop", *command, EDDYLINE_URL=server.url)

    def ask(method: str, path: str) -> bool:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        eventually(lambda: "listening" in heard.read_text())
        eventually(lambda: ask("GET", "/products/5"))
        assert ask("POST", "/break"), log.read_text()

        def is_told() -> bool:
            worker.check()
            ask("POST", "/orders")
            return "opened   critical shop: " in heard.read_text()

        eventually(is_told, 60)
        eventually(lambda: kept.exists() and '"shop"' in kept.read_text())
    finally:
        worker.stop()
    counted = Eddyline(plain).info("shop")
    assert counted.observations >= 3
    assert counted.left_out == {}
