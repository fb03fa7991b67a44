"""What concerns the house: its actions for everybody, its limits and queues for those who keep it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api_under_test import make_key
from orchestrator.settings import Settings
from routes_under_test import Key, World, code_of, world


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[World]:
    async with world(settings) as made:
        yield made


# Actions


async def test_actions_are_told_with_what_callers_have_to_know(here: World):
    told = {each["name"]: each for each in (await here.eve.get("/v1/actions")).json()["actions"]}
    assert set(told) == {"ADD", "SLEEP", "TRADE", "GIVE_UP", "PAY", "LOCKED", "LIMITED", "MARK", "LAST"}
    assert (told["PAY"]["approval"], told["TRADE"]["permissions"]) == ("always", ["trade"])
    assert (told["MARK"]["chain_only"], told["MARK"]["undoable"]) == (True, True)
    assert told["ADD"]["parameters"]["required"] == ["a"]
    assert (await here.ann.get("/v1/actions/sum")).json() == told["ADD"]
    assert (await here.ann.get("/v1/actions/nope")).status_code == 404


@pytest.mark.parametrize("form", ["openai", "openai-strict", "anthropic", "gemini", "mcp"])
async def test_tools_are_those_that_the_caller_may_have_called(here: World, form: str):
    ann, bob = [(await caller.get("/v1/actions", tools=form)).json() for caller in (here.ann, here.bob)]
    assert ann["format"] == form
    assert "TRADE" in str(ann["tools"])
    assert "TRADE" not in str(bob["tools"])


async def test_tools_of_a_conversation_are_those_of_its_state(here: World):
    conversation = await here.ann.open(machine="door")
    told = await here.ann.get("/v1/actions", tools="openai", conversation=conversation)
    assert [each["function"]["name"] for each in told.json()["tools"]] == ["ADD"]
    listed = (await here.ann.get("/v1/actions", conversation=conversation)).json()["actions"]
    assert [each["name"] for each in listed] == ["ADD"]
    theirs = await here.eve.get("/v1/actions", tools="openai", conversation=conversation)
    assert code_of(theirs) == (404, "unknown_conversation")
    assert code_of(await here.ann.get("/v1/actions", tools="morse")) == (422, "validation")


# Limits


async def test_limits_and_locks_are_told_as_they_stand(here: World):
    for _ in range(2):
        await here.ann.run("LIMITED")
    await here.ann.run("LOCKED")
    await here.claim()
    told = (await here.root.get("/v1/limits")).json()
    (declared,) = told["declared"]
    assert (declared["name"], declared["action"], declared["n"], declared["per_s"]) == (
        "exchange",
        "LIMITED",
        5,
        3600,
    )
    (standing,) = told["standing"]
    assert (standing["key"], standing["used"], standing["most"]) == ("exchange:ann:~acme", 2, 5)
    assert [lock["key"] for lock in told["locks"] if not lock["key"].startswith("~")] == ["house:all"]


async def test_how_often_a_key_may_ask_is_no_limit_of_the_house(here: World):
    store = here.api.store
    often = Key(here.api.client, await make_key(store, rate="100/1m"))
    for _ in range(3):
        assert (await often.get("/v1/limits")).json()["standing"] == []
    (counted,) = await store.connection.redis.keys(f"{store.connection.prefix}tat:*")
    own = counted.partition("tat:")[2]
    assert await store.limits.standing() == await store.limits.standing(own) == []


async def test_a_limit_gets_other_numbers_and_its_own_again(here: World):
    path = "/v1/limits/exchange"
    for _ in range(2):
        told = await here.root.ask("PUT", path, json={"n": 1, "per": "1m", "key": "ann"})
        assert told.json() == {
            "name": "exchange", "key": "exchange:ann", "n": 1, "per_s": 60, "burst": None, "cost": None,
        }  # fmt: skip
    assert (await here.root.get("/v1/limits")).json()["changed"] == [told.json()]
    for _ in range(2):
        assert (await here.root.ask("DELETE", path, params={"key": "ann"})).status_code == 204
    assert (await here.root.get("/v1/limits")).json()["changed"] == []
    told = [(line["limit"], line["by"], line["numbers"]) for line in await here.audit("limit")]
    assert told == [("exchange:ann", "root", each) for each in ["1/60s"] * 2 + ["as declared"] * 2]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"n": 5}, "/per"),
        ({"n": -1, "per": "1s"}, "/n"),
        ({"n": 2**31, "per": "1s"}, "/n"),
        ({"n": 1_001, "per": "1s"}, "/n"),
        ({"n": True, "per": "1s"}, "/n"),
        ({"n": 5, "per": "0s"}, "/per"),
        ({"n": 5, "per": "367d"}, "/per"),
        ({"n": 5, "per": "1s", "burst": 6}, "/burst"),
        ({"n": 5, "per": "1s", "burst": 2}, "/burst"),
        ({"n": 5, "per": "1s", "cost": 6}, "/cost"),
        ({"n": 5, "per": "1s", "key": "a b"}, "/key"),
    ],
)
async def test_numbers_that_the_limit_cannot_have_are_refused(
    here: World, asked: dict[str, Any], pointer: str
):
    answer = await here.root.ask("PUT", "/v1/limits/exchange", json=asked)
    assert code_of(answer) == (422, "validation")
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert (await here.root.get("/v1/limits")).json()["changed"] == []


async def test_a_principal_that_is_called_as_the_limit_changes_it_for_nobody_else(here: World):
    path = "/v1/limits/exchange"
    put = await here.root.ask("PUT", path, json={"n": 0, "per": "1h", "key": "exchange"})
    taken = await here.root.ask("DELETE", path, params={"key": "exchange"})
    assert [code_of(answer) for answer in (put, taken)] == [(422, "validation")] * 2
    assert [each["pointer"] for each in put.json()["errors"]] == ["/key"]
    assert "exchange:exchange" in put.json()["errors"][0]["detail"]
    assert [each["parameter"] for each in taken.json()["errors"]] == ["key"]
    assert (await here.root.get("/v1/limits")).json()["changed"] == []
    told = await here.root.ask("PUT", path, json={"n": 0, "per": "1h", "key": "exchange:exchange"})
    assert told.json()["key"] == "exchange:exchange"


async def test_a_limit_that_nobody_has_is_not_there(here: World):
    for method, more in (("PUT", {"json": {"n": 1, "per": "1s"}}), ("DELETE", {})):
        for name in ("nope", "ADD", "a b", "x" * 65):
            assert (await here.root.ask(method, f"/v1/limits/{name}", **more)).status_code == 404


# Queues


async def test_queues_are_told_with_what_waits(here: World):
    await here.ann.run(a=1)
    await here.ann.run("PAY", amount=1)
    (queue,) = (await here.root.get("/v1/queues")).json()["queues"]
    assert (queue["queue"], queue["ready"], queue["running"]) == ("actions", 1, 0)
    assert queue["waiting"] == {"approval": 1}
