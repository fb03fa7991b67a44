"""Approvals: a run waits for a person, for exactly these arguments, and its clocks stand still meanwhile."""

from __future__ import annotations

import json

import pytest

from orchestrator.store.incoming import Ask, Effect, EffectKind, Finish

ASK = Ask("digest-1", 60_000, '{"amount":5}')


async def test_a_run_waits_for_a_person_and_is_listed_with_what_is_asked_for(world):
    await world.submit("run_a", approval=ASK)
    assert (await world.claim()).runs == []
    view = await world.runs.read("run_a")
    assert (view.status, view.why, view.approval) == ("blocked", "approval", "wanted")
    (pending,) = await world.store.approvals.list()
    assert (pending.run, pending.digest, pending.shown) == ("run_a", "digest-1", '{"amount":5}')
    assert pending.expires_us - pending.asked_us == 60_000_000
    assert await world.store.approvals.read("run_a") == pending


async def test_approved_it_runs_and_the_pump_hears_for_what(world):
    await world.submit("run_a", approval=ASK)
    assert await world.store.approvals.decide("run_a", "approve", "digest-1", "alice") == "approved"
    run = await world.one()
    assert run.approved == "digest-1"
    assert await world.store.approvals.list() == []
    assert await world.store.approvals.decide("run_a", "approve", None, "bob") == "decided"
    assert await world.field("run_a", "apw") == "alice"


async def test_denied_it_ends_with_the_reason(world):
    await world.submit("run_a", approval=ASK)
    assert await world.store.approvals.decide("run_a", "deny", None, "alice", 'too "much"') == "denied"
    view = await world.runs.read("run_a")
    assert view.status == "denied"
    assert json.loads(view.result) == {"code": "denied", "error": 'denied by a person: too "much"'}
    assert await world.store.approvals.decide("run_a", "approve", None, "bob") == "decided"
    assert await world.store.approvals.decide("run_none", "approve", None, "bob") == "missing"


async def test_an_approval_of_something_else_is_none(world):
    await world.submit("run_a", approval=ASK)
    assert await world.store.approvals.decide("run_a", "approve", "digest-0", "alice") == "changed"
    assert await world.status("run_a") == "blocked"


async def test_nobody_answers_and_it_expires(world):
    await world.submit("run_a", approval=ASK)
    world.pass_time(s=61)
    await world.claim()
    view = await world.runs.read("run_a")
    assert (view.status, json.loads(view.result)["code"]) == ("expired", "approval_expired")
    assert await world.store.approvals.list() == []


async def test_clocks_stand_still_meanwhile(world):
    await world.submit("run_a", approval=Ask("d", 600_000, "{}"), total_ms=10_000, queue_ms=5_000)
    world.pass_time(s=300)
    await world.runs.tick(["actions"])
    assert await world.status("run_a") == "blocked"
    await world.store.approvals.decide("run_a", "approve", None, "alice")
    world.pass_time(s=4)
    await world.claim("p2", 0)
    assert await world.status("run_a") == "ready"
    world.pass_time(s=2)
    await world.runs.tick(["actions"])
    assert await world.status("run_a") == "expired"


async def test_a_newer_one_under_the_same_key_takes_its_place(world):
    await world.submit("run_a", approval=Ask("d1", 60_000, "{}", key="refund:1"))
    await world.submit("run_b", approval=Ask("d2", 60_000, "{}", key="refund:1"))
    await world.submit("run_c", approval=Ask("d3", 60_000, "{}", key="refund:2"))
    assert await world.statuses("run_a", "run_b", "run_c") == ["cancelled", "blocked", "blocked"]
    assert json.loads((await world.runs.read("run_a")).result)["code"] == "superseded"
    assert [each.run for each in await world.store.approvals.list()] == ["run_b", "run_c"]


async def test_it_waits_for_its_dependency_and_for_the_person(world):
    await world.open()
    first = world.call("turn_x", 0, dependents=("run_x.0.1",))
    await world.post(first, world.call("turn_x", 1, approval=ASK, status="blocked", open=1))
    await world.store.approvals.decide("run_x.0.1", "approve", None, "alice")
    assert await world.status("run_x.0.1") == "blocked"
    await world.end(await world.one())
    assert (await world.one()).id == "run_x.0.1"


