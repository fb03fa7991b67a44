"""Bedrock Converse: a message of blocks, of which texts are shown and `toolUse` is a call.

A `toolUse` of another type than `tool_use`, or whose result stands beside it, ran at the provider: it is named only.
Reasoning is not shown, cited texts are. When the reply was cut off in a `toolUse`, its input may be half of what was
meant: that one call is truncated.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_list, is_object
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.formats.pieces import Pieces, broke_off, ids_in, listed, ran, word, written

BAD_CALL: Final = frozenset({"malformed_tool_use", "malformed_model_output"})
"""Stop reasons of a reply in which a call went wrong."""
CUT: Final = frozenset(
    {
        "max_tokens",
        "model_context_window_exceeded",
        "guardrail_intervened",
        "content_filtered",
        *BAD_CALL,
    }
)
"""Stop reasons after which the last block may be half of what was meant."""


def matches(body: dict[str, Any]) -> bool:
    """Whether this is an answer of Converse, or its message by itself."""
    output = body.get("output")
    if is_object(output):
        return is_object(output.get("message")) and ("stopReason" in body or _is_message(output["message"]))
    return _is_message(body)


def read(body: dict[str, Any]) -> Draft:
    """Read the blocks in order."""
    refuse_repeated(body, "output")
    message = _message(body)
    refuse_repeated(message, "content")
    if not is_list(blocks := message.get("content")):
        raise Unusable("unexpected_body", "The body is no message: its content is not a list of blocks.")
    if any(is_object(block) and "type" in block for block in blocks):
        raise Unusable(
            "unexpected_body", "The body is no answer of Converse: its blocks are another provider's."
        )
    draft, pieces, stop = Draft(), Pieces(), word(body.get("stopReason"))
    done = ids_in((one.get("toolResult") for one in blocks if is_object(one)), "toolUseId")
    draft.cut = broke_off(draft, body) or stop in CUT
    for place, block in enumerate(blocks):
        note(block, draft, pieces, cut=draft.cut and place == len(blocks) - 1, done=done)
        if draft.full:
            break
    draft.text = pieces.joined()
    if stop in BAD_CALL:
        draft.complain("malformed_call", f"The provider found a bad call in the reply ({stop}).")
    return draft


def note(
    block: Any, draft: Draft, pieces: Pieces, *, cut: bool = False, done: frozenset[str] = frozenset()
) -> None:
    """Add what a block says; `cut`: the reply was cut off in it; `done`: ids of calls that have their results."""
    if not is_object(block):
        draft.complain("unexpected_body", "A content block is not an object.")
        return
    if isinstance(block.get("text"), str):
        pieces.add(block["text"])
        return
    if is_object(cited := block.get("citationsContent")):
        for part in listed(cited.get("content")):
            pieces.add(part.get("text") if is_object(part) else None)
        return
    pieces.part()
    if not is_object(use := block.get("toolUse")):
        return
    name, id, kind = use.get("name"), use.get("toolUseId"), word(use.get("type"))  # noqa: A001 - the wire's word
    if kind not in ("", "tool_use") or word(id) in done:
        ran(draft, name)
    else:
        draft.calls.append(written(name, use.get("input"), id, use, block, cut=cut))


def _message(body: dict[str, Any]) -> dict[str, Any]:
    output = body.get("output", {"message": body})
    if is_object(output):
        refuse_repeated(output, "message")
        if is_object(message := output.get("message")):
            return message
    raise Unusable("unexpected_body", "The body is no answer of Converse: its output holds no message.")


def _is_message(value: dict[str, Any]) -> bool:
    blocks = listed(value.get("content"))
    known = (is_object(one) and "type" not in one and ("toolUse" in one or "text" in one) for one in blocks)
    return value.get("role") == "assistant" and bool(blocks) and any(known)


BODY: Final = BodyFormat(name="bedrock.converse", matches=matches, read=read, continues=True)
