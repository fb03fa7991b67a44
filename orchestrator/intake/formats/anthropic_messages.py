"""Anthropic messages: a list of content blocks, of which `text` is shown and `tool_use` is a call.

Blocks of tools that the provider ran itself (`server_tool_use`, `mcp_tool_use` and their results) are named
and never calls; thinking is neither. When the reply was cut off and a tool_use stands last, its input may be
half of what was meant and nothing in it can tell: that one call is truncated.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_list, is_object
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.formats.pieces import Pieces, broke_off, ids_in, ran, word, written

CUT: Final = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
"""Stop reasons after which the last block may be half of what was meant."""

_KINDS: Final = frozenset({"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use"})


def matches(body: dict[str, Any]) -> bool:
    """Whether this is a message of content blocks."""
    content = body.get("content")
    if not is_list(content):
        return False
    if body.get("type") == "message" and "stop_reason" in body:
        return True
    if body.get("role") != "assistant" and body.get("type") != "message":
        return False
    kinds = {word(one.get("type")) for one in content if is_object(one)}
    return not kinds.isdisjoint(_KINDS)


def read(body: dict[str, Any]) -> Draft:
    """Read the blocks in order."""
    refuse_repeated(body, "content")
    content = body.get("content")
    if isinstance(content, str):
        draft = Draft(text=content, cut=word(body.get("stop_reason")) in CUT)
        broke_off(draft, body)
        return draft
    if not is_list(content):
        raise Unusable("unexpected_body", "The body is no message: its content is not a list of blocks.")
    draft, pieces = Draft(), Pieces()
    results = (one for one in content if is_object(one) and one.get("type") == "tool_result")
    done = ids_in(results, "tool_use_id")
    draft.cut = broke_off(draft, body) or word(body.get("stop_reason")) in CUT
    for place, block in enumerate(content):
        note(block, draft, pieces, cut=draft.cut and place == len(content) - 1, done=done)
        if draft.full:
            break
    draft.text = pieces.joined()
    return draft


def note(
    block: Any, draft: Draft, pieces: Pieces, *, cut: bool = False, done: frozenset[str] = frozenset()
) -> None:
    """Add what a block says; `cut`: the reply was cut off in it; `done`: ids of calls that have their results."""
    if not is_object(block):
        draft.complain("unexpected_body", "A content block is not an object.")
        return
    kind, name, id = word(block.get("type")), block.get("name"), block.get("id")  # noqa: A001 - the wire's word
    if kind == "text":
        pieces.add(block.get("text"))
        return
    pieces.part()
    if kind == "tool_use" and word(id) not in done:
        draft.calls.append(written(name, block.get("input"), id, block, cut=cut))
    elif kind.endswith("tool_use"):
        ran(draft, name)


BODY: Final = BodyFormat(name="anthropic.messages", matches=matches, read=read, continues=True)
