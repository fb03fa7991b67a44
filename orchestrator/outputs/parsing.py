"""A model's text becomes an object of the wanted form, without asking anybody: JSON, keys, then lossless validation.

In: a text, and a pydantic model or the keys that an object shall have. Out: `Parsed`, or `UnfitOutput` with a short
reason that the model may read. Values are coerced as arguments of actions are: "5" is 5 where an integer is wanted,
"5 pieces" is none. Keys of models inside the model are matched as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from actions.coercion import binder
from actions.wording import worded
from orchestrator.outputs.keys import STANDARD, KeyRules, KeysMatched, Policy, keys_of, match_keys
from orchestrator.outputs.unfit import UnfitKeys, UnfitOutput
from orchestrator.outputs.values import json_in

if TYPE_CHECKING:
    from collections.abc import Callable

Target = type[BaseModel] | BaseModel | Iterable[str] | Mapping[str, Any]
"""What is wanted: a pydantic model (or an instance of it, whose class counts), or the keys of an object."""

_UNIONS: Final = (Union, UnionType)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text was made into."""

    value: Any
    """An instance of the model; for keys, an object that has them."""
    mended: tuple[str, ...] = ()
    """What was mended to read its JSON, in words."""
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Which key, at the top, was read as which."""


@dataclass(frozen=True, slots=True)
class _Taking:
    keys: tuple[str, ...]
    params: type[BaseModel]


def parse_text(text: str, target: Target, rules: KeyRules = STANDARD) -> Parsed:
    """Return what the text holds in the wanted form.

    Args:
        text: what a model wrote.
        target: the form.
        rules: how keys are matched; of a model, what is surplus is dropped in any case, unless it is to raise, and
            `fill_value` fills what has no default.

    Raises:
        UnfitOutput: it holds no JSON object, its keys do not match, or its values are not what is wanted.
        DeclarationError: the target or a rule is wrong.
    """
    model = model_of(target)
    found = json_in(text, "any" if model is not None and issubclass(model, RootModel) else "object")
    if model is not None and issubclass(model, RootModel):
        return Parsed(_validated(found.value, model), found.mended)
    try:
        if model is None:
            matched = match_keys(found.value, keys_of(target), rules)
            return Parsed(matched.value, found.mended, matched.renamed)
        value, matched = _shaped(found.value, model, rules)
    except UnfitKeys as error:
        error.found = found.value
        raise
    return Parsed(_validated(value, model), found.mended, matched.renamed)


def model_of(target: Target) -> type[BaseModel] | None:
    """The pydantic model that is wanted; None if keys are."""
    if isinstance(target, BaseModel):
        return type(target)
    return target if isinstance(target, type) and issubclass(target, BaseModel) else None


def _shaped(
    given: Mapping[str, Any], model: type[BaseModel], rules: KeyRules
) -> tuple[dict[str, Any], KeysMatched]:
    """The object under the model's keys, and so each object inside it that is to be a model."""
    policy: Policy = "raise" if rules.handle_unmatched == "raise" else "remove"
    mapping = dict(rules.fill_mapping or {})
    matched = match_keys(given, model, replace(rules, handle_unmatched=policy))
    value = matched.value
    fields = dict(zip(keys_of(model), model.model_fields.values(), strict=True))
    if rules.handle_unmatched in {"fill", "force"}:
        for key in matched.missing:
            if key in mapping:
                value[key] = mapping[key]
            elif rules.fill_value is not None and fields[key].is_required():
                value[key] = rules.fill_value
    inner = replace(rules, handle_unmatched=policy, fill_value=None, fill_mapping=None)
    for key in value.keys() & fields.keys():
        value[key] = _deep(value[key], fields[key].annotation, inner)
    return value, matched


def _deep(value: Any, kind: Any, rules: KeyRules) -> Any:
    """The value with the keys of the models inside it matched, as far as their place is certain."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _deep(value, inside[0], rules)
    if origin in _UNIONS:
        several = [each for each in inside if each is not type(None)]
        return _deep(value, several[0], rules) if len(several) == 1 else value
    if isinstance(value, dict) and _is_kind(kind, BaseModel) and not _is_kind(kind, RootModel):
        return _shaped(value, kind, rules)[0]
    if isinstance(value, list) and _is_kind(origin, Iterable) and len(inside) - (... in inside) == 1:
        value = [_deep(each, inside[0], rules) for each in value]
    elif isinstance(value, dict) and _is_kind(origin, Mapping):
        value = {key: _deep(each, inside[1], rules) for key, each in value.items()}
    return value


def _is_kind(kind: Any, parent: type[Any]) -> bool:
    return isinstance(kind, type) and issubclass(kind, parent)


@lru_cache(maxsize=256)
def _binder(model: type[BaseModel]) -> Callable[[Any], BaseModel]:
    return binder(model, strict=False)


def _validated(value: Any, model: type[BaseModel]) -> BaseModel:
    try:
        return _binder(model)(value)
    except ValidationError as error:
        text, _ = worded(_Taking(keys_of(model), model), error)
        raise UnfitOutput(text, value if isinstance(value, dict) else None) from None
    except RecursionError:
        raise UnfitOutput("the value is nested too deep") from None
