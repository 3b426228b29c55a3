"""Who carries an operation: a client of redis-py, or the gateway."""

from __future__ import annotations

from typing import Any, Final, Protocol

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .errors import CLIENT_ERRORS, EddylineError, InvalidValueError, of_redis
from .http.connection import Gateway
from .keys import owner_of_incidents
from .operation import Command, Operation, T

# redis-py leaves replies as bytes then, whatever the application's client does otherwise
RAW: Final[dict[str, Any]] = {"NEVER_DECODE": True}
SCANNED: Final = 1000
"""Keys that are looked at in one go."""


class Transport(Protocol):
    """Who carries operations."""

    def do(self, operation: Operation[T]) -> T:
        """Carry it out."""
        ...


class RedisTransport:
    """The application's own client: `redis.Redis` or `redis.RedisCluster`."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def do(self, operation: Operation[T]) -> T:
        """Send its commands one after the other."""
        conversation = operation.converse()
        try:
            asked = next(conversation)
            while True:
                try:
                    reply = self.execute(asked.words) if isinstance(asked, Command) else self.with_incidents()
                except EddylineError as error:
                    asked = conversation.throw(error)
                else:
                    asked = conversation.send(reply)
        except StopIteration as done:
            result: T = done.value
            return result

    def execute(self, words: tuple[Any, ...]) -> Any:
        """Send one command."""
        try:
            return self.client.execute_command(*words, **RAW)
        except CLIENT_ERRORS as error:
            raise of_redis(error) from error

    def with_incidents(self) -> list[str]:
        """Every monitor that has incidents, of all shards."""
        found: dict[str, None] = {}
        try:
            for node in self._nodes():
                cursor = 0
                while True:
                    words = ("SCAN", cursor, "MATCH", "*:incidents", "COUNT", SCANNED, "TYPE", "stream")
                    cursor, keys = node.execute_command(*words, **RAW)
                    found.update((owner, None) for owner in map(owner_of_incidents, keys) if owner is not None)
                    cursor = int(cursor)
                    if cursor == 0:
                        break
        except CLIENT_ERRORS as error:
            raise of_redis(error) from error
        return sorted(found)

    def _nodes(self) -> list[Any]:
        if isinstance(self.client, redis.RedisCluster):
            return [self.client.get_redis_connection(node) for node in self._primaries()]
        return [self.client]

    def _primaries(self) -> list[Any]:
        client: Any = self.client
        return list(client.get_primaries())


class HttpTransport:
    """The gateway: for whoever has no Redis client, or may not reach Redis."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def do(self, operation: Operation[T]) -> T:
        """Send its request."""
        if operation.call is None:
            raise only_redis(operation.name)
        return self.gateway.ask(operation.call)


def connect(url: str, timeout: float) -> redis.Redis:
    """Make a client that tries once: observations that are sent again by themselves would count twice."""
    retry = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(url, socket_connect_timeout=timeout, socket_timeout=timeout, retry=retry)


def only_redis(name: str) -> InvalidValueError:
    """The error for what the gateway doesn't offer."""
    return InvalidValueError(f"{name} isn't offered over HTTP: give Eddyline a Redis client or a redis:// address")
