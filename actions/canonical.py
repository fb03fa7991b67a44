"""A value as plain JSON data, and as one text that equal values share.

In: validated params or a part of them. Out: what a caller could have written to get them, with secrets as they are and
unchanged by serializers, so that two different values never look the same. For keys and digests, never for people.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

from pydantic import AliasChoices, BaseModel, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python


def plain(value: Any) -> Any:
    """Return the value as JSON data, models by the keys that they are read with."""
    if value is None or type(value) in {str, bool, int, float}:
        return value
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return to_jsonable_python(value, fallback=repr)


def canonical(value: Any) -> str:
    """Return one text for all equal values: JSON with sorted keys and without spaces, whole numbers without a point."""
    return json.dumps(_whole(plain(value)), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _whole(value: Any) -> Any:
    """A default may be 1 where an argument is 1.0: they are the same number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _model(value: BaseModel) -> dict[str, Any]:
    declared = type(value).model_fields
    own = {
        keys_of(name, declared[name])[0]: plain(item)
        for name, item in value.__dict__.items()
        if name in declared
    }
    return {**_mapping(value.model_extra), **own} if value.model_extra else own


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {_text_key(key): plain(item) for key, item in value.items()}


def _set(value: AbstractSet[Any]) -> list[Any]:
    """In an order of their texts, for a set has none."""
    return sorted(map(plain, value), key=canonical)


def _bytes(value: bytes) -> str | dict[str, str]:
    """Bytes as the text that they are; others, which no text looks like, as an object."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}


def keys_of(name: str, field: Any) -> tuple[str, ...]:
    """The keys that a field can be given by (the field as its model declares it), the first of them counts most."""
    alias = getattr(field, "validation_alias", None) or getattr(field, "alias", None)
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return (*(choice for choice in choices if isinstance(choice, str)), name)


def _text_key(key: Any) -> str:
    found = plain(key)
    return found if isinstance(found, str) else canonical(found)


_FORMS: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    (BaseModel, _model),
    (SecretStr | SecretBytes, lambda value: plain(value.get_secret_value())),
    (Enum, lambda value: plain(value.value)),
    (Mapping, _mapping),
    (list | tuple, lambda value: [plain(item) for item in value]),
    (bytes | bytearray, lambda value: _bytes(bytes(value))),
    (AbstractSet, _set),
)
