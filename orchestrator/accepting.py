"""Which replies are accepted: the dialects in which calls may stand in a text, and how many of no use are borne.

In: what the settings and a conversation say. Out: the same, ready for the intake and for what leads turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.dialects import read_dialects

if TYPE_CHECKING:
    from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class Accepting:
    """What is accepted."""

    dialects: tuple[str, ...] | None = None
    """Names of the dialects in which calls may stand in a text, unless the conversation says otherwise; None: all."""
    bad_replies: int = 3
    """So many replies of no use in a row end their turn."""

    @classmethod
    def of(cls, settings: Settings) -> Accepting:
        """What the settings say."""
        return cls(read_dialects(" ".join(settings.dialects)), settings.bad_replies)

    def dialects_of(self, said: str) -> tuple[str, ...] | None:
        """The dialects of a conversation; `said` is what its record says."""
        return read_dialects(said) if said else self.dialects
