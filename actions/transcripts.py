"""What was said in a conversation: its messages, as OpenAI's chat shape has them, in; texts out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOTES: Final = "umbel"
"""Who speaks in the notes that the house adds on the user's side; no user has said them."""


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, whose content may be a list of parts; empty if it has none."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(
        part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def last_said(messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of the newest message of a user, notes left out; empty if there is none."""
    said = (each for each in reversed(messages) if each.get("role") == "user" and each.get("name") != NOTES)
    return next(map(text_of, said), "")
