"""Replies as JSON lines: one line in, one line out, in order, whatever stands in it.

In: `{"id", "body", "format"?}` for a reply as it came, or `{"id", "text", "format"?}` for a text that a model wrote.
Out: `{"id", "calls", "text", "provider_calls", "errors"}`; `calls` holds only calls that may run, each
`{"id", "name", "arguments"}` and, where something was mended, `"repaired"`. One line is held in memory at a time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from actions.messages import CallError, Reply
from actions.strict_json import Repeated, Unreadable, decode
from orchestrator.intake.reading import MAX_BODY, MAX_BODY_DEPTH, read, read_text
from orchestrator.intake.strict import too_deep

MAX_LINE: Final = MAX_BODY
"""Bytes of one line, without its end."""
_MAX_NUMBER: Final = 2**63
_STEERS: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What steers a terminal, or turns the direction of reading, and stands unescaped in JSON: it is escaped."""
_EMPTY: Final = Reply(format="text")


def parse_line(line: bytes, dialects: tuple[str, ...] | None = None) -> bytes:
    """Read one line; return the answer's line with its end. Bad content is an answer with errors.

    `dialects` are the names of those in which calls may stand in a text; None: all.
    """
    if len(line.rstrip(b"\r\n")) > MAX_LINE:
        return _answer(None, _wrong("too_large", f"The line is longer than {MAX_LINE} bytes."))
    try:
        row = _row(line)
    except Unreadable as error:
        return _answer(None, _wrong("bad_line", f"The line is no JSON object: {error}."))
    id = row.get("id")  # noqa: A001 - the row's word
    if not _is_id(id):
        return _answer(None, _wrong("bad_line", "The id of the line is neither a text nor a number."))
    return _answer(id, _reply(row, dialects))


def parse_lines(stream: BinaryIO, dialects: tuple[str, ...] | None = None) -> Iterator[bytes]:
    """Answer each line of a stream; empty lines are passed over, too long ones are read away in pieces."""
    while line := stream.readline(MAX_LINE + 2):
        if not line.endswith(b"\n") and len(line) >= MAX_LINE + 2:
            _skip_rest(stream)
        if line.strip():
            yield parse_line(line, dialects)


def _skip_rest(stream: BinaryIO) -> None:
    while (piece := stream.readline(1024 * 1024)) and not piece.endswith(b"\n"):
        pass


def _row(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8, at byte {error.start}") from None
    if too_deep(text, MAX_BODY_DEPTH):
        raise Unreadable(f"it is nested more than {MAX_BODY_DEPTH} levels deep")
    row = decode(text)
    if not isinstance(row, dict):
        raise Unreadable("it holds another value")
    if isinstance(row, Repeated):
        raise Unreadable(f"the key {min(row.twice)[:80]!r} stands twice")
    return cast("dict[str, Any]", row)


def _reply(row: dict[str, Any], dialects: tuple[str, ...] | None) -> Reply:
    if "body" in row:
        return read(row["body"], row.get("format"), dialects)
    text = row.get("text")
    if not isinstance(text, str):
        return _wrong("bad_line", 'The line has neither a "body" nor a "text".')
    return read_text(text, dialects) if row.get("format") is None else read(text, row["format"], dialects)


def _is_id(id: Any) -> bool:  # noqa: A002 - the row's word
    return id is None or isinstance(id, str) or (type(id) is int and -_MAX_NUMBER <= id < _MAX_NUMBER)


def _wrong(code: str, message: str) -> Reply:
    return _EMPTY.model_copy(update={"errors": (CallError(code=code, message=message),)})


def _answer(id: Any, reply: Reply) -> bytes:  # noqa: A002 - the row's word
    answer = {
        "id": id,
        "calls": [
            {"id": one.id, "name": one.name, "arguments": one.arguments}
            | ({"repaired": list(one.repaired)} if one.repaired else {})
            for one in reply.calls
            if not one.malformed
        ],
        "text": reply.text,
        "provider_calls": list(reply.provider_calls),
        "errors": [{"code": one.code, "message": one.message} for one in reply.errors],
    }
    told = _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(answer, ensure_ascii=False))
    # What UTF-8 cannot hold (half a surrogate pair in the row's id) leaves as the escape it came as.
    return told.encode("utf-8", "backslashreplace") + b"\n"
