from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner
from intake_replies import chat, tool_call

from orchestrator.intake import lines
from orchestrator.intake.lines import parse_line, parse_lines
from umbel.cli.parse import parse


def answer(row: Any) -> dict[str, Any]:
    line = row if isinstance(row, bytes) else json.dumps(row).encode()
    told = parse_line(line)
    assert told.endswith(b"\n")
    assert told.count(b"\n") == 1
    return json.loads(told)


def test_a_body_and_its_answer():
    row = {
        "id": "r1",
        "format": "openai.chat",
        "body": chat(tool_call("go", '{"a": 0}'), tool_call("bad", "{")),
    }
    told = answer(row)
    assert list(told) == ["id", "calls", "text", "provider_calls", "errors"]
    assert told["calls"] == [{"id": "call_1", "name": "go", "arguments": {"a": 0}}]
    assert [one["code"] for one in told["errors"]] == ["truncated_call"]
    assert (told["id"], told["text"], told["provider_calls"]) == ("r1", "", [])


def test_a_body_may_be_a_text_of_json_and_a_row_may_be_a_text_alone():
    assert answer({"id": 1, "body": json.dumps(chat(tool_call("go", "{}")))})["calls"][0]["name"] == "go"
    told = answer({"id": 2, "text": "Hi [ACTION:GO]{}[/ACTION]"})
    assert (told["calls"], told["text"]) == ([{"id": None, "name": "GO", "arguments": {}}], "Hi")
    assert answer({"id": 3, "text": "[ACTION:GO]{}[/ACTION]", "format": "coach.xml"})["calls"] == []


def test_what_was_mended_is_told():
    told = answer({"id": 4, "text": "[ACTION:GO]{a: 1,}[/ACTION]"})
    mended = ["keys without quotes", "trailing comma"]
    assert told["calls"] == [{"id": None, "name": "GO", "arguments": {"a": 1}, "repaired": mended}]


def test_only_the_dialects_that_were_asked_for_are_read():
    row = json.dumps({"id": 5, "text": "[ACTION:GO]{}[/ACTION]"}).encode()
    for dialects, number in ((None, 1), (("coach.tags",), 1), (("coach.xml",), 0), ((), 0)):
        assert len(json.loads(parse_line(row, dialects))["calls"]) == number


@pytest.mark.parametrize("wanted", ["openai.chat.streams", "gemini", "nonsense"])
def test_formats_that_are_not_known_are_errors(wanted: str):
    told = answer({"id": "x", "format": wanted, "body": chat(tool_call("go", "{}"))})
    assert (told["calls"], [one["code"] for one in told["errors"]]) == ([], ["unknown_format"])


@pytest.mark.parametrize(
    ("line", "id", "code"),
    [
        (b"not json", None, "bad_line"),
        (b"[1]", None, "bad_line"),
        (b"null", None, "bad_line"),
        (b'{"id": "a"', None, "bad_line"),
        (b'{"id": "a", "body": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", None, "bad_line"),
        (b'{"id": "a", "id": "b", "text": "x"}', None, "bad_line"),
        (b'{"id": {}, "text": "x"}', None, "bad_line"),
        (b'{"id": 1.5, "text": "x"}', None, "bad_line"),
        (b'{"id": "\xff", "text": "x"}', None, "bad_line"),
        (b'{"id": "a"}', "a", "bad_line"),
        (b'{"id": "a", "text": 7}', "a", "bad_line"),
        (b'{"id": "a", "body": 7}', "a", "unexpected_body"),
        (b'{"id": "a", "body": null}', "a", "unexpected_body"),
    ],
)
def test_a_bad_line_is_an_answer(line: bytes, id: Any, code: str):  # noqa: A002
    told = answer(line)
    assert (told["id"], told["calls"], [one["code"] for one in told["errors"]]) == (id, [], [code])


def test_an_id_that_is_no_utf8_leaves_as_it_came():
    assert parse_line(b'{"id": "\\ud800", "text": "x"}').startswith(b'{"id": "\\ud800"')


def test_a_line_that_is_too_long_is_answered_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines, "MAX_LINE", 100)
    fits = b'{"id": 1, "text": "' + b"x" * 79 + b'"}'
    assert len(fits) == 100
    stream = io.BytesIO(fits + b"\r\n" + b"y" * 101 + b"\n" + b"z" * 5_000 + b'\n\n{"id": 2, "text": "b"}')
    told = [json.loads(one) for one in parse_lines(stream)]
    assert [one["id"] for one in told] == [1, None, None, 2]
    assert [[error["code"] for error in one["errors"]] for one in told] == [
        [],
        ["too_large"],
        ["too_large"],
        [],
    ]


def test_the_command_answers_in_order_and_ends_well():
    rows = [{"id": n, "text": f"[ACTION:A]{{'n': {n}}}[/ACTION]"} for n in range(50)]
    given = b"\n".join([json.dumps(row).encode() for row in rows] + [b"\xff garbage", b"", b"{"])
    result = CliRunner().invoke(parse, input=given)
    assert result.exit_code == 0
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["id"] for one in told] == [*range(50), None, None]
    assert [one["calls"][0]["arguments"]["n"] for one in told[:50]] == [*range(50)]


@pytest.mark.processes
def test_the_command_is_quiet_when_its_reader_goes_and_answers_each_line_at_once():
    program = "from umbel.cli.parse import parse; parse()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b'{"id": 1, "text": "a"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1  # before the input has ended
        process.stdout.close()
        process.stdin.write(b'{"id": 2, "text": "b"}\n' * 3)
        process.stdin.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""


def test_nothing_in_an_answer_steers_a_terminal():
    row = {"id": "\x9b2J", "text": "a\u202eb", "body": {"error": {"message": "\x1b[2J\x9b \u202e"}}}
    told = lines.parse_line(json.dumps(row).encode()).decode()
    assert not set(told.strip()) & set("\x1b\x9b\u202e")
    assert json.loads(told)["id"] == "\x9b2J"
    assert "\x1b" not in json.loads(told)["errors"][0]["message"]


def test_an_id_without_end_is_none():
    told = answer({"id": 1, "body": chat(tool_call("go", "{}", "x" * 5_000))})
    assert told["calls"][0]["id"] is None
