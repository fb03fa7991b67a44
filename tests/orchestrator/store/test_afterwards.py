"""What follows a turn or a run's end: notes, evaluators, what a conversation remembers, the dead, the audit."""

from __future__ import annotations

import json

import pytest

from orchestrator.store.incoming import Effect, EffectKind, NewRun
from orchestrator.store.store import Store


def evaluator(when: str, turn: str = "x", number: int = 0) -> tuple[str, NewRun]:
    return when, NewRun(f"run_{turn}.ev.{number}", "actions", b"{}", conversation="conv_a")


# Evaluators


@pytest.mark.parametrize(("answered", "expected"), [(True, 2), (False, 1)])
async def test_evaluators_run_after_the_turn_when_it_was_answered_or_always(world, answered, expected):
    await world.open()
    later = (evaluator("always"), evaluator("answered", number=1))
    await world.post(world.call("turn_x", 0), answered=answered, evaluators=later)
    run = await world.one()
    assert (await world.claim()).runs == []
    await world.end(run)
    runs = await world.take()
    assert [run.id for run in runs] == [f"run_x.ev.{at}" for at in range(expected)]
    assert {(run.conversation, run.turn) for run in runs} == {("conv_a", "")}
    await world.end(runs[0], effects=(Effect(EffectKind.SET, "mood", '"good"'),))
    assert (await world.conversations.read("conv_a")).context == {"mood": '"good"'}
    assert len(await world.told()) == 2  # they say nothing to the conversation


async def test_evaluators_of_a_led_turn_run_when_it_has_ended(world):
    await world.open()
    from orchestrator.store.incoming import Lead

    lead = Lead("turns", b"{}", max_rounds=3)
    await world.conversations.say(
        "conv_a", "turn_x", "d", '{"role":"user","content":"hi"}', lead, evaluators=[evaluator("answered")]
    )
    leader = await world.one(lane="turns")
    await world.conversations.round(
        "conv_a", "turn_x", "d0", 0, ['{"role":"assistant","content":"hello"}'], [],
        by=(leader.id, leader.fence), lead=lead, answered=True,
    )  # fmt: skip
    assert (await world.one()).id == "run_x.ev.0"


async def test_no_evaluator_runs_after_a_cancelled_turn(world):
    await world.open()
    await world.post(world.call("turn_x", 0), evaluators=(evaluator("always"),))
    await world.conversations.cancel_turn("turn_x")
    assert (await world.claim()).runs == []


async def test_an_evaluator_of_a_forgotten_conversation_leaves_nothing_behind(world):
    await world.open()
    await world.post(world.call("turn_x", 0), evaluators=(evaluator("always"),))
    await world.end(await world.one())
    run = await world.one()
    with pytest.raises(TimeoutError):  # its handler has to stop first
        await world.conversations.forget("conv_a", timeout_s=0.05)
    assert await world.status(run.id) == "cancelling"
    await world.end(run, effects=(Effect(EffectKind.SET, "mood", '"good"'),))
    world.pass_time(s=1)
    await world.runs.tick(["actions"])
    assert not [key for key in await world.keys() if "conv_a" in key or key.startswith("r:")]


# Notes


async def test_a_note_waits_until_the_live_turn_has_ended(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    await world.submit("run_again", conversation="conv_a", note="Run run_old, tried again:")
    first, second = await world.take()
    replay, call = (first, second) if first.id == "run_again" else (second, first)
    await world.end(replay, result='"bought"')
    assert len(await world.told()) == 1
    await world.end(call)
    messages = await world.conversations.messages("conv_a")
    assert [message["role"] for message in messages] == ["assistant", "tool", "user"]
    assert messages[2]["content"] == 'Run run_old, tried again: succeeded: "bought"'
    assert messages[2]["name"] == "umbel"


async def test_a_note_to_a_quiet_conversation_stands_there_at_once_and_ends_with_it(world):
    await world.open()
    await world.submit("run_again", conversation="conv_a", note="Again:")
    await world.end(await world.one(), "failed", '{"code":"failed"}')
    assert await world.told() == [("user", 'Again: failed: {"code":"failed"}')]
    assert (await world.keys())["m:conv_a"] > 0


# What a conversation remembers


async def test_successes_that_others_depend_on_are_remembered(world):
    await world.open()
    await world.post(world.call("turn_x", 0, did="CHECK"), world.call("turn_x", 1, did="VALIDATE"))
    first, second = await world.take()
    await world.end(first)
    await world.end(second, "failed", "{}")
    assert (await world.conversations.read("conv_a")).did == {"CHECK"}


async def test_a_success_that_was_undone_is_not_remembered(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2, did="CHECK"), mode="chain")
    await world.end(await world.one())
    assert (await world.conversations.read("conv_a")).did == {"CHECK"}
    await world.end(await world.one(), "failed", "{}")
    await world.end(await world.one())
    assert (await world.conversations.read("conv_a")).did == frozenset()


async def test_a_call_that_needs_the_success_of_another_is_refused_if_that_fails(world):
    await world.open()
    await world.post(
        world.call("turn_x", 0, dependents=("!run_x.0.1", "run_x.0.2")),
        world.call("turn_x", 1, status="blocked", open=1),
        world.call("turn_x", 2, status="blocked", open=1),
    )
    await world.end(await world.one(), "failed", "{}")
    assert await world.statuses("run_x.0.1", "run_x.0.2") == ["refused", "ready"]
    assert json.loads((await world.runs.read("run_x.0.1")).result)["code"] == "dependency_failed"


