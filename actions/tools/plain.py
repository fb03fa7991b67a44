"""A tool before it is anybody's: an Action in; its name, description and arguments as JSON schema out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from actions.schema import parameters_schema

if TYPE_CHECKING:
    from actions.definition import Action

Schema = dict[str, Any]
Tool = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """What a provider would refuse or not understand, and what to do about it."""

    action: str
    """The name of the tool; empty for what concerns all of them together."""
    field: str
    """The way to the argument, as in `legs[].side`; empty for the tool itself."""
    text: str
    """What does not fit, what was done about it, what its author can do."""

    def told(self) -> dict[str, str]:
        """It as JSON data."""
        return asdict(self)

    def __str__(self) -> str:
        where = ".".join(part for part in (self.action, self.field) if part)
        return f"{where}: {self.text}" if where else self.text


@dataclass(frozen=True, slots=True)
class Plain:
    """What every provider is told of an action, whatever its words for it."""

    name: str
    """By which a model calls it."""
    description: str
    """What a model reads about it."""
    parameters: Schema
    """Its arguments as JSON schema, a copy to keep."""
    uses: Mapping[str, str]
    """Arguments that may be left out because an earlier result fills them."""

    @classmethod
    def of(cls, action: Action) -> Plain:
        """Return an action as a tool of nobody's."""
        return cls(action.name, action.description, parameters_schema(action), action.uses)

    @property
    def definitions(self) -> Mapping[str, Schema]:
        """The parts of the schema that are referred to: those that hold themselves."""
        found: Mapping[str, Schema] = self.parameters.get("$defs", {})
        return found
