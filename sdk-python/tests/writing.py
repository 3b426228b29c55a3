"""Alerts as the worker's script writes them (`worker/src/store/write.lua`): the entry, then both channels."""

from __future__ import annotations

import json
from typing import Any

from servers import FIXTURES

GOLDEN: dict[str, Any] = json.loads((FIXTURES / "alert.json").read_text())

_SCRIPT = """
redis.call('XADD', KEYS[1], ARGV[1], 'event', ARGV[2], 'incident', ARGV[3], 'alert', ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[4])
redis.call('PUBLISH', ARGV[6], ARGV[4])
"""


def message(monitor: str, n: int, **changes: Any) -> dict[str, Any]:
    end_ms = 1_795_166_105_000 + 5000 * n
    return {**GOLDEN, "monitor": monitor, "window_end_ms": end_ms, "entry": f"{end_ms}-0", **changes}


def write_alert(client: Any, monitor: str, n: int, **changes: Any) -> dict[str, Any]:
    told = message(monitor, n, **changes)
    text = json.dumps(told)
    channels = ("eddyline:alerts", f"eddyline:alerts:{monitor}")
    stem = f"{monitor}:" if "{" in monitor else f"{{{monitor}}}:"
    client.eval(_SCRIPT, 1, stem + "incidents", told["entry"], told["event"], told["incident"], text, *channels)
    return told
