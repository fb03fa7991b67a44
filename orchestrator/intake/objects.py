"""Objects that ask for actions, as models write them in JSON: a parsed value in, its calls out.

Known shapes: `{"action": NAME}`, `{"actions": [NAME or object, ...]}` and, where the value stands alone,
`{"name": NAME, "arguments": {...}}` with its synonyms, lists of such objects, and `wrapped` ones. Keys may carry the
prefix `action_`. What is none of these is no request (None); what can be read in two ways is a malformed call.
"""

from __future__ import annotations

from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Repeated, is_list, is_object, marked
from orchestrator.intake.calls import broken, call, ordered
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.kinds import (
    ARGUMENTS,
    IDS,
    LISTS,
    NAMES,
    ONES,
    asks,
    describes,
    is_call,
    is_foreign,
    is_said_by_another,
)
from orchestrator.intake.schemas import is_schema

_EXACT: Final = ("function", "name", "tool", "tool_name", "function_name")
"""Two different names in these leave it open which is meant."""
_ANSWER: Final = "final answer"
"""The action with which agents say that there is none."""


def calls_in(value: Any, *, alone: bool, repaired: tuple[str, ...] = ()) -> list[Call] | None:
    """The calls that a value asks for (perhaps none), or None if it asks for nothing.

    Args:
        value: any JSON value.
        alone: whether it is the whole text or a fenced block, not an object inside prose. Only then do lists
            and the shapes without the key `action` count.
        repaired: what was mended to read it.
    """
    found = _calls_in(value, alone=alone)
    if not repaired or found is None:
        return found
    return [each.model_copy(update={"repaired": (*repaired, *each.repaired)}) for each in found]


def asks_by_action(value: Any) -> bool:
    """Whether it is Eliza's way to ask: an object with `action` or `actions`, or a list that holds one."""
    if is_list(value):
        return any(is_object(item) and asks_by_action(item) for item in value[:MAX_LISTED])
    return is_object(value) and _is_asking(_inner(value))


def _is_asking(found: dict[str, Any]) -> bool:
    return ("action" in found or "actions" in found) and asks(found) and not is_foreign(found)


def _calls_in(value: Any, *, alone: bool) -> list[Call] | None:
    if is_list(value):
        return _listed(value) if alone else None
    if not is_object(value) or is_said_by_another(value):
        return None
    found = _inner(value)
    wrapped = _wrapped(value) if alone else None
    if wrapped or is_foreign(value) or is_foreign(found):
        return wrapped
    if "action" in found or "actions" in found:
        return _asked(found) if asks(found) else wrapped
    return [_one(found, id=_id(found))] if alone and is_call(found) else wrapped


def text_in(value: Any) -> str | None:
    """The text for people in such an object or the objects of a list; None if there is none."""
    if is_list(value):
        objects = (item for item in value[: MAX_LISTED + 1] if is_object(item))
        texts = [text for item in objects if (text := text_in(item)) is not None]
        return "\n\n".join(texts) if texts else None
    if not is_object(value):
        return None
    found = _inner(value)
    keys = ("text", "content", "input") if _is_answer(found.get("action")) else ("text", "content")
    return next((found[key] for key in keys if isinstance(found.get(key), str)), None)


def _listed(items: list[Any]) -> list[Call] | None:
    told = [_calls_in(item, alone=True) if is_object(item) else None for item in items[: MAX_LISTED + 1]]
    if not told or any(one is None for one in told):
        return None
    return [one for calls in told for one in calls or ()]


def _wrapped(value: dict[str, Any]) -> list[Call] | None:
    """The calls that stand under a key for calls; None if nothing does, or only what a call could not be."""
    key = next((key for key in (*LISTS, *ONES) if key in value and value[key] not in (None, "")), None)
    if key is None or (key == "action_requests" and value.get("action_required") is False):
        return None if key is None else []
    held = value[key]
    items = held if is_list(held) else [held]
    if items and not any(map(_may_be_entry, items)):
        return None
    if isinstance(value, Repeated) and value.twice.intersection((*LISTS, *ONES)):
        return [broken("", f"keys stand twice in its object: {_told(value)}")]
    return [_held(item) for item in items[: MAX_LISTED + 1]]


def _held(item: Any) -> Call:
    if _may_be_entry(item):
        return _one(_inner(item), id=_id(item))
    return broken("", "what stands there in a list of calls is none")


