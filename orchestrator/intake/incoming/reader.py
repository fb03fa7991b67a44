"""A reply that is still coming: pieces of a stream or of a text in, what is certain out, and at the end the reply.

`StreamReader` takes what `read` takes, cut anywhere, also inside a character. Each piece that comes out is a visible
text, a call (with its error, where it cannot run) or an error; a call comes out once: a provider's own with the event
that completes it, one in prose with its end mark, and where it has none of its own at the end. At the end there is the
same reply that `read` makes of the whole, except that what was let out stays: text around an object that brings its
own text, the first copies of a runaway, calls before the end of a thought that nothing began, and calls that a later
event contradicts, which is an error.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Any, Final

from actions.messages import Call, Reply
from actions.strict_json import SPACE
from orchestrator.intake import names, sse
from orchestrator.intake.draft import Unusable
from orchestrator.intake.incoming.growing import Growing
from orchestrator.intake.incoming.told import Told
from orchestrator.intake.reading import MAX_BODY, failed, finished, read
from orchestrator.intake.streaming import MAX_UNKNOWN, Stream
from orchestrator.intake.streams.outlet import Piece

_HEAD: Final = 4096
"""Characters by which a text must have shown that it may be a stream."""
_NEW, _EVENTS, _PROSE, _HELD = "new", "events", "prose", "held"


class StreamReader:
    """Reads one reply while it comes: `feed` or `feed_event` as often as there is something, then `close`."""

    def __init__(
        self,
        format: str | None = None,  # noqa: A002 - the wire's word
        dialects: Iterable[str] | None = None,
        *,
        thinking: bool = False,
    ) -> None:
        """Begin a reply.

        Args:
            format: one of `names.KNOWN`; None to find out.
            dialects: names of the dialects in which calls may stand in its text; None: all.
            thinking: whether its text begins inside a thought, as where a template swallows the opening tag. Without
                it, text before a `</think>` that nothing opened was let out before that could be known.

        Raises:
            Unusable: there is no such format, or no such dialect.
        """
        given = [dialects] if isinstance(dialects, str) else dialects
        self._asked = (format, None if given is None else tuple(given))
        self._wanted = names.wanted(*self._asked)
        self._mode = _PROSE if self._wanted.name == names.TEXT else _NEW
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._size = 0
        self._failed: Unusable | None = None
        self._texts: list[str] = []
        self._bracket = False
        self._events: list[Any] = []
        self._reader: sse.Events = sse.Lines()
        self._stream = Stream(self._wanted.stream)
        self._prose = Growing(self._wanted.dialects, thinking=thinking)
        self._told = Told()
        self._closed = False

    def feed(self, chunk: str | bytes) -> list[Piece]:
        """Take the next characters or bytes; return what became certain with them.

        Raises:
            TypeError: it is neither; an event goes to `feed_event`.
            ValueError: the reply was closed.
        """
        self._check_open()
        if not isinstance(chunk, str | bytes):
            raise TypeError(
                f"characters or bytes are wanted, not a {type(chunk).__name__}; events go to feed_event"
            )
        text = self._decoded(chunk)
        if not self._texts:
            text = text.removeprefix("\ufeff")
        if not text or self._failed is not None:
            return []
        self._texts.append(text)
        return self._take(text)

    def feed_event(self, event: Any) -> list[Piece]:
        """Take the next event: an object, its JSON text, or "[DONE]"; return what became certain with it.

        Raises:
            ValueError: the reply was closed, or it came as characters so far.
        """
        self._check_open()
        if self._texts:
            raise ValueError(
                "this reply comes as characters: feed takes them; events of a stream need a reader of their own"
            )
        if self._stream.form is None and len(self._events) <= MAX_UNKNOWN:
            self._events.append(event)
        self._stream.feed(event)
        if self._stream.to.size > MAX_BODY:
            self._failed = self._failed or _too_large()
        return self._from_stream()

    def close(self) -> tuple[list[Piece], Reply]:
        """End the reply; return what was left to be told, and all of it.

        Raises:
            ValueError: it was closed before.
        """
        self._check_open()
        self._closed = True
        told: list[Piece] = []
        left: list[Piece] = []
        try:
            reply = self._end(told, left)
        except Unusable as error:
            reply = failed(error.code, str(error))
        left, reply = self._told.settle(left, reply)
        return [*told, *left], reply

    # ----------------------------------------------------------------------------------------------------- steps

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(
                "this reader has read its reply and is closed; each reply needs a StreamReader of its own"
            )

    def _decoded(self, chunk: str | bytes) -> str:
        self._size += len(chunk)
        if self._failed is None and self._size > MAX_BODY:
            self._failed = _too_large()
        if self._failed is not None:
            return ""
        try:
            return chunk if isinstance(chunk, str) else self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            at = self._size - len(chunk) + error.start
            self._failed = Unusable("invalid_utf8", f"The reply is not UTF-8, near byte {at}.")
            return ""

    def _take(self, text: str) -> list[Piece]:
        if self._mode == _NEW:
            return self._begin()
        if self._mode == _EVENTS:
            return self._read_events(text)
        if self._mode == _PROSE:
            return self._told.take(self._prose.feed(text))
        return []  # a body can be read only as a whole

    def _begin(self) -> list[Piece]:
        """See what it is that comes: a stream, a body, or a text."""
        text = "".join(self._texts)
        reader = sse.reader_for(text)
        if reader is None and len(text) < _HEAD and sse.may_be(text):
            return []
        self._bracket = text.lstrip(SPACE).startswith(("{", "["))
        self._reader = reader or self._reader
        self._mode = _EVENTS if reader else _HELD if self._wanted.wire else _PROSE
        return self._take(text)

    def _read_events(self, text: str) -> list[Piece]:
        known = all(map(self._see, self._reader.feed(text)))
        if known and (self._stream.form is not None or self._reader.sound):
            return self._from_stream() if self._is_sure() else []
        whole = "".join(self._texts)
        self._mode = _HELD if self._wanted.wire or self._bracket or self._events else _PROSE
        return self._take(whole)

    def _see(self, event: Any) -> bool:
        if not self._is_sure():
            self._events.append(event)
        return self._stream.feed(event)

    def _is_sure(self) -> bool:
        """Whether it is a stream: one JSON object by itself may still be a body."""
        form = self._stream.form
        return form is not None and (len(self._events) > 1 or not self._bracket)

    def _from_stream(self) -> list[Piece]:
        """What the stream let out, its text read for calls in prose as long as it has no calls of its own."""
        told: list[Piece] = []
        for piece in self._stream.to.drain():
            if isinstance(piece, Call) and not self._told.native:
                told += self._told.take(self._prose.only_text())
                self._told.native = True
            told += self._told.take(self._prose.feed(piece) if isinstance(piece, str) else [piece])
        return told

    def _end(self, told: list[Piece], left: list[Piece]) -> Reply:
        """Read the whole; `told` takes what is let out with that, `left` the rest of the text and calls in it."""
        if self._failed is None and self._decoder.getstate()[0]:
            self._failed = Unusable("invalid_utf8", f"The reply is not UTF-8, near byte {self._size}.")
        if self._failed is not None:
            raise self._failed
        if self._mode == _EVENTS:
            all(map(self._see, self._reader.close()))
        if self._mode != _PROSE and self._stream.form is not None and (not self._texts or self._is_sure()):
            draft = self._stream.to.close()
            told += self._from_stream()
            left += self._prose.close()
            return finished(draft, self._stream.form, self._wanted)
        if self._mode == _PROSE:
            left += self._prose.close()
        return read("".join(self._texts) if self._texts else self._events or "", *self._asked)


def _too_large() -> Unusable:
    return Unusable("too_large", f"The reply is larger than {MAX_BODY} bytes.")
