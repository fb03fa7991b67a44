"""OpenAI chat completions and those who imitate them: a response, or the bare assistant message.

Calls stand in `tool_calls`; the older `function_call` counts where it is filled and no tool call is there.
What providers fill with zeros is no call. Of several choices the first is the reply. The finish reason is not
believed: an argument text that ends too early is a truncated call, one that is whole runs.
"""

from __future__ import annotations

from typing import Any, Final

from actions.messages import Call
from orchestrator.intake.calls import broken, call, ordered
from orchestrator.intake.draft import MAX_LISTED, Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.objects import ARGUMENTS
from orchestrator.intake.strict import Repeated, clean, is_list, is_object

_KEYS: Final = ("tool_calls", "function_call", "content")
_SHOWN: Final = ("text", "output_text")


def matches(body: dict[str, Any]) -> bool:
    """Whether this is a chat completion or a bare assistant message."""
    choices = body.get("choices")
    if is_list(choices):
        first = choices[0] if choices else None
        if is_object(first):
            return is_object(first.get("message"))
        return body.get("object") == "chat.completion"
    if body.get("role") != "assistant":
        return False
    return isinstance(body.get("content"), str) or "tool_calls" in body or "function_call" in body


def read(body: dict[str, Any]) -> Draft:
    """Read the first choice's message."""
    message = _message(body)
    refuse_repeated(message, *_KEYS)
    draft = Draft(text=_text(message))
    given = message.get("tool_calls")
    if is_list(given):
        draft.calls = [one for entry in given[: MAX_LISTED + 1] if (one := _call(entry)) is not None]
    elif given:
        draft.complain("unexpected_body", "The tool_calls of the reply are not a list.")
    if not draft.calls and (one := _filled(message.get("function_call"), None)):
        draft.calls.append(one)
    _note_provider_calls(message, draft)
    return draft


def _message(body: dict[str, Any]) -> dict[str, Any]:
    if "choices" not in body:
        if body.get("role") in (None, "assistant") and any(key in body for key in _KEYS):
            return body
        raise _no_chat("it has no choices and is no message")
    refuse_repeated(body, "choices")
    choices = body["choices"]
    first = choices[0] if is_list(choices) and choices else None
    if not is_object(first) or not is_object(message := first.get("message")):
        raise _no_chat("its first choice holds no message")
    refuse_repeated(first, "message")
    return message


def _no_chat(why: str) -> Unusable:
    return Unusable("unexpected_body", f"The body is no chat completion: {why}.")


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if is_list(content):  # parts, as some imitators send them; reasoning parts are of another type
        parts = [part for part in content if is_object(part) and part.get("type", "text") in _SHOWN]
        return "".join(text for part in parts if isinstance(text := part.get("text"), str))
    if isinstance(content, str) and content:
        return content
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) else ""


def _call(entry: Any) -> Call | None:
    """The call of one entry; None for an entry that is filled with zeros."""
    if not is_object(entry):
        return broken("", "an entry of tool_calls is not an object")
    id = entry.get("id")  # noqa: A001 - the wire's word
    one = _filled(entry.get("function"), id) or _filled(entry.get("custom"), id) or _filled(entry, id)
    if one is None:
        return broken("", "its entry has no name", id=id) if id else None
    if isinstance(entry, Repeated):
        return broken(one.name, "keys stand twice in its entry", id=id)
    return ordered(one, entry.get("depends_on")) if "depends_on" in entry else one


def _filled(given: Any, id: Any) -> Call | None:  # noqa: A002 - the wire's word
    """The call in an object with a name and arguments (`input`, in custom calls); None if it is zeros."""
    if not is_object(given):
        return None
    name = given.get("name")
    arguments = given["arguments"] if "arguments" in given else _under_other_names(given)
    if not name and not arguments:
        return None
    if isinstance(given, Repeated):
        return broken(name if isinstance(name, str) else "", "keys stand twice in its object", id=id)
    one = call(name, arguments, id)
    return ordered(one, given["depends_on"]) if "depends_on" in given else one


def _under_other_names(known: dict[str, Any]) -> Any:
    return next((known[key] for key in ARGUMENTS if key in known), None)


def _note_provider_calls(message: dict[str, Any], draft: Draft) -> None:
    """Groq names the tools that it ran itself in `executed_tools`."""
    executed = message.get("executed_tools")
    for tool in executed if is_list(executed) else ():
        if is_object(tool) and isinstance(name := tool.get("name") or tool.get("type"), str):
            draft.provider_calls.append(clean(name[:256]))


BODY: Final = BodyFormat(name="openai.chat", matches=matches, read=read, continues=True)
