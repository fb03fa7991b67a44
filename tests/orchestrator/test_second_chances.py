"""The dead are listed, edited, discarded and replayed as new runs made of their records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actions.approvals import Approval
from actions.chains import Chain
from actions.definition import action
from actions.errors import (
    BadReference,
    ChainOnly,
    DeclarationError,
    ForbiddenAction,
    InvalidArguments,
    InvalidId,
    UnknownAction,
    UnknownRecord,
)
from actions.limits import Dedupe
from actions.messages import Payload
from actions.registry import Registry
from orchestrator.dead_calls import Which
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish
from orchestrator.store.records import Claimed
from umbel import Umbel


@action("ORDER", similes=("BUY",), show=("amount",), permissions={"trade"}, dedupe=Dedupe("1h"))
async def order(amount: int, card: str = "") -> None:
    """Buy."""


@action("SEND", approval=Approval())
async def send(to: str) -> None:
    """Send."""


@action("STEP", chain=Chain())
async def step() -> None:
    """Be a step."""


ORDER = {"amount": 5, "card": "hunter2"}
ERROR = {"error": "The Exchange is closed", "code": "closed"}


@pytest.fixture
async def umbel(settings: Settings) -> AsyncIterator[Umbel]:
    async with Umbel(settings, Registry([order, send, step])) as umbel:
        yield umbel


async def claim(umbel: Umbel) -> list[Claimed]:
    return (await umbel._store.runs.claim("pump", [("actions", 50)])).runs


async def finish(umbel: Umbel, status: str, error: dict[str, str] | None = None) -> None:
    """End whatever a pump is given now."""
    told = json.dumps(error or ERROR)
    ends = [Finish(run.id, run.fence, status, told) for run in await claim(umbel)]
    await umbel._store.runs.finish("pump", ends)


async def died(umbel: Umbel, status: str = "failed", **given: Any) -> str:
    """A run that ended so."""
    whole: dict[str, Any] = {"arguments": ORDER, "principal": "ann", "permissions": ["trade"]}
    run = await umbel.submit("BUY", **(whole | given))
    await finish(umbel, status)
    return run


async def payload_of(umbel: Umbel, run: str) -> Payload:
    view = await umbel._store.runs.read(run)
    assert view is not None
    return Payload.decode(view.payload)


async def deeds(umbel: Umbel) -> list[dict[str, Any]]:
    lines = [line.fields for line in await umbel._store.audit.read()]
    return [line for line in lines if line["what"] in {"replay", "edit", "discard", "undo_retry"}]


# Which there are


async def test_the_dead_the_failed_and_the_timed_out_are_listed_and_nobody_else(umbel: Umbel):
    bad = [
        await died(umbel, how, arguments={"amount": at})
        for at, how in enumerate(("failed", "timed_out", "dead"))
    ]
    await died(umbel, "succeeded", arguments={"amount": 7})
    await died(umbel, "cancelled", arguments={"amount": 8})
    await umbel.submit("ORDER", {"amount": 9}, permissions=["trade"])
    found = await umbel.dead()
    assert [each.run for each in found] == bad
    assert [each.status for each in found] == ["failed", "timed_out", "dead"]
    first = await umbel.dead_one(bad[0])
    assert first == found[0]
    assert (first.action, first.principal, first.error, first.attempts) == ("ORDER", "ann", ERROR, 1)


async def test_their_arguments_are_masked(umbel: Umbel):
    run = await died(umbel)
    assert "hunter2" not in str(await umbel.dead_one(run))
    assert (await umbel.dead_one(run)).arguments["amount"] == "5"


async def test_a_filter_means_those_that_match_all_of_it(umbel: Umbel):
    now = datetime.now(UTC)
    one = await died(umbel, "failed", arguments={"amount": 1}, tenant="acme")
    two = await died(umbel, "dead", arguments={"amount": 2})

    async def which(**given: Any) -> list[str]:
        return [each.run for each in await umbel.dead(Which(**given))]

    assert await which() == [one, two]
    assert await which(status=["dead"]) == [two]
    assert await which(tenant="acme") == [one]
    assert await which(tenant="") == [two]
    assert await which(actions=["ORDER"]) == [one, two]
    assert await which(actions=["SEND"]) == []
    assert await which(error="exchange IS") == [one, two]
    assert await which(error="CLOSED") == [one, two]
    assert await which(error="open") == []
    assert await which(since=now - timedelta(minutes=1)) == [one, two]
    assert await which(since=now + timedelta(minutes=1)) == []
    assert await which(before=now - timedelta(minutes=1)) == []
    ended = (await umbel.dead_one(two)).ended
    assert await which(before=ended) == [one]
    assert await which(since=ended) == [two]
    assert await which(tenant="acme", status=["dead"]) == []
    assert [each.run for each in await umbel.dead(Which(tenant=""), limit=1)] == [two]
    assert [each.run for each in await umbel.dead(limit=1)] == [one]


def test_a_slip_of_the_pen_in_a_filter_is_found():
    with pytest.raises(DeclarationError, match="time zone"):
        _ = Which(since=datetime(2026, 1, 1)).after_us  # noqa: DTZ001
    with pytest.raises(DeclarationError, match="succeeded"):
        Which(status=["succeeded"])
    with pytest.raises(DeclarationError, match="none"):
        Which(status=[])


# Replay


async def test_a_replay_is_a_new_run_made_of_the_stored_record(umbel: Umbel):
    run = await died(umbel, tenant="acme")
    fresh = await umbel.replay(run, by="bob")
    assert fresh != run
    old, new = await payload_of(umbel, run), await payload_of(umbel, fresh)
    assert (new.action, new.arguments, new.principal, new.permissions) == ("ORDER", ORDER, "ann", ("trade",))
    assert new.key == old.key
    [claimed] = await claim(umbel)
    assert (claimed.id, claimed.tenant) == (fresh, "acme")
    view = await umbel._store.runs.read(run)
    assert view is not None
    assert view.status == "failed"
    assert await umbel.dead() == []


async def test_a_replay_may_have_a_key_of_its_own(umbel: Umbel):
    run = await died(umbel)
    new = await payload_of(umbel, await umbel.replay(run, by="bob", new_key=True))
    assert new.key
    assert new.key != (await payload_of(umbel, run)).key


async def test_many_who_ask_at_once_get_one_replay(umbel: Umbel):
    run = await died(umbel)
    told = await asyncio.gather(*(umbel.replay(run, by="bob") for _ in range(8)), return_exceptions=True)
    made = {each for each in told if isinstance(each, str)}
    assert len(made) == 1
    assert all(isinstance(each, str | UnknownRecord) for each in told)
    assert [each.id for each in await claim(umbel)] == list(made)
    with pytest.raises(UnknownRecord):
        await umbel.replay(run, by="bob")


async def test_a_replay_that_nobody_could_note_is_not_made_a_second_time(umbel: Umbel):
    run = await died(umbel)
    fresh = await umbel._drafted(await umbel._read(run), "bob", new_key=False)
    await umbel._store.runs.submit([fresh])  # and the process died here
    assert await umbel.replay(run, by="bob") == fresh.id
    assert [each.id for each in await claim(umbel)] == [fresh.id]


async def test_nor_is_it_with_other_arguments(umbel: Umbel):
    run = await died(umbel)
    fresh = await umbel._drafted(await umbel._read(run), "bob", new_key=False)
    await umbel._store.runs.submit([fresh])  # and the process died here
    await umbel.edit(run, {"amount": 6}, by="bob")
    with pytest.raises(UnknownRecord, match=fresh.id):
        await umbel.replay(run, by="bob")
    assert [each.id for each in await claim(umbel)] == [fresh.id]
    assert await umbel.dead() == []


async def test_a_replay_that_fails_is_on_the_list_itself(umbel: Umbel):
    fresh = await umbel.replay(await died(umbel), by="bob")
    await finish(umbel, "failed")
    assert [each.run for each in await umbel.dead()] == [fresh]
    assert await umbel.replay(fresh, by="bob") != fresh


async def test_a_run_that_comes_again_under_its_key_and_dies_again_has_a_replay_of_its_own(umbel: Umbel):
    run = await died(umbel, key="monday")
    first = await umbel.replay(run, by="bob")
    await finish(umbel, "failed")
    redis, prefix = umbel._store.connection.redis, umbel._store.connection.prefix
    await redis.delete(f"{prefix}r:{run}")  # its time is over; that of its replay is not
    assert await died(umbel, key="monday") == run
    second = await umbel.replay(run, by="bob")
    assert second not in {run, first}
    assert [each.id for each in await claim(umbel)] == [second]


async def test_a_replay_is_made_although_another_run_is_the_same(umbel: Umbel):
    run = await died(umbel)
    other = await umbel.submit("ORDER", ORDER, principal="ann", permissions=["trade"])
    fresh = await umbel.replay(run, by="bob")
    assert {each.id for each in await claim(umbel)} == {other, fresh}


async def test_a_replay_needs_an_approval_of_its_own(umbel: Umbel):
    run = await umbel.submit("SEND", {"to": "kim"})
    assert await umbel.approve(run, by="bob") == "approved"
    await finish(umbel, "failed")
    fresh = await umbel.replay(run, by="bob")
    assert [each.run for each in await umbel.wanted()] == [fresh]
    assert await claim(umbel) == []


async def test_a_replay_is_judged_as_a_new_call(umbel: Umbel, settings: Settings):
    run = await died(umbel)
    async with Umbel(settings, Registry([send])) as other:
        with pytest.raises(UnknownAction):
            await other.replay(run, by="bob")

    @action("ORDER", permissions={"trade", "more"})
    async def stricter(amount: int, card: str) -> None:
        """Buy."""

    async with Umbel(settings, Registry([stricter])) as other:
        with pytest.raises(ForbiddenAction):
            await other.replay(run, by="bob")

    @action("ORDER")
    async def changed(ticker: str) -> None:
        """Buy."""

    async with Umbel(settings, Registry([changed])) as other:
        with pytest.raises(InvalidArguments):
            await other.replay(run, by="bob")
    assert await claim(umbel) == []
    assert [each.run for each in await umbel.dead()] == [run]


async def test_a_step_that_runs_only_in_a_chain_is_not_replayed_alone(umbel: Umbel, settings: Settings):
    @action("STEP")
    async def lonely() -> None:
        """Be there."""

    async with Umbel(settings, Registry([lonely])) as before:
        run = await before.submit("STEP")
        await finish(before, "failed")
    with pytest.raises(ChainOnly):
        await umbel.replay(run, by="bob")


async def test_a_replay_tells_its_conversation_in_a_note(umbel: Umbel):
    conversation = await umbel.open_conversation(principal="ann", permissions=["trade"])
    posted = await umbel.post_reply(
        conversation, {"role": "assistant", "content": json.dumps({"action": "ORDER", "parameters": ORDER})}
    )
    await finish(umbel, "failed")
    assert await umbel.wait_for_turn(posted.turn) == "done"
    before = await umbel.messages(conversation)
    fresh = await umbel.replay(posted.runs[0], by="bob")
    [claimed] = await claim(umbel)
    assert (claimed.id, claimed.conversation) == (fresh, conversation)
    await umbel._store.runs.finish("pump", [Finish(fresh, claimed.fence, "succeeded", '"bought"')])
    after = await umbel.messages(conversation)
    assert after[: len(before)] == before
    [note] = after[len(before) :]
    assert note["role"] != "tool"
    assert "ORDER" in note["content"]
    assert "bought" in note["content"]
    assert posted.runs[0] in note["content"]


async def test_without_its_conversation_a_replay_is_a_single_run(umbel: Umbel):
    conversation = await umbel.open_conversation(principal="ann", permissions=["trade"])
    await umbel.post_reply(
        conversation, {"role": "assistant", "content": json.dumps({"action": "ORDER", "parameters": ORDER})}
    )
    await finish(umbel, "failed")
    [dead] = await umbel.dead()
    redis, prefix = umbel._store.connection.redis, umbel._store.connection.prefix
    await redis.delete(f"{prefix}c:{conversation}", f"{prefix}m:{conversation}")
    fresh = await umbel.replay(dead.run, by="bob")
    [claimed] = await claim(umbel)
    assert (claimed.id, claimed.conversation) == (fresh, "")


@action("FIND")
async def find() -> int:
    """Find."""


@action("TAKE", uses={"amount": "FIND.found.0"})
async def take(amount: int, who: str = "") -> None:
    """Take."""


async def taken(umbel: Umbel) -> tuple[str, str]:
    """A run that gave a value, and a dead one that took it."""
    calls = ({"name": "FIND", "arguments": "{}"}, {"name": "TAKE", "arguments": '{"who": "kim"}'})
    tools = [{"id": each["name"], "type": "function", "function": each} for each in calls]
    posted = await umbel.post_reply(
        await umbel.open_conversation(), {"role": "assistant", "tool_calls": tools}
    )
    [first] = await claim(umbel)
    await umbel._store.runs.finish("pump", [Finish(first.id, first.fence, "succeeded", '{"found":[5]}')])
    await finish(umbel, "failed")
    assert await umbel.wait_for_turn(posted.turn) == "done"
    source, dead = posted.runs
    return source, dead


async def test_a_replay_takes_what_its_run_took_from_another(settings: Settings):
    async with Umbel(settings, Registry([find, take])) as umbel:
        _, dead = await taken(umbel)
        await umbel.edit(dead, {"who": "ann"}, by="bob", merge=True)
        new = await payload_of(umbel, await umbel.replay(dead, by="bob"))
        assert (new.arguments, new.uses) == ({"amount": 5, "who": "ann"}, ())


async def test_a_replay_whose_source_is_gone_has_to_be_edited_first(settings: Settings):
    async with Umbel(settings, Registry([find, take])) as umbel:
        source, dead = await taken(umbel)
        await umbel._store.connection.redis.delete(f"{umbel._store.connection.prefix}r:{source}")
        with pytest.raises(BadReference):
            await umbel.replay(dead, by="bob")
        await umbel.edit(dead, {"amount": 6}, by="bob")
        new = await payload_of(umbel, await umbel.replay(dead, by="bob"))
        assert (new.arguments, new.uses) == ({"amount": 6}, ())


# Edit and discard


async def test_an_edited_one_is_replayed_with_its_new_arguments(umbel: Umbel):
    run = await died(umbel)
    await umbel.edit(run, {"amount": "6"}, by="bob")
    edited = await umbel.dead_one(run)
    assert (edited.edited, edited.arguments) == (True, {"amount": "6"})
    assert (await payload_of(umbel, run)).arguments == ORDER
    assert (await payload_of(umbel, await umbel.replay(run, by="bob"))).arguments == {"amount": "6"}


async def test_one_argument_may_be_edited_alone_and_twice(umbel: Umbel):
    run = await died(umbel)
    await umbel.edit(run, {"amount": 6}, by="bob", merge=True)
    await umbel.edit(run, {"card": "other"}, by="bob", merge=True)
    new = await payload_of(umbel, await umbel.replay(run, by="bob"))
    assert new.arguments == {"amount": 6, "card": "other"}


@pytest.mark.parametrize(
    "arguments", [{}, {"amount": "many"}, {"amount": 1, "extra": 2}, [1], None, {"amount": 10**5_000}]
)
async def test_arguments_that_a_call_could_not_have_are_refused(umbel: Umbel, arguments: Any):
    run = await died(umbel)
    with pytest.raises(InvalidArguments):
        await umbel.edit(run, arguments, by="bob")
    assert not (await umbel.dead_one(run)).edited


async def test_a_discarded_one_is_gone_from_the_list_and_its_record_is_not(umbel: Umbel):
    run = await died(umbel)
    assert await umbel.discard(run, by="bob") is True
    assert await umbel.discard(run, by="bob") is False
    assert await umbel.dead() == []
    with pytest.raises(UnknownRecord):
        await umbel.replay(run, by="bob")
    assert (await umbel.wait(run)).status == "failed"


@pytest.mark.parametrize("status", ["succeeded", "cancelled"])
async def test_who_ended_well_or_was_stopped_has_no_second_chance(umbel: Umbel, status: str):
    run = await died(umbel, status)
    with pytest.raises(UnknownRecord):
        await umbel.replay(run, by="bob")
    with pytest.raises(UnknownRecord):
        await umbel.edit(run, {"amount": 6}, by="bob")
    assert await umbel.discard(run, by="bob") is False
    with pytest.raises(UnknownRecord):
        await umbel.dead_one("run_nobody")


async def test_what_is_no_run_is_no_dead_one(umbel: Umbel):
    for work in (umbel.replay("turn_a1", by="bob"), umbel.dead_one("conv_a1"), umbel.discard("x", by="bob")):
        with pytest.raises(InvalidId):
            await work


# Who did it


async def test_each_deed_stands_in_the_audit_with_its_doer_and_no_secret(umbel: Umbel):
    one, two = [await died(umbel, arguments=ORDER | {"amount": at}) for at in (1, 2)]
    await umbel.edit(one, {"card": "hunter3"}, by="kim", merge=True)
    fresh = await umbel.replay(one, by="bob")
    await umbel.discard(two, by="eve")
    told = await deeds(umbel)
    assert [(line["what"], line["run"], line["by"]) for line in told] == [
        ("edit", one, "kim"),
        ("replay", fresh, "bob"),
        ("discard", two, "eve"),
    ]
    assert told[1]["of"] == one
    assert told[1]["principal"] == "ann"
    assert told[1]["arguments"]["amount"] == "1"
    assert "hunter" not in json.dumps(told)


async def test_nobody_does_it_without_a_name(umbel: Umbel):
    run = await died(umbel)
    for work in (
        umbel.replay(run, by=""),
        umbel.edit(run, {"amount": 6}, by=" "),
        umbel.discard(run, by=""),
        umbel.retry_undo(run, by=""),
    ):
        with pytest.raises(DeclarationError):
            await work
    assert await deeds(umbel) == []
