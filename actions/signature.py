"""A handler's signature as a params model.

In: a function, or a function and the model it was declared with. Out: the model that its arguments become,
and how to call it with one. What a call could never fill (`*args`, positional-only parameters, annotations
that mean nothing) is refused here, when the action is declared.
"""

from __future__ import annotations

import functools
import inspect
import typing
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import SchemaError

from actions.context import ActionContext
from actions.errors import DeclarationError

_UNFILLABLE: Final = {
    inspect.Parameter.VAR_POSITIONAL: "takes any number of values (*): name each parameter",
    inspect.Parameter.VAR_KEYWORD: "takes any keyword (**): name each parameter",
    inspect.Parameter.POSITIONAL_ONLY: "is positional-only (/): arguments come by name",
}
_INFERRED: Final = (bool, int, float, str, list, dict)
_BAD_TYPE: Final = (PydanticUserError, SchemaError, TypeError)


@dataclass(frozen=True, slots=True)
class Signature:
    """How a handler is called."""

    params: type[BaseModel]
    """What its arguments are validated into."""
    keys: tuple[str, ...]
    """The keys that arguments may have: names, or aliases where the model has them."""
    names: tuple[str, ...]
    """The parameters that take one field each; empty when `whole` takes them all."""
    whole: str | None
    """The one parameter that takes the model as it is."""
    context: str | None
    """The parameter that takes the ActionContext."""


def read(
    action: str, handler: Callable[..., Any], model: type[BaseModel] | None, explained: Mapping[str, str]
) -> Signature:
    """Read a handler's signature; `explained` has the docstring's text for each parameter.

    Raises:
        DeclarationError: when no call could fill a parameter; says which and what to change.
    """
    parameters = _parameters(action, handler)
    hints = _hints(action, handler, parameters)
    context = _context(action, parameters, hints)
    parameters = {name: each for name, each in parameters.items() if name != context}
    if model is None:
        made = _model(action, parameters, hints, explained)
        return Signature(made, _keys(made), tuple(parameters), None, context)
    _complete(action, model)
    if len(parameters) == 1:
        (only,) = parameters
        if hints.get(only) is model or (only not in hints and only not in model.model_fields):
            return Signature(model, _keys(model), (), only, context)
    _agree(action, model, parameters)
    return Signature(model, _keys(model), tuple(parameters), None, context)


