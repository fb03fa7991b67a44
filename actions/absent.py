"""Null for "not given": keys that may be left out and take no null in, the same object without their nulls out.

Models that are held to a schema in which every key is required (OpenAI's strict mode) write null where they would have
written nothing. A null that the field itself takes is a value and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pydantic_core import SchemaValidator, ValidationError

Node = dict[str, Any]


def nulls_of(fields: Any, named: Sequence[Node]) -> Callable[[Any], Any] | None:
    """Return what takes such nulls out of an object with these fields; None if none of them may be left out.

    Args:
        fields: of a core schema: by name, or (of a dataclass) one after the other.
        named: the definitions that they point to; filled when the whole schema has been walked.
    """
    found = fields.items() if isinstance(fields, dict) else ((each["name"], each) for each in fields)
    optional = {key: field for name, field in found if _may_be_left_out(field) for key in _keys(name, field)}
    if not optional:
        return None
    takes: dict[str, bool] = {}

    def is_absent(key: str) -> bool:
        if key not in optional:
            return False
        if key not in takes:  # asked at the first null, when all definitions are there
            takes[key] = _takes_null(optional[key], named)
        return not takes[key]

    def leave_out(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        given = cast("Mapping[str, Any]", value)
        if None not in given.values():
            return given
        return {key: each for key, each in given.items() if each is not None or not is_absent(key)}

    return leave_out


def _may_be_left_out(field: Node) -> bool:
    return field["schema"].get("type") == "default" or field.get("required") is False


def _keys(name: str, field: Node) -> set[str]:
    """The keys that schemas show of a field."""
    alias = field.get("validation_alias")
    if alias is None:
        return {name}
    if isinstance(alias, str):
        return {alias}
    paths = alias if isinstance(alias[0], list) else [alias]
    return {path[0] for path in paths if len(path) == 1}


def _takes_null(field: Node, named: Sequence[Node]) -> bool:
    schema = field["schema"]
    inner = schema["schema"] if schema.get("type") == "default" else schema
    whole = {"type": "definitions", "schema": inner, "definitions": list(named)} if named else inner
    try:
        SchemaValidator(cast("Any", whole), _use_prebuilt=False).validate_python(None)
    except ValidationError:
        return False
    except Exception:  # noqa: BLE001 - the author's own check broke on null, so it takes none
        return False
    return True
