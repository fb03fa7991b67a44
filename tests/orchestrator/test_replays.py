"""Replays get no other arguments than their run had, and are judged like a call of this moment."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.chains import Chain
from actions.definition import action
from actions.errors import BadReference, ChainOnly, ForbiddenAction, MissingDependency
from actions.messages import Payload
from actions.registry import Registry
from actions.states import Edge, StateMachine
from orchestrator.settings import Settings
from orchestrator.store.incoming import Effect, EffectKind, Finish, NewRun
from orchestrator.store.records import Claimed
from umbel import Umbel


@action("FIND")
async def find() -> Any:
    """Find."""


@find.undo
async def unfind(params: Any, receipt: Any, ctx: Any) -> None:
    """Take it back."""


@action("TAKE", uses={"amount": "FIND.found"})
async def take(amount: int) -> None:
    """Take."""


@action("EAT", depends_on="FIND")
async def eat() -> None:
    """Eat what was found."""


@action("STEP", chain=Chain())
async def step(size: int = 0) -> None:
    """Be a step."""


MACHINE = StateMachine(
    "day",
    initial="EARLY",
    states={"EARLY": ("TAKE", "FIND"), "LATE": ()},
    transitions=(Edge("EARLY", "LATE"),),
)
CUT = {"truncated": True, "bytes": 9_000_000, "shown": "abc"}


@pytest.fixture
async def umbel(settings: Settings) -> AsyncIterator[Umbel]:
    async with Umbel(settings, Registry([find, take, eat, step], [MACHINE])) as umbel:
        yield umbel


def reply(*names: str, **arguments: Any) -> dict[str, Any]:
    calls = [{"name": name, "arguments": json.dumps(arguments if name == "STEP" else {})} for name in names]
    return {
        "role": "assistant",
        "tool_calls": [
            {"id": f"c{at}", "type": "function", "function": each} for at, each in enumerate(calls)
        ],
    }


async def claim(umbel: Umbel) -> list[Claimed]:
    return (await umbel._store.runs.claim("pump", [("actions", 50)])).runs


async def end(umbel: Umbel, status: str, result: Any, effects: tuple[Effect, ...] = ()) -> str:
    """End the one run that a pump is given now."""
    (run,) = await claim(umbel)
    finish = Finish(run.id, run.fence, status, json.dumps(result), effects=effects)
    await umbel._store.runs.finish("pump", [finish])
    return run.id


async def payload_of(umbel: Umbel, run: str) -> Payload:
    view = await umbel._store.runs.read(run)
    assert view is not None
    return Payload.decode(view.payload)


async def test_it_takes_what_the_handler_returned_not_what_stands_around_it(umbel: Umbel):
    await umbel.post_reply(await umbel.open_conversation(), reply("FIND", "TAKE"))
    child = NewRun("run_none.f0", "actions", Payload("FIND").encode(), position="f")
    (run,) = await claim(umbel)
    row = json.dumps([each.decode() if isinstance(each, bytes) else each for each in child.row()])
    effect = Effect(EffectKind.FOLLOW, f"{run.id}.f0", row.replace("run_none.f0", f"{run.id}.f0"))
    done = Finish(run.id, run.fence, "succeeded", '{"found": 5}', effects=(effect,))
    await umbel._store.runs.finish("pump", [done])
    await end(umbel, "succeeded", None)
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})
    new = await payload_of(umbel, await umbel.replay(dead, by="bob"))
    assert new.arguments == {"amount": 5}


async def test_a_result_that_was_cut_gives_nothing(umbel: Umbel):
    await umbel.post_reply(await umbel.open_conversation(), reply("FIND", "TAKE"))
    await end(umbel, "succeeded", CUT)
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})
    with pytest.raises(BadReference, match="too long"):
        await umbel.replay(dead, by="bob")
    await umbel.edit(dead, {"amount": 6}, by="bob")
    assert (await payload_of(umbel, await umbel.replay(dead, by="bob"))).arguments == {"amount": 6}


@pytest.mark.parametrize("merge", [False, True])
async def test_what_was_undone_gives_nothing(umbel: Umbel, merge: bool):  # noqa: FBT001
    steps = ["FIND", "TAKE"]
    started = await umbel.start_chain(steps, {"amount": 1} if merge else None, merge=merge)
    await end(umbel, "succeeded", {"found": 5, "amount": 5})
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})
    assert await end(umbel, "succeeded", None) == f"{started.runs[0]}.undo"
    with pytest.raises(BadReference, match="undone"):
        await umbel.replay(dead, by="bob")
    with pytest.raises(BadReference, match="edit"):
        await umbel.edit(dead, {}, by="bob", merge=True)


async def test_a_replay_needs_what_its_action_depends_on(umbel: Umbel):
    conversation = await umbel.open_conversation()
    await umbel.post_reply(conversation, reply("FIND", "EAT"), mode="chain")
    await end(umbel, "succeeded", None)
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})
    await end(umbel, "succeeded", None)  # FIND is undone
    with pytest.raises(MissingDependency, match="FIND"):
        await umbel.replay(dead, by="bob")
    assert await claim(umbel) == []
    await umbel.post_reply(conversation, reply("FIND"))
    await end(umbel, "succeeded", None)
    assert await umbel.replay(dead, by="bob")


async def test_a_replay_whose_conversation_is_gone_depends_on_nothing_that_happened(umbel: Umbel):
    conversation = await umbel.open_conversation()
    await umbel.post_reply(conversation, reply("FIND", "EAT"))
    await end(umbel, "succeeded", None)
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})
    await umbel._store.connection.redis.delete(f"{umbel._store.connection.prefix}c:{conversation}")
    with pytest.raises(MissingDependency, match="FIND"):
        await umbel.replay(dead, by="bob")


async def test_a_replay_is_judged_by_the_state_of_now(umbel: Umbel):
    conversation = await umbel.open_conversation(machine="day")
    await umbel.post_reply(conversation, reply("FIND"))
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})
    key = f"{umbel._store.connection.prefix}c:{conversation}"
    record = await umbel._store.connection.redis.hgetall(key)
    (field,) = [name for name, value in record.items() if value in {"EARLY", b"EARLY"}]
    await umbel._store.connection.redis.hset(key, field, "LATE")
    with pytest.raises(ForbiddenAction, match="LATE"):
        await umbel.replay(dead, by="bob")


async def test_what_has_no_replay_has_no_edit_either(umbel: Umbel):
    await umbel.post_reply(await umbel.open_conversation(), reply("STEP"))
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})
    for work in (umbel.edit(dead, {"size": 1}, by="bob"), umbel.replay(dead, by="bob")):
        with pytest.raises(ChainOnly, match="start the chain anew"):
            await work
    assert not (await umbel.dead_one(dead)).edited


async def test_the_note_of_a_replay_is_a_sentence(umbel: Umbel):
    conversation = await umbel.open_conversation()
    await umbel.post_reply(conversation, reply("FIND"))
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})
    await umbel.replay(dead, by="bob")
    await end(umbel, "succeeded", 7)
    said = (await umbel.messages(conversation))[-1]["content"]
    assert said == f"FIND ({dead}), which had ended as failed, was run again, and ended as succeeded: 7"


async def test_a_deed_and_its_line_in_the_audit_are_one_step(umbel: Umbel, monkeypatch: pytest.MonkeyPatch):
    await umbel.post_reply(await umbel.open_conversation(), reply("FIND"))
    dead = await end(umbel, "failed", {"error": "no", "code": "x"})

    async def too_late(fields: dict[str, Any]) -> None:
        raise ConnectionError("the process died here")

    monkeypatch.setattr(umbel._store.audit, "note", too_late)
    await umbel.edit(dead, {}, by="bob")
    assert await umbel.discard(dead, by="bob")
    lines = [line.fields for line in await umbel._store.audit.read()]
    assert [line["what"] for line in lines if line.get("by") == "bob"] == ["edit", "discard"]
