"""When an action may run at all, and who may ask for it.

In: the declared values, and the fields of the action's params. Out: the slots that planning reads: what has to come
before it, where its arguments come from, whether it needs a chain or a person, and whether a model may call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from pydantic.fields import FieldInfo

from actions.approvals import Approval, checked_approval
from actions.chains import Chain, checked_chain
from actions.declaration import Declared, checked_flag, checked_words
from actions.errors import DeclarationError
from actions.undoing import Undoable

EVALUATES: Final = ("answered", "always")
_SOURCE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,63}(?:\.[^.\s]+(?: [^.\s]+)*)*", re.ASCII)


class Conditional(Undoable):
    """The conditions of an action."""

    __slots__ = ("approval", "chain", "depends_on", "evaluates", "user_only", "uses")

    depends_on: tuple[str, ...]
    """Names or similes of actions that must have succeeded before, in this turn or earlier in the conversation."""
    uses: dict[str, str]
    """Arguments that a call may leave out: each is filled from the result of an action earlier in the reply.

    `{"quote": "GET_QUOTE.price"}`: behind the name is the way into the result; without one it is the whole result.
    """
    chain: Chain | None
    """Set if it runs only as a step of a chain, with the locks of that chain; None: it runs in any mode."""
    approval: Approval | None
    """When a person has to approve a run of it; None for never."""
    user_only: bool
    """Whether only people may run it: it is never offered to a model, and refused when one calls it."""
    evaluates: Literal["answered", "always"] | None
    """An evaluator: it runs by itself after each turn that was answered, or after every turn; None for all others."""

    @property
    def offered(self) -> bool:
        """Whether it may be offered to a model at all."""
        return not self.user_only and self.evaluates is None

    def _condition(
        self, declared: Declared, keys: tuple[str, ...], parameters: Mapping[str, FieldInfo]
    ) -> None:
        """Take what was declared; `keys` are those of its arguments, `parameters` the fields of its params."""
        name = self.name
        self.depends_on = checked_depends_on(name, declared.get("depends_on", ()))
        self.uses = checked_uses(name, declared.get("uses", {}), keys)
        self.chain = checked_chain(name, declared.get("chain", False), parameters)
        self.approval = checked_approval(name, declared.get("approval"), parameters)
        self.user_only = checked_flag(name, "user_only", declared.get("user_only", False))
        self.evaluates = _checked_evaluates(name, declared.get("evaluates"))
        if self.evaluates is not None:
            self._check_evaluator(parameters)

    def _check_evaluator(self, parameters: Mapping[str, FieldInfo]) -> None:
        if needed := [name for name, field in parameters.items() if field.is_required()]:
            raise DeclarationError(
                f"{self.name}: nobody calls an evaluator with arguments, but it needs {', '.join(needed)}: "
                "give each a default"
            )
        if self.chain is not None:
            raise DeclarationError(
                f"{self.name}: an evaluator runs by itself, so it has no chain: take chain or evaluates out"
            )


def _checked_evaluates(action: str, given: Any) -> Any:
    if given is not None and given not in EVALUATES:
        raise DeclarationError(
            f"{action}: evaluates has to be one of {', '.join(EVALUATES)}, or None, not {given!r}"
        )
    return given


def checked_depends_on(action: str, given: Any) -> tuple[str, ...]:
    """Return the names that were declared, one or several, each once."""
    names = (given,) if isinstance(given, str) else given
    return tuple(dict.fromkeys(name.strip() for name in checked_words(action, "depends_on", names)))


def checked_uses(action: str, given: Any, keys: Iterable[str]) -> dict[str, str]:
    """Return which arguments are filled from which result: `{"quote": "GET_QUOTE.price"}`."""
    if not isinstance(given, Mapping):
        raise DeclarationError(
            f'{action}: uses has to be a dict such as {{"quote": "GET_QUOTE.price"}}, not {given!r}'
        )
    known = tuple(keys)
    if unknown := [str(key) for key in given if key not in known]:
        raise DeclarationError(
            f"{action}: uses fills {', '.join(unknown)}, which is no parameter; "
            f"it has {', '.join(known) or 'none'}"
        )
    for key, source in given.items():
        if not isinstance(source, str) or not _SOURCE.fullmatch(source):
            raise DeclarationError(
                f"{action}: uses fills {key} from {source!r}: write an action's name, and behind dots the way to "
                'the value in its result: "GET_QUOTE.price"'
            )
    return dict(given)
