"""Replies of any size: a family's sample and a size in, a reply of about that size out that is read as the sample is.

How a sample can grow is tried, not told: a way counts if the grown reply has the same calls, grown as they should be,
and no errors. So a family that is new in the table of replies is measured without a word here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from cases import Family

from actions.messages import Reply
from orchestrator.intake import MAX_CALLS, read

WORDS = " The quick brown fox jumps over the lazy dog, and 12 of them run home."
CODE = '\ndef go(x):\n    return {"a": [x, "<b>"]}  # `go` \\ {x}'
PROSE = 'A sentence with (brackets), a list [1, 2], 3 < 4, `code`, {braces} and "quotes".\n\n'
_TRIED = 30
"""Times that something is put in where a way of growing is tried."""

Make = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of making a reply of any size."""

    family: str
    """The format's name, or "hostile"."""
    what: str
    """What grows."""
    make: Make
    """A size in characters in, a reply of about that size out."""
    pieces: bool = False
    """Whether it is read while it comes, in small pieces."""


def ways(family: Family) -> Iterator[Way]:
    """Every way in which the sample of a family can grow."""
    reply = read(family.sample)
    longer = [
        (what, make)
        for what, filler in (("long text", WORDS), ("long code", CODE))
        if (make := _longer(family.sample, reply, filler))
    ]
    yield from (Way(family.name, what, make) for what, make in longer)
    as_it_is = written(family.sample)
    first = longer[0][1] if longer else lambda _: as_it_is
    tried = _repeated(family.sample, reply, lambda _: as_it_is)
    for (what, make), (_, small) in zip(_repeated(family.sample, reply, first), tried, strict=True):
        if _goes(small, reply, more=what.startswith("many in")):
            yield Way(family.name, what, make)


def written(sample: Any, *, raw: bool = True) -> str:
    """A reply as it arrives: a text, a body's JSON, or the text of a stream (or the list of its events)."""
    if isinstance(sample, str):
        return sample
    if isinstance(sample, dict) or not raw:
        return json.dumps(sample)
    return "".join(f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n" for each in sample)


def _longer(sample: Any, reply: Reply, filler: str) -> Make | None:
    """The sample with a long text among the first call's arguments, wherever and however that is written."""
    text = written(sample, raw=_comes_raw(sample))
    arguments = reply.calls[0].arguments or {}
    words = reply.text.split()[-1:]  # where no argument is written as a value: the text that people see
    for leaf, item in (*_leaves(arguments), *zip(words, words, strict=True)):
        sides = [("", "")] if isinstance(item, str) else [(', "more": "', '"'), ("", "")]
        for place, escaped in product((each.end() for each in re.finditer(re.escape(leaf), text)), range(4)):
            for before, after in sides:
                inner = _escaped(filler, escaped + bool(before))
                told = [_escaped(before, escaped), inner, _escaped(after, escaped)]
                make = _inserting(text, place, *told)
                grown = filler * _TRIED
                found = read(make(len(make(0)) + len(told[1]) * _TRIED))
                if found.calls and not found.errors and _holds([found.calls[0].arguments, found.text], grown):
                    return make
    return None


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """The texts and numbers in a value, as they are written."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif isinstance(value, str | int) and value != "":
        yield json.dumps(value).strip('"'), value


def _holds(value: Any, text: str) -> bool:
    """Whether a text stands somewhere in a value."""
    return any(isinstance(item, str) and text.strip() in item for _, item in _leaves(value))


def _inserting(text: str, place: int, before: str, filler: str, after: str) -> Make:
    """Put fillers into a text."""
    head, tail = text[:place] + before, after + text[place:]
    return lambda size: head + filler * max(0, (size - len(head) - len(tail)) // len(filler)) + tail


def _comes_raw(sample: Any) -> bool:
    """Whether a stream's events can come as the text of a stream too."""
    return isinstance(sample, list) and bool(read(written(sample)).calls)


def _escaped(text: str, times: int) -> str:
    """A text inside a JSON text, inside another one, and so on."""
    for _ in range(times):
        text = json.dumps(text)[1:-1]
    return text


def _repeated(sample: Any, reply: Reply, longer: Make) -> Iterator[tuple[str, Make]]:
    """Many calls, much prose, many events: whatever fits the kind of sample."""
    if isinstance(sample, str):
        yield "prose before", lambda size: PROSE * (max(0, size - len(sample)) // len(PROSE)) + sample
        yield "many calls", lambda size: _many(longer, len(sample), size)
    elif isinstance(sample, dict):
        for path in _lists(sample):
            yield f"many in {path}", lambda size, path=path: _many_in(sample, path, longer, size)
    else:
        raw = _comes_raw(sample)
        leaf = next(iter(_leaves(reply.calls[0].arguments)), ("", ""))[0]
        for at, event in enumerate(sample):
            yield f"event {at + 1} repeated", lambda size, at=at: _many_events(sample, at, size, raw=raw)
            if leaf and leaf in json.dumps(event):
                yield "many deltas", lambda size, at=at: _many_deltas(sample, at, leaf, size, raw=raw)


def _goes(make: Make, reply: Reply, *, more: bool) -> bool:
    """Whether the same actions are asked for without an error, with more of something: calls, arguments or text."""
    found = read(make(40 * len(make(0))))
    if found.errors or {one.name for one in found.calls} != {one.name for one in reply.calls}:
        return False
    if more and len(found.calls) <= len(reply.calls):
        return False
    return len(found.model_dump_json()) > len(reply.model_dump_json()) + _TRIED


def _many(longer: Make, least: int, size: int) -> str:
    count = max(1, min(MAX_CALLS - 1, size // (4 * least)))
    return "\n".join(longer(size // count + n % 8 * len(WORDS)) for n in range(count))


def _many_in(sample: dict[str, Any], path: str, longer: Make, size: int) -> str:
    count = max(2, min(MAX_CALLS - 1, size // (2 * len(json.dumps(sample)))))
    made = json.loads(longer(size // count))
    held: Any = made
    for key in path.split("."):
        held = held[int(key)] if isinstance(held, list) else held[key]
    held[-1:] = held[-1:] * count
    return json.dumps(made)


def _lists(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all lists in a body that hold objects."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if path and isinstance(value, list) and value and isinstance(value[-1], dict):
        yield path
    for key, item in items:
        yield from _lists(item, f"{path}.{key}" if path else str(key))


def _many_events(sample: list[Any], at: int, size: int, *, raw: bool) -> str:
    each = len(written(sample[at : at + 1]))
    events = [*sample[:at], *[sample[at]] * max(1, (size - len(written(sample))) // each), *sample[at + 1 :]]
    return written(events, raw=raw)


def _many_deltas(sample: list[Any], at: int, leaf: str, size: int, *, raw: bool) -> str:
    """The event that holds the leaf, cut behind it, with pieces of text between its two halves."""
    event = sample[at]
    head, tail = (_changed(event, leaf, part) for part in ("head", "tail"))
    piece = _changed(event, leaf, WORDS)
    count = max(1, (size - len(written(sample))) // len(written([piece])))
    return written([*sample[:at], head, *[piece] * count, tail, *sample[at + 1 :]], raw=raw)


def _changed(value: Any, leaf: str, part: str) -> Any:
    """The value with each text that holds the leaf cut behind it, or made another text."""
    if isinstance(value, dict):
        return {key: _changed(item, leaf, part) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, leaf, part) for item in value]
    if not isinstance(value, str) or leaf not in value:
        return value
    cut = value.index(leaf) + len(leaf)
    return value[:cut] if part == "head" else value[cut:] if part == "tail" else part
