"""How an attempt ended, as the store is told: signals decide exactly, the rest goes by the action's policies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from actions.definition import action
from actions.directives import AppendContext, Result, SetContext
from actions.errors import (
    Cancel,
    ConfigError,
    DeclarationError,
    Fail,
    HandlerKilled,
    InvalidArguments,
    Postpone,
    TimedOut,
    TryAgain,
)
from actions.policy import Retry
from orchestrator.store.incoming import Effect, EffectKind
from orchestrator.store.records import Claimed
from workers import finishes, outcome

RUN = Claimed(
    id="run_a1", lane="actions", payload="", attempt=1, conversation="", turn="", tenant="", state="",
    state_revision=0, level="", machine="", principal="", fence="7",
)  # fmt: skip
RETRY = Retry(2, initial="100ms", factor=2, cap="1s")


def raised(error: BaseException, *, attempt: int = 1, deaths: int = 0, retry: Retry = RETRY) -> Any:
    return outcome.raised(replace(RUN, attempt=attempt, deaths=deaths), error, retry, dice=lambda: 1.0)


def stopped(on_unknown: str, *, attempt: int = 1, retry: Retry = RETRY) -> Any:
    return outcome.stopped(
        replace(RUN, attempt=attempt), TimedOut("too long"), "timed_out", retry, on_unknown, "timeout",
        as_if=TimeoutError(), dice=lambda: 1.0,
    )  # fmt: skip


def invalid() -> ValidationError:
    class Model(BaseModel):
        number: int

    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"number": "x"})
    return caught.value


def test_attempts_are_one_and_the_retries_and_the_first_wait_is_initial():
    told = [raised(OSError(), attempt=attempt) for attempt in (1, 2, 3)]
    assert [(each.verdict, each.delay_ms) for each in told] == [("again", 100), ("again", 200), ("failed", 0)]


def test_a_death_uses_up_no_retry():
    assert raised(OSError(), attempt=5, deaths=3).verdict == "again"
    assert raised(OSError(), attempt=6, deaths=3).verdict == "failed"


@pytest.mark.parametrize(
    "error", [ConfigError("no key"), DeclarationError("wrong"), InvalidArguments("a: is missing"), invalid()]
)
def test_what_stays_wrong_by_itself_is_not_tried_again(error):
    assert raised(error).verdict == "failed"


def test_a_policy_that_names_validation_errors_means_them():
    assert raised(invalid(), retry=Retry(1, on=ValidationError)).verdict == "again"


def test_never_counts_more_than_on():
    policy = Retry(3, on=(OSError,), never=(ConnectionError,))
    assert raised(TimeoutError(), retry=policy).verdict == "again"
    assert raised(ConnectionError(), retry=policy).verdict == "failed"
    assert raised(ValueError(), retry=policy).verdict == "failed"


def test_a_signal_decides_exactly():
    again, later, last = (
        raised(TryAgain("3s")),
        raised(Postpone("1m"), attempt=9),
        raised(TryAgain("3s"), attempt=3),
    )
    assert (again.verdict, again.delay_ms) == ("again", 3_000)
    assert (later.verdict, later.delay_ms) == ("postponed", 60_000)
    assert (last.verdict, raised(Fail("no")).verdict) == ("failed", "failed")


def test_a_timeout_goes_by_on_unknown():
    assert (stopped("retry").verdict, stopped("retry", attempt=3).verdict) == ("again", "timed_out")
    assert stopped("fail").verdict == "timed_out"
    assert stopped("retry", retry=Retry(3, on=ValueError)).verdict == "timed_out"


@pytest.mark.parametrize(("attempt", "delay"), [(1, 100), (2, 200), (3, 0)])
def test_check_follows_also_when_no_retry_is_left(attempt, delay):
    told = stopped("check", attempt=attempt)
    assert (told.verdict, told.delay_ms, told.why) == ("again", delay, "check")
    assert told.effects == (Effect(EffectKind.CHECK, "timeout"),)


def test_a_check_without_answer_is_asked_again_as_often_as_there_are_retries():
    run = replace(RUN, attempt=2, check="death")
    again = outcome.unanswered(run, "it broke", RETRY)
    assert (again.verdict, again.why, again.delay_ms <= 200) == ("again", "check", True)
    last = outcome.unanswered(replace(run, attempt=3), "it broke", RETRY)
    assert (last.verdict, from_json(last.result)["code"]) == ("failed", "outcome_unknown")


def test_a_run_that_ends_asks_nobody_afterwards():
    assert outcome.checked_next(raised(Fail("no")), "timeout").effects == ()
    assert outcome.checked_next(raised(Postpone("1s")), "timeout").effects == (
        Effect(EffectKind.CHECK, "timeout"),
    )


def test_a_killed_process_is_a_failure_of_its_own():
    told = outcome.stopped(
        RUN, HandlerKilled("it died"), "failed", Retry(0), "retry", "killed", as_if=OSError()
    )
    assert (told.verdict, from_json(told.result)) == (
        "failed",
        {"error": "it died", "code": "handler_killed"},
    )


@pytest.mark.parametrize(
    "error",
    [
        Fail("x" * 50_000),
        Cancel("x" * 50_000),
        TryAgain(reason="x" * 50_000),
        Postpone("1s", "x" * 50_000),
        InvalidArguments("x" * 50_000),
    ],
)
def test_a_reason_is_no_longer_than_a_model_wants_to_read(error):
    for attempt in (1, 3):
        text = from_json(raised(error, attempt=attempt).result)["error"]
        assert 3_900 < len(text) <= 4_000


def test_what_a_validator_says_is_bounded_too():
    told = finishes.refused(RUN, {"error": "x" * 50_000, "code": "refused_by_validator"})
    assert len(told.result) < 4_200


@pytest.mark.parametrize("after", [-1, "nonsense", float("nan"), 1e300, object()])
@pytest.mark.parametrize("signal", [TryAgain, Postpone])
def test_a_wait_that_is_none_fails_the_run_and_says_so(signal, after):
    told = raised(signal(after))
    assert (told.verdict, from_json(told.result)["code"]) == ("failed", "handler_failed")
    assert "which is no duration" in from_json(told.result)["error"]
    assert outcome.after_ms(signal(after)) == 0


@pytest.mark.parametrize("reason", [object(), b"bytes", "half a \ud800 sign", 7])
def test_a_reason_of_any_kind_becomes_text(reason):
    assert from_json(raised(Fail(reason)).result)["error"]


def test_the_cap_of_results_holds_for_context_values():
    @action("KEEP")
    async def keep() -> None:
        """Keep something."""

    def returned(directive: Any) -> Any:
        return outcome.returned(RUN, keep, Result(None, (directive,)), 1_000)

    deep: list[Any] = []
    for _ in range(230):
        deep = [deep]
    for kind in (SetContext, AppendContext):
        assert returned(kind("k", "x" * 900)).verdict == "succeeded"
        for value, code in (
            ("x" * 2_000, "result_too_large"),
            (deep, "result_not_serialisable"),
            (10**5_000, "result_not_serialisable"),
        ):
            told = returned(kind("k", value))
            assert (told.verdict, from_json(told.result)["code"], told.effects) == ("failed", code, ())


def test_a_result_that_nobody_could_read_back_fails():
    @action("SAY")
    async def say() -> None:
        """Say something."""

    told = outcome.returned(RUN, say, {"n": 10**5_000}, 1_000_000)
    assert (told.verdict, from_json(told.result)["code"]) == ("failed", "result_not_serialisable")
    assert outcome.returned(RUN, say, 10**4_000, 1_000_000).verdict == "succeeded"


def test_refused_means_that_it_never_ran():
    error = {"error": "closed", "code": "refused_by_validator"}
    assert finishes.refused(RUN, error).verdict == "refused"
    again = finishes.refused(replace(RUN, attempt=2), error)
    assert (again.verdict, from_json(again.result)) == ("failed", error)
