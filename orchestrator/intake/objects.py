"""Objects that ask for actions, as models write them in JSON: a parsed value in, its calls out.

Known shapes: `{"action": NAME}`, `{"actions": [NAME or object, ...]}` and, where the object stands alone,
`{"name": NAME, "arguments": {...}}` with its synonyms. Keys may carry the prefix `action_`. What is none of
these is no request (None); what is one but can be read in two ways is a malformed call.
"""

from __future__ import annotations

from typing import Any, Final

from actions.messages import Call
from orchestrator.intake.calls import broken, call, ordered
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.strict import Repeated, is_list, is_object, marked

NAMES: Final = ("action", "name", "function", "recipient", "tool")
"""Where a name may stand, the surest first."""
ARGUMENTS: Final = ("arguments", "args", "parameters", "params", "input")
"""Where its arguments may stand; `input` mostly comes as `action_input`."""


def calls_in(value: Any, *, alone: bool) -> list[Call] | None:
    """The calls that a value asks for (perhaps none), or None if it asks for nothing.

    Args:
        value: any JSON value.
        alone: whether it is the whole text or a fenced block, not an object inside prose. Only then do lists
            and the shapes without the key `action` count.
    """
    if is_list(value):
        return _listed(value) if alone else None
    if not is_object(value):
        return None
    found = _inner(value)
    if "action" in found or "actions" in found:
        return _asked(found)
    return [_one(found)] if alone and _is_call(found) else None


def text_in(value: Any) -> str | None:
    """The text for people in such an object or the objects of a list; None if there is none."""
    if is_list(value):
        texts = [text for item in value if is_object(item) and (text := text_in(item)) is not None]
        return "\n\n".join(texts) if texts else None
    if not is_object(value):
        return None
    found = _inner(value)
    return next((found[key] for key in ("text", "content") if isinstance(found.get(key), str)), None)


def _listed(items: list[Any]) -> list[Call] | None:
    told = [calls_in(item, alone=True) if is_object(item) else None for item in items[: MAX_LISTED + 1]]
    if not told or any(one is None for one in told):
        return None
    return [one for calls in told for one in calls or ()]


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
    return marked(plain, twice) if twice else plain


def _asked(found: dict[str, Any]) -> list[Call] | None:
    one, many = found.get("action"), found.get("actions")
    if not isinstance(one, str | dict | None) or not isinstance(many, str | list | None):
        return None
    if isinstance(found, Repeated):
        return [
            broken(one if isinstance(one, str) else "", f"keys stand twice in its object: {_told(found)}")
        ]
    if not many:
        return [_one(found)] if one else []
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


def _is_call(found: dict[str, Any]) -> bool:
    """Whether an object without `action` is a call: a name with arguments, and no tool's description."""
    if is_object(function := found.get("function")):
        return isinstance(function.get("name"), str)
    given = next((found[key] for key in ARGUMENTS if key in found), found)
    if given is found or not any(isinstance(found.get(key), str) for key in NAMES):
        return False
    return not (is_object(given) and "type" in given and "properties" in given)


def _one(found: dict[str, Any]) -> Call:
    """Make the call of one object that names one action, itself or in an object inside."""
    name, objects = _name_in(found), [found]
    if is_object(name):
        inner = _inner(name)
        name, objects = _name_in(inner), [inner, found]
    shown = name if isinstance(name, str) else ""
    if told := [_told(one) for one in objects if isinstance(one, Repeated)]:
        return broken(shown, f"keys stand twice in its object: {', '.join(told)}")
    given = [(key, one[key]) for one in objects for key in _filled(one)]
    if len(given) > 1:
        return broken(shown, f"its arguments stand twice: {' and '.join(key for key, _ in given)}")
    one = call(name, given[0][1] if given else {})
    for each in objects:
        one = ordered(one, each.get("depends_on"))
    return one


def _name_in(found: dict[str, Any]) -> Any:
    return next((found[key] for key in NAMES if found.get(key)), "")


def _filled(found: dict[str, Any]) -> list[str]:
    return [
        key for key in ARGUMENTS if key in found and found[key] is not None and found[key] not in ("", {})
    ]


def _told(found: Repeated) -> str:
    return ", ".join(sorted(found.twice))[:200]
