"""What a request brings is bounded and strict, and whatever goes wrong is a problem without a secret in it."""

import asyncio
import json
import logging

import pytest
from fastapi import Request
from pydantic import BaseModel, ConfigDict

from actions.errors import StoreUnavailable, UnknownRecord
from api_under_test import api_in_process, bearer, make_key
from orchestrator.api import bounds
from orchestrator.api.auth import Submitter
from orchestrator.api.bounds import allow
from orchestrator.api.conventions import IdempotencyKey, Trace
from orchestrator.api.guarding import Router
from orchestrator.api.problems import Problem
from orchestrator.api.strictness import strict_json

SECRET = "password=hunter2"
routes = Router()


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    many: int = 0
    deep: object = None


@routes.post("/v1/things")
async def make(thing: Thing, caller: Submitter, key: IdempotencyKey, trace: Trace) -> dict:
    return {"name": thing.name, "many": thing.many, "key": key, "trace": trace, "by": caller.name}


@routes.post("/v1/raw")
async def raw(request: Request, caller: Submitter) -> int:
    return len(await request.body())


@routes.get("/v1/things/{thing}")
async def look(thing: str, caller: Submitter) -> None:
    if thing == "gone":
        raise UnknownRecord("there is none", where=thing)
    if thing == "redis":
        raise StoreUnavailable("Redis does not answer", where="redis://:hunter2@10.1.2.3:6379")
    if thing == "broken":
        raise ValueError(SECRET)
    await asyncio.sleep(30)


@routes.get("/v1/waits/{seconds}")
async def wait(request: Request, seconds: float, caller: Submitter) -> str:
    allow(request, seconds)
    await asyncio.sleep(0.3)
    return "waited"


@pytest.fixture
async def api(settings):
    async with api_in_process(settings.model_copy(update={"api_body_cap": 1_024})) as made:
        made.app.routes.extend(routes.routes)
        made.client.headers.update(bearer(await make_key(made.store, principal="ann")))
        yield made


def problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert {"type", "title", "status", "detail", "code", "instance", "request_id"} <= set(told)
    assert (told["status"], told["code"], told["type"]) == (status, code, f"/problems/{code}")
    assert told["request_id"] == answer.headers["x-request-id"]
    return told


async def test_a_good_request_is_answered(api):
    answer = await api.client.post("/v1/things", json={"name": "x", "many": 3})
    assert answer.json() == {"name": "x", "many": 3, "key": None, "trace": "", "by": "ann"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"name": NaN}',
        b'{"name": "x", "deep": 1e999}',
        b'{"name": "x", "deep": -1E+0400}',
        b'{"name": "x", "deep": [' + b"9" * 400 + b".5]}",
        b'{"name": "x", "deep": Infinity}',
        b"\xff\xfe",
        b'\xef\xbb\xbf{"name": "x"}',
        b'{"name": "\\ud800"}',
        b"[" * 900,
        b'{"name": "x"} {}',
    ],
)
async def test_what_is_no_json_is_refused(api, body):
    answer = await api.client.post("/v1/things", content=body, headers={"Content-Type": "application/json"})
    if body:
        problem(answer, 400, "malformed_json")
    else:
        problem(answer, 422, "validation")


async def test_a_huge_whole_number_is_no_failure(api):
    body = b'{"name": "x", "many": ' + b"9" * 900 + b"}"
    answer = await api.client.post("/v1/things", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["many"] == int("9" * 900)


async def test_deep_json_is_refused_and_shallow_json_is_not(api):
    for depth, status in ((150, 200), (250, 400)):
        body = b'{"name": "x", "deep": ' + b"[" * depth + b"]" * depth + b"}"
        answer = await api.client.post(
            "/v1/things", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * 125_000 + b"1]",
        b"{" + b",".join(b'"k%d":1' % at for at in range(250_000)) + b"}",
        b'{"a":[' + b"1," * 250_000 + b"1]}",
        b'["\\"",' * 125_000,
    ],
)
def test_a_body_of_too_many_parts_is_refused_before_it_is_read(body):
    with pytest.raises(Problem) as refused:
        strict_json(body)
    assert refused.value.code == "too_large"


