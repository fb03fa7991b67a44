"""What stands in Redis, as files: what is written today is what they say, and what they say still loads.

A change of the newest file is a change of the stored format: records of running installations look like the old file.
Keep that file and its loading test, add a new one. UMBEL_TEST_WRITE_GOLDEN=1 writes the newest anew. The second one
has chains, approvals and follow-ups, and the audit; the third one lists of runs and what the service brought; the
fourth one dialects, what was mended, and replies of no use.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from actions.limits import Lock
from actions.messages import Call, Payload, Reply, Status
from orchestrator.chat_shape import tool_head
from orchestrator.modes import Manner
from orchestrator.settings import Settings
from orchestrator.store.api_keys import StoredKey
from orchestrator.store.incoming import Ask, Effect, EffectKind, Finish, Lead, LockGuard, NewRun, Priority
from orchestrator.store.store import Store
from orchestrator.waiting_replies import WaitingReply, payload_of, waiting_reply

GOLDEN: Final = Path(__file__).parent / "store_v4.json"
THIRD: Final = GOLDEN.with_name("store_v3.json")
OLD: Final = (GOLDEN.with_name("store_v1.json"), GOLDEN.with_name("store_v2.json"), THIRD, GOLDEN)
BEGIN: Final = 4_000_000_000_000_000
LEAD: Final = Lead("turns", Payload("umbel.advance").encode(), max_rounds=5)
FULL: Final = Payload(
    "TAKE_ORDER",
    {"ticker": "ACME", "quantity": 0},
    "call_1",
    "BUY_ORDER",
    "ann",
    ("trade",),
    "k" * 32,
    "Buying.",
)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    made = Store(settings, connections=2)
    made.connection._frame = (BEGIN, *made.connection._frame[1:])
    yield made
    await made.close()


def later(store: Store, ms: int) -> None:
    store.connection._frame = (BEGIN + ms * 1_000, *store.connection._frame[1:])


def call(position: int, **fields: Any) -> NewRun:
    fields = {"lane": "actions", "payload": FULL.encode()} | fields
    return NewRun(
        f"run_aX.0.{position}", position=position, head=tool_head(f"call_{position}"), tenant="t", **fields
    )


async def write(store: Store) -> None:
    """A little of everything: a live turn with runs in all states, one that waits, and runs of no conversation."""
    talk, runs = store.conversations, store.runs
    context = {"zero": 0, "list": [1]}
    await talk.open(
        "conv_a",
        tenant="t",
        principal="ann",
        permissions=["trade"],
        machine="coach",
        state="A",
        context=context,
    )
    await talk.say("conv_a", "turn_aX", "d1", '{"role":"user","content":"buy"}', LEAD)
    (leader,) = (await runs.claim("p1", [("turns", 1)], worker="one@host")).runs
    calls = [
        call(0, priority=Priority.HIGH),
        call(1, lane="-", status=Status.REFUSED, result='{"error":"no","code":"unknown_action"}'),
        call(2, dependents=("run_aX.0.3",), lane="actions/t"),
        call(3, status=Status.BLOCKED, open=1),
        call(4),
    ]
    message = '{"role":"assistant","content":null}'
    await talk.round(
        "conv_a", "turn_aX", "d2", 0, [message], calls, by=(leader.id, leader.fence), lead=LEAD, goes_on=True
    )
    await talk.say("conv_a", "turn_aY", "d3", '{"role":"user","content":"and then?"}', LEAD)
    await runs.submit([NewRun(f"run_a{name}", "actions", Payload("ACT").encode()) for name in "PQRS"])
    first, second, third, _ = (await runs.claim("p1", [("actions", 4)], worker="one@host")).runs
    effects = (Effect(EffectKind.TRANSITION, "0", "B"), Effect(EffectKind.APPEND, "list", '"x"'))
    await runs.finish(
        "p1",
        [
            Finish(first.id, first.fence, "succeeded", '{"order":1}', effects=effects),
            Finish(second.id, second.fence, "again", '{"error":"503"}', 2_000, "backoff"),
            Finish(third.id, third.fence, "failed", '{"error":"x","code":"handler_failed"}'),
        ],
    )
    await runs.cancel("run_aS")
    await write_chain(store)
    await write_service(store)
    await write_bad_replies(store)


async def write_bad_replies(store: Store) -> None:
    """A conversation with dialects of its own: a turn after a reply of no use, and one that ended after too many."""
    talk = store.conversations
    await talk.open("conv_d", dialects="hermes json")
    refused = NewRun(
        "run_aD.0.0", "-", FULL.encode(), Status.REFUSED, head=tool_head("call_0"), result='{"code":"x"}'
    )
    for conversation, turn, ends in (
        ("conv_e", "turn_aE", '{"error":"no","code":"x"}'),
        ("conv_d", "turn_aD", ""),
    ):
        await talk.open(conversation)
        await talk.say(
            conversation, turn, "d10", '{"role":"user","content":"hi"}', replace(LEAD, lane="later")
        )
        (leader,) = (await store.runs.claim("p5", [("later", 9)])).runs
        runs = [replace(refused, id=f"run_{turn[5:]}.0.0")]
        following = Lead("later", Payload("umbel.advance", bad=1).encode(), max_rounds=5)
        await talk.round(conversation, turn, "d11", 0, ['{"role":"assistant","content":""}'], runs,
                         by=(leader.id, leader.fence), lead=following, leads_afresh=True, goes_on=not ends,
                         ends=ends)  # fmt: skip


async def write_service(store: Store) -> None:
    """A conversation under a key, a reply that waits, a message that is to go in, a run that is watched, an API key."""
    talk = store.conversations
    await talk.open("conv_s", digest="d5")
    await talk.say("conv_s", "turn_aS", "d6", '{"role":"user","content":"hi"}', LEAD)
    await talk.say("conv_s", "turn_aR", "d7", "", Lead("turns", waiting_reply_payload(), max_rounds=5))
    await talk.say("conv_s", "turn_aI", "d8", '{"role":"user","content":"and"}', LEAD, busy="inject")
    await store.events.watch("run_aP")
    key = StoredKey(
        "k" * 12, "0" * 64, "t", "ann", ("read", "submit"), ("trade",), "for tests", "bob", BEGIN // 1_000, None, "9/1s"
    )  # fmt: skip
    assert await store.api_keys.put(key, line={"what": "key", "by": "bob"})


def waiting_reply_payload(*, repaired: tuple[str, ...] = ("trailing comma",)) -> bytes:
    calls = (Call(id="call_1", name="TAKE_ORDER", arguments={"a": 1}, repaired=repaired),)
    manner = Manner("chain", merge=True, locks=(Lock("orders:1"),))
    waiting = WaitingReply(Reply(format="openai.chat", text="Buying.", calls=calls), manner, goes_on=True)
    return payload_of("umbel.advance", waiting)


def step(position: int, **fields: Any) -> NewRun:
    return NewRun(
        f"run_aC.0.{position}", "chains", FULL.encode(), Status.BLOCKED, position=position, open=1,
        head=tool_head(f"call_{position}"), chain="step", undoes="2", rescues=True, did="TAKE_ORDER", **fields,
    )  # fmt: skip


async def write_chain(store: Store) -> None:
    """A chain that is being undone, one that holds its locks, an approval, follow-ups, a note and an audit."""
    talk, runs = store.conversations, store.runs
    await talk.open("conv_c", mode="chain", agent="bot", participants={"bot": "muted"})
    lead = NewRun(
        "run_aC.0.chain", "chains", Payload("umbel.chain").encode(), position="chain", chain="lead",
        guards=(LockGuard("chain.of:ann"),), dependents=("run_aC.0.0",),
    )  # fmt: skip
    steps = [step(0, dependents=("!run_aC.0.1",)), step(1)]
    await talk.round("conv_c", "turn_aC", "d4", 0, ['{"role":"assistant","content":""}'], steps, mode="chain",
                     chain_lead=lead, answered=True)  # fmt: skip
    await runs.claim("p3", [("chains", 1)])
    (run,) = (await runs.claim("p3", [("chains", 1)])).runs
    child = NewRun(f"{run.id}.f0", "chains", FULL.encode(), position="f", head='{"action":"NEXT"')
    follow = Effect(EffectKind.FOLLOW, child.id, json.dumps([_text(each) for each in child.row()]))
    await runs.finish("p3", [Finish(run.id, run.fence, "succeeded", '"bought"', effects=(follow,))])
    (run,) = (await runs.claim("p3", [("chains", 1)])).runs
    await runs.finish("p3", [Finish(run.id, run.fence, "succeeded", '"told"')])
    (run,) = (await runs.claim("p3", [("chains", 1)])).runs
    await runs.finish("p3", [Finish(run.id, run.fence, "timed_out", '{"code":"timed_out"}', effects=(
        Effect(EffectKind.UNKNOWN), Effect(EffectKind.REMEMBER, "TAKE_ORDER", "1"),
    ))])  # fmt: skip
    (run,) = (await runs.claim("p3", [("chains", 1)])).runs
    await runs.finish("p3", [Finish(run.id, run.fence, "failed", '{"code":"failed"}')])
    ask = Ask("digest", 60_000, '{"amount":5}', key="refund:1")
    await runs.submit([
        NewRun("run_aW", "chains", FULL.encode(), approval=ask, audit='{"run":"run_aW","what":"asked"}'),
        NewRun("run_aN", "chains", FULL.encode(), conversation="conv_c", note="Again:"),
    ])  # fmt: skip


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


async def dump(store: Store) -> dict[str, Any]:
    """All keys with their values; ids of stream entries, which are Redis's own, are counted instead."""
    readers = {
        "string": lambda redis, key: redis.get(key),
        "list": lambda redis, key: redis.lrange(key, 0, -1),
        "hash": lambda redis, key: redis.hgetall(key),
        "zset": lambda redis, key: redis.zrange(key, 0, -1, withscores=True),
        "set": lambda redis, key: redis.smembers(key),
        "stream": lambda redis, key: redis.xrange(key),
    }
    redis, prefix, found = store.connection.redis, store.connection.prefix, {}
    async for key in redis.scan_iter(f"{prefix}*"):
        kind = await redis.type(key)
        value = await readers[kind](redis, key)
        if kind == "stream":
            value = [fields for _, fields in value]
        if kind == "set":
            value = sorted(value)
        if kind == "zset":
            value = [[member, int(score)] for member, score in value]
        found[key.removeprefix(prefix)] = {"type": kind, "value": value}
    return dict(sorted(found.items()))


