"""Raw arguments to validated params, or an error worded for the model.

In: an Action and the JSON object that a model wrote. Out: an instance of the action's params, or
InvalidArguments with one line for each problem: the path, what is wanted, and a short look at what came
instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError, to_json

from actions.coercion import BRANCH
from actions.definition import Action
from actions.errors import InvalidArguments
from actions.refusals import Flaw
from actions.scalars import WANTED
from actions.schema import parameters_schema, takes_null

_ECHO: Final = 60
_PATH: Final = 80
_LINES: Final = 12
_MOST: Final = 100
"""Problems that are worded; nobody reads more."""
_COUNTED: Final = 5_000
"""Problems above which none is looked at: hundreds of thousands would hold up everybody for a second."""
_KNOWN: Final = 20
_KINDS: Final = {
    "bool_type": "true or false",
    "dataclass_type": "an object",
    "dict_type": "an object",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "an integer",
    "list_type": "a list",
    "model_attributes_type": "an object",
    "model_type": "an object",
    "none_required": "null",
    "set_type": "a list",
    "string_type": "a text",
    "string_unicode": "a text that is valid Unicode",
    "tuple_type": "a list",
}
_UNKNOWN: Final = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_SUBJECT: Final = re.compile(r"^(?:[A-Z][a-z]+ )+should\b")  # pydantic begins with a subject of its own
_MESSAGE: Final = 200


def bind(action: Action, arguments: Mapping[str, Any] | BaseModel) -> BaseModel:
    """Return the action's params for these arguments (a JSON object, or a model that is dumped into one).

    Raises:
        InvalidArguments: with one line for each problem.
    """
    try:
        if isinstance(arguments, BaseModel):
            arguments = arguments.model_dump(exclude_unset=True, by_alias=True)
        return action.bind(arguments)
    except ValidationError as error:
        lines, flaws = _told(action, error)
        raise InvalidArguments(lines, flaws=flaws) from None
    except Exception as error:  # a model's own validator broke: that refuses this call, no other
        raise InvalidArguments(f"the arguments could not be checked ({type(error).__name__})") from error


def given(action: Action, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are given: without each null that only says that there is none.

    That is a null for what may be left out (it has a default, or an earlier result fills it) and takes no null.
    `bind` reads such nulls in the same way, at every level; whoever fills arguments in has to know them before.
    """
    schema = parameters_schema(action)
    needed, properties = schema.get("required", ()), schema["properties"]
    definitions = schema.get("$defs", {})
    return {
        key: value
        for key, value in arguments.items()
        if value is not None
        or key not in properties
        or key in needed
        or takes_null(properties[key], definitions)
    }


def _told(action: Action, error: ValidationError) -> tuple[str, list[Flaw]]:
    """One line for each path; a union's branches, each with its own complaint, share their line.

    Of many problems the first are told and the rest counted. The same again as flaws, for programs.
    """
    if (count := error.error_count()) > _COUNTED:
        known = ", ".join(action.keys[:_KNOWN]) or "none"
        return f"the arguments have {count:,} problems; known arguments are {known}", []
    lines: dict[str, list[str]] = {}
    came: dict[str, str] = {}
    ways: dict[str, tuple[int | str, ...]] = {}
    problems = error.errors(include_url=False)
    for problem in problems[:_MOST]:
        path = _path(problem["loc"])
        wishes = lines.setdefault(path, [])
        ways[path] = tuple(step for step in problem["loc"] if not _is_branch(step))
        wish = _wish(action, problem)
        if wish not in wishes:
            wishes.append(wish)
        if problem["type"] != "missing" and problem["type"] not in _UNKNOWN:
            came[path] = f", got {_echo(problem['input'])}"
    wrong = {path: f"{' or '.join(wishes)}{came.get(path, '')}" for path, wishes in lines.items()}
    told = [f"{_cut(path, _PATH)}: {text}" for path, text in wrong.items()]
    if more := len(told[_LINES:]) + len(problems[_MOST:]):
        told = [*told[:_LINES], f"and {more} more problems"]
    flaws = [(ways[path], text) for path, text in wrong.items()]
    return "\n".join(told).encode(errors="replace").decode(), flaws  # a key may hold half a surrogate pair


def _path(location: tuple[int | str, ...]) -> str:
    """Write a location as people do: `items[0].price`."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif not _is_branch(step):
            path += f".{step}" if path else step
    return path or "arguments"


def _is_branch(step: int | str) -> bool:
    """Whether it only names a branch of a union."""
    return isinstance(step, str) and step.startswith(BRANCH)


def _wish(action: Action, problem: ErrorDetails) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "missing":
        return "is missing and has no default"
    if kind in _UNKNOWN:
        return _unknown(action) if len(problem["loc"]) == 1 else "is unknown here"
    if kind == WANTED:
        return f"{context['wanted']} is wanted"
    if kind in _KINDS:
        return f"{_KINDS[kind]} is wanted"
    if kind in {"literal_error", "enum"}:
        return f"{context['expected']} is wanted"
    message = str(context["error"]) if "error" in context else problem["msg"]
    return _cut(_SUBJECT.sub("should", message), _MESSAGE)


def _unknown(action: Action) -> str:
    if not action.keys:
        return "is unknown: this action has no parameters"
    rest = ", …" if len(action.keys) > _KNOWN else ""
    return f"is unknown; known are {', '.join(action.keys[:_KNOWN])}{rest}"


def _echo(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    try:
        return _cut(to_json(value).decode(), _ECHO)
    except (PydanticSerializationError, ValueError):
        return f"a {type(value).__name__}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
