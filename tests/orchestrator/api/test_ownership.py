"""Another tenant's things are not there, in the same words as what never was; posting is the principal's own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from orchestrator.api.routes import ROUTERS
from orchestrator.settings import Settings
from routes_under_test import World, alike, code_of, world

BODIES: dict[str, Any] = {
    "POST /v1/conversations/{conversation_id}/messages": {"text": "hello"},
    "PATCH /v1/dead/{run_id}": {"arguments": {"mend": "x"}},
    "PUT /v1/limits/{name}": {"n": 1, "per": "1s"},
}
"""What a request has to hold to come as far as the thing itself."""
OWNED = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and re.search(r"\{(run|turn|conversation)_id\}", route.path)
    for method in sorted(route.methods)
]


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[World]:
    model = settings.model_copy(update={"model_url": "http://127.0.0.1:9/v1"})
    async with world(model) as made:
        yield made


async def ids_of(here: World) -> dict[str, str]:
    """A conversation, a turn and a dead run of ann's."""
    conversation = await here.ann.open()
    turn = (await here.ann.reply(conversation, "[ACTION:ADD]{a: 1}[/ACTION]")).json()["turn"]
    await here.end()
    return {"conversation_id": conversation, "turn_id": turn, "run_id": await here.died(here.ann)}


def test_every_route_that_names_a_thing_is_asked():
    assert len(OWNED) >= 25


async def test_what_is_another_tenants_answers_as_what_never_was(here: World):
    own = await ids_of(here)
    absent = {name: f"{given[:-3]}zzz" for name, given in own.items()}
    for method, path in OWNED:
        body = BODIES.get(f"{method} {path}")
        more: dict[str, Any] = {"json": body} if body else {}
        if path.endswith("/replies"):
            more = {"content": b"hello", "headers": {"Content-Type": "text/plain"}}
        theirs = await here.eve.ask(method, path.format_map(own), **more)
        nobodys = await here.eve.ask(method, path.format_map(absent), **more)
        assert theirs.status_code == nobodys.status_code == 404, (method, path, theirs.text)
        assert _unnamed(alike(theirs), own, absent) == _unnamed(alike(nobodys), own, absent), (method, path)
        assert theirs.headers.keys() == nobodys.headers.keys()
    for name, given in own.items():  # nothing of it has happened
        kind = {"conversation_id": "conversations", "turn_id": "turns", "run_id": "dead"}[name]
        assert (await here.ann.get(f"/v1/{kind}/{given}")).status_code == 200


def _unnamed(body: dict[str, Any], *ids: dict[str, str]) -> str:
    """A body without the ids that were asked for."""
    told = str(body)
    for each in ids:
        for given in each.values():
            told = told.replace(given, "…")
    return told


@pytest.mark.parametrize(
    "given",
    [
        "run_",
        "turn_x",
        "conv_",
        "run_../x",
        "run_a*",
        "x",
        "run_" + "a" * 200,
        "run_\u0660",
        "run_a%0A",
        "run_a b",
        "%00",
    ],
)
async def test_ids_of_other_kinds_and_none_at_all_are_not_there(here: World, given: str):
    for path in ("/v1/runs/{}", "/v1/turns/{}", "/v1/conversations/{}", "/v1/dead/{}"):
        if path == "/v1/turns/{}" and given == "turn_x":
            continue
        answer = await here.ann.get(path.format(given))
        assert answer.status_code == 404, answer.text


async def test_an_id_of_one_kind_leads_nowhere_as_another(here: World):
    own = await ids_of(here)
    for kind, given in (
        ("runs", own["turn_id"]),
        ("turns", own["run_id"]),
        ("conversations", own["turn_id"]),
        ("runs", own["conversation_id"]),
    ):
        assert (await here.ann.get(f"/v1/{kind}/{given}")).status_code == 404


async def test_lists_hold_nothing_of_another_tenant(here: World):
    await ids_of(here)
    await here.ann.run("PAY", amount=5)
    for path, name in (("runs", "runs"), ("approvals", "approvals"), ("dead", "dead"), ("undos", "undos")):
        assert (await here.eve.get(f"/v1/{path}")).json()[name] == []
        assert (await here.root.get(f"/v1/{path}")).json()[name] == []
    assert len((await here.bob.get("/v1/runs")).json()["runs"]) == 3


async def test_who_shares_a_lock_with_another_tenant_does_not_hear_of_whom(here: World):
    held = await here.eve.run("LOCKED")
    assert [run.id for run in await here.claim()] == [held]
    mine = await here.ann.run("LOCKED")
    await here.claim()
    told = await here.ann.get(f"/v1/runs/{mine}")
    (rung,) = [each for each in told.json()["ladder"]["rungs"] if each["where"] == "here"]
    assert [each["run"] for each in rung["lock"]["holders"]] == [""]
    assert held not in told.text
    behind = await here.ann.run("LOCKED")
    assert held not in (await here.ann.get(f"/v1/runs/{behind}")).text


async def test_only_its_principal_posts_into_a_conversation(here: World):
    conversation = await here.ann.open()
    assert (await here.bob.get(f"/v1/conversations/{conversation}")).status_code == 200
    said = await here.bob.post(f"/v1/conversations/{conversation}/messages", {"text": "hello"})
    assert code_of(said) == (403, "not_yours")
    assert code_of(await here.bob.reply(conversation, "hello")) == (403, "not_yours")
    assert (await here.ann.get(f"/v1/conversations/{conversation}/messages")).json()["messages"] == []


async def test_who_posts_has_the_principal_and_at_least_the_permissions_of_the_conversation(here: World):
    from api_under_test import make_key
    from routes_under_test import Key

    conversation = await here.ann.open()
    equal = await make_key(here.api.store, principal="kim", tenant="acme", permissions=("trade",))
    assert code_of(await Key(here.api.client, equal).reply(conversation, "hello")) == (403, "not_yours")
    poor = Key(here.api.client, await make_key(here.api.store, principal="ann", tenant="acme"))
    assert code_of(await poor.reply(conversation, "hello")) == (403, "not_yours")
    rich = await make_key(here.api.store, principal="ann", tenant="acme", permissions=("trade", "more"))
    assert (await Key(here.api.client, rich).reply(conversation, "hello")).status_code == 202


async def test_conversations_and_runs_are_made_with_what_the_key_has(here: World):
    conversation = await here.ann.open()
    record = await here.api.store.conversations.read(conversation)
    assert (record.tenant, record.principal, record.permissions) == ("acme", "ann", ("trade",))
    run = (await here.ann.get(f"/v1/runs/{await here.ann.run('TRADE', amount=1)}")).json()
    assert (run["tenant"], run["principal"]) == ("acme", "ann")
    refused = await here.bob.post("/v1/runs", {"action": "TRADE", "arguments": {"amount": 1}})
    assert code_of(refused) == (403, "forbidden_action")


@pytest.mark.parametrize("field", ["tenant", "principal", "permissions", "key", "conversation", "run"])
async def test_no_body_says_whose_something_is(here: World, field: str):
    for path, body in (
        ("/v1/conversations", {field: "evil"}),
        ("/v1/runs", {"action": "ADD", "arguments": {"a": 1}, field: "evil"}),
        ("/v1/runs", {"runs": [{"action": "ADD", "arguments": {"a": 1}, field: "evil"}]}),
    ):
        answer = await here.ann.post(path, body)
        assert code_of(answer) == (422, "validation")
        assert answer.json()["errors"][0]["pointer"].endswith(f"/{field}")
