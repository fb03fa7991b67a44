"""The face of a dialect: a way in which models write calls into a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.intake.parts.taken import Opening, Taken


@dataclass(frozen=True, slots=True, eq=False)  # each is one of its kind, and hashed at each opening
class Dialect:
    """A way of writing calls into a text. It is looked for at its openings, or it is a whole text, or both."""

    name: str
    """Its public name."""
    also: tuple[str, ...] = ()
    """Other names that it may be asked for by."""
    continues: bool = True
    """Whether the model must see the results of its calls and answer again; False: the text is itself the answer."""
    opening: str = ""
    """A regular expression for where it may begin: linear, without groups that capture, never empty ("": nowhere)."""
    first: str = ""
    """The characters that an opening can begin with, each by itself, for example "<[" (not a pattern)."""
    take: Callable[[Opening], Taken | None] | None = None
    """Reads from an opening on. None: no call begins here.

    Dialects with one opening are asked one after the other: the first that takes something that is not `shown` has it.
    """
    begins: re.Pattern[str] | None = None
    """What a text begins with that may be nothing but calls; None: it never is."""
    whole: Callable[[str, int], Taken | None] | None = None
    """Reads a text whose rest from a place on (behind thoughts and blanks) fits `begins`. None: it does not."""
