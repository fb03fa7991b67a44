"""What the process says of itself: alive whatever happens, ready with all that a submit needs."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from actions.definition import action
from actions.errors import StoreUnavailable
from api_under_test import api_in_process, bearer, make_key, registry_of
from orchestrator.api import probes
from orchestrator.settings import Settings
from orchestrator.store.health import Facts


@action("TRADE", queue="trading", permissions={"trade"})
async def trade() -> None:
    """Trade."""


@pytest.fixture
async def api(settings, monkeypatch):
    monkeypatch.setattr(probes, "_TRUSTED_S", 0.0)
    async with api_in_process(settings, registry_of(trade)) as made:
        yield made


async def ready(api):
    answer = await api.client.get("/readyz")
    told = answer.json()
    assert answer.status_code == (200 if told["ready"] else 503)
    for check in told["checks"]:
        assert check["ok"] or check["name"] in told["detail"]
    return {check["name"]: check["ok"] for check in told["checks"]}


async def tick(api, *queues: str):
    await api.store.connection.run("tick", 0, *queues)


async def test_it_is_ready_with_a_server_that_keeps_all_and_a_worker_for_each_queue(api):
    names = ["not_draining", "redis_writable", "noeviction", "append_only", "scripts"]
    workers = ["worker:trading", "worker:turns"]
    assert await ready(api) == dict.fromkeys(names, True) | dict.fromkeys(workers, False)
    await tick(api, "turns")
    assert await ready(api) == dict.fromkeys(names + workers, True) | {"worker:trading": False}
    await tick(api, "trading", "turns")
    assert await ready(api) == dict.fromkeys(names + workers, True)


async def test_it_is_not_ready_while_it_drains(api):
    await tick(api, "trading", "turns")
    api.service.drain()
    found = await ready(api)
    assert [name for name, ok in found.items() if not ok] == ["not_draining"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_head_is_answered_as_get_without_a_body(api, path):
    for status in (503, 200):
        if status == 200:
            await tick(api, "trading", "turns")
        got, head = await api.client.get(path), await api.client.head(path)
        assert head.status_code == got.status_code == (200 if path == "/livez" else status)
        assert head.content == b""
        del head.headers["x-request-id"], got.headers["x-request-id"]
        assert head.headers == got.headers
    assert (await api.client.post(path)).headers["allow"] == "GET, HEAD"
    assert (await api.client.head("/v1/runs")).status_code == 405


def facts(**given: object):
    return Facts(version="9", **given)


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        (facts(policy="allkeys-lru", append_only=True, append_only_works=True), ["noeviction"]),
        (facts(policy="noeviction", append_only=False, append_only_works=True), ["append_only"]),
        (facts(policy="noeviction", append_only=True, append_only_works=False), ["append_only"]),
        (facts(policy=None, append_only=None, append_only_works=None), []),
    ],
)
async def test_a_server_that_may_lose_what_was_accepted_is_not_ready(api, monkeypatch, told, missing):
    async def say():
        return told

    monkeypatch.setattr(api.store.health, "facts", say)
    await tick(api, "trading", "turns")
    assert [name for name, ok in (await ready(api)).items() if not ok] == missing


async def test_the_server_is_asked_for_its_true_facts(api):
    told = await api.store.health.facts()
    assert told.policy == "noeviction"
    assert told.append_only
    assert told.append_only_works
    assert told.version


async def test_scripts_are_loaded_when_they_are_missing(api):
    await api.store.health.load_scripts()
    assert await api.store.health.load_scripts() == 0


async def test_many_who_ask_are_one_look(settings, monkeypatch):
    looks = 0

    async with api_in_process(settings) as api:
        write = api.store.health.write

        async def counted():
            nonlocal looks
            looks += 1
            await write()

        monkeypatch.setattr(api.store.health, "write", counted)
        await asyncio.gather(*(api.client.get("/readyz") for _ in range(20)))
    assert looks == 1


async def test_without_redis_it_lives_and_measures_and_is_not_ready(tmp_path):
    settings = Settings.model_validate({"redis_url": "redis://:hunter2@127.0.0.1:1/0", "home": tmp_path})
    async with api_in_process(settings, registry_of(trade)) as api:
        async with asyncio.timeout(5):
            assert (await api.client.get("/livez")).text == "ok\n"
            answer = await api.client.get("/readyz")
            assert answer.status_code == 503
            assert {check["name"] for check in answer.json()["checks"] if check["ok"]} == {"not_draining"}
            assert "hunter2" not in answer.text
            assert "127.0.0.1" not in answer.text
            figures = await api.client.get("/metrics")
            refused = await api.client.get("/v1/runs", headers=bearer("umb_" + "x" * 12 + "_" + "y" * 43))
        assert figures.status_code == 200
        assert value(figures.text, "umbel_store_up") == 0
        assert refused.status_code in {404, 503}


def value(text, name, **labels: str):
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


async def test_figures_count_requests_by_route_and_never_name_a_tenant(api):
    key = await make_key(api.store, tenant="secretive", principal="ann")
    await api.client.get("/livez")
    await api.client.get("/livez")
    await api.client.get("/problems/validation")
    await api.client.get("/v1/none/such", headers=bearer(key))
    await api.client.request("BREW", "/livez")
    text = (await api.client.get("/metrics")).text
    assert value(text, "umbel_http_requests_total", route="/livez", method="GET", status="200") == 2
    assert value(text, "umbel_http_requests_total", route="/problems/{code}", status="200") == 1
    assert value(text, "umbel_http_requests_total", route="(none)", status="404") == 1
    assert value(text, "umbel_http_requests_total", method="other", status="405") == 1
    assert value(text, "umbel_http_request_seconds_count", route="/livez", method="GET") == 2
    assert value(text, "umbel_store_up") == 1
    assert value(text, "umbel_dead_runs") == 0
    assert value(text, "umbel_stuck_undos") == 0
    assert value(text, "umbel_streams_open") == 0
    assert "secretive" not in text
    assert "ann" not in text.replace("channel", "")


async def test_figures_tell_how_queues_stand(api):
    await tick(api, "trading", "turns")
    await api.house.conductor.submit("TRADE", principal="ann", permissions=("trade",))
    text = (await api.client.get("/metrics")).text
    assert value(text, "umbel_queue_runs", queue="trading", state="ready") == 1
    assert value(text, "umbel_queue_runs", queue="trading", state="running") == 0
    assert value(text, "umbel_queue_oldest_ready_seconds", queue="trading") >= 0
    assert value(text, "umbel_queue_worker_seen_seconds", queue="trading") < 10


async def hangs():
    await asyncio.sleep(timedelta(minutes=1).total_seconds())


async def test_a_store_that_hangs_is_told_within_one_time_for_all_questions(api, monkeypatch):
    monkeypatch.setattr(probes, "_TIMEOUT_S", 0.2)
    for what in ("write", "facts", "load_scripts"):
        monkeypatch.setattr(api.store.health, what, hangs)
    monkeypatch.setattr(api.store.queues, "seen", hangs)
    async with asyncio.timeout(0.5):
        found = await ready(api)
    assert (await api.client.get("/readyz")).text.count("the store does not say") == 1
    assert [name for name, ok in found.items() if ok] == ["not_draining"]
    assert len(found) == 7


async def test_a_store_that_hangs_does_not_hold_up_a_scrape(api, monkeypatch):

    monkeypatch.setattr(api.store.health, "resting", hangs)
    monkeypatch.setattr("orchestrator.api.metrics._STORE_S", 0.05)
    assert value((await api.client.get("/metrics")).text, "umbel_store_up") == 0


async def test_a_store_that_cannot_be_written_is_not_ready(api, monkeypatch):
    async def full():
        raise StoreUnavailable("Redis has no memory left", where="redis://10.1.2.3")

    monkeypatch.setattr(api.store.health, "write", full)
    assert not (await ready(api))["redis_writable"]
