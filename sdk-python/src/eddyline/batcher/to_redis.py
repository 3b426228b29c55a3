"""Batches to Redis: several commands on one connection at once, and no retry of what may have counted."""

from __future__ import annotations

import inspect
from typing import Any

import redis
import redis.exceptions

from ..errors import CLIENT_ERRORS, BusyError, EddylineError, UnknownMonitorError, UnreachableError, of_redis
from ..transport import RedisTransport
from .delivery import Batch, Creation, Outcome
from .packing import Packer
from .stats import LOST, REFUSED


class ToRedis:
    """A client of redis-py, whose retries are left out: they would count observations twice."""

    def __init__(self, client: Any, creation: Creation, *, is_ours: bool) -> None:
        self._client = client
        self._is_ours = is_ours
        self._creation = creation
        self._packer = Packer()

    def deliver(self, batches: list[Batch]) -> list[Outcome]:
        """Send them in order."""
        packed = [(batch, self._packer.mobserve(batch.monitor, batch.columns, batch.rows)) for batch in batches]
        if isinstance(self._client, redis.RedisCluster):
            return [self._on(batch.monitor, [(batch, command)])[0] for batch, command in packed]
        return self._on(None, packed)

    def after_fork(self) -> None:
        """redis-py's pools see that they are in another process."""

    def close(self) -> None:
        """Close a client that was made for an address; another belongs to who made it."""
        if self._is_ours:
            self._client.close()

    def _pool(self, monitor: str | None) -> Any:
        if monitor is None:
            return self._client.connection_pool
        return self._client.get_redis_connection(self._client.get_node_from_key(monitor)).connection_pool

    def _on(self, monitor: str | None, commands: list[tuple[Batch, bytes]]) -> list[Outcome]:
        if not commands:
            return []
        try:
            pool = self._pool(monitor)
            connection = _connection_of(pool)
        except CLIENT_ERRORS as error:
            why = of_redis(error)
            if isinstance(why, (UnreachableError, BusyError)):
                return [Outcome(retry=batch, error=why) for batch, _ in commands]
            return [_given_up(batch, REFUSED, why) for batch, _ in commands]
        outcomes: list[Outcome] = []
        try:
            connection.send_packed_command([b"".join(command for _, command in commands)])
            for batch, _ in commands:
                outcomes.append(self._reply(connection, batch))
        except (*CLIENT_ERRORS, OSError) as error:
            connection.disconnect()
            why = of_redis(error) if isinstance(error, CLIENT_ERRORS) else UnreachableError(str(error))
            # whether the server counted them isn't known: twice would look like a burst
            outcomes += [_given_up(batch, LOST, why) for batch, _ in commands[len(outcomes) :]]
        finally:
            pool.release(connection)
        return [self._settled(outcome, batch) for outcome, (batch, _) in zip(outcomes, commands, strict=True)]

    def _reply(self, connection: Any, batch: Batch) -> Outcome:
        try:
            connection.read_response()
        except (redis.exceptions.MovedError, redis.exceptions.AskError) as error:
            # the slot is another node's now; nothing was counted
            self._client.nodes_manager.initialize()
            return Outcome(retry=batch, error=BusyError(str(error)))
        except redis.exceptions.ResponseError as error:
            return _outcome(batch, of_redis(error))
        return Outcome(sent=len(batch.rows))

    def _settled(self, outcome: Outcome, batch: Batch) -> Outcome:
        if not isinstance(outcome.error, UnknownMonitorError):
            return outcome
        # it is made with what is known of it, and the batch, of which nothing counted, is sent again
        try:
            RedisTransport(self._client).do(self._creation(batch.monitor))
        except (UnreachableError, BusyError) as error:
            return Outcome(retry=batch, error=error)
        except EddylineError as error:
            return _given_up(batch, REFUSED, error)
        return Outcome(retry=batch)


def _connection_of(pool: Any) -> Any:
    # before 5.3 redis-py wants a command's name, since then it warns about one
    name = inspect.signature(pool.get_connection).parameters.get("command_name")
    is_wanted = name is not None and name.default is inspect.Parameter.empty
    return pool.get_connection("EDDY.MOBSERVE") if is_wanted else pool.get_connection()


def _outcome(batch: Batch, error: EddylineError) -> Outcome:
    if isinstance(error, BusyError):
        return Outcome(retry=batch, wait=error.retry_after, error=error)
    if isinstance(error, UnknownMonitorError):
        return Outcome(error=error)
    return _given_up(batch, REFUSED, error)


def _given_up(batch: Batch, reason: str, error: EddylineError) -> Outcome:
    return Outcome(dropped=len(batch.rows), reason=reason, error=error)
