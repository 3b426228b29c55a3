"""ASGI: Starlette, FastAPI, Quart, Django, …"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from ..batcher import Batcher
from .requests import FAILED, GONE, Requests, Surroundings, Teller

Message: TypeAlias = "dict[str, Any]"
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]


_BODIES: Final = ("http.response.body", "http.response.zerocopysend", "http.response.pathsend")


class EddylineMiddleware:
    """Observes every request of an ASGI application.

    `batcher` is a `Batcher` or the address of one. `route` tells the template where the framework isn't Starlette or
    FastAPI; `user` tells who asks, of which only a hash under `user_key` is sent. Both take the scope.

    >>> app.add_middleware(EddylineMiddleware, batcher="redis://localhost:6379", monitor="shop")
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

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = self._requests.begin(scope["method"], scope)
        # an application that neither answers nor raises: its server says 500
        status, is_complete, is_gone = FAILED, False, False

        async def heard() -> Any:
            nonlocal is_gone
            message = await receive()
            if message["type"] == "http.disconnect":
                is_gone = True
            return message

        async def told(message: Message) -> None:
            nonlocal status, is_complete, is_gone
            if message["type"] == "http.response.start":
                status = int(message["status"])
            try:
                await send(message)
            except OSError:
                # what a server raises whose client is gone
                is_gone = True
                raise
            if message["type"] in _BODIES and not message.get("more_body"):
                is_complete = True
                request.end(status)

        try:
            await self.app(scope, heard, told)
        except CancelledError:
            request.end(GONE)
            raise
        except BaseException:
            request.end(GONE if is_gone else FAILED)
            raise
        if not is_complete:
            request.end(GONE if is_gone else FAILED)


def template(scope: Surroundings) -> str | None:
    """The template of the route that Starlette or FastAPI found."""
    route = getattr(scope.get("route"), "path", None)
    if isinstance(route, str):
        return _mounted(scope) + route
    router = getattr(scope.get("app"), "router", None)
    endpoint = scope.get("endpoint")
    if router is None or endpoint is None:
        return None
    return _path_of(getattr(router, "routes", ()), endpoint)


def _mounted(scope: Surroundings) -> str:
    # where a mounted application has its routes; the server's own root isn't part of the template
    return str(scope.get("root_path", ""))[len(str(scope.get("app_root_path", scope.get("root_path", "")))) :]


def _path_of(routes: Any, endpoint: Any) -> str | None:
    for route in routes:
        path = getattr(route, "path", "")
        if getattr(route, "endpoint", None) is endpoint or getattr(route, "app", None) is endpoint:
            return str(path)
        below = _path_of(getattr(route, "routes", None) or (), endpoint)
        if below is not None:
            return f"{path}{below}"
    return None
