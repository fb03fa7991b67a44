"""The names that a reply's format may be asked for by: a name in, the formats and dialects that it allows out.

A name is a body's ("openai.chat"), a stream's ("openai.chat.stream", or ".sse_raw" for its raw text), a dialect's
("hermes"; what stands behind a further dot only tells people more), "text", in which no calls are looked for, or
"args_string": the text is nothing but the arguments of one call, as a provider keeps them in a string.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from actions.strict_json import clean
from orchestrator.intake.dialects import DIALECTS
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.draft import Unusable
from orchestrator.intake.formats import BODIES
from orchestrator.intake.formats.body import BodyFormat
from orchestrator.intake.streams import STREAMS
from orchestrator.intake.streams.face import StreamFormat

TEXT: Final = "text"
"""The format of a text in which no calls are looked for, and of one in which none were found."""
ARGUMENTS: Final = "args_string"
"""The format of a text that is the arguments of one call; nobody says of which, so its name is "tool"."""
STREAM: Final = ".stream"
"""Ends the name of a stream, as a list of events."""
RAW: Final = ".sse_raw"
"""Ends the name of a stream, as its text came."""

_PLAIN: Final = ("text", "plain")

KNOWN: Final = tuple(
    sorted(
        {*BODIES, *STREAMS, *(one.removesuffix(STREAM) + RAW for one in STREAMS), *DIALECTS, TEXT, ARGUMENTS}
    )
)
"""Every name that may be asked for, without those that are other words for one of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reply may be."""

    name: str | None = None
    """The name that was asked for; None: whatever it is."""
    body: BodyFormat | None = None
    """The one body that it may be; None: any, or none if it must be a text."""
    stream: StreamFormat | None = None
    """The one stream that it may be."""
    dialects: tuple[Dialect, ...] = ()
    """The dialects in which calls may stand in its text."""
    wire: bool = False
    """Whether it must be a provider's body or stream."""


def wanted(format: Any = None, dialects: Iterable[str] | None = None) -> Wanted:  # noqa: A002 - the parameter's name
    """What a name allows; `dialects` are the names of those that may be looked for, None for all.

    Raises:
        Unusable: there is no such format, or no such dialect.
    """
    allowed = tuple(DIALECTS.values()) if dialects is None else chosen(dialects)
    if format is None:
        return Wanted(dialects=allowed)
    name = format.strip().lower() if isinstance(format, str) else ""
    if name in _DIALECTS:  # some are a body too, when they are the whole text
        return Wanted(name, _BODIES.get(name), dialects=(_DIALECTS[name],))
    if name in _BODIES or name in _STREAMS:
        base = name.removesuffix(STREAM).removesuffix(RAW)
        return Wanted(name, _BODIES.get(base), _STREAMS.get(name), allowed, wire=True)
    if name == ARGUMENTS:
        return Wanted(ARGUMENTS)
    if name.split(".")[0] in _PLAIN:
        return Wanted(TEXT)
    found = _dialect(name)
    if found is None:
        shown = clean(str(format)[:80]) if isinstance(format, str) else type(format).__name__
        raise Unusable("unknown_format", f"No format is named {shown!r}. Known: {', '.join(KNOWN)}.")
    return Wanted(name, dialects=(found,))


def chosen(names: Iterable[str]) -> tuple[Dialect, ...]:
    """The dialects of these names, in the order of the table; raise `Unusable` for a name that none has."""
    told = [names] if isinstance(names, str) else list(names)
    for name in told:
        if str(name).lower() not in _DIALECTS:
            shown = clean(str(name)[:80])
            raise Unusable("unknown_format", f"No dialect is named {shown!r}. Known: {', '.join(DIALECTS)}.")
    picked = {_DIALECTS[str(name).lower()].name for name in told}
    return tuple(one for one in DIALECTS.values() if one.name in picked)


def _dialect(name: str) -> Dialect | None:
    while name:
        if found := _DIALECTS.get(name):
            return found
        name = name.rpartition(".")[0]
    return None


def _named(one: Any) -> list[str]:
    return [one.name.lower(), *(each.lower() for each in one.also)]


_BODIES: Final = {name: one for one in BODIES.values() for name in _named(one)}
_STREAMS: Final = {
    each: one
    for one in STREAMS.values()
    for name in _named(one)
    for each in (name, name.removesuffix(STREAM), name.removesuffix(STREAM) + RAW)
}
_DIALECTS: Final = {name: one for one in DIALECTS.values() for name in _named(one)}
