"""What a dialect is asked, and what it answers: an opening in, what was read from there on out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actions.messages import Call

if TYPE_CHECKING:
    from orchestrator.intake.parts.json_values import Reading


@dataclass(slots=True)
class Opening:
    """A place where a call may begin; every dialect that may begin there is given the same."""

    text: str
    """The whole text."""
    at: int
    """The place in it."""
    fresh: bool
    """Whether nothing visible stands before it."""
    json: Reading | None = None
    """The JSON that stands there, as soon as one dialect has read it: the next need not read it again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a dialect read from one place on."""

    end: int
    """Where the text goes on after it; always beyond the place."""
    calls: Sequence[Call] = ()
    """The calls that were read, malformed ones in their places."""
    text: str | None = None
    """A text for people that stood inside; it replaces the prose around."""
    last: bool = False
    """Whether this dialect is not to be looked for in the rest."""
    shown: bool = False
    """Whether what was read stays in the visible text (it held no call)."""
    provider_calls: Sequence[str] = ()
    """Names of tools in it that the provider runs itself."""
