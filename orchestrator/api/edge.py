"""The outermost layer: every request gets an id, one line in the log and a place in the figures.

In: requests as the server gives them. Out: the same ones with `state.request_id`; answers with that id and the headers
that an API needs. No line holds a query, a header or a body; paths stand in it as they came, percent-encoded, but for
keys of the API that somebody put there.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from orchestrator.api.metrics import UNROUTED
from orchestrator.keyring import masked

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from orchestrator.api.service import Service

log: Final = logging.getLogger("umbel.api.access")

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PATH: Final = 200
"""Characters of a path that are logged."""
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""What every answer has, unless its route says otherwise: it is nobody's page, and nobody's cache keeps it."""


class Edge:
    """Names, measures and logs requests."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        """Stand in front of the app."""
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.body" and scope["method"] == "HEAD":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        self._service.enter()
        try:
            await self._app(scope, receive, sending)
        finally:
            self._service.leave()
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path_format", UNROUTED)
        method = scope["method"]
        self._service.metrics.answered(route, method, status, seconds)
        caller = scope["state"].get("caller")
        log.info(
            "%s %s %s %.1f ms request=%s key=%s",
            _plain(method),
            _path(scope),
            status or "gone",
            seconds * 1_000,
            scope["state"]["request_id"],
            caller.key_id if caller is not None else "",
        )


def _request_id(scope: Scope) -> str:
    """The caller's own id for this request if it is one word, and no key; else a new one."""
    given = Headers(scope=scope).getlist("x-request-id")
    if len(given) == 1 and _ID.fullmatch(given[0]) and masked(given[0]) == given[0]:
        return given[0]
    return secrets.token_hex(8)


def _path(scope: Scope) -> str:
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    return _plain(masked(raw.partition(b"?")[0].decode("latin-1")))


def _plain(text: str) -> str:
    """A stranger's text in one line, whatever is in it."""
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in text[:_PATH])
