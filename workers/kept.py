"""Arguments that are read once for a run, and again and again: they have to become the same params each time.

In: what a model, a hook or another result gave, and the params that it became. Out: arguments that become these very
params whenever they are read, as the text that a run keeps; or a HookFailed. Kept is what was given, not what it
became: so a rule that converts (euros to cents) never meets its own result. Only what nobody gave and what may be
another one the next time (a new id, the time) is added, in its place, however deep.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, RootModel
from pydantic_core import from_json, to_json

from actions.canonical import canonical, keys_of, plain
from actions.errors import HookFailed, InvalidArguments
from actions.params import bind
from orchestrator.digests import arguments_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actions.definition import Action


def settled(action: Action, given: dict[str, Any], params: BaseModel) -> tuple[dict[str, Any], BaseModel]:
    """Arguments that become the same as these params each time, and what they became.

    Raises:
        HookFailed: there are none: something in them is another one each time, or is not what its own form is read as.
    """
    told = _told(params)
    again: BaseModel | None = None
    read: BaseModel | None = None
    for only_changing in (False, True):
        if only_changing and (again := valid(action, given)) is None:
            break
        kept = _filled(params, given, again)
        read = valid(action, kept)
        if read is not None and told is not None and _told(read) == told and _kinds(read) == _kinds(params):
            return kept, read
    raise HookFailed(_other(action, params, read or again))


def text_of(action: Action, kept: dict[str, Any], params: BaseModel) -> str:
    """What a run keeps: arguments, and the digest of the params that they have to become."""
    return to_json({"arguments": kept, "digest": arguments_digest(action, params)}).decode()


def read_again(action: Action, text: str) -> BaseModel:
    """The params of a run that kept this.

    Raises:
        HookFailed: they are not those that were kept.
        InvalidArguments: the action does not take them any more.
    """
    kept = from_json(text)
    params = bind(action, kept["arguments"])
    if _told(params) is None or arguments_digest(action, params) != kept["digest"]:
        raise HookFailed(_other(action, params, None))
    return params


def overlaid(given: Any, before: Any, after: Any, *, deep: bool) -> Any:
    """What was given, with what is another one after than before: what stayed is left as it was given.

    Args:
        given: what was given; a key that was there before and is gone afterwards is gone from it.
        before: what it became, plain.
        after: what was made of that, plain.
        deep: whether to look inside objects and lists, else a part that is another one is taken as a whole.
    """
    if isinstance(given, dict) and isinstance(before, dict) and isinstance(after, dict):
        found = {
            key: value for key, value in given.items() if key not in before
        }  # what a validator reads itself
        for key, value in after.items():
            if key in given and key in before:
                found[key] = _laid(given[key], before[key], value, deep=deep)
            elif key not in before or unlike(before[key], value):
                found[key] = value
        return found
    lists = isinstance(given, list) and isinstance(before, list) and isinstance(after, list)
    if lists and len(given) == len(before):
        parts = zip(given, before, after, strict=False)
        return [*(_laid(*each, deep=deep) for each in parts), *after[len(given) :]]
    return after


def _laid(given: Any, before: Any, after: Any, *, deep: bool) -> Any:
    if not unlike(before, after):
        return given
    return overlaid(given, before, after, deep=deep) if deep else after


def holds(whole: Any, part: Any) -> bool:
    """Whether all that stands in `part` stands in `whole`, which may have more keys."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return not unlike(whole, part)


def by_keys(action: Action, told: dict[str, Any]) -> dict[str, Any]:
    """The same values, by the keys that they are read with; a dump of params has the names of their fields."""
    keys: dict[str, str] = {}
    for name, field in action.params.model_fields.items():
        first, *others = keys_of(name, field)
        keys |= dict.fromkeys((first, *others), first)
    return {keys.get(key, key): value for key, value in told.items()}


def valid(action: Action, given: dict[str, Any]) -> BaseModel | None:
    """The params that these become, None if they do not fit."""
    try:
        return bind(action, given)
    except InvalidArguments:
        return None


