"""Exactly one observation per request, whatever way the response ends."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from flask import Flask, Response
from servers import Server
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from eddyline import Batcher, Eddyline, InvalidValueError
from eddyline.middleware import EddylineMiddleware, EddylineWsgiMiddleware

Observed = list[dict[str, Any]]


@pytest.fixture
def observed(monkeypatch: pytest.MonkeyPatch) -> Observed:
    told: Observed = []
    monkeypatch.setattr(Batcher, "observe", lambda _, monitor, /, **fields: told.append({"monitor": monitor, **fields}))
    return told


BATCHER = "redis://127.0.0.1:1"


def ends(observed: Observed) -> list[tuple[str, str, int]]:
    return [(one["method"], one["route"], one["status"]) for one in observed]


def shop() -> FastAPI:
    app = FastAPI()
    items = APIRouter(prefix="/items")

    @items.get("/{item}")
    def item(item: str) -> dict[str, str]:
        if item == "none":
            raise HTTPException(404)
        if item == "broken":
            raise RuntimeError("broken")
        return {"item": item}

    @app.get("/stream/{n}")
    def stream(n: int) -> StreamingResponse:
        def pieces() -> Iterator[bytes]:
            for piece in range(n):
                if piece == 3:
                    raise RuntimeError("in the middle")
                yield b"x"

        return StreamingResponse(pieces(), status_code=206)

    app.include_router(items)
    return app


class Client:
    """Asks an ASGI application."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def get(self, path: str) -> int:
        return self.request("GET", path)

    def request(self, method: str, path: str) -> int:
        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
        statuses = []

        requests = [{"type": "http.request", "body": b""}]

        async def receive() -> Any:
            return requests.pop() if requests else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        whole = {**scope, "headers": [], "root_path": "", "http_version": "1.1", "scheme": "http", "server": None}
        with contextlib.suppress(Exception):
            asyncio.run(
                self._app({**whole, "client": None, "asgi": {"version": "3.0", "spec_version": "2.3"}}, receive, send)
            )
        [status] = statuses
        return int(status)


def test_fastapi_tells_templates_and_the_status_that_was_sent(observed: Observed) -> None:
    app = shop()
    app.add_middleware(EddylineMiddleware, batcher=BATCHER, monitor="shop")
    client = Client(app)
    for path in ("/items/5", "/items/none", "/items/broken", "/stream/2", "/stream/9", "/nowhere/secret"):
        client.get(path)
    client.request("POST", "/items/5")
    client.request("BREW", "/items/5")
    assert ends(observed) == [
        ("GET", "/items/{item}", 200),
        ("GET", "/items/{item}", 404),
        ("GET", "/items/{item}", 500),
        ("GET", "/stream/{n}", 206),
        ("GET", "/stream/{n}", 500),
        ("GET", "unmatched", 404),
        ("POST", "/items/{item}", 405),
        ("other", "/items/{item}", 405),
    ]
    assert all(one["monitor"] == "shop" and 0 <= one["latency_ms"] < 10_000 for one in observed)


