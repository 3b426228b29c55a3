"""What can go wrong, as types. Every message says what to do."""

from __future__ import annotations

from typing import Final

import redis.exceptions


class EddylineError(Exception):
    """Anything that eddyline, the server or the way there refuses."""


class InvalidValueError(EddylineError, ValueError):
    """An argument that can't be sent: its name and what is allowed are in the message."""


class UnreachableError(EddylineError, ConnectionError):
    """Redis, or the gateway, doesn't answer. Nothing is known of what was under way: it may have counted."""


class BusyError(EddylineError):
    """The server can't take it at the moment and counted nothing: try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ForbiddenError(EddylineError, PermissionError):
    """The user, or the key, may not do that."""


class ModuleMissingError(EddylineError):
    """The server doesn't have the eddyline module."""


class UnknownMonitorError(EddylineError, LookupError):
    """No monitor of that name: `create` makes one."""


class MonitorExistsError(EddylineError):
    """A monitor of that name is there already."""


class UnknownIncidentError(EddylineError, LookupError):
    """No monitor has an incident of that id, or nothing was said of it."""


class LearningError(EddylineError):
    """The monitor is still inferring its fields, so that it can't answer yet."""


class RefusedError(EddylineError):
    """The server refuses the command: the message is the server's own and says what is allowed."""


NO_MODULE: Final = (
    "this server doesn't have the eddyline module: load it with 'MODULE LOAD /path/to/libeddyline.so', or start the "
    "server with '--loadmodule /path/to/libeddyline.so'"
)

# The server counted nothing and will take it soon.
_SOON: Final = (
    "BUSY",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "OOM",
    "READONLY",
    "NOREPLICAS",
    "MOVED",
    "ASK",
)
_FORBIDDEN: Final = ("NOPERM", "NOAUTH", "WRONGPASS")
_BY_TEXT: Final[tuple[tuple[str, type[EddylineError]], ...]] = (
    ("no such monitor", UnknownMonitorError),
    ("exists already", MonitorExistsError),
    ("is still learning", LearningError),
    ("still reads what its sources had", BusyError),
    ("fingerprints can't be written", BusyError),
    ("is loading the dataset", BusyError),
)


def of_reply(message: str) -> EddylineError:
    """The error for an error reply of Redis, with or without its code."""
    code, _, rest = message.partition(" ")
    text = rest if code == "ERR" else message
    if "unknown command" in message.lower():
        return ModuleMissingError(NO_MODULE)
    if code in _FORBIDDEN or "has no permissions" in message or "invalid username-password" in message:
        return ForbiddenError(text)
    if code in _SOON:
        return BusyError(text)
    for part, error in _BY_TEXT:
        if part in message:
            return error(text)
    return RefusedError(text)


CLIENT_ERRORS: Final = (redis.exceptions.RedisError, redis.exceptions.RedisClusterException)
"""What redis-py raises: of a cluster's client not all is a RedisError."""


def of_redis(error: Exception) -> EddylineError:
    """The error for what redis-py raised."""
    kinds = redis.exceptions
    message = str(error)
    if isinstance(error, (kinds.AuthenticationError, kinds.AuthorizationError, kinds.NoPermissionError)):
        return ForbiddenError(message)
    if isinstance(error, kinds.BusyLoadingError):
        return BusyError(message)
    # redis-py takes the code off the replies that it has a type for
    if isinstance(error, (kinds.ReadOnlyError, kinds.ClusterDownError, kinds.TryAgainError, kinds.OutOfMemoryError)):
        return BusyError(message)
    if isinstance(error, (kinds.ConnectionError, kinds.TimeoutError)):
        return UnreachableError(f"Redis doesn't answer: {message}")
    if isinstance(error, kinds.ResponseError):
        return of_reply(message)
    if isinstance(error, kinds.RedisClusterException):
        return RefusedError(message)
    return UnreachableError(f"Redis can't be asked: {message}")


_BY_CODE: Final[dict[str, type[EddylineError]]] = {
    "unknown_monitor": UnknownMonitorError,
    "unknown_incident": UnknownIncidentError,
    "conflict": MonitorExistsError,
    "no_module": ModuleMissingError,
    "unknown_outcome": UnreachableError,
}


def of_answer(status: int, code: str, message: str, retry_after: float | None) -> EddylineError:
    """The error for an answer of the gateway."""
    if "still learning" in message:
        return LearningError(message)
    if code in _BY_CODE:
        return _BY_CODE[code](message)
    if status in (401, 403):
        return ForbiddenError(message)
    if status in (429, 503):
        return BusyError(message, retry_after if retry_after is not None else 1.0)
    if status >= 500:
        return UnreachableError(f"the gateway answers {status}: {message}")
    return RefusedError(message)