def unlike(one: Any, other: Any) -> bool:
    """Whether two values are not equal, plain or not; what has no JSON form equals nothing."""
    try:
        return canonical(one) != canonical(other)
    except (ValueError, RecursionError):
        return True


def _told(params: BaseModel) -> str | None:
    """What equal params have in common; None if they hold what JSON has no form for."""
    try:
        return canonical(params)
    except (ValueError, RecursionError):
        return None


def _kinds(value: Any) -> Any:
    """Of what types all in it is: a time may be read again as a text that looks the same."""
    if isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type)):
        return type(value), [_kinds(getattr(value, name, None)) for name, _, _ in _fields_of(value, None)]
    if isinstance(value, dict):
        return [_kinds(each) for each in value.values()]
    if isinstance(value, list | tuple):
        return type(value), [_kinds(each) for each in value]
    return float if type(value) is int else type(value)


def _filled(value: Any, given: Any, again: Any) -> Any:
    """What was given, with what nobody gave of a value that it became.

    Args:
        value: what it became.
        given: what was given.
        again: what it became when it was read again: only what is another one there is added. None: all is.
    """
    if isinstance(value, RootModel):
        return _filled(value.root, given, again.root if isinstance(again, RootModel) else None)
    if isinstance(given, dict) and (isinstance(value, BaseModel) or is_dataclass(value)):
        found = dict(given)
        for name, keys, made in _fields_of(value, given):
            mine, other = getattr(value, name, None), getattr(again, name, None)
            if made:
                if again is None or unlike(mine, other):
                    found[keys[0]] = _spelled(mine, other)
            elif (key := next((key for key in keys if key in found), None)) is not None:
                found[keys[0]] = _filled(mine, found.pop(key), other)
        return found
    if isinstance(given, dict) and isinstance(value, dict) and len(given) == len(value):
        others = _like(again, value)
        return {
            key: _filled(mine, inner, other)
            for (key, inner), mine, other in zip(given.items(), value.values(), others, strict=True)
        }
    if isinstance(given, list) and isinstance(value, list | tuple) and len(given) == len(value):
        others = _like(again, value)
        return [_filled(mine, inner, other) for inner, mine, other in zip(given, value, others, strict=True)]
    return given


def _like(again: Any, value: Any) -> list[Any]:
    """The other items, one for each of a list or a mapping."""
    if isinstance(again, type(value)) and len(again) == len(value):
        return list(again.values() if isinstance(again, dict) else again)
    return [None] * len(value)


def _fields_of(value: Any, given: dict[str, Any] | None) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """The fields of a model or dataclass: name, keys, and whether the value was made because nobody gave one."""
    declared = getattr(type(value), "__pydantic_fields__", None) or {
        each.name: each for each in fields(value)
    }
    for name, field in declared.items():
        keys = keys_of(name, field)
        if isinstance(value, BaseModel):
            was_given = name in value.model_fields_set
        else:
            was_given = given is None or any(key in given for key in keys)
        has_maker = field.default_factory is not None and field.default_factory is not MISSING
        yield name, keys, has_maker and not was_given


def _spelled(value: Any, again: Any) -> Any:
    """A value that was made, as it can be given: of a model what was set or made, the rest is the same again."""
    if isinstance(value, BaseModel) and not isinstance(value, RootModel):
        found = {}
        for name, keys, made in _fields_of(value, None):
            mine, other = getattr(value, name, None), getattr(again, name, None)
            if name in value.model_fields_set or (made and (again is None or unlike(mine, other))):
                found[keys[0]] = _spelled(mine, other)
        return found
    if isinstance(value, list | tuple):
        return [_spelled(*each) for each in zip(value, _like(again, value), strict=True)]
    return plain(value)


def _other(action: Action, params: BaseModel, read: BaseModel | None) -> str:
    changing = (
        []
        if read is None
        else [
            name for name in type(params).model_fields if unlike(getattr(params, name), getattr(read, name))
        ]
    )
    which = f" ({', '.join(changing)})" if changing else ""
    return (
        f"the arguments of {action.name} became other ones when they were read again{which}, and it was not run with "
        "those: what its validators and defaults make of the same arguments has to be the same each time"
    )
