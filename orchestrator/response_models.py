"""A model of what a language model may answer now, for providers and libraries that speak in schemas, not in tools.

In: the actions that the state and the permissions of a conversation allow. Out: a pydantic model with `message` and a
list for each action, in which every further key is forbidden; and its instance as a body for `post_reply`. Arguments
stay as they came: whether they fit is judged call by call, as with every reply, so that one bad call spoils no other.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from pydantic import BaseModel, ConfigDict, Field, create_model

from actions.errors import DeclarationError
from actions.schema import parameters_schema
from orchestrator.offers import allowed

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.registry import Registry

MESSAGE: Final = "message"
"""The field with what the user reads."""
MOST_CALLS: Final = 128
"""Calls in one answer: as many as a reply may have."""

_POINTER: Final = "#/$defs/"
_DATA: Final = frozenset({"default", "const", "enum", "examples"})


class Response(BaseModel):
    """What a language model answers: a message, and for each action the calls that it asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action_names: ClassVar[Mapping[str, str]] = {}
    """The action behind each field, by the key that the field is read with."""
    answer_schema: ClassVar[Mapping[str, Any]] = {}
    """Its JSON schema."""

    message: str
    """What the user reads."""

    @classmethod
    def model_json_schema(cls, *_args: Any, **_options: Any) -> dict[str, Any]:
        """Return the JSON schema of an answer, closed at every level; pydantic's options change nothing about it."""
        return copy.deepcopy(dict(cls.answer_schema))

    def as_body(self) -> dict[str, Any]:
        """Return the answer as a body for `post_reply`, in the shape of OpenAI's chat completions.

        Calls of one action stand in their order, actions in that of the registry.
        """
        calls = [
            {"function": {"name": name, "arguments": arguments}}
            for key, name in self.action_names.items()
            for arguments in getattr(self, _field(key))
        ]
        numbered = [{"id": f"call_{at}", "type": "function", **call} for at, call in enumerate(calls)]
        message: dict[str, Any] = {"role": "assistant", "content": self.message}
        if numbered:
            message["tool_calls"] = numbered
        return {"choices": [{"message": message}]}


def response_model(
    registry: Registry,
    *,
    machine: str | None = None,
    state: str | None = None,
    permissions: Iterable[str] = (),
    offer: Any = True,
) -> type[Response]:
    """Return the model of what may be answered in this state.

    Each action that may be called now is one optional field, named by the action in small letters: a list with one
    object of arguments for each call, so that one answer may call an action several times. Actions for people alone and
    evaluators have none.

    Args:
        registry: the actions there are.
        machine: name of the conversation's state machine; None without one.
        state: the conversation's state now; None for the machine's first one.
        permissions: what the conversation's principal may do.
        offer: which actions to offer, as in `Registry.select`.

    Raises:
        UnknownAction: `offer` names what is no action.
        ConfigError: there is no such machine.
    """
    return _model_of(allowed(registry, machine=machine, state=state, permissions=permissions, offer=offer))


def _model_of(actions: list[Action]) -> type[Response]:
    names = {_key(each): each.name for each in actions}
    if len(names) < len(actions):
        raise DeclarationError("an action MESSAGE_CALL and one MESSAGE cannot be offered in one answer")
    fields: dict[str, Any] = {
        _field(key): (list[dict[str, Any]], Field(default_factory=list, alias=key, max_length=MOST_CALLS))
        for key in names
    }
    made = create_model("Response", __base__=Response, **fields)
    made.action_names = names
    made.answer_schema = _schema_of(actions)
    return made


def _key(action: Action) -> str:
    """The key of an action in an answer: its name in small letters."""
    key = action.name.lower()
    return f"{key}_call" if key == MESSAGE else key


def _field(key: str) -> str:
    """The attribute of a key; a name of its own, for an action may be called as a method of pydantic is."""
    return f"calls_of_{key}"


def _schema_of(actions: Iterable[Action]) -> dict[str, Any]:
    properties: dict[str, Any] = {MESSAGE: {"type": "string", "description": "What the user reads."}}
    definitions: dict[str, Any] = {}
    for each in actions:
        key = _key(each)
        arguments = parameters_schema(each)
        for name, shape in arguments.pop("$defs", {}).items():
            definitions[f"{key}.{name}"] = _pointed(shape, key)
        properties[key] = {
            "type": "array",
            "description": each.description,
            "maxItems": MOST_CALLS,
            "items": _pointed(arguments, key),
        }
    schema = {
        "type": "object",
        "properties": properties,
        "required": [MESSAGE],
        "additionalProperties": False,
    }
    return schema | ({"$defs": definitions} if definitions else {})


def _pointed(node: Any, key: str) -> Any:
    """A part of one action's schema, whose references lead to the definitions under this action's name."""
    if isinstance(node, list):
        return [_pointed(each, key) for each in node]
    if not isinstance(node, dict):
        return node
    shape = cast("dict[str, Any]", node)
    return {
        name: f"{_POINTER}{key}.{value.removeprefix(_POINTER)}"
        if name == "$ref" and isinstance(value, str)
        else value
        if name in _DATA
        else _pointed(value, key)
        for name, value in shape.items()
    }
