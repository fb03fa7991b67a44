"""The face of a stream: how the events of a wire are recognised, and what each of them adds to a reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.intake.streams.assembly import Assembly


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """A provider's shape of a reply that comes in events."""

    name: str
    """Its public name, that of its body format and `.stream`."""
    matches: Callable[[dict[str, Any]], bool]
    """Whether an event has this shape; asked for the first events, in the order of the table."""
    take: Callable[[Assembly, dict[str, Any]], None]
    """Adds what an event says to the reply that is being put together; never raises on content."""
    continues: bool = True
    """Whether the model must see the results of its calls and answer again."""
    also: tuple[str, ...] = ()
    """Other names that it may be asked for by."""
