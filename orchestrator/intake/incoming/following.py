"""What may follow a block of a text that is not at its end: beginnings of it that could change what the block says.

In: calls that were read, or what stands behind them. Out: texts to try, and whether to wait. A call is let out before
the end of a text only if none of these changes it.
"""

from __future__ import annotations

import re
from typing import Final

from actions.messages import Call
from orchestrator.intake.calls import NO_END
from orchestrator.intake.dialects.face import Dialect

SETTLE: Final = 256
"""Characters that must have come after what looked like a call and is none, before that is believed."""
LONGEST: Final = 64 * 1024
"""Characters in which something that belongs to a block before must have ended."""

PROBES: Final = (
    "x",
    "\n\nx",
    ' {"',
    "\n```\n",
    '"}',
    "<|",
    "[",
    "]",
    "}",
    ', {"name": "x", "arguments": {}}]',
    "</tool_call></function_call></function></invoke></tool_calls><|tool_call_end|>[/ACTION]</action>",
)
"""What may follow any block."""

LONGEST_MARK: Final = 128
"""Characters in which the end mark of a block stands."""
_LATE: Final = frozenset({"react", "eliza.xml"})
_END_MARK: Final = re.compile(r"(?:</[\w:.-]{1,64}>|/>|\[/\w{1,32}\]|[|\uff5c]>)\Z")
_ELEMENT: Final = re.compile(r"<([A-Za-z][\w.:-]{0,64}+)")
_MAY_BELONG: Final = re.compile(
    r"<[^<>]{0,64}+|`{1,3}+\w*+|\[[^\]]{0,64}+|[;,})\]][^\n]*+|[A-Za-z_][\w.]*+(?:\([^\n]*+)?"
)
"""What may yet become the end tag of the block before, or another call of it."""


def probes(calls: list[Call]) -> tuple[str, ...]:
    """What may follow a block with these calls: also an element that brings their parameters late."""
    told = "".join(f"<{one.name}><a>1</a></{one.name}>" for one in calls[:16])
    return (*PROBES, f"\n<params>{told}</params>")


def may_go_on(rest: str, opening: re.Pattern[str]) -> bool:
    """Whether what comes behind a block is the beginning of something that may belong to it.

    `opening` matches where another block begins.
    """
    rest = rest.lstrip()
    if not rest or len(rest) > LONGEST or opening.match(rest):
        return False
    element = _ELEMENT.match(rest)
    return bool(_MAY_BELONG.fullmatch(rest) or (element and f"</{element[1]}" not in rest))


def ends_itself(block: str, calls: list[Call], dialect: Dialect | None) -> bool:
    """Whether a block holds nothing but calls that may run, and an end mark of its own says that it is complete.

    Free texts and bodies whose parts come in any order (`_LATE`) are never complete before the text is.
    """
    if dialect is None or dialect.name in _LATE or not _END_MARK.search(block[-LONGEST_MARK:].rstrip()):
        return False
    return not any(one.malformed or NO_END in one.repaired for one in calls)
