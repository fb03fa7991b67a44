"""Within a tenant: its principal or an operator stops what goes on; other arguments need the rights of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from api_under_test import make_key
from orchestrator.settings import Settings
from routes_under_test import Key, World, code_of, world

CALL = "[ACTION:ADD]{a: 1}[/ACTION]"
CHAIN = "[ACTION:MARK]{at: 1}[/ACTION][ACTION:LAST]{}[/ACTION]"


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[World]:
    async with world(settings) as made:
        yield made


async def key(here: World, principal: str, *scopes: str, permissions: tuple[str, ...] = ()) -> Key:
    """A caller of ann's tenant."""
    told = {"principal": principal, "tenant": "acme", "scopes": scopes, "permissions": permissions}
    return Key(here.api.client, await make_key(here.api.store, **told))


DEEDS = [
    ("DELETE", "/v1/conversations/{conversation}"),
    ("POST", "/v1/conversations/{conversation}/cancel"),
    ("POST", "/v1/turns/{turn}/cancel"),
    ("POST", "/v1/turns/{turn}/interrupt"),
    ("POST", "/v1/runs/{step}/cancel"),
    ("POST", "/v1/runs/{run}/cancel"),
]


async def things(here: World) -> dict[str, str]:
    """What ann has going: a chain in a conversation, and a single run."""
    conversation = await here.ann.open()
    turn = (await here.ann.reply(conversation, CHAIN)).json()["turn"]
    step = f"run_{turn.removeprefix('turn_')}.0.0"
    return {"conversation": conversation, "turn": turn, "step": step, "run": await here.ann.run(a=1)}


@pytest.mark.parametrize(("method", "path"), DEEDS)
async def test_what_goes_on_is_stopped_by_its_principal_or_an_operator(here: World, method: str, path: str):
    own = await things(here)
    where = path.format_map(own)
    other = await key(here, "bob", "submit")
    refused = await other.ask(method, where)
    assert code_of(refused) == (403, "not_yours")
    assert "operate" in refused.json()["detail"]
    assert (await here.ann.get(f"/v1/turns/{own['turn']}")).json()["status"] == "live"
    assert (await here.ann.get(f"/v1/runs/{own['run']}")).json()["status"] == "ready"
    reader = await key(here, "ann", "read")
    assert code_of(await reader.ask(method, where)) == (403, "forbidden")
    same = await key(here, "ann", "submit")  # the principal counts, whichever of its keys it is
    assert (await same.ask(method, where)).is_success
    again = path.format_map(await things(here))
    operator = await key(here, "otto", "operate")
    assert (await operator.ask(method, again)).is_success


@pytest.mark.parametrize(("method", "path"), DEEDS)
async def test_another_tenants_operator_finds_nothing_to_stop(here: World, method: str, path: str):
    answer = await here.eve.ask(method, path.format_map(await things(here)))
    assert answer.status_code == 404


async def test_what_belongs_to_nobody_is_for_operators(here: World):
    conversation = await here.api.house.conductor.open_conversation(tenant="acme")
    run = await here.api.house.conductor.submit("ADD", {"a": 1}, tenant="acme")
    caller, operator = await key(here, "bob", "submit"), await key(here, "otto", "operate")
    for path in (f"/v1/conversations/{conversation}/cancel", f"/v1/runs/{run}/cancel"):
        assert code_of(await caller.post(path)) == (403, "not_yours")
        assert (await operator.post(path)).is_success


async def test_other_arguments_need_the_rights_that_the_run_has(here: World):
    dead = await here.died(here.ann, "TRADE", amount=1)
    operator = await key(here, "otto", "operate")
    edit = {"arguments": {"amount": 999_999}}
    for asking in (operator, await key(here, "ann", "operate"), await key(here, "otto", "admin")):
        answer = await asking.ask("PATCH", f"/v1/dead/{dead}", json=edit)
        assert code_of(answer) == (403, "not_yours")
    new = (await operator.post(f"/v1/dead/{dead}/replay")).json()["run"]  # as it was
    (claimed,) = await here.claim()
    assert claimed.id == new
    assert "999999" not in claimed.payload


async def test_who_is_another_principal_gives_no_other_arguments_whatever_it_may_do(here: World):
    dead = await here.died(here.ann)
    edit = {"arguments": {"mend": "glue"}}
    other = await key(here, "otto", "operate", permissions=("trade", "more"))
    refused = await other.ask("PATCH", f"/v1/dead/{dead}", json=edit)
    assert code_of(refused) == (403, "not_yours")
    assert "principal" in refused.json()["detail"]
    admin = await key(here, "otto", "admin", permissions=("trade",))
    assert (await admin.ask("PATCH", f"/v1/dead/{dead}", json=edit)).json()["edited"] is True


async def test_what_ran_for_nobody_is_given_other_arguments_by_an_admin_only(here: World):
    dead = await here.api.house.conductor.submit("GIVE_UP", {}, tenant="acme")
    assert await here.end("failed", {"error": "?", "code": "x"}) == [dead]
    edit = {"arguments": {"mend": "glue"}}
    for scope, status in (("operate", 403), ("admin", 200)):
        asking = await key(here, "otto", scope)
        assert (await asking.ask("PATCH", f"/v1/dead/{dead}", json=edit)).status_code == status


async def test_its_own_principal_with_the_rights_gives_other_arguments(here: World):
    dead = await here.died(here.ann, "TRADE", amount=1)
    trusted = await key(here, "ann", "operate", permissions=("trade", "more"))
    told = await trusted.ask("PATCH", f"/v1/dead/{dead}", json={"arguments": {"amount": 2}})
    assert (told.status_code, told.json()["edited"]) == (200, True)


async def test_in_a_conversation_a_replay_has_the_rights_of_that_so_these_are_asked_for(here: World):
    conversation = await here.ann.open()
    await here.ann.reply(conversation, "[ACTION:GIVE_UP]{}[/ACTION]")
    (dead,) = await here.end("failed", {"error": "?", "code": "x"})
    connection = here.api.store.connection
    await connection.redis.hset(f"{connection.prefix}c:{conversation}", "perm", "trade sign")
    body = {"arguments": {"mend": "glue"}}
    poor = await key(here, "ann", "operate", permissions=("trade",))
    assert code_of(await poor.ask("PATCH", f"/v1/dead/{dead}", json=body)) == (403, "not_yours")
    rich = await key(here, "ann", "operate", permissions=("trade", "sign"))
    assert (await rich.ask("PATCH", f"/v1/dead/{dead}", json=body)).status_code == 200
