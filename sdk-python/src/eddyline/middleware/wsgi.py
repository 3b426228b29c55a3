"""WSGI: Flask, Django, Bottle, …"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from ..batcher import Batcher
from .requests import FAILED, GONE, Request, Requests, Surroundings, Teller

App: TypeAlias = Callable[[Any, Any], Iterable[bytes]]


class EddylineWsgiMiddleware:
    """Observes every request of a WSGI application.

    `batcher` is a `Batcher` or the address of one. `route` tells the template where the framework isn't Flask; `user`
    tells who asks, of which only a hash under `user_key` is sent. Both take the environ.

    >>> app.wsgi_app = EddylineWsgiMiddleware(app.wsgi_app, "redis://localhost:6379", monitor="shop")
    """

    def __init__(
        self,
        app: App,
        batcher: Batcher | str,
        *,
        monitor: str = "http",
        user: Teller | None = None,
        user_key: str | bytes | None = None,
        route: Teller | None = None,
    ) -> None:
        self.app = app
        self._requests = Requests(batcher, monitor, user, user_key, route or template)

    def __call__(self, environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        request = self._requests.begin(environ["REQUEST_METHOD"], environ)
        answer = _Answer(request)

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            answer.status = int(status[:3])
            # Flask forgets the route before the body is read
            request.look()
            return start_response(status, headers) if exc_info is None else start_response(status, headers, exc_info)

        try:
            body = self.app(environ, start)
        except BaseException:
            request.end(FAILED)
            raise
        # servers give a body of one piece its length
        return _SizedBody(answer, body) if hasattr(body, "__len__") else _Body(answer, body)


class _Answer:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.status = FAILED


class _Body:
    """The body as the application made it, whose end is noticed."""

    def __init__(self, answer: _Answer, body: Iterable[bytes]) -> None:
        self._answer = answer
        self._whole: Any = body
        self._pieces: Iterator[bytes] = iter(body)
        self._is_complete = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            self._is_complete = True
            self._answer.request.end(self._answer.status)
            raise
        except BaseException:
            self._answer.request.end(FAILED)
            raise

    def close(self) -> None:
        try:
            if hasattr(self._whole, "close"):
                self._whole.close()
        except BaseException:
            self._answer.request.end(FAILED)
            raise
        # a server that stops before the end has lost its client
        self._answer.request.end(self._answer.status if self._is_complete else GONE)


class _SizedBody(_Body):
    def __len__(self) -> int:
        return len(self._whole)


def template(environ: Surroundings) -> str | None:
    """The template of the route that Flask found."""
    rule = getattr(getattr(environ.get("werkzeug.request"), "url_rule", None), "rule", None)
    return rule if isinstance(rule, str) else None
