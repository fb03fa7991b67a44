"""A client that asks a loop for next to nothing: what it measures on the service's own loop is the service's time.

In: a request. Out: its answer, and the seconds from when it went out until all of the answer was there.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx


async def timed(
    port: int, method: str, path: str, key: str, content: Any = None, **headers: str
) -> tuple[httpx.Response, float]:
    """One request on a connection of its own; `content` is sent as JSON, an underscore in a header's name as a dash."""
    body = b"" if content is None else json.dumps(content).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Connection: close",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Type: application/json\r\nContent-Length: {len(body)}"] if body else []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        began = time.monotonic()
        writer.write("\r\n".join([*lines, "\r\n"]).encode() + body)
        came = await reader.read(-1)
        seconds = time.monotonic() - began
    finally:
        writer.transport.abort()  # at once, also where nobody waits any more
        await asyncio.sleep(0)  # its socket is closed in the loop's next round
    head, _, told = came.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in rest)]
    return httpx.Response(int(first.split()[1]), headers=fields, content=told), seconds
