"""How strictly arguments become params: nothing unknown, nothing lost.

In: a params model's own core schema. Out: a validator that refuses unknown keys at every level and coerces
without loss only; a strict action takes no coercion at all. The rules are written into a copy of the
schema, so they also hold inside nested models, lists and unions, and no model is changed. Null for what may be
left out and takes no null means that it is left out: some models have to write every key (`actions.absent`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic_core import SchemaValidator

from actions import absent, scalars
from actions.errors import DeclarationError

BRANCH: Final = "\x00"
"""Begins those parts of an error's location that name a branch of a union, not a key."""

Node = dict[str, Any]

_SCALARS: Final[dict[str, Callable[[Any], Any]]] = {
    "bool": scalars.boolean,
    "float": scalars.number,
    "int": scalars.integer,
}
_SHAPES: Final = {
    "bytes": "a text",
    "date": "a date such as '2025-01-31'",
    "datetime": "a date and time such as '2025-01-31T13:45:00Z'",
    "multi-host-url": "a URL",
    "time": "a time such as '13:45:00'",
    "timedelta": "a duration such as 'PT1H30M'",
    "url": "a URL",
    "uuid": "a UUID",
}
_WRITTEN: Final = {
    **dict.fromkeys(("frozenset", "list", "set", "tuple"), "[]"),
    **dict.fromkeys(("dataclass", "dict", "model", "tagged-union", "typed-dict"), "{}"),
}
"""What some models write as a text that holds JSON; the first and the last character of that text."""
_CLOSED: Final = frozenset({"dataclass", "dataclass-args", "model", "model-fields", "typed-dict"})
_INSIDE: Final = (
    "schema", "items_schema", "keys_schema", "values_schema", "extras_schema", "arguments_schema",
    "lax_schema", "strict_schema", "choices", "fields", "steps", "definitions",
)  # fmt: skip


def binder(model: type[BaseModel], *, strict: bool) -> Callable[[Any], BaseModel]:
    """Return the function that turns arguments into this model, or raises pydantic's ValidationError.

    Raises:
        DeclarationError: when the model, or one inside it, asks to let unknown keys pass.
    """
    schema = _Tightening(strict=strict).of(cast("Node", model.__pydantic_core_schema__))
    # Without the switch, pydantic takes the ready validators of nested models, which do not know our rules.
    validator = SchemaValidator(cast("Any", schema), _use_prebuilt=False)
    return cast("Callable[[Any], BaseModel]", validator.validate_python)


