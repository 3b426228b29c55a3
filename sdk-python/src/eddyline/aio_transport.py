"""Who carries an operation for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from .errors import CLIENT_ERRORS, EddylineError, of_redis
from .http.connection import Gateway
from .keys import owner_of_incidents
from .operation import Command, Operation, T
from .transport import RAW, SCANNED, only_redis


class AsyncRedisTransport:
    """The application's own client: `redis.asyncio.Redis` or `redis.asyncio.RedisCluster`."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def do(self, operation: Operation[T]) -> T:
        """Send its commands one after the other."""
        conversation = operation.converse()
        try:
            asked = next(conversation)
            while True:
                try:
                    if isinstance(asked, Command):
                        reply = await self.execute(asked.words)
                    else:
                        reply = await self.with_incidents()
                except EddylineError as error:
                    asked = conversation.throw(error)
                else:
                    asked = conversation.send(reply)
        except StopIteration as done:
            result: T = done.value
            return result

    async def execute(self, words: tuple[Any, ...]) -> Any:
        """Send one command."""
        try:
            return await self.client.execute_command(*words, **RAW)
        except CLIENT_ERRORS as error:
            raise of_redis(error) from error

    async def with_incidents(self) -> list[str]:
        """Every monitor that has incidents, of all shards."""
        found: dict[str, None] = {}
        try:
            for node in await self._nodes():
                cursor = 0
                while True:
                    words = ("SCAN", cursor, "MATCH", "*:incidents", "COUNT", SCANNED, "TYPE", "stream")
                    cursor, keys = await node.execute_command(*words, **RAW)
                    found.update((owner, None) for owner in map(owner_of_incidents, keys) if owner is not None)
                    cursor = int(cursor)
                    if cursor == 0:
                        break
        except CLIENT_ERRORS as error:
            raise of_redis(error) from error
        return sorted(found)

    async def _nodes(self) -> list[Any]:
        if isinstance(self.client, redis.asyncio.RedisCluster):
            await self.client.initialize()
            return list(self.client.get_primaries())
        return [self.client]


class AsyncHttpTransport:
    """The gateway, asked from a thread."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def do(self, operation: Operation[T]) -> T:
        """Send its request."""
        if operation.call is None:
            raise only_redis(operation.name)
        return await asyncio.to_thread(self.gateway.ask, operation.call)


def connect(url: str, timeout: float) -> redis.asyncio.Redis:
    """Make a client that tries once: observations that are sent again by themselves would count twice."""
    retry = Retry(NoBackoff(), 0)
    return redis.asyncio.Redis.from_url(url, socket_connect_timeout=timeout, socket_timeout=timeout, retry=retry)


async def closed(connected: Any) -> None:
    """Close what redis-py made, which was called otherwise before 5.0.1."""
    await (connected.aclose() if hasattr(connected, "aclose") else connected.close())
