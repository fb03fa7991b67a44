"""JSON as the standard has it: a body in, its value out, or a 400 that says where it ends to be JSON.

RFC 8259 in UTF-8, without NaN and numbers that have no finite value, nested 200 deep at most. So whatever comes
through can be stored and written again.
"""

from __future__ import annotations

import math
import re
from email.message import Message
from typing import Any, Final

from fastapi import Request
from pydantic_core import from_json

from orchestrator.api.problems import Problem

_MAY_BE_INFINITE: Final = re.compile(rb"[0-9][eE]\+?0*[1-9][0-9]{2}|(?<![0-9])[0-9]{309}")
"""No number without one of these is beyond what a double holds."""


_MOST_PARTS: Final = 200_000
"""Brackets, braces and commas of a body: a million empty lists or unknown names in 4 MB would hold up everybody for
seconds."""
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, or what is left if it does not end: so a search goes over a body once, whatever it is."""


class StrictRequest(Request):
    """A request whose JSON is strict."""

    async def json(self) -> Any:
        """The body's value."""
        return strict_json(await self.body())


def strict_json(body: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        Problem: it is none (malformed_json), or has too many parts (too_large).
    """
    check_parts(body)
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:  # its text names a place, never what stands there
        raise Problem("malformed_json", f"The body is no JSON: {error}.") from None
    if _MAY_BE_INFINITE.search(body) and _has_infinity(value):
        raise Problem("malformed_json", "The body holds a number that is too large.")
    return value


def check_parts(body: bytes) -> None:
    """Refuse a JSON text of too many lists, objects, entries and members, before it is read (too_large)."""
    # What stands in strings is no part; they are looked for only where it matters.
    if _parts(body) > _MOST_PARTS and _parts(_STRING.sub(b"", body)) > _MOST_PARTS:
        raise Problem("too_large", f"The JSON has more than {_MOST_PARTS:,} parts: lists, objects, commas.")


def media_type(request: Request) -> str:
    """The media type of the body, in small letters; "" if none is named."""
    return _media_type(request.headers.get("content-type", ""))


def check_json(request: Request) -> None:
    """Refuse a body that does not say that it is JSON: a form of a strange page could send any other."""
    if not has_body(request):
        return
    named = media_type(request)
    if named != "application/json":
        raise Problem(
            "unsupported_media_type", f"The body has to be application/json, not {named or 'unnamed'!s:.80}."
        )


def has_body(request: Request) -> bool:
    """Whether the request has a body that is not empty, by its headers."""
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _parts(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{") + body.count(b",")


def _media_type(header: str) -> str:
    message = Message()
    message["content-type"] = header
    return message.get_content_type() if header.strip() else ""


def _has_infinity(value: Any) -> bool:
    if isinstance(value, float):
        return math.isinf(value)
    if isinstance(value, dict):
        return any(map(_has_infinity, value.values()))
    if isinstance(value, list):
        return any(map(_has_infinity, value))
    return False
