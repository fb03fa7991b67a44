"""What is to be known of a provider: how its tools look, and which limits it sets to them: data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from actions.tools.plain import Plain, Problem, Tool

Shape = Callable[[Plain], tuple[Tool, list[Problem]]]
"""Makes a tool, and tells what of it had to be given in another way than was asked for."""


def _as_they_are(tools: list[Tool]) -> list[Tool]:
    return tools


@dataclass(frozen=True, slots=True)
class Form:
    """One format of tools."""

    name: str
    """By which it is asked for."""
    shape: Shape
    """Makes one tool of it."""
    names: re.Pattern[str]
    """What a tool may be called."""
    keys: re.Pattern[str] | None = None
    """What an argument may be called; None for any text."""
    longest: int | None = None
    """Characters of a description; None where no limit is known."""
    described: bool = False
    """Whether a tool without a description is refused."""
    plain_top: bool = True
    """Whether the top of a schema may say nothing but type, properties and required."""
    most: int | None = None
    """Tools in one request; None where no limit is known."""
    wrapped: Callable[[list[Tool]], list[Tool]] = field(default=_as_they_are)
    """Makes of all tools what stands in the request."""
