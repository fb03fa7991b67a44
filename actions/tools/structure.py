"""The structure of values that narrow schemas have no form for, told alike: a part of a JSON schema in, advice out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from actions.tools.plain import Schema

_COMPOSED: Final = frozenset({
    "$dynamicRef", "allOf", "contains", "dependentRequired", "dependentSchemas", "else", "if", "not", "oneOf",
    "patternProperties", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
})  # fmt: skip
UNFORMED: Final = _COMPOSED | {"prefixItems"}
"""Keywords that `unformed` speaks of."""


def same_items(node: Schema) -> Schema:
    """Return a tuple whose items are all of one kind as a list of that length; anything else as it is."""
    kinds = node.get("prefixItems")
    if not kinds or any(each != kinds[0] for each in kinds) or node.get("maxItems") != len(kinds):
        return node
    return {**{key: each for key, each in node.items() if key != "prefixItems"}, "items": kinds[0]}


def unformed(node: Schema) -> Iterator[tuple[str, str]]:
    """What of this part itself has no form in a narrow schema, and what its author can do."""
    composed = sorted(_COMPOSED & node.keys())
    for keyword in composed:
        yield f"{keyword} has no form there", "use plainer types, or a model with named fields"
    if node.get("type") == "array":
        if "prefixItems" in node:
            yield "a list with another kind at each place has no form there", "name its parts in a model"
        elif not node.get("items"):
            yield "a list of items of any kind has no form there", "say what its items are"
    elif node.get("type") == "object":
        if not composed and node.get("additionalProperties") is not False:
            yield "an object with any keys has no form there", "name its keys in a model"
    elif not (composed or node.keys() & {"$ref", "anyOf", "enum", "type"}):
        yield "a value of any kind has no form there", "say which types it takes"
