"""Streams in the shapes that providers send, written for these tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def chunk(finish: Any = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "model": "some-model", "choices": [choice]}


def entry(
    index: Any = 0,
    id: Any = None,  # noqa: A002 - the wire's word
    name: Any = None,
    arguments: Any = None,
) -> dict[str, Any]:
    told = {"index": index, "id": id}
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {key: value for key, value in told.items() if value is not None} | {"function": function}


def calls(*entries: Any, finish: Any = None) -> dict[str, Any]:
    return chunk(finish, tool_calls=list(entries))


def sse(events: Sequence[Any], end: str = "\n\n", *, named: bool = False) -> str:
    """The text of a stream; `named` adds a line that names each event."""
    lines = []
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event)
        kind = f"event: {event['type']}{end[: len(end) // 2]}" if named and isinstance(event, dict) else ""
        lines.append(f"{kind}data: {data}{end}")
    return "".join(lines)


def block(index: int, start: dict[str, Any], *deltas: Any, stop: bool = True) -> list[dict[str, Any]]:
    """A content block of Anthropic's; a text or a fragment of input for each delta."""
    events: list[dict[str, Any]] = [{"type": "content_block_start", "index": index, "content_block": start}]
    for told in deltas:
        kind = ("text_delta", "text") if start["type"] == "text" else ("input_json_delta", "partial_json")
        delta = {"type": kind[0], kind[1]: told}
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
    return [*events, {"type": "content_block_stop", "index": index}] if stop else events


def use(name: str = "paint", id: str = "toolu_1", kind: str = "tool_use") -> dict[str, Any]:  # noqa: A002
    return {"type": kind, "id": id, "name": name, "input": {}}


def message(*blocks: list[dict[str, Any]], stop: str | None = "tool_use") -> list[dict[str, Any]]:
    """Anthropic's events; without a stop reason the stream breaks off."""
    start = {"type": "message_start", "message": {"type": "message", "role": "assistant", "content": []}}
    events = [start, {"type": "ping"}, *(event for each in blocks for event in each)]
    if stop is None:
        return events
    return [*events, {"type": "message_delta", "delta": {"stop_reason": stop}}, {"type": "message_stop"}]
