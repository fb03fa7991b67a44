"""Runs of trusted callers: one for each key, with the clocks and retries that were asked for; and how they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actions.definition import action
from actions.errors import (
    DeclarationError,
    IdempotencyConflict,
    InvalidArguments,
    InvalidId,
    UnknownAction,
    UnknownConversation,
)
from actions.limits import Lock, RateLimit
from actions.messages import Payload
from actions.policy import Retry, Timeouts
from actions.registry import Registry
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish
from orchestrator.store.records import RunView
from orchestrator.submission import Submission, prepare
from umbel import Umbel


@action("PUT", similes=("STORE",), retry=Retry(1), timeout=Timeouts("30s", total="1h"))
async def put(item: str, count: int = 1) -> str:
    """Put something away."""
    return item * count


@action(
    "BUY",
    lock=Lock("orders:{principal}"),
    rate_limit=RateLimit(5, per="1m", key="{item}"),
    permissions={"buy"},
)
async def buy(item: str) -> str:
    """Need a lock and a limit."""
    return item


REGISTRY = Registry([put, buy])
PUT = {"item": "a"}


@pytest.fixture
async def umbel(settings: Settings) -> AsyncIterator[Umbel]:
    async with Umbel(settings, REGISTRY) as opened:
        yield opened


async def record(umbel: Umbel, run: str) -> RunView:
    view = await umbel._store.runs.read(run)
    assert view is not None
    return view


async def claim(umbel: Umbel) -> list[str]:
    """What a pump is given now."""
    return [run.id for run in (await umbel._store.runs.claim("pump", [("actions", 50)])).runs]


# Idempotency keys


async def test_the_same_key_and_request_is_the_same_run(umbel: Umbel):
    first = await umbel.submit("PUT", {"item": "a", "count": 2}, key="k")
    assert await umbel.submit("STORE", {"count": 2, "item": "a"}, key="k") == first
    assert await claim(umbel) == [first]
    assert await umbel.submit("PUT", {"item": "a", "count": 2}, key="k") == first
    assert await claim(umbel) == []


@pytest.mark.parametrize(
    "other",
    [
        {"arguments": {"item": "b"}},
        {"principal": "kim"},
        {"permissions": ["buy"]},
        {"deadline": "5m"},
        {"delay": "1s"},
        {"retry": 2},
        {"timeout": "3s"},
    ],
)
async def test_another_request_under_the_same_key_is_a_conflict_and_changes_nothing(
    umbel: Umbel, other: dict[str, Any]
):
    await umbel.submit("PUT", PUT, key="k")
    with pytest.raises(IdempotencyConflict):
        await umbel.submit("PUT", **({"arguments": PUT} | other), key="k")
    assert len(await claim(umbel)) == 1


async def test_keys_of_two_tenants_are_two_keys(umbel: Umbel):
    first = await umbel.submit("PUT", PUT, key="k", tenant="one")
    assert await umbel.submit("PUT", {"item": "b"}, key="k", tenant="two") != first


async def test_a_key_finds_its_run_after_the_end(umbel: Umbel):
    run = await umbel.submit("PUT", PUT, key="k")
    [claimed] = (await umbel._store.runs.claim("pump", [("actions", 1)])).runs
    await umbel._store.runs.finish("pump", [Finish(run, claimed.fence, "succeeded", '"a"')])
    again = await umbel.submit("PUT", PUT, key="k")
    assert (await umbel.wait(again, timeout_s=1)).result == "a"


async def test_an_id_of_your_own_and_a_key_do_not_go_together(umbel: Umbel):
    with pytest.raises(InvalidId, match="not both"):
        await umbel.submit("PUT", PUT, run="run_mine", key="k")


# Clocks and retries


async def test_a_deadline_is_the_smaller_of_the_callers_and_the_actions(umbel: Umbel):
    for asked, seconds in (("10m", 600), (timedelta(hours=2), 3_600), (None, 3_600)):
        view = await record(umbel, await umbel.submit("PUT", PUT, deadline=asked))
        assert view.deadline_us is not None
        assert view.created_us is not None
        assert view.deadline_us - view.created_us == seconds * 1_000_000


async def test_a_deadline_may_be_a_point_in_time(umbel: Umbel):
    view = await record(umbel, await umbel.submit("BUY", PUT, permissions=["buy"], deadline=_soon(90)))
    assert view.deadline_us is not None
    assert view.created_us is not None
    assert 88e6 < view.deadline_us - view.created_us <= 91e6
    with pytest.raises(DeclarationError, match="time zone"):
        await umbel.submit("PUT", PUT, deadline=datetime(2030, 1, 1))  # noqa: DTZ001 - that is the point


def _soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_what_is_over_before_it_begins_expires_and_never_runs(umbel: Umbel):
    run = await umbel.submit("PUT", PUT, deadline=_soon(-5))
    assert await claim(umbel) == []
    assert (await umbel.wait(run, timeout_s=5)).status == "expired"


async def test_a_delayed_run_is_not_started_before(umbel: Umbel):
    run = await umbel.submit("PUT", PUT, delay="1h")
    assert await claim(umbel) == []
    view = await record(umbel, run)
    assert (view.status, view.why) == ("waiting", "delay")
    assert view.until_us is not None
    assert view.created_us is not None
    assert view.until_us - view.created_us == 3_600 * 1_000_000


async def test_retries_and_the_time_of_an_attempt_ride_in_the_record(umbel: Umbel):
    run = await umbel.submit("PUT", PUT, retry=4, timeout="2s")
    payload = Payload.decode((await record(umbel, run)).payload)
    assert payload.retry_policy(put.retry).retries == 4
    assert payload.timeout_ms == 2_000
    plain = Payload.decode((await record(umbel, await umbel.submit("PUT", PUT))).payload)
    assert plain.retry_policy(put.retry).retries == 1
    assert plain.timeout_ms is None


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"retry": -1}, {"delay": "soon"}, {"deadline": "never"}])
async def test_a_clock_that_means_nothing_is_refused(umbel: Umbel, wrong: dict[str, Any]):
    with pytest.raises(DeclarationError):
        await umbel.submit("PUT", PUT, **wrong)
    assert await claim(umbel) == []


# Guards


def test_a_submitted_run_has_its_actions_guards_and_its_tenants_cap():
    from orchestrator.guards import Caps, caps

    given = Submission("BUY", PUT, principal="kim", permissions=["buy"], tenant="acme")
    run = prepare(given, REGISTRY, "a", guards=caps(Caps(tenant=3), tenant="acme"))
    assert [guard.key for guard in run.guards] == ["BUY:a", "orders:kim:~acme", "~tenant:acme"]


# Many at once


async def test_many_are_submitted_together_in_their_order(umbel: Umbel):
    given = [Submission("PUT", {"item": str(at)}, key=str(at)) for at in range(600)]
    runs = await umbel.submit_all(given)
    assert len(set(runs)) == 600
    assert await umbel.submit_all(given[590:]) == runs[590:]
    views = await umbel._store.runs.read_all(runs)
    told = [Payload.decode(view.payload).arguments["item"] for view in views if view]
    assert told == [str(at) for at in range(600)]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (Submission("NOBODY"), UnknownAction),
        (Submission("PUT"), InvalidArguments),
        (Submission("PUT", PUT, "x"), InvalidId),
    ],
)
async def test_one_that_cannot_run_keeps_all_from_being_recorded(
    umbel: Umbel, wrong: Submission, error: type[Exception]
):
    with pytest.raises(error) as raised:
        await umbel.submit_all([Submission("PUT", PUT), wrong])
    assert raised.value.__notes__ == [f"submission 2 of 2: {wrong.action}"]
    assert await claim(umbel) == []


# Ends


async def test_cancel_goes_by_what_an_id_begins_with(umbel: Umbel):
    run = await umbel.submit("PUT", PUT)
    assert await umbel.cancel(run) == "cancelled"
    assert await umbel.cancel(run) == "terminal"
    conversation = await umbel.open_conversation()
    posted = await umbel.post_reply(conversation, REPLY)
    assert await umbel.cancel(posted.turn) == "cancelled"
    assert await umbel.wait_for_turn(posted.turn, timeout_s=1) == "cancelled"
    again = await umbel.post_reply(conversation, REPLY)
    assert await umbel.cancel(conversation) == "cancelled"
    assert (await umbel.wait(again.runs[0], timeout_s=1)).status == "cancelled"
    assert [await umbel.cancel(each) for each in ("run_x", "turn_x", "conv_x")] == ["missing"] * 3


REPLY = {"role": "assistant", "content": '{"action": "PUT", "params": {"item": "a"}}'}


@pytest.mark.parametrize("id", ["", "run", "run_", "job_1", "run_\n", "conv_ä"])
async def test_what_is_no_id_is_not_cancelled(umbel: Umbel, id: str):  # noqa: A002 - the parameter's word
    with pytest.raises(InvalidId):
        await umbel.cancel(id)


async def test_a_forgotten_conversation_is_gone_with_all_its_keys(umbel: Umbel):
    conversation = await umbel.open_conversation()
    await umbel.post_reply(conversation, REPLY)
    assert await umbel.forget(conversation)
    assert not await umbel.forget(conversation)
    with pytest.raises(UnknownConversation):
        await umbel.post_reply(conversation, REPLY)
    connection = umbel._store.connection
    left = [key async for key in connection.redis.scan_iter(f"{connection.prefix}*{conversation}*")]
    assert left == []
