"""drafting: what an action declares stands in the record of each run of it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, Field, SecretStr

from actions.approvals import Approval
from actions.definition import Action, action
from actions.errors import CostTooHigh, InvalidArguments
from actions.limits import Dedupe, RateLimit
from actions.messages import Payload, Status
from actions.params import bind
from actions.policy import Timeouts
from actions.registry import Registry
from orchestrator.digests import arguments_digest
from orchestrator.drafting import NO_LANE, check_recordable, draft, draft_refused, sameness
from orchestrator.store.incoming import LimitGuard, LockGuard, NewRun, Priority, Sameness


def declared(**fields: Any) -> Action:
    @action("BUY", **fields)
    async def handler(ticker: str, quantity: float = 1, day: date = date(2025, 1, 31)) -> None:
        """Buy.

        Args:
            ticker: What.
            quantity: How much.
            day: When.
        """

    return handler


def drafted(one: Action, arguments: dict[str, Any] | None = None, **more: Any) -> NewRun:
    given = {**({"ticker": "X"} if "ticker" in one.keys else {}), **(arguments or {})}
    return draft(
        one, bind(one, given), Payload(one.name, given), id="run_a1", registry=Registry([one]), **more
    )  # fmt: skip


def test_a_plain_action_makes_a_plain_run():
    assert drafted(declared()) == NewRun("run_a1", "actions", b'{"v":1,"a":"BUY","p":{"ticker":"X"}}')


@pytest.mark.parametrize(
    ("fields", "is_async", "lane"),
    [
        ({}, True, "ink"),
        ({}, False, "ink/t"),
        ({"isolated": True}, True, "ink/i"),
        ({"isolated": True}, False, "ink/i"),
    ],
)
def test_a_run_stands_in_the_lane_of_what_it_needs(fields, is_async, lane):
    async def on_the_loop() -> None: ...

    def in_a_thread() -> None: ...

    one = action("X", queue="ink", **fields)(on_the_loop if is_async else in_a_thread)

    assert draft(one, bind(one, {}), Payload("X"), id="run_a1", registry=Registry([one])).lane == lane


def test_what_the_caller_says_of_the_run_is_in_its_record():
    run = drafted(
        declared(priority="low"), tenant="acme", status=Status.BLOCKED, position=3, head="h", open=2,
        dependents=("run_a2",), reply_to="box", key_digest="d",
    )  # fmt: skip

    assert (run.priority, run.tenant, run.status, run.position) == (Priority.LOW, "acme", Status.BLOCKED, 3)
    assert (run.head, run.open, run.dependents, run.reply_to) == ("h", 2, ("run_a2",), "box")
    assert run.digest == "d"


def test_what_the_action_declares_of_unknown_outcomes_is_in_its_record():
    assert drafted(declared(on_unknown="fail")).on_unknown == "fail"


@pytest.mark.parametrize(
    ("clocks", "total_ms", "delay_ms", "expected"),
    [
        (Timeouts(), None, 0, (None, None)),
        (Timeouts(total="1m", queue="5s"), None, 0, (60_000, 5_000)),
        (Timeouts(total="1m"), 1_000, 0, (1_000, None)),
        (Timeouts(total="1m"), 90_000, 0, (60_000, None)),
        (Timeouts(), 1_000, 0, (1_000, None)),
        (Timeouts(total="1m", queue="5s"), None, 2_000, (62_000, 7_000)),
        (Timeouts(total="1m"), 61_000, 2_000, (61_000, None)),
    ],
)
def test_the_smaller_deadline_counts_and_a_delay_comes_before_the_actions_clocks(
    clocks, total_ms, delay_ms, expected
):
    run = drafted(declared(timeout=clocks), total_ms=total_ms, delay_ms=delay_ms)

    assert (run.total_ms, run.queue_ms) == expected
    assert run.delay_ms == delay_ms


# Guards


def test_a_run_has_the_guards_of_its_action_and_of_its_caller_in_one_order():
    one = declared(lock="orders:{principal}", rate_limit=RateLimit(5, "1m"))
    caps = (LockGuard("~tenant:acme", places=3), LockGuard("~act:b", places=2))
    run = drafted(one, principal="ann", tenant="acme", caps_guards=caps)

    assert [guard.key for guard in run.guards] == ["~act:b", "orders:ann:~acme", "~tenant:acme", "BUY"]


def test_guards_that_are_known_are_not_made_again():
    known = (LimitGuard("known", "known", 1, 1),)

    assert drafted(declared(lock="orders"), guards=known).guards == known


class Item(BaseModel):
    """A part of the arguments with an id of its own."""

    id: UUID = Field(default_factory=uuid4)


NEW: Any = Field(default_factory=uuid4)


def test_a_person_is_asked_when_the_arguments_are_known_and_the_same_with_each_reading():
    @action("SEND", approval=Approval(when=lambda params: params.amount > 1))
    async def send(amount: int, item: Item | None = None, key: UUID = NEW) -> None:
        """Send, with an id that is made if none is given."""

    given = {"amount": 2, "key": str(uuid4())}
    planned = drafted(send, given).approval
    assert planned is not None
    assert planned.digest == arguments_digest(send, bind(send, given))
    assert drafted(send, {**given, "amount": 1}).approval is None
    assert drafted(send, {"amount": 2}).approval is None
    assert drafted(send, {**given, "item": {}}).approval is None
    assert drafted(send, {**given, "item": {"id": str(uuid4())}}).approval is not None


def test_what_can_never_fit_is_no_run():
    with pytest.raises(CostTooHigh):
        drafted(declared(rate_limit=RateLimit(10, "1m", cost="{quantity}")), {"quantity": 6})


# Sameness


def same(arguments: dict[str, Any] | None = None, *, scope: Any = "principal", **who: Any) -> Sameness | None:
    given: dict[str, Any] = {"principal": "ann", "tenant": "acme", "conversation": "conv_a1", **who}
    one = declared(dedupe=Dedupe("10m", mode="refuse", scope=scope))
    return sameness(one, bind(one, {"ticker": "X", **(arguments or {})}), **given)


def test_a_run_without_dedupe_is_like_no_other():
    assert drafted(declared()).same is None


def test_the_record_says_for_how_long_runs_are_the_same_and_what_follows():
    run = drafted(declared(dedupe=Dedupe("1.5s")), principal="ann")

    assert run.same is not None
    assert (run.same.window_ms, run.same.mode) == (1500, "join")
    assert same() == Sameness(same().key, 600_000, "refuse")


@pytest.mark.parametrize(
    "arguments", [{"quantity": 1}, {"quantity": 1.0}, {"quantity": "1"}, {"day": "2025-01-31"}]
)
def test_arguments_are_compared_as_they_were_understood(arguments):
    assert same(arguments) == same()


@pytest.mark.parametrize("arguments", [{"quantity": 2}, {"ticker": "x"}, {"day": "2025-02-01"}])
def test_other_arguments_are_another_run(arguments):
    assert same(arguments) != same()


@pytest.mark.parametrize(
    ("scope", "differs"),
    [
        ("principal", {"principal", "tenant"}),
        ("tenant", {"tenant"}),
        ("conversation", {"conversation"}),
        ("all", set()),
    ],
)
def test_runs_are_the_same_within_their_scope_only(scope, differs):
    fields = ("principal", "tenant", "conversation")
    changed = {field for field in fields if same(scope=scope, **{field: "x"}) != same(scope=scope)}

    assert changed == differs


def test_without_a_conversation_nothing_is_the_same_within_one():
    assert same(scope="conversation", conversation=None) is None


def test_two_actions_are_never_the_same():
    one, two = declared(dedupe=Dedupe("1m")), action("SELL", dedupe=Dedupe("1m"))(lambda ticker: None)
    who = {"principal": None, "tenant": None, "conversation": None}
    alike = {"ticker": "X"}

    first = sameness(one, bind(one, alike), **who)
    second = sameness(two, bind(two, alike), **who)
    assert first is not None
    assert second is not None
    assert first.key != second.key


def test_two_secrets_are_two_runs():
    @action("LOGIN", dedupe=Dedupe("1m"))
    async def login(pin: SecretStr) -> None: ...

    who = {"principal": None, "tenant": None, "conversation": None}
    assert sameness(login, bind(login, {"pin": "1"}), **who) != sameness(
        login, bind(login, {"pin": "2"}), **who
    )


# Refusals


def test_a_refused_call_is_a_run_that_has_ended():
    error = {"error": "no", "code": "forbidden_action", "retry_after_s": 1.5}
    run = draft_refused(
        error, Payload("BUY"), id="run_a1", action=declared(queue="ink"), tenant="acme", head="h"
    )

    assert (run.status, run.lane, run.tenant, run.head) == (Status.REFUSED, "ink", "acme", "h")
    assert json.loads(run.result) == error
    assert (run.guards, run.dependents, run.same) == ((), (), None)


def test_a_call_that_names_no_action_has_no_lane():
    assert draft_refused({"error": "", "code": "x"}, Payload(""), id="run_a1").lane == NO_LANE


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize("bad", [nested(80), {"n": 10**5_000}, {"a": [{"b": 10**5_000}]}])
def test_arguments_that_could_not_be_read_back_are_refused(bad):
    with pytest.raises(InvalidArguments):
        check_recordable(bad)


def test_arguments_of_any_usual_depth_are_recorded():
    check_recordable({**nested(70), "n": 10**4_000, "many": [{"a": [1, 2]}] * 500})
