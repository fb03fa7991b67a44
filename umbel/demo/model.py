"""The model: a server at `/v1/chat/completions` that answers with what the scripts say.

A conversation is known by its first user message, the next reply by the number of assistant messages so far;
so asking again (a worker died before it could use the answer) gets the same reply.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Self, cast

from umbel.demo.loopback import Answer, Loopback, Request
from umbel.demo.script import Script


class ScriptedModel:
    """The server; a context manager."""

    def __init__(self, scripts: Mapping[str, Script], *, thinks_s: float = 0.4) -> None:
        """Answer from these scripts, each reply after `thinks_s` seconds."""
        self._scripts = {script.turns[0].user: script for script in scripts.values()}
        self._thinks = thinks_s
        self._server = Loopback(self._answer)

    @property
    def url(self) -> str:
        """Its base URL, as settings want it."""
        return f"{self._server.url}/v1"

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    def _answer(self, request: Request) -> Answer:
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            return _refusal(404, f"there is nothing at {request.method} {request.path}")
        messages = _messages(request.body)
        script = self._scripts.get(_first(messages, "user"))
        if script is None:
            return _refusal(400, "no script begins with this message")
        number = sum(message.get("role") == "assistant" for message in messages)
        if number >= len(script.replies):
            return _refusal(400, f"the script has no reply number {number + 1}")
        time.sleep(self._thinks)
        return Answer(200, script.replies[number].body)


def _messages(body: Any) -> list[dict[str, Any]]:
    listed = body.get("messages") if isinstance(body, dict) else None
    return cast("list[dict[str, Any]]", listed) if isinstance(listed, list) else []


def _first(messages: list[dict[str, Any]], role: str) -> str:
    return next((str(message.get("content")) for message in messages if message.get("role") == role), "")


def _refusal(status: int, text: str) -> Answer:
    """An error in OpenAI's shape."""
    return Answer(status, {"error": {"message": text, "type": "invalid_request_error", "code": None}})
