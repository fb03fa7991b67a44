"""How far intake looks: while counting, every search of its patterns and readers of JSON adds the characters it read.

The count is the same on every machine, so a test can say that a reply of four times the size costs four times as much.
A search in vain counts all that was left; a match in vain counts one, for how far it looked cannot be seen.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from json import JSONDecodeError, JSONDecoder
from typing import Any

import pytest

from orchestrator.intake import prose, reading
from orchestrator.intake.parts.marked_json import Marks
from orchestrator.intake.parts.tagged_json import Tags
from orchestrator.intake.parts.xml_elements import Form


class Count:
    """Characters so far, by who looked at them."""

    def __init__(self) -> None:
        self.by: Counter[str] = Counter()

    def text(self, plain: str) -> CountedText:
        made = CountedText(plain)
        made.count = self
        return made

    @property
    def characters(self) -> int:
        return self.by.total()


class CountedText(str):  # noqa: SLOT000 - it carries its count
    """A text whose own searches count too; pieces of it are plain texts."""

    count: Count

    def find(self, *given: Any) -> int:
        found = super().find(*given)
        self._told(found, *given)
        return found

    def rfind(self, *given: Any) -> int:
        self._told(-1, *given)
        return super().rfind(*given)

    def _told(self, found: int, _: str, start: int = 0, end: int | None = None) -> None:
        stop = len(self) if end is None else min(len(self), end)
        self.count.by["find"] += 1 + max(0, (stop if found < 0 else found) - start)


class CountedPattern:
    """A pattern that counts."""

    def __init__(self, pattern: re.Pattern[str], count: Count, name: str) -> None:
        self._pattern, self._count, self._name = pattern, count, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def _told(self, found: re.Match[str] | None, start: int, missed: int) -> re.Match[str] | None:
        self._count.by[self._name] += 1 + (found.end() - start if found else missed)
        return found

    def search(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> re.Match[str] | None:
        found = self._pattern.search(text, pos, endpos)
        return self._told(found, pos, max(0, min(len(text), endpos) - pos))

    def match(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> re.Match[str] | None:
        return self._told(self._pattern.match(text, pos, endpos), pos, 0)

    def fullmatch(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> re.Match[str] | None:
        return self._told(self._pattern.fullmatch(text, pos, endpos), pos, 0)

    def finditer(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Iterator[re.Match[str]]:
        for found in self._pattern.finditer(text, pos, endpos):
            self._told(found, pos, 0)
            pos = found.end()
            yield found
        self._count.by[self._name] += max(0, min(len(text), endpos) - pos)

    def findall(self, text: str) -> list[Any]:
        self._count.by[self._name] += len(text)
        return self._pattern.findall(text)

    def split(self, text: str, maxsplit: int = 0) -> list[Any]:
        self._count.by[self._name] += len(text)
        return self._pattern.split(text, maxsplit)

    def sub(self, made: Any, text: str, count: int = 0) -> str:
        self._count.by[self._name] += len(text)
        return self._pattern.sub(made, text, count)


class CountedDecoder:
    """A reader of JSON that counts: to the end of what it read, or to where it gave up."""

    def __init__(self, decoder: JSONDecoder, count: Count, name: str) -> None:
        self._decoder, self._count, self._name = decoder, count, name

    def raw_decode(self, text: str, idx: int = 0) -> tuple[Any, int]:
        try:
            value, end = self._decoder.raw_decode(text, idx)
        except JSONDecodeError as error:
            self._count.by[self._name] += 1 + error.pos - idx
            raise
        self._count.by[self._name] += 1 + end - idx
        return value, end

    def decode(self, text: str) -> Any:
        self._count.by[self._name] += len(text)
        return self._decoder.decode(text)


def _counted(held: Any, count: Count, name: str) -> Any:
    """The same with its patterns and readers counting, also those in the marks and forms of a dialect."""
    if isinstance(held, re.Pattern):
        return CountedPattern(held, count, name)
    if isinstance(held, JSONDecoder):
        return CountedDecoder(held, count, name)
    if isinstance(held, Form | Marks | Tags):
        parts = {each.name: getattr(held, each.name) for each in fields(held)}
        return replace(held, **{key: _counted(one, count, f"{name}.{key}") for key, one in parts.items()})
    return held


@contextmanager
def counting() -> Iterator[Count]:
    """Put counting patterns and readers in place of all that modules of intake hold."""
    count = Count()
    with pytest.MonkeyPatch.context() as patch:
        for name, module in [*sys.modules.items()]:
            if name.startswith(("orchestrator.intake", "actions.strict_json")):
                for key, held in [*vars(module).items()]:
                    made = _counted(held, count, f"{module.__name__}.{key}")
                    if made is not held:
                        patch.setattr(module, key, made)
        real = prose.openings

        def openings(dialects: Any) -> Any:
            pattern, groups = real(dialects)
            return CountedPattern(pattern, count, "openings"), groups

        def sweep(text: str, dialects: Any) -> Any:
            return prose.sweep(count.text(text), dialects)

        patch.setattr(prose, "openings", openings)
        patch.setattr(reading, "sweep", sweep)
        yield count
