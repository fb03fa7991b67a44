"""Replies that come in events, one module for each wire; a new one is its file and its line here.

In reading order: `face` (what a stream is), `assembly` (a reply that is being put together) with `open_call` (a call
whose arguments are still coming) and `outlet` (what is certain of it), then the wires. The order of the table is the
order in which they are tried where none was named.
"""

from __future__ import annotations

from typing import Final

from orchestrator.intake.streams import (
    anthropic_messages,
    bedrock_converse,
    cohere_chat,
    gemini_content,
    gemini_interactions,
    ollama_chat,
    openai_chat,
    openai_responses,
)
from orchestrator.intake.streams.face import StreamFormat

STREAMS: Final[dict[str, StreamFormat]] = {
    one.name: one
    for one in (
        openai_chat.STREAM,
        openai_responses.STREAM,
        anthropic_messages.STREAM,
        gemini_content.STREAM,
        gemini_interactions.STREAM,
        bedrock_converse.STREAM,
        cohere_chat.STREAM,
        ollama_chat.STREAM,
    )
}
"""Every stream, by its name."""
