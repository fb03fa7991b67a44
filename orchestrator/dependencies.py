"""What has to have succeeded before a call of a reply: earlier in the conversation, or another call of the same reply.

In: the calls of a reply as they were decided, and what succeeded in the conversation. Out: for each call the positions
that it needs; what depends on nothing there is, on something refused, on what comes later or on itself is refused too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actions.errors import (
    BadReference,
    DependencyCycle,
    DependencyFailed,
    MissingDependency,
    ModelError,
    UnknownAction,
)
from orchestrator.references import parted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from actions.definition import Action
    from actions.registry import Registry
    from orchestrator.judging import Decided

_LISTED: Final = 12
_SHOWN: Final = 60


class Names:
    """By which names the calls of a reply can be spoken of: provider's id, step of a plan, action."""

    def __init__(self, decided: Sequence[Decided], registry: Registry) -> None:
        """Index the calls; a step and an id name the first that has them, an action all of its calls."""
        self._registry = registry
        self._single: dict[str, int] = {}
        self._several: dict[str, list[int]] = {}
        self._known: dict[str, list[int]] = {}
        for at, found in enumerate(decided):
            for name in (found.call.step, found.call.id):
                if name:
                    self._single.setdefault(name, at)
            if found.action is not None:
                self._several.setdefault(found.action.name, []).append(at)

    def find(self, name: str) -> list[int]:
        """The positions that a name speaks of, in call order; empty if there are none."""
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def _found(self, name: str) -> list[int]:
        if (at := self._single.get(name)) is not None:
            return [at]
        try:
            return self._several.get(self._registry.resolve(name).name, [])
        except UnknownAction:
            return []

    def of(self, action: str) -> list[int]:
        """The positions of an action's calls, whatever ids and steps are called."""
        return self._several.get(action, [])

    def declared(self, action: str) -> list[int]:
        """The positions of the calls of an action that another action names, by its name or a simile.

        What a model writes as the id of a call never stands for an action here.
        """
        return self.of(self._registry.resolve(action).name)

    def known(self) -> str:
        """The names, for a message."""
        names = [*self._several, *self._single]
        rest = ", …" if len(names) > _LISTED else ""
        return ", ".join(name[:_SHOWN] for name in names[:_LISTED]) + rest


def refer(at: int, found: Decided, names: Names) -> None:
    """Find the calls whose results a call takes: what itself names has to stand earlier, what its action names may.

    A parameter that the call gives is taken from nowhere.
    """
    if found.error is None and found.action is not None:
        try:
            found.uses = tuple(_uses(at, found, names))
        except BadReference as error:
            found.error = error.for_model()


def _uses(at: int, found: Decided, names: Names) -> Iterator[tuple[str, int, str]]:
    given, own = found.call.arguments or {}, found.call.uses
    declared, keys = (found.action.uses, found.action.keys) if found.action else ({}, ())
    for parameter, text in {**declared, **own}.items():
        if parameter in given:
            continue
        if parameter not in keys:
            raise BadReference(f"{found.name} has no parameter {parameter[:_SHOWN]!r}")
        name, path = parted(text)
        places = names.find(name) if parameter in own else names.declared(name)
        if earlier := [place for place in places if place < at]:
            yield parameter, earlier[-1], path
        elif parameter in own:
            raise BadReference(
                f"{parameter} takes {text[:_SHOWN]!r}, but no call before this one is called {name[:_SHOWN]!r}; "
                f"there are {names.known()}"
            )


def depend(
    decided: Sequence[Decided], names: Names, did: Collection[str], registry: Registry, *, in_order: bool
) -> None:
    """Fill in what each call needs, and refuse what cannot have it.

    A call is judged again only when one that it needs was refused: a long reply costs no more than its dependencies.

    `in_order`: no call starts before an earlier one, so none can need a later one.
    """
    stale = {at for at, found in enumerate(decided) if found.error is None}  # still to be judged
    needed_by: list[set[int]] = [set() for _ in decided]
    while stale:
        judged = []
        for at, found in enumerate(decided):
            if at not in stale:
                continue
            stale.discard(at)
            if found.error is not None:
                continue
            try:
                found.needs = _needs(at, decided, names, did, registry, in_order=in_order)
            except ModelError as error:
                found.error = error.for_model()
                stale |= needed_by[at]
                continue
            judged.append(at)
            for place in found.needs:
                needed_by[place].add(at)
        if judged:
            stale.update(*(needed_by[at] for at in _refuse_circles(decided)))
        for at in judged:
            if _refuse_waiting_backwards(at, decided[at], decided, in_order=in_order):
                stale |= needed_by[at]


