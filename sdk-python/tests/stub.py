"""A gateway of a test's own: it answers what it is told to, and remembers what it was asked."""

from __future__ import annotations

import gzip
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Asked:
    """A request."""

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        self.method, self.target, self.headers = method, target, headers
        self.json = json.loads(gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body or b"null")


class Stub:
    """The gateway: answers in turn, the last one for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: deque[tuple[int, Any, dict[str, str]]] = deque()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                stub.asked.append(Asked(self.command, self.path, headers, body))
                status, answer, more = stub.answers.popleft() if len(stub.answers) > 1 else stub.answers[0]
                if status == 0:
                    # the connection breaks
                    self.close_connection = True
                    return
                is_text = isinstance(answer, str)
                content = answer.encode() if is_text else json.dumps(answer).encode()
                self.send_response_only(status)
                for name, value in more.items():
                    self.send_header(name, value)
                if is_text:
                    self.send_header("content-type", "text/event-stream")
                    self.send_header("connection", "close")
                else:
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = _serve

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, status: int, answer: Any = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, {} if answer is None else answer, named))

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
