"""What kind of thing a JSON object is: the keys that calls are written with, and whether an object could be a call.

In: an object that was read. Out: yes or no. Data that merely look like a call, descriptions of tools, and what a
provider or another speaker said are none.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_list, is_object
from orchestrator.intake.schemas import is_bare_schema, is_schema

NAMES: Final = (
    "action",
    "function",
    "name",
    "tool",
    "tool_name",
    "function_name",
    "recipient",
    "recipient_name",
)
"""Where a name may stand, the surest first."""
ARGUMENTS: Final[tuple[str, ...]] = (
    "arguments", "args", "parameters", "params", "input", "kwargs",
    "tool_input", "tool_args", "tool_arguments", "function_args", "function_arguments",
)  # fmt: skip
"""Where its arguments may stand; `input` mostly comes as `action_input`."""
LISTS: Final = ("tool_calls", "function_calls", "action_requests", "tool_uses")
"""Where the calls of an object may stand as a list: OpenAI's way and its imitators', LionAGI's."""
ONES: Final = ("function_call", "tool_call")
"""Where its one call may stand."""
IDS: Final = ("id", "call_id", "tool_call_id")
"""Where its id may stand."""

_TYPES: Final = frozenset(
    {"function", "function_call", "tool_use", "tool_call", "custom_tool_call", "tool", "action"}
)
"""What a call may say that it is: anything else is no call for a client, or no call at all."""
_SPEAKERS: Final = frozenset({"assistant", "model"})
_SAID: Final = frozenset(
    {"text", "content", "message", "thought", "thoughts", "reason", "reasoning", "rationale", "explanation"}
)
_BESIDE: Final = frozenset(
    {
        *NAMES, *ARGUMENTS, *IDS, *_SAID, "actions", "user", "userId", "entityId", "agentId", "roomId", "role", "type",
        "providers", "evaluators", "depends_on", "source", "url", "inReplyTo", "attachments", "simple", "createdAt",
    }
)  # fmt: skip
"""Keys that may stand beside an action without arguments: an object with any other is data that has such a key."""


def is_foreign(value: dict[str, Any]) -> bool:
    """Whether it says that it is no call for a client to run: by its type, or by the role that speaks."""
    kind = value.get("type")
    known = kind is None or (isinstance(kind, str) and kind.lower().replace("-", "_") in _TYPES)
    return not known or is_said_by_another(value)


def is_said_by_another(value: dict[str, Any]) -> bool:
    """Whether its role is not the model's."""
    role = value.get("role")
    return role is not None and not (isinstance(role, str) and role in _SPEAKERS)


def asks(found: dict[str, Any]) -> bool:
    """Whether an object with `action` or `actions` asks for it, and is no data that has such a key."""
    if found.keys() <= _BESIDE or not found.keys().isdisjoint({*ARGUMENTS, "text", "content"}):
        return True
    one, many = found.get("action"), found.get("actions")
    entries = [one, *many[:1]] if is_list(many) else [one]
    return any(is_object(each) and not each.keys().isdisjoint(ARGUMENTS) for each in entries)


def is_call(found: dict[str, Any]) -> bool:
    """Whether an object without `action` is a call: a name with arguments, and no tool's description."""
    if is_object(function := found.get("function")):
        if not isinstance(function.get("name"), str) or describes(function, found):
            return False
        # Of type function, a name alone is a tool; OpenAI's calls have an id or their arguments.
        given = function.keys() & {*ARGUMENTS} - {"parameters"} or function.get("parameters")
        return bool(given) or found.get("type") != "function" or any(found.get(key) for key in IDS)
    if not any(isinstance(found.get(key), str) for key in NAMES) or describes(found):
        return False
    return any(key in found and _may_be_given(key, found[key]) for key in ARGUMENTS)


def _may_be_given(key: str, given: Any) -> bool:
    """Whether a value is what a call is given, right or wrong; other data has such keys too."""
    if key == "arguments" or is_object(given):
        return True
    if key in {"input", "kwargs"}:
        return False
    return given is None or (isinstance(given, str) and (not given.strip() or given.lstrip().startswith("{")))


def describes(found: dict[str, Any], around: dict[str, Any] | None = None) -> bool:
    """Whether it describes a tool: where its arguments would stand is a JSON Schema, or nothing.

    Args:
        found: the object with the name.
        around: the object around it, if it stands in one.
    """
    given = [found[key] for key in ARGUMENTS if found.get(key)]
    if not given:
        return "description" in found
    told = "description" in found or "function" in {found.get("type"), (around or found).get("type")}
    return all(is_schema(one) or (told and is_bare_schema(one)) for one in given)
