"""Single runs over HTTP: submitted once under a key, in batches whole or not at all, listed page by page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator import cursors
from orchestrator.settings import Settings
from routes_under_test import World, code_of, world

ADD = {"action": "ADD", "arguments": {"a": 1, "b": 2}}
FAR = cursors.encode("runs", "9" * 30 + "-0", "acme", 0)


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[World]:
    async with world(settings) as made:
        yield made


async def count(here: World) -> int:
    return len((await here.ann.get("/v1/runs", limit=200)).json()["runs"])


# One


async def test_a_submitted_run_is_told_by_its_id_and_where_it_is_read(here: World):
    made = await here.ann.post("/v1/runs", ADD)
    run = made.json()["run"]
    assert (made.status_code, made.json()) == (202, {"run": run, "url": f"/v1/runs/{run}"})
    assert made.headers["Location"] == f"/v1/runs/{run}"
    assert "Idempotency-Replayed" not in made.headers
    read = (await here.ann.get(made.headers["Location"])).json()
    assert (read["run"], read["action"], read["status"]) == (run, "ADD", "ready")
    assert read["arguments"] == {"a": "1", "b": "•••"}


async def test_a_run_is_read_with_the_fields_that_umbel_show_tells(here: World):
    from pydantic_core import to_json

    run = await here.ann.run(a=1)
    told = await here.api.house.conductor.read(run)
    assert (await here.ann.get(f"/v1/runs/{run}")).json() == json.loads(to_json(told))


async def test_the_same_key_and_body_are_one_run(here: World):
    first, again = [await here.ann.post("/v1/runs", ADD, key="k") for _ in range(2)]
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    await here.end()
    late = await here.ann.post("/v1/runs", ADD, key="k")  # after its end, too
    assert late.content == first.content
    assert await count(here) == 1


async def test_the_same_key_with_another_body_is_a_conflict(here: World):
    assert (await here.ann.post("/v1/runs", ADD, key="k")).status_code == 202
    for other in (
        {"action": "ADD", "arguments": {"a": 2}},
        ADD | {"delay": "1s"},
        {"action": "SLEEP", "arguments": {"seconds": 1}},
        {"runs": [ADD]},
        {"runs": [ADD, ADD]},
    ):
        assert code_of(await here.ann.post("/v1/runs", other, key="k")) == (422, "idempotency_conflict")
    assert await count(here) == 1


async def test_many_at_once_under_one_key_are_one_run_and_one_of_them_is_the_first(here: World):
    made = await asyncio.gather(*(here.ann.post("/v1/runs", ADD, key="k") for _ in range(20)))
    assert len({answer.content for answer in made}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in made) == 1


async def test_a_key_is_the_tenants_own(here: World):
    own, theirs = [await caller.post("/v1/runs", ADD, key="k") for caller in (here.ann, here.eve)]
    assert own.json() != theirs.json()
    assert code_of(await here.bob.post("/v1/runs", ADD, key="k")) == (422, "idempotency_conflict")


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9".encode(), "a\tb"])
async def test_a_key_that_is_none_is_refused(here: World, key: Any):
    made = await here.ann.ask("POST", "/v1/runs", json=ADD, headers={"Idempotency-Key": key})
    assert code_of(made) == (422, "validation")
    assert await count(here) == 0


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"action": "ADD", "arguments": {"a": "x"}}, "invalid_arguments", "/arguments/a"),
        ({"action": "ADD"}, "invalid_arguments", "/arguments/a"),
        ({"action": "NOPE"}, "unknown_action", "/action"),
        ({"action": "MARK"}, "chain_only", "/action"),
        ({"action": "ADD", "arguments": []}, "validation", "/arguments"),
        ({"action": ""}, "validation", "/action"),
        ({"action": 5}, "validation", "/action"),
        ({}, "validation", "/action"),
        (ADD | {"delay": "soon"}, "validation", "/delay"),
        (ADD | {"delay": -1}, "validation", "/delay"),
        (ADD | {"delay": 1e300}, "validation", "/delay"),
        (ADD | {"delay": "99999999999999d"}, "validation", "/delay"),
        (ADD | {"timeout": True}, "validation", "/timeout"),
        (ADD | {"deadline": "2026-01-01T00:00:00"}, "validation", "/deadline"),
        (ADD | {"deadline": "9999-01-01T00:00:00Z"}, "validation", "/deadline"),
        (ADD | {"retry": 10**30}, "validation", "/retry"),
        (ADD | {"retry": "3"}, "validation", "/retry"),
        (ADD | {"retry": {"retries": 1, "factor": 0.5}}, "validation", "/retry/factor"),
        (ADD | {"priority": "high"}, "validation", "/priority"),
    ],
)
async def test_what_is_wrong_with_a_call_is_said_where_it_is(
    here: World, body: dict[str, Any], code: str, pointer: str
):
    answer = await here.ann.post("/v1/runs", body)
    assert code_of(answer) == (422, code), answer.text
    assert pointer in [each["pointer"] for each in answer.json()["errors"]], answer.text
    assert await count(here) == 0


async def test_numbers_that_no_record_holds_are_refused(here: World):
    for digits in (400, 5_000):
        content = b'{"action": "ADD", "arguments": {"a": %s}}' % (b"9" * digits)
        answer = await here.ann.ask(
            "POST", "/v1/runs", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in {202, 400, 422}, answer.text
        if answer.status_code == 202:
            assert (await here.ann.get(answer.headers["Location"])).status_code == 200
    for text in (
        b'{"a": 1e400}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'"\\ud800"',
        b"[" * 100_000,
        b'{"a": ',
    ):
        answer = await here.ann.ask(
            "POST", "/v1/runs", content=text, headers={"Content-Type": "application/json"}
        )
        assert code_of(answer) == (400, "malformed_json"), answer.text


async def test_retries_deadline_delay_and_timeout_reach_the_run(here: World):
    asked = ADD | {"retry": {"retries": 2}, "deadline": "2199-01-01T00:00:00Z", "delay": "1h", "timeout": 5}
    run = (await here.ann.post("/v1/runs", asked)).json()["run"]
    told = (await here.ann.get(f"/v1/runs/{run}")).json()
    assert (told["status"], told["why"], told["most_attempts"]) == ("waiting", "delay", 3)
    assert told["deadline"].startswith(("2198-12-31", "2199-01-01"))


# Many


async def test_a_batch_is_recorded_in_its_order(here: World):
    calls = [{"action": "ADD", "arguments": {"a": at}} for at in range(1_000)]
    made = await here.ann.post("/v1/runs", {"runs": calls}, key="many")
    assert made.status_code == 202
    runs = [each["run"] for each in made.json()["runs"]]
    assert len(set(runs)) == 1_000
    told = [
        (await here.ann.get(f"/v1/runs/{runs[at]}")).json()["arguments"]["a"] for at in (0, 499, 500, 999)
    ]
    assert told == ["0", "499", "500", "999"]
    again = await here.ann.post("/v1/runs", {"runs": calls}, key="many")
    assert again.content == made.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await here.ann.post("/v1/runs", {"runs": [*calls[:-1], ADD]}, key="many")
    assert code_of(other) == (422, "idempotency_conflict")
    assert code_of(await here.ann.post("/v1/runs", {"runs": calls[:3]}, key="many")) == (
        422,
        "idempotency_conflict",
    )
    assert code_of(await here.ann.post("/v1/runs", calls[0], key="many")) == (422, "idempotency_conflict")


async def test_a_batch_with_bad_calls_records_none_and_tells_all_of_them(here: World):
    calls: list[Any] = [ADD] * 30
    calls[3] = {"action": "ADD", "arguments": {"a": "x", "c": 1}}
    calls[7] = {"action": "NOPE"}
    calls[20] = {"action": "TRADE", "arguments": {"amount": 1}}
    calls[29] = ADD | {"timeout": 0}
    answer = await here.bob.post("/v1/runs", {"runs": calls})
    assert code_of(answer) == (422, "validation")
    told = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
    assert told == [
        ("/runs/3/arguments/a", "invalid_arguments"),
        ("/runs/3/arguments/c", "invalid_arguments"),
        ("/runs/7/action", "unknown_action"),
        ("/runs/20/action", "forbidden_action"),
        ("/runs/29", "declaration"),
    ]
    assert await count(here) == 0
    assert len(await here.audit("asked")) == 4


async def test_of_very_many_bad_calls_twenty_are_told(here: World):
    answer = await here.ann.post("/v1/runs", {"runs": [{"action": "NOPE"}] * 1_000})
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/runs/{at}/action" for at in range(20)]


@pytest.mark.parametrize("runs", [[], [ADD] * 1_001, ADD, [5], None])
async def test_what_is_no_batch_is_refused(here: World, runs: Any):
    answer = await here.ann.post("/v1/runs", {"runs": runs})
    assert code_of(answer) == (422, "validation")
    assert answer.json()["errors"][0]["pointer"].startswith("/runs")


async def test_batches_at_once_under_one_key_are_one(here: World):
    made = await asyncio.gather(*(here.ann.post("/v1/runs", {"runs": [ADD] * 30}, key="k") for _ in range(8)))
    assert len({answer.content for answer in made}) == 1
    assert await count(here) == 30


# Lists


async def test_pages_hold_each_run_once_newest_first(here: World):
    runs = [await here.ann.run(a=at) for at in range(7)]
    found: list[str] = []
    cursor = ""
    while True:
        page = (await here.ann.get("/v1/runs", limit=3, cursor=cursor)).json()
        found += [each["run"] for each in page["runs"]]
        assert len(page["runs"]) <= 3
        if page["next"] is None:
            break
        await here.ann.run(a=100)  # what comes meanwhile moves nothing
        cursor = page["next"]
    assert found == list(reversed(runs))


async def test_filters_narrow_the_list(here: World):
    done = await here.ann.run(a=1)
    await here.end(result=1)
    other = await here.bob.run("SLEEP", seconds=1)

    async def found(**params: Any) -> list[str]:
        answer = await here.ann.get("/v1/runs", **params)
        assert answer.status_code == 200, answer.text
        return [each["run"] for each in answer.json()["runs"]]

    assert await found(status="succeeded") == [done]
    assert await found(status=["ready", "succeeded"]) == [other, done]
    assert await found(action="sum") == [done]
    assert await found(principal="bob") == [other]
    assert await found(queue="nowhere") == []
    assert await found(conversation="conv_x") == []
    assert await found(since="2100-01-01T00:00:00Z") == []
    assert await found(before="2100-01-01T00:00:00Z") == [other, done]


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 10**40}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"status": "gone"}, "status"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"stauts": "ready"}, "stauts"),
        ({"tenant": "evil"}, "tenant"),
    ],
)
async def test_parameters_that_are_wrong_are_named(here: World, params: dict[str, Any], parameter: str):
    answer = await here.ann.get("/v1/runs", **params)
    assert code_of(answer) == (422, "validation")
    assert [each["parameter"] for each in answer.json()["errors"]] == [parameter]


@pytest.mark.parametrize("cursor", ["x", "!!", "e30", "W10", "A" * 1_000, FAR, "bnVsbA"])
async def test_cursors_that_nobody_gave_are_refused(here: World, cursor: str):
    for path in ("/v1/runs", "/v1/dead"):
        answer = await here.ann.get(path, cursor=cursor)
        assert code_of(answer) == (422, "invalid_cursor"), answer.text


async def test_another_tenants_cursor_leads_to_nothing_of_theirs(here: World):
    for at in range(3):
        await here.ann.run(a=at)
    cursor = (await here.ann.get("/v1/runs", limit=1)).json()["next"]
    answer = await here.eve.get("/v1/runs", cursor=cursor)
    assert answer.status_code == 422 or answer.json()["runs"] == []


async def test_a_deadline_that_is_a_wait_is_none(here: World):
    run = await here.ann.run(a=1)
    for wait in ("x", "-1s", "1", "9" * 19):
        assert code_of(await here.ann.get(f"/v1/runs/{run}", wait=wait)) == (422, "validation")
    assert (await here.ann.get(f"/v1/runs/{run}", wait="10ms")).json()["status"] == "ready"
    made = await here.ann.ask("POST", "/v1/runs", json=ADD, params={"wait": "10ms"})
    assert (made.status_code, set(made.json())) == (202, {"run", "url"})
