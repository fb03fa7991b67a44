"""Effects that a handler returns beside its result.

Out of a handler: `Result(value, (directive, ...))`, or just a value when there is nothing beside it.
Directives are applied in the same step that records the result: all of them or none, and never when the
attempt came too late. A failure may carry them too: `Fail(reason, (directive, ...))`. What is wrong with one is an
error where it is made, in the handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast
from unicodedata import category

PARTICIPANT_STATES: Final = ("", "followed", "muted")
"""What a participant can be to a conversation; "" is neutral."""
_LONGEST_KEY: Final = 200
_CONTROL: Final = "Cc"
"""Unicode's category of control characters."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Move the conversation to another state, if its state is still the one this was decided on."""

    target: str
    """The state to move to, as its machine spells it."""
    revision: int
    """`ConversationView.revision` when the handler decided; another one by now is a `state_conflict`."""

    def __post_init__(self) -> None:
        _check_text("Transition", "target", self.target)
        revision: object = self.revision
        if not isinstance(revision, int) or isinstance(revision, bool):
            raise TypeError(f"Transition: revision has to be an int, not {type(revision).__name__}")
        if revision < 0:
            raise ValueError("Transition: revision has to be 0 or more, as ConversationView.revision is")


@dataclass(frozen=True, slots=True)
class SetContext:
    """Write one value of the conversation's context; the last writer wins."""

    key: str
    """The context's own key. Give parallel calls keys of their own, for example "user_info.name"."""
    value: Any
    """Any JSON value, null and empty ones too."""

    def __post_init__(self) -> None:
        _check_text("SetContext", "key", self.key)


@dataclass(frozen=True, slots=True)
class AppendContext:
    """Put one value at the end of a JSON list in the context; parallel calls lose nothing."""

    key: str
    """The context's own key; the list is made when there is none."""
    value: Any
    """Any JSON value."""

    def __post_init__(self) -> None:
        _check_text("AppendContext", "key", self.key)


@dataclass(frozen=True, slots=True)
class Complete:
    """End the conversation: it is completed, and no further round follows. A later message opens it again."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Ask the model again after this round, although the format of its reply would not."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Run another action after this one; this one's result then holds that one's, and is told when both are there.

    It is planned, allowed and validated as if the model had called it. Follow-ups may have follow-ups, down to the
    fifth; one with an action and arguments that already stand above it is refused, for it would go round for ever.
    """

    action: str
    """The action's name or simile."""
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    """Its arguments: any JSON values by name."""

    def __post_init__(self) -> None:
        _check_text("FollowUp", "action", self.action)
        given: object = self.arguments
        if not isinstance(given, Mapping):
            raise TypeError(f"FollowUp: arguments has to be a dict, not {type(given).__name__}")
        if wrong := [key for key in given if not isinstance(key, str)]:
            raise TypeError(f"FollowUp: arguments are named by texts, not by {wrong[0]!r:.40}")
        kept = dict(given)  # what the handler changes in it later is not meant
        object.__setattr__(self, "arguments", kept)  # the dataclass is frozen


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep one value of this action's own in this conversation; `ConversationView.memory` gives it back."""

    value: Any
    """Any JSON value, in the place of the one before; None forgets it."""


@dataclass(frozen=True, slots=True)
class SetParticipant:
    """Say what a participant is to this conversation."""

    name: str
    """The participant's name."""
    state: Literal["", "followed", "muted"] | None
    """"": takes part, "followed": is listened to, "muted": is silent here; None: takes part no more."""

    def __post_init__(self) -> None:
        _check_text("SetParticipant", "name", self.name)
        if self.state is not None and self.state not in PARTICIPANT_STATES:
            raise ValueError(
                f"SetParticipant: state has to be one of {PARTICIPANT_STATES}, or None, not {self.state!r:.40}"
            )


Directive = (
    Transition | SetContext | AppendContext | Complete | Continue | FollowUp | Remember | SetParticipant
)


@dataclass(frozen=True, slots=True)
class Result:
    """A handler's value together with its directives."""

    value: Any
    """What the model is told; any value with a JSON form."""
    directives: tuple[Directive, ...] = ()
    """Applied in this order, in one step with the result."""

    def __post_init__(self) -> None:
        checked_directives(self.directives)


def checked_directives(given: Any) -> tuple[Directive, ...]:
    """Return a tuple of directives; raise TypeError for anything else."""
    if not isinstance(given, tuple) or not all(isinstance(each, Directive) for each in given):
        raise TypeError(f"directives has to be a tuple of directives, not {given!r}")
    return cast("tuple[Directive, ...]", given)


def _check_text(directive: str, field: str, text: object) -> None:
    """Raise unless this can name a state or a field of the context, in a record of the store."""
    what = f"{directive}: {field}"
    if not isinstance(text, str):
        raise TypeError(f"{what} has to be a str, not {type(text).__name__}")
    if not text:
        raise ValueError(f"{what} is empty; it has to name something")
    if len(text) > _LONGEST_KEY:
        raise ValueError(f"{what} is {len(text)} characters long; at most {_LONGEST_KEY} are allowed")
    if any(category(letter) == _CONTROL for letter in text):
        raise ValueError(f"{what} holds a control character, such as a line break")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds half of a surrogate pair, which UTF-8 cannot hold") from None
