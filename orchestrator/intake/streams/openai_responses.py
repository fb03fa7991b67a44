"""OpenAI Responses as events: output items that are added, grow and are done.

Everything comes more than once: as fragments, as a whole at their end, in the item that is done, and in the response
that is completed. What was told once is not told again; what only the last of them holds is.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake import provider_errors
from orchestrator.intake.draft import Draft
from orchestrator.intake.formats import openai_responses as body
from orchestrator.intake.formats.pieces import Pieces, listed, word
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat
from orchestrator.intake.streams.open_call import said

_ENDS: Final = frozenset(
    {"response.completed", "response.done", "response.incomplete", "response.failed", "response.cancelled"}
)
_TEXTS: Final = frozenset(
    {
        "response.output_text",
        "response.refusal",
        "response.output_audio_transcript",
        "response.audio.transcript",
    }
)
_ARGUMENTS: Final = {
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
}
"""Events of arguments, and where the whole of them stands at the end."""
_CALLS: Final = {"function_call": "arguments", "custom_tool_call": "input"}


def matches(event: dict[str, Any]) -> bool:
    """Whether this is an event of a response."""
    return word(event.get("type")).startswith("response.")


def take(to: Assembly, event: dict[str, Any]) -> None:
    """Add what an event says."""
    kind = word(event.get("type"))
    key, (stem, _, step) = _key(event), kind.rpartition(".")
    if stem in _TEXTS:
        _show(to, key, event, step)
    elif stem in _ARGUMENTS:
        _grow(to, key, event, step)
    elif kind in ("response.output_item.added", "response.output_item.done"):
        item = event.get("item")
        if is_object(item):
            _item(to, key, item, done=step == "done")
    elif kind == "response.created" and is_object(response := event.get("response")):
        to.notes["tools"] = listed(response.get("tools"))
    elif kind in _ENDS:
        _end(to, kind, event.get("response"))


def _key(event: dict[str, Any]) -> Any:
    place = event.get("output_index")
    return ("place", place) if type(place) is int else ("item", word(event.get("item_id")))


def _show(to: Assembly, key: Any, event: dict[str, Any], step: str) -> None:
    part = (key, word(event.get("type")).rpartition(".")[0], str(event.get("content_index"))[:20])
    shown: set[Any] = to.notes.setdefault("shown", set())
    if step == "delta":
        to.text(event.get("delta"))
    elif step == "done" and part not in shown:
        to.text(next((event[name] for name in ("text", "refusal", "transcript") if name in event), None))
    shown.update((key, part))


def _grow(to: Assembly, key: Any, event: dict[str, Any], step: str) -> None:
    if step == "delta":
        to.fragment(key, event.get("delta"))
        return
    one = to.known(key)
    if step == "done" and one is not None:
        one.name = one.name or event.get("name")
        to.whole(key, event.get(_ARGUMENTS[word(event.get("type")).rpartition(".")[0]]))
        if one.name:  # else the item that is done says it
            to.finish(key)


def _item(to: Assembly, key: Any, item: dict[str, Any], *, done: bool) -> None:
    kind, ids = word(item.get("type")), _ids(item)
    if kind == "message":
        if not done:
            to.apart()
        elif key not in to.notes.get("shown", ()):
            _whole(to, item)
            to.notes.setdefault("shown", set()).add(key)
        return
    if kind.endswith("_output"):
        to.out.answered(item.get("call_id"), kind.removesuffix("_output"))
    one = to.known(key)
    to.notes.setdefault("ids", set()).update(ids)
    if one is None and (kind not in _CALLS or _is_foreign(to, item)):
        to.ignore(key)
        _whole(to, item)
    elif kind in _CALLS and (one is None or not one.ignored):
        _call(to, key, item, done=done)


def _call(to: Assembly, key: Any, item: dict[str, Any], *, done: bool) -> None:
    kind = word(item.get("type"))
    one = to.known(key)
    if one is None:
        to.apart()
        one = to.begin(key, free=kind == "custom_tool_call")
    if not one.told:
        one.hold(item)
        one.name, one.id = one.name or item.get("name"), one.id or word(item.get("call_id")) or item.get("id")
    if given := item.get(_CALLS[kind]):
        to.whole(key, given)
    if done:
        to.finish(key, cut=word(item.get("status")) in body.OPEN)


def _end(to: Assembly, kind: str, response: Any) -> None:
    response = response if is_object(response) else {}
    told = Counter(map(said, to.asked()))
    for place, item in enumerate(listed(response.get("output"))):
        if is_object(item):
            _once_more(to, ("place", place), item, told)
    status = kind.removeprefix("response.")
    if status in body.ENDED:
        words = provider_errors.beside(response)
        to.fail(words or f"The provider did not finish the response: {body.ENDED[status]}.")
    to.finish_all(cut=kind == "response.incomplete")


def _once_more(to: Assembly, key: Any, item: dict[str, Any], told: Counter[Any]) -> None:
    """An item of the response as a whole: only what no event has told before is new.

    `told` counts the calls that were, for items that have other ids by now, or none.
    """
    kind = word(item.get("type"))
    if kind == "message":
        if not to.notes.get("shown"):
            _whole(to, item)
        return
    one, known = to.known(key), not _ids(item).isdisjoint(to.notes.get("ids", ()))
    same = one is not None and (one.ignored or not item.get("name") or one.name == item.get("name"))
    if same and one is not None and not one.ignored and kind in _CALLS:
        _call(to, key, item, done=True)
    found = Draft()
    body.note(item, found, Pieces())
    again = [each for each in map(said, found.calls) if told[each] > 0]
    told.subtract(again)
    if not (same or known or again):
        _item(to, ("end", *key), item, done=True)


def _whole(to: Assembly, item: dict[str, Any]) -> None:
    found = Draft()
    body.note(item, found, to.pieces, done=body.done_in([item], to.notes.get("tools", [])))
    to.absorb(found)


def _is_foreign(to: Assembly, item: dict[str, Any]) -> bool:
    return not _ids(item).isdisjoint(body.done_in([item], to.notes.get("tools", [])))


def _ids(item: dict[str, Any]) -> set[str]:
    return {id for key in ("call_id", "id") if (id := word(item.get(key)))}  # noqa: A001 - the wire's word


STREAM: Final = StreamFormat(name="openai.responses.stream", matches=matches, take=take)
