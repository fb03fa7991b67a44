"""Exactly what is asked for, in few characters: a request, or an action and its validated params, in; a digest out.

An approval holds for one digest, and a follow-up that has the digest of one of its ancestors goes in a circle. What is
shown to a person are the arguments themselves, never a summary; only what an action declares as secret (`SecretStr`,
`SecretBytes`, `Secret`) stays hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, RootModel, Secret, SecretBytes, SecretStr
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from actions.canonical import canonical
from actions.messages import mended

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from actions.definition import Action
    from actions.messages import Call

_HIDDEN: Final = "**********"


def arguments_digest(action: Action, params: BaseModel) -> str:
    """The digest of an action and its validated params, 32 hex characters; equal ones have the same."""
    told = canonical([action.name, params])
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def shown_arguments(params: BaseModel) -> str:
    """The validated arguments as JSON for a person who decides on them, all of them, with secrets hidden.

    What the params say of their own output (`exclude`, serializers, a `repr` of their own) is no matter here.
    """
    return _json(_shown(params))


def _json(shown: Any) -> str:
    return to_json(shown, inf_nan_mode="strings").decode()


def _shown(value: Any) -> Any:
    """A value as JSON data that a person reads."""
    if value is None or (isinstance(value, bool | int | float) and not isinstance(value, Enum)):
        return value
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: getattr(value, field.name, None) for field in fields(value)}
        more = getattr(value, "__dict__", {})  # what it takes beside its fields is there
        return _entries((held | more).items())
    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, UnicodeDecodeError):
        return _text(repr(value))


def _text(value: str) -> str:
    """A text as it is; one with half a surrogate pair, which JSON has no form for, as Python writes it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return ascii(value)
    return str.__str__(value)


def _bytes(value: bytes) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        return repr(bytes(value))


def _model(value: BaseModel) -> Any:
    declared = type(value).model_fields
    held = [(name, item) for name, item in value.__dict__.items() if name in declared]
    if isinstance(value, RootModel):
        return _shown(held[0][1])
    read = [(_key(name, declared[name]), item) for name, item in held]
    return _entries([*read, *(value.model_extra or {}).items()])


def _key(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias or field.alias
    return alias if isinstance(alias, str) else name


def _entries(items: Iterable[tuple[Any, Any]]) -> Any:
    """An object; where two keys look the same, a list of pairs, so that neither hides the other."""
    pairs = [(_shown(key), _shown(item)) for key, item in items]
    found = {key if isinstance(key, str) else _json(key): item for key, item in pairs}
    return found if len(found) == len(pairs) else [list(pair) for pair in pairs]


def _set(value: AbstractSet[Any]) -> list[Any]:
    """In an order of their texts, for a set has none."""
    return sorted(map(_shown, value), key=_json)


_FORMS: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    (SecretStr | SecretBytes | Secret, lambda _: _HIDDEN),
    (BaseModel, _model),
    (Enum, lambda value: _shown(value.value)),
    (str, _text),
    (bytes | bytearray | memoryview, _bytes),
    (Mapping, lambda value: _entries(value.items())),
    (AbstractSet, _set),
    (Sequence, lambda value: [_shown(item) for item in value]),
)


def request_digest(message: str, calls: Sequence[Call], *how: str) -> str:
    """The digest of calls that are handed in: their message, what they say of each other, how they shall be run."""
    ties = [[call.step, call.depends_on, call.uses] for call in calls]
    told = canonical(ties) if any(any(each) for each in ties) else ""
    return digest(message, *(part for part in (told, *how) if part))


def owner_of(principal: str | None, permissions: Iterable[str]) -> str:
    """On whose behalf a request is made, with which rights, as one text."""
    return canonical([mended(principal or ""), sorted(permissions)])


def digest(*parts: str | bytes) -> str:
    """A short digest by which a repeated request is told from another one under the same key."""
    told = blake2b(digest_size=12)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        told.update(len(data).to_bytes(8, "big") + data)
    return told.hexdigest()
