"""round: one reply and its calls, whose results come into the conversation together."""

from __future__ import annotations

from actions.messages import Status
from orchestrator.store.incoming import Finish, Lead

NO = '{"error":"no","code":"unknown_action"}'


async def test_results_come_together_in_call_order_when_the_last_run_has_ended(world):
    await world.open()
    assert await world.post(*(world.call("turn_x", at) for at in range(3))) == "ok"
    runs = {run.id: run for run in await world.take()}
    for position in (2, 0):
        await world.end(runs[f"run_x.0.{position}"], result=str(position))
        assert await world.told() == [("assistant", "…")]
    await world.end(runs["run_x.0.1"], "failed", "1")
    assert await world.told() == [("assistant", "…"), ("tool", "0"), ("tool", "1"), ("tool", "2")]
    messages = await world.conversations.messages("conv_a")
    assert [message["tool_call_id"] for message in messages[1:]] == ["c0.0", "c0.1", "c0.2"]


async def test_each_result_is_told_whole_whatever_it_holds(world):
    await world.open()
    result = '{"text":"quote \\" slash / back \\\\\\\\ line \\\\n é 漢 😀 \\u0000"}'
    await world.post(world.call("turn_x", 0))
    (run,) = await world.take()
    await world.end(run, result=result)
    assert (await world.told())[1] == ("tool", result)


async def test_a_whole_batch_completes_its_round_once(world):
    await world.open()
    await world.post(*(world.call("turn_x", at) for at in range(128)))
    runs = await world.take(room=200)
    batch = [Finish(run.id, run.fence, "succeeded", str(at)) for at, run in enumerate(runs)]
    assert await world.runs.finish("p1", batch) == ["ok"] * 128
    assert await world.told() == [("assistant", "…"), *(("tool", str(at)) for at in range(128))]
    assert (await world.conversations.read("conv_a")).revision == 2


async def test_a_reply_whose_calls_are_all_refused_completes_at_once(world):
    await world.open()
    await world.post(world.call("turn_x", 0, refused=NO), world.call("turn_x", 1, refused=NO))
    assert await world.told() == [("assistant", "…"), ("tool", NO), ("tool", NO)]
    assert await world.statuses("run_x.0.0", "run_x.0.1") == [Status.REFUSED] * 2
    assert (await world.conversations.turn("turn_x"))["s"] == "done"
    assert (await world.conversations.read("conv_a")).status == "idle"


async def test_a_refused_call_waits_for_its_neighbours(world):
    await world.open()
    await world.post(world.call("turn_x", 0, refused=NO), world.call("turn_x", 1))
    (run,) = await world.take()
    assert len(await world.told()) == 1
    await world.end(run)
    assert await world.told() == [("assistant", "…"), ("tool", NO), ("tool", '"done"')]


async def test_a_reply_without_calls_ends_its_turn_at_once(world):
    await world.open()
    await world.post()
    assert await world.told() == [("assistant", "…")]
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_the_same_turn_twice_is_told_from_another_under_its_key(world):
    await world.open()
    assert await world.post(world.call("turn_x", 0)) == "ok"
    assert await world.post(world.call("turn_x", 0)) == "exists"
    assert await world.post(world.call("turn_x", 0), digest="other") == "conflict"
    (run,) = await world.take()
    await world.end(run)
    assert await world.post(world.call("turn_x", 0)) == "exists"
    assert await world.take() == []
    assert len(await world.told()) == 2


