"""Phi's `functools[{"name": ..., "arguments": {...}}, ...]`: the word, and a list of calls right behind it."""

from __future__ import annotations

from typing import Final

from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts import tag_runs
from orchestrator.intake.parts.tagged_json import tags
from orchestrator.intake.parts.taken import Opening, Taken

_OPENING: Final = r"(?<![\w.`])functools\s*+(?=\[\s*+[\]{]|\[\s*+\Z)"
_TAGS: Final = tags(_OPENING, r"(?!)", needed=False)


def take(opening: Opening) -> Taken | None:
    """Read the list that begins here."""
    text, at = opening.text, opening.at
    return tag_runs.run(text, at, _TAGS)


DIALECT: Final = Dialect(name="functools", also=("phi4", "phi"), opening=_OPENING, first="f", take=take)
