"""Effects that a handler returns beside its result.

Out of a handler: `Result(value, (directive, ...))`, or just a value when there is nothing beside it.
Directives are applied in the same step that records the result: all of them or none, and never when the
attempt came too late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Transition:
    """Move the conversation to another state, if its state is still the one this was decided on."""

    target: str
    """The state to move to, as its machine spells it."""
    revision: int
    """`ConversationView.revision` when the handler decided; another one by now is a `state_conflict`."""


@dataclass(frozen=True, slots=True)
class SetContext:
    """Write one value of the conversation's context; the last writer wins."""

    key: str
    """The context's own key. Give parallel calls keys of their own, for example "user_info.name"."""
    value: Any
    """Any JSON value, null and empty ones too."""


@dataclass(frozen=True, slots=True)
class AppendContext:
    """Put one value at the end of a JSON list in the context; parallel calls lose nothing."""

    key: str
    """The context's own key; the list is made when there is none."""
    value: Any
    """Any JSON value."""


@dataclass(frozen=True, slots=True)
class Complete:
    """End the conversation: it is completed, and no further round follows."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Ask the model again after this round, although the format of its reply would not."""


Directive = Transition | SetContext | AppendContext | Complete | Continue


@dataclass(frozen=True, slots=True)
class Result:
    """A handler's value together with its directives."""

    value: Any
    """What the model is told; any value with a JSON form."""
    directives: tuple[Directive, ...] = ()
    """Applied in this order, in one step with the result."""

    def __post_init__(self) -> None:
        given: object = self.directives
        if not isinstance(given, tuple) or not all(isinstance(each, Directive) for each in self.directives):
            raise TypeError(f"directives has to be a tuple of directives, not {given!r}")