def test_starlette_tells_templates_of_mounted_routes(observed: Observed) -> None:
    async def page(_: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse("page")

    async def other(_: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse("other")

    app = Starlette(routes=[Route("/{name}", page), Mount("/under", routes=[Route("/other", other)])])
    app.add_middleware(EddylineMiddleware, batcher=BATCHER)
    client = Client(app)
    client.get("/front")
    client.get("/under/other")
    assert ends(observed) == [("GET", "/{name}", 200), ("GET", "/under/other", 200)]


def connection(app: Any, received: list[str], sending: Callable[[Any], None] = lambda _: None) -> None:
    messages = iter(received)

    async def receive() -> dict[str, Any]:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        sending(message)

    asyncio.run(app({"type": "http", "method": "GET", "path": "/"}, receive, send))


START = {"type": "http.response.start", "status": 200}


def test_clients_that_go_away_and_applications_that_say_nothing(observed: Observed) -> None:
    def broken_pipe(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("gone")

    async def leaves(_: Any, receive: Any, send: Any) -> None:
        await send(START)
        assert (await receive())["type"] == "http.disconnect"

    async def answers(_: Any, __: Any, send: Any) -> None:
        await send(START)
        await send({"type": "http.response.body", "more_body": True})
        await send({"type": "http.response.body"})

    async def says_nothing(_: Any, __: Any, ___: Any) -> None:
        return

    async def fails_after_its_answer(scope: Any, receive: Any, send: Any) -> None:
        await answers(scope, receive, send)
        raise RuntimeError("in a background task")

    async def is_cancelled(_: Any, __: Any, ___: Any) -> None:
        raise asyncio.CancelledError

    connection(EddylineMiddleware(leaves, BATCHER), ["http.disconnect"])
    connection(EddylineMiddleware(answers, BATCHER), [])
    with pytest.raises(OSError, match="gone"):
        connection(EddylineMiddleware(answers, BATCHER), [], broken_pipe)
    connection(EddylineMiddleware(says_nothing, BATCHER), [])
    with pytest.raises(RuntimeError):
        connection(EddylineMiddleware(fails_after_its_answer, BATCHER), [])
    with pytest.raises(asyncio.CancelledError):
        connection(EddylineMiddleware(is_cancelled, BATCHER), [])
    assert [status for _, _, status in ends(observed)] == [499, 200, 499, 500, 200, 499]


def test_what_is_no_request_is_passed_on(observed: Observed) -> None:
    seen = []

    async def app(scope: Any, _: Any, __: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(EddylineMiddleware(app, BATCHER)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
    assert observed == []


def flask_shop() -> Flask:
    app = Flask("shop")

    @app.get("/items/<item>")
    def item(item: str) -> Response:
        if item == "broken":
            raise RuntimeError("broken")
        return Response(item, status=404 if item == "none" else 200)

    @app.get("/stream/<int:n>")
    def stream(n: int) -> Response:
        def pieces() -> Iterator[bytes]:
            for piece in range(n):
                if piece == 3:
                    raise RuntimeError("in the middle")
                yield b"x"

        return Response(pieces(), status=206)

    return app


def test_flask_tells_templates_and_the_status_that_was_sent(observed: Observed) -> None:
    app = flask_shop()
    app.wsgi_app = EddylineWsgiMiddleware(app.wsgi_app, BATCHER, monitor="shop")  # type: ignore[method-assign]
    client = app.test_client()
    for path in ("/items/5", "/items/none", "/items/broken", "/stream/2", "/nowhere/secret"):
        client.get(path).get_data()
    with pytest.raises(RuntimeError, match="in the middle"):
        client.get("/stream/9").get_data()
    assert ends(observed) == [
        ("GET", "/items/<item>", 200),
        ("GET", "/items/<item>", 404),
        ("GET", "/items/<item>", 500),
        ("GET", "/stream/<int:n>", 206),
        ("GET", "unmatched", 404),
        ("GET", "/stream/<int:n>", 500),
    ]


def wsgi(app: Any, read: int | None = None) -> list[bytes]:
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO()}
    setup_testing_defaults(environ)
    body = app(environ, lambda *_: None)
    taken = []
    try:
        for piece in body:
            taken.append(piece)
            if len(taken) == read:
                break
    finally:
        if hasattr(body, "close"):
            body.close()
    return taken


def test_wsgi_is_observed_once_however_the_body_ends(observed: Observed) -> None:
    closed = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a", b"b"])

        def close(self) -> None:
            closed.append(1)

    def app(_: Any, start_response: Any) -> Any:
        start_response("201 Created", [])
        return Pieces()

    def listed(_: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"whole"]

    def fails(_: Any, __: Any) -> Any:
        raise RuntimeError("broken")

    assert wsgi(EddylineWsgiMiddleware(app, BATCHER)) == [b"a", b"b"]
    assert wsgi(EddylineWsgiMiddleware(app, BATCHER), read=1) == [b"a"]
    assert closed == [1, 1]
    assert wsgi(EddylineWsgiMiddleware(listed, BATCHER)) == [b"whole"]
    assert len(EddylineWsgiMiddleware(listed, BATCHER)({"REQUEST_METHOD": "GET"}, lambda *_: None)) == 1  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        wsgi(EddylineWsgiMiddleware(fails, BATCHER))
    assert [status for _, _, status in ends(observed)] == [201, 499, 200, 500]


def test_users_are_told_as_a_hash_under_a_key(observed: Observed, caplog: pytest.LogCaptureFixture) -> None:
    def app(_: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return []

    for key in ("a", "a", "b"):
        wsgi(EddylineWsgiMiddleware(app, BATCHER, user=lambda _: "ann@example.org", user_key=key))
    wsgi(EddylineWsgiMiddleware(app, BATCHER, user=lambda environ: environ["nobody"], user_key="a"))
    first, same, other, none = [one["user"] for one in observed]
    assert first == same == "101b69c955d376f1" != other
    assert none is None
    assert "said once" in caplog.text
    with pytest.raises(InvalidValueError, match="user and user_key go together"):
        EddylineWsgiMiddleware(app, BATCHER, user=lambda _: "ann")


def test_requests_arrive_in_a_monitor_made_for_them(server: Server, plain: Any) -> None:
    app = shop()
    with Batcher(server.url) as batcher:
        app.add_middleware(EddylineMiddleware, batcher=batcher, monitor="shop", user=lambda _: "ann", user_key="k")
        client = Client(app)
        for path in ("/items/5", "/items/6", "/items/broken"):
            client.get(path)
        assert batcher.flush()
        assert batcher.stats.dropped == {}
    eddyline = Eddyline(plain)
    [item] = eddyline.count("shop", "route", "/items/{item}")
    [broken] = eddyline.count("shop", "route*status", "/items/{item}*500")
    assert (item.open + item.last, broken.open + broken.last) == (3, 1)
    assert eddyline.info("shop").left_out == {}
