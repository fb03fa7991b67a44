"""What was submitted over HTTP and run by a real worker: answered when it has ended, approved, mended, led on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import pytest

from model_under_test import ScriptedModel, text
from orchestrator.settings import Settings
from routes_under_test import MODULE, World, world
from workers_under_test import eventually, settings_of, start_worker

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    model = ScriptedModel()
    yield model
    model.close()


@pytest.fixture(scope="module")
def served(valkey: str, tmp_path_factory: pytest.TempPathFactory, model: ScriptedModel) -> Iterator[Settings]:
    """Settings of a namespace with a worker."""
    settings = settings_of(
        valkey, tmp_path_factory.mktemp("routes"), MODULE, model_url=model.url, concurrency=1
    )
    with start_worker(settings):
        yield settings


@pytest.fixture
async def here(served: Settings) -> AsyncIterator[World]:
    async with world(served) as made:
        yield made


async def test_a_run_is_answered_with_its_end_or_with_where_it_is(here: World):
    call = {"action": "ADD", "arguments": {"a": 20, "b": 22}}
    made = await here.ann.ask("POST", "/v1/runs", json=call, params={"wait": "30s"})
    assert (made.status_code, made.json()["status"], made.json()["result"]) == (200, "succeeded", 42)
    assert made.headers["Location"] == f"/v1/runs/{made.json()['run']}"
    assert made.headers["Content-Type"] == "application/json"
    began = time.monotonic()
    slow = {"action": "SLEEP", "arguments": {"seconds": 1}}
    late = await here.ann.ask("POST", "/v1/runs", json=slow, params={"wait": "200ms"})
    assert (late.status_code, set(late.json())) == (202, {"run", "url"})
    assert time.monotonic() - began < 0.9
    ended = await here.ann.get(late.json()["url"], wait="30s")
    assert (ended.status_code, ended.json()["result"]) == (200, "awake")
    assert ended.content == (await here.ann.get(late.json()["url"])).content


async def test_a_turn_is_answered_when_it_has_ended(here: World):
    conversation = await here.ann.open()
    posted = await here.ann.reply(conversation, "[ACTION:ADD]{a: 1}[/ACTION][ACTION:GIVE_UP]{}[/ACTION]")
    told = (await here.ann.get(posted.json()["url"], wait="30s")).json()
    assert told["status"] == "done"
    assert [run["status"] for run in told["runs"]] == ["succeeded", "failed"]


async def test_what_was_approved_runs_and_what_was_mended_succeeds(here: World):
    pay = await here.ann.run("PAY", amount=7)
    (wanted,) = (await here.bob.get("/v1/approvals")).json()["approvals"]
    await here.bob.post(f"/v1/runs/{pay}/approve", {"digest": wanted["digest"]})
    assert (await here.ann.get(f"/v1/runs/{pay}", wait="30s")).json()["result"] == 7
    dead = await here.ann.run("GIVE_UP")
    assert (await here.ann.get(f"/v1/runs/{dead}", wait="30s")).json()["status"] == "failed"
    await here.ann.ask("PATCH", f"/v1/dead/{dead}", json={"arguments": {"mend": "glue"}})
    new = (await here.bob.post(f"/v1/dead/{dead}/replay")).json()
    assert (await here.ann.get(new["url"], wait="30s")).json()["result"] == "glue"
    assert (await here.ann.get(f"/v1/runs/{dead}")).json()["replayed"] == new["run"]


async def test_a_message_is_answered_by_the_model(here: World, model: ScriptedModel):
    model.answer = lambda _: (200, text("Good evening."))
    conversation = await here.ann.open()
    said = await here.ann.post(f"/v1/conversations/{conversation}/messages", {"text": "Hello."})
    assert (await here.ann.get(said.json()["url"], wait="30s")).json()["status"] == "done"
    messages = (await here.ann.get(f"/v1/conversations/{conversation}/messages")).json()["messages"]
    assert [(each["role"], each["content"]) for each in messages] == [
        ("user", "Hello."),
        ("assistant", "Good evening."),
    ]


async def test_a_reply_that_waited_is_run_when_its_turn_comes(here: World):
    conversation = await here.ann.open()
    first = await here.ann.reply(conversation, "[ACTION:SLEEP]{seconds: 0.3}[/ACTION]")
    second = await here.ann.reply(conversation, "[ACTION:ADD]{a: 3}[/ACTION]")
    told = (await here.ann.get(second.json()["url"], wait="30s")).json()
    assert (told["status"], [run["result"] for run in told["runs"]]) == ("done", [3])
    assert (await here.ann.get(first.json()["url"])).json()["status"] == "done"


async def test_what_runs_is_stopped_by_a_cancel(here: World):
    run = await here.ann.run("SLEEP", seconds=60)

    async def runs() -> bool:
        return (await here.ann.get(f"/v1/runs/{run}")).json()["status"] == "running"

    await eventually(runs)
    await here.ann.post(f"/v1/runs/{run}/cancel")
    assert (await here.ann.get(f"/v1/runs/{run}", wait="10s")).json()["status"] == "cancelled"
    assert (await here.ann.post(f"/v1/runs/{run}/cancel")).json()["verdict"] == "cancelled"
