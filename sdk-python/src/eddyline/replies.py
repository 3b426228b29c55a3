"""Replies of RESP2 and RESP3 alike: a map may be a flat array, a number may be text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def text(reply: Any) -> str:
    """Bytes as text; what isn't UTF-8 shows as `\\xNN`."""
    return reply.decode("utf-8", "backslashreplace") if isinstance(reply, bytes) else str(reply)


def number(reply: Any) -> float:
    """A double."""
    return float(reply)


def mapping(reply: Any) -> dict[str, Any]:
    """A map."""
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(reply, Mapping):
        pairs = reply.items()
    else:
        flat = list(reply)
        pairs = zip(flat[::2], flat[1::2], strict=True)
    return {text(name): value for name, value in pairs}


def entries(reply: Any) -> list[tuple[str, dict[bytes, bytes]]]:
    """Entries of a stream, however much of them the client has read."""
    read = []
    for entry in reply or []:
        identity, fields = entry
        pairs = fields.items() if isinstance(fields, Mapping) else zip(fields[::2], fields[1::2], strict=True)
        read.append((text(identity), {_bytes(name): _bytes(value) for name, value in pairs}))
    return read


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
