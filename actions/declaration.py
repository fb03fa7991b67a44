"""The checks on what is declared beside a handler.

In: one declared value and the name of its action. Out: the value in its final form, or a DeclarationError
that says what to change. Nothing is repaired: a declaration that is nearly right is wrong.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, cast

from pydantic import BaseModel

from actions.errors import DeclarationError
from actions.limits import Dedupe, Lock, RateLimit
from actions.policy import Isolation, Retry, Timeouts, is_number

if TYPE_CHECKING:
    from actions.approvals import Approval
    from actions.chains import Chain


class Declared(TypedDict, total=False):
    """What may be declared beside a name and a handler; `Action` says of each field what it means."""

    similes: Iterable[str]
    description: str | None
    category: str
    tags: Iterable[str]
    examples: Iterable[Iterable[Mapping[str, Any]]]
    version: str
    params: type[BaseModel] | None
    output: Any
    retry: Retry | None
    timeout: str | float | timedelta | Timeouts | None
    rate_limit: RateLimit | Sequence[RateLimit] | None
    lock: Lock | str | Sequence[Lock | str] | None
    on_unknown: Literal["retry", "fail", "check"]
    dedupe: Dedupe | None
    isolated: bool | Isolation
    oversize: Literal["truncate", "fail"]
    before: Callable[..., Any] | None
    after: Callable[..., Any] | None
    queue: str
    priority: str
    permissions: Iterable[str]
    may_transition: bool
    everywhere: bool
    strict: bool
    similar_keys: bool | float | Literal["form"]
    repaired: Literal["accept", "refuse"] | None
    show: Iterable[str]
    depends_on: Iterable[str] | str
    uses: Mapping[str, str]
    chain: bool | Chain
    approval: Approval | bool | None
    user_only: bool
    evaluates: Literal["answered", "always"] | None


PRIORITIES: Final = ("high", "normal", "low")
REPAIRED: Final = ("accept", "refuse")

_ROLES: Final = ("user", "assistant", "tool")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_SIMILE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,63}", re.ASCII)
_QUEUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


def checked_fields(action: str, given: Iterable[str]) -> None:
    """Refuse a field that no action has."""
    if unknown := set(given) - Declared.__annotations__.keys():
        fields = list(Declared.__annotations__)
        near = [guess for each in sorted(unknown) for guess in get_close_matches(each, fields, 1)]
        hint = f" (did you mean {', '.join(near)}?)" if near else ""
        raise DeclarationError(
            f"{action}: an action has no {', '.join(sorted(unknown))}{hint}; it has {', '.join(fields)}"
        )


def checked_name(given: Any) -> str:
    """Return an action's name: a letter, then letters, digits and _, at most 64 in all."""
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise DeclarationError(
            f"{given!r} is no action name: start with a letter, then letters, digits and _, at most 64"
        )
    return given


def name_of(handler: Any) -> str:
    """Return the name that a function gives to its action when none is declared."""
    own = getattr(handler, "__name__", None)
    if not inspect.isroutine(handler) or not isinstance(own, str) or own == "<lambda>":
        raise DeclarationError(f'{handler!r} has no name of its own: say @action("NAME")')
    return checked_name(own.upper())


def checked_handler(action: str, handler: Any) -> Callable[..., Any]:
    """Return a handler that can be called and gives one result."""
    if isinstance(handler, type):
        raise DeclarationError(f"{action}: {handler.__name__} is a class: declare a function that uses it")
    if not callable(handler):
        raise DeclarationError(f"{action}: {handler!r} cannot be called: declare a function")
    call = cast("Any", type(handler)).__call__
    for test in (inspect.isgeneratorfunction, inspect.isasyncgenfunction):
        if test(handler) or test(call):
            raise DeclarationError(f"{action}: the handler yields: return one result instead")
    return cast("Callable[..., Any]", handler)


def checked_text(action: str, field: str, given: Any) -> str:
    """Return a text."""
    if not isinstance(given, str):
        raise DeclarationError(f"{action}: {field} has to be a text, not {given!r}")
    return given


