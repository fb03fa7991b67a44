"""What is handed to `act` as calls: a `Call`, a model, an object, or a list of these in; `Call`s in their order out.

What cannot be read is a call with its error, in its place; only a text alone is refused, for it would be read letter by
letter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, from_json, to_json

from actions.errors import DeclarationError, ModelError
from actions.messages import Call, mended
from orchestrator.intake.calls import broken, ordered
from orchestrator.intake.calls import call as one_call
from orchestrator.intake.kinds import ARGUMENTS, NAMES
from orchestrator.intake.objects import calls_in

if TYPE_CHECKING:
    from actions.registry import Registry

Asked = Call | BaseModel | Mapping[str, Any]
"""One call: as intake reads it, or with a name (`function`, `name`, `action`) and `arguments`."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff]")
"""Control and invisible characters that no text needs; tab and line breaks are kept inside."""


def read(given: Asked | Sequence[Asked], *, sanitize: bool = False) -> list[Call]:
    """The calls that were handed in.

    Raises:
        DeclarationError: it is a text, or nothing that holds calls.
    """
    loose: Any = given
    if isinstance(loose, str | bytes) or not isinstance(loose, BaseModel | Iterable):
        raise DeclarationError(
            f'calls: one call or a list of calls is wanted, not {loose!r:.80}; a call is {{"function": "NAME", '
            '"arguments": {...}}'
        )
    listed = [given] if isinstance(given, Call | BaseModel | Mapping) else list(given)
    calls = [_one(each) for each in listed]
    return [_sanitized(each) for each in calls] if sanitize else calls


def distinct(calls: Sequence[Call], registry: Registry) -> list[Call]:
    """The calls without those that ask for the same once more: one action, equal arguments. Unreadable ones stay."""
    seen: set[str] = set()
    kept: list[Call] = []
    for call in calls:
        if call.arguments is not None:
            mark = json.dumps([_action_name(call, registry), call.arguments], sort_keys=True)
            if mark in seen:
                continue
            seen.add(mark)
        kept.append(call)
    return kept


def _action_name(call: Call, registry: Registry) -> str:
    try:
        return registry.resolve(call.name).name
    except ModelError:
        return call.name


def _one(given: Any) -> Call:
    if isinstance(given, Call):
        return given
    try:
        plain = from_json(to_json(mended(given.model_dump() if isinstance(given, BaseModel) else given)))
    except (PydanticSerializationError, ValueError, RecursionError):
        return broken("", f"a {type(given).__name__} is no JSON object")
    if not isinstance(plain, dict):
        return broken("", f"an object with a name and arguments is wanted, not a {type(given).__name__}")
    return _in_object(plain)


def _in_object(plain: dict[str, Any]) -> Call:
    wire = plain.get("function")
    if isinstance(wire, dict):  # as providers write it: {"id", "type", "function": {"name", "arguments"}}
        one = one_call(wire.get("name"), wire.get("arguments"), plain.get("id"))
        return ordered(one, plain.get("depends_on") or wire.get("depends_on"))
    found = calls_in(plain, alone=True)
    if found is None and (names := [plain[key] for key in NAMES if key in plain]):
        told = next((plain[key] for key in ARGUMENTS if key in plain), None)
        one = one_call(names[0], told, plain.get("id"))  # a name alone: no guess, for a caller says so
        return ordered(one, plain.get("depends_on"))
    if found is None or len(found) != 1:
        had = ", ".join(map(str, list(plain)[:5])) or "nothing"
        return broken(
            "",
            f"its name is wanted under function, name or action, and its arguments under arguments; it has {had}",
        )
    return found[0]


def _sanitized(call: Call) -> Call:
    if call.arguments is None:
        return call
    return call.model_copy(update={"arguments": _clean(call.arguments)})


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub("", value).strip()
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
