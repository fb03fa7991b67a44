"""The dialects that settings and conversations name: names in, the text that a record keeps out, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actions.errors import DeclarationError
from orchestrator.intake.draft import Unusable
from orchestrator.intake.names import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable

NONE: Final = "none"
"""In place of dialects: calls stand in no text, only where the provider's format has a place for them."""


def check_dialects(given: Iterable[str] | None) -> str:
    """The dialects of a conversation as its record has them: "" for None, which leaves it to the settings.

    Raises:
        DeclarationError: there is no such dialect.
    """
    if given is None:
        return ""
    told = [given] if isinstance(given, str) else list(given)
    if told in ([], [NONE]):
        return NONE
    try:
        return " ".join(each.name for each in chosen(told))
    except Unusable as error:
        raise DeclarationError(f"dialects: {error}") from None


def read_dialects(said: str) -> tuple[str, ...] | None:
    """The dialects that a record or a setting names; None: all."""
    return () if said == NONE else tuple(said.split()) or None
