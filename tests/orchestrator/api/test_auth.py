"""Who may come in: every route of the app is asked without a key, with wrong ones, and with another tenant's.

Routes are taken from the app itself, so one that is new is asked as well; one that is open has to be in OPEN.
"""

import re
import secrets
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api_under_test import api_in_process, bearer, make_key, registry_of
from orchestrator import keyring
from orchestrator.api import known_keys
from orchestrator.api.guarding import GuardedRoute
from orchestrator.keyring import SCOPES, granted

OPEN = {"/", "/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/problems/{code}"}
"""What needs no key: nothing of a tenant is behind it."""
HOUSE = {"/v1/actions/{name}", "/v1/limits/{name}"}
"""Paths that name what belongs to the house, not to a tenant."""
BODIES = {
    ("POST", "/v1/conversations"): {},
    ("POST", "/v1/conversations/{conversation_id}/messages"): {"text": "hello"},
    ("POST", "/v1/conversations/{conversation_id}/replies"): {"choices": [{"message": {"content": "hello"}}]},
    ("POST", "/v1/runs"): {"action": "ADD", "arguments": {"a": 1, "b": 2}},
    ("POST", "/v1/runs/{run_id}/deny"): {"reason": "no"},
    ("POST", "/v1/dead/replay"): {"all": True},
    ("POST", "/v1/dead/discard"): {"all": True},
    ("PATCH", "/v1/dead/{run_id}"): {"arguments": {"a": 1, "b": 2}},
    ("PUT", "/v1/limits/{name}"): {"n": 1, "per": "1s"},
}
"""Good bodies, where a route takes one."""


@pytest.fixture
async def api(settings, monkeypatch):
    monkeypatch.setattr(known_keys, "KEPT_S", 0.0)
    async with api_in_process(settings, registry_of()) as made:
        yield made


def routes(api):
    """Every route of the app with each of its methods."""
    return [(method, route) for route in api.app.routes for method in sorted(route.methods)]


def guarded(api):
    return [(method, route) for method, route in routes(api) if getattr(route, "scopes", None)]


def path_of(route, **ids: str) -> str:
    """The route's path with these ids in it, or with ones that nothing has."""
    given = {
        "conversation_id": "conv_aNowhere",
        "turn_id": "turn_aNowhere",
        "run_id": "run_aNowhere",
        "name": "ADD",
        "code": "internal",
    } | ids
    return re.sub(r"\{(\w+)\}", lambda found: given[found[1]], route.path_format)


async def ask(api, method, route, key, **ids: str) -> httpx.Response:
    given = BODIES.get((method, route.path_format))
    headers = {} if key is None else {"Authorization": key if " " in key else f"Bearer {key}"}
    return await api.client.request(method, path_of(route, **ids), json=given, headers=headers)


def test_every_route_is_guarded_or_known_to_be_open():
    """A route that somebody forgot to guard is found here, by its path."""
    from orchestrator.api.app import create_app
    from orchestrator.assembly import build
    from orchestrator.settings import Settings

    app = create_app(build(Settings.model_validate({"redis_url": "redis://127.0.0.1:1"}), registry_of()))
    assert {route.path for route in app.routes if not getattr(route, "scopes", None)} == OPEN
    assert all(isinstance(route, GuardedRoute) for route in app.routes)
    assert len(app.routes) > 30


async def test_no_route_answers_without_a_good_key(api):
    key = await make_key(api.store)
    key_id, secret = keyring.parse(key)
    over = await make_key(api.store, expires=datetime.now(UTC) + timedelta(hours=1))
    record = await api.store.api_keys.get(keyring.parse(over)[0])
    await api.store.api_keys.remove(record.id, {})
    await api.store.api_keys.put(type(record)(**_fields(record) | {"expires_ms": 1}), {})
    revoked = await make_key(api.store)
    await keyring.revoke(api.store, keyring.parse(revoked)[0], by="the tests")
    wrong = {
        "none": None,
        "malformed": "umb_nonsense",
        "empty": "",
        "another scheme": f"Basic {key}",
        "no scheme": f" {key}",
        "two": f"Bearer {key}, Bearer {key}",
        "a wrong secret": f"umb_{key_id}_{secret[:-1]}{'a' if secret[-1] != 'a' else 'b'}",
        "an unknown id": f"umb_{secrets.token_hex(6)}_{secret}",
        "revoked": revoked,
        "expired": over,
    }
    for method, route in guarded(api):
        for what, shown in wrong.items():
            answer = await ask(api, method, route, shown)
            assert answer.status_code == 401, (method, route.path, what)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["code"] == "unauthorised"
            assert secret not in answer.text


