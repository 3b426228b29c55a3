from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
from servers import Server

from eddyline import Eddyline


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def server(_server: Server) -> Server:
    """A server that others have used before, emptied."""
    with _server.connect() as client:
        client.flushall()
    return _server


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server to kill."""
    server = Server()
    yield server
    server.stop()


WAYS = [(2, False), (2, True), (3, False), (3, True)]


@pytest.fixture(params=WAYS, ids=[f"resp{p}{'-decoded' if d else ''}" for p, d in WAYS])
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How the application's client speaks."""
    protocol, decoded = request.param
    return {"protocol": protocol, "decode_responses": decoded}


@pytest.fixture
def client(server: Server, way: dict[str, Any]) -> Iterator[Any]:
    with server.connect(**way) as client:
        yield client


@pytest.fixture
def eddyline(client: Any) -> Eddyline:
    return Eddyline(client)


@pytest.fixture
def plain(server: Server) -> Iterator[Any]:
    """A client to look with."""
    with server.connect(protocol=2) as client:
        yield client


@pytest.fixture
def asynchronous(server: Server, way: dict[str, Any]) -> Callable[[], Any]:
    return lambda: redis.asyncio.Redis(port=server.port, **way)