async def test_a_pump_that_finds_that_it_needs_one_gives_it_back_to_be_asked(world):
    await world.submit("run_a")
    run = await world.one()
    asked = Finish(
        run.id, run.fence, "ask", '{"amount":7}', 60_000, "digest-7", (Effect(EffectKind.APPROVAL_KEY, "k"),)
    )
    assert await world.runs.finish("p1", [asked]) == ["ok"]
    (pending,) = await world.store.approvals.list()
    assert (pending.digest, pending.shown) == ("digest-7", '{"amount":7}')
    await world.store.approvals.decide("run_a", "approve", None, "alice")
    run = await world.one()
    assert (run.approved, run.attempt) == ("digest-7", 1)


async def test_an_approval_for_other_arguments_is_void(world):
    await world.submit("run_a", approval=ASK)
    await world.store.approvals.decide("run_a", "approve", None, "alice")
    run = await world.one()
    await world.runs.finish("p1", [Finish(run.id, run.fence, "ask", "{}", 60_000, "digest-2")])
    assert (await world.store.approvals.list())[0].digest == "digest-2"
    assert await world.store.approvals.decide("run_a", "approve", "digest-1", "alice") == "changed"


@pytest.mark.parametrize("how", ["run", "turn", "forget"])
async def test_cancelled_it_is_asked_for_no_more(world, how):
    await world.open()
    await world.post(world.call("turn_x", 0, approval=ASK))
    if how == "run":
        assert await world.runs.cancel("run_x.0.0") == "cancelled"
    elif how == "turn":
        assert await world.conversations.cancel_turn("turn_x") == "cancelled"
    else:
        assert await world.conversations.forget("conv_a")
    assert await world.store.approvals.list() == []
    assert not await world.redis.exists(f"{world.prefix}asks", f"{world.prefix}due")


async def test_a_denied_step_undoes_its_chain(world):
    await world.open()
    first, second = world.steps("turn_x", 2)
    (asked,) = world.steps("turn_x", 2, approval=ASK)[1:]
    await world.post(first, asked, mode="chain")
    await world.end(await world.one())
    assert await world.store.approvals.decide(second.id, "deny", None, "alice", "no") == "denied"
    assert (await world.one()).undoes == first.id


# Several questions under one key


def keyed(name: str) -> Ask:
    return Ask(f"d-{name}", 60_000, "{}", key="wire:a")


async def test_in_one_chain_a_newer_question_ends_the_chain_and_not_the_turn_for_ever(world):
    await world.open()
    steps = [step for at in range(3) for step in [world.steps("turn_x", 3, approval=keyed(str(at)))[at]]]
    assert await world.post(*steps, mode="chain") == "ok"
    assert await world.statuses("run_x.0.0", "run_x.0.1", "run_x.0.2") == ["cancelled", "refused", "refused"]
    assert (await world.conversations.turn("turn_x"))["s"] == "done"
    assert await world.store.approvals.list() == []


async def test_what_depends_on_a_question_that_was_superseded_in_the_same_reply_hears_of_it(world):
    await world.open()
    await world.post(
        world.call("turn_x", 0, approval=keyed("a"), dependents=("!run_x.0.2",)),
        world.call("turn_x", 1, approval=keyed("b")),
        world.call("turn_x", 2, status="blocked", open=1),
    )
    assert await world.statuses("run_x.0.0", "run_x.0.1", "run_x.0.2") == ["cancelled", "blocked", "refused"]


async def test_a_run_that_asks_late_does_not_take_the_place_of_a_newer_one(world):
    await world.submit("run_old")
    old = await world.one()
    world.pass_time(s=1)
    await world.submit("run_new", approval=keyed("new"))
    asked = Finish(
        old.id, old.fence, "ask", "{}", 60_000, "d-old", (Effect(EffectKind.APPROVAL_KEY, "wire:a"),)
    )
    await world.runs.finish("p1", [asked])
    assert await world.statuses("run_old", "run_new") == ["cancelled", "blocked"]


# Clocks, limits, the audit


