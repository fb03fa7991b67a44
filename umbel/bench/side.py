"""What both sides have in common, so that they are measured by the same code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Lap:
    """One stretch of work by one side."""

    count: int
    """Actions or turns that were done."""
    seconds: float
    """From the first submit to the last result in the records, by the server's clock."""

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.count / self.seconds


Check = Callable[[], Awaitable[Lap]]
"""Reads every result of a stretch, raises WrongResult if one is not right, and says how long it took."""


class Side(Protocol):
    """The floor, or Umbel, as a producer sees it."""

    async def actions(self, count: int, *, batch: int) -> Check:
        """W1: submit `count` actions, `batch` a round trip; returns when the last one has ended."""
        ...

    async def guarded(self, count: int, *, rooms: int, wait_ms: int) -> Check:
        """W3: submit `count` actions, each under the lock of its room and one limit for all."""
        ...

    async def one_action(self) -> float:
        """W1: seconds from the submit of one action to the moment when we hold the news of its result."""
        ...

    async def prepare(self, count: int) -> Any:
        """What `turns` needs and does not belong to its time: replies, and conversations to post them to."""
        ...

    async def turns(self, prepared: Any) -> Check:
        """W2: post the replies; returns when the last continuation has ended."""
        ...

    async def one_turn(self) -> float:
        """W2: seconds from the post of one reply to the recorded result of its continuation."""
        ...
