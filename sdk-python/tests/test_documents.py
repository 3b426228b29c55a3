"""Every example of the README and of the documentation of functions runs."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from servers import ROOT, Server
from writing import write_alert

from eddyline import Alert, AsyncEddyline, Batcher, Eddyline
from eddyline.middleware import EddylineMiddleware, EddylineWsgiMiddleware

README = Path(__file__).resolve().parents[1] / "README.md"


async def run_examples(documented: Any, names: dict[str, Any]) -> int:
    """Run the examples of a docstring; how many there were."""
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(documented) or "")
    ran = 0
    for example in examples:
        if doctest.SKIP in example.options:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = compile(example.source, documented.__qualname__, "single", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, names)
            if inspect.isawaitable(result):
                await result
        assert printed.getvalue() == example.want, example.source
        ran += 1
    return ran


def methods(kind: type) -> list[Any]:
    public = [value for name, value in vars(kind).items() if not name.startswith("_")]
    return [value.fget if isinstance(value, property) else value for value in public]


@pytest.mark.parametrize("kind", [Eddyline, AsyncEddyline])
def test_the_examples_of_the_clients_run(kind: Any, server: Server, plain: Any) -> None:
    async def run() -> None:
        client = kind(server.url)
        names = {"eddyline": client}
        assert await run_examples(kind.create, names) == 1
        # so that no window ends in between
        plain.execute_command("EDDY.ALTER", "checkout", "CLOCK", "stream")
        plain.execute_command("EDDY.CLOSE", "checkout", 10_000_000_000_000)
        for method in methods(kind):
            documented = (inspect.getdoc(method) or "").count(">>>")
            assert documented or method.__name__ == "close", f"{method.__qualname__} has no example"
            if method.__name__ != "create":
                await run_examples(method, names)
        closed = client.close()
        if inspect.isawaitable(closed):
            await closed

    asyncio.run(run())


def test_the_examples_of_the_batcher_run(server: Server) -> None:
    with Batcher(server.url) as batcher:
        names = {"batcher": batcher}
        for method in (Batcher.define, Batcher.observe, Batcher.flush, vars(Batcher)["stats"].fget, Batcher.close):
            assert asyncio.run(run_examples(method, names))


def test_the_other_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    cases: list[tuple[Any, dict[str, Any]]] = [
        (Alert.from_json, {"Alert": Alert}),
        (EddylineMiddleware, {"app": FastAPI(), "EddylineMiddleware": EddylineMiddleware}),
        (EddylineWsgiMiddleware, {"app": Flask("shop"), "EddylineWsgiMiddleware": EddylineWsgiMiddleware}),
    ]
    for documented, names in cases:
        assert asyncio.run(run_examples(documented, names))


def test_the_readme_runs(server: Server, plain: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text = README.read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) > 10
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.wait(0.05):
            event = "opened" if n % 2 == 0 else "resolved"
            write_alert(plain, "checkout", n, event=event)
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    names: dict[str, Any] = {}
    try:
        for block in blocks:
            here = block.replace("redis://localhost:6379", server.url).replace(
                "redis.Redis(", f"redis.Redis(port={server.port}, "
            )
            exec(compile(here, str(README), "exec"), names)
            if "batcher.flush()" in here:
                assert names["batcher"].stats.dropped == {}
                names["batcher"].close()
    finally:
        stop.set()
        writer.join()
        names["batcher"].close()
    printed = capsys.readouterr().out
    assert "critical checkout latency of pay is above usual" in printed
    assert "BatcherStats(queued=0, sent=2, dropped={})" in printed
    counted = Eddyline(plain).info("orders")
    assert counted.observations == 4
