"""One kept connection to the gateway."""

from __future__ import annotations

import gzip
import http.client
import json
import select
import ssl
import threading
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import EddylineError, ForbiddenError, InvalidValueError, UnreachableError, of_answer
from ..operation import Answer, Call, T

_MAX_ANSWER: Final = 64 << 20
_COMPRESS_FROM: Final = 1024
_ONCE: Final = "idempotency-key"


class Gateway:
    """Where the gateway is, and the key for it. Safe for threads: requests wait for each other."""

    def __init__(self, url: str, key: str | None, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidValueError(f"the gateway's address is http://host:8080 or https://host, got {url!r}")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise InvalidValueError("the gateway's address has no user, query or fragment: the key goes into key=")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._base = parts.path.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._lock = threading.Lock()
        self._kept: http.client.HTTPConnection | None = None

    def __repr__(self) -> str:
        return f"Gateway({self._host!r})"

    def connect(self) -> http.client.HTTPConnection:
        """Make another connection."""
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        headers = {"accept": "application/json", "user-agent": "eddyline-python"}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key}"
        return headers

    def path(self, target: str) -> str:
        """The target below the gateway's own path."""
        return self._base + target

    def ask(self, call: Call[T]) -> T:
        """Send the request; its answer, or the error that it is."""
        headers = self.headers()
        body = call.body
        if call.once is not None or call.path == "/v1/events":
            headers[_ONCE] = call.once or uuid.uuid4().hex
        if body is not None:
            headers["content-type"] = call.content_type
            if len(body) >= _COMPRESS_FROM:
                body = gzip.compress(body, 1)
                headers["content-encoding"] = "gzip"
        with self._lock:
            status, retry_after, content = self._exchange(call.method, self.path(call.target), body, headers)
        try:
            answer = Answer(status, checked(status, retry_after, content))
        except EddylineError as error:
            if call.otherwise is None:
                raise
            return call.otherwise(error)
        return call.read(answer)

    def close(self) -> None:
        """Close the connection; the next request makes another."""
        with self._lock:
            self._drop()

    def after_fork(self) -> None:
        """In a child: the connection and the lock are the parent's."""
        self._lock = threading.Lock()
        self._kept = None

    def _drop(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, float | None, bytes]:
        if self._kept is not None and _is_over(self._kept):
            self._drop()
        kept = self._kept is not None
        try:
            return self._send(method, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            # the gateway closed a connection that was kept too long; what is alike when done twice is asked again
            if not kept or not (method in ("GET", "PUT") or _ONCE in headers):
                raise UnreachableError(f"the gateway at {self._host} doesn't answer: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"the gateway at {self._host} doesn't answer: {error}") from error
        try:
            return self._send(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"the gateway at {self._host} doesn't answer: {error}") from error

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, float | None, bytes]:
        if self._kept is None:
            self._kept = self.connect()
        try:
            self._kept.request(method, path, body, headers)
            response = self._kept.getresponse()
            content = response.read(_MAX_ANSWER)
        except BaseException:
            self._drop()
            raise
        if response.will_close or not response.isclosed():
            self._drop()
        return response.status, seconds(response.getheader("retry-after")), content


def checked(status: int, retry_after: float | None, content: bytes) -> Any:
    """Read an answer; raise the error that it is."""
    try:
        answer = json.loads(content) if content else {}
    except ValueError:
        answer = None
    if status < 300 and answer is not None:
        return answer
    told = answer if isinstance(answer, dict) else {}
    message = told.get("message") or f"the gateway answers {status}: is this the address of 'eddyline serve'?"
    if status in (401, 403) and not told:
        raise ForbiddenError(message)
    raise of_answer(status if status >= 400 else 500, str(told.get("code", "")), str(message), retry_after)


def seconds(header: str | None) -> float | None:
    """Read `retry-after`: at most an hour."""
    try:
        return None if header is None else min(max(float(header), 0.0), 3600.0)
    except ValueError:
        return None


def _is_over(connection: http.client.HTTPConnection) -> bool:
    # between two requests nothing comes but the end
    try:
        return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])
    except (OSError, ValueError):
        return True
