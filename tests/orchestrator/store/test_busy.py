"""What comes while a turn lives waits, is refused, takes its place, or goes into it."""

from __future__ import annotations

import pytest

from actions.messages import Status
from orchestrator.store.incoming import Lead

LEAD = Lead("turns", b'{"v":1,"a":"umbel.advance"}', max_rounds=5)


def said(text: str) -> str:
    return f'{{"role":"user","content":"{text}"}}'


async def say(world, turn: str, busy: str, *, message: str | None = None) -> str:
    text = said(turn) if message is None else message
    return await world.conversations.say("conv_a", turn, f"d-{turn}", text, LEAD, busy=busy)


async def status(world, turn: str) -> str | None:
    return (await world.conversations.turn(turn)).get("s")


async def texts(world) -> list[str | None]:
    return [content for _, content in await world.told()]


@pytest.fixture
async def busy(world):
    """A conversation in which turn_x has one call that runs."""
    await world.open()
    await world.say("turn_x", "first")
    (leader,) = await world.take(lane="turns")
    await world.answer(leader, world.call("turn_x", 0), goes_on=True)
    world.flying = await world.one()
    return world


async def test_a_message_is_refused_and_leaves_nothing(busy):
    before = await busy.keys()
    assert await say(busy, "turn_y", "refuse") == "busy"
    assert (await busy.keys()).keys() == before.keys()
    assert await say(busy, "turn_y", "enqueue") == "queued"  # its key is free


async def test_nothing_is_refused_where_no_turn_lives(world):
    await world.open()
    for turn, how in (("turn_a", "refuse"), ("turn_b", "interrupt"), ("turn_c", "inject")):
        assert await say(world, turn, how) == "started"
        await world.conversations.cancel_turn(turn)
        (run,) = await world.take(lane="turns") or [None]
        assert run is None
        assert await status(world, turn) == "cancelled"


async def test_an_interrupting_message_stops_the_live_turn_and_is_next(busy):
    assert await say(busy, "turn_y", "enqueue") == "queued"
    assert await say(busy, "turn_z", "interrupt") == "queued"
    assert await busy.status(busy.flying.id) == Status.CANCELLING
    assert await busy.end(busy.flying) == "ok"
    assert [await status(busy, turn) for turn in ("turn_x", "turn_z", "turn_y")] == [
        "cancelled",
        "live",
        "queued",
    ]
    assert await texts(busy) == ["first", "…", '{"code":"cancelled","error":"cancelled"}', "turn_z"]


async def test_a_turn_in_which_nothing_runs_is_replaced_at_once(world):
    await world.open()
    await world.say("turn_x", "first")
    assert await say(world, "turn_y", "interrupt") == "started"
    assert await status(world, "turn_x") == "cancelled"
    assert await texts(world) == ["first", "turn_y"]
    (leader,) = await world.take(lane="turns")
    assert leader.turn == "turn_y"


async def test_injected_messages_stand_behind_the_results_and_before_the_next_question(busy):
    assert await say(busy, "turn_q", "enqueue") == "queued"
    for turn in ("turn_y", "turn_z"):
        assert await say(busy, turn, "inject") == "queued"
    await busy.end(busy.flying)
    assert await texts(busy) == ["first", "…", '"done"', "turn_y", "turn_z"]
    assert [await status(busy, turn) for turn in ("turn_y", "turn_z", "turn_q")] == [
        "injected",
        "injected",
        "queued",
    ]
    assert (await busy.conversations.turn("turn_y"))["into"] == "turn_x"
    (leader,) = await busy.take(lane="turns")
    assert leader.id == "run_x.1.next"
    await busy.answer(leader)
    assert await status(busy, "turn_q") == "live"
    endless = [key for key, ttl in (await busy.keys()).items() if key == "t:turn_y" and ttl < 0]
    assert not endless


async def test_what_can_go_into_no_round_any_more_is_the_next_turn(busy):
    await busy.end(busy.flying)
    (leader,) = await busy.take(lane="turns")
    assert await say(busy, "turn_q", "enqueue") == "queued"
    assert await say(busy, "turn_y", "inject") == "queued"
    assert await say(busy, "turn_z", "inject") == "queued"
    await busy.answer(leader)  # it asks for no call more: the turn ends
    assert [await status(busy, turn) for turn in ("turn_y", "turn_z", "turn_q")] == [
        "live",
        "queued",
        "queued",
    ]
    assert (await texts(busy))[-1] == "turn_y"


async def test_an_injected_message_can_be_cancelled_before_it_goes_in(busy):
    for turn in ("turn_a", "turn_b", "turn_c"):
        await say(busy, turn, "inject")
    assert await busy.conversations.cancel_turn("turn_c") == "cancelled"
    assert await say(busy, "turn_d", "inject") == "queued"
    await busy.end(busy.flying)
    assert (await texts(busy))[3:] == ["turn_a", "turn_b", "turn_d"]


async def test_who_interrupts_comes_before_those_that_wait_to_go_in_and_these_keep_their_order(busy):
    await say(busy, "turn_a", "inject")
    await say(busy, "turn_z", "interrupt")
    await say(busy, "turn_b", "inject")
    await say(busy, "turn_q", "enqueue")
    await busy.end(busy.flying)
    (leader,) = await busy.take(lane="turns")
    assert leader.turn == "turn_z"
    await say(busy, "turn_c", "inject")
    await busy.answer(leader, busy.call("turn_z", 0), goes_on=True)
    await busy.end(await busy.one())
    assert (await texts(busy))[-5:] == ["…", '"done"', "turn_a", "turn_b", "turn_c"]


async def test_what_led_a_reply_that_waited_is_not_kept_for_the_later_rounds(busy):
    heavy = Lead("turns", b'{"v":1,"a":"umbel.advance","p":{"reply":"' + b"x" * 5_000 + b'"}}', max_rounds=5)
    await busy.conversations.say("conv_a", "turn_y", "d", "", heavy)
    await busy.end(busy.flying)
    (leader,) = await busy.take(lane="turns")
    await busy.answer(leader)
    (leader,) = await busy.take(lane="turns")
    verdict = await busy.conversations.round(
        "conv_a", "turn_y", "d0", 0, [], [busy.call("turn_y", 0)], by=(leader.id, leader.fence), lead=LEAD,
        goes_on=True, leads_afresh=True,
    )  # fmt: skip
    assert verdict == "ok"
    await busy.end(await busy.one())
    (leader,) = await busy.take(lane="turns")
    assert (leader.id, leader.payload) == ("run_y.1.next", LEAD.payload.decode())


async def test_a_reply_that_waited_begins_its_turn_without_a_message(busy):
    assert await say(busy, "turn_y", "enqueue", message="") == "queued"
    await busy.end(busy.flying)
    (leader,) = await busy.take(lane="turns")
    await busy.answer(leader)
    assert await status(busy, "turn_y") == "live"
    assert await texts(busy) == ["first", "…", '"done"', "…"]
    (leader,) = await busy.take(lane="turns")
    assert leader.id == "run_y.0.next"


async def test_watchers_hear_where_a_message_went(busy):
    await say(busy, "turn_y", "inject")
    await busy.end(busy.flying)
    heard = [change for change in await busy.changes() if change.get("turn") == "turn_y"]
    assert heard == [
        {"turn": "turn_y", "status": "queued"},
        {"turn": "turn_y", "status": "injected", "into": "turn_x"},
    ]
