"""A small HTTP server in a thread: a function from requests to answers in, a URL out.

It listens on the loopback interface only, on a port that the system chose, and ends with its `with` block.
A client that is killed while it waits for its answer is no error here: that is what the demo is about.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

_LARGEST: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks."""

    method: str
    """"GET", "POST" or "DELETE"."""
    path: str
    """The path, without a query, its escapes read."""
    headers: Mapping[str, str]
    """Header values; names in lower case."""
    body: Any
    """The body read as JSON; None for none, and for one that is not JSON."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    """The query's values by name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What it is told."""

    status: int
    """The status code."""
    body: Any
    """What is sent as JSON."""


Answering = Callable[[Request], Answer]


class Loopback:
    """The server. Each request has a thread of its own, so an answer may take its time."""

    def __init__(self, answer: Answering) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(answer))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client went away."""


def _handler(answer: Answering) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._respond(None)

        def do_DELETE(self) -> None:
            self._respond(None)

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            if length > _LARGEST:
                self.send_error(413)
                return
            self._respond(_read(self.rfile.read(length)))

        def log_message(self, *_: object) -> None:
            """Say nothing: standard error belongs to the demo's own lines."""

        def _respond(self, body: Any) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            told = answer(Request(self.command, unquote(url.path), headers, body, query))
            data = json.dumps(told.body).encode()
            self.send_response(told.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _read(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
