"""Cohere chat, version 2: one message, whose `tool_calls` are like those of OpenAI chat.

Texts of the content are shown; the plan for its tools (`tool_plan`) and what it thinks are not.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake.draft import MAX_LISTED, Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.formats.openai_chat import take_entry
from orchestrator.intake.formats.pieces import Pieces, broke_off, listed, word

FAILED: Final = {"ERROR": "an error", "ERROR_TOXIC": "a content filter", "TIMEOUT": "its time was over"}
"""Finish reasons that say that something went wrong."""
CUT: Final = frozenset({"MAX_TOKENS", *FAILED})
"""Finish reasons of a reply that was cut off."""


def matches(body: dict[str, Any]) -> bool:
    """Whether this is one message with its finish reason."""
    message = body.get("message")
    if not is_object(message):
        return False
    return message.get("role") == "assistant" and ("finish_reason" in body or "tool_plan" in message)


def read(body: dict[str, Any]) -> Draft:
    """Read the message."""
    refuse_repeated(body, "message")
    message = body.get("message")
    if not is_object(message):
        raise Unusable("unexpected_body", "The body is no answer of Cohere: it holds no message.")
    refuse_repeated(message, "tool_calls", "content")
    draft, finish = Draft(text=_text(message.get("content"))), word(body.get("finish_reason"))
    failed = broke_off(draft, body)
    draft.cut = failed or finish in CUT
    entries = listed(message.get("tool_calls"))
    for place, entry in enumerate(entries[: MAX_LISTED + 1]):
        take_entry(entry, draft, cut=draft.cut and place == len(entries) - 1)
    if message.get("tool_calls") and not entries:
        draft.complain("unexpected_body", "The tool_calls of the reply are not a list.")
    if finish in FAILED and not failed:
        draft.complain("provider_error", f"The provider stopped the reply: {FAILED[finish]}.")
    return draft


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    pieces = Pieces()
    for part in listed(content):
        if is_object(part) and part.get("type") == "text":
            pieces.add(part.get("text"))
        else:
            pieces.part()
    return pieces.joined()


BODY: Final = BodyFormat(name="cohere.chat", matches=matches, read=read, continues=True)
