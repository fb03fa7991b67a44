"""Server-sent events as they come off the wire: pieces of bytes in, however they were cut, whole messages out.

As in the WHATWG's HTML standard (9.2.6, "Interpreting an event stream"): fields by lines, a message at each empty line,
a comment where a line begins with a colon. A message that a broken connection left unfinished is none.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 16 * 2**20
"""Characters of one message; more is no message of ours, and would fill the memory."""

MOST_LINES: Final = 2**16
"""Lines of data of one message, since an empty one takes memory as well; ours have one."""

LONGEST_LINE: Final = 2**20
"""Characters of a line that is no data; a line of data holds a whole result at times."""

_LINE: Final = re.compile(r"([^\r\n]*)(\r\n|\n|\r)")
_END: Final = re.compile(r"[\r\n]")
_BOM: Final = "\ufeff"


class TooLong(ValueError):
    """A message is longer than `LONGEST`, or has more lines than `MOST_LINES`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream."""

    event: str
    """Of which kind it is; "message" if the stream named none."""
    data: str
    """Its lines of data, with a line feed between them."""
    id: str
    """The newest id that the stream named, in this message or before; empty: none yet."""


class Reader:
    """Puts messages together; one for each connection, since a new one begins anew."""

    def __init__(self) -> None:
        """Begin at the first byte of a connection."""
        self.id = ""
        """The newest id that this connection named; empty: none yet."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []
        self._unread = 0
        self._ends_half = False
        self._is_first = True
        self._kind = ""
        self._data: list[str] = []
        self._size = 0
        self._new_id = ""

    def feed(self, piece: bytes) -> list[Message]:
        """The messages that end in this piece.

        Raises:
            TooLong: a message, or a line of one, does not end.
        """
        new = self._decoder.decode(piece)
        if self._is_first and new:
            new = new.removeprefix(_BOM)
            self._is_first = False
        self._rest.append(new)
        self._unread += len(new)
        found = self._read() if _END.search(new) or self._ends_half else []
        if self._size + self._unread > LONGEST:
            raise TooLong(f"a message of the stream is longer than {LONGEST} characters")
        return found

    def _read(self) -> list[Message]:
        """The messages of the lines that are whole; pieces of a long line are joined once, when it ends."""
        text = "".join(self._rest)
        found: list[Message] = []
        at = 0
        while (line := _LINE.match(text, at)) is not None:
            if line[2] == "\r" and line.end() == len(text):
                break  # its line feed may come with the next piece
            at = line.end()
            if line[1]:
                self._take(line[1])
            elif (message := self._whole()) is not None:
                found.append(message)
        self._rest, self._unread = [text[at:]], len(text) - at
        self._ends_half = text.endswith("\r") and at < len(text)
        return found

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name != "data" and len(line) > LONGEST_LINE:
            raise TooLong(f"a line of the stream is longer than {LONGEST_LINE} characters")
        value = value.removeprefix(" ")
        match name:
            case "data":
                if len(self._data) >= MOST_LINES:
                    raise TooLong(f"a message of the stream has more than {MOST_LINES} lines")
                self._data.append(value)
                self._size += len(value) + 1  # its line feed
            case "event":
                self._kind = value
            case "id" if "\0" not in value:
                self._new_id = value
            case _:
                pass  # a comment, or a field that means nothing to us

    def _whole(self) -> Message | None:
        self.id = self._new_id
        data, kind = self._data, self._kind
        self._data, self._kind, self._size = [], "", 0
        return Message(kind or "message", "\n".join(data), self.id) if data else None
