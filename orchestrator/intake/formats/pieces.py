"""What the formats of bodies share: texts in pieces are joined, provider's tools are noted, calls are made of blocks.

In: what stands in one block of a reply. Out: a text, a name in the draft, or a call. A call in whose block a key
stands twice is refused, and so is one that was cut off where its arguments cannot show that they are whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Repeated, clean, is_list, is_object
from orchestrator.intake import provider_errors
from orchestrator.intake.calls import MAX_NAME, NOTHING, broken, call
from orchestrator.intake.draft import Draft

MAX_SHOWN: Final = 300
"""Characters of a provider's own words that are handed on."""


class Pieces:
    """Texts of neighbouring blocks are one text (citations split it); a block in between parts them."""

    __slots__ = ("_apart", "_texts")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._apart = False

    def add(self, text: Any) -> None:
        """Add a block's text; what is no text, or empty, is nothing."""
        if not isinstance(text, str) or not text:
            return
        self._texts.append(f"\n\n{text}" if self._apart and self._texts else text)
        self._apart = False

    def part(self) -> None:
        """Say that another block stands between the text before and the one that comes."""
        self._apart = True

    def joined(self) -> str:
        """The whole text."""
        return "".join(self._texts)


def word(value: Any) -> str:
    """The value if it is a text, else the empty one: for kinds and reasons, which may be anything."""
    return value if isinstance(value, str) else ""


def listed(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if is_list(value) else []


def first_of(choices: Any) -> dict[str, Any] | None:
    """The choice or candidate that is the reply: the one with the lowest index, 0 where it has none."""
    held = [one for one in listed(choices) if is_object(one)]
    return min(held, key=_index, default=None)


def _index(choice: dict[str, Any]) -> int:
    index = choice.get("index")
    return index if type(index) is int else 0


def ran(draft: Draft, name: Any) -> None:
    """Note a tool that the provider runs itself."""
    if isinstance(name, str) and name:
        draft.provider_calls.append(clean(name[:MAX_NAME]))


def broke_off(draft: Draft, *holders: Any) -> bool:
    """Note the provider's error that stands in one of these objects beside a reply; return whether there is one."""
    error = provider_errors.beside(*holders)
    if error is not None:
        draft.complain("provider_error", error)
    return error is not None


def written(name: Any, given: Any, id: Any, *holders: Any, cut: bool = False) -> Call:  # noqa: A002 - the wire's word
    """Make the call of a block.

    Args:
        name: its name, as it stands there.
        given: its arguments: an object, the text of one, or nothing.
        id: its id, if it has one.
        holders: the objects that it was read from; a key that stands twice in one of them refuses it.
        cut: whether the reply was cut off at this call. Arguments that are a text show by themselves whether they
            are whole; an object may be half of what was meant.
    """
    shown = name if isinstance(name, str) else ""
    if any(isinstance(one, Repeated) for one in holders):
        return broken(shown, "keys stand twice in its object", id=id)
    one = call(name, given, id)
    if cut and not one.malformed and not (isinstance(given, str) and given.strip() not in NOTHING):
        why = "the reply was cut off while it was written"
        return broken(one.name, why, truncated=True, id=id, raw=one.raw)
    return one


def freely(name: Any, text: Any, id: Any, *holders: Any, cut: bool = False) -> Call:  # noqa: A002 - the wire's word
    """Make the call of a custom tool, whose input is a free text: its arguments are `{"input": text}`.

    Nothing shows whether a free text is whole: one that was `cut` does not run.
    """
    given = {"input": text} if isinstance(text, str) else text
    return written(name, given, id, *holders, cut=cut)


def ids_in(blocks: Iterable[Any], *keys: str) -> frozenset[str]:
    """The ids that blocks have under one of these keys, the first that is filled."""
    known = (one for one in blocks if is_object(one))
    told = (next((word(one[key]) for key in keys if word(one.get(key))), "") for one in known)
    return frozenset(told) - {""}
