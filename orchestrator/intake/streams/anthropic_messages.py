"""Anthropic messages as events: content blocks that start, grow and stop.

A `tool_use` block is complete when it stops. One that stops without any input is so only if the reply was not cut off
there, which the stop reason says a moment later. Thinking and what the provider's own tools are given is not shown.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake.formats.anthropic_messages import CUT
from orchestrator.intake.formats.pieces import listed, word
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat

_EVENTS: Final = frozenset(
    {"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"}
)


def matches(event: dict[str, Any]) -> bool:
    """Whether this is an event of a message."""
    return word(event.get("type")) in _EVENTS


def take(to: Assembly, event: dict[str, Any]) -> None:
    """Add what an event says."""
    kind, delta = word(event.get("type")), event.get("delta")
    index = event.get("index") if type(event.get("index")) is int else to.notes.get("index")
    if kind == "message_start" and is_object(message := event.get("message")):
        for place, block in enumerate(listed(message.get("content"))):
            _start(to, ("given", place), block)
            to.finish(("given", place))
    elif kind == "content_block_start":
        to.notes["index"] = index
        _start(to, index, event.get("content_block"))
    elif kind == "content_block_delta" and is_object(delta):
        _grow(to, index, delta)
    elif kind == "content_block_stop":
        to.finish(index)
    elif kind == "message_stop" or (
        kind == "message_delta" and is_object(delta) and delta.get("stop_reason")
    ):
        to.finish_all(cut=is_object(delta) and word(delta.get("stop_reason")) in CUT)


def _start(to: Assembly, index: Any, block: Any) -> None:
    if not is_object(block):
        return
    kind = word(block.get("type"))
    if kind == "text":
        to.text(block.get("text"))
        return
    to.apart()
    if kind == "tool_use":
        one = to.begin(index, block.get("name"), block.get("id"), block)
        if block.get("input"):  # an empty one only holds the place of what comes
            one.put(block["input"])
    elif kind.endswith("tool_use"):
        to.ignore(index)
        to.provider_call(block.get("name"))
    elif kind == "tool_result":
        to.out.answered(block.get("tool_use_id"))


def _grow(to: Assembly, index: Any, delta: dict[str, Any]) -> None:
    kind = word(delta.get("type"))
    if kind == "text_delta":
        to.text(delta.get("text"))
    elif kind == "input_json_delta":
        to.fragment(index, delta.get("partial_json"))


STREAM: Final = StreamFormat(name="anthropic.messages.stream", matches=matches, take=take)
