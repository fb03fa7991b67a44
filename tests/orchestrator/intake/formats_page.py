"""docs/formats.md, made of the table of replies: families in, the page out, the same page for the same table.

What people wrote for it stands beside this, in `formats_page.md`; the names, samples, replies and results are the
table's, and the table is what the tests read. Nothing on the page can say what no test holds.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cases import Case, Family
from formats_streams import differences, events_of

from orchestrator.intake.dialects import DIALECTS
from orchestrator.intake.formats import BODIES
from orchestrator.intake.streams import STREAMS

INTRODUCTION = Path(__file__).with_name("formats_page.md")
HEADINGS = {
    "provider": "Providers' bodies",
    "stream": "Streams",
    "dialect": "Dialects: calls in a text",
}
_LONGEST = 220
"""Characters of a reply that a line of a table shows; of longer ones the beginning and the end."""
_TAIL = 80
_MOST_CHANGES = 4
"""Places in which a part of a body is told by what differs from the sample's; with more it is told as a whole."""
_MOST_CALLS = 3


def page(families: list[Family]) -> str:
    """The whole page."""
    parts = [INTRODUCTION.read_text(encoding="utf-8").rstrip(), *_contents(families)]
    for kind, heading in HEADINGS.items():
        parts.append(f"## {heading}")
        parts += [part for each in families if each.kind == kind for part in _section(each)]
    return "\n\n".join(parts) + "\n"


def _contents(families: list[Family]) -> Iterator[str]:
    yield "## Contents"
    lines: list[str] = []
    for kind, heading in HEADINGS.items():
        lines.append(f"- [{heading}](#{anchor(heading)})")
        lines += [
            f"  - [{each.title}](#{anchor(each.title)}): `{each.name}`"
            for each in families
            if each.kind == kind
        ]
    yield "\n".join(lines)


def anchor(heading: str) -> str:
    """What readers of Markdown make of a heading, to link to it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _section(family: Family) -> Iterator[str]:
    yield f"### {family.title}"
    yield f"`{family.name}`{_also(family.name)}. {_prose(family.about)}"
    yield _block(family.sample)
    rows = [f"| {_prose(each.what)} | {_given(each, family)} | {_read(each)} |" for each in family.cases]
    if rows:
        yield "\n".join(("| | reply | what is read |", "|---|---|---|", *rows))


def _also(name: str) -> str:
    one = BODIES.get(name) or STREAMS.get(name) or DIALECTS.get(name)
    names = ", ".join(f"`{each}`" for each in (one.also if one else ()))
    return f", also asked for as {names}" if names else ""


def _prose(text: str) -> str:
    """Text with tags that people see, wherever they do not stand in backticks."""
    pieces = re.split(r"(`+[^`]*`+)", text)
    shown = (piece if at % 2 else piece.replace("<", "&lt;") for at, piece in enumerate(pieces))
    return "".join(shown).replace("|", "\\|")


def _block(sample: Any) -> str:
    kind, text = "json", ""
    if isinstance(sample, str):
        kind, text = "text", _visible(sample.replace("\r\n", "\n"), keep="\n")
    elif isinstance(sample, list):
        text = "\n".join(_json(each) for each in sample)
    else:
        text = json.dumps(sample, indent=2, ensure_ascii=False)
    fence = "`" * max(3, _longest_ticks(text) + 1)
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}"


def _given(case: Case, family: Family) -> str:
    """A cell with a reply: a text as it is, a body or a stream by what differs from the sample."""
    asked = f"<br>asked for as `{case.format}`" if case.format else ""
    sample = family.sample
    if family.kind == "stream":
        return "<br>".join(_streamed(case.reply, sample)) + asked
    if isinstance(case.reply, str):
        return _code(case.reply) + asked
    if case.reply == sample:
        return "the sample" + asked
    changes = list(_changes(sample, case.reply, "")) if type(case.reply) is type(sample) else []
    if not changes or len(changes) > _MOST_CHANGES or isinstance(case.reply, list):
        return _code(_json(case.reply)) + asked
    return "<br>".join(_code(each) for each in changes) + asked


def _streamed(reply: Any, sample: Any) -> list[str]:
    """The lines of a cell with a stream."""
    if reply == sample:
        return ["the sample"]
    if not events_of(reply):
        return [_code(reply if isinstance(reply, str) else _json(reply))]
    told = differences(sample, reply, _changes)
    lines = [_code(each) if each.startswith("[") else each for each in told] or ["the sample's events"]
    if not isinstance(reply, str):
        return lines
    return [*lines, f"as text: {_code(reply, _LONGEST // 2, _TAIL // 2)}"]


def _changes(before: Any, after: Any, path: str) -> Iterator[str]:
    """What has to be changed in one value to get the other, a line for each place."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from _change(before, after, key, f"{path}.{key}" if path else str(key))
    elif isinstance(before, list) and isinstance(after, list):
        old, new = dict(enumerate(before)), dict(enumerate(after))
        for key in {**old, **new}:
            yield from _change(old, new, key, f"{path}[{key}]")
    elif json.dumps(before) != json.dumps(after):
        yield f"{path}: {_json(after)}"


def _change(before: dict[Any, Any], after: dict[Any, Any], key: Any, path: str) -> Iterator[str]:
    if key not in after:
        yield f"{path} left out"
    elif key not in before:
        yield f"{path}: {_json(after[key])}"
    else:
        lines = list(_changes(before[key], after[key], path))
        yield from lines if len(lines) <= _MOST_CHANGES else (f"{path}: {_json(after[key])}",)


def _read(case: Case) -> str:
    """A cell with what comes of a reply."""
    told = [_call(*each) for each in case.calls[:_MOST_CALLS]]
    if (more := len(case.calls) - _MOST_CALLS) > 0:
        told.append(f"and {more} more")
    told += [f"repaired: {', '.join(dict.fromkeys(case.repaired))}"] if case.repaired else []
    told += [f"run by the provider: {', '.join(f'`{one}`' for one in case.provider_calls)}"] * bool(
        case.provider_calls
    )
    told += [
        f"error: `{code}`{f', {times} times' if times > 1 else ''}"
        for code, times in Counter(case.errors).items()
    ]
    told += [f"text: {_code(case.text)}"] if case.text else []
    if not case.calls and not case.errors and not case.provider_calls:
        told.insert(0, "no call")
    return "<br>".join(told) + (f"<br>found to be `{case.found}`" if case.found else "")


def _call(name: Any, arguments: Any, id: Any = None) -> str:  # noqa: A002 - the wire's word
    return _code(f"{name} {_json(arguments)}") + (f" with id {_code(id)}" if id else "")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _code(text: str, longest: int = _LONGEST, tail: int = _TAIL) -> str:
    """Text as code in a cell: one line, not too long, with every character visible."""
    if not text.strip():
        return f"`{_json(text)}`"
    if len(text) > longest:
        text = f"{text[: longest - tail]} … {text[-tail:]}"
    text = _visible(text).replace("|", "\\|")
    ticks = "`" * (_longest_ticks(text) + 1)
    room = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{room}{text}{room}{ticks}"


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)


def _visible(text: str, keep: str = "") -> str:
    """Line breaks as arrows, and what cannot be seen or stored as the escape that stands for it."""
    marks = {"\n": "⏎", "\r": "␍", "\t": "⇥"}
    return "".join(
        each
        if each.isprintable() or each in keep
        else marks.get(each) or each.encode("unicode_escape").decode()
        for each in text
    )
