"""Ollama's own chat and generate as JSON lines: each holds the next words, or whole calls."""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake.draft import MAX_LISTED, Draft
from orchestrator.intake.formats.openai_chat import CUT, take_entry
from orchestrator.intake.formats.pieces import listed, word
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat
from orchestrator.intake.streams.openai_chat import take_delta


def matches(event: dict[str, Any]) -> bool:
    """Whether this is a line of Ollama's."""
    return isinstance(event.get("done"), bool) and (
        is_object(event.get("message")) or isinstance(event.get("response"), str)
    )


def take(to: Assembly, event: dict[str, Any]) -> None:
    """Add what a line says; each of its calls is whole."""
    to.text(event.get("response"))
    if is_object(message := event.get("message")):
        take_delta(to, {**message, "tool_calls": None})
        found = Draft()
        for entry in listed(message.get("tool_calls"))[: MAX_LISTED + 1]:
            take_entry(entry, found)
        to.absorb(found)
    if event.get("done") is True:
        to.finish_all(cut=word(event.get("done_reason")) in CUT)


STREAM: Final = StreamFormat(name="ollama.chat.stream", matches=matches, take=take)
