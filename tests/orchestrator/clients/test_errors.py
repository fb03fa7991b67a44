"""What the service answers comes out as an error of its kind, with all that its problem details say, and no more."""

from __future__ import annotations

import pickle
import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.errors import UmbelError
from client_under_test import KEY, Service, problem, value
from orchestrator.clients import errors
from orchestrator.clients.errors import (
    ApiError,
    Conflict,
    Flaw,
    Forbidden,
    Invalid,
    NotFound,
    ServerFault,
    TooLarge,
    TooManyRequests,
    Unauthorised,
    Unavailable,
    Unreachable,
    error_of,
)

KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ApiError)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid), (401, Unauthorised), (403, Forbidden), (404, NotFound), (405, Invalid),
        (409, Conflict), (413, TooLarge), (415, Invalid), (418, Invalid), (422, Invalid),
        (429, TooManyRequests), (500, ServerFault), (501, ServerFault), (502, Unavailable),
        (503, Unavailable), (504, Unavailable), (302, ServerFault),
    ],
)  # fmt: skip
async def test_each_status_has_an_error_of_its_kind_in_both_clients(status, kind):
    service = Service(problem(status, "some_code", "because", retry_after=0))
    for client in service.both():
        with pytest.raises(ApiError) as caught:
            await value(client.run("run_a1"))
        assert type(caught.value) is kind
        assert (caught.value.status, caught.value.code, caught.value.detail) == (
            status,
            "some_code",
            "because",
        )


def test_the_problem_details_are_all_there():
    answer = problem(
        422,
        "invalid_arguments",
        "two of them are wrong",
        request_id="r-1",
        errors=[
            {"pointer": "/arguments/quantity", "detail": "is no number", "code": "int_type"},
            {"pointer": "", "detail": "is too much"},
        ],
    )
    error = error_of(answer.status_code, answer.headers, answer.content)
    assert error.errors == (
        Flaw("/arguments/quantity", "is no number", "int_type"),
        Flaw("", "is too much"),
    )
    assert (error.request_id, error.retry_after) == ("r-1", None)
    assert str(error) == (
        "two of them are wrong: /arguments/quantity: is no number; /: is too much "
        "(422 invalid_arguments, request r-1)"
    )


def test_many_flaws_stay_one_line():
    parts = [{"pointer": f"/{n}", "detail": "no"} for n in range(9)]
    answer = problem(422, "validation", errors=parts)
    error = error_of(answer.status_code, answer.headers, answer.content)
    assert str(error) == "/0: no; /1: no; /2: no; 6 more (422 validation)"
    assert len(error.errors) == 9


@pytest.mark.parametrize(
    ("code", "detail", "flaws", "told"),
    [
        (
            "unknown_action",
            "there is no action 'RESERV'; there are RESERVE, SELL",
            [("/action", "there is no action 'RESERV'; there are RESERVE, SELL")],
            "/action: there is no action 'RESERV'; there are RESERVE, SELL",
        ),
        (
            "invalid_arguments",
            "item: is missing and has no default itme: is unknown; known are item",
            [
                ("/arguments/item", "is missing and has no default"),
                ("/arguments/itme", "is unknown; known are item"),
            ],
            "/arguments/item: is missing and has no default; /arguments/itme: is unknown; known are item",
        ),
        (
            "validation",
            "`errors` says what is wrong where; openapi.json what is right.",
            [("/args", "is unknown"), ("", "is missing")],
            "/args: is unknown; /: is missing",
        ),
        (
            "unusable_reply",
            "the reply: unexpected_body",
            [("", "unexpected_body")],
            "the reply: unexpected_body",
        ),
        ("x", "two are wrong", [("/a", "")], "two are wrong"),
        ("unusable_reply", "of no known shape", [], "of no known shape"),
    ],
)
def test_an_error_says_each_thing_once(code, detail, flaws, told):
    answer = problem(422, code, detail, errors=[{"pointer": at, "detail": text} for at, text in flaws])
    error = error_of(answer.status_code, answer.headers, answer.content)
    assert type(error) is Invalid
    assert str(error) == f"{told} (422 {code})"
    assert (error.detail, [(each.pointer, each.detail) for each in error.errors]) == (detail, flaws)


