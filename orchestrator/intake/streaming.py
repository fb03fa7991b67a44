"""Replies that come in events: the text of a stream, or its events, in; what was put together of them out.

Which wire it is shows in its first events. An event is an object, its JSON text, or "[DONE]". An error of the provider
among them is an error of the reply; what was complete before it stays.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.strict_json import SPACE, Repeated, Unreadable, decode, is_object
from orchestrator.intake import provider_errors, sse
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.streams import STREAMS
from orchestrator.intake.streams.assembly import Assembly
from orchestrator.intake.streams.face import StreamFormat

MAX_UNKNOWN: Final = 64
"""Events before the first that shows which wire it is."""

_HEAD: Final = 4096
_LINE: Final = re.compile(r"\s*+\{[^\r\n]*+[\r\n]\s*+\{")


class Stream:
    """A stream of events that is being read."""

    def __init__(self, only: StreamFormat | None = None) -> None:
        """Begin; `only` is the one wire that it may be."""
        self.to = Assembly()
        """What was put together so far."""
        self.form: StreamFormat | None = None
        """Its wire; None: not known yet."""
        self.error: str | None = None
        """What the provider said in place of a reply."""
        self._forms = tuple(STREAMS.values()) if only is None else (only,)
        self._first: list[Any] = []

    def feed(self, event: Any) -> bool:
        """Take an event; return False if by now it is clear that this is no stream that is known."""
        event = _parsed(event)
        if self.form is not None:
            self._take(event)
            return True
        if is_object(event):
            self.form = next((one for one in self._forms if one.matches(event)), None)
        elif event != sse.DONE:
            return False
        self._first.append(event)
        if self.form is None:
            self.error = self.error or provider_errors.found_in(event)
            return len(self._first) < MAX_UNKNOWN
        for each in self._first:
            self._take(each)
        self._first = []
        return True

    def _take(self, event: Any) -> None:
        form = self.form
        if event == sse.DONE:
            self.to.finish_all()
        elif not is_object(event):
            self.to.fail(f"An event of the stream is not JSON: {str(event)[:80]!r}.", "not_json")
        elif isinstance(event, Repeated):
            self.to.fail(f"The key {min(event.twice)[:80]!r} stands twice in an event.", "unexpected_body")
        elif form is not None and not form.matches(event) and (error := provider_errors.found_in(event)):
            self.to.fail(error)
        elif form is not None:
            if not self.to.draft.full:
                form.take(self.to, event)
            if (error := provider_errors.beside(event)) is not None:
                self.to.fail(error)


def events_in(text: str) -> list[Any] | None:
    """The events of a raw stream; None if the text is none.

    Raises:
        Unusable: it is one, and nothing in it can be read.
    """
    reader = sse.reader_for(text[:_HEAD])
    bracket = text[:_HEAD].lstrip(SPACE)[:1]
    if isinstance(reader, sse.Array):
        return _listed(text, reader)
    if reader is None or (bracket == "{" and not _LINE.match(text)):
        return None
    events = [*reader.feed(text), *reader.close()]
    if any(map(_is_good, events)):
        return events if bracket != "{" or reader.sound else None
    if events and bracket != "{":
        raise Unusable("not_json", f"No event of the stream is JSON: {str(events[0])[:80]!r}.")
    return None


def _listed(text: str, reader: sse.Array) -> list[Any] | None:
    """The events of an array, also of one that is broken; None unless one of the first is a stream's."""
    events: list[Any] = []
    known = False
    for at in range(0, len(text), _HEAD):
        new = reader.feed(text[at : at + _HEAD])
        known = known or any(map(_is_known, map(_parsed, new)))
        events += new
        if not known and len(events) >= MAX_UNKNOWN:
            return None
    return [*events, *reader.close()] if known else None


def assembled(events: list[Any], stream: StreamFormat | None) -> tuple[Draft, StreamFormat] | None:
    """Put a reply together; None if its events are those of no stream, or not of `stream` where one is given.

    Raises:
        Unusable: there is nothing but an error of the provider in it.
    """
    found = Stream(stream)
    if not all(map(found.feed, events)):
        return None
    if found.form is None:
        if found.error:
            raise Unusable("provider_error", found.error)
        if events and all(event == sse.DONE for event in events):
            raise Unusable("unexpected_body", "The stream holds nothing.")
        return None
    return found.to.close(), found.form


def _is_known(event: Any) -> bool:
    return is_object(event) and any(one.matches(event) for one in STREAMS.values())


def _is_good(event: Any) -> bool:
    return is_object(event) or event == sse.DONE


def _parsed(event: Any) -> Any:
    """The object that an event is, or the event as it came."""
    if not isinstance(event, str) or not event.lstrip(SPACE).startswith("{"):
        return event.strip(SPACE) if isinstance(event, str) else event
    try:
        return decode(event)
    except Unreadable:
        return event
