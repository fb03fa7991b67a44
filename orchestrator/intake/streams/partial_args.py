"""Arguments that come value by value, each with its place as a JSON path: parts in, an object out.

A text may come in several parts of one path. What is said twice, left out or addressed in no way that is known makes
the call unreadable: nothing is guessed.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.strict_json import MAX_DEPTH, is_list, is_object

_STEP: Final = re.compile(
    r"""\.([^.\[\]'"]{1,256}+)|\[([0-9]{1,6}+)\]|\['([^'\\]{0,256}+)'\]|\["([^"\\]{0,256}+)"\]"""
)
_VALUES: Final = ("stringValue", "numberValue", "boolValue", "nullValue")


class PartialArgs:
    """The arguments of one call."""

    def __init__(self) -> None:
        """Begin with none."""
        self.problem = ""
        """What makes them unreadable."""
        self.size = 0
        """Characters of the texts that came."""
        self._value: dict[str, Any] = {}
        self._path = ""
        self._texts: list[str] = []

    def add(self, part: Any) -> None:
        """Take one part."""
        path = part.get("jsonPath") if is_object(part) else None
        if not isinstance(path, str) or self.problem:
            self.problem = self.problem or "a part of its arguments has no path"
            return
        told = [key for key in _VALUES if key in part]
        more = part.get("willContinue") is True
        value = part[told[0]] if len(told) == 1 else ""
        if len(told) != 1 and (told or not (more or path == self._path)):
            self.problem = f"no value is clear for {path[:80]!r}"
        elif self._path and path != self._path:
            self.problem = f"the text of {self._path[:80]!r} is not ended"
        elif isinstance(value, str) and told in ([], ["stringValue"]):
            self._say(path, value, more=more)
        else:
            self._put(path, None if told == ["nullValue"] else value)

    def result(self) -> dict[str, Any] | None:
        """The arguments; None where one of them is not ended."""
        return None if self._path else self._value

    def _say(self, path: str, text: str, *, more: bool) -> None:
        self._path = path
        self._texts.append(text)
        self.size += len(text)
        if not more:
            self._put(path, "".join(self._texts))
            self._path, self._texts = "", []

    def _put(self, path: str, value: Any) -> None:
        steps = _steps(path)
        if not steps:
            self.problem = f"its path {path[:80]!r} cannot be read"
            return
        at: Any = self._value
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            fresh: Any = value if after is None else {} if isinstance(after, str) else []
            if not _fits(at, step) or (after is None and _has(at, step)):
                self.problem = f"its path {path[:80]!r} does not go with what came before"
                return
            if not _has(at, step):
                if is_list(at):
                    at.append(fresh)
                else:
                    at[step] = fresh
            at = at[step]


def _steps(path: str) -> list[str | int]:
    found: list[str | int] = []
    at = 1
    while path.startswith("$") and at < len(path) and len(found) <= MAX_DEPTH:
        step = _STEP.match(path, at)
        if step is None:
            return []
        index = step[2]
        found.append(int(index) if index else next(one for one in step.group(1, 3, 4) if one is not None))
        at = step.end()
    return found if at == len(path) else []


def _fits(at: Any, step: str | int) -> bool:
    if isinstance(step, str):
        return is_object(at)
    return is_list(at) and step <= len(at)


def _has(at: Any, step: str | int) -> bool:
    return step in at if isinstance(step, str) else step < len(at)
