"""How the calls of a reply are run: each for itself, one after the other, or as a chain that undoes itself.

In: what the actions demand, and what caller and conversation ask for; then the calls. Out: the mode, and for each call
which others have to end, or to succeed, before it starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, get_args

from actions.canonical import canonical
from actions.errors import DeclarationError
from orchestrator.wire_forms import Busy, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from actions.limits import Lock
    from orchestrator.judging import Decided

__all__ = [
    "AS_USUAL", "BUSY", "MODES", "Busy", "Manner", "Mode", "check_busy", "check_mode", "choose", "dependents", "order",
]  # fmt: skip

MODES: Final[tuple[str, ...]] = get_args(Mode)
BUSY: Final[tuple[str, ...]] = get_args(Busy)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a caller wants the calls of a reply to be run."""

    mode: str = ""
    """all, sequence or chain; empty: as the conversation says, else all. An action may demand a chain."""
    merge: bool = False
    """Whether each step of a chain gets the results of those before it, for parameters that its call leaves out."""
    base: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """With `merge`: values that each step gets unless a result or its own call gives another."""
    locks: tuple[Lock, ...] = ()
    """What a chain holds from before its first step until it has settled; an `all` or a sequence holds none."""
    in_order: bool = False
    """Whether none may depend on a later one: something else keeps their order."""
    audit: bool = False
    """Whether the audit hears of each call."""
    trace: str = ""
    """The W3C `traceparent` that the handlers pass on; it is no part of the request."""

    @property
    def mark(self) -> str:
        """What of it is part of a request, as text: under one key it has to be the same. Empty if nothing was said."""
        if not (self.mode or self.merge or self.base or self.locks):
            return ""
        locks = [[lock.key, lock.policy, lock.places] for lock in self.locks]
        return canonical([self.mode, self.merge, self.base, locks])


AS_USUAL: Final = Manner()
"""Nothing said: as the actions and the conversation want it."""


def check_mode(given: str | None) -> str:
    """The mode as it is stored: "" for None, which leaves it to others.

    Raises:
        DeclarationError: there is no such mode.
    """
    if given is not None and given not in MODES:
        raise DeclarationError(f"mode: one of {', '.join(MODES)} is wanted, not {given!r:.80}")
    return given or ""


def check_busy(given: str, *, reply: bool = False) -> str:
    """What shall become of it while another turn lives, as it was given; `reply`: it is a reply, no message.

    Raises:
        DeclarationError: there is no such word, or a reply shall be injected: it is nothing that a model is asked with.
    """
    if given not in BUSY:
        raise DeclarationError(f"busy: one of {', '.join(BUSY)} is wanted, not {given!r:.80}")
    if reply and given == "inject":
        raise DeclarationError(
            "busy: a reply cannot be injected into another turn; enqueue, refuse or interrupt"
        )
    return given


def choose(decided: Iterable[Decided], asked: str, usual: str) -> str:
    """The mode of a reply: a chain if an action demands it, else the caller's, the conversation's, or all."""
    for found in decided:
        if found.action is not None and found.action.chain is not None:
            return "chain"
    return asked or usual or "all"


def order(decided: Sequence[Decided], mode: str) -> list[dict[int, bool]]:
    """For each call the positions that must have ended before it; True where it needs their success."""
    if mode == "all":
        return _by_transitions(decided)
    waits: list[dict[int, bool]] = []
    before: int | None = None
    for at, found in enumerate(decided):
        waits.append({})
        if found.error is None:
            if mode == "sequence":
                waits[at] = dict.fromkeys(found.needs, True)
            if before is not None:
                waits[at][before] = mode == "chain" or before in found.needs
            before = at
    return waits


def dependents(waits: Sequence[Mapping[int, bool]], runs: Sequence[str]) -> list[tuple[str, ...]]:
    """For each call the runs that wait for it, as records name them: `!` before those that need its success."""
    found: list[list[str]] = [[] for _ in waits]
    for at, others in enumerate(waits):
        for place, needed in others.items():
            found[place].append(f"!{runs[at]}" if needed else runs[at])
    return [tuple(each) for each in found]


def _by_transitions(decided: Sequence[Decided]) -> list[dict[int, bool]]:
    """A possible transition parts what stands before it from what stands after it."""
    waits: list[dict[int, bool]] = []
    since: set[int] = set()
    barrier: set[int] = set()
    for at, found in enumerate(decided):
        if found.error is not None:
            waits.append({})
            continue
        ends = barrier
        if found.may_transition:
            ends, barrier, since = since or barrier, {at}, set()
        else:
            since = since | {at}
        waits.append(dict.fromkeys(ends, False) | dict.fromkeys(found.needs, True))
    return waits
