"""How attempts end: what a pump tells the store of each, and what is to happen beside the result.

Plain slotted dataclasses, as in `incoming`; the scripts read them as rows of values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.store.values import Value


class EffectKind(StrEnum):
    """What `finish` applies beside a result.

    The first group are directives: for a success, and for a failure that brings some. The second group says something
    of the attempt and counts whatever its verdict is.
    """

    TRANSITION = "transition"
    SET = "set"
    APPEND = "append"
    COMPLETE = "complete"
    CONTINUE = "continue"
    REMEMBER = "remember"
    PARTICIPANT = "participant"
    FOLLOW = "follow"
    STOP = "stop"

    SPENT = "spent"
    COOL = "cool"
    CHECK = "check"
    GHOST = "ghost"
    UNKNOWN = "unknown"
    RESCUE = "rescue"
    HOOKED = "hooked"
    APPROVAL_KEY = "apkey"


@dataclass(frozen=True, slots=True)
class Effect:
    """A directive in the form that `finish` applies in the same step as the result."""

    kind: EffectKind
    """What is to be done."""
    key: str = ""
    """transition: the state revision it was decided on; set and append: the context key; remember: the action's name;
    participant: who; follow: id of the run that follows; spent and cool: the key of one of the run's limits; check:
    what the next attempt finds in `Claimed.check`; apkey: the key of what is asked for (see `Ask`)."""
    value: str = ""
    """transition: the target state; set, append, remember: a JSON text (remember: empty forgets); participant: the
    state, `-` takes it out; follow: the row of the new run, as JSON; spent: the units that it really took; cool: ms for
    which the limit lets nobody through; hooked: what the params were made of, and their digest, JSON.
    Without key and value: complete, continue, stop (the turn ends with this run); ghost (its handler still runs, so its
    locks stay taken until `late` is told, or the pump's lease ends); unknown (nobody knows whether the attempt took
    effect); rescue (a final failure: its action's `on_error` is called before the run ends)."""


@dataclass(slots=True)
class Finish:
    """How one attempt of a run ended."""

    run: str
    """The run."""
    fence: str
    """The fence it was claimed under."""
    verdict: str
    """A terminal status; "again" (backoff, uses a retry), "postponed" (does not), "ask" (a person has to approve)."""
    result: str
    """Result or error as JSON; ask: the validated arguments, JSON."""
    delay_ms: int = 0
    """again, postponed: how long it waits; ask: how long an answer is waited for."""
    why: str = ""
    """again, postponed: the reason in one word of ours, such as `backoff`; ask: the digest of what is asked for."""
    effects: tuple[Effect, ...] = ()
    """What happens beside: directives, all or none, if the run succeeded; the rest in any case."""

    def row(self) -> list[Value]:
        """The values that `finish` reads, in their order."""
        row: list[Value] = [
            self.run, self.fence, self.verdict, self.result, self.delay_ms, self.why, len(self.effects),
        ]  # fmt: skip
        for effect in self.effects:
            row += (effect.kind, effect.key, effect.value)
        return row
