"""What a worker and the processes of its isolated runs say to each other: JSON in frames, each led by its length.

The worker says once what is to be run (`order`). The process says `ready` when it could begin, `answered` when the
check has spoken, `hooked` when the hooks have seen the arguments, `acts` when the handler begins, `beat` for each sign
of life, `spent` for units used, and at last `finish`. Both ends are of the same version; nothing of it is stored.
"""

from __future__ import annotations

import asyncio
import os
import struct
from dataclasses import asdict
from typing import Any, Final

from pydantic_core import from_json, to_json

from orchestrator.store.incoming import Effect, EffectKind, Finish
from orchestrator.store.records import Claimed

MOST: Final = 256 * 1_048_576
"""Bytes of one frame; more is no message of ours."""
READY: Final[dict[str, Any]] = {"is": "ready"}
ACTS: Final[dict[str, Any]] = {"is": "acts"}
BEAT: Final[dict[str, Any]] = {"is": "beat"}

_HEAD: Final = struct.Struct(">I")


def packed(message: dict[str, Any]) -> bytes:
    """The message as a frame."""
    body = to_json(message)
    return _HEAD.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The next message; EOFError (IncompleteReadError) when the other end is gone, ValueError for what is none."""
    (length,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if length > MOST:
        raise ValueError(f"a frame of {length} bytes")
    return _object(await reader.readexactly(length))


def receive_blocking(fd: int) -> dict[str, Any] | None:
    """The next message of a pipe, or None when its other end is gone; waits for it with the whole thread."""
    head = _read(fd, _HEAD.size)
    body = _read(fd, _HEAD.unpack(head)[0]) if head is not None else None
    return None if body is None else _object(body)


def send_blocking(fd: int, message: dict[str, Any]) -> None:
    """Write a message to a pipe, waiting for room."""
    view = memoryview(packed(message))
    while view:
        view = view[os.write(fd, view) :]


def order(run: Claimed, left_ms: int | None) -> dict[str, Any]:
    """What is to be run, with the time that is left until its total deadline now."""
    return {"is": "order", "run": asdict(run) | {"left_ms": left_ms}}


def run_of(message: dict[str, Any]) -> Claimed:
    """The run of an order."""
    return Claimed(**message["run"])


def answered(*, effect: bool) -> dict[str, Any]:
    """What the check said of the attempt before."""
    return {"is": "answered", "effect": effect}


def spent(units: dict[str, int]) -> dict[str, Any]:
    """What the handler used so far, by the names of rate limits."""
    return {"is": "spent", "units": units}


def hooked(arguments: str) -> dict[str, Any]:
    """The arguments as their hooks left them, JSON."""
    return {"is": "hooked", "arguments": arguments}


def finish(end: Finish) -> dict[str, Any]:
    """How the attempt ended."""
    return {"is": "finish", "end": asdict(end)}


def finish_of(message: dict[str, Any]) -> Finish:
    """The end that a process tells."""
    told = dict(message["end"])
    effects = tuple(
        Effect(EffectKind(each["kind"]), each["key"], each["value"]) for each in told.pop("effects")
    )
    return Finish(**told, effects=effects)


def _object(body: bytes) -> dict[str, Any]:
    found = from_json(body)
    if not isinstance(found, dict):
        raise ValueError(f"a frame holds a {type(found).__name__}")  # noqa: TRY004 - it is a value from outside
    return found


def _read(fd: int, length: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < length:
        piece = os.read(fd, min(length - len(parts), 1 << 20))
        if not piece:
            return None
        parts += piece
    return bytes(parts)