async def test_a_reply_posted_while_another_turn_lives_is_turned_away(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    before = await world.keys()
    assert await world.post(world.call("turn_y", 0), turn="turn_y") == "busy"
    after = await world.keys()
    assert after.keys() == before.keys()
    for key, ttl in after.items():  # some seconds may have passed; none was given another end
        assert ttl == before[key] or 0 < ttl < before[key] <= ttl + 3, key
    assert len(await world.told()) == 1


async def test_a_reply_to_nobody_is_missing_and_leaves_nothing(world):
    assert await world.post(world.call("turn_x", 0)) == "missing"
    assert await world.keys() == {}


async def test_dependents_of_a_round_become_ready_in_order(world):
    await world.open()
    await world.post(
        world.call("turn_x", 0, dependents=("run_x.0.1",)),
        world.call("turn_x", 1, status=Status.BLOCKED, open=1, dependents=("run_x.0.2", "run_x.0.3")),
        world.call("turn_x", 2, status=Status.BLOCKED, open=1),
        world.call("turn_x", 3, status=Status.BLOCKED, open=1),
    )
    order = []
    while runs := await world.take():
        order.append([run.id[-1] for run in runs])
        for run in runs:
            await world.end(run, "failed" if run.id.endswith("0") else "succeeded")
    assert order == [["0"], ["1"], ["2", "3"]]
    assert len(await world.told()) == 5


async def test_a_round_that_goes_on_makes_the_next_leading_run_ready(world):
    await world.open()
    await world.say("turn_x")
    (leader,) = await world.take(lane="turns")
    assert await world.answer(leader, world.call("turn_x", 0), goes_on=True) == "ok"
    assert await world.status("run_x.0.next") == Status.SUCCEEDED
    assert await world.redis.exists(f"{world.prefix}held:p1") == 0
    (run,) = await world.take()
    assert await world.take(lane="turns") == []
    await world.end(run)
    (leader,) = await world.take(lane="turns")
    assert (leader.id, leader.attempt) == ("run_x.1.next", 1)
    await world.answer(leader)
    assert (await world.conversations.turn("turn_x"))["s"] == "done"
    assert await world.told() == [
        ("user", "hello"),
        ("assistant", "…"),
        ("tool", '"done"'),
        ("assistant", "…"),
    ]


async def test_a_round_that_does_not_go_on_ends_the_turn(world):
    await world.open()
    await world.say("turn_x")
    (leader,) = await world.take(lane="turns")
    await world.answer(leader, world.call("turn_x", 0))
    (run,) = await world.take()
    await world.end(run)
    assert await world.take(lane="turns") == []
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_a_posted_reply_goes_on_with_what_its_caller_named(world):
    await world.open()
    lead = Lead("actions/t", b'{"v":1,"a":"X"}', max_rounds=2)
    await world.post(world.call("turn_x", 0, refused=NO), lead=lead, goes_on=True)
    (leader,) = await world.take(lane="actions/t")
    assert (leader.id, leader.payload) == ("run_x.1.next", '{"v":1,"a":"X"}')


async def test_a_turn_whose_rounds_are_used_up_ends_as_max_rounds(world):
    await world.open()
    await world.say("turn_x")
    for number in range(3):
        (leader,) = await world.take(lane="turns")
        assert leader.id == f"run_x.{number}.next"
        await world.answer(leader, world.call("turn_x", 0, number=number, refused=NO), goes_on=True)
    assert await world.take(lane="turns") == []
    assert (await world.conversations.turn("turn_x"))["s"] == "max_rounds"
    assert (await world.conversations.read("conv_a")).status == "idle"


async def test_a_leading_run_that_lost_its_fence_opens_nothing(world):
    await world.open()
    await world.say("turn_x")
    (late,) = await world.take(lane="turns")
    world.pass_time(s=11)
    await world.runs.tick(["turns"])
    assert await world.answer(late, world.call("turn_x", 0)) == "stale"
    (leader,) = await world.take("p2", lane="turns")
    assert await world.answer(late, world.call("turn_x", 0)) == "stale"
    assert await world.told() == [("user", "hello")]
    assert await world.take() == []
    assert await world.answer(leader) == "ok"


async def test_a_leading_run_opens_its_round_once(world):
    await world.open()
    await world.say("turn_x")
    (leader,) = await world.take(lane="turns")
    assert await world.answer(leader, world.call("turn_x", 0)) == "ok"
    assert await world.answer(leader, world.call("turn_x", 0)) == "stale"
    assert await world.end(leader) == "done"
    assert len(await world.told()) == 2
    assert (await world.conversations.read("conv_a")).status == "live"


async def test_a_leading_run_that_is_being_cancelled_opens_nothing(world):
    await world.open()
    await world.say("turn_x")
    (leader,) = await world.take(lane="turns")
    await world.runs.cancel(leader.id)
    assert await world.answer(leader, world.call("turn_x", 0)) == "stale"
    assert await world.end(leader) == "ok"
    assert (await world.conversations.turn("turn_x"))["s"] == "cancelled"


async def test_a_result_is_kept_until_its_round_is_complete_however_long_that_takes(world):
    """A neighbour may wait longer than an ended run is kept."""
    await world.open()
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1))
    first, second = await world.take()
    await world.end(first)
    assert (await world.keys())[f"r:{first.id}"] == -1
    await world.end(second)
    keys = await world.keys()
    assert keys[f"r:{first.id}"] > 0
    assert keys[f"r:{second.id}"] > 0


async def test_the_revision_grows_with_each_change_of_the_messages(world):
    await world.open()
    revisions = [(await world.conversations.read("conv_a")).revision]
    await world.say("turn_x")
    revisions.append((await world.conversations.read("conv_a")).revision)
    (leader,) = await world.take(lane="turns")
    await world.answer(leader, world.call("turn_x", 0))
    revisions.append((await world.conversations.read("conv_a")).revision)
    (run,) = await world.take()
    await world.end(run)
    revisions.append((await world.conversations.read("conv_a")).revision)
    assert revisions == [0, 1, 2, 3]