def _needs(
    at: int, decided: Sequence[Decided], names: Names, did: Collection[str], registry: Registry, *, in_order: bool
) -> set[int]:  # fmt: skip
    found = decided[at]
    needs = {place for _, place, _ in found.uses}
    for name in found.call.depends_on:
        others = [place for place in names.find(name) if place != at]
        if not others and at not in names.find(name):
            raise BadReference(
                f"it depends on {name[:_SHOWN]!r}, which no call here is called; there are {names.known()}"
            )
        if not others:
            raise DependencyCycle(f"it depends on itself: {found.name} -> {found.name}")
        needs |= {place for place in others if place < at} or set(others)
    for place in sorted(needs):
        if decided[place].error is not None:
            raise DependencyFailed(f"not run: it depends on {decided[place].name}, which was refused")
    for wanted in missing(found.action, did, registry) if found.action is not None else ():
        live = [place for place in names.of(wanted.name) if decided[place].error is None and place != at]
        earlier = [place for place in live if place < at]
        if not live or (in_order and not earlier):
            raise _missing(found.name, wanted)
        needs.add(earlier[-1] if earlier else live[0])
    return needs


def missing(action: Action, did: Collection[str], registry: Registry) -> list[Action]:
    """The actions that this one depends on and that did not succeed yet; `did` are the names of those that did."""
    if not action.depends_on:
        return []
    return [wanted for wanted in registry.dependencies(action) if wanted.name not in did]


def check_dependencies(action: Action, did: Collection[str], registry: Registry) -> None:
    """Raise MissingDependency if something that the action depends on did not succeed before."""
    for wanted in missing(action, did, registry):
        raise _missing(action.name, wanted)


def _missing(name: str, wanted: Action) -> MissingDependency:
    return MissingDependency(f"{name} needs {wanted.name} to have succeeded before: call {wanted.name} first")


def _refuse_circles(decided: Sequence[Decided]) -> list[int]:
    """Refuse the calls that need themselves in the end; their positions."""
    needs = {at: sorted(found.needs) for at, found in enumerate(decided) if found.error is None}
    refused: list[int] = []
    for circle in circles(needs):
        names = [decided[at].name for at in circle]
        path = " -> ".join([*names[:_LISTED], *(["…"] if len(names) > _LISTED else []), names[0]])
        for at in circle:
            decided[at].error = DependencyCycle(f"what it depends on goes in a circle: {path}").for_model()
        refused += circle
    return refused


def circles(needs: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """The circles in what needs what, each as the path around it; none shares a member with another."""
    found: list[list[int]] = []
    taken: set[int] = set()
    state: dict[int, int] = {}  # 1: on the path, 2: done
    for start in needs:
        path: list[int] = []
        stack = [(start, iter(needs[start]))] if start not in state else []
        if stack:
            state[start] = 1
            path.append(start)
        while stack:
            _, rest = stack[-1]
            following = next((each for each in rest if each in needs and state.get(each) != 2), None)  # noqa: PLR2004
            if following is None:
                stack.pop()
                state[path.pop()] = 2
            elif state.get(following) == 1:
                circle = path[path.index(following) :]
                if taken.isdisjoint(circle):
                    found.append(circle)
                    taken.update(circle)
            else:
                state[following] = 1
                path.append(following)
                stack.append((following, iter(needs[following])))
    return found


def _refuse_waiting_backwards(at: int, found: Decided, decided: Sequence[Decided], *, in_order: bool) -> bool:
    """A call cannot need what starts only after it has ended: in an order, or behind a possible transition.

    Returns whether it was refused for that.
    """
    later = [place for place in sorted(found.needs) if place > at] if found.error is None else []
    if not later:
        return False
    places = range(at, len(decided))
    closed = at if in_order else next((each for each in places if decided[each].may_transition), len(decided))
    for place in later:
        if place >= closed:
            found.error = MissingDependency(
                f"it depends on {decided[place].name}, which comes after it: call {decided[place].name} first"
            ).for_model()
            return True
    return False
