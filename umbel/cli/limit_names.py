"""What an operator writes of a limit (a name, a key, numbers) in, read and checked against what the actions declare.

A slip of the pen is refused before anything is changed: a limit that nobody has would take its numbers silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Final

import click

from actions.errors import ConfigError, DeclarationError
from actions.limits import RateLimit
from actions.limits import check_name as check_limit_name
from orchestrator import rates
from orchestrator.limit_changes import LONGEST, MOST, SHORTEST, LimitFlaw, flaw_of, key_of
from orchestrator.store.room import Numbers
from umbel.cli.stores import registry_or_why

_OPTIONS: Final = {"n": "NUMBERS", "per": "NUMBERS", "burst": "--burst", "cost": "--cost", "key": "--key"}
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
    found = key_of(name, key)
    if isinstance(found, LimitFlaw):
        raise ConfigError(found.text, where=_OPTIONS[found.field], fix=found.fix)
    return name, found


def numbers(text: str) -> tuple[int, timedelta]:
    """Starts (or units) and the window: "50/1s".

    Raises:
        UsageError: it is something else.
        ConfigError: it is more than a limit can have.
    """
    told = rates.numbers(text)
    if told is None or told[1] < SHORTEST:
        raise click.UsageError(
            f"NUMBERS: {text!r} does not say how many in which window. Write 50/1s, 200/10m or 1000/1d "
            "(a window is so many ms, s, m, h or d); 0/1s lets nobody start"
        )
    if told[1] > LONGEST or told[0] >= MOST:
        raise ConfigError(
            f"{text!r} is too much", where="NUMBERS", fix="Take less than 2^31 in a year at most"
        )
    return told


def check(
    name: str, key: str | None, n: int, burst: int | None, cost: int | None, known: Known, *, force: bool
) -> None:
    """Raise ConfigError for numbers that such a limit cannot have, or a limit that nobody declares."""
    if not force:
        check_name(name, known, fix=_UNCHANGED)
    own = [limit for _, limit in known.limits if limit.name == name]
    flaw = flaw_of(own, name, n, key=None if force else key, burst=burst, cost=cost)
    if flaw is not None:
        raise ConfigError(flaw.text, where=_OPTIONS[flaw.field], fix=flaw.fix)


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
