"""The state machine of a conversation: states, what each allows, and the edges between them. Pure.

In: a state and the conversation's context. Out: which actions are allowed, which edge is taken by itself,
and whether one that is asked for may be taken. It reads and writes nothing; a machine that cannot work is
refused when declared.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

from actions.errors import DeclarationError, Refuse
from actions.names import normalise

_log: Final = logging.getLogger(__name__)
_SHOWN: Final = 60

Condition = Callable[[Mapping[str, Any]], bool]
"""Looks at a conversation's context and says whether something holds."""


class Allowable(Protocol):
    """What a machine has to know of an action."""

    @property
    def name(self) -> str:
        """Its registered name."""
        ...

    @property
    def everywhere(self) -> bool:
        """Whether every state allows it."""
        ...


@dataclass(frozen=True, slots=True)
class Edge:
    """One way from a state to another."""

    source: str
    """The state it leaves."""
    target: str
    """The state it leads to."""
    when: str | None = None
    """The name of the condition that has to hold; None for an edge that is always open."""
    priority: int = 0
    """Of several automatic edges that are open, the highest wins; among equals the one declared first."""
    automatic: bool | None = None
    """Whether it is taken without being asked for. None: yes with a condition, no without one.

    An edge that is always open would otherwise be taken on every turn on which nothing better is open.
    """

    @property
    def by_itself(self) -> bool:
        """Whether it is taken without being asked for."""
        return self.when is not None if self.automatic is None else self.automatic


class StateMachine:
    """States with the actions each allows, and the edges between them; immutable."""

    __slots__ = ("_allowed", "_conditions", "_edges", "_spellings", "initial", "name", "states")

    def __init__(
        self,
        name: str,
        initial: str,
        states: Mapping[str, Iterable[str]],
        transitions: Iterable[Edge] = (),
        conditions: Mapping[str, Condition] | None = None,
    ) -> None:
        self.name: Final = name
        self.initial: Final = initial
        self.states: Final = MappingProxyType(
            {state: tuple(_names(state, them)) for state, them in states.items()}
        )
        self._conditions: Final[dict[str, Any]] = dict(conditions or {})
        self._spellings: Final = {normalise(state): state for state in states}
        self._allowed: Final = {state: frozenset(map(normalise, them)) for state, them in self.states.items()}
        self._edges: Final = tuple(sorted(transitions, key=lambda edge: -edge.priority))
        if problems := list(self._problems()):
            raise DeclarationError(f"state machine {name!r}: " + "; ".join(problems))

    def __repr__(self) -> str:
        return f"<StateMachine {self.name}>"

    def find(self, state: str) -> str | None:
        """Return a state as the machine spells it, whatever its case, spaces, - and _; None when unknown."""
        return self._spellings.get(normalise(state))

    def allowed(self, state: str | None) -> frozenset[str]:
        """Return the normalised names of the actions that a state allows; an unknown state allows nothing."""
        return self._allowed.get(state, frozenset()) if state is not None else frozenset()

    def allows(self, state: str | None, action: Allowable | str) -> bool:
        """Whether a state allows an action (or a name); one that is allowed everywhere needs no listing."""
        if isinstance(action, str):
            return normalise(action) in self.allowed(state)
        return normalise(action.name) in self.allowed(state) or (action.everywhere and state in self.states)

    def next(self, state: str, context: Mapping[str, Any]) -> str | None:
        """Return where the conversation goes by itself: the open automatic edge of the highest priority."""
        for edge in self._edges:
            if edge.source == state and edge.by_itself and self._holds(edge, context):
                return edge.target
        return None

    def may(self, state: str | None, target: str, context: Mapping[str, Any]) -> Refuse | None:
        """Return None when the conversation may go to a state that was asked for, else why it may not."""
        if state not in self.states:
            return Refuse(f"the conversation is in the state {state!r}, which {self.name} does not have")
        found = self.find(target)
        if found is None:
            return Refuse(f"there is no state {_short(target)}; states are {', '.join(self.states)}")
        edges = [edge for edge in self._edges if edge.source == state and edge.target == found]
        if not edges:
            ways = ", ".join(dict.fromkeys(edge.target for edge in self._edges if edge.source == state))
            return Refuse(f"{state} does not lead to {found}; it leads to {ways or 'no other state'}")
        if any(self._holds(edge, context) for edge in edges):
            return None
        wanted = " or ".join(dict.fromkeys(str(edge.when) for edge in edges))
        return Refuse(f"{state} leads to {found} only when {wanted}, and that does not hold yet")

    def _holds(self, edge: Edge, context: Mapping[str, Any]) -> bool:
        if edge.when is None:
            return True
        try:
            return bool(self._conditions[edge.when](context))
        except Exception:  # noqa: BLE001 - a condition that breaks does not hold; its traceback is logged
            _log.exception("%s: the condition %s failed, so it does not hold", self.name, edge.when)
            return False

    def _problems(self) -> Iterable[str]:
        if len(self._spellings) < len(self.states):
            yield "two states have names that differ only in case, spaces, - or _: rename one"
        if self.initial not in self.states:
            yield f"the initial state {self.initial!r} is none of {', '.join(self.states) or 'no states'}"
        seen: set[tuple[str, str, str | None]] = set()
        for edge in self._edges:
            for state in (edge.source, edge.target):
                if state not in self.states:
                    yield f"an edge names the state {state!r}, which is not declared"
            if edge.when is not None and edge.when not in self._conditions:
                yield f"the condition {edge.when!r} is not registered: add it to conditions"
            if (way := (edge.source, edge.target, edge.when)) in seen:
                yield f"the edge from {edge.source} to {edge.target} is declared twice"
            seen.add(way)
        for name, condition in self._conditions.items():
            if not callable(condition):
                yield f"the condition {name!r} is no function"


def _names(state: str, given: Iterable[str]) -> Iterable[str]:
    if isinstance(given, str):
        raise DeclarationError(f"state {state!r}: allowed actions are several names: write {{{given!r}}}")
    return given


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
