"""Elements one after the other: a text and a place in, their names with what stands in them out.

Tags have no attributes, and blanks part the elements; what is anything else ends the run. A CDATA section hides end
tags that stand in it. No DOCTYPE is ever read, and no entity is decoded here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

MAX_ELEMENTS: Final = 1_024
"""Elements of one run that are read."""

TAG: Final = re.compile(r"\s*+<([A-Za-z_][\w.-]{0,127}+)(\s*+/)?>")
"""An opening tag with the blanks before it; group 2 says that nothing is inside."""
_END: Final = re.compile(r"(?P<data>\]\]>\s*+)?+<(?P<slash>/?)(?P<name>[A-Za-z_][\w.-]{0,127}+)>")
_CDATA: Final = re.compile(r"\s*+<!\[CDATA\[")


@dataclass(slots=True)
class Element:
    """An element's name and what stands in it."""

    name: str
    """Its name as written."""
    inner: str
    """What stands between its tags."""


@dataclass(slots=True)
class Sections:
    """Elements that follow each other."""

    elements: list[Element] = field(default_factory=list[Element])
    """The elements in order."""
    end: int = 0
    """Where the last whole one ends."""
    cut: str = ""
    """The element behind it that has no end tag; empty: there is none."""
    rest: str = ""
    """Where a whole text was to be elements: what else stands behind them."""

    def all(self, *names: str) -> list[Element]:
        """The elements of one of these names."""
        return [one for one in self.elements if one.name.lower() in names]

    def get(self, *names: str) -> Element | None:
        """The first element of one of these names."""
        return next(iter(self.all(*names)), None)

    @property
    def pure(self) -> bool:
        """Whether there is nothing but whole elements."""
        return not self.cut and not self.rest


def within(inner: str) -> Sections:
    """The elements that a whole text is."""
    found = sections(inner, 0)
    found.rest = inner[found.end :].strip()
    return found


def sections(text: str, at: int, *, around: str = "", known: re.Pattern[str] | None = None) -> Sections:
    """The elements that follow each other from a place on.

    Args:
        text: the text.
        at: the place.
        around: the name of the element around. One inside that is not closed before that one's end tag may end
            behind it, but not behind the next one's beginning: so a text full of beginnings is read once.
        known: what an element must begin with to be read.
    """
    found = Sections(end=at)
    while len(found.elements) < MAX_ELEMENTS and (tag := TAG.match(text, found.end)):
        if tag[1] == around or (known is not None and not known.match(text, found.end)):
            break
        if tag[2]:
            found.elements.append(Element(tag[1], ""))
            found.end = tag.end()
            continue
        close = _close(text, tag, around)
        if close is None:
            found.cut = tag[1]
            break
        found.elements.append(Element(tag[1], text[tag.end() : close.start("slash") - 1]))
        found.end = close.end()
    return found


def _close(text: str, tag: re.Match[str], around: str) -> re.Match[str] | None:
    """The end tag of the element that a tag begins, with the end of the CDATA section that is all of it."""
    data, left = _CDATA.match(text, tag.end()), False
    for found in _END.finditer(text, data.end() if data else tag.end()):
        if found["name"] == tag[1] and found["slash"] and (found["data"] or not data):
            return found
        if around and found["name"] == around:
            if left and not found["slash"]:
                return None
            left = left or bool(found["slash"])
    return None
