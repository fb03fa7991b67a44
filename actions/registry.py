"""Names and similes to Actions: explicit, exact, frozen.

In: actions and state machines, or the modules that hold them. Out: one immutable Registry. A name that two
actions share, or a simile, is reported when the registry is made, all of them at once; what a model asks
for is matched exactly after normalising, never by likeness or by a part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from pydantic import BaseModel

from actions.definition import Action
from actions.dependencies import resolved
from actions.errors import (
    ConfigError,
    DeclarationError,
    InvalidArguments,
    UnknownAction,
)
from actions.importing import imported
from actions.name_index import aliased, named
from actions.names import normalise
from actions.ranks import ranks
from actions.states import StateMachine
from actions.templates import EVERYTHING
from actions.tools import Exported, export

__all__ = ["Registry", "normalise"]

_BUILTIN: Final = "actions.builtin.conversation"
_LISTED: Final = 20
_SHOWN: Final = 80


class Registry:
    """Actions by name and simile, and state machines by name; immutable, and so is each action in it."""

    __slots__ = (
        "_builtins", "_by_name", "_by_simile", "_dependencies", "_machines", "_ranks", "actions", "depended_on",
        "evaluators",
    )  # fmt: skip

    def __init__(
        self,
        actions: Iterable[Action],
        machines: Iterable[StateMachine] = (),
        *,
        builtins: Iterable[Action] = (),
    ) -> None:
        """Index the actions; `builtins` take only names and similes that nobody else has.

        Raises:
            DeclarationError: DuplicateAction, AmbiguousAction, for a machine that allows an unknown action, for
            limits and locks that contradict each other, and for dependencies that are unknown or a circle.
        """
        given = _checked(actions)
        self._by_name: Final = named(given)
        self._by_simile: Final = aliased(given)
        self._builtins: Final = tuple(_checked(builtins))
        for action in self._builtins:
            self._by_name.setdefault(normalise(action.name), action)
        self.actions: Final = tuple(self._by_name.values())
        self._ranks: Final = ranks(self.actions)
        for action in self.actions:
            for simile in action.similes:
                self._by_simile.setdefault(normalise(simile), action)
        self._dependencies: Final = resolved(self.actions, self._find)
        self.depended_on: Final = frozenset(
            each.name for them in self._dependencies.values() for each in them
        )
        """Names of the actions that some action depends on: a conversation keeps their successes in mind."""
        self.evaluators: Final = tuple(each for each in self.actions if each.evaluates is not None)
        """The actions that run by themselves after a turn."""
        self._machines: Final = self._checked_machines(machines)
        for action in self.actions:
            action.seal()

    @classmethod
    def from_modules(cls, modules: Iterable[str]) -> Registry:
        """Return a registry of the actions and state machines in these modules, and the built-in ones.

        Raises:
            ConfigError: for a module that cannot be imported or holds none.
            DeclarationError: for what is declared wrongly in it, or when two modules disagree.
        """
        actions: list[Action] = []
        machines: list[StateMachine] = []
        for name in modules:
            held = vars(imported(name)).values()
            found = [each for each in held if isinstance(each, Action | StateMachine)]
            if not found:
                raise ConfigError(
                    f"the module {name} holds no action",
                    where="modules of actions",
                    fix="declare one with @action at its top level, or name another module",
                )
            actions += (each for each in found if isinstance(each, Action) and each not in actions)
            machines += (each for each in found if isinstance(each, StateMachine) and each not in machines)
        builtins = [each for each in vars(imported(_BUILTIN)).values() if isinstance(each, Action)]
        return cls(actions, machines, builtins=[each for each in builtins if each not in actions])

    def __len__(self) -> int:
        return len(self.actions)

    def __contains__(self, wanted: object) -> bool:
        """Whether a name or simile, an Action, or an action's plain function is here."""
        if isinstance(wanted, str):
            return self._find(wanted) is not None
        return any(wanted is action or wanted is action.handler for action in self.actions)

    @property
    def machines(self) -> tuple[StateMachine, ...]:
        """All state machines."""
        return tuple(self._machines.values())

    def rank(self, word: str) -> int:
        """How wide what begins with this word reaches, from 0 (a parameter) to 3: runs take guards in this order."""
        return self._ranks.get(word, EVERYTHING)

    def dependencies(self, action: Action) -> tuple[Action, ...]:
        """Return the actions that must have succeeded before this one, as it declares them; often none."""
        return self._dependencies.get(action.name, ())

    def resolve(self, name: str) -> Action:
        """Return the action of this name, else of this simile; raise UnknownAction, which lists some."""
        found = self._find(name)
        if found is None:
            names = [action.name for action in self.actions]
            rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            shown = name if len(name) <= _SHOWN else name[: _SHOWN - 1] + "…"
            raise UnknownAction(f"there is no action {shown!r}; there are {', '.join(names[:_LISTED])}{rest}")
        return found

    def match(self, request: Mapping[str, Any] | BaseModel) -> tuple[Action, dict[str, Any]]:
        """Return action and arguments of a request: a Call, or what has a name (or function) and arguments.

        Raises:
            UnknownAction: when no action has the name.
            InvalidArguments: when it has no name, or arguments that are no object.
        """
        fields = request.model_dump() if isinstance(request, BaseModel) else request
        name = fields.get("name", fields.get("function"))
        arguments = fields.get("arguments")
        if not isinstance(name, str):
            raise InvalidArguments("a request needs a name")
        if not isinstance(arguments, dict):
            raise InvalidArguments("the arguments of a request have to be an object")
        return self.resolve(name), cast("dict[str, Any]", arguments)

    def machine(self, name: str) -> StateMachine:
        """Return the state machine of this name; raise ConfigError when there is none."""
        try:
            return self._machines[name]
        except KeyError:
            raise ConfigError(
                f"there is no state machine {name!r}",
                where=f"machines here: {', '.join(self._machines) or 'none'}",
                fix="name the module that declares it among the modules of actions",
            ) from None

    def with_(self, *actions: Action, update: bool = False) -> Registry:
        """Return a registry with these actions too; with `update` they replace those of the same name."""
        new = {normalise(action.name) for action in _checked(actions)}
        kept = [each for each in self.actions if each not in self._builtins]
        if update:
            kept = [each for each in kept if normalise(each.name) not in new]
        return Registry([*kept, *actions], self.machines, builtins=self._builtins)

    def select(self, spec: Any) -> tuple[Action, ...]:
        """Return what to offer a model: True for all, False for none, a name, Action, function, or several.

        Raises:
            UnknownAction: for a name that is not here.
            TypeError: for what is none of these, an action that is not registered, or one that no model may call.
        """
        if isinstance(spec, bool):
            return tuple(each for each in self.actions if each.offered) if spec else ()
        return tuple(dict.fromkeys(self._one(each) for each in _several(spec)))

    def tools(self, spec: Any, *, format: str = "openai") -> Exported:  # noqa: A002 - the word for it
        """Return the tools for a model in a provider's words, and what of them does not fit there.

        Args:
            spec: as in `select`; in a list may stand ready schemas too (dicts), which are passed on as they are.
            format: one of `actions.tools.FORMATS`.

        Raises:
            UnknownAction: for a name that is not here.
            TypeError: as in `select`. A function that is no action is none of these: nothing is registered on the
                way, for no worker would know it.
            DeclarationError: there is no such format.
        """
        if isinstance(spec, bool):
            return export(self.select(spec), format)
        once: list[Action | Mapping[str, Any]] = []
        for each in _several(spec):
            wanted = each if isinstance(each, Mapping) else self._one(each)
            if isinstance(wanted, Mapping) or wanted not in once:
                once.append(wanted)
        return export(once, format)

    def _one(self, wanted: Any) -> Action:
        action = self._named_one(wanted)
        if not action.offered:
            raise TypeError(f"{action.name} is not for models: it is user_only or an evaluator")
        return action

    def _named_one(self, wanted: Any) -> Action:
        if isinstance(wanted, str):
            return self.resolve(wanted)
        for action in self.actions:
            if wanted is action or wanted is action.handler:
                return action
        raise TypeError(f"{wanted!r} is no registered action: give a name, an Action or its function")

    def _find(self, name: str) -> Action | None:
        wanted = normalise(name)
        return self._by_name.get(wanted) or self._by_simile.get(wanted)

    def _checked_machines(self, machines: Iterable[StateMachine]) -> dict[str, StateMachine]:
        by_name: dict[str, StateMachine] = {}
        for machine in machines:
            if by_name.setdefault(machine.name, machine) is not machine:
                raise DeclarationError(f"two state machines are called {machine.name!r}: rename one")
            for state, names in machine.states.items():
                if unknown := [name for name in names if normalise(name) not in self._by_name]:
                    raise DeclarationError(
                        f"state machine {machine.name!r}: {state} allows {', '.join(unknown)}, which is no "
                        "action's name here: register it, or write its name and not a simile"
                    )
        return by_name


def _several(spec: Any) -> tuple[Any, ...]:
    return tuple(spec) if isinstance(spec, list | tuple | set | frozenset) else (spec,)


def _checked(actions: Iterable[Any]) -> list[Action]:
    listed = list(actions)
    for each in listed:
        if not isinstance(each, Action):
            raise DeclarationError(f"{each!r} is no action: declare it with @action")
    return listed
