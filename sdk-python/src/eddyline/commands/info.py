"""`EDDY.INFO`: how a monitor is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..keys import stem
from ..operation import Call, Operation, monitor_path, single
from ..replies import mapping, text


@dataclass(frozen=True)
class Info:
    """How a monitor is."""

    state: str
    """`counting`, or `learning <observations>/<needed>` while its fields are inferred."""
    clock: str
    """Who moves its time: `server` or `stream`."""
    window_ms: int
    open_start_ms: int
    """Start of the open window, ms since the epoch; 0: none is open."""
    open_end_ms: int
    open_observations: int
    """Observations in the open window."""
    observations: int
    """All since it was made."""
    schema: str | None
    """Id of the schema; None while it learns."""
    last_fingerprint_ms: int
    """End of the last closed window, ms since the epoch; 0: none."""
    waiting: int
    """Fingerprints that aren't written yet."""
    retention: int
    """Fingerprints that are kept."""
    memory_bytes: int
    memory_bytes_at_most: int
    paused: bool
    following: bool
    """Whether it has read all that its sources have."""
    hashed: tuple[str, ...]
    """Fields of which only a keyed hash is stored."""
    sources: Mapping[str, str]
    """Streams that it reads, and the id of the last entry it read of each."""
    left_out: Mapping[str, int]
    """What didn't count, by reason."""


def info(monitor: str) -> Operation[Info]:
    """Tell how a monitor is."""
    stem(monitor)
    call = Call("GET", monitor_path(monitor), lambda answer: _read(answer.json["info"]))
    return single("info", ("EDDY.INFO", monitor), _read, call)


def _read(reply: Any) -> Info:
    told = mapping(reply)
    return Info(
        state=text(told["state"]),
        clock=text(told["clock"]),
        window_ms=int(told["window_ms"]),
        open_start_ms=int(told["open_start_ms"]),
        open_end_ms=int(told["open_end_ms"]),
        open_observations=int(told["open_observations"]),
        observations=int(told["observations"]),
        schema=None if told["schema"] is None else text(told["schema"]),
        last_fingerprint_ms=int(told["last_fingerprint_ms"]),
        waiting=int(told["waiting"]),
        retention=int(told["retention"]),
        memory_bytes=int(told["memory_bytes"]),
        memory_bytes_at_most=int(told["memory_bytes_at_most"]),
        paused=_yes(told["paused"]),
        following=_yes(told["following"]),
        hashed=tuple(text(field) for field in told["hashed"]),
        sources={name: text(at) for name, at in mapping(told["sources"]).items()},
        left_out={reason: int(n) for reason, n in mapping(told["left_out"]).items()},
    )


def _yes(reply: Any) -> bool:
    return reply is True or text(reply) == "yes"