def test_a_body_of_many_parts_is_read_and_what_stands_in_strings_is_none():
    assert len(strict_json(b"[" + b"[]," * 90_000 + b"1e2]")) == 90_001
    text = ',[{}]\\"' * 100_000
    assert strict_json(b'{"a":' + json.dumps(text).encode() + b"}") == {"a": text}
    with pytest.raises(Problem) as refused:
        strict_json(b'"' + b',\\"' * 250_000)  # a string without an end
    assert refused.value.code == "malformed_json"


async def test_every_flaw_is_told_with_its_place_and_without_its_value(api):
    answer = await api.client.post("/v1/things", json={"name": 5, "a/b~c": "hunter2"})
    told = problem(answer, 422, "validation")
    assert {each["pointer"] for each in told["errors"]} == {"/name", "/a~1b~0c"}
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp", "x"],
)
async def test_a_body_that_does_not_say_that_it_is_json_is_refused(api, kind):
    answer = await api.client.post("/v1/things", content=b'{"name": "x"}', headers={"Content-Type": kind})
    problem(answer, 415, "unsupported_media_type")


async def test_a_charset_may_be_named(api):
    kind = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await api.client.post("/v1/things", content=b'{"name": "x"}', headers=kind)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/things", "/v1/raw"])
async def test_a_body_over_the_cap_is_refused_by_its_declared_length(api, path):
    kind = {"Content-Type": "application/json"}
    answer = await api.client.post(path, content=b" " * 1_025, headers=kind)
    problem(answer, 413, "too_large")


@pytest.mark.parametrize("path", ["/v1/things", "/v1/raw"])
async def test_a_body_over_the_cap_is_refused_by_its_true_length(api, path):
    async def parts():
        for _ in range(12):
            yield b" " * 100

    answer = await api.client.post(path, content=parts(), headers={"Content-Type": "application/json"})
    problem(answer, 413, "too_large")


async def test_a_body_of_the_cap_is_taken(api):
    assert (await api.client.post("/v1/raw", content=b" " * 1_024)).json() == 1_024


async def test_nothing_is_read_of_a_body_whose_sender_is_not_known(api):
    async def parts():
        raise AssertionError("the body was read")
        yield b""

    answer = await api.client.post("/v1/things", content=parts(), headers={"Authorization": "Bearer no"})
    problem(answer, 401, "unauthorised")


async def test_a_request_that_takes_too_long_is_a_503(api, monkeypatch):
    monkeypatch.setattr(bounds, "DEADLINE_S", 0.1)
    answer = await api.client.get("/v1/things/slow")
    problem(answer, 503, "store_unavailable")
    assert answer.headers["retry-after"] == "1"


async def test_a_body_that_takes_too_long_is_the_senders_fault(api, monkeypatch):
    monkeypatch.setattr(bounds, "DEADLINE_S", 0.1)

    async def parts():
        yield b"{"
        await asyncio.sleep(30)

    problem(await api.client.post("/v1/raw", content=parts()), 408, "request_timeout")


async def test_a_route_may_take_longer_if_it_was_asked_to(api, monkeypatch):
    monkeypatch.setattr(bounds, "DEADLINE_S", 0.1)
    assert (await api.client.get("/v1/waits/10")).json() == "waited"
    problem(await api.client.get("/v1/waits/0"), 503, "store_unavailable")


async def test_our_own_errors_are_the_problems_of_their_codes(api, caplog):
    told = problem(await api.client.get("/v1/things/gone"), 404, "unknown_record")
    assert told["detail"] == "there is none (gone)"
    caplog.set_level(logging.DEBUG)
    answer = await api.client.get("/v1/things/redis")
    problem(answer, 503, "store_unavailable")
    assert "10.1.2.3" not in answer.text


async def test_an_unexpected_failure_says_nothing_but_its_request(api, caplog):
    answer = await api.client.get("/v1/things/broken")
    problem(answer, 500, "internal")
    assert "hunter2" not in answer.text + caplog.text
    assert "ValueError" in caplog.text
    assert "test_bounds.py" in caplog.text