async def test_actions_remember_and_people_come_and_go(world):
    await world.open(participants={"agent": "muted", "bob": ""}, agent="agent", mode="sequence")
    record = await world.conversations.read("conv_a")
    assert (record.agent, record.mode, record.participants) == (
        "agent",
        "sequence",
        {"agent": "muted", "bob": ""},
    )
    await world.post(world.call("turn_x", 0))
    effects = (
        Effect(EffectKind.REMEMBER, "ACT", '{"seen":1}'),
        Effect(EffectKind.PARTICIPANT, "agent", "followed"),
        Effect(EffectKind.PARTICIPANT, "bob", "-"),
    )
    await world.end(await world.one(), effects=effects)
    record = await world.conversations.read("conv_a")
    assert (record.memory, record.participants) == ({"ACT": '{"seen":1}'}, {"agent": "followed"})
    await world.conversations.set_participant("conv_a", "eve", "")
    await world.conversations.set_participant("conv_a", "agent", None)
    assert (await world.conversations.read("conv_a")).participants == {"eve": ""}


async def test_a_critical_failure_ends_the_turn(world):
    await world.open()
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1), goes_on=True)
    first = (await world.take(room=1))[0]
    await world.end(first, "failed", '{"code":"failed"}', effects=(Effect(EffectKind.STOP),))
    assert await world.status("run_x.0.1") == "cancelled"
    assert (await world.conversations.turn("turn_x"))["s"] == "failed"


# The dead


async def test_bad_ends_are_listed_oldest_first_and_can_be_edited_discarded_and_replayed(world):
    await world.submit("run_a", "run_b", "run_c")
    for run, verdict in zip(await world.take(), ("failed", "timed_out", "succeeded"), strict=True):
        world.pass_time(s=1)
        await world.end(run, verdict, '{"code":"x"}')
    dead = world.store.dead
    assert [each.run for each in await dead.list()] == []
    found = await dead.list(("failed", "timed_out"))
    assert [(each.run, each.status) for each in found] == [("run_a", "failed"), ("run_b", "timed_out")]
    assert [each.run for each in await dead.list(("failed", "timed_out"), after_us=found[1].at_us)] == [
        "run_b"
    ]
    assert await dead.edit("run_a", '{"n":2}')
    assert not await dead.edit("run_c", "{}")
    assert (await dead.read(["run_a", "run_c"]))[1] is None
    assert (await dead.read(["run_a"]))[0].edited == '{"n":2}'
    assert await dead.discard("run_b")
    assert not await dead.discard("run_b")
    await world.submit("run_new")
    await dead.mark_replayed("run_a", "run_new")
    views = await world.runs.read_all(["run_a", "run_new"])
    assert [(view.replayed, view.replay_of) for view in views] == [("run_new", None), (None, "run_a")]
    assert await dead.list(("failed", "timed_out")) == []


# The audit


async def test_the_audit_says_who_asked_and_how_it_ended(world):
    line = '{"run":"run_a","what":"asked","by":"alice"}'
    await world.submit("run_a", audit=line)
    await world.submit("run_a", audit=line)
    await world.end(await world.one(), "failed", '{"error":"secret","code":"failed"}')
    await world.store.audit.note({"what": "looked", "by": "bob"})
    lines = await world.store.audit.read()
    assert [each.fields for each in lines] == [
        {"run": "run_a", "what": "asked", "by": "alice"},
        {"run": "run_a", "what": "asked again"},
        {"run": "run_a", "what": "ended", "status": "failed", "code": "failed"},
        {"what": "looked", "by": "bob"},
    ]
    assert [each.fields for each in await world.store.audit.read(lines[1].id)] == [
        each.fields for each in lines[2:]
    ]


async def test_no_audit_is_written_when_it_is_off(settings):
    store = Store(settings.model_copy(update={"audit_cap": 0}))
    await store.audit.note({"what": "looked"})
    assert await store.audit.read() == []
    await store.close()


# Runs that belong to no round of their conversation


@pytest.mark.parametrize("gone", [True, False])
async def test_a_run_that_belongs_to_no_round_brings_no_key_back_for_ever(world, gone):
    await world.open()
    await world.submit("run_again", conversation="conv_a", note="Again:", did="CHECK")
    run = await world.one()
    if gone:
        await world.conversations.forget("conv_a")
    else:
        await world.redis.delete(f"{world.prefix}ev:conv_a")
    await world.end(run, effects=(Effect(EffectKind.REMEMBER, "ACT", "1"),))
    left = await world.keys()
    of_it = {key: ttl for key, ttl in left.items() if "conv_a" in key}
    assert of_it == {} if gone else all(ttl > 0 for ttl in of_it.values())


async def test_nobody_can_be_put_into_a_conversation_that_is_not_there(world):
    from actions.errors import UnknownConversation

    with pytest.raises(UnknownConversation):
        await world.conversations.set_participant("conv_none", "bob", "")
    assert await world.keys() == {}


async def test_of_many_successes_one_that_is_undone_takes_only_itself_away(world):
    await world.open()
    for turn in range(40):
        await world.post(world.call(f"turn_{turn}", 0, did="CHECK"), turn=f"turn_{turn}")
        await world.end(await world.one())
    await world.post(*world.steps("turn_x", 2, did="CHECK"), mode="chain")
    await world.end(await world.one())
    await world.end(await world.one(), "failed", "{}")
    await world.end(await world.one())
    assert (await world.conversations.read("conv_a")).did == {"CHECK"}
