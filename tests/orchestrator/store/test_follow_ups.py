"""Follow-ups: runs that a run asks for with its result; it ends when they have, and their results stand in its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic_core import to_json

from actions.messages import Status
from orchestrator.store.incoming import Effect, EffectKind, NewRun


def following(parent: str, count: int, **fields: Any) -> tuple[Effect, ...]:
    runs = [
        NewRun(f"{parent}.f{at}", "actions", b"{}", position="f", head=f'{{"action":"NEXT{at}"', **fields)
        for at in range(count)
    ]
    return tuple(Effect(EffectKind.FOLLOW, run.id, to_json(run.row()).decode()) for run in runs)


async def test_a_parent_ends_with_its_children_and_tells_of_them(world):
    await world.submit("run_a", reply_to="mail")
    await world.end(await world.one(), result='{"n":1}', effects=following("run_a", 2))
    view = await world.runs.read("run_a")
    assert (view.status, view.why, view.children) == ("blocked", "follow_ups", ("run_a.f0", "run_a.f1"))
    first, second = await world.take()
    await world.end(first, result='"one"')
    assert await world.status("run_a") == "blocked"
    await world.end(second, "failed", '{"error":"no","code":"failed"}')
    view = await world.runs.read("run_a")
    assert view.status == "succeeded"
    assert json.loads(view.result) == {
        "result": {"n": 1},
        "follow_ups": [
            {"action": "NEXT0", "status": "succeeded", "result": "one"},
            {"action": "NEXT1", "status": "failed", "result": {"error": "no", "code": "failed"}},
        ],
    }
    assert await world.runs.next_reply("mail", 1) == ("run_a", "succeeded", view.result)


async def test_a_round_waits_for_the_children_of_its_calls(world):
    await world.open()
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1))
    first, second = await world.take()
    await world.end(first, effects=following(first.id, 1))
    await world.end(second)
    assert len(await world.told()) == 1
    child = await world.one()
    assert (child.turn, child.conversation) == ("turn_x", "conv_a")
    await world.end(child)
    assert len(await world.told()) == 3
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_children_have_children(world):
    await world.submit("run_a")
    await world.end(await world.one(), effects=following("run_a", 1))
    await world.end(await world.one(), effects=following("run_a.f0", 1))
    await world.end(await world.one(), result='"deep"')
    inner = json.loads((await world.runs.read("run_a")).result)["follow_ups"][0]["result"]
    assert inner["follow_ups"][0]["result"] == "deep"


async def test_a_refused_child_ends_its_parent_at_once(world):
    await world.submit("run_a")
    effects = following("run_a", 1, status=Status.REFUSED, result='{"code":"forbidden"}')
    await world.end(await world.one(), effects=effects)
    told = json.loads((await world.runs.read("run_a")).result)
    assert told["follow_ups"] == [{"action": "NEXT0", "status": "refused", "result": {"code": "forbidden"}}]


async def test_a_turn_has_32_follow_ups_at_most(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    run = await world.one()
    await world.end(run, effects=following(run.id, 33))
    children = (await world.runs.read(run.id)).children
    assert len(children) == 33
    assert await world.status(children[-1]) == "refused"
    for child in await world.take(room=64):
        await world.end(child)
    told = json.loads((await world.told())[1][1])["follow_ups"]
    assert [each["status"] for each in told] == ["succeeded"] * 32 + ["refused"]
    assert told[-1]["result"]["code"] == "follow_up_count"


async def test_the_children_of_a_run_without_turn_are_counted_over_all_depths(world):
    await world.submit("run_a")
    await world.end(await world.one(), effects=following("run_a", 20))
    first, *_ = await world.take(room=64)
    await world.end(first, effects=following(first.id, 20))
    statuses = await world.statuses(*(f"{first.id}.f{at}" for at in range(20)))
    assert statuses.count("refused") == 8


async def test_cancelling_the_parent_cancels_its_children(world):
    await world.submit("run_a")
    await world.end(await world.one(), effects=following("run_a", 2))
    running = (await world.take(room=1))[0]
    assert await world.runs.cancel("run_a") == "cancelling"
    assert await world.statuses("run_a.f0", "run_a.f1") == ["cancelling", "cancelled"]
    await world.end(running, "cancelled", '{"code":"cancelled"}')
    view = await world.runs.read("run_a")
    assert view.status == "succeeded"  # it did what it did
    assert [each["status"] for each in json.loads(view.result)["follow_ups"]] == ["cancelled"] * 2


async def test_a_deadline_of_the_parent_does_not_end_it_while_its_children_run(world):
    await world.submit("run_a", total_ms=5_000)
    await world.end(await world.one(), effects=following("run_a", 1))
    world.pass_time(s=6)
    await world.runs.tick(["actions"])
    assert await world.status("run_a") == "blocked"


@pytest.mark.parametrize("verdict", ["failed", "succeeded"])
async def test_in_a_chain_children_are_undone_before_their_parent(world, verdict):
    await world.open()
    await world.post(*world.steps("turn_x", 2), mode="chain")
    run = await world.one()
    await world.end(run, effects=following(run.id, 2, undoes="1"))
    one, two = await world.take()
    await world.end(one)
    await world.end(two, verdict, '{"code":"failed"}')
    if verdict == "succeeded":
        await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    undone = []
    while claimed := (await world.claim()).runs:
        undone.append(claimed[0].undoes)
        await world.end(claimed[0])
    expected = [f"{run.id}.f1", f"{run.id}.f0", run.id]
    assert undone == (expected if verdict == "succeeded" else expected[1:])
    assert len(await world.told()) == 3


async def test_a_child_that_comes_back_late_changes_nothing(world):
    await world.submit("run_a")
    await world.end(await world.one(), effects=following("run_a", 1))
    late = await world.one(pump="p9")
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    await world.end(await world.one(), result='"mine"')
    assert await world.end(late, pump="p9") == "stale"
    assert json.loads((await world.runs.read("run_a")).result)["follow_ups"][0]["result"] == "mine"


async def test_a_parent_holds_no_lock_while_it_waits(world):
    from orchestrator.store.incoming import LockGuard

    guards = (LockGuard("orders:a"),)
    await world.submit("run_a", guards=guards)
    await world.end(await world.one(), effects=following("run_a", 1, guards=guards))
    assert (await world.one()).id == "run_a.f0"


async def test_a_child_that_takes_the_place_of_its_sibling_leaves_the_parent_an_end(world):
    from orchestrator.store.incoming import Ask

    await world.submit("run_a")
    await world.end(
        await world.one(), effects=following("run_a", 2, approval=Ask("d", 60_000, "{}", key="k"))
    )
    assert await world.statuses("run_a.f0", "run_a.f1") == ["cancelled", "blocked"]
    await world.store.approvals.decide("run_a.f1", "approve", None, "ann")
    await world.end(await world.one())
    assert await world.status("run_a") == "succeeded"


async def test_follow_ups_of_an_evaluator_leave_no_key_without_end(world):
    await world.open()
    later = ("always", NewRun("run_x.ev.0", "actions", b"{}", conversation="conv_a"))
    await world.post(world.call("turn_x", 0), evaluators=(later,))
    await world.end(await world.one())
    await world.end(await world.one(), effects=following("run_x.ev.0", 1))
    await world.end(await world.one())
    assert await world.status("run_x.ev.0") == "succeeded"
    assert {key: ttl for key, ttl in (await world.keys()).items() if key.startswith("r:") and ttl == -1} == {}


async def test_children_are_kept_as_long_as_their_parent_waits(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    run = await world.one()
    await world.end(run, effects=following(run.id, 2))
    first, second = await world.take()
    await world.end(first)
    assert (await world.keys())[f"r:{first.id}"] == -1
    await world.end(second)
    assert (await world.keys())[f"r:{first.id}"] > 0


async def test_a_cancelled_step_is_followed_by_nothing(world):
    await world.open()
    await world.post(*world.steps("turn_x", 1), mode="chain")
    run = await world.one()
    await world.conversations.cancel_turn("turn_x")
    await world.end(run, effects=following(run.id, 1))
    assert (await world.one()).undoes == run.id
    assert await world.status(f"{run.id}.f0") is None


async def test_the_model_is_told_that_a_follow_up_was_taken_back(world):
    await world.open()
    steps = [world.steps("turn_x", 2, undoes="")[0], world.steps("turn_x", 2)[1]]
    await world.post(*steps, mode="chain")
    run = await world.one()
    await world.end(run, effects=following(run.id, 1, undoes="1"))
    await world.end(await world.one())
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    await world.end(await world.one())
    told = json.loads((await world.told())[1][1])
    assert told["result"]["follow_ups"][0]["undone"] is True


async def test_a_step_whose_follow_up_failed_says_so(world):
    await world.open()
    await world.post(*world.steps("turn_x", 1), mode="chain")
    run = await world.one()
    await world.end(run, effects=following(run.id, 1))
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    await world.end(await world.one())
    told = json.loads((await world.told())[1][1])
    assert told["error"] == "undone because a follow-up of step 1 failed"


async def test_an_undo_that_is_tried_again_does_not_miss_a_child_that_is_gone(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2), mode="chain")
    run = await world.one()
    await world.end(run, effects=following(run.id, 2, undoes="1"))
    for child in await world.take():
        await world.end(child)
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    await world.end(await world.one(), "failed", '{"code":"failed"}')  # the undo of the second child
    await world.redis.delete(f"{world.prefix}r:{run.id}.f0")
    assert await world.store.undos.retry(f"{run.id}.f1") == "retried"
    await world.end(await world.one())
    undo = await world.one()
    assert undo.undoes == run.id
    await world.end(undo)
    assert (await world.runs.read(run.id)).undo == "undone"
    assert (await world.claim()).runs == []  # and once only: its id begins as that of its child does
