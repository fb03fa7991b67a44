"""Every key has an end, and none ends while it is needed."""

from __future__ import annotations

import pytest

from actions.messages import Status
from orchestrator.settings import Settings
from orchestrator.store.connection import Connection

BASE = {"fence", "audit"}
"""Kept for ever: one key."""
POSTURES = {"live", "queues"}
"""One member for each living pump or served queue; `tick` takes them out."""


async def test_after_all_turns_have_ended_every_key_has_an_end(world):
    await world.offer()
    await world.offer("turns")
    await world.open(machine="coach", state="A")
    await world.say("turn_x", "one")
    await world.say("turn_y", "two")
    for turn in ("turn_x", "turn_y"):
        (leader,) = await world.take(lane="turns", worker="one@host")
        calls = [world.call(turn, at, refused="0" if at == 1 else "") for at in range(4)]
        await world.answer(leader, *calls)
        await world.runs.cancel(calls[3].id)
        first, second = await world.take()
        await world.runs.cancel(second.id)
        await world.end(second)
        await world.end(first, "again", "1", delay_ms=5, why="backoff")
        world.pass_time(ms=6)
        (first,) = await world.take()
        await world.end(first)
    await world.submit("run_z", reply_to="mail")
    (run,) = await world.take()
    await world.end(run)
    await world.runs.tick(["actions", "turns"])
    await world.runs.leave("p1", ["actions", "turns"])
    await world.pass_real_gates()
    await world.redis.delete(world.celery(), world.celery("turns"))
    endless = {key for key, ttl in (await world.keys()).items() if ttl < 0}
    assert endless == BASE | {"queues"}


async def test_an_idle_namespace_returns_to_its_base_size(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.end(run)
    await world.claim()
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    world.pass_time(s=86_401)
    await world.runs.tick([])
    assert set(await world.keys()) == BASE | {"r:run_a", "runs:"}


async def test_what_belongs_to_a_live_turn_does_not_expire(world):
    await world.open()
    await world.post(turn="turn_w")
    assert {key for key, ttl in (await world.keys()).items() if ttl > 0} >= {
        "c:conv_a",
        "m:conv_a",
        "ev:conv_a",
    }
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1, status=Status.BLOCKED, open=1))
    endless = {key for key, ttl in (await world.keys()).items() if ttl < 0}
    assert endless >= {"c:conv_a", "m:conv_a", "ev:conv_a", "t:turn_x", "r:run_x.0.0", "r:run_x.0.1"}
    await world.runs.cancel("run_x.0.0")
    await world.runs.cancel("run_x.0.1")
    await world.say("turn_y")
    endless = {key for key, ttl in (await world.keys()).items() if ttl < 0}
    assert endless >= {"c:conv_a", "m:conv_a", "ev:conv_a", "t:turn_y", "r:run_y.0.next"}
    assert "t:turn_x" not in endless


async def test_a_turn_that_waits_in_the_inbox_does_not_expire(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    await world.say("turn_y")
    assert (await world.keys())["t:turn_y"] == -1
    assert (await world.keys())["in:conv_a"] == -1


async def test_each_kind_of_key_is_kept_as_long_as_settings_say(world):
    await world.open()
    await world.post(world.call("turn_x", 0, refused="0"))
    keys = await world.keys()
    week, month = 7 * 86_400, 30 * 86_400
    for key in ("r:run_x.0.0", "t:turn_x"):
        assert week - 60 < keys[key] <= week
    for key in ("c:conv_a", "m:conv_a", "ev:conv_a"):
        assert month - 60 < keys[key] <= month


@pytest.mark.parametrize("name", ["run_ttl", "conversation_ttl"])
def test_a_time_to_live_under_a_second_is_not_none_at_all(world, name):
    """Redis counts in seconds; 0 would delete a record in the step that writes it."""
    settings = Settings.model_validate({**dict(world.settings), name: "250ms"})
    run_ttl, kept = Connection(settings)._frame[1:]
    assert min(int(run_ttl), int(str(kept).split()[0])) == 1
