"""Cohere chat, version 2, as events: contents and tool calls that start, grow and end.

What the model plans to do (`tool-plan-delta`) and what it thinks is not shown.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_list, is_object
from orchestrator.intake.formats.cohere_chat import CUT, FAILED
from orchestrator.intake.formats.pieces import MAX_SHOWN, word
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat

_EVENTS: Final = ("message-", "content-", "tool-plan-", "tool-call-", "citation-")


def matches(event: dict[str, Any]) -> bool:
    """Whether this is an event of a chat."""
    kind = word(event.get("type"))
    return kind.startswith(_EVENTS) and kind.endswith(("-start", "-delta", "-end"))


def take(to: Assembly, event: dict[str, Any]) -> None:
    """Add what an event says."""
    kind, index, delta = word(event.get("type")), event.get("index"), event.get("delta")
    index = index if type(index) is int else None
    message = delta.get("message") if is_object(delta) else None
    message = message if is_object(message) else {}
    if kind in ("content-start", "content-delta"):
        _show(to, message.get("content"))
    elif kind in ("tool-call-start", "tool-call-delta"):
        _grow(to, index, message.get("tool_calls"), begins=kind == "tool-call-start")
    elif kind == "tool-call-end":
        to.finish(index)
    elif kind == "message-end":
        _end(to, delta if is_object(delta) else {})


def _show(to: Assembly, content: Any) -> None:
    if is_object(content) and "text" in content and word(content.get("type", "text")) == "text":
        to.text(content.get("text"))
    else:
        to.apart()


def _grow(to: Assembly, index: Any, told: Any, *, begins: bool) -> None:
    entry = told[0] if is_list(told) and told else told
    if not is_object(entry):
        return
    function = entry.get("function")
    function = function if is_object(function) else {}
    if begins:
        to.begin(index, function.get("name"), entry.get("id"), entry, function)
    to.fragment(index, function.get("arguments"))


def _end(to: Assembly, delta: dict[str, Any]) -> None:
    reason, error = word(delta.get("finish_reason")), delta.get("error")
    if error or reason in FAILED:
        to.fail(
            f"The provider stopped the reply: {(word(error) or FAILED.get(reason, 'an error'))[:MAX_SHOWN]}."
        )
    to.finish_all(cut=reason in CUT)


STREAM: Final = StreamFormat(name="cohere.chat.stream", matches=matches, take=take)
