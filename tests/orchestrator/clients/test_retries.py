"""What may be sent again is sent again, the very same, after drawn waits; what may not, or need not, is not."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.policy import Retry
from client_under_test import AT_ONCE, Clock, Service, core_of, json, lead, problem, run_standing, value
from orchestrator.clients import core, failures, submissions, talks
from orchestrator.clients.errors import (
    Conflict,
    Invalid,
    NotFound,
    ServerFault,
    TooManyRequests,
    Unavailable,
    Unreachable,
)

MADE = json(202, {"run": "run_a1", "url": "/v1/runs/run_a1"})
BUSY = problem(503, "store_unavailable")


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed"), httpx.WriteError("pipe"), problem(502, "x"), BUSY,
        problem(504, "x"), problem(429, "rate_limited"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each.status_code),
)  # fmt: skip
async def test_what_fails_in_passing_is_sent_again_with_the_same_key_and_body(failure):
    for kind in ("client", "async_client"):
        service = Service(failure, failure, MADE)
        made = await value(getattr(service, kind)().submit("ADD", {"a": 1}))
        assert made.run == "run_a1"
        sent = [
            (each.method, each.url, each.content, each.headers["idempotency-key"]) for each in service.heard
        ]
        assert len(sent) == 3
        assert len(set(sent)) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(400, "x"), Invalid), (problem(404, "x"), NotFound), (problem(409, "x"), Conflict),
        (problem(422, "x"), Invalid), (problem(500, "x"), ServerFault), (problem(501, "x"), ServerFault),
    ],
)  # fmt: skip
async def test_what_is_said_for_good_is_not_asked_again(answer, kind):
    service = Service(answer)
    for client in service.both():
        with pytest.raises(kind):
            await value(client.submit("ADD"))
    assert len(service.heard) == 2


def test_every_thing_that_is_made_has_a_key_of_its_own():
    service = Service(MADE)
    client = service.client()
    client.submit("ADD")
    client.submit("ADD")
    client.submit("ADD", key="mine")
    keys = [each.headers["idempotency-key"] for each in service.heard]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"
    assert all(len(each) >= 32 for each in keys[:2])


def test_after_so_many_tries_the_last_error_is_raised():
    found, steps = lead(core_of(retries=2).sending(submissions.run("run_a1")), [BUSY] * 3)
    assert isinstance(found, Unavailable)
    assert [type(each) for each in steps].count(float) == 2


def test_waits_are_drawn_between_nothing_and_a_bound_that_grows():
    request = submissions.run("run_a1")
    retry = Retry(6, initial="250ms", factor=2, cap="2s")
    for draw in (0.0, 0.5, 1.0):
        _, steps = lead(core_of(draw=draw, retries=retry).sending(request), [BUSY] * 7)
        pauses = [each for each in steps if isinstance(each, float)]
        assert pauses == [draw * bound for bound in (0.25, 0.5, 1, 2, 2, 2)]


@given(st.integers(1, 40), st.floats(0, 1))
def test_a_wait_is_never_shorter_than_the_service_asked_for(attempt, draw):
    error = TooManyRequests("no", retry_after=3.0)
    assert 3.0 <= core_of(draw=draw).pause(attempt, error) <= 3.0 + 8.0


def test_a_wait_that_is_too_long_is_the_callers_to_decide():
    far = problem(429, "rate_limited", retry_after=int(core.LONGEST_PAUSE) + 1)
    found, steps = lead(core_of().sending(submissions.run("run_a1")), [far])
    assert isinstance(found, TooManyRequests)
    assert found.retry_after == core.LONGEST_PAUSE + 1
    assert len(steps) == 1


@pytest.mark.parametrize(
    ("failure", "tries"),
    [
        (httpx.ConnectError("refused"), 5), (httpx.ConnectTimeout("slow"), 5), (httpx.PoolTimeout("full"), 5),
        (problem(429, "rate_limited"), 5), (httpx.ReadTimeout("slow"), 1), (httpx.ReadError("reset"), 1),
        (BUSY, 1),
    ],
    ids=lambda each: type(each).__name__,
)  # fmt: skip
def test_what_would_be_done_twice_is_sent_again_only_where_it_was_not_heard(failure, tries):
    _, steps = lead(core_of(retries=AT_ONCE).sending(failures.replay_dead(all=True)), [failure] * 5)
    assert len([each for each in steps if not isinstance(each, float)]) == tries


@pytest.mark.parametrize("kind", ["client", "async_client"])
async def test_what_is_gone_when_it_is_deleted_again_was_deleted(kind):
    gone = problem(404, "unknown_conversation")
    service = Service(httpx.ReadError("reset"), gone)
    assert await value(getattr(service, kind)().forget("conv_a1")) is None
    with pytest.raises(NotFound):
        await value(getattr(Service(gone), kind)().forget("conv_a1"))


# Waiting.


def standing(status: str, took: float = 0.0) -> httpx.Response:
    return json(200, run_standing(status=status), took=str(took))


def test_a_wait_is_one_request_where_the_run_ends_soon():
    clock = Clock()
    found, steps = lead(
        talks.wait(core_of(clock), "run_a1", timeout_s=300), [standing("succeeded", 3)], clock
    )
    assert (found.status, found.result) == ("succeeded", 3)
    assert [dict(each.params) for each in steps] == [{"wait": "20000ms"}]


def test_a_longer_wait_is_asked_for_in_slices_and_the_last_one_is_what_is_left():
    clock = Clock()
    answers = [standing("running", 20), standing("running", 20), standing("failed", 1)]
    found, steps = lead(talks.wait(core_of(clock), "run_a1", timeout_s=45), answers, clock)
    assert found.status == "failed"
    assert [dict(each.params)["wait"] for each in steps] == ["20000ms", "20000ms", "5000ms"]


def test_a_wait_that_is_over_says_what_it_waited_for():
    clock = Clock()
    answers = [standing("running", 20), standing("running", 10)]
    found, _ = lead(talks.wait(core_of(clock), "run_a1", timeout_s=30), answers, clock)
    assert isinstance(found, TimeoutError)
    assert str(found) == "run run_a1 has not ended within 30 s"


def test_no_time_is_one_look():
    found, steps = lead(talks.wait(core_of(), "run_a1", timeout_s=0), [standing("running")])
    assert isinstance(found, TimeoutError)
    assert [each.params for each in steps] == [()]
    assert lead(talks.wait(core_of(), "run_a1", timeout_s=0), [standing("succeeded")])[0].result == 3


def test_a_wait_outlives_a_service_that_is_away_for_longer_than_the_tries_of_a_request():
    clock = Clock()
    answers = [httpx.ConnectError("refused")] * 20 + [standing("succeeded")]
    found, steps = lead(talks.wait(core_of(clock), "run_a1", timeout_s=300), answers, clock)
    assert found.status == "succeeded"
    assert len(steps) == 41


def test_a_wait_ends_in_time_also_where_nobody_answers_and_says_why():
    clock = Clock()
    answers = [httpx.ConnectError("refused")] * 99
    found, _ = lead(talks.wait(core_of(clock), "run_a1", timeout_s=30), answers, clock)
    assert isinstance(found, TimeoutError)
    assert isinstance(found.__cause__, Unreachable)
    assert clock.now <= 1_030


def test_a_service_that_does_not_wait_is_not_asked_in_a_hurry():
    clock = Clock()
    found, steps = lead(talks.wait(core_of(clock), "run_a1", timeout_s=60), [standing("running")] * 99, clock)
    assert isinstance(found, TimeoutError)
    assert sum(not isinstance(each, float) for each in steps) < 25


def test_what_is_not_there_ends_a_wait_at_once():
    found, steps = lead(talks.wait(core_of(), "run_a1"), [problem(404, "unknown_record")])
    assert isinstance(found, NotFound)
    assert len(steps) == 1


def test_a_call_that_ends_soon_is_one_request():
    found, steps = lead(talks.call(core_of(), "ADD", {"a": 1}), [standing("succeeded")])
    assert found.result == 3
    assert [(each.method, each.path, dict(each.params)) for each in steps] == [
        ("POST", "/v1/runs", {"wait": "20000ms"})
    ]


def test_a_call_that_takes_longer_is_waited_for():
    clock = Clock()
    late = json(202, {"run": "run_a1", "url": "/"}, took="20")
    talk = talks.call(core_of(clock), "ADD", timeout_s=50)
    found, steps = lead(talk, [late, standing("running", 20), standing("succeeded", 3)], clock)
    assert found.result == 3
    assert [(each.method, dict(each.params)["wait"]) for each in steps] == [
        ("POST", "20000ms"),
        ("GET", "20000ms"),
        ("GET", "10000ms"),
    ]


def test_a_turn_is_waited_for_until_it_neither_lives_nor_queues():
    clock = Clock()
    turn = {
        "turn": "turn_a1", "conversation": "conv_a1", "round": 0, "left": 0, "began": None, "ended": None,
        "runs": [],
    }  # fmt: skip
    answers = [json(200, turn | {"status": each}, took="20") for each in ("queued", "live", "injected")]
    found, _ = lead(talks.wait_for_turn(core_of(clock), "turn_a1", timeout_s=90), answers, clock)
    assert found.status == "injected"
