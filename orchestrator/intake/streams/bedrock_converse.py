"""Bedrock Converse as decoded events: content blocks that start, grow and stop.

A `toolUse` of another type than `tool_use`, or whose result stands beside it, ran at the provider: it is named only.
Reasoning is not shown. What can go wrong comes as an event that is named for its exception.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake.formats.bedrock_converse import BAD_CALL, CUT
from orchestrator.intake.formats.pieces import MAX_SHOWN, word
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat

_EVENTS: Final = frozenset(
    {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop"}
)


def matches(event: dict[str, Any]) -> bool:
    """Whether this is an event of Converse."""
    inner = event.get("event")  # some frameworks wrap them once more
    return any(is_object(event.get(key)) for key in _EVENTS) or (is_object(inner) and matches(inner))


def take(to: Assembly, event: dict[str, Any]) -> None:
    """Add what an event says."""
    if is_object(inner := event.get("event")):
        event = inner
    for name, told in event.items():
        if not is_object(told):
            continue
        if name == "contentBlockStart":
            _start(to, _index(to, told), told.get("start"))
        elif name == "contentBlockDelta":
            _grow(to, _index(to, told), told.get("delta"))
        elif name == "contentBlockStop":
            to.finish(_index(to, told))
        elif name == "messageStop":
            _stop(to, word(told.get("stopReason")))
        elif name.endswith("Exception"):
            words = word(told.get("message"))[:MAX_SHOWN]
            to.fail(f"The provider answered with an error: {name[:MAX_SHOWN]}: {words or 'no reason given'}")


def _index(to: Assembly, told: dict[str, Any]) -> Any:
    index = told.get("contentBlockIndex")
    if type(index) is int:
        to.notes["index"] = index
    return to.notes.get("index")


def _start(to: Assembly, index: Any, start: Any) -> None:
    to.apart()
    if not is_object(start):
        return
    if is_object(use := start.get("toolUse")):
        name, kind = use.get("name"), word(use.get("type"))
        if kind in ("", "tool_use"):
            to.begin(index, name, use.get("toolUseId"), use)
        else:
            to.ignore(index)
            to.provider_call(name)
    elif is_object(result := start.get("toolResult")):
        to.out.answered(result.get("toolUseId"))


def _grow(to: Assembly, index: Any, delta: Any) -> None:
    if not is_object(delta):
        return
    to.text(delta.get("text"))
    if is_object(use := delta.get("toolUse")):
        to.fragment(index, use.get("input"))
    elif "text" not in delta:
        to.apart()


def _stop(to: Assembly, reason: str) -> None:
    to.finish_all(cut=reason in CUT)
    if reason in BAD_CALL:
        to.out.complain("malformed_call", f"The provider found a bad call in the reply ({reason}).")


STREAM: Final = StreamFormat(name="bedrock.converse.stream", matches=matches, take=take)
