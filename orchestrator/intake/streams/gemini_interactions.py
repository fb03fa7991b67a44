"""Gemini Interactions as events: steps that start, grow and stop; in older answers, contents that do.

A `function_call` is complete when its step stops. Every other `..._call` step is a tool that the provider ran.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake.draft import Draft
from orchestrator.intake.formats import gemini_interactions as body
from orchestrator.intake.formats.pieces import listed, word
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat

_EVENTS: Final = ("interaction.", "step.", "content.")


def matches(event: dict[str, Any]) -> bool:
    """Whether this is an event of an interaction."""
    return word(event.get("event_type")).startswith(_EVENTS)


def take(to: Assembly, event: dict[str, Any]) -> None:
    """Add what an event says."""
    kind = word(event.get("event_type")).replace("content.", "step.")
    index = event.get("index") if type(event.get("index")) is int else to.notes.get("index")
    if kind == "step.start":
        to.notes["index"] = index
        step = event.get("step", event.get("content"))
        if is_object(step):
            _start(to, index, step)
    elif kind == "step.delta" and is_object(delta := event.get("delta")):
        _grow(to, index, delta)
    elif kind == "step.stop":
        to.finish(index)
    elif kind in ("interaction.completed", "interaction.complete"):
        _end(to, event.get("interaction"))


def _start(to: Assembly, index: Any, step: dict[str, Any]) -> None:
    kind = word(step.get("type"))
    if kind == "function_call":
        to.apart()
        one = to.begin(index, step.get("name"), step.get("id"), step)
        if step.get("arguments"):  # an empty object only holds the place of what comes
            one.put(step["arguments"])
        return
    if kind == "function_result":
        to.out.answered(step.get("call_id"), "function_call")
    to.ignore(index)
    found = Draft()
    body.note(step, found, to.pieces)
    to.absorb(found)


def _grow(to: Assembly, index: Any, delta: dict[str, Any]) -> None:
    kind, one = word(delta.get("type")), to.known(index)
    if kind == "text":
        to.text(delta.get("text"))
    elif kind == "arguments_delta":
        to.fragment(index, delta.get("arguments"))
    elif kind == "function_call":
        if one is None or one.ignored:
            one = to.begin(index, delta.get("name"), delta.get("id"), delta)
        one.name, one.id = one.name or delta.get("name"), one.id or delta.get("id")
        to.fragment(index, delta.get("arguments"))
    elif kind.endswith("_call") and one is None:
        to.ignore(index)
        to.provider_call(kind, index)


def _end(to: Assembly, told: Any) -> None:
    told = told if is_object(told) else {}
    status = word(told.get("status"))
    if to.empty:
        for step in listed(told.get("steps", told.get("outputs"))):
            found = Draft()
            body.note(step, found, to.pieces)
            to.absorb(found)
    if status in body.ENDED:
        to.fail(f"The provider did not finish the interaction: {body.ENDED[status]}.")
    to.finish_all(cut=status in body.CUT)


STREAM: Final = StreamFormat(name="gemini.interactions.stream", matches=matches, take=take)
