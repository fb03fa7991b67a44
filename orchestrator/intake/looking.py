"""What a pass over a text looks for: dialects in, one pattern for all their openings and all asides out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from orchestrator.intake.asides import MARKS
from orchestrator.intake.dialects.face import Dialect

# What stands at the beginning of an opening, where more can be said than its first character: a text full of "<" is
# passed over eight times as fast.
_BEGIN: Final = {"<": r"<[A-Za-z/|!\uff5c]"}


@lru_cache(maxsize=256)
def openings(dialects: tuple[Dialect, ...]) -> tuple[re.Pattern[str], dict[str, tuple[Dialect, ...]]]:
    """One pattern for all, sorted by first characters so that plain text is passed over fast; who has which group."""
    groups: dict[tuple[str, str], list[Dialect]] = {}
    for one in dialects:
        for character in one.first if one.opening else "":
            groups.setdefault((character, one.opening), []).append(one)
    named = {f"d{number}": (key, tuple(found)) for number, (key, found) in enumerate(groups.items())}
    branches: dict[str, list[str]] = {}
    for group, ((character, opening), _) in named.items():
        branches.setdefault(character, []).append(f"(?P<{group}>{opening})")
    for kind, character, pattern in MARKS:
        branches.setdefault(character, []).append(f"(?P<{kind}>{pattern})")
    told = [
        f"(?={_BEGIN.get(character) or re.escape(character)})(?:{'|'.join(each)})"
        for character, each in branches.items()
    ]
    first = "".join(map(re.escape, branches))
    return re.compile(f"(?=[{first}])(?:{'|'.join(told)})"), {
        name: found for name, (_, found) in named.items()
    }
