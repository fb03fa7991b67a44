"""The face of a format whose replies are JSON bodies: how it is recognised and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actions.strict_json import Repeated
from orchestrator.intake.draft import Draft, Unusable


@dataclass(frozen=True, slots=True)
class BodyFormat:
    """A provider's (or framework's) shape of a reply."""

    name: str
    """Its public name."""
    matches: Callable[[dict[str, Any]], bool]
    """Whether a body has this shape; asked when no format was named, in the order of the table."""
    read: Callable[[dict[str, Any]], Draft]
    """Reads a body, also one that `matches` would not know; raises `Unusable` where there is no message."""
    continues: bool
    """Whether the model must see the results of its calls and answer again."""
    also: tuple[str, ...] = ()
    """Other names that it may be asked for by."""
    lists: bool = False
    """Whether a list of such bodies is one reply too."""


def refuse_repeated(value: dict[str, Any], *keys: str) -> None:
    """Raise `Unusable` if one of these keys stands twice in an object: which of them is the reply?"""
    if isinstance(value, Repeated) and (doubled := value.twice.intersection(keys)):
        raise Unusable("unexpected_body", f"The key {min(doubled)!r} stands twice in the reply.")
