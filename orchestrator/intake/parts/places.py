"""Where something stands in a text: a text and a place in, whether it stands on lines of its own out.

Bullets, numbers, template tokens, tags and labels that name calls ("Tool call:") may stand on the line too; other words
may not. What is looked at is bounded, so the time does not depend on the text.
"""

from __future__ import annotations

import re
from typing import Final

LOOK: Final = 160
"""Characters that may stand on the line before it: a bullet, a label and some tags have no more than 100."""
RESULTS: Final = (
    r"tool_response|function_results?|tool_results?|tool_outputs?|observation|tools|available_tools"
)
"""Tags around what tools answered and which there are: a model that writes them repeats it, or makes it up."""
_TAG: Final = (
    r"<\|[\w ]{1,40}\|>|</?s>|\[/?INST\]"
    rf"|</?(?!(?:{RESULTS})>)(?:tool|function|call|action|json|response|output|answer)[\w-]{{0,30}}+>"
)
_LABEL: Final = r"(?i:(?:tool|function|action)s?[ _-]?(?:calls?|use|requests?)?)[*_]{0,2}\s*+[:=][*_]{0,2}"
_BEFORE: Final = re.compile(rf"(?:\s|{_TAG}|[-*\u2022](?=\s)|\*\*|\d{{1,3}}[.)](?=\s))*+(?:{_LABEL}\s*+)?")
_ANNOUNCED: Final = re.compile(r"[^\n]*:[*_]{0,2}\s*")
_AFTER: Final = re.compile(rf"(?:[^\S\n]|[;,.]|{_TAG}){{0,40}}+(?:$|\n)", re.MULTILINE)
_REST: Final = re.compile(rf"(?:\s|[;,.]|{_TAG})*+\Z")


def starts_line(text: str, at: int, *, announced: bool = False) -> bool:
    """Whether nothing but markup stands before it on its line; `announced`: or words that end in a colon."""
    begin = text.rfind("\n", max(0, at - LOOK), at) + 1
    if begin == 0 and at > LOOK:
        return announced and bool(_ANNOUNCED.fullmatch(text, at - LOOK, at))
    if _BEFORE.fullmatch(text, begin, at):
        return True
    return announced and bool(_ANNOUNCED.fullmatch(text, begin, at))


def starts_blank(text: str, at: int) -> bool:
    """Whether nothing but blanks stands before it on its line."""
    begin = text.rfind("\n", max(0, at - LOOK), at) + 1
    return (begin > 0 or at < LOOK) and not text[begin:at].strip()


def ends_line(text: str, end: int) -> int | None:
    """Where the marks after it end, if its line has no words after it; None if it has."""
    after = _AFTER.match(text, end)
    return None if after is None else after.end() - after[0].endswith("\n")


def ends_text(text: str, end: int) -> bool:
    """Whether nothing but markup and blanks follows to the text's end."""
    return bool(_REST.match(text, end))
