"""The table of replies: for each way in which models ask for actions, replies and what is read out of them.

Tests read every row, and docs/formats.md is made of them. Each module here has a `FAMILY`; a new one is its file.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """A reply, and what is read out of it."""

    what: str
    """What it shows, in a few words that go on from "Where …" or name a defect: "a trailing comma"."""
    reply: Any
    """What is given to `read`: a text, a body, a list of events, or a stream's text."""
    calls: tuple[tuple[Any, ...], ...] = ()
    """(name, arguments) or (name, arguments, id) of the calls that may run, in order."""
    text: str | None = None
    """The visible text; None: it does not matter here."""
    errors: tuple[str, ...] = ()
    """The codes of all errors, in order."""
    repaired: tuple[str, ...] = ()
    """What each repaired call says was mended, one after the other."""
    provider_calls: tuple[str, ...] = ()
    """Names of the tools that the provider ran."""
    format: str | None = None
    """The format it is read as; None: it is detected."""
    found: str | None = None
    """The format that the reply then has; None: the family's name."""


@dataclass(frozen=True, slots=True)
class Family:
    """One way of asking for actions."""

    name: str
    """The format's or dialect's public name."""
    title: str
    """Its heading in the docs, for example "Hermes tags"."""
    about: str
    """Who writes it, and what is to be known of it, in one to four sentences for the docs."""
    sample: Any
    """One good reply with a call, for the docs: a text or a body."""
    cases: tuple[Case, ...] = field(default=())
    """Replies of it; good ones first, then its common defects."""
    kind: str = "dialect"
    """Where the docs list it: "provider", "stream" or "dialect"."""
    order: int = 100
    """Its place among those of its kind, the smallest first."""


def families() -> list[Family]:
    """Every family, in the order of the docs."""
    found: list[Family] = []
    for module in pkgutil.iter_modules(__path__):
        held = importlib.import_module(f"{__name__}.{module.name}")
        found += getattr(held, "FAMILIES", None) or [held.FAMILY]
    kinds = ("provider", "stream", "dialect")
    return sorted(found, key=lambda each: (kinds.index(each.kind), each.order, each.name))
