"""The formats of whole replies: bodies as providers send them, one module each; a new one is its file and its line.

In reading order: `body` (the face of a format), `pieces` (what they share), `openai_chat`, `anthropic_messages`, then
the others. The order of the table is the order in which formats are tried where none was named.
"""

from __future__ import annotations

from typing import Final

from orchestrator.intake.formats import (
    anthropic_messages,
    bedrock_converse,
    cohere_chat,
    eliza_objects,
    gemini_content,
    gemini_interactions,
    json_objects,
    openai_chat,
    openai_responses,
)
from orchestrator.intake.formats.body import BodyFormat

BODIES: Final[dict[str, BodyFormat]] = {
    one.name: one
    for one in (
        openai_chat.BODY,
        anthropic_messages.BODY,
        openai_responses.BODY,
        gemini_content.BODY,
        gemini_interactions.BODY,
        bedrock_converse.BODY,
        cohere_chat.BODY,
        eliza_objects.BODY,
        json_objects.BODY,
    )
}
"""Formats whose replies are JSON bodies."""
