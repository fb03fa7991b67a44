"""What requests of many routes bring: headers in, checked values out, as dependencies with a name of their own."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from orchestrator.api.problems import Problem

_KEY: Final = "Idempotency-Key"
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, version 00; what later versions put behind it is left off."""


async def _idempotency_key(
    request: Request,
    given: Annotated[
        str | None,
        Header(
            alias=_KEY,
            min_length=1,
            max_length=255,
            pattern=r"^[!-~](?:[ -~]*[!-~])?$",
            description=(
                "A name for this request, 1 to 255 printable ASCII characters. The same name and body again make "
                "nothing new and get the first answer, with `Idempotency-Replayed: true`; another body is a 422."
            ),
        ),
    ] = None,
) -> str | None:
    if len(request.headers.getlist(_KEY)) > 1:  # whoever stands before us may have looked at the other one
        told = f"{_KEY}: it is there more than once"
        raise Problem(
            "validation", errors=[{"pointer": "", "parameter": _KEY, "detail": told, "code": "repeated"}]
        )
    return given


IdempotencyKey = Annotated[str | None, Depends(_idempotency_key)]
"""The caller's name for a request that makes something; None: it has none."""

REPLAYED: Final = {"Idempotency-Replayed": "true"}
"""The header of an answer that was given before."""


async def _trace(request: Request) -> str:
    """A good `traceparent`, or "": a bad one is ignored, as the standard asks."""
    given = request.headers.getlist("traceparent")
    if len(given) != 1:
        return ""
    text = given[0].strip()
    if _TRACEPARENT.match(text) is None or (len(text) > 55 and (text.startswith("00") or text[55] != "-")):  # noqa: PLR2004
        return ""
    return text[:55]


Trace = Annotated[str, Depends(_trace)]
"""The caller's `traceparent`, checked; "" if it sent none, or a bad one."""