def _fields(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


async def test_no_route_answers_to_a_key_without_its_scope(api):
    keys = {scope: await make_key(api.store, scopes=(scope,)) for scope in SCOPES}
    refused = 0
    for method, route in guarded(api):
        for scope, key in keys.items():
            if route.scopes & granted([scope]):
                continue
            refused += 1
            answer = await ask(api, method, route, key)
            assert answer.status_code == 403, (method, route.path, scope)
            assert answer.json()["code"] == "forbidden"
    assert refused > 30


async def _things(api, key):
    """A conversation with a turn, and runs: one that lives, one that came to a bad end, one whose undo failed."""
    shown = bearer(key)
    opened = await api.client.post("/v1/conversations", json={"context": {"secretive": 1}}, headers=shown)
    conversation = opened.json()["conversation"]
    call = {"id": "c1", "type": "function", "function": {"name": "ADD", "arguments": '{"a": 1, "b": 2}'}}
    reply = {"choices": [{"message": {"role": "assistant", "content": "secretive", "tool_calls": [call]}}]}
    posted = await api.client.post(f"/v1/conversations/{conversation}/replies", json=reply, headers=shown)
    runs = [
        (
            await api.client.post(
                "/v1/runs", json={"action": "ADD", "arguments": {"a": 1, "b": 2}}, headers=shown
            )
        )
        for _ in range(3)
    ]
    alive, dead, stuck = (run.json()["run"] for run in runs)
    prefix = api.store.connection.prefix
    at = int(datetime.now(UTC).timestamp() * 1e6)
    await api.store.connection.ask(
        ["HSET", f"{prefix}r:{dead}", "s", "failed", "r", '{"error": "secretive"}'],
        ["ZADD", f"{prefix}dead", at, dead],
        ["HSET", f"{prefix}r:{stuck}", "s", "succeeded", "undo", "failed", "ue", '{"error": "secretive"}'],
        ["ZADD", f"{prefix}stuck", at, stuck],
    )
    return {
        "conversation": conversation,
        "turn": posted.json()["turn"],
        "alive": alive,
        "dead": dead,
        "stuck": stuck,
    }


def _ids(route, things) -> dict[str, str]:
    """Which of the things stands in the route's path."""
    which = "dead" if "/dead/" in route.path else "stuck" if "/undos/" in route.path else "alive"
    return {"conversation_id": things["conversation"], "turn_id": things["turn"], "run_id": things[which]}


def _same(one: httpx.Response, other: httpx.Response, ids, nothing) -> bool:
    """Whether two answers are the same but for the ids that were asked for."""

    def told(answer, names):
        text = answer.text
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, "ID")
        found = httpx.Response(200, text=text).json()
        return answer.status_code, {key: value for key, value in found.items() if key != "request_id"}

    return told(one, ids) == told(other, nothing)


async def test_what_is_another_tenants_answers_as_what_is_not_there(api):
    own, other = await make_key(api.store, tenant="a"), await make_key(api.store, tenant="b")
    things = await _things(api, own)
    nothing = {"conversation_id": "conv_aNowhere", "turn_id": "turn_aNowhere", "run_id": "run_aNowhere"}
    asked = 0
    for method, route in guarded(api):
        if "{" not in route.path or route.path in HOUSE:
            continue
        asked += 1
        ids = _ids(route, things)
        answer = await ask(api, method, route, other, **ids)
        absent = await ask(api, method, route, other, **nothing)
        assert answer.status_code == 404, (method, route.path, answer.text)
        assert _same(answer, absent, ids.values(), nothing.values()), (answer.text, absent.text)
    assert asked > 20
    for method, route in guarded(api):
        if method == "GET" and not route.path.endswith("/events"):
            answer = await ask(api, method, route, own, **_ids(route, things))
            assert answer.status_code == 200, (route.path, answer.text)


async def test_no_list_shows_what_is_another_tenants(api):
    own, other = await make_key(api.store, tenant="a"), await make_key(api.store, tenant="b")
    things = await _things(api, own)
    for method, route in guarded(api):
        if "{" in route.path:
            continue
        answer = await ask(api, method, route, other)
        assert answer.status_code < 300, (method, route.path, answer.text)
        assert not [name for name in [*things.values(), "secretive"] if name in answer.text], route.path


