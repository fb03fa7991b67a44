"""The tags of formats that put JSON between them, and what a value or a text between such tags asks for.

In: what a format's tags look like; then a value that stood between them, or what stood there in place of one. Out: its
calls. Nothing but calls may stand there, so what asks for nothing is a malformed call.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Repeated, is_list, is_object
from orchestrator.intake.calls import broken, call
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.kinds import NAMES, is_foreign
from orchestrator.intake.objects import calls_in
from orchestrator.intake.parts.marked_json import SHOWN, SPECIAL, Limit, Marks, marks, named_in

_WRONG: Final = r"<\\?/[A-Za-z_|][\w:|-]{0,40}+(?:>|\Z)|<[A-Za-z_]{1,40}+\s*+/>"
_MEANT: Final = re.compile(r"""[{\[(<=:"']""")
_BROKEN_OFF: Final = re.compile(r"\s*+(?:</?\w{0,20}+)?+")

Asks = Callable[[Any, tuple[str, ...]], list[Call]]
"""Makes calls of a value and of what was mended to read it."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a format; made by `tags`."""

    token: re.Pattern[str]
    """What may stand next in a run; its last group says what it is."""
    marks: Marks
    """What bounds a value that cannot be read."""
    asks: Asks
    """What makes the calls of a value."""


def tags(opening: str, end: str, *, needed: bool = True, asks: Asks | None = None) -> Tags:
    """Make the tags of a format from regular expressions for its openings and its ends.

    Args:
        opening: its openings.
        end: its ends.
        needed: whether a whole call without an end says that it was mended.
        asks: makes the calls of a value that stands there; None: `asked`.
    """
    kinds = {
        "open": opening,
        "end": end,
        "wrong": _WRONG,
        "special": SPECIAL,
        "fence": r"```\w{0,20}+",
        "list": r"\[",
        "unlist": r"\]",
        "surplus": r"\}",
        "item": r"\{",
    }
    told = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items())
    return Tags(re.compile(rf"[\s,;]*+(?:{told})"), marks(opening, end, _WRONG, needed=needed), asks or asked)


def asked(value: Any, repaired: tuple[str, ...] = ()) -> list[Call]:
    """The calls of a value that stands where nothing but calls may stand: what asks for nothing is a malformed call."""
    if is_list(value):
        return [one for item in value[: MAX_LISTED + 1] for one in asked(item, repaired)]
    found = calls_in(value, alone=True, repaired=repaired)
    if found is not None:
        return found
    plain = is_object(value) and not isinstance(value, Repeated) and not is_foreign(value)
    if plain and value.keys() <= {*NAMES, "id", "type"}:
        names = [value[key] for key in NAMES if key in value]
        if len(names) == 1:
            return [call(names[0], {}, value.get("id"), "", repaired)]
    name = value.get("name") if is_object(value) else ""
    return [broken(name if isinstance(name, str) else "", "it is no object with a name and arguments")]


def without_json(inner: str, until: Limit, *, last: bool) -> Call | None:
    """The call that was meant by a tag with something else than JSON behind it; None for a tag in a sentence.

    Args:
        inner: what stands behind the tag.
        until: where that ends.
        last: whether the text ends there.
    """
    if until.ended and not in_sentence(inner):
        return broken(named_in(inner), "no JSON object stands between its tags", raw=inner[:SHOWN])
    if last and _BROKEN_OFF.fullmatch(inner):
        return broken("", "the reply ends inside its tag", truncated=True)
    return None


def in_sentence(inner: str) -> bool:
    """Whether words between two tags belong to a sentence about tags: spaces part them from the tags."""
    return inner[:1] == " " == inner[-1:] and "\n" not in inner and not _MEANT.search(inner)


def nothing(block: str) -> list[Call]:
    """What an empty block asks for: a call that is missing; an empty list is none that was meant."""
    return [] if "[" in block else [broken("", "nothing stands between its tags")]


def beside(calls: list[Call]) -> list[Call]:
    """The calls of a block in which something else stands too: nobody knows what was meant."""
    why = "something else stands beside the JSON between its tags"
    return [broken(one.name, why, id=one.id, raw=one.raw) for one in calls] or [broken("", why)]


def doubt(calls: list[Call], start: int) -> None:
    """Refuse the calls from a number on, for they stand behind an object of which nobody knows where it ends."""
    why = "an object before it cannot be read, and what stands behind them does not end as it should"
    calls[start:] = [
        one if one.error else broken(one.name, why, id=one.id, raw=one.raw) for one in calls[start:]
    ]
