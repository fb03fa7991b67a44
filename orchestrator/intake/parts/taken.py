"""What a dialect is asked, and what it answers: an opening in, what was read from there on out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actions.messages import Call
from actions.strict_json import Unreadable


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands at an opening."""

    start: int
    """Where its bracket is."""
    language: str | None
    """The language of its fence, in lower case, "" where it names none; None: there is no fence."""
    own: bool
    """Whether it stands in a fence or on a line of its own, so that it may be mended."""
    value: Any = None
    """The value that was read."""
    end: int = 0
    """Where the value ends."""
    mended: tuple[str, ...] = ()
    """What was mended to read it."""
    error: Unreadable | None = None
    """Why it cannot be read."""


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