def checked_words(action: str, field: str, given: Any) -> tuple[str, ...]:
    """Return several texts; one text alone would be read letter by letter."""
    if isinstance(given, str):
        raise DeclarationError(f"{action}: {field} has to be several texts: write ({given!r},)")
    try:
        words = tuple(given)
    except TypeError:
        raise DeclarationError(f"{action}: {field} has to be several texts, not {given!r}") from None
    for word in words:
        if not isinstance(word, str) or not word.strip():
            raise DeclarationError(f"{action}: {field} holds {word!r}, which is no text")
    return words


def checked_similes(action: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return other names, in which spaces and hyphens may stand too."""
    similes = checked_words(action, "similes", given)
    for simile in similes:
        if not _SIMILE.fullmatch(simile):
            raise DeclarationError(
                f"{action}: {simile!r} is no simile: letters, digits, _, - and spaces, a letter first"
            )
    return similes


def checked_examples(action: str, given: Any) -> tuple[tuple[dict[str, Any], ...], ...]:
    """Return conversations that show when to use it, each of messages in OpenAI's chat shape; copies."""
    if not isinstance(given, list | tuple):
        raise DeclarationError(f"{action}: examples are several conversations, not {given!r}")
    for example in cast("list[Any]", given):
        messages = cast("list[Any]", example) if isinstance(example, list | tuple) else ()
        if not messages or not all(map(_is_message, messages)):
            raise DeclarationError(
                f"{action}: {example!r} is no example: write a list of messages with role and content"
            )
    return tuple(tuple(copy.deepcopy(dict(message)) for message in example) for example in given)


def _is_message(given: Any) -> bool:
    if not isinstance(given, Mapping) or cast("Any", given).get("role") not in _ROLES:
        return False
    return "content" in given or "tool_calls" in given


def checked_flag(action: str, field: str, given: Any) -> bool:
    """Return True or False."""
    if not isinstance(given, bool):
        raise DeclarationError(f"{action}: {field} has to be True or False, not {given!r}")
    return given


def checked_repaired(action: str, given: Any, *, guarded: bool) -> Literal["accept", "refuse"]:
    """Return whether mended calls run; without a word, those of an action that people or permissions guard do not."""
    if given is None:
        return "refuse" if guarded else "accept"
    if given not in REPAIRED:
        raise DeclarationError(
            f"{action}: repaired has to be one of {', '.join(REPAIRED)}, or None, not {given!r}"
        )
    return cast("Literal['accept', 'refuse']", given)


def checked_retry(action: str, given: Any) -> Retry | None:
    """Return a retry policy or None."""
    if given is None or isinstance(given, Retry):
        return given
    how = f"Retry({given})" if is_number(given) else "Retry(3)"
    raise DeclarationError(f"{action}: retry has to be a Retry, not {given!r}: write {how}")


def checked_queue(action: str, given: Any) -> str:
    """Return the name of a Celery queue."""
    if not isinstance(given, str) or not _QUEUE.fullmatch(given):
        raise DeclarationError(
            f"{action}: {given!r} is no queue name: letters, digits, _, . and -, at most 64"
        )
    return given


def checked_priority(action: str, given: Any) -> str:
    """Return one of the three priorities."""
    if given not in PRIORITIES:
        raise DeclarationError(f"{action}: priority has to be one of {', '.join(PRIORITIES)}, not {given!r}")
    return cast("str", given)


def checked_show(action: str, given: Iterable[str], keys: Iterable[str]) -> frozenset[str]:
    """Return the parameters that may be shown; each has to exist."""
    show = frozenset(checked_words(action, "show", given))
    if unknown := show.difference(keys):
        raise DeclarationError(f"{action}: show names {', '.join(sorted(unknown))}, which is no parameter")
    return show


def checked_part(action: str, word: str, function: Any, wanted: str) -> None:
    """Refuse a validator, check, undo, processor or hook that cannot be called with what it will get."""
    if not callable(function):
        raise DeclarationError(f"{action}: {word} has to be a function of ({wanted}), not {function!r}")
    try:
        inspect.signature(function).bind(*wanted.split(", "))
    except (TypeError, ValueError):
        raise DeclarationError(
            f"{action}: {word} is called with ({wanted}): give it these parameters"
        ) from None
