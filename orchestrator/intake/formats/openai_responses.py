"""OpenAI Responses: a list of output items, of which messages are shown and `function_call` is a call.

A custom tool's input is a free text: its arguments are `{"input": text}`. Every other `..._call` item, and what asks
for leave to run one, is a tool of the provider's own: it is named by its type and never a call of ours. That goes for
hosted tools too that want an answer of the client (`shell_call`, `computer_call` ...): no action has their arguments.
Reasoning is not shown.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_list, is_object
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.formats.pieces import Pieces, broke_off, freely, ids_in, listed, ran, word, written

_ITEMS: Final = frozenset({"message", "reasoning", "function_call", "custom_tool_call", "mcp_list_tools"})
_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_SHOWN: Final = {"output_text": "text", "text": "text", "refusal": "refusal", "output_audio": "transcript"}
"""The parts of a message that people see, and where their text stands."""
ENDED: Final = {"failed": "it failed", "cancelled": "it was cancelled"}
"""Statuses of a response that the provider did not finish."""
OPEN: Final = frozenset({"incomplete", "in_progress"})
"""Statuses of a response, or an item, that was cut off."""


def matches(body: dict[str, Any]) -> bool:
    """Whether this is a response, or one of its items by itself."""
    output = body.get("output")
    if is_list(output):
        return body.get("object") == "response" or any(is_object(one) and _is_item(one) for one in output)
    kind, parts = word(body.get("type")), listed(body.get("content"))
    if kind == "message":
        return any(is_object(part) and part.get("type") == "output_text" for part in parts)
    return kind in _CALLS and "call_id" in body


def read(body: dict[str, Any]) -> Draft:
    """Read the items in order."""
    refuse_repeated(body, "output", "type")
    items = body.get("output") if "output" in body or not matches(body) else [body]
    if not is_list(items):
        raise Unusable("unexpected_body", "The body is no response: its output is not a list of items.")
    draft, pieces, status = Draft(), Pieces(), word(body.get("status"))
    done = done_in(items, listed(body.get("tools")))
    failed = broke_off(draft, body)
    draft.cut = failed or status in OPEN or status in ENDED
    for place, item in enumerate(items):
        note(item, draft, pieces, cut=draft.cut and place == len(items) - 1, done=done)
        if draft.full:
            break
    draft.text = pieces.joined()
    if status in ENDED and not failed:
        draft.complain("provider_error", f"The provider did not finish the response: {ENDED[status]}.")
    return draft


def note(
    item: Any, draft: Draft, pieces: Pieces, *, cut: bool = False, done: frozenset[str] = frozenset()
) -> None:
    """Add what an item says; `cut`: the reply was cut off in it; `done`: ids of calls that the provider ran."""
    if not is_object(item):
        draft.complain("unexpected_body", "An output item is not an object.")
        return
    kind, status = word(item.get("type")), word(item.get("status"))
    id = word(item.get("call_id")) or item.get("id")  # noqa: A001 - the wire's word
    if kind == "message":
        _show(item.get("content"), pieces)
        return
    pieces.part()
    cut = status in OPEN or (cut and status != "completed")
    if kind in _CALLS and word(id) in done:
        ran(draft, kind)
    elif kind == "function_call":
        draft.calls.append(written(item.get("name"), item.get("arguments"), id, item, cut=cut))
    elif kind == "custom_tool_call":
        draft.calls.append(freely(item.get("name"), item.get("input"), id, item, cut=cut))
    elif _is_hosted(kind):
        ran(draft, kind)


def _show(content: Any, pieces: Pieces) -> None:
    for part in content if is_list(content) else [{"type": "text", "text": content}]:
        if is_object(part) and (key := _SHOWN.get(word(part.get("type")))):
            pieces.add(part.get(key))
    pieces.part()


def _is_hosted(kind: str) -> bool:
    return kind.endswith("_call") or kind == "mcp_approval_request" or kind.startswith("openrouter:")


def _is_item(item: dict[str, Any]) -> bool:
    kind = word(item.get("type"))
    return kind in _ITEMS or kind.endswith("_call")


def done_in(items: list[Any], tools: list[Any]) -> frozenset[str]:
    """The ids of the calls that the provider ran: those whose results stand among the items, and foreign ones.

    A custom call is foreign if its tool is none of those that the request named; xAI lists the steps of its own
    search in this way.
    """
    known = [item for item in items if is_object(item)]
    results = ids_in((item for item in known if word(item.get("type")).endswith("_output")), "call_id")
    if not tools:
        return results
    names = _custom_names(tools)
    custom = (item for item in known if item.get("type") == "custom_tool_call")
    foreign = ids_in((item for item in custom if word(item.get("name")) not in names), "call_id", "id")
    return results | foreign


def _custom_names(tools: list[Any]) -> set[str]:
    inner = [tool for one in tools if is_object(one) for tool in listed(one.get("tools"))]
    told = (one for one in (*tools, *inner) if is_object(one) and one.get("type") == "custom")
    return {word(one.get("name")) for one in told}


BODY: Final = BodyFormat(name="openai.responses", matches=matches, read=read, continues=True)