def _may_be_entry(item: Any) -> bool:
    if not is_object(item) or is_foreign(item):
        return False
    found = _inner(item)
    named = found.get("function") if is_object(found.get("function")) else found
    return is_object(named) and bool(_name_in(named)) and not describes(named)


def _inner(value: dict[str, Any]) -> dict[str, Any]:
    """The object that asks: the one in `content` where there is one; without the prefix on its keys."""
    content = value.get("content")
    if is_object(content) and not ("action" in value or "actions" in value):
        value = content
    if not any(str(key).startswith("action_") for key in value):
        return value
    plain = {str(key).removeprefix("action_"): item for key, item in value.items()}
    twice = {key for key in plain if f"action_{key}" in value and key in value}
    if isinstance(value, Repeated):
        twice |= value.twice
    given = value.get("action_input")
    if isinstance(given, str) and not given.lstrip().startswith("{") and not _is_answer(value.get("action")):
        plain["input"] = {"input": given} if given.strip() else {}  # an agent's way to give a tool one text
    return marked(plain, twice) if twice else plain


def _is_answer(name: Any) -> bool:
    return isinstance(name, str) and name.strip().lower() == _ANSWER


def _asked(found: dict[str, Any]) -> list[Call] | None:
    one, many = found.get("action"), found.get("actions")
    if not isinstance(one, str | dict | None) or not isinstance(many, str | list | None):
        return None
    if isinstance(found, Repeated):
        return [
            broken(one if isinstance(one, str) else "", f"keys stand twice in its object: {_told(found)}")
        ]
    if not many:
        return [_one(found)] if one and not _is_answer(one) else []
    names = many.split(",") if isinstance(many, str) else many
    if one and one not in names:
        return [broken(one if isinstance(one, str) else "", "its object holds both action and actions")]
    return _several(found, names)


def _several(found: dict[str, Any], names: list[Any]) -> list[Call]:
    if len(names) == 1 and isinstance(names[0], str):
        return [_one({**found, "action": names[0].strip()})]
    shared = _filled(found)
    return [_entry(name, shared=bool(shared)) for name in names[: MAX_LISTED + 1]]


def _entry(item: Any, *, shared: bool) -> Call:
    if is_object(item):
        return _one(_inner(item))
    if not isinstance(item, str):
        return broken("", "an entry of actions is neither a name nor an object")
    if shared:
        return broken(item.strip(), "the arguments beside a list of actions do not say whose they are")
    return call(item.strip(), {}, raw="")


def _one(found: dict[str, Any], id: Any = None) -> Call:  # noqa: A002 - the wire's word
    """Make the call of one object that names one action, itself or in an object inside."""
    name, objects = _name_in(found), [found]
    if is_object(name):
        inner = _inner(name)
        name, objects = _name_in(inner), [inner, found]
    shown = name if isinstance(name, str) else ""
    if told := [_told(one) for one in objects if isinstance(one, Repeated)]:
        return broken(shown, f"keys stand twice in its object: {', '.join(told)}", id=id)
    if len(names := _rivals(found)) > 1:
        return broken(shown, f"it has two names: {' and '.join(sorted(names))}", id=id)
    given = [(key, one[key]) for one in objects for key in _filled(one)]
    if len(given) > 1:
        return broken(shown, f"its arguments stand twice: {' and '.join(key for key, _ in given)}", id=id)
    one = call(name, given[0][1] if given else {}, id)
    for each in objects:
        one = ordered(one, each.get("depends_on"))
    return one


def _rivals(found: dict[str, Any]) -> set[str]:
    """The names in an object of which none is surer than the others."""
    if found.get("action") or is_object(found.get("function")):
        return set()
    return {name for name in map(found.get, _EXACT) if isinstance(name, str) and name}


def _id(found: dict[str, Any]) -> Any:
    return next((found[key] for key in IDS if isinstance(found.get(key), str) and found[key]), None)


def _name_in(found: dict[str, Any]) -> Any:
    key = next((key for key in NAMES if found.get(key)), "")
    name = found.get(key, "")
    if key == "recipient_name" and isinstance(name, str):
        return name.removeprefix("functions.")
    return name


def _filled(found: dict[str, Any]) -> list[str]:
    """The keys of arguments that hold some; a schema beside real arguments only echoes what the tool takes."""
    filled = [key for key in ARGUMENTS if key in found and found[key] not in (None, "", {})]
    given = [key for key in filled if not is_schema(found[key])]
    return given if given and len(given) < len(filled) else filled


def _told(found: Repeated) -> str:
    return ", ".join(sorted(found.twice))[:200]
