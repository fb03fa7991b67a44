"""open, say and reading: how a conversation begins, waits and is read."""

from __future__ import annotations

import pytest

from actions.errors import UnknownConversation


async def test_a_conversation_is_opened_once(world):
    assert await world.conversations.open("conv_a", tenant="t", principal="ann", permissions=["x", "y"])
    assert not await world.conversations.open("conv_a", tenant="other")
    record = await world.conversations.read("conv_a")
    assert (record.tenant, record.principal, record.permissions) == ("t", "ann", ("x", "y"))
    assert (record.status, record.revision, record.state, record.machine) == ("idle", 0, None, None)


async def test_state_and_context_are_kept_as_given(world):
    await world.open(
        machine="coach", state="INTRO", context={"zero": 0, "no": False, "empty": "", "list": []}
    )
    record = await world.conversations.read("conv_a")
    assert (record.machine, record.state, record.state_revision) == ("coach", "INTRO", 0)
    assert record.context == {"zero": "0", "no": "false", "empty": '""', "list": "[]"}


async def test_an_unknown_conversation_is_an_error_for_who_asks(world):
    with pytest.raises(UnknownConversation, match="conv_b"):
        await world.conversations.read("conv_b")
    assert await world.conversations.messages("conv_b") == []
    assert await world.conversations.turn("turn_b") == {}


async def test_the_newest_messages_are_read_oldest_first(world):
    await world.open()
    await world.say("turn_x", "1")
    for number in range(2):
        (leader,) = await world.take(lane="turns")
        await world.answer(leader, world.call("turn_x", 0, number=number, refused="0"), goes_on=True)
    everything = await world.conversations.messages("conv_a")
    assert len(everything) == 5
    assert await world.conversations.messages("conv_a", 2) == everything[-2:]
    assert await world.conversations.messages("conv_a", 99) == everything
    assert await world.conversations.messages("conv_a", 0) == []


async def test_saying_starts_a_turn_with_a_leading_run(world):
    await world.open(tenant="t")
    assert await world.say("turn_x") == "started"
    record = await world.conversations.read("conv_a")
    assert (record.status, record.live_turn, record.revision) == ("live", "turn_x", 1)
    assert await world.told() == [("user", "hello")]
    (leader,) = await world.take(lane="turns")
    assert (leader.id, leader.turn, leader.tenant) == ("run_x.0.next", "turn_x", "t")
    assert leader.payload == '{"v":1,"a":"umbel.advance"}'


async def test_saying_to_nobody_is_missing_and_leaves_nothing(world):
    assert await world.say("turn_x") == "missing"
    assert await world.keys() == {}


async def test_saying_the_same_turn_twice_gives_the_first_back(world):
    await world.open()
    assert await world.say("turn_x", "one") == "started"
    assert await world.say("turn_x", "one") == "exists"
    assert await world.say("turn_x", "two") == "conflict"
    assert await world.say("turn_y", "one") == "queued"
    assert await world.say("turn_y", "one") == "exists"
    assert await world.say("turn_y", "two") == "conflict"
    assert await world.told() == [("user", "one")]
    assert len(await world.take(lane="turns")) == 1
    assert await world.redis.llen(f"{world.prefix}in:conv_a") == 1


async def test_a_message_said_while_a_turn_lives_waits_and_starts_afterwards(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    assert await world.say("turn_y", "me too") == "queued"
    assert await world.say("turn_z", "and me") == "queued"
    assert (await world.conversations.turn("turn_y"))["s"] == "queued"
    assert await world.told() == [("assistant", "…")]
    (run,) = await world.take()
    await world.end(run)
    assert await world.told() == [("assistant", "…"), ("tool", '"done"'), ("user", "me too")]
    assert (await world.conversations.read("conv_a")).live_turn == "turn_y"
    (leader,) = await world.take(lane="turns")
    assert leader.id == "run_y.0.next"
    await world.answer(leader)
    assert (await world.conversations.turn("turn_y"))["s"] == "done"
    assert (await world.told())[-1] == ("user", "and me")
    assert (await world.conversations.read("conv_a")).live_turn == "turn_z"


async def test_each_conversation_has_its_own_live_turn(world):
    await world.open("conv_a")
    await world.open("conv_b")
    assert await world.say("turn_x", conversation="conv_a") == "started"
    assert await world.say("turn_y", conversation="conv_b") == "started"


async def test_a_leading_run_that_fails_ends_its_turn_as_failed_and_the_inbox_goes_on(world):
    await world.open()
    await world.say("turn_x", "one")
    await world.say("turn_y", "two")
    (leader,) = await world.take(lane="turns")
    await world.end(leader, "failed", '{"error":"no model"}')
    assert (await world.conversations.turn("turn_x"))["s"] == "failed"
    assert await world.told() == [("user", "one"), ("user", "two")]
    (leader,) = await world.take(lane="turns")
    assert leader.id == "run_y.0.next"


async def test_a_leading_run_that_opens_no_round_ends_its_turn(world):
    """Whatever a caller named to lead the turn on: a turn that nobody leads must not live for ever."""
    await world.open()
    await world.say("turn_x", "one")
    (leader,) = await world.take(lane="turns")
    await world.end(leader, "succeeded")
    assert (await world.conversations.turn("turn_x"))["s"] == "done"
    assert (await world.conversations.read("conv_a")).status == "idle"


async def test_a_leading_run_may_be_tried_again(world):
    await world.open()
    await world.say("turn_x", "one")
    (leader,) = await world.take(lane="turns")
    await world.end(leader, "again", "1", delay_ms=5, why="backoff")
    assert (await world.conversations.read("conv_a")).status == "live"
    world.pass_time(ms=5)
    (leader,) = await world.take(lane="turns")
    assert (leader.id, leader.attempt) == ("run_x.0.next", 2)
    assert await world.answer(leader) == "ok"