async def load(store: Store, found: dict[str, Any]) -> None:
    """Write what a file says, as it stands there."""
    redis, prefix = store.connection.redis, store.connection.prefix
    for name, entry in found.items():
        key, value = prefix + name, entry["value"]
        match entry["type"]:
            case "string":
                await redis.set(key, value)
            case "list":
                await redis.rpush(key, *value)
            case "hash":
                await redis.hset(key, mapping=value)
            case "zset":
                await redis.zadd(key, dict(value))
            case "set":
                await redis.sadd(key, *value)
            case _:
                for fields in value:
                    await redis.xadd(key, fields)


async def test_what_is_written_today_is_the_golden_form(store):
    await write(store)
    found = await dump(store)
    if os.environ.get("UMBEL_TEST_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert found == json.loads(GOLDEN.read_text())


@pytest.fixture(params=OLD, ids=lambda path: path.stem)
async def old(store: Store, request: pytest.FixtureRequest) -> Store:
    """A store with what a version has left."""
    await load(store, json.loads(request.param.read_text()))
    return store


async def test_old_records_can_be_read(old):
    record = await old.conversations.read("conv_a")
    assert (record.status, record.live_turn, record.state, record.state_revision) == (
        "live",
        "turn_aX",
        "B",
        1,
    )
    assert record.context == {"zero": "0", "list": '[1,"x"]'}
    assert (record.tenant, record.principal, record.permissions) == ("t", "ann", ("trade",))
    done, waiting, refused = await old.runs.read_all(["run_aX.0.0", "run_aX.0.4", "run_aX.0.1"])
    assert (done.status, done.result, done.attempts) == (Status.SUCCEEDED, '{"order":1}', 1)
    assert Payload.decode(done.payload) == FULL
    assert (waiting.status, waiting.why, waiting.error) == (Status.WAITING, "backoff", '{"error":"503"}')
    assert refused.status == Status.REFUSED
    changes = [event.change for event in await old.events.read("conv_a")]
    assert changes[0] == {"turn": "turn_aX", "status": "live"}
    assert {"state": "B"} in changes


async def test_an_old_round_goes_on_to_its_end(old):
    later(old, 2_100)
    for _ in range(2):
        claim = await old.runs.claim("p2", [("actions", 9), ("actions/t", 9)])
        await old.runs.finish(
            "p2", [Finish(run.id, run.fence, "succeeded", f'"{run.id}"') for run in claim.runs]
        )
    messages = await old.conversations.messages("conv_a")
    assert [message["content"] for message in messages if message["role"] == "tool"] == [
        '{"order":1}', '{"error":"no","code":"unknown_action"}', '"run_aX.0.2"', '"run_aX.0.3"', '"run_aX.0.4"',
    ]  # fmt: skip
    leaders = {run.id: run for run in (await old.runs.claim("p2", [("turns", 9)])).runs}
    leader = leaders["run_aX.1.next"]
    assert Payload.decode(leader.payload).action == "umbel.advance"


async def test_runs_of_an_old_pump_are_recovered(old):
    later(old, 11_000)
    await old.runs.tick(["actions"])
    claim = await old.runs.claim("p2", [("actions", 9)])
    assert ("run_aQ", "1") in {(run.id, run.level) for run in claim.runs}


@pytest.mark.parametrize(("file", "repaired"), [(THIRD, ()), (GOLDEN, ("trailing comma",))])
async def test_an_old_reply_that_waited_is_read_and_an_old_message_goes_in(store, file, repaired):
    await load(store, json.loads(file.read_text()))
    (leader,) = [run for run in (await store.runs.claim("p2", [("turns", 9)])).runs if run.turn == "turn_aS"]
    verdict = await store.conversations.round(
        "conv_s", "turn_aS", "d9", 0, [], [], by=(leader.id, leader.fence), lead=LEAD, goes_on=True
    )
    assert verdict == "ok"
    assert (await store.conversations.turn("turn_aI"))["s"] == "injected"
    await store.conversations.cancel_turn("turn_aS")
    (leader,) = [run for run in (await store.runs.claim("p2", [("turns", 9)])).runs if run.turn == "turn_aR"]
    waited = waiting_reply(Payload.decode(leader.payload))
    assert waited == waiting_reply(Payload.decode(waiting_reply_payload(repaired=repaired)))
    assert waited.reply.calls[0].arguments == {"a": 1}
    assert (await store.api_keys.get("k" * 12)).permissions == ("trade",)


async def test_an_old_turn_goes_on_counting_replies_of_no_use(store):
    await load(store, json.loads(GOLDEN.read_text()))
    assert (await store.conversations.read("conv_d")).dialects == "hermes json"
    (leader,) = (await store.runs.claim("p2", [("later", 9)])).runs
    assert (leader.id, Payload.decode(leader.payload).bad) == ("run_aD.1.next", 1)
    ended = await store.conversations.turn("turn_aE")
    assert (ended["s"], ended["e"]) == ("failed", '{"error":"no","code":"x"}')


async def test_an_old_chain_is_undone_to_its_end(store):
    await load(store, json.loads(GOLDEN.read_text()))
    failed, waiting = await store.runs.read_all(["run_aC.0.1", "run_aW"])
    assert (failed.status, failed.undo) == ("timed_out", "failed")
    assert (waiting.approval, waiting.shown) == ("wanted", '{"amount":5}')
    assert [each.run for each in await store.undos.stuck()] == ["run_aC.0.1"]
    assert await store.undos.retry("run_aC.0.1") == "retried"
    undone = []
    for _ in range(4):
        for run in (await store.runs.claim("p4", [("chains", 9)])).runs:
            undone += [run.undoes] if run.undoes else []
            await store.runs.finish("p4", [Finish(run.id, run.fence, "succeeded", '"done"')])
    assert undone == ["run_aC.0.1", "run_aC.0.0"]
    assert await store.approvals.decide("run_aW", "approve", "digest", "ann") == "approved"


STORED_FULL: Final = (
    b'{"v":1,"a":"TAKE_ORDER","p":{"ticker":"ACME","quantity":0},"i":"call_1","n":"BUY_ORDER","u":"ann",'
    b'"m":["trade"],"k":"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk","t":"Buying."}'
)


@pytest.mark.parametrize(("stored", "payload"), [(b'{"v":1,"a":"ACT"}', Payload("ACT")), (STORED_FULL, FULL)])
def test_a_payload_is_written_and_read_in_its_first_form(stored, payload):
    assert payload.encode() == stored
    assert Payload.decode(stored) == payload
