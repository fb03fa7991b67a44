"""OpenAI chat completions and those who imitate them: a response, the bare assistant message, or Ollama's own body.

Calls stand in `tool_calls`; the older `function_call` counts where it is filled and no tool call is there.
What providers fill with zeros is no call. Of several choices the first is the reply. The finish reason is not
believed: an argument text that ends too early is a truncated call, one that is whole runs. A custom tool's input
is a free text: its arguments are `{"input": text}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Repeated, is_list, is_object
from orchestrator.intake.calls import broken, ordered
from orchestrator.intake.draft import MAX_LISTED, Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.formats.pieces import broke_off, first_of, freely, listed, ran, word, written
from orchestrator.intake.kinds import ARGUMENTS

_KEYS: Final = ("tool_calls", "function_call", "content")
_SHOWN: Final = ("text", "output_text")
_OURS: Final = ("", "function", "custom")
FAILED: Final = {"content_filter": "a content filter", "error": "an error"}
"""Finish reasons that say why there is nothing."""
CUT: Final = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", *FAILED})
"""Finish reasons of a reply that was cut off."""


def matches(body: dict[str, Any]) -> bool:
    """Whether this is a chat completion, a bare assistant message, or Ollama's own body."""
    choices = body.get("choices")
    if is_list(choices):
        if (first := first_of(choices)) is not None:
            return is_object(first.get("message")) or _has_failed(first)
        return body.get("object") == "chat.completion"
    if _is_ollama(body):
        return True
    if body.get("role") != "assistant":
        return False
    return isinstance(body.get("content"), str) or "tool_calls" in body or "function_call" in body


def read(body: dict[str, Any]) -> Draft:
    """Read the first choice's message."""
    choice = _choice(body)
    message, finish = _message(choice), word(choice.get("finish_reason"))
    refuse_repeated(message, *_KEYS)
    draft = Draft(text=said(message))
    failed = broke_off(draft, body, choice)
    draft.cut = failed or finish in CUT
    _note_calls(message, draft)
    for _, name in executed(message):
        ran(draft, name)
    if finish in FAILED and not (failed or draft.calls or draft.text):
        draft.complain("provider_error", f"The provider stopped the reply: {FAILED[finish]}.")
    return draft


def said(message: dict[str, Any]) -> str:
    """The text that people see of a message, or of what a chunk adds to it."""
    content = message.get("content")
    if is_list(content):  # parts, as some imitators send them; reasoning parts are of another type
        parts = [part for part in content if is_object(part) and word(part.get("type", "text")) in _SHOWN]
        content = "".join(word(part.get("text")) for part in parts)
    audio = message.get("audio")
    spoken = audio.get("transcript") if is_object(audio) else None
    return word(content) or word(message.get("refusal")) or word(spoken)


def executed(message: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The tools that Groq ran itself: the key by which one that is told twice is known, and the name."""
    for place, tool in enumerate(listed(message.get("executed_tools"))):
        if is_object(tool):
            yield str(tool.get("index", place))[:40], tool.get("name") or tool.get("type")


def hosted(entry: dict[str, Any]) -> str:
    """The tool of the provider's own that some imitators list among the calls; "" if the entry is none."""
    kind = word(entry.get("type"))
    return kind if kind not in _OURS and is_object(entry.get(kind)) else ""


def _is_ollama(body: dict[str, Any]) -> bool:
    return is_object(body.get("message")) and isinstance(body.get("done"), bool)


def _choice(body: dict[str, Any]) -> dict[str, Any]:
    """What holds the message and says why it ended."""
    if _is_ollama(body):
        refuse_repeated(body, "message")
        ended = body.get("done_reason") if body["done"] else "length"
        return {"message": body["message"], "finish_reason": ended}
    if "choices" not in body:
        if body.get("role") in (None, "assistant") and any(key in body for key in _KEYS):
            return {"message": body}
        raise _no_chat("it has no choices and is no message")
    refuse_repeated(body, "choices")
    first = first_of(body["choices"])
    if first is None:
        raise _no_chat("its first choice holds no message")
    refuse_repeated(first, "message")
    return first


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    if is_object(message := choice.get("message")):
        if any(map(_is_foreign, listed(message.get("content")))):
            raise _no_chat("its content holds calls, as that of other providers does")
        return message
    if not _has_failed(choice):
        raise _no_chat("its first choice holds no message")
    return {}


def _is_foreign(part: Any) -> bool:
    kinds = (word(part.get("type")), *part) if is_object(part) else ()
    return any(kind.endswith(("tool_use", "toolUse", "functionCall", "function_call")) for kind in kinds)


def _has_failed(choice: dict[str, Any]) -> bool:
    """Whether a choice says that there is no message, and why."""
    return word(choice.get("finish_reason")) in FAILED or is_object(choice.get("error"))


def _no_chat(why: str) -> Unusable:
    return Unusable("unexpected_body", f"The body is no chat completion: {why}.")


def _note_calls(message: dict[str, Any], draft: Draft) -> None:
    given = message.get("tool_calls")
    if given and not is_list(given):
        draft.complain("unexpected_body", "The tool_calls of the reply are not a list.")
    entries = listed(given)
    for place, entry in enumerate(entries[: MAX_LISTED + 1]):
        take_entry(entry, draft, cut=draft.cut and place == len(entries) - 1)
    older = message.get("function_call")
    if not draft.calls and (one := _filled(older, None, cut=draft.cut)):
        draft.calls.append(one)


def take_entry(entry: Any, draft: Draft, *, cut: bool = False) -> None:
    """Add the call of one entry of `tool_calls`; what is filled with zeros is none.

    `cut` says that the reply was cut off in this entry.
    """
    if not is_object(entry):
        draft.calls.append(broken("", "an entry of tool_calls is not an object"))
        return
    id = entry.get("id")  # noqa: A001 - the wire's word
    one = _filled(entry.get("function"), id, cut=cut) or _custom(entry.get("custom"), id, cut=cut)
    one = one or _filled(entry, id, cut=cut)
    if one is None and (tool := hosted(entry)):
        ran(draft, tool)
        return
    if one is None and not id:
        return
    if one is None:
        one = broken("", "its entry has no name", id=id)
    elif isinstance(entry, Repeated):
        one = broken(one.name, "keys stand twice in its entry", id=id)
    draft.calls.append(ordered(one, entry.get("depends_on")) if "depends_on" in entry else one)


def _filled(given: Any, id: Any, *, cut: bool) -> Call | None:  # noqa: A002 - the wire's word
    """The call in an object with a name and arguments; None if it is zeros."""
    if not is_object(given):
        return None
    name = given.get("name")
    arguments = given["arguments"] if "arguments" in given else _under_other_names(given)
    if not name and not arguments:
        return None
    one = written(name, arguments, id, given, cut=cut)
    return ordered(one, given["depends_on"]) if "depends_on" in given else one


def _custom(given: Any, id: Any, *, cut: bool) -> Call | None:  # noqa: A002 - the wire's word
    if not is_object(given) or not (given.get("name") or given.get("input")):
        return None
    return freely(given.get("name"), given.get("input"), id, given, cut=cut)


def _under_other_names(known: dict[str, Any]) -> Any:
    return next((known[key] for key in ARGUMENTS if key in known), None)


BODY: Final = BodyFormat(
    name="openai.chat", matches=matches, read=read, continues=True, also=("mistral.chat", "ollama.chat")
)
