"""Instructions: one action to be run, in any of the short forms that people write, in; one plain form out.

    instruction("SEARCH")                                   its name, or the Action itself
    instruction(("SEARCH", {"query": "tea"}))               with arguments; None means {}
    instruction(("SEARCH", {...}, {"principal": "ada"}))    with a context: on whose behalf it runs
    instruction(("SEARCH", {...}, {...}, {"retry": 2}))     with options of this run alone
    instruction({"action": "SEARCH", "arguments": {...}, "context": {...}, "options": {...}})

Nothing is guessed: what has another form is an error that says which forms there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pydantic_core import PydanticSerializationError, from_json, to_json

from actions.definition import Action
from actions.errors import DeclarationError
from actions.messages import mended
from actions.names import normalise
from orchestrator.submission import Submission

CONTEXT: Final = ("principal", "permissions", "tenant")
"""What a context may say: on whose behalf it runs, what that principal may do, whose share of the workers it uses."""
OPTIONS: Final = ("run", "key", "deadline", "delay", "retry", "timeout")
"""What options may say of one run; see `Submission`."""

_FIELDS: Final = ("action", "arguments", "params", "context", "options")
_LONGEST: Final = 4
_FORMS: Final = (
    'write "NAME", ("NAME", {arguments}), ("NAME", {arguments}, {context}), ("NAME", {arguments}, {context}, '
    '{options}), or {"action": "NAME", "arguments": {...}}'
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One action to be run."""

    action: str
    """Its name or simile."""
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    """Its arguments."""
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    """On whose behalf it runs, see `CONTEXT`."""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    """What holds for this run alone, see `OPTIONS`."""

    def submission(self) -> Submission:
        """The same as a single run to be submitted."""
        return Submission(self.action, self.arguments, **self.context, **self.options)


def instruction(
    given: Any, *, context: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None
) -> Instruction:
    """Read one instruction; a context and options that are given here win over its own.

    Raises:
        DeclarationError: it has none of the forms, or says what no context or option is.
    """
    action, arguments, own_context, own_options = _parts(given)
    return Instruction(
        _name(action),
        plain_arguments(arguments, str(_name(action))),
        _known("context", CONTEXT, {**_mapping("context", own_context), **(context or {})}),
        _known("options", OPTIONS, {**_mapping("options", own_options), **(options or {})}),
    )


def instructions(
    given: Any,
    *,
    context: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    allowed: Iterable[str | Action] | None = None,
) -> list[Instruction]:
    """Read one instruction or a list of them, in order; the first that is wrong ends it.

    Args:
        given: an instruction, or a list; a list in a list is refused.
        context: holds for all of them, and wins over their own.
        options: the same.
        allowed: the only actions that may be among them; None: all.

    Raises:
        DeclarationError: one is none, or is of an action that is not allowed (all offenders are named).
    """
    listed: list[Any] = given if isinstance(given, list) else [given]
    found: list[Instruction] = []
    for at, each in enumerate(listed):
        if isinstance(each, list):
            raise DeclarationError(f"instruction {at}: a list stands in the list: write one flat list")
        try:
            found.append(instruction(each, context=context, options=options))
        except DeclarationError as error:
            raise DeclarationError(f"instruction {at}: {error}") from None
    if allowed is not None:
        names = {normalise(_name(each)) for each in allowed}
        if others := [each.action for each in found if normalise(each.action) not in names]:
            raise DeclarationError(f"these actions are not allowed here: {', '.join(dict.fromkeys(others))}")
    return found


def plain_arguments(given: Any, action: str) -> dict[str, Any]:
    """Arguments in the JSON form that records keep; None means none.

    Raises:
        DeclarationError: they are no object, or hold what has no JSON form.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise DeclarationError(f"{action}: arguments are an object, not {given!r:.80}")
    try:
        found = from_json(to_json(mended(dict(given))))
    except (PydanticSerializationError, ValueError, RecursionError):
        raise DeclarationError(f"{action}: its arguments have no JSON form") from None
    return cast("dict[str, Any]", found)


def _parts(given: Any) -> tuple[Any, Any, Any, Any]:
    if isinstance(given, Instruction):
        return given.action, given.arguments, given.context, given.options
    if isinstance(given, str | Action):
        return given, None, None, None
    if isinstance(given, tuple) and 1 <= len(given) <= _LONGEST:
        action, arguments, context, options = (*given, None, None, None)[:_LONGEST]
        return action, arguments, context, options
    if isinstance(given, Mapping):
        known = "action" in given and not set(given) - set(_FIELDS)
        if known and not {"arguments", "params"} <= set(given):
            arguments = given.get("arguments", given.get("params"))
            return given["action"], arguments, given.get("context"), given.get("options")
    raise DeclarationError(f"{given!r:.80} is no instruction: {_FORMS}")


def _name(given: Any) -> str:
    if isinstance(given, Action):
        return given.name
    if not isinstance(given, str) or not given.strip():
        raise DeclarationError(f"{given!r:.80} names no action: {_FORMS}")
    return given


def _mapping(what: str, given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise DeclarationError(f"{what}: an object is wanted, not {given!r:.80}")
    return cast("Mapping[str, Any]", given)


def _known(what: str, known: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    if unknown := [str(key) for key in given if key not in known]:
        raise DeclarationError(f"{what}: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    return given