async def test_a_path_or_a_method_that_is_not_there_is_a_problem(api):
    problem(await api.client.get("/v1/nothing"), 404, "not_found")
    problem(await api.client.get("/v1/things/"), 404, "not_found")
    told = problem(await api.client.get("/v1/no%00thing/%E2%98%83?key=1"), 404, "not_found")
    assert told["instance"] == "/v1/no%00thing/%E2%98%83"
    answer = await api.client.delete("/v1/things")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


async def test_a_request_keeps_its_own_id_if_that_is_one_word(api):
    answer = await api.client.get("/livez", headers={"X-Request-Id": "abc-1.2_Z"})
    assert answer.headers["x-request-id"] == "abc-1.2_Z"
    for bad in ("a b", "x" * 65, "a\tb", ""):
        answer = await api.client.get("/livez", headers={"X-Request-Id": bad})
        assert answer.headers["x-request-id"] != bad


async def test_the_access_log_has_a_line_for_each_request_and_no_query(api, caplog):
    caplog.set_level(logging.INFO, "umbel.api.access")
    await api.client.get("/v1/nothing%0Aforged?key=hunter2", headers={"X-Request-Id": "r1"})
    [line] = [record.getMessage() for record in caplog.records if record.name == "umbel.api.access"]
    assert line.startswith("GET /v1/nothing%0Aforged 404 ")
    assert "request=r1" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("given", ["k", "a b", "!" * 255])
async def test_an_idempotency_key_is_printable_ascii(api, given):
    answer = await api.client.post("/v1/things", json={"name": "x"}, headers={"Idempotency-Key": given})
    assert answer.json()["key"] == given


@pytest.mark.parametrize("given", [b"x" * 256, b"", b"\xc3\xa9", b"a\tb"])
async def test_an_idempotency_key_that_is_none_is_refused(api, given):
    answer = await api.client.post("/v1/things", json={"name": "x"}, headers={b"Idempotency-Key": given})
    told = problem(answer, 422, "validation")
    assert told["errors"][0]["parameter"] == "Idempotency-Key"


async def test_two_idempotency_keys_are_refused(api):
    answer = await api.client.post(
        "/v1/things", json={"name": "x"}, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    )
    told = problem(answer, 422, "validation")
    assert told["errors"][0]["parameter"] == "Idempotency-Key"
    assert "more than once" in told["detail"]


GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (GOOD, GOOD),
        (GOOD.upper(), ""),
        (GOOD.replace("00-", "ff-", 1), ""),
        ("00-" + "0" * 32 + "-b7ad6b7169203331-01", ""),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", ""),
        (GOOD + "-more", ""),
        (GOOD.replace("00-", "cc-", 1) + "-more", GOOD.replace("00-", "cc-", 1)),
        ("nonsense", ""),
    ],
)
async def test_a_bad_traceparent_is_ignored(api, given, taken):
    answer = await api.client.post("/v1/things", json={"name": "x"}, headers={"traceparent": given})
    assert answer.json()["trace"] == taken


async def test_pages_of_other_origins_may_ask_only_if_the_settings_say_so(settings):
    async with api_in_process(settings.model_copy(update={"api_cors": ("https://app.example.com",)})) as api:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        answer = await api.client.options("/v1/runs", headers=asked | {"Origin": "https://app.example.com"})
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        answer = await api.client.options("/v1/runs", headers=asked | {"Origin": "https://evil.example.com"})
        assert "access-control-allow-origin" not in answer.headers
        refused = await api.client.post(
            "/v1/nothing", content=b"x" * 5_000_000, headers={"Origin": "https://app.example.com"}
        )
        problem(refused, 413, "too_large")
        assert refused.headers["access-control-allow-origin"] == "https://app.example.com"


async def test_without_a_setting_no_origin_may_ask(api):
    answer = await api.client.get("/livez", headers={"Origin": "https://app.example.com"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_every_kind_of_problem_is_explained(api):
    told = (await api.client.get("/problems/too_large")).json()
    assert told["status"] == 413
    problem(await api.client.get("/problems/none_such"), 404, "not_found")


async def test_half_an_answer_is_broken_off(api):
    async def half(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("hunter2")

    layered = bounds.Bounds(half, service=api.service)
    sent = []

    async def send(message):
        sent.append(message["type"])

    await layered({"type": "http", "path": "/", "headers": [], "state": {}}, None, send)
    assert sent == ["http.response.start"]
