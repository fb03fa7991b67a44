"""Plans: named steps with what each depends on, in; the phases in which they can run, and their calls, out.

    plan = Plan([Step("find", "SEARCH", {"query": "tea"}), Step("buy", "ORDER", depends_on="find",
                 uses={"item": "find.items.0"})])
    plan.phases()       # [["find"], ["buy"]]

A plan is a value: adding gives a new one. A name that stands twice is refused; unknown dependencies and circles are
told when somebody asks for phases or calls, with everything that is needed to mend them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from actions.definition import Action
from actions.errors import DeclarationError
from actions.messages import Call
from orchestrator.dependencies import circles
from orchestrator.instructions import plain_arguments

_NAME: Final = re.compile(r"[^\W\d][\w -]{0,63}")


class PlanError(DeclarationError):
    """A plan cannot be run as it stands: a name stands twice, a dependency is unknown, or there is a circle."""

    code = "plan"

    def __init__(
        self,
        text: str,
        *,
        unknown: Mapping[str, Sequence[str]] | None = None,
        available: Sequence[str] = (),
        path: Sequence[str] = (),
    ) -> None:
        super().__init__(text)
        self.unknown = dict(unknown or {})
        """For each step the dependencies that are no steps."""
        self.available = list(available)
        """The steps there are."""
        self.path = list(path)
        """The circle, its first step again at the end."""


@dataclass(frozen=True, slots=True, init=False)
class Step:
    """One step of a plan."""

    name: str
    """By which others depend on it."""
    action: str
    """Name or simile of an action."""
    arguments: dict[str, Any]
    """Its arguments, in their JSON form."""
    depends_on: tuple[str, ...]
    """Names of the steps that must have succeeded before, each once."""
    uses: dict[str, str]
    """Parameters that take results of others: parameter to `STEP.path.to.value`; it depends on these too."""

    def __init__(
        self,
        name: str,
        action: str | Action,
        arguments: Mapping[str, Any] | None = None,
        *,
        depends_on: str | Iterable[str] = (),
        uses: Mapping[str, str] | None = None,
    ) -> None:
        loose: Any = name
        if not isinstance(loose, str) or not _NAME.fullmatch(loose):
            raise PlanError(
                f"{name!r:.80} is no name of a step: letters, digits, _, - and spaces, a letter first"
            )
        keep = object.__setattr__  # the dataclass is frozen
        keep(self, "name", name)
        keep(self, "action", action.name if isinstance(action, Action) else action)
        keep(self, "arguments", plain_arguments(arguments, name))
        keep(self, "depends_on", _names(name, depends_on))
        keep(self, "uses", dict(uses or {}))

    @property
    def needs(self) -> tuple[str, ...]:
        """All that it depends on, each once: what it names, and the steps whose results it takes."""
        return tuple(
            dict.fromkeys((*self.depends_on, *(text.partition(".")[0] for text in self.uses.values())))
        )

    def call(self) -> Call:
        """The step as a call of a reply."""
        return Call(
            name=self.action,
            arguments=self.arguments,
            step=self.name,
            depends_on=self.depends_on,
            uses=self.uses,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Named steps, and what each depends on."""

    steps: Sequence[Step] = ()
    """In the order in which they were added."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        names = [step.name for step in self.steps]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PlanError(f"the steps {', '.join(twice)} stand twice: rename one", available=names)

    def add(
        self,
        name: str,
        action: str | Action,
        arguments: Mapping[str, Any] | None = None,
        *,
        depends_on: str | Iterable[str] = (),
        uses: Mapping[str, str] | None = None,
    ) -> Plan:
        """A plan with one step more, see `Step`.

        Raises:
            PlanError: there is a step of this name.
        """
        return Plan((*self.steps, Step(name, action, arguments, depends_on=depends_on, uses=uses)))

    def depends_on(self, name: str, others: str | Iterable[str]) -> Plan:
        """A plan in which the step depends on these too.

        Raises:
            PlanError: there is no step of this name.
        """
        there = [step.name for step in self.steps]
        if name not in there:
            raise PlanError(f"there is no step {name!r:.80}; there are {_listed(there)}", available=there)
        more = _names(name, others)
        return Plan([step if step.name != name else _depending(step, more) for step in self.steps])

    def check(self) -> None:
        """Raise PlanError if a step depends on what is no step, or steps depend on each other in a circle."""
        there = [step.name for step in self.steps]
        unknown = {step.name: [name for name in step.needs if name not in there] for step in self.steps}
        if unknown := {name: others for name, others in unknown.items() if others}:
            told = "; ".join(f"{name} depends on {', '.join(others)}" for name, others in unknown.items())
            raise PlanError(
                f"{told}: no such steps; there are {_listed(there)}", unknown=unknown, available=there
            )
        places = {name: at for at, name in enumerate(there)}
        needs = {at: [places[name] for name in step.needs] for at, step in enumerate(self.steps)}
        if found := circles(needs):
            path = [there[at] for at in (*found[0], found[0][0])]
            raise PlanError(f"the steps depend on each other in a circle: {' -> '.join(path)}", path=path)

    def phases(self) -> list[list[str]]:
        """The names of the steps by phase: those of one phase depend only on earlier ones and may run together.

        Raises:
            PlanError: as for `check`.
        """
        self.check()
        depth: dict[str, int] = {}
        left = list(self.steps)
        while left:
            ready = [step for step in left if all(name in depth for name in step.needs)]
            for step in ready:
                depth[step.name] = 1 + max((depth[name] for name in step.needs), default=-1)
            left = [step for step in left if step.name not in depth]
        phases: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for step in self.steps:
            phases[depth[step.name]].append(step.name)
        return phases

    def calls(self) -> list[Call]:
        """The steps as calls of one reply, phase by phase, so that each stands behind what it depends on.

        Raises:
            PlanError: as for `check`.
        """
        by_name = {step.name: step for step in self.steps}
        return [by_name[name].call() for phase in self.phases() for name in phase]


def _depending(step: Step, more: Sequence[str]) -> Step:
    others = (*step.depends_on, *more)
    return Step(step.name, step.action, step.arguments, depends_on=others, uses=step.uses)


def _names(step: str, given: str | Iterable[str]) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given)
    loose: tuple[Any, ...] = names
    if not all(isinstance(name, str) for name in loose):
        raise PlanError(f"{step}: depends_on is a step's name or several, not {given!r:.80}")
    return tuple(dict.fromkeys(names))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
