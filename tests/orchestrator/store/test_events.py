"""The stream of a conversation: what happened, in order, one entry a step, capped."""

from __future__ import annotations

from orchestrator.store.incoming import Effect, EffectKind, Finish


async def test_a_whole_turn_can_be_read_from_its_events(world):
    await world.open(machine="coach", state="A")
    await world.say("turn_x")
    (leader,) = await world.take(lane="turns", worker="one@host")
    await world.answer(leader, world.call("turn_x", 0), world.call("turn_x", 1, refused="0"))
    (run,) = await world.take(worker="two@host")
    await world.end(run, "again", "1", delay_ms=1, why="backoff")
    world.pass_time(ms=2)
    (run,) = await world.take(worker="two@host")
    await world.end(run, effects=(Effect(EffectKind.TRANSITION, "0", 'B "quoted"'),))
    lead, act, no = "run_x.0.next", "run_x.0.0", "run_x.0.1"
    assert await world.changes() == [
        {"turn": "turn_x", "status": "live"},
        {"run": lead, "status": "ready", "attempt": 0},
        {"run": lead, "status": "running", "attempt": 1, "worker": "one@host"},
        {"turn": "turn_x", "status": "live", "round": 0},
        {"run": act, "status": "ready", "attempt": 0},
        {"run": no, "status": "refused", "attempt": 0},
        {"run": lead, "status": "succeeded", "attempt": 1},
        {"run": act, "status": "running", "attempt": 1, "worker": "two@host"},
        {"run": act, "status": "waiting", "attempt": 1, "why": "backoff"},
        {"run": act, "status": "ready", "attempt": 1},
        {"run": act, "status": "running", "attempt": 2, "worker": "two@host"},
        {"state": 'B "quoted"'},
        {"run": act, "status": "succeeded", "attempt": 2},
        {"turn": "turn_x", "status": "done"},
    ]


async def test_a_step_is_one_entry_for_each_conversation(world):
    for conversation, turn in (("conv_a", "turn_x"), ("conv_b", "turn_y")):
        await world.open(conversation)
        await world.post(*(world.call(turn, at) for at in range(3)), turn=turn, conversation=conversation)
    runs = await world.take()
    await world.runs.finish("p1", [Finish(run.id, run.fence, "succeeded", "1") for run in runs])
    for conversation in ("conv_a", "conv_b"):
        events = await world.store.events.read(conversation)
        assert len({event.id for event in events}) == 3  # the round, the claim, the finish
        assert [event.change["status"] for event in events[-4:]] == ["succeeded"] * 3 + ["done"]


async def test_events_are_read_on_from_any_place(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    first = await world.store.events.read("conv_a")
    assert await world.store.events.read("conv_a", first[-1].id) == []
    (run,) = await world.take()
    later = await world.store.events.read("conv_a", first[-1].id)
    assert [event.change["status"] for event in later] == ["running"]
    await world.end(run)
    assert len(await world.store.events.read("conv_a", "0")) == len(first) + 1 + 2
    assert await world.store.events.read("conv_b") == []


async def test_an_event_tells_when_by_the_scripts_clock(world):
    await world.open()
    world.pass_time(ms=1_234)
    await world.post()
    (first, *_) = await world.store.events.read("conv_a")
    assert first.at_ms == world.now // 1_000


async def test_what_ends_a_blocked_runs_wait_is_told(world):
    await world.open()
    await world.post(
        world.call("turn_x", 0, dependents=("run_x.0.1",)),
        world.call("turn_x", 1, status="blocked", open=1),
    )
    (run,) = await world.take()
    await world.end(run)
    mine = [change["status"] for change in await world.changes() if change.get("run") == "run_x.0.1"]
    assert mine == ["blocked", "ready"]


async def test_deaths_and_hand_backs_are_told_with_their_reason(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    await world.take()
    world.pass_time(s=11)
    await world.runs.tick(["actions"])
    await world.take("p2")
    await world.runs.leave("p2", ["actions"])
    told = [(change["status"], change.get("why")) for change in await world.changes() if "run" in change]
    assert told == [
        ("ready", None), ("running", None), ("ready", "worker_died"), ("running", None), ("ready", "handed_back"),
    ]  # fmt: skip


async def test_runs_without_a_conversation_are_told_nowhere(world):
    await world.submit("run_a")
    (run,) = await world.take()
    await world.end(run)
    assert not [key for key in await world.keys() if key.startswith("ev:")]


async def test_the_stream_is_capped(world):
    await world.open()
    await world.post(world.call("turn_x", 0))
    for _ in range(700):
        (run,) = await world.take()
        await world.end(run, "postponed", "1", why="postponed")
        world.pass_time(ms=1)
    length = await world.redis.xlen(f"{world.prefix}ev:conv_a")
    assert 1_000 <= length <= 1_100
    events = await world.store.events.read("conv_a", count=5_000)
    assert events[-1].change["status"] == "waiting"
