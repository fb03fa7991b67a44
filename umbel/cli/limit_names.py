"""What an operator writes of a limit (a name, a key, numbers) in, read and checked against what the actions declare.

A slip of the pen is refused before anything is changed: a limit that nobody has would take its numbers silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Final

import click

from actions.errors import ConfigError, DeclarationError
from actions.limits import REMEMBERED, RateLimit
from actions.limits import check_name as check_limit_name
from actions.policy import duration
from orchestrator.store.room import Numbers
from umbel.cli.stores import registry_or_why

_NUMBERS: Final = re.compile(r"(\d{1,12}) ?/ ?(.+)", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9._~@%:-]{1,400}", re.ASCII)
_MOST: Final = 2**31
_LONGEST: Final = timedelta(days=366)
_US: Final = timedelta(microseconds=1)
_UNCHANGED: Final = (
    "Nothing was changed (--force sets it all the same, for actions that this machine does not have)"
)


@dataclass(frozen=True, slots=True)
class Known:
    """The limits that the actions declare."""

    limits: list[tuple[str, RateLimit]]
    """Action and limit, in the order of the actions."""
    why: str
    """Why the actions cannot be loaded here; "" if they can."""

    @property
    def numbers(self) -> dict[str, Numbers]:
        """By the limit's name, what it lets through."""
        return {limit.name: Numbers(limit.n, limit.per // _US, limit.burst) for _, limit in self.limits}


def known() -> Known:
    """What the actions declare that can be loaded here."""
    registry, why = registry_or_why()
    return Known([(action.name, limit) for action in registry.actions for limit in action.rate_limits], why)


def is_of(field: str, name: str) -> bool:
    """Whether a key (or a name) belongs to what is named."""
    return field == name or field.startswith(f"{name}:")


def name_and_key(name: str | None, key: str | None) -> tuple[str, str | None]:
    """The limit's name, and the key as the store has it: the name first; None: all its keys."""
    if name is None and key is None:
        raise click.UsageError("Name the limit, or give --key.")
    if name is None:
        name = str(key).partition(":")[0]
    try:
        check_limit_name(name)
    except DeclarationError as error:
        raise ConfigError(str(error), where="NAME", fix="`umbel limits` lists them") from None
    if key is None or key == name:
        return name, None
    if not _KEY.fullmatch(key):
        raise ConfigError(
            f"{key!r} is no key: letters, digits and . _ ~ @ % : -, at most 400 (a * stands for nothing)",
            where="--key",
            fix="`umbel limits` lists those in use",
        )
    return name, key if key.startswith(f"{name}:") else f"{name}:{key}"


def numbers(text: str) -> tuple[int, timedelta]:
    """Starts (or units) and the window: "50/1s".

    Raises:
        ConfigError: it is something else.
    """
    match = _NUMBERS.fullmatch(text.strip())
    try:
        window = duration(f"1{match[2]}" if match[2].isalpha() else match[2]) if match else timedelta(0)
    except DeclarationError:
        window = timedelta(0)
    if match is None or window < timedelta(milliseconds=1):
        raise ConfigError(
            f"{text!r} does not say how many in which window",
            where="NUMBERS",
            fix="Write 50/1s, 200/10m or 1000/1d (a window is so many ms, s, m, h or d); 0/1s lets nobody start",
        )
    if window > _LONGEST or int(match[1]) >= _MOST:
        raise ConfigError(
            f"{text!r} is too much", where="NUMBERS", fix="Take less than 2^31 in a year at most"
        )
    return int(match[1]), window


def check(
    name: str, key: str | None, n: int, burst: int | None, cost: int | None, known: Known, *, force: bool
) -> None:
    """Raise ConfigError for numbers that such a limit cannot have, or a limit that nobody declares."""
    if burst is not None and burst > n:
        raise ConfigError(
            f"a burst of {burst} is more than the {n} of a window", where="--burst", fix="Give less"
        )
    if cost is not None and cost > max(n, 1):
        raise ConfigError(f"a cost of {cost} never fits into {n}", where="--cost", fix="Give less")
    own = [limit for _, limit in known.limits if limit.name == name]
    if not force:
        check_name(name, known, fix=_UNCHANGED)
        if key and own and not own[0].key:
            raise ConfigError(f"the limit {name} has one key, its name", where="--key", fix="Leave --key out")
    if (burst or cost) and any(limit.exact for limit in own):
        raise ConfigError(
            f"the limit {name} counts starts exactly: it has no burst and no cost",
            where="--burst" if burst else "--cost",
            fix="Leave it out, or declare the limit with a burst",
        )
    if n > REMEMBERED and any(limit.exact for limit in own):
        raise ConfigError(
            f"an exact limit counts no more than {REMEMBERED} starts",
            where="NUMBERS",
            fix="Take fewer in a shorter window, or declare the limit with a burst",
        )


def check_name(given: str, known: Known, *, fix: str = "") -> None:
    """Raise ConfigError for a limit that no action declares, if that can be told here."""
    names = sorted(known.numbers)
    name = given.partition(":")[0]
    if known.why or name in names:
        return
    of_action = [limit.name for action, limit in known.limits if action == name]
    near = get_close_matches(name, names, 1)
    there = f"the limits here are {', '.join(names)}" if names else "no action here has one"
    if of_action:
        there = f"the action {name} has the limit {', '.join(of_action)}"
    hint = f" (did you mean {near[0]}?)" if near and not of_action else ""
    raise ConfigError(f"there is no limit {name}{hint}: {there}", fix=fix)
