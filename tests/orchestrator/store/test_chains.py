"""Chains: one step after another, all undone in reverse when one has failed, and results that say what is true then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.store.incoming import Effect, EffectKind, Lead, LimitGuard, LockGuard, NewRun

UNKNOWN = (Effect(EffectKind.UNKNOWN),)
LEAD = Lead("turns", b"{}", max_rounds=5)


async def results(world) -> list[object]:
    """What the model was told of each call."""
    return [json.loads(text or "null") for role, text in await world.told() if role == "tool"]


@pytest.fixture
async def chain(world):
    """A chain of three steps, posted."""
    await world.open()
    assert await world.post(*world.steps("turn_x", 3), mode="chain") == "ok"
    return ["run_x.0.0", "run_x.0.1", "run_x.0.2"]


async def forward(world, count: int) -> None:
    """So many steps succeed, one after another."""
    for at in range(count):
        run = await world.one()
        assert run.id == f"run_x.0.{at}"
        await world.end(run, result=f'"did {at}"')


async def undo(world, expected: list[str], verdict: str = "succeeded") -> None:
    """The undos that can be claimed, one after another."""
    for step in expected:
        run = await world.one()
        assert (run.undoes, run.id) == (step, f"{step}.undo")
        await world.end(run, verdict)


async def test_steps_run_one_after_another_and_their_results_come_together(world, chain):
    await forward(world, 2)
    assert await results(world) == []
    assert await world.statuses(*chain) == ["succeeded", "succeeded", "ready"]
    run = await world.one()
    await world.end(run, result='"did 2"')
    assert await results(world) == ["did 0", "did 1", "did 2"]
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_a_failed_step_undoes_the_ones_before_in_reverse_and_says_so(world, chain):
    await forward(world, 2)
    await world.end(await world.one(), "failed", '{"error":"no money","code":"failed"}')
    assert await results(world) == []  # until it has settled
    views = await world.runs.read_all(chain)
    assert [view.undo for view in views] == ["pending", "pending", None]
    await undo(world, [chain[1], chain[0]])
    told = await results(world)
    assert told[0] == {"code": "undone", "error": "undone because step 3 failed"}
    assert told[1] == told[0]
    assert told[2] == {"error": "no money", "code": "failed"}
    views = await world.runs.read_all(chain)
    assert [(view.status, view.undo) for view in views] == [("succeeded", "undone")] * 2 + [("failed", None)]
    assert json.loads(views[0].told) == told[0]
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_steps_after_the_failed_one_do_not_run(world, chain):
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    await undo(world, [chain[0]])
    assert (await results(world))[2] == {"code": "not_run", "error": "not run because step 2 failed"}
    assert await world.status(chain[2]) == "refused"
    assert (await world.claim()).runs == []


async def test_an_error_that_is_tried_again_undoes_nothing(world, chain):
    await forward(world, 1)
    await world.end(await world.one(), "again", '{"error":"busy"}', delay_ms=100, why="backoff")
    assert (await world.claim()).runs == []
    world.pass_time(ms=101)
    run = await world.one()
    assert (run.id, run.undoes, run.attempt) == (chain[1], "", 2)


async def test_a_step_of_unknown_effect_is_undone_first_if_its_undo_needs_no_result(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2, undoes="2"), mode="chain")
    await forward(world, 1)
    await world.end(await world.one(), "timed_out", '{"error":"slow","code":"timed_out"}', effects=UNKNOWN)
    await undo(world, ["run_x.0.1", "run_x.0.0"])
    assert (await results(world))[1] == {"error": "slow", "code": "timed_out", "undone": True}


async def test_a_step_of_unknown_effect_is_not_undone_if_its_undo_needs_its_result(world, chain):
    await world.end(await world.one(), "timed_out", '{"error":"slow","code":"timed_out"}', effects=UNKNOWN)
    assert (await results(world))[0] == {"error": "slow", "code": "timed_out"}


async def test_an_effect_that_was_unknown_once_stays_so_until_it_succeeds(world):
    await world.open()
    await world.post(*world.steps("turn_x", 1, undoes="2"), mode="chain")
    await world.end(await world.one(), "again", '{"error":"slow"}', effects=UNKNOWN)
    await world.end(await world.one(), "failed", '{"error":"exists already","code":"failed"}')
    await undo(world, ["run_x.0.0"])


async def test_a_step_without_an_undo_says_that_it_is_still_in_effect(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2, undoes=""), mode="chain")
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    told = (await results(world))[0]
    assert told["result"] == "did 0"
    assert told["note"] == "still in effect, though step 2 failed: it cannot be undone"


async def test_an_undo_that_fails_rests_and_can_be_tried_again_in_order(world, chain):
    await forward(world, 2)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    await undo(world, [chain[1]], verdict="failed")
    told = await results(world)
    assert [each["code"] for each in told] == ["not_undone", "undo_failed", "failed"]
    assert (await world.claim()).runs == []
    assert [each.run for each in await world.store.undos.stuck()] == [chain[1]]
    assert (await world.runs.read(chain[1])).undo == "failed"
    assert await world.store.undos.retry(chain[0]) == "not_stuck"
    assert await world.store.undos.retry(chain[1]) == "retried"
    assert await world.store.undos.stuck() == []
    for step, name in ((chain[1], "undo2"), (chain[0], "undo")):
        run = await world.one()
        assert (run.undoes, run.id) == (step, f"{step}.{name}")
        await world.end(run)
    views = await world.runs.read_all(chain)
    assert [view.undo for view in views] == ["undone", "undone", None]
    assert json.loads(views[0].now)["code"] == "undone"
    assert json.loads(views[0].told)["code"] == "not_undone"  # what the model was told stays as it was
    assert len(await results(world)) == 3  # never a second tool message
    role, note = (await world.told())[-1]
    assert role == "user"
    assert note.startswith("The undo of a chain was tried again: step 1 undone, step 2 undone")


async def test_an_undo_whose_worker_dies_is_begun_again_and_counts_once(world, chain):
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    first = await world.one(pump="p9")
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    again = await world.one()
    assert (again.id, again.undoes) == (first.id, chain[0])
    assert await world.end(again) == "ok"
    assert await world.end(first, pump="p9") == "stale"
    assert (await world.runs.read(chain[0])).undo == "undone"


async def test_an_undo_takes_the_locks_of_its_action_but_no_limits_caps_and_deadlines(world):
    lock = LockGuard("orders:a", policy="refuse")
    guards = (lock, LockGuard("~turn:x"), LimitGuard("slow:a", "slow", 2, 3_600_000_000))
    await world.open()
    await world.post(*world.steps("turn_x", 2, guards=guards, total_ms=60_000), mode="chain")
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    await world.redis.rpush(f"{world.prefix}lk:orders:a", "run_holder")
    await world.redis.hset(f"{world.prefix}r:run_holder", mapping={"s": "running", "q": "actions"})
    assert (await world.claim()).runs == []  # it waits, though its action would not
    assert (await world.runs.read("run_x.0.0.undo")).why == "lock orders:a"
    world.pass_time(s=120)
    await world.runs.tick(["actions"])
    assert await world.status("run_x.0.0.undo") == "waiting"
    await world.redis.hset(f"{world.prefix}r:run_holder", "s", "succeeded")
    await world.redis.lpop(f"{world.prefix}lk:orders:a")
    await world.redis.zadd(f"{world.prefix}due", {"K1 orders:a": world.now})
    await undo(world, ["run_x.0.0"])


async def test_a_newer_run_does_not_take_the_lock_of_an_undo(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2, guards=(LockGuard("orders:a"),)), mode="chain")
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    undoing = await world.one()
    await world.submit("run_new", guards=(LockGuard("orders:a", policy="replace"),))
    assert (await world.claim()).runs == []
    assert await world.statuses(undoing.id, "run_new") == ["running", "waiting"]
    await world.end(undoing)
    assert (await world.one()).id == "run_new"


async def test_cancelling_a_chain_undoes_what_it_did(world, chain):
    await forward(world, 1)
    run = await world.one()
    assert await world.conversations.cancel_turn("turn_x") == "cancelling"
    assert await world.statuses(*chain) == ["succeeded", "cancelling", "cancelled"]
    assert (await world.claim()).runs == []  # not while another step runs
    await world.end(run, "cancelled", '{"error":"cancelled","code":"cancelled"}')
    assert await world.conversations.cancel_turn("turn_x") == "undoing"
    assert await world.runs.cancel(f"{chain[0]}.undo") == "undoing"
    await undo(world, [chain[0]])
    told = await results(world)
    assert told[0] == {"code": "undone", "error": "undone because the chain was cancelled"}
    assert told[2] == {"code": "not_run", "error": "not run because the chain was cancelled"}
    assert (await world.conversations.turn("turn_x"))["s"] == "cancelled"


async def test_a_step_that_succeeds_while_it_is_cancelled_is_undone_too(world, chain):
    run = await world.one()
    assert await world.runs.cancel(chain[0]) == "cancelling"
    await world.end(run, "succeeded", '"did 0"')
    await undo(world, [chain[0]])
    assert await world.status(chain[0]) == "succeeded"


async def test_cancelling_a_step_that_waits_cancels_the_chain(world, chain):
    await forward(world, 1)
    assert await world.runs.cancel(chain[2]) == "cancelled"
    await undo(world, [chain[0]])
    assert await world.statuses(*chain) == ["succeeded", "cancelled", "cancelled"]


async def test_an_expired_step_undoes_the_chain(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2, total_ms=5_000), mode="chain")
    await forward(world, 1)
    world.pass_time(s=6)
    await undo(world, ["run_x.0.0"])
    assert (await results(world))[1]["code"] == "expired"


async def test_a_dead_step_undoes_the_chain_itself_first(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2, undoes="2"), mode="chain")
    await forward(world, 1)
    for pump in "abcdefgh":
        claimed = (await world.claim(pump)).runs
        if claimed and claimed[0].undoes:
            break
        world.pass_time(s=11)
        await world.runs.tick(["actions"])
    assert await world.status("run_x.0.1") == "dead"
    assert claimed[0].undoes == "run_x.0.1"


async def test_an_interrupted_chain_stops_between_steps_and_keeps_what_it_did(world, chain):
    await forward(world, 1)
    run = await world.one()
    assert await world.conversations.interrupt("turn_x") == "interrupted"
    await world.end(run, result='"did 1"')
    told = await results(world)
    assert told[:2] == ["did 0", "did 1"]
    assert told[2]["code"] == "interrupted"
    assert await world.conversations.interrupt("turn_x") == "terminal"
    assert await world.conversations.interrupt("turn_none") == "missing"


async def test_a_chain_can_be_interrupted_before_its_first_step(world, chain):
    assert await world.conversations.interrupt("turn_x") == "interrupted"
    assert [each["code"] for each in await results(world)] == ["interrupted"] * 3


async def test_a_turn_that_is_no_chain_cannot_be_interrupted(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    assert await world.conversations.interrupt("turn_x") == "no_chain"


def lead(world, turn: str, key: str = "accounts:a", **fields: Any) -> NewRun:
    return NewRun(
        f"run_{turn[5:]}.0.chain", "actions", b'{"v":1,"a":"umbel.chain"}', position="chain", chain="lead",
        guards=(LockGuard(key, **fields),), dependents=(f"run_{turn[5:]}.0.0",),
    )  # fmt: skip


async def test_a_chain_holds_its_own_locks_from_before_its_first_step_until_it_has_settled(world):
    for name in ("x", "y"):
        await world.open(f"conv_{name}")
        await world.post(
            *world.steps(f"turn_{name}", 2, held=True), turn=f"turn_{name}", conversation=f"conv_{name}",
            mode="chain", chain_lead=lead(world, f"turn_{name}"),
        )  # fmt: skip
    assert (await world.claim()).runs == []  # the leads climb, and nothing of them reaches a pump
    assert await world.statuses("run_x.0.chain", "run_y.0.chain") == ["running", "waiting"]
    await forward(world, 1)
    run = await world.one()
    assert run.id == "run_x.0.1"
    await world.end(run, "failed", '{"error":"no","code":"failed"}')
    undoing = await world.one()
    assert await world.status("run_y.0.chain") == "waiting"
    await world.end(undoing)
    assert await world.status("run_x.0.chain") == "succeeded"
    assert (await world.claim()).runs == []
    assert (await world.one()).id == "run_y.0.0"


async def test_a_chain_that_finds_its_lock_taken_and_will_not_wait_does_not_run(world):
    for name in ("x", "y"):
        await world.open(f"conv_{name}")
        await world.post(
            *world.steps(f"turn_{name}", 2, held=True), turn=f"turn_{name}", conversation=f"conv_{name}",
            mode="chain", chain_lead=lead(world, f"turn_{name}", policy="refuse"),
        )  # fmt: skip
    await world.claim()
    assert await world.statuses("run_y.0.chain", "run_y.0.0", "run_y.0.1") == ["refused"] * 3
    assert (await world.conversations.turn("turn_y"))["s"] == "done"


async def test_cancelling_a_chain_that_waits_for_its_locks_gives_up_its_place(world):
    for name in ("x", "y", "z"):
        await world.open(f"conv_{name}")
        await world.post(
            *world.steps(f"turn_{name}", 1, held=True), turn=f"turn_{name}", conversation=f"conv_{name}",
            mode="chain", chain_lead=lead(world, f"turn_{name}"),
        )  # fmt: skip
    await world.claim()
    assert await world.conversations.cancel_turn("turn_y") == "cancelled"
    await world.end(await world.one())
    await world.claim()
    assert (await world.one()).id == "run_z.0.0"


async def test_a_forgotten_conversation_waits_for_its_undo_and_leaves_nothing(world, chain):
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    with pytest.raises(TimeoutError):
        await world.conversations.forget("conv_a", timeout_s=0.05)
    await undo(world, [chain[0]])
    await world.claim()
    await world.runs.tick(["actions"])
    left = await world.keys()
    assert not [
        key for key in left if key.split(":")[0] in {"r", "t", "c", "m", "ch", "no", "dead", "stuck"}
    ], left


async def test_a_deduplicated_step_is_not_undone_by_the_one_that_joined_it(world):
    from orchestrator.store.incoming import Sameness

    same = Sameness("same", 60_000)
    await world.submit("run_first", same=same)
    await world.end(await world.one(), result='"first"')
    await world.open()
    await world.post(*world.steps("turn_x", 1, same=same), mode="chain")
    assert await results(world) == ["first"]
    await world.open("conv_b")
    steps = world.steps("turn_y", 2)
    joined = world.steps("turn_y", 2, same=same)[0]
    await world.post(joined, steps[1], turn="turn_y", conversation="conv_b", mode="chain")
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    assert (await world.claim()).runs == []
    messages = await world.told("conv_b")
    assert "it belongs to an earlier call" in messages[1][1]


async def test_all_keys_of_a_settled_chain_have_an_end(world, chain):
    await forward(world, 2)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    await undo(world, [chain[1], chain[0]])
    endless = {key for key, ttl in (await world.keys()).items() if ttl == -1}
    assert endless <= {"fence", "audit", "live", "queues", "hot:actions", "slp:actions"}


async def test_a_step_that_has_to_be_checked_stays_a_step(world):
    await world.open()
    await world.post(*world.steps("turn_x", 1, on_unknown="check"), mode="chain")
    check = (Effect(EffectKind.CHECK, "timeout"), *UNKNOWN)
    await world.end(await world.one(), "again", '{"error":"slow"}', effects=check)
    run = await world.one()
    assert run.check == "timeout"
    await world.end(run)
    assert await results(world) == ["done"]


async def test_an_undo_gets_the_arguments_as_their_hooks_left_them(world, chain):
    hooked = (Effect(EffectKind.HOOKED, "", '{"file":1}'),)
    await world.end(await world.one(), effects=hooked)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    assert (await world.one()).hooked == '{"file":1}'


async def test_an_undo_has_done_its_work_even_if_the_state_has_moved_on(world, chain):
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"error":"no","code":"failed"}')
    move = (Effect(EffectKind.TRANSITION, "7", "B"),)
    assert await world.end(await world.one(), effects=move) == "ok"
    assert (await world.runs.read(chain[0])).undo == "undone"


@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_a_turn_that_is_ended_while_its_chain_is_undone_ends_with_that(world, how):
    await world.open()
    await world.post(*world.steps("turn_x", 2), mode="chain", lead=LEAD, goes_on=True)
    await forward(world, 1)
    stops = (Effect(EffectKind.STOP),) if how == "stop" else ()
    await world.end(await world.one(), "failed", '{"code":"failed"}', effects=stops)
    if how == "cancel":
        assert await world.conversations.cancel_turn("turn_x") == "undoing"
    await undo(world, ["run_x.0.0"])
    assert (await world.conversations.turn("turn_x"))["s"] == ("failed" if how == "stop" else "cancelled")
    assert (await world.claim(lane="turns")).runs == []


async def test_a_turn_can_be_cancelled_after_an_undo_of_it_has_failed(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2), mode="chain", lead=LEAD, goes_on=True)
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    await undo(world, ["run_x.0.0"], verdict="failed")
    assert await world.conversations.cancel_turn("turn_x") == "cancelled"
    assert (await world.conversations.turn("turn_x"))["s"] == "cancelled"


async def test_an_undone_success_does_not_take_an_earlier_one_away(world):
    await world.open()
    await world.post(world.call("turn_w", 0, did="CHECK"), turn="turn_w")
    await world.end(await world.one())
    await world.post(*world.steps("turn_x", 2, did="CHECK"), mode="chain")
    await world.end(await world.one())
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    await world.end(await world.one())
    assert (await world.conversations.read("conv_a")).did == {"CHECK"}


async def test_all_steps_after_the_failed_one_are_told_that_they_did_not_run(world):
    await world.open()
    await world.post(*world.steps("turn_x", 4), mode="chain")
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    assert [each["code"] for each in await results(world)] == ["failed", "not_run", "not_run", "not_run"]


async def test_who_waits_for_the_lock_of_an_undo_is_not_forgotten_with_its_conversation(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2, guards=(LockGuard("orders:a"),)), mode="chain")
    await forward(world, 1)
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    await undo(world, ["run_x.0.0"], verdict="failed")
    await world.store.undos.retry("run_x.0.0")
    undoing = await world.one()
    await world.submit("run_b", guards=(LockGuard("orders:a"),))
    assert (await world.claim()).runs == []
    with pytest.raises(TimeoutError):
        await world.conversations.forget("conv_a", timeout_s=0.05)
    await world.end(undoing)
    assert (await world.one()).id == "run_b"
    world.pass_time(s=1)
    await world.runs.tick(["actions"])
    assert not [key for key in await world.keys() if "conv_a" in key or "run_x" in key]


async def test_a_chain_of_thousands_of_steps_has_an_end(world):
    await world.open()
    await world.post(*world.steps("turn_x", 9_000), mode="chain")
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    assert (await world.conversations.turn("turn_x"))["s"] == "done"
    assert len(await world.told()) == 9_001


async def test_editing_a_call_of_a_live_round_gives_it_no_end_of_its_own(world):
    await world.open()
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1))
    first, _ = await world.take()
    await world.end(first, "failed", '{"code":"failed"}')
    assert await world.store.dead.edit(first.id, "{}", {"what": "edit", "by": "ann"})
    assert (await world.keys())[f"r:{first.id}"] == -1


async def test_a_repeated_reply_stands_in_the_audit(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    await world.post(world.call("turn_x", 0))
    assert [line.fields for line in await world.store.audit.read()] == [
        {"turn": "turn_x", "what": "asked again"}
    ]


async def test_an_undo_waits_for_a_handler_that_goes_on_after_its_end(world):
    await world.open()
    await world.post(
        *[
            step
            for at in range(2)
            for step in [world.steps("turn_x", 2, undoes="2", guards=(LockGuard(f"~run:run_x.0.{at}"),))[at]]
        ],
        mode="chain",
    )
    run = await world.one()
    await world.end(run, "timed_out", '{"code":"timed_out"}', effects=(*UNKNOWN, Effect(EffectKind.GHOST)))
    assert (await world.claim()).runs == []
    assert await world.status("run_x.0.0.undo") == "waiting"
    await world.end(run, "late", '{"discarded":"done"}')
    assert (await world.one()).undoes == run.id


async def test_an_undo_that_waits_for_a_handler_that_never_ends_rests_after_ten_minutes(world):
    await world.open()
    (step,) = world.steps("turn_x", 1, undoes="2", guards=(LockGuard("~run:run_x.0.0"),))
    await world.post(step, mode="chain")
    await world.end(
        await world.one(), "timed_out", '{"code":"timed_out"}', effects=(*UNKNOWN, Effect(EffectKind.GHOST))
    )
    for _ in range(70):
        await world.claim()
        world.pass_time(s=9)
        await world.runs.tick(["actions"])
    assert [each.run for each in await world.store.undos.stuck()] == ["run_x.0.0"]
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_a_replay_is_forgotten_with_the_run_that_it_took_up(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    await world.submit("run_again", conversation="conv_a", note="Again:")
    await world.store.dead.mark_replayed("run_x.0.0", "run_again")
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    assert await world.conversations.forget("conv_a")
    assert not [key for key in await world.keys() if key.startswith(("r:", "dead"))]
