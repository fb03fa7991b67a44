"""Anthropic messages: a list of content blocks, of which `text` is shown and `tool_use` is a call.

Blocks of tools that the provider ran itself (`server_tool_use`, `mcp_tool_use` and their results) are named
and never calls; thinking is neither. When the reply was cut at max_tokens and a tool_use stands last, its
input may be half of what was meant and nothing in it can tell: that one call is truncated.
"""

from __future__ import annotations

from typing import Any, Final

from actions.messages import Call
from orchestrator.intake.calls import broken, call
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.strict import Repeated, clean, is_list, is_object


def matches(body: dict[str, Any]) -> bool:
    """Whether this is a message of content blocks."""
    content = body.get("content")
    if not is_list(content):
        return False
    if body.get("type") == "message":
        return True
    return body.get("role") == "assistant" and ("stop_reason" in body or _has_tool_use(content))


def read(body: dict[str, Any]) -> Draft:
    """Read the blocks in order."""
    refuse_repeated(body, "content")
    content = body.get("content")
    if isinstance(content, str):
        return Draft(text=content)
    if not is_list(content):
        raise Unusable("unexpected_body", "The body is no message: its content is not a list of blocks.")
    draft, pieces = Draft(), _Pieces()
    for place, block in enumerate(content):
        last = place == len(content) - 1
        _note(block, draft, pieces, cut=last and body.get("stop_reason") == "max_tokens")
        if draft.full:
            break
    draft.text = pieces.joined()
    return draft


class _Pieces:
    """Texts of neighbouring blocks are one text (citations split it); a block in between parts them."""

    __slots__ = ("apart", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.apart = False

    def add(self, text: str) -> None:
        self.texts.append(f"\n\n{text}" if self.apart and self.texts else text)
        self.apart = False

    def joined(self) -> str:
        return "".join(self.texts)


def _note(block: Any, draft: Draft, pieces: _Pieces, *, cut: bool) -> None:
    if not is_object(block):
        draft.complain("unexpected_body", "A content block is not an object.")
        return
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        pieces.add(block["text"])
        return
    pieces.apart = True
    if kind == "tool_use":
        draft.calls.append(_call(block, cut=cut))
    elif isinstance(kind, str) and kind.endswith("_tool_use") and isinstance(block.get("name"), str):
        draft.provider_calls.append(clean(block["name"][:256]))


def _call(block: dict[str, Any], *, cut: bool) -> Call:
    name, id = block.get("name"), block.get("id")  # noqa: A001 - the wire's word
    if isinstance(block, Repeated):
        return broken(name if isinstance(name, str) else "", "keys stand twice in its block", id=id)
    one = call(name, block.get("input"), id)
    if cut and not one.malformed:
        return broken(
            one.name, "the reply was cut off while it was written", truncated=True, id=id, raw=one.raw
        )
    return one


def _has_tool_use(content: list[Any]) -> bool:
    return any(is_object(one) and one.get("type") == "tool_use" for one in content)


BODY: Final = BodyFormat(name="anthropic.messages", matches=matches, read=read, continues=True)
