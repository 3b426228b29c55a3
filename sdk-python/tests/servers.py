"""Real servers that die with the test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import redis

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "crates" / "wire" / "fixtures"


def module() -> Path:
    return _built("EDDYLINE_MODULE", "libeddyline.so", "cargo build -p eddyline-redis-module")


def worker() -> Path:
    return _built("EDDYLINE_BIN", "eddyline", "cargo build -p eddyline")


def _built(variable: str, name: str, command: str) -> Path:
    path = Path(os.environ.get(variable) or ROOT / "target" / "debug" / name).resolve()
    assert path.is_file(), f"{path} isn't there: run '{command}', or set {variable}"
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What it gives as soon as that is true."""
    until = time.monotonic() + seconds
    while True:
        result = what()
        if result:
            return result
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.01)


class PortTakenError(Exception):
    """Somebody was faster."""


class Server:
    """A server with the module, in a folder of its own."""

    def __init__(self, *args: str, with_module: bool = True) -> None:
        self.folder = Path(mkdtemp(prefix="eddyline-sdk-"))
        program = os.environ.get("EDDYLINE_SERVER", "redis-server")
        self._command = [program, "--dir", str(self.folder), "--save", "", "--bind", "127.0.0.1"]
        self._command += ["--loadmodule", str(module())] if with_module else []
        self._command += args
        self._process: subprocess.Popen[bytes] | None = None
        eventually(self._started)

    def _started(self) -> bool:
        self.port = free_port()
        try:
            self.start()
        except PortTakenError:
            return False
        return True

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*self._command, "--port", str(self.port)], stdout=log, stderr=log)
        eventually(self._answers)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = (self.folder / "log").read_text()
            assert "Address already in use" in log, log
            raise PortTakenError
        try:
            with self.connect() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def connect(self, **options: Any) -> redis.Redis:
        return redis.Redis(port=self.port, **options)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Program:
    """A process of the binary `eddyline`."""

    def __init__(self, *args: str, log: Path) -> None:
        environment = {**os.environ, "EDDYLINE_LISTEN": "none"}
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen([str(worker()), *args], env=environment, stdout=out, stderr=out)

    def check(self) -> None:
        assert self._process.poll() is None, self.log.read_text()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
