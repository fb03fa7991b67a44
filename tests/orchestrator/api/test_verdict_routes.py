"""What people decide over HTTP: the same deed again is answered alike, and a conflict says in one word why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.settings import Settings
from routes_under_test import SHUT, Key, World, code_of, world

CHAIN = "[ACTION:MARK]{at: 1}[/ACTION][ACTION:LAST]{}[/ACTION]"


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[World]:
    async with world(settings) as made:
        yield made


async def twice(caller: Key, path: str, body: Any = None) -> dict[str, Any]:
    """The answer to the same deed done two times, which has to be one."""
    first, again = [await caller.post(path, body) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.is_success, first.text
    return first.json()


# Cancelling


async def test_a_run_is_cancelled_once_and_every_answer_says_so(here: World):
    run = await here.ann.run(a=1)
    assert await twice(here.ann, f"/v1/runs/{run}/cancel") == {"id": run, "verdict": "cancelled"}
    assert (await here.ann.get(f"/v1/runs/{run}")).json()["status"] == "cancelled"
    assert [(line["run"], line["by"]) for line in await here.audit("cancel")] == [(run, "ann")]


async def test_one_that_runs_is_being_stopped_and_one_that_ended_had_ended(here: World):
    done = await here.ann.run(a=1)
    await here.end()
    assert (await twice(here.ann, f"/v1/runs/{done}/cancel"))["verdict"] == "terminal"
    runs = await here.ann.run("SLEEP", seconds=60)
    await here.claim()
    assert (await twice(here.ann, f"/v1/runs/{runs}/cancel"))["verdict"] == "cancelling"


async def test_turns_and_conversations_are_cancelled(here: World):
    conversation = await here.ann.open()
    turn = (await here.ann.reply(conversation, "[ACTION:ADD]{a: 1}[/ACTION]")).json()["turn"]
    assert (await twice(here.ann, f"/v1/turns/{turn}/cancel"))["verdict"] == "cancelled"
    await here.ann.reply(conversation, "[ACTION:ADD]{a: 1}[/ACTION]")
    assert await twice(here.ann, f"/v1/conversations/{conversation}/cancel") == {
        "id": conversation,
        "verdict": "cancelled",
    }
    empty = await here.ann.open()
    assert (await twice(here.ann, f"/v1/conversations/{empty}/cancel"))["verdict"] == "terminal"


async def test_a_chain_is_interrupted_and_what_is_none_is_not(here: World):
    conversation = await here.ann.open()
    turn = (await here.ann.reply(conversation, "[ACTION:ADD]{a: 1}[/ACTION]")).json()["turn"]
    assert code_of(await here.ann.post(f"/v1/turns/{turn}/interrupt")) == (409, "no_chain")
    chain = (await here.ann.reply(await here.ann.open(), CHAIN)).json()["turn"]
    await here.end(result={"at": 1})
    assert (await here.ann.post(f"/v1/turns/{chain}/interrupt")).json()["verdict"] == "interrupted"


# Approving


async def test_what_waits_for_a_person_is_shown_whole(here: World):
    run = await here.ann.run("PAY", amount=5)
    (wanted,) = (await here.bob.get("/v1/approvals")).json()["approvals"]
    assert (wanted["run"], wanted["arguments"], wanted["principal"]) == (run, {"amount": 5}, "ann")


async def test_another_tenants_many_do_not_hide_ours(here: World):
    calls = [{"action": "PAY", "arguments": {"amount": at}} for at in range(600)]
    assert (await here.eve.post("/v1/runs", {"runs": calls})).status_code == 202
    run = await here.ann.run("PAY", amount=5)
    found = (await here.ann.get("/v1/approvals", limit=1)).json()["approvals"]
    assert [each["run"] for each in found] == [run]
    assert len((await here.eve.get("/v1/approvals", limit=500)).json()["approvals"]) == 500


async def test_an_approval_holds_once_and_for_what_was_seen(here: World):
    run = await here.ann.run("PAY", amount=5)
    (wanted,) = (await here.ann.get("/v1/approvals")).json()["approvals"]
    path = f"/v1/runs/{run}/approve"
    assert code_of(await here.bob.post(path, {"digest": "0" * 32})) == (409, "changed")
    assert await twice(here.bob, path, {"digest": wanted["digest"]}) == {"id": run, "verdict": "approved"}
    assert await twice(here.bob, path) == {"id": run, "verdict": "approved"}
    assert code_of(await here.bob.post(path, {"digest": "0" * 32})) == (409, "changed")
    assert code_of(await here.bob.post(f"/v1/runs/{run}/deny")) == (409, "decided")
    assert await here.end(result=5) == [run]
    assert (await here.bob.post(path)).json()["verdict"] == "approved"  # after its end, too
    (line,) = [line for line in await here.audit("approve") if line["decided"] == "approved"]
    assert line["by"] == "bob"


async def test_a_denial_is_told_to_the_model_and_stands(here: World):
    run = await here.ann.run("PAY", amount=5)
    assert (await twice(here.bob, f"/v1/runs/{run}/deny", {"reason": "too much"}))["verdict"] == "denied"
    told = (await here.ann.get(f"/v1/runs/{run}")).json()
    assert (told["status"], told["result"]["error"]) == ("denied", "denied by a person: too much")
    assert code_of(await here.bob.post(f"/v1/runs/{run}/approve")) == (409, "decided")


async def test_what_asks_for_nothing_is_not_decided(here: World):
    run = await here.ann.run(a=1)
    for deed in ("approve", "deny"):
        assert code_of(await here.ann.post(f"/v1/runs/{run}/{deed}")) == (409, "decided")
    long = await here.ann.post(f"/v1/runs/{run}/deny", {"reason": "x" * 501})
    assert code_of(long) == (422, "validation")


# The dead


async def test_one_of_the_dead_is_replayed_once_whoever_asks(here: World):
    dead = await here.died(here.ann)
    answers = await asyncio.gather(
        *(
            caller.post(f"/v1/{kind}/{dead}/replay")
            for caller in (here.ann, here.bob)
            for kind in ("runs", "dead")
        )
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    new = answers[0].json()["run"]
    assert answers[0].headers["Location"] == f"/v1/runs/{new}"
    assert (await here.ann.get(f"/v1/runs/{new}")).json()["replay_of"] == dead
    assert (await here.ann.get("/v1/dead")).json()["dead"] == []
    assert (await here.ann.post(f"/v1/dead/{dead}/replay")).content == answers[0].content


async def test_what_did_not_end_badly_is_not_replayed(here: World):
    run = await here.ann.run(a=1)
    assert code_of(await here.ann.post(f"/v1/runs/{run}/replay")) == (409, "not_dead")
    await here.end()
    assert code_of(await here.ann.post(f"/v1/dead/{run}/replay")) == (409, "not_dead")
    assert code_of(await here.ann.ask("DELETE", f"/v1/dead/{run}")) == (409, "not_dead")
    assert (await here.ann.get(f"/v1/dead/{run}")).status_code == 404


async def test_one_is_edited_and_then_replayed(here: World):
    dead = await here.died(here.ann)
    path = f"/v1/dead/{dead}"
    wrong = await here.ann.ask("PATCH", path, json={"arguments": {"mend": 5, "x": 1}})
    assert code_of(wrong) == (422, "invalid_arguments")
    assert "/arguments/x" in [each["pointer"] for each in wrong.json()["errors"]]
    told = await here.ann.ask("PATCH", path, json={"arguments": {"mend": "glue"}})
    assert (told.status_code, told.json()["edited"], told.json()["arguments"]) == (
        200,
        True,
        {"mend": "glue"},
    )
    new = (await here.ann.post(f"{path}/replay", {"new_key": True})).json()["run"]
    assert (await here.ann.get(f"/v1/runs/{new}")).json()["arguments"] == {"mend": "glue"}


async def test_one_is_discarded_and_stays_so(here: World):
    dead = await here.died(here.ann)
    for _ in range(2):
        answer = await here.ann.ask("DELETE", f"/v1/dead/{dead}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert code_of(await here.ann.post(f"/v1/dead/{dead}/replay")) == (409, "not_dead")


async def test_the_dead_come_page_by_page_oldest_first_and_by_filter(here: World):
    dead = [await here.died(here.ann) for _ in range(5)]
    await here.died(here.eve)
    first = (await here.ann.get("/v1/dead", limit=3)).json()
    rest = (await here.ann.get("/v1/dead", limit=3, cursor=first["next"])).json()
    assert [each["run"] for page in (first, rest) for each in page["dead"]] == dead
    assert rest["next"] is None

    async def found(**params: Any) -> int:
        return len((await here.ann.get("/v1/dead", **params)).json()["dead"])

    assert await found(error="exchange IS closed") == await found(error="closed") == 5
    assert await found(error="open") == 0
    assert await found(status=["dead", "timed_out"]) == 0
    assert await found(action="GIVE_UP", status="failed") == 5
    assert await found(since="2100-01-01T00:00:00Z") == 0
    assert code_of(await here.ann.get("/v1/dead", status="succeeded")) == (422, "validation")


async def test_many_are_replayed_by_name_and_each_says_what_became_of_it(here: World):
    dead = [await here.died(here.ann) for _ in range(3)]
    theirs, fine = await here.died(here.eve), await here.ann.run(a=1)
    asked = {"runs": [*dead, fine, theirs, "run_nobody", "x"]}
    told = await twice(here.ann, "/v1/dead/replay", asked)
    assert {each["run"] for each in told["done"]} == set(dead)
    assert all(each["new"].startswith("run_") for each in told["done"])
    assert [(each["run"], each["code"]) for each in told["failed"]] == [
        (fine, "not_dead"),
        (theirs, "unknown_record"),
        ("run_nobody", "unknown_record"),
        ("x", "unknown_record"),
    ]
    assert len((await here.eve.get("/v1/dead")).json()["dead"]) == 1


async def test_many_are_discarded_by_filter_and_only_ours(here: World):
    for _ in range(25):
        await here.died(here.ann)
    await here.died(here.eve)
    none = (await here.ann.post("/v1/dead/discard", {"error": "nothing like that"})).json()
    assert none == {"done": [], "failed": [], "next": None}
    told = (await here.ann.post("/v1/dead/discard", {"status": ["failed"], "actions": ["GIVE_UP"]})).json()
    assert (len(told["done"]), told["failed"], told["next"]) == (25, [], None)
    assert (await here.ann.get("/v1/dead")).json()["dead"] == []
    assert len((await here.eve.post("/v1/dead/discard", {"all": True})).json()["done"]) == 1


async def test_another_tenants_many_dead_do_not_hide_ours(here: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("orchestrator.store.places.LOOKED", 500)
    asked = {"runs": [{"action": "GIVE_UP"}] * 600}
    assert (await here.eve.post("/v1/runs", asked)).status_code == 202
    while await here.end("failed", SHUT):
        pass
    dead = await here.died(here.ann)
    first = (await here.ann.get("/v1/dead")).json()
    assert first["dead"] == []
    rest = (await here.ann.get("/v1/dead", cursor=first["next"])).json()
    assert ([each["run"] for each in rest["dead"]], rest["next"]) == ([dead], None)
    told = (await here.ann.post("/v1/dead/discard", {"all": True})).json()
    assert told == {"done": [{"run": dead, "new": None}], "failed": [], "next": None}
    assert len((await here.eve.get("/v1/dead", limit=500)).json()["dead"]) == 500


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"all": False},
        {"all": True, "status": ["dead"]},
        {"runs": ["run_x"], "error": "x"},
        {"runs": []},
        {"status": []},
        {"status": None},
        {"error": ""},
        {"tenant": "evil"},
        {"runs": ["x"] * 1_001},
    ],
)
async def test_a_deed_on_many_says_which_or_is_none(here: World, asked: dict[str, Any]):
    await here.died(here.ann)
    for deed in ("replay", "discard"):
        assert code_of(await here.ann.post(f"/v1/dead/{deed}", asked)) == (422, "validation")
    assert len((await here.ann.get("/v1/dead")).json()["dead"]) == 1


# Undos


async def test_an_undo_that_failed_rests_and_is_tried_again(here: World):
    turn = (await here.ann.reply(await here.ann.open(), CHAIN)).json()["turn"]
    step = f"run_{turn.removeprefix('turn_')}.0.0"
    for status in ("succeeded", "failed", "failed"):  # the step, the last step, the undo
        assert (
            len(await here.end(status, {"at": 1} if status == "succeeded" else {"error": "?", "code": "x"}))
            == 1
        )
    (stuck,) = (await here.bob.get("/v1/undos")).json()["undos"]
    assert (stuck["run"], stuck["action"], stuck["tenant"], stuck["turn"]) == (step, "MARK", "acme", turn)
    assert (await here.eve.get("/v1/undos")).json()["undos"] == []
    assert code_of(await here.eve.post(f"/v1/undos/{step}/retry")) == (404, "unknown_record")
    assert await twice(here.bob, f"/v1/undos/{step}/retry") == {"id": step, "verdict": "retried"}
    assert (await here.bob.get("/v1/undos")).json()["undos"] == []
    run = await here.ann.run(a=1)
    assert code_of(await here.bob.post(f"/v1/undos/{run}/retry")) == (409, "not_stuck")


async def test_what_is_being_undone_is_not_cancelled(here: World):
    turn = (await here.ann.reply(await here.ann.open(), CHAIN)).json()["turn"]
    for status in ("succeeded", "failed"):
        await here.end(status, {"at": 1} if status == "succeeded" else {"error": "?", "code": "x"})
    assert code_of(await here.ann.post(f"/v1/turns/{turn}/cancel")) == (409, "undoing")
