"""From a request that is over to its observation."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, MutableMapping
from typing import Any, Final, TypeAlias

from ..batcher import Batcher
from ..errors import InvalidValueError

Surroundings: TypeAlias = MutableMapping[str, Any]
"""The `scope` of ASGI, the `environ` of WSGI."""
Teller: TypeAlias = "Callable[[Surroundings], str | None]"

UNMATCHED: Final = "unmatched"
"""The route of a request for which the application has none."""
GONE: Final = 499
FAILED: Final = 500

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
_log = logging.getLogger("eddyline")


class Requests:
    """Counts requests in one monitor."""

    def __init__(
        self, batcher: Batcher | str, monitor: str, user: Teller | None, user_key: str | bytes | None, route: Teller
    ) -> None:
        if (user is None) != (user_key is None):
            raise InvalidValueError(
                "user and user_key go together: users are only told as a hash under a key of yours, so that "
                "nobody finds out who they are by hashing all addresses there are"
            )
        self._batcher = Batcher(batcher) if isinstance(batcher, str) else batcher
        self._monitor = monitor
        self._user = user
        self._user_key = user_key.encode() if isinstance(user_key, str) else user_key or b""
        self._route = route
        self._has_failed = False
        if not self._batcher.defines(monitor):
            self._batcher.define(
                monitor,
                dimensions=["method", "route", "status"],
                measures=["latency_ms"],
                crosses=["route*latency_ms", "route*status"],
                uniques=["user"] if user is not None else [],
            )

    def begin(self, method: str, surroundings: Surroundings) -> Request:
        """A request came."""
        return Request(self, method if method in _METHODS else "other", surroundings)

    def tell(self, surroundings: Surroundings) -> tuple[str, str | None]:
        """The route, and who asked, as a hash."""
        user = None if self._user is None else self._ask(self._user, surroundings)
        hashed = None
        if user is not None:
            # as the JavaScript SDK does it, so that both may count users in one monitor
            hashed = hmac.new(self._user_key, user.encode(), hashlib.sha256).hexdigest()[:16]
        return self._ask(self._route, surroundings) or UNMATCHED, hashed

    def observe(self, method: str, told: tuple[str, str | None], status: int, latency_ms: float) -> None:
        """A request is over."""
        route, user = told
        self._batcher.observe(
            self._monitor, method=method, route=route, status=status, latency_ms=latency_ms, user=user
        )

    def _ask(self, teller: Teller, surroundings: Surroundings) -> str | None:
        try:
            told = teller(surroundings)
        except Exception:
            # a request never fails for being observed
            if not self._has_failed:
                self._has_failed = True
                _log.exception("eddyline: a request's route or user can't be told (said once)")
            return None
        return None if told is None else str(told)


class Request:
    """One request, observed once."""

    def __init__(self, requests: Requests, method: str, surroundings: Surroundings) -> None:
        self._requests = requests
        self._method = method
        self._surroundings = surroundings
        self._told: tuple[str, str | None] | None = None
        self._began = time.perf_counter()
        self._is_over = False

    def look(self) -> None:
        """See which route it is and who asks, while the framework still knows."""
        self._told = self._requests.tell(self._surroundings)

    def end(self, status: int) -> None:
        """It is over; only the first time counts."""
        if not self._is_over:
            self._is_over = True
            latency_ms = round((time.perf_counter() - self._began) * 1000, 3)
            told = self._told or self._requests.tell(self._surroundings)
            self._requests.observe(self._method, told, status, latency_ms)
