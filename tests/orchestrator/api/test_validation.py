"""What does not fit of a request is said in our own words, the first flaw before all; so is what was never there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api_under_test import Api, api_in_process, bearer, make_key
from orchestrator.settings import Settings
from routes_under_test import REGISTRY


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with api_in_process(settings, REGISTRY, insecure=True) as made:
        yield made


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"action": "ADD", "args": {}},
            "args: is unknown; known are action, arguments, deadline, delay, retry, runs, timeout",
        ),
        ({"args": {}}, "action: is missing; and 1 more"),
        ([], "the body: an object is wanted"),
        (None, "the body: is missing"),
        ({"action": 5}, "action: a text is wanted"),
        ({"action": ""}, "action: is empty"),
        (
            {"action": "ADD", "retry": "3"},
            'retry: it is how many (a whole number), or an object with "retries"',
        ),
        ({"action": "ADD", "retry": {"retries": "3"}}, "retry.retries: a whole number is wanted"),
        (
            {"action": "ADD", "retry": {"retries": 1, "max": 3}},
            "retry.max: is unknown; known are cap, factor, initial, retries",
        ),
        ({"action": "ADD", "retry": 1_001}, "retry: at most 1000 is wanted"),
        (
            {"runs": [{"action": "ADD"}, {"action": "ADD", "dely": 1}]},
            "runs.1.dely: is unknown; known are action, arguments, deadline, delay, retry, timeout",
        ),
        ({"runs": []}, "runs: is empty"),
    ],
)
async def test_a_body_that_does_not_fit_hears_the_first_flaw(api: Api, body: Any, detail: str):
    given = {} if body is None else {"json": body}
    answer = await api.client.post("/v1/runs", **given)
    told = answer.json()
    assert (answer.status_code, told["code"], told["detail"]) == (422, "validation", detail)
    assert told["errors"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "limit: at least 1 is wanted"),
        ("limit=x", "limit: a whole number is wanted"),
        ("since=2h", "since: a time is written as 2026-01-31T12:00:00Z, with its zone"),
        (
            "stat=1",
            "stat: is unknown; known are action, before, conversation, cursor, limit, principal, queue, since, status",
        ),
    ],
)
async def test_a_parameter_that_does_not_fit_hears_why(api: Api, query: str, detail: str):
    told = (await api.client.get(f"/v1/runs?{query}")).json()
    assert (told["code"], told["detail"]) == ("validation", detail)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/run", "GET /docs shows all"),
        ("/v1/runs/", "GET /docs shows all"),
        ("/v1/runs/turn_x", "Ids in paths begin with"),
        ("/v1/actions/NOPE", "there is no action 'NOPE'; there are ADD"),
        ("/problems/nope", "No kind of problem has this code."),
    ],
)
async def test_what_never_was_does_not_read_like_a_lost_record(api: Api, path: str, words: str):
    answer = await api.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert words in answer.json()["detail"]


async def test_an_unknown_limit_is_told_from_a_lost_record(api: Api):
    for answer in (
        await api.client.put("/v1/limits/nope", json={"n": 1, "per": "1s"}),
        await api.client.delete("/v1/limits/nope"),
    ):
        assert answer.json()["detail"].startswith("No limit has the name 'nope'")


async def test_the_root_leads_to_the_page_and_pages_answer_to_head(api: Api):
    root = await api.client.get("/")
    assert (root.headers["location"], root.json()["openapi"]) == ("/docs", "/openapi.json")
    for path in ("/", "/docs", "/openapi.json"):
        assert (await api.client.head(path)).status_code < 400, path


async def test_who_is_not_let_in_hears_how_to_get_a_key_and_nothing_of_keys_that_there_are(
    settings: Settings,
):
    async with api_in_process(settings, REGISTRY) as api:
        key = await make_key(api.store)

        async def told(**headers: str) -> str:
            answer = await api.client.get("/v1/runs", headers=headers)
            assert answer.status_code == 401
            return answer.json()["detail"]

        none, malformed = await told(), await told(**bearer("umb_nonsense"))
        assert none.startswith("No key was sent.")
        assert malformed.startswith("What was sent has not the form of a key.")
        assert malformed == await told(Authorization=f"Basic {key}")
        wrong = await told(**bearer(key[:-5] + ("aaaaa" if key[-5:] != "aaaaa" else "bbbbb")))
        assert wrong == await told(**bearer("umb_" + "x" * 12 + "_" + "y" * 43))
        assert wrong.startswith("This key opens nothing")
        assert all("umbel keys create" in text for text in (none, malformed, wrong))


async def test_a_run_says_first_what_it_is_and_what_came_of_it(api: Api):
    made = await api.client.post("/v1/runs", json={"action": "ADD", "arguments": {"a": 1}})
    told = (await api.client.get(made.json()["url"])).json()
    assert list(told)[:5] == ["run", "action", "status", "result", "error"]


async def test_very_many_unknown_names_are_told_of_with_a_few(api: Api):
    many = {f"k{at}": 1 for at in range(6_000)}
    fields = await api.client.post("/v1/runs", json={"action": "ADD", "arguments": {"a": 1}, **many})
    assert fields.status_code == 422
    assert len(fields.json()["errors"]) == 20
    assert fields.json()["detail"].startswith("k0: is unknown; known are action,")
    wrong = await api.client.post("/v1/runs", json={**many, "action": 5})
    assert wrong.json()["errors"][0]["pointer"] == "/action"
    arguments = await api.client.post("/v1/runs", json={"action": "ADD", "arguments": {"a": 1, **many}})
    assert arguments.status_code == 422
    assert arguments.json()["detail"] == "the arguments have 6,000 problems; known arguments are a, b"


async def test_a_reply_of_too_many_parts_is_refused(api: Api):
    made = (await api.client.post("/v1/conversations", json={})).json()["conversation"]
    kind = {"Content-Type": "application/json"}
    body = b'{"choices":[' + b"1," * 200_000 + b"1]}"
    answer = await api.client.post(f"/v1/conversations/{made}/replies", content=body, headers=kind)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
