"""Directives: applied in the step that ends their run, all or none."""

from __future__ import annotations

import pytest

from actions.messages import Status
from orchestrator.store.incoming import Effect, EffectKind, Finish

SET = Effect(EffectKind.SET, "mood", '"good"')


def go(target: str, revision: int = 0) -> Effect:
    return Effect(EffectKind.TRANSITION, str(revision), target)


@pytest.fixture
async def talk(world):
    """A conversation with a state and two runs that have been claimed."""
    await world.open(machine="coach", state="A")
    await world.post(world.call("turn_x", 0), world.call("turn_x", 1))
    return await world.take()


async def test_a_transition_changes_state_and_revision(world, talk):
    assert await world.end(talk[0], effects=(go("B"),)) == "ok"
    record = await world.conversations.read("conv_a")
    assert (record.state, record.state_revision) == ("B", 1)
    assert {"state": "B"} in await world.changes()


async def test_a_transition_on_an_old_state_is_a_conflict_and_final(world, talk):
    await world.end(talk[0], effects=(go("B"),))
    assert await world.end(talk[1], effects=(go("C"),)) == "state_conflict"
    record = await world.conversations.read("conv_a")
    assert (record.state, record.state_revision) == ("B", 1)
    assert await world.status(talk[1].id) == Status.FAILED
    assert '"code":"state_conflict"' in (await world.told())[-1][1]


async def test_a_conflict_applies_none_of_its_directives(world, talk):
    await world.end(talk[0], effects=(go("B"),))
    effects = (SET, Effect(EffectKind.COMPLETE), go("C"))
    assert await world.end(talk[1], effects=effects) == "state_conflict"
    record = await world.conversations.read("conv_a")
    assert record.context == {}
    assert record.status == "idle"


async def test_of_two_transitions_in_one_batch_the_first_counts(world, talk):
    batch = [Finish(run.id, run.fence, "succeeded", "1", effects=(go(run.id[-1]),)) for run in talk]
    assert await world.runs.finish("p1", batch) == ["ok", "state_conflict"]
    assert (await world.conversations.read("conv_a")).state == "0"


async def test_the_next_claim_sees_the_new_state(world):
    await world.open(machine="coach", state="A")
    await world.post(
        world.call("turn_x", 0, dependents=("run_x.0.1",)),
        world.call("turn_x", 1, status=Status.BLOCKED, open=1),
    )
    (run,) = await world.take()
    await world.end(run, effects=(go("B"),))
    (run,) = await world.take()
    assert (run.state, run.state_revision) == ("B", 1)


async def test_a_value_is_set(world, talk):
    await world.end(talk[0], effects=(SET, Effect(EffectKind.SET, "n", "0")))
    assert (await world.conversations.read("conv_a")).context == {"mood": '"good"', "n": "0"}


async def test_values_are_appended_one_after_the_other(world, talk):
    batch = [
        Finish(
            talk[0].id, talk[0].fence, "succeeded", "1", effects=(Effect(EffectKind.APPEND, "list", "0"),)
        ),
        Finish(
            talk[1].id, talk[1].fence, "succeeded", "1", effects=(Effect(EffectKind.APPEND, "list", "[1]"),)
        ),
    ]
    await world.runs.finish("p1", batch)
    assert (await world.conversations.read("conv_a")).context == {"list": "[0,[1]]"}


async def test_a_value_is_appended_to_the_list_that_the_conversation_began_with(world):
    await world.open(context={"empty": [], "full": [1]})
    await world.post(world.call("turn_x", 0))
    (run,) = await world.take()
    await world.end(run, effects=tuple(Effect(EffectKind.APPEND, key, "2") for key in ("empty", "full")))
    assert (await world.conversations.read("conv_a")).context == {"empty": "[2]", "full": "[1,2]"}


async def test_completing_ends_the_turn_and_the_conversation(world):
    await world.open()
    await world.say("turn_x")
    (leader,) = await world.take(lane="turns")
    await world.answer(leader, world.call("turn_x", 0), goes_on=True)
    (run,) = await world.take()
    await world.end(run, effects=(Effect(EffectKind.COMPLETE),))
    assert await world.take(lane="turns") == []
    assert (await world.conversations.turn("turn_x"))["s"] == "done"
    record = await world.conversations.read("conv_a")
    assert (record.status, record.live_turn) == ("completed", None)


async def test_continuing_asks_the_model_again_though_the_format_would_not(world):
    await world.open()
    await world.say("turn_x")
    (leader,) = await world.take(lane="turns")
    await world.answer(leader, world.call("turn_x", 0))
    (run,) = await world.take()
    await world.end(run, effects=(Effect(EffectKind.CONTINUE),))
    (leader,) = await world.take(lane="turns")
    assert leader.id == "run_x.1.next"
    await world.answer(leader)  # and this round does not go on by itself
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


async def test_continuing_a_turn_that_nobody_leads_ends_it(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    (run,) = await world.take()
    assert await world.end(run, effects=(Effect(EffectKind.CONTINUE),)) == "ok"
    assert (await world.conversations.turn("turn_x"))["s"] == "done"


@pytest.mark.parametrize("verdict", ["timed_out", "again", "postponed", "refused"])
async def test_neither_a_timeout_nor_an_attempt_that_comes_again_has_effects(world, talk, verdict):
    assert await world.end(talk[0], verdict, effects=(SET, go("B"))) == "ok"
    record = await world.conversations.read("conv_a")
    assert (record.state, record.context) == ("A", {})


async def test_a_cancelled_run_has_no_effects(world, talk):
    await world.runs.cancel(talk[0].id)
    await world.end(talk[0], effects=(SET, go("B")))
    record = await world.conversations.read("conv_a")
    assert (record.state, record.context) == ("A", {})


async def test_a_late_finisher_has_no_effects(world, talk):
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    assert await world.end(talk[0], effects=(SET, go("B"))) == "stale"
    assert (await world.conversations.read("conv_a")).context == {}


async def test_a_run_without_a_conversation_has_nothing_to_change(world):
    await world.submit("run_a")
    (run,) = await world.take()
    assert await world.end(run, effects=(SET, go("B"))) == "ok"
    assert not [key for key in await world.keys() if key.startswith("c:")]
