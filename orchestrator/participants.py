"""The names of those who take part in a conversation, and what each is to it: what a caller says in, checked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from unicodedata import category

from actions.directives import PARTICIPANT_STATES
from actions.errors import DeclarationError

_LONGEST: Final = 200


def checked_participants(given: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """Who takes part, with what each is to the conversation.

    Raises:
        DeclarationError: somebody has no name that can be kept, or no such state.
    """
    if isinstance(given, str):
        raise DeclarationError(f"participants: several names are wanted: write ({given!r:.80},)")
    there = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given, "")
    for name, state in there.items():
        checked_name(name)
        if state not in PARTICIPANT_STATES:
            known = ", ".join(map(repr, PARTICIPANT_STATES))
            raise DeclarationError(f"participants: {name} is one of {known}, not {state!r:.80}")
    return there


def checked_name(given: Any) -> str:
    """The name of a participant.

    Raises:
        DeclarationError: it is empty, too long, or holds what no name does.
    """
    if (
        not isinstance(given, str)
        or not given.strip()
        or len(given) > _LONGEST
        or any(category(letter) in {"Cc", "Cs"} for letter in given)
    ):
        raise DeclarationError(
            f"participants: {given!r:.80} is no name: a text of at most {_LONGEST} characters, on one line"
        )
    return given