async def test_nothing_of_another_tenant_changes(api):
    own, other = await make_key(api.store, tenant="a"), await make_key(api.store, tenant="b")
    things = await _things(api, own)
    before = await _dump(api, things)
    for method, route in guarded(api):
        if method != "GET":
            await ask(api, method, route, other, **_ids(route, things))
    assert await _dump(api, things) == before


async def _dump(api, things):
    prefix = api.store.connection.prefix
    runs = [things[name] for name in ("alive", "dead", "stuck")]
    return await api.store.connection.ask(
        *(["HGETALL", f"{prefix}r:{run}"] for run in runs),
        ["HGETALL", f"{prefix}t:{things['turn']}"],
        ["HGETALL", f"{prefix}c:{things['conversation']}"],
        ["ZRANGE", f"{prefix}dead", 0, -1],
        ["ZRANGE", f"{prefix}stuck", 0, -1],
    )


async def test_a_revoked_key_is_heard_of_within_a_second(settings, monkeypatch):
    async with api_in_process(settings) as api:
        key = await make_key(api.store)
        assert (await api.client.get("/v1/runs", headers=bearer(key))).status_code == 200
        await keyring.revoke(api.store, keyring.parse(key)[0], by="the tests")
        assert (await api.client.get("/v1/runs", headers=bearer(key))).status_code == 200
        monkeypatch.setattr(known_keys, "KEPT_S", 0.0)  # as if that second were over
        assert (await api.client.get("/v1/runs", headers=bearer(key))).status_code == 401


async def test_a_key_that_was_made_just_now_opens_at_once(api):
    unknown = f"umb_{secrets.token_hex(6)}_{'x' * 43}"
    assert (await api.client.get("/v1/runs", headers=bearer(unknown))).status_code == 401
    assert (await api.client.get("/v1/runs", headers=bearer(await make_key(api.store)))).status_code == 200


async def test_a_key_that_asks_too_often_is_told_when_to_come_again(api):
    key = await make_key(api.store, rate="2/1m")
    other = await make_key(api.store)
    answers = [await api.client.get("/v1/runs", headers=bearer(key)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "rate_limited"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert (await api.client.get("/v1/runs", headers=bearer(other))).status_code == 200


async def test_the_settings_bound_keys_without_a_rate_of_their_own(settings):
    async with api_in_process(settings.model_copy(update={"api_rate": "1/1m"})) as api:
        key, own = await make_key(api.store), await make_key(api.store, rate="5/1m")
        assert [(await api.client.get("/v1/runs", headers=bearer(key))).status_code for _ in "ab"] == [
            200,
            429,
        ]
        assert [(await api.client.get("/v1/runs", headers=bearer(own))).status_code for _ in "ab"] == [
            200,
            200,
        ]


async def test_an_open_api_needs_no_key(settings):
    async with api_in_process(settings, insecure=True) as api:
        answer = await api.client.post("/v1/runs", json={"action": "ADD", "arguments": {"a": 1, "b": 2}})
        assert answer.status_code == 202
        told = (await api.client.get(f"/v1/runs/{answer.json()['run']}")).json()
        assert (told["principal"], told["tenant"]) == ("local", "")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.com"},
        {"Host": "evil.example.com:8700"},
        {"Host": "127.0.0.1.evil.example.com"},
        {"Host": ""},
        {"Host": "[::"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
    ],
)
async def test_an_open_api_does_not_answer_to_pages_of_elsewhere(settings, headers):
    async with api_in_process(settings, insecure=True) as api:
        answer = await api.client.get("/v1/runs", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        for fine in ({"Host": "localhost:8700"}, {"Host": "[::1]:8700"}, {"Origin": "http://127.0.0.1:3000"}):
            assert (await api.client.get("/v1/runs", headers=fine)).status_code == 200


async def test_no_secret_stands_in_a_log(api, caplog):
    for name in (None, "umbel.api"):  # another test of the same process may have hushed it
        caplog.set_level("DEBUG", logger=name)
    key = await make_key(api.store)
    await api.client.get("/v1/runs", headers=bearer(key))
    await api.client.get(f"/v1/runs?key={key}", headers=bearer(key + "x"))
    secret = keyring.parse(key)[1]
    ours = [record for record in caplog.records if record.name.startswith("umbel")]
    assert ours
    assert not [record for record in ours if secret in record.getMessage()]
    assert secret not in repr(keyring.caller_of(await api.store.api_keys.get(keyring.parse(key)[0])))
