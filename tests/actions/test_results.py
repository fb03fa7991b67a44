from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel

from actions.definition import action
from actions.directives import Complete, Continue, Result, SetContext
from actions.errors import InvalidArguments, InvalidResult, Refuse, ResultNotSerialisable, ResultTooLarge
from actions.results import error_text, opened, result_text


class Receipt(BaseModel):
    id: int
    note: str = ""


@dataclass
class Point:
    x: int


PLAIN = action("X")(lambda: None)
LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"), (0, "0"), (False, "false"), ("", '""'), ("done", '"done"'), ([], "[]"), ({}, "{}"),
        ({"a": [1, None]}, '{"a":[1,null]}'), (Receipt(id=1), '{"id":1,"note":""}'), (Point(1), '{"x":1}'),
        (date(2025, 1, 31), '"2025-01-31"'), ((1, 2), "[1,2]"), (float("nan"), "null"),
        (float("inf"), "null"), ("ä", '"ä"'),
    ],
)  # fmt: skip
def test_a_value_becomes_json(value, text):
    assert result_text(PLAIN, value) == text


@pytest.mark.parametrize(
    "value", [object(), {"a": object()}, LOOP, lambda: None, ValueError("secret"), "\ud800"]
)
def test_a_value_without_a_json_form_is_an_error_that_shows_nothing_of_it(value):
    with pytest.raises(ResultNotSerialisable) as caught:
        result_text(PLAIN, value)

    assert str(caught.value) == f"X did its work, but its result ({type(value).__name__}) has no JSON form"


@pytest.mark.parametrize(
    ("value", "text"), [({"id": 1}, '{"id":1,"note":""}'), (Receipt(id=1, note="n"), '{"id":1,"note":"n"}')]
)
def test_a_result_takes_the_form_that_output_promises(value, text):
    assert result_text(action("X", output=Receipt)(lambda: None), value) == text


def test_what_output_does_not_name_never_reaches_the_model():
    told = result_text(action("X", output=Receipt)(lambda: None), {"id": 1, "token": "s3cret"})

    assert json.loads(told) == {"id": 1, "note": ""}


@pytest.mark.parametrize(
    ("value", "where"), [({}, "id"), ({"id": "x", "note": 5}, "id, note"), (None, "the result")]
)
def test_a_result_that_breaks_its_promise_is_an_error(value, where):
    with pytest.raises(InvalidResult, match=f"X returned something else than it promises: {where}$"):
        result_text(action("X", output=Receipt)(lambda: None), value)


@pytest.mark.parametrize(
    "value", ["x" * 100, {"a": ["y" * 100]}, '"\\' * 60, "ä" * 60, "\0" * 60, ["😀" * 40]]
)
@pytest.mark.parametrize("cap", [60, 61, 62, 63, 64, 80, 99])
def test_a_result_over_the_cap_shows_its_beginning_and_its_size_within_the_cap(value, cap):
    whole = result_text(PLAIN, value)
    text = result_text(PLAIN, value, cap)
    told = json.loads(text)

    assert len(text.encode()) <= cap
    assert told["truncated"] is True
    assert told["bytes"] == len(whole.encode())
    assert (value if isinstance(value, str) else whole).startswith(told["shown"])
    assert len(text.encode()) > cap - 12  # no character more would have gone in


@pytest.mark.parametrize("cap", [None, 102, 10_000])
def test_a_result_within_the_cap_is_whole(cap):
    assert result_text(PLAIN, "x" * 100, cap) == '"' + "x" * 100 + '"'


def test_the_cap_counts_bytes_not_characters():
    assert json.loads(result_text(PLAIN, "ä" * 60, 121))["bytes"] == 122
    assert result_text(PLAIN, "ä" * 60, 122) == '"' + "ä" * 60 + '"'


def test_an_action_may_rather_fail_than_be_cut():
    strict = action("X", oversize="fail")(lambda: None)

    with pytest.raises(
        ResultTooLarge, match="X did its work, but its result has 102 bytes and 101 is the cap"
    ):
        result_text(strict, "x" * 100, 101)
    assert result_text(strict, "x" * 100, 102) == '"' + "x" * 100 + '"'


def test_what_is_cut_was_checked_before():
    with pytest.raises(InvalidResult):
        result_text(action("X", output=Receipt)(lambda: None), "x" * 1000, 100)


@pytest.mark.parametrize(
    ("returned", "result"),
    [
        (5, Result(5)), (None, Result(None)), (Result(5, (Complete(),)), Result(5, (Complete(),))),
        ({"value": 1, "directives": ()}, Result({"value": 1, "directives": ()})),
    ],
)  # fmt: skip
def test_a_bare_value_has_no_directives(returned, result):
    assert opened(returned) == result


@pytest.mark.parametrize("directives", [Continue(), [Continue()], ("continue",), None, (SetContext,)])
def test_directives_that_are_none_are_refused(directives):
    with pytest.raises(TypeError, match="tuple of directives"):
        Result(1, directives)


def test_an_error_is_json_for_the_model():
    assert json.loads(error_text(InvalidArguments('x: "a"'))) == {
        "error": 'x: "a"',
        "code": "invalid_arguments",
    }
    assert json.loads(error_text(Refuse("no"))) == {"error": "no", "code": "refused"}
