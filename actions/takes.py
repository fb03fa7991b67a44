"""What an action takes, in one short sentence for a model whose call could not be read.

In: an Action. Out: its parameters with their kinds, at most `LONGEST` characters, however many there are. Only names
and kinds are told: no defaults, which may be anybody's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from actions.schema import parameters_schema
from actions.short import cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.definition import Action

LONGEST: Final = 500
"""Characters of the whole sentence."""
_EACH: Final = 90
_ENUM: Final = 6
_KINDS: Final[dict[str, str]] = {
    "array": "list", "boolean": "true or false", "integer": "integer", "null": "null", "number": "number",
    "object": "object", "string": "text",
}  # fmt: skip


def takes(action: Action) -> str:
    """Say what it takes: `PAY takes to (text), amount (integer), note (text, may be left out)`."""
    schema = parameters_schema(action)
    needed = schema.get("required", ())
    told = f"{action.name} takes "
    parts = [
        f"{cut(key, _EACH)} ({cut(_kind(shape), _EACH)}{'' if key in needed else ', may be left out'})"
        for key, shape in schema["properties"].items()
    ]
    if not parts:
        return f"{action.name} takes no arguments"
    for at, part in enumerate(parts):
        if len(told) + len(part) > LONGEST - 30:
            return f"{told}and {len(parts) - at} more"
        told += part if at == len(parts) - 1 else f"{part}, "
    return told


def _kind(shape: Mapping[str, Any]) -> str:
    if "enum" in shape:
        shown = [cut(to_json(each).decode(), _EACH) for each in shape["enum"][:_ENUM]]
        return " or ".join([*shown, *(["…"] if len(shape["enum"]) > _ENUM else [])])
    for several in ("anyOf", "oneOf"):
        if several in shape:
            return " or ".join(dict.fromkeys(_kind(each) for each in shape[several]))
    kind: Any = shape.get("type", "object" if "$ref" in shape else "any")
    if isinstance(kind, list):
        return " or ".join(_KINDS.get(each, str(each)) for each in kind)
    if kind == "array" and isinstance(items := shape.get("items"), dict) and items:
        return f"list of {_kind(items)}"
    return _KINDS.get(kind, str(kind))