class _Tightening:
    """A walk over a core schema; every method returns a tightened copy of its node."""

    def __init__(self, *, strict: bool, named: list[Node] | None = None) -> None:
        self.strict = strict
        self.named: list[Node] = [] if named is None else named
        """The definitions that nodes point to, tightened; known when all is walked."""

    def of(self, node: Node) -> Node:
        """Choose by the node's type."""
        kind = str(node.get("type"))
        tight = _RULES.get(kind, _Tightening.inner)(self, node)
        exact = self.strict or node.get("strict") or (node.get("config") or {}).get("strict")
        if kind not in _WRITTEN or exact or node.get("root_model"):
            return tight
        return _before(scalars.from_text(_WRITTEN[kind]), tight)

    def inner(self, node: Node) -> Node:
        copy = _unreferenced(node)
        for key in _INSIDE:
            inside = node.get(key)
            if isinstance(inside, list):
                copy[key] = [self.item(item) for item in inside]
            elif isinstance(inside, dict) and key in {"fields", "choices"}:  # by name
                named = cast("dict[Any, Node]", inside)
                copy[key] = {name: self.item(item) for name, item in named.items()}
            elif isinstance(inside, dict):
                copy[key] = self.of(cast("Node", inside))
        return copy

    def item(self, item: Any) -> Any:
        if isinstance(item, tuple):  # a choice of a union, with its label
            choice, label = cast("tuple[Node, str]", item)
            return (self.of(choice), label)
        return self.of(cast("Node", item)) if isinstance(item, dict) else item

    def definitions(self, node: Node) -> Node:
        copy = self.inner(node)
        for new, old in zip(copy["definitions"], node["definitions"], strict=True):
            new["ref"] = old["ref"]  # only these are pointed to
        self.named += copy["definitions"]
        return copy

    def closed(self, node: Node) -> Node:
        """Close a model, dataclass or typed dict against unknown keys."""
        config: Node = node.get("config") or {}
        if "allow" in {config.get("extra_fields_behavior"), node.get("extra_behavior")}:
            owner = getattr(node.get("cls"), "__name__", node.get("cls_name") or node.get("model_name"))
            raise DeclarationError(
                f"{owner} lets unknown keys pass; arguments are strict: remove extra='allow'"
            )
        walk = _Tightening(strict=True, named=self.named) if config.get("strict") else self
        copy = walk.inner(node)
        if node["type"] in {"model", "dataclass"}:  # these hold one of the others
            return copy
        copy["extra_behavior"] = "forbid"
        leave_out = absent.nulls_of(copy["fields"], self.named)
        return _before(leave_out, copy) if leave_out is not None else copy

    def scalar(self, node: Node) -> Node:
        """Put a check that coerces without loss before the scalar's own strict validation."""
        exact = {**_unreferenced(node), "strict": True}
        if node["type"] == "float":
            exact["allow_inf_nan"] = False
        return exact if self.strict or node.get("strict") else _before(_SCALARS[node["type"]], exact)

    def choice(self, node: Node) -> Node:
        values = [getattr(each, "value", each) for each in node.get("members") or node["expected"]]
        if all(isinstance(value, str) for value in values):
            return _unreferenced(node)
        return _before(scalars.choice(values, strict=self.strict), node)

    def exact_union(self, node: Node) -> Node:
        choices = [self.item(item) for item in node["choices"]]
        return {**_unreferenced(node), "choices": [_labelled(choice) for choice in choices]}

    def shaped(self, node: Node) -> Node:
        """Keep numbers away from what is written as a text."""
        return _before(scalars.shape(_SHAPES[node["type"]]), node)

    def from_json(self, node: Node) -> Node:
        """Arguments are JSON, also when they are Python objects by now."""
        return self.of(node["json_schema"])

    def decimal(self, node: Node) -> Node:
        """Numbers and their texts, none of which a Decimal changes."""
        return _before(scalars.decimal, node)

    def anything(self, node: Node) -> Node:
        """Any JSON without infinite numbers."""
        return _before(scalars.finite, node)

    def union(self, node: Node) -> Node:
        """Try every branch as it is before any branch coerces: "5" stays a text where texts are welcome."""
        if self.strict:
            return self.exact_union(node)
        ways = (_Tightening(strict=True, named=self.named).exact_union(node), self.exact_union(node))
        return {"type": "union", "mode": "left_to_right", "choices": [(way, f"{BRANCH}way") for way in ways]}


def _labelled(choice: Any) -> tuple[Node, str]:
    node = cast("Node", choice[0] if isinstance(choice, tuple) else choice)
    return (node, f"{BRANCH}{node.get('type')}")


def _unreferenced(node: Node) -> Node:
    return {key: value for key, value in node.items() if key != "ref"}


def _before(check: Callable[[Any], Any], node: Node) -> Node:
    function = {"type": "no-info", "function": check}
    return {"type": "function-before", "function": function, "schema": _unreferenced(node)}


_RULES: Final[dict[str, Callable[[_Tightening, Node], Node]]] = {
    **dict.fromkeys(_SCALARS, _Tightening.scalar),
    **dict.fromkeys(_SHAPES, _Tightening.shaped),
    **dict.fromkeys(_CLOSED, _Tightening.closed),
    "any": _Tightening.anything,
    "decimal": _Tightening.decimal,
    "definitions": _Tightening.definitions,
    "enum": _Tightening.choice,
    "json-or-python": _Tightening.from_json,
    "literal": _Tightening.choice,
    "union": _Tightening.union,
}
