"""The body of a posted reply: a request in; the value of its JSON, or its text, out for the intake."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING, Any, Final

from orchestrator import intake
from orchestrator.api.problems import Problem
from orchestrator.api.strictness import check_parts

if TYPE_CHECKING:
    from fastapi import Request

DESCRIBED: Final[dict[str, Any]] = {
    "required": True,
    "description": "What the provider answered, whole: its JSON, or the text that the model wrote.",
    "content": {
        "application/json": {
            "schema": {
                "anyOf": [
                    {"type": "object"},
                    {"type": "array", "items": {}, "minItems": 1},
                    {"type": "string", "minLength": 1},
                ]
            },
            "examples": {
                "openai.chat": {
                    "value": {"choices": [{"message": {"role": "assistant", "content": "Hello."}}]}
                }
            },
        },
        "text/plain": {"schema": {"type": "string", "minLength": 1}},
    },
}
"""The same for the API's description."""

_SPACE: Final = b" \t\r\n"
_CHARSETS: Final = {"utf-8", "utf8", "us-ascii", "ascii"}


async def reply_body(request: Request) -> dict[str, Any] | list[Any] | bytes | str:
    """What the intake is to read: the value of JSON, so that one of no known shape is never taken for a text.

    Raises:
        Problem: unsupported_media_type, or unusable_reply for JSON that is none and for what is empty;
            too_large.
    """
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    kind = message.get_content_type() if message["content-type"] else ""
    charset = message.get_content_charset() or "utf-8"
    if kind not in {"application/json", "text/plain"} or charset not in _CHARSETS:
        raise Problem(
            "unsupported_media_type",
            "A reply is application/json or text/plain, in UTF-8: what the provider answered.",
        )
    body = await request.body()
    if not body.strip(_SPACE):
        raise Problem("unusable_reply", "The reply is empty.")
    if kind == "text/plain":
        return body
    check_parts(body)
    try:
        return intake.parse(body)
    except intake.Unusable as error:
        raise Problem("unusable_reply", f"the reply cannot be used: {error.code}: {error}") from None
