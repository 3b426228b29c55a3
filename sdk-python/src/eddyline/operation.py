"""An operation: what is asked, apart from who carries it, so that Redis and HTTP, blocking and async are one code."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from .errors import EddylineError

T = TypeVar("T")

Word: TypeAlias = "str | bytes | int | float"


@dataclass(frozen=True)
class Command:
    """One command for Redis; the reply is sent back into the conversation."""

    words: tuple[Word, ...]


@dataclass(frozen=True)
class FindIncidents:
    """The question which monitors have incidents: the names are sent back, those of all shards of a cluster."""


Conversation: TypeAlias = Generator["Command | FindIncidents", Any, T]
"""Commands one after the other, each reply sent back, and the result in the end."""


@dataclass(frozen=True)
class Answer:
    """What the gateway answered."""

    status: int
    json: Any


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request to the gateway, and how to read its answer."""

    method: str
    path: str
    read: Callable[[Answer], T]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = "application/json"
    otherwise: Callable[[EddylineError], T] | None = None
    """What an error means; it raises those that are errors to the caller too."""
    once: str | None = None
    """Key under which a retry of the same body isn't counted again."""

    @property
    def target(self) -> str:
        """Path and query."""
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")


@dataclass(frozen=True)
class Operation(Generic[T]):
    """The same question for Redis and for HTTP."""

    converse: Callable[[], Conversation[T]]
    call: Call[T] | None
    """None: only Redis can."""
    name: str


def single(name: str, words: tuple[Word, ...], read: Callable[[Any], T], call: Call[T] | None) -> Operation[T]:
    """An operation of one command."""

    def converse() -> Conversation[T]:
        reply = yield Command(words)
        return read(reply)

    return Operation(converse, call, name)


def monitor_path(monitor: str, rest: str = "") -> str:
    """Path of a monitor in the HTTP API."""
    return f"/v1/monitors/{quote(monitor, safe='')}{rest}"