def _parameters(action: str, handler: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        parameters = dict(inspect.signature(handler).parameters)
    except (TypeError, ValueError):
        raise DeclarationError(f"{action}: {handler!r} shows no signature: wrap it in a function") from None
    for name, each in parameters.items():
        if each.kind in _UNFILLABLE:
            raise DeclarationError(f"{action}: parameter {name!r} {_UNFILLABLE[each.kind]}")
    first = next(iter(parameters), None)
    if first in {"self", "cls"} and parameters[first].annotation is inspect.Parameter.empty:
        raise DeclarationError(
            f"{action}: {first!r} would have to be filled by the model: declare a function, or a bound method"
        )
    return parameters


def _hints(
    action: str, handler: Callable[..., Any], parameters: Mapping[str, inspect.Parameter]
) -> dict[str, Any]:
    """Resolve each annotation by itself, so that a wrong one can be named."""
    hints: dict[str, Any] = {}
    names = getattr(_function(handler), "__globals__", {})
    for name, each in parameters.items():
        if each.annotation is inspect.Parameter.empty:
            continue
        if _means_context(each.annotation):
            hints[name] = ActionContext
            continue
        holder = SimpleNamespace(__annotations__={name: each.annotation})
        try:
            hints[name] = typing.get_type_hints(holder, names, include_extras=True)[name]
        except Exception as error:
            raise DeclarationError(
                f"{action}: the annotation {each.annotation!r} of parameter {name!r} cannot be resolved "
                f"({error}): import what it names where the function's module can see it at run time"
            ) from error
    return hints


def _function(handler: Any) -> Any:
    """Return the plain function behind partials, wrappers, methods and callable objects."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    handler = inspect.unwrap(handler)
    if not inspect.isroutine(handler):
        handler = type(handler).__call__
    return getattr(handler, "__func__", handler)


def _means_context(annotation: Any) -> bool:
    """Know the context also where its import is for type checkers only."""
    if isinstance(annotation, str):
        named = annotation.strip("'\" ").removesuffix("| None").rstrip().rpartition(".")[2]
        return named == "ActionContext"
    return annotation is ActionContext or ActionContext in typing.get_args(annotation)


def _context(action: str, parameters: Mapping[str, Any], hints: Mapping[str, Any]) -> str | None:
    found = [name for name in parameters if hints.get(name) is ActionContext]
    if "ctx" in parameters and "ctx" not in found:
        if hints.get("ctx", Any) not in (Any, object):
            raise DeclarationError(
                f"{action}: ctx is the context's name: annotate it ActionContext or rename it"
            )
        found.append("ctx")
    if len(found) > 1:
        raise DeclarationError(f"{action}: {' and '.join(found)} all take the context: keep one")
    return found[0] if found else None


def _model(
    action: str,
    parameters: Mapping[str, inspect.Parameter],
    hints: Mapping[str, Any],
    explained: Mapping[str, str],
) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, each in parameters.items():
        kind = hints[name] if name in hints else _inferred(each.default)
        default = ... if each.default is inspect.Parameter.empty else each.default
        _usable(action, name, kind, default)
        text = explained.get(name)
        fields[name] = (
            kind if text is None or _described(kind) else Annotated[kind, Field(description=text)],
            default,
        )
    config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
    try:
        with warnings.catch_warnings():  # a parameter may well be called "copy" or "json"
            warnings.filterwarnings("ignore", message=".*shadows an attribute.*")
            return create_model(_title(action), __config__=config, **fields)
    except (NameError, ValueError, *_BAD_TYPE) as error:
        raise DeclarationError(f"{action}: its parameters make no model: {error}") from error


def _title(action: str) -> str:
    return "".join(part.capitalize() for part in action.split("_")) + "Params"


def _inferred(default: Any) -> Any:
    """A parameter without an annotation is a text, or what its default is."""
    if default is None:
        return str | None
    return type(default) if type(default) in _INFERRED else str


def _described(kind: Any) -> bool:
    parts = getattr(kind, "__metadata__", ())
    return any(isinstance(part, FieldInfo) and part.description for part in parts)


def _usable(action: str, name: str, kind: Any, default: Any) -> None:
    """Refuse a type that JSON cannot fill, and a default that its own type would refuse."""
    try:
        adapter = TypeAdapter[Any](kind)
        adapter.json_schema()
    except _BAD_TYPE as error:
        raise DeclarationError(
            f"{action}: parameter {name!r} has the type {kind!r}, which no JSON value can be "
            f"({str(error).splitlines()[0]}): use a plain type or a pydantic model"
        ) from error
    if default is ... or isinstance(default, FieldInfo):
        return
    try:
        adapter.validate_python(default, strict=True)  # pydantic takes defaults as they are
    except ValidationError:
        wish = " (say so in the type: `... | None`)" if default is None else ""
        raise DeclarationError(
            f"{action}: the default {default!r} of parameter {name!r} does not fit its type{wish}"
        ) from None


def _complete(action: str, model: Any) -> None:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise DeclarationError(f"{action}: params has to be a pydantic model class, not {model!r}")
    if model.__pydantic_root_model__:
        raise DeclarationError(
            f"{action}: {model.__name__} is a RootModel; arguments have names: give it fields"
        )
    try:
        model.model_rebuild()
        model.model_json_schema()
    except (NameError, *_BAD_TYPE) as error:
        raise DeclarationError(f"{action}: the model {model.__name__} is not complete: {error}") from error


def _agree(action: str, model: type[BaseModel], parameters: Mapping[str, inspect.Parameter]) -> None:
    fields = set(model.model_fields)
    if extra := fields - set(parameters):
        raise DeclarationError(
            f"{action}: the handler has no parameter for {', '.join(sorted(extra))} of {model.__name__}: "
            f"add it, or take the model whole in one parameter annotated {model.__name__}"
        )
    if missing := set(parameters) - fields:
        raise DeclarationError(
            f"{action}: {model.__name__} has no field for {', '.join(sorted(missing))}: add it"
        )


def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    aliases = ((name, field.validation_alias or field.alias) for name, field in model.model_fields.items())
    return tuple(alias if isinstance(alias, str) else name for name, alias in aliases)