@pytest.mark.parametrize("method", ["run", "events"])
async def test_a_client_without_a_key_says_so_where_the_service_wants_one(method):
    service = Service(problem(401, "unauthorised", "Send a key"))

    async def asked(client: Any) -> None:
        await value(getattr(client, method)("run_a1"))

    for client in (service.client(key=""), service.async_client(key="")):
        with pytest.raises(Unauthorised, match=r"set UMBEL_API_KEY or give key= \(401 unauthorised\)"):
            await asked(client)
    for client in service.both():
        with pytest.raises(Unauthorised, match="Send a key"):
            await asked(client)


def test_the_page_of_a_proxy_is_told_by_its_status():
    error = error_of(502, httpx.Headers({"x-request-id": "p-7"}), b"<html>Bad gateway</html>")
    assert type(error) is Unavailable
    assert (error.code, error.request_id) == ("unavailable", "p-7")
    assert str(error) == "the answer is HTTP 502 without a reason (502 unavailable, request p-7)"


def test_retry_after_is_there_in_seconds():
    answer = problem(429, "rate_limited", retry_after=7)
    assert error_of(answer.status_code, answer.headers, answer.content).retry_after == 7


def test_text_from_outside_is_one_line_without_control_characters():
    answer = problem(500, "internal", "a\x1b[31m\nb\tc" + "x" * 9_000)
    error = error_of(answer.status_code, answer.headers, answer.content)
    assert str(error).isprintable()
    assert len(str(error)) < 2_100


@given(
    st.integers(100, 999),
    st.binary(max_size=200) | st.from_regex(r'\{"(errors|code|detail)": .{0,20}\}').map(str.encode),
)
def test_no_body_breaks_the_reading_of_an_error(status, body):
    error = error_of(status, httpx.Headers(), body)
    assert isinstance(error, ApiError)
    assert str(error).isprintable()


@pytest.mark.parametrize(
    "body",
    [b"[]", b"3", b"{}", b'{"code": 3, "errors": {}}', b'{"errors": [1, {"pointer": 2}]}', b"[" * 100_000],
)
def test_problem_details_of_another_shape_are_none(body):
    error = error_of(422, httpx.Headers(), body)
    assert (type(error), error.code) == (Invalid, "invalid")


def test_an_error_crosses_to_another_process_whole():
    answer = problem(422, "x", "y", request_id="r", errors=[{"pointer": "/a", "detail": "b"}], retry_after=3)
    error = error_of(answer.status_code, answer.headers, answer.content)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is Invalid
    assert (str(again), again.__dict__) == (str(error), error.__dict__)


def test_every_kind_is_drawn_and_ends_a_command_with_a_number_of_its_own_kind():
    drawn = set(re.findall(r"\w+", errors.__doc__ or ""))
    assert {each.__name__ for each in KINDS} <= drawn
    assert all(64 <= each.exit_code <= 78 for each in KINDS)
    assert all(issubclass(each, UmbelError) for each in KINDS)
    assert len({each.code for each in KINDS}) == len(KINDS)


async def test_no_answer_is_an_error_that_names_the_service():
    service = Service(httpx.ConnectError("[Errno 111] Connection refused"))
    for client in service.both():
        with pytest.raises(
            Unreachable, match=r"no answer from https://umbel\.example:8700: ConnectError"
        ) as caught:
            await value(client.run("run_a1"))
        assert caught.value.status == 0


@pytest.mark.parametrize("answer", [b"no JSON", b"[]", b'{"run": 3}', b"<html>"])
async def test_a_success_that_is_not_what_was_agreed_is_a_fault_of_the_service(answer):
    service = Service(httpx.Response(200, content=answer, headers={"x-request-id": "r-9"}))
    for client in service.both():
        with pytest.raises(ServerFault) as caught:
            await value(client.run("run_a1"))
        assert (caught.value.code, caught.value.request_id) == ("unreadable_answer", "r-9")


async def test_no_error_and_no_repr_shows_the_key():
    for failure in (
        problem(401, "unauthorised"),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, content=b"{"),
    ):
        service = Service(failure)
        for client in service.both():
            with pytest.raises(ApiError) as caught:
                await value(client.run("run_a1"))
            shown = [caught.value, caught.value.__dict__, client, client.__dict__, client._core.__dict__]
            shown += [client._http.headers, service.heard[-1].headers]
            assert KEY not in "".join(map(repr, shown)) + str(caught.value)
            assert service.heard[-1].headers["authorization"] == f"Bearer {KEY}"