async def test_what_was_asked_for_too_long_ago_cannot_be_approved_though_nobody_looked(world):
    await world.submit("run_a", approval=ASK)
    world.pass_time(s=61)
    assert await world.store.approvals.decide("run_a", "approve", None, "alice") == "decided"
    assert await world.status("run_a") == "expired"


async def test_the_clocks_of_those_that_wait_behind_it_stand_still_too(world):
    await world.open()
    first = world.steps("turn_x", 2, approval=Ask("d", 3_600_000, "{}"))[0]
    second = world.steps("turn_x", 2, total_ms=60_000, queue_ms=60_000)[1]
    await world.post(first, second, mode="chain")
    for _ in range(4):
        world.pass_time(s=600)
        await world.runs.tick(["actions"])
    await world.store.approvals.decide(first.id, "approve", None, "alice")
    world.pass_time(s=20)
    await world.runs.tick(["actions"])
    await world.end(await world.one())
    assert (await world.one()).id == second.id


@pytest.mark.parametrize("burst", [0, 1])
async def test_a_question_asked_at_the_claim_uses_up_no_limit(world, burst):
    from orchestrator.store.incoming import LimitGuard

    limit = LimitGuard("daily:a", "daily", 1, 86_400_000_000, burst=burst)
    await world.submit("run_a", guards=(limit,))
    run = await world.one()
    await world.runs.finish("p1", [Finish(run.id, run.fence, "ask", "{}", 60_000, "d")])
    await world.store.approvals.decide("run_a", "approve", None, "alice")
    assert (await world.one()).approved == "d"
    await world.submit("run_b", guards=(limit,))
    assert (await world.claim()).runs == []


async def test_a_run_that_only_asked_has_not_begun_and_is_not_rescued(world):
    await world.submit("run_a", rescues=True)
    run = await world.one()
    await world.runs.finish("p1", [Finish(run.id, run.fence, "ask", "{}", 60_000, "d")])
    assert (await world.runs.read("run_a")).began_us is None
    world.pass_time(s=61)
    await world.runs.tick(["actions"])
    assert await world.status("run_a") == "expired"


async def test_interrupt_stops_a_step_that_waits_for_a_person_since_its_claim(world):
    await world.open()
    await world.post(*world.steps("turn_x", 2), mode="chain")
    run = await world.one()
    await world.runs.finish("p1", [Finish(run.id, run.fence, "ask", "{}", 60_000, "d")])
    await world.conversations.interrupt("turn_x")
    assert await world.statuses("run_x.0.0", "run_x.0.1") == ["cancelled", "cancelled"]
    assert await world.store.approvals.list() == []


async def test_a_decision_and_its_line_in_the_audit_are_one_step(world):
    await world.submit("run_a", approval=ASK)
    await world.store.approvals.decide(
        "run_a", "approve", "wrong", "eve", line={"what": "approve", "by": "eve"}
    )
    await world.store.approvals.decide("run_a", "approve", None, "ann", line={"what": "approve", "by": "ann"})
    lines = [line.fields for line in await world.store.audit.read()]
    assert lines == [
        {"run": "run_a", "what": "approval wanted", "digest": "digest-1"},
        {"what": "approve", "by": "ann"},
    ]


async def test_a_delay_holds_after_the_approval_too(world):
    await world.submit("run_a", approval=ASK, delay_ms=30_000)
    await world.store.approvals.decide("run_a", "approve", None, "ann")
    assert (await world.claim()).runs == []
    world.pass_time(s=31)
    assert (await world.one()).id == "run_a"


@pytest.mark.parametrize("end", ["deny", "cancel"])
async def test_what_has_ended_wants_no_approval(world, end):
    await world.submit("run_a", approval=ASK)
    if end == "deny":
        await world.store.approvals.decide("run_a", "deny", None, "alice")
    else:
        await world.store.runs.cancel("run_a")
    view = await world.store.runs.read("run_a")
    assert (view.approval, view.approval_until_us) == (None, None)


async def test_what_was_approved_says_so_to_the_end(world):
    await world.submit("run_a", approval=ASK)
    await world.store.approvals.decide("run_a", "approve", "digest-1", "alice")
    await world.store.runs.cancel("run_a")
    assert (await world.store.runs.read("run_a")).approval == "given"
