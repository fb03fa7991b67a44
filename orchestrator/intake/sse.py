"""The events of a stream's text: pieces of it in, cut anywhere, each event out as soon as its line is whole.

It takes server-sent events, JSON lines, and one JSON array. An event is an object, or the text of a payload that is
none ("[DONE]", or what is cut off). The decoder of httpx-sse is of no use here: it is private to its package, drops an
event that no blank line follows, knows neither JSON lines nor arrays, and waits for the blank line where the object is
whole before. Time and memory are linear in the text.
"""

from __future__ import annotations

import re
from typing import Any, Final, Protocol

from actions.strict_json import SPACE, Unreadable, decode, is_object
from orchestrator.intake.brackets import Brackets

DONE: Final = "[DONE]"
"""What ends many streams."""

_END: Final = re.compile(r"\r\n|\n|\r")
_FIELD: Final = re.compile(r":|(?:data|event|id|retry)[^\S\r\n]*+:")
_FIELDS: Final = ("data:", "event:", "id:", "retry:", ":")
_ARRAY: Final = re.compile(r'\[\s*+[{"]')


class Events(Protocol):
    """Takes the text of a stream in pieces."""

    sound: bool
    """Whether nothing came so far that no stream of this kind has."""

    def feed(self, text: str) -> list[Any]:
        """The events that became whole with this piece."""
        ...

    def close(self) -> list[Any]:
        """The events that the end of the text makes whole; what is cut off comes as its text."""
        ...


def reader_for(head: str) -> Events | None:
    """The reader for a text that begins like this; None if it is no stream's, or not known yet (see `may_be`)."""
    head = head.lstrip(SPACE + "\ufeff")
    if head.startswith("{") or _FIELD.match(head):
        return Lines()
    return Array() if _ARRAY.match(head) else None


def may_be(head: str) -> bool:
    """Whether a text that begins like this, and goes on, may be a stream."""
    head = head.lstrip(SPACE + "\ufeff")
    if not head or head.startswith("["):
        return not head[1:].strip(SPACE)
    return any(field.startswith(head) for field in _FIELDS)


class Lines:
    """Server-sent events and JSON lines."""

    def __init__(self) -> None:
        """Begin at the first character."""
        self.sound = True
        self._rest: list[str] = []
        self._half_end = False
        self._kind = ""
        self._data: list[str] = []

    def feed(self, text: str) -> list[Any]:
        """The events that became whole with this piece."""
        if self._half_end and text:
            text = text.removeprefix("\n")  # the second half of a line end that was cut
            self._half_end = False
        if not _END.search(text):
            self._rest.append(text)
            return []
        self._half_end = text.endswith("\r")
        *lines, rest = _END.split("".join((*self._rest, text)))
        self._rest = [rest]
        return [event for line in lines for event in self._line(line)]

    def close(self) -> list[Any]:
        """The events of a last line without an end, and of a last event without a blank line."""
        last = "".join(self._rest)
        self._rest = []
        return [*self._line(last), *self._line("")]

    def _line(self, line: str) -> list[Any]:
        line = line.removeprefix("\ufeff")
        if not line.strip():
            return self._dispatch()
        if line.startswith("{"):
            return self._payload(line)
        name, colon, value = line.partition(":")
        name = name.rstrip()
        if name == "data":
            return self._payload(value.removeprefix(" "))
        if name == "event":
            self._kind = value.strip()
        elif not colon or name not in {"", "id", "retry"}:
            self.sound = False
        return []

    def _payload(self, value: str) -> list[Any]:
        """An event that one line holds is an event at once: some streams have no blank lines."""
        if not self._data:
            if value.strip() == DONE:
                return [DONE]
            if value.startswith("{") and value.rstrip().endswith("}"):
                event = _event(value, self._kind)
                if is_object(event):
                    self._kind = ""
                    return [event]
        self._data.append(value)
        return []

    def _dispatch(self) -> list[Any]:
        data, kind, self._data, self._kind = "\n".join(self._data).strip(), self._kind, [], ""
        if not data:
            return []
        if data == DONE or data.startswith(("{", "[")):
            return [_event(data, kind)]
        if kind == "error":
            return [{"error": {"message": data}}]
        self.sound = False
        return []


class Array:
    """One JSON array of events, as objects or as texts that hold them."""

    def __init__(self) -> None:
        """Begin before the bracket."""
        self.sound = True
        self._parts: list[str] = []
        self._brackets = Brackets()
        self._ended = False

    def feed(self, text: str) -> list[Any]:
        """The entries that became whole with this piece."""
        found: list[Any] = []
        start = 0
        for mark in self._brackets.marks(text):
            begins, ends = self._step(mark[0])
            if begins:
                self._parts, start = [], mark.start()
            elif ends:
                self._parts.append(text[start : mark.end()])
                found.append(_event("".join(self._parts), ""))
                self._parts, start = [], mark.end()
        if self._brackets.depth > 1 or self._brackets.quoted:
            self._parts.append(text[start:])
        elif self._ended and text[start:].strip(SPACE + "],"):
            self.sound = False
        return found

    def close(self) -> list[Any]:
        """What was cut off, as its text."""
        rest = "".join(self._parts).strip()
        if self._ended:
            return []
        return [rest] if rest else []

    def _step(self, mark: str) -> tuple[bool, bool]:
        """Whether an entry begins at a mark, and whether one ends."""
        depth, quoted = self._brackets.depth, self._brackets.quoted
        if mark == '"':
            return quoted and depth == 1, not quoted and depth == 1
        if mark in "{[":
            return depth == 2, False  # noqa: PLR2004 - inside the array
        self._ended = self._ended or depth <= 0
        return False, depth == 1


def _event(data: str, kind: str) -> Any:
    """The object that a payload is, or its text where it is none; what an error event says stands under `error`."""
    try:
        event = decode(data)
    except Unreadable:
        return data
    if is_object(event) and kind == "error" and "error" not in event and event.get("type") != "error":
        return {"error": event}
    return event if is_object(event) or isinstance(event, str) else data
