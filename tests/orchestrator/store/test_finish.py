"""finish: what counts, what comes too late, what is tried again."""

from __future__ import annotations

import asyncio

from actions.messages import Status
from orchestrator.store.incoming import Finish


async def test_a_finish_ends_its_run(world):
    await world.submit("run_a")
    (run,) = await world.take()
    assert await world.end(run, result='{"x":0}') == "ok"
    view = await world.runs.read("run_a")
    assert (view.status, view.result, view.attempts) == (Status.SUCCEEDED, '{"x":0}', 1)
    assert await world.redis.exists(f"{world.prefix}held:p1") == 0


async def test_finishing_twice_says_done_and_changes_nothing(world):
    await world.submit("run_a")
    (run,) = await world.take()
    assert await world.end(run, result="1") == "ok"
    assert await world.end(run, "failed", "2") == "done"
    view = await world.runs.read("run_a")
    assert (view.status, view.result) == (Status.SUCCEEDED, "1")


async def test_twice_in_one_batch_counts_once(world):
    await world.submit("run_a")
    (run,) = await world.take()
    finish = Finish(run.id, run.fence, "succeeded", "1")
    assert await world.runs.finish("p1", [finish, finish]) == ["ok", "done"]


async def test_a_late_finish_with_an_old_fence_changes_nothing(world):
    await world.submit("run_a")
    (late,) = await world.take("p1")
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    assert await world.end(late) == "stale"  # while it is ready again
    (run,) = await world.take("p2")
    assert await world.end(late) == "stale"  # while another attempt runs
    assert await world.status("run_a") == Status.RUNNING
    assert await world.end(run, result='"second"', pump="p2") == "ok"
    assert await world.end(late, result='"first"') == "stale"
    assert (await world.runs.read("run_a")).result == '"second"'


async def test_a_run_that_nobody_knows_is_stale(world):
    assert await world.runs.finish("p1", [Finish("run_a", "1", "succeeded", "1")]) == ["stale"]
    assert await world.keys() == {}


async def test_each_run_of_a_batch_has_its_own_verdict(world):
    await world.submit("run_a", "run_b")
    first, second = await world.take()
    await world.end(first)
    batch = [
        Finish(first.id, first.fence, "succeeded", "1"),
        Finish(second.id, second.fence, "failed", "2"),
        Finish("run_c", "7", "failed", "3"),
    ]
    assert await world.runs.finish("p1", batch) == ["done", "ok", "stale"]


async def test_backoff_waits_and_is_due_to_the_millisecond(world):
    await world.submit("run_a")
    (run,) = await world.take()
    assert await world.end(run, "again", '{"error":"503"}', delay_ms=250, why="backoff") == "ok"
    view = await world.runs.read("run_a")
    assert (view.status, view.why, view.error) == (Status.WAITING, "backoff", '{"error":"503"}')
    assert await world.field("run_a", "until") == str(world.now + 250_000)
    claim = await world.claim()
    assert (claim.runs, claim.due_ms) == ([], 250)
    world.pass_time(ms=249)
    claim = await world.claim()
    assert (claim.runs, claim.due_ms) == ([], 1)
    world.pass_time(ms=1)
    claim = await world.claim()
    assert [(run.id, run.attempt) for run in claim.runs] == [("run_a", 2)]
    assert claim.due_ms == -1


async def test_what_is_due_goes_before_what_was_submitted_later_and_in_the_order_it_fell_due(world):
    await world.submit("run_a", "run_b", "run_c")
    for delay, run in zip((30, 10, 20), await world.take(), strict=True):
        await world.end(run, "again", "1", delay_ms=delay, why="backoff")
    await world.submit("run_d")
    world.pass_time(ms=40)
    assert [run.id for run in await world.take()] == ["run_b", "run_c", "run_a", "run_d"]


async def test_a_finish_sent_again_after_a_backoff_is_known(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.end(run, "again", "1", delay_ms=10, why="backoff")
    assert await world.end(run, "again", "1", delay_ms=10, why="backoff") == "done"
    world.pass_time(ms=10)
    await world.runs.tick(["actions"])
    assert await world.status("run_a") == Status.READY
    assert await world.end(run, "again", "1", delay_ms=10, why="backoff") == "done"
    assert await world.status("run_a") == Status.READY


async def test_a_postponed_attempt_does_not_count(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.end(run, "postponed", "1", delay_ms=5, why="postponed")
    world.pass_time(ms=5)
    (run,) = await world.take()
    assert run.attempt == 1


async def test_dependents_become_ready_when_the_last_they_wait_for_has_ended(world):
    await world.submit("run_a", dependents=("run_c", "run_d"))
    await world.submit("run_b", dependents=("run_c",))
    await world.submit("run_c", status=Status.BLOCKED, open=2)
    await world.submit("run_d", status=Status.BLOCKED, open=1)
    first, second = await world.take()
    await world.end(first, "failed")
    assert await world.statuses("run_c", "run_d") == [Status.BLOCKED, Status.READY]
    await world.end(second)
    assert [run.id for run in await world.take()] == ["run_d", "run_c"]


async def test_a_dependent_that_was_cancelled_stays_so_and_its_record_is_not_made_anew(world):
    await world.submit("run_a", dependents=("run_b",))
    await world.submit("run_b", status=Status.BLOCKED, open=1)
    (run,) = await world.take()
    assert await world.runs.cancel("run_b") == "cancelled"
    await world.redis.delete(f"{world.prefix}r:run_b")  # its time to live was over
    await world.end(run)
    assert "r:run_b" not in await world.keys()


async def test_an_end_is_told_to_who_waits_for_it(world):
    await world.submit("run_a", "run_b", reply_to="mail")
    first, second = await world.take()
    await world.runs.finish(
        "p1",
        [
            Finish(first.id, first.fence, "succeeded", '{"text": "two words"}'),
            Finish(second.id, second.fence, "failed", "2"),
        ],
    )
    assert await world.runs.next_reply("mail", 5) == ("run_a", "succeeded", '{"text": "two words"}')
    assert await world.runs.next_reply("mail", 5) == ("run_b", "failed", "2")
    assert await world.runs.next_reply("mail", 0.01) is None


async def test_a_refusal_is_told_to_who_waits_for_it(world):
    await world.submit("run_a", status=Status.REFUSED, result='{"code":"x"}', reply_to="mail")
    assert await world.runs.next_reply("mail", 5) == ("run_a", "refused", '{"code":"x"}')
    assert await world.take() == []


async def test_two_pumps_on_one_queue_share_the_work(world):
    await world.submit(*(f"run_{at:02}" for at in range(40)))
    done: dict[str, list[str]] = {"p1": [], "p2": []}

    async def work(pump: str) -> None:
        while runs := await world.take(pump, 3):
            done[pump] += [run.id for run in runs]
            batch = [Finish(run.id, run.fence, "succeeded", "1") for run in runs]
            assert await world.runs.finish(pump, batch, claims_next=["actions"]) == ["ok"] * len(runs)

    await asyncio.gather(work("p1"), work("p2"))
    assert sorted(done["p1"] + done["p2"]) == [f"run_{at:02}" for at in range(40)]
    assert done["p1"]
    assert done["p2"]
