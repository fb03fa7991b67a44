"""What holds of every reply, whatever came in: a reply and what it was read from in, nothing or an AssertionError out.

Hypothesis (`test_properties`) and the coverage-guided run (`tests/fuzz`) check the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from cases import families

from actions.messages import Reply
from orchestrator.intake.draft import Unusable
from orchestrator.intake.streaming import events_in

MADE_UP = {"input"}
"""Keys that stand for themselves: of what a tool takes as a text without keys."""
_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\x([0-9a-fA-F]{2})|\\[nrtbfav0]")
_GONE = re.compile(r"[\\\s\x00-\x1f\x7f-\x9f]+")
_LAST = 0x10FFFF


def sound(reply: Reply) -> Reply:
    """The reply can be stored, sent and told; each call has arguments or an error, each error is told."""
    Reply.model_validate_json(reply.model_dump_json())
    assert all((one.arguments is None) is (one.error is not None) for one in reply.calls)
    refused = [one.error for one in reply.calls if one.error]
    assert refused == list(reply.errors)[len(reply.errors) - len(refused) :]
    for _, arguments in running(reply):
        json.dumps(arguments, allow_nan=False, ensure_ascii=False).encode()
    return reply


def running(reply: Reply) -> list[tuple[str, dict[str, Any]]]:
    """Name and arguments of the calls that may run."""
    return [(one.name, one.arguments) for one in reply.calls if one.arguments is not None]


def written(reply: Reply, raw: Any) -> Reply:
    """What runs was written in the reply: its names, its keys and its texts."""
    if not running(reply):
        return reply
    told = [bare(raw if isinstance(raw, str) else json.dumps(raw)), *map(bare, _joined(raw))]
    for name, arguments in running(reply):
        for each in (name, *_texts(arguments)):
            assert each in MADE_UP or any(bare(each) in one for one in told), each
    return reply


def bounded(reply: Reply, raw: str) -> Reply:
    """What was made of a reply is not much larger than it."""
    assert len(reply.model_dump_json()) <= 40 * len(raw) + 20_000
    return reply


def part(cut: Reply, whole: Reply) -> None:
    """No call of a reply that was cut off is another one than those of the whole reply."""
    known = [repr(one) for one in running(whole)]
    assert [one for one in running(cut) if repr(one) not in known] == []


def bare(text: str) -> str:
    """A text without what formats escape in different ways: compare two only like this."""
    for _ in range(3):
        text = _ENTITY.sub(_character, text)
    text = _ESCAPED.sub(_unescaped, text)
    text = _GONE.sub("", text)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(entity: re.Match[str]) -> str:
    if entity[3]:
        return _NAMED[entity[3]]
    number = int(entity[1]) if entity[1] else int(entity[2], 16)
    return chr(number) if number <= _LAST else entity[0]


def _unescaped(piece: re.Match[str]) -> str:
    digits = piece[1] or piece[2] or piece[3]
    return chr(number) if digits and (number := int(digits, 16)) <= _LAST else ""


def _joined(raw: Any) -> list[str]:
    """The texts that came in pieces: those of one key, in the order of the events or blocks."""
    joined: dict[str, list[str]] = {}
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            raw = _events(raw)
    _collect(raw, "", joined)
    return ["".join(each) for each in joined.values()]


def _events(text: str) -> list[Any]:
    try:
        return events_in(text) or []
    except Unusable:  # a stream in which nothing can be read
        return []


def _collect(value: Any, key: str, joined: dict[str, list[str]]) -> None:
    if isinstance(value, str):
        joined.setdefault(key, []).append(value)
    elif isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            _collect(item, name if isinstance(value, dict) else key, joined)


def _texts(value: Any) -> Iterable[str]:
    """Every text in a value, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (str(key), *_texts(item))]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


@cache
def corpus() -> tuple[tuple[str, str], ...]:
    """Every reply of the table that is not large, as text, and the name of its family."""
    told = [
        (each.name, reply if isinstance(reply, str) else json.dumps(reply))
        for each in families()
        for reply in (each.sample, *(case.reply for case in each.cases))
    ]
    return tuple((name, text) for name, text in told if len(text) <= _LARGE)


_LARGE = 3_000
_FRAGMENT = re.compile(
    r"<[^<>\s]{0,40}>?|\[/?[A-Za-z_:]{1,20}\]?|```\w{0,12}\n?|[\w.$:-]{1,24}|\s{1,4}|[^\w\s]"
)


@cache
def fragments() -> tuple[str, ...]:
    """The pieces that the replies of the table are made of: tags, marks, words, quotes."""
    return tuple(sorted({each for _, text in corpus() for each in _FRAGMENT.findall(text)}))
