"""What the methods of a client send: paths, queries, bodies and headers, or nothing where that cannot be right."""

from __future__ import annotations

import inspect
import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from actions.errors import ConfigError, DeclarationError, InvalidId
from actions.policy import Retry
from client_under_test import KEY, NOW, URL, Service, run_standing, value
from client_under_test import json as answered
from orchestrator.client import Client
from orchestrator.clients.aio import AsyncClient
from orchestrator.wire import SubmitRun

SUBMITTED = answered(202, {"run": "run_a2", "url": "/v1/runs/run_a2"})
ACCEPTED = answered(202, {"conversation": "conv_a1", "turn": "turn_a1", "url": "/v1/turns/turn_a1"})
VERDICT = answered(200, {"id": "run_a1", "verdict": "cancelled"})
NOTHING = httpx.Response(204)
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)

DEAD = {
    "run": "run_a1", "action": "ADD", "status": "dead", "ended": NOW, "attempts": 1, "arguments": {},
    "edited": True, "error": None, "principal": None, "tenant": "", "conversation": None, "turn": None,
}  # fmt: skip


class Completion(BaseModel):
    """What an SDK gives."""

    choices: list[str]


CASES = [
    ("submit", ("ADD", {"a": 1}), {}, "POST /v1/runs", {"action": "ADD", "arguments": {"a": 1}}, SUBMITTED),
    (
        "submit",
        ("ADD",),
        {"delay": "5s", "deadline": AT, "retry": 2, "timeout": timedelta(seconds=1.5)},
        "POST /v1/runs",
        {
            "action": "ADD",
            "delay": "5000ms",
            "deadline": "2026-01-31T12:00:00Z",
            "retry": 2,
            "timeout": "1500ms",
        },
        SUBMITTED,
    ),
    (
        "submit",
        ("ADD", {"at": AT, "price": Decimal("1.5")}),
        {"deadline": 60, "retry": Retry(3, initial="1s", factor=3, cap="1m")},
        "POST /v1/runs",
        {
            "action": "ADD",
            "arguments": {"at": "2026-01-31T12:00:00Z", "price": "1.5"},
            "deadline": "60000ms",
            "retry": {"retries": 3, "initial": "1000ms", "factor": 3.0, "cap": "60000ms"},
        },
        SUBMITTED,
    ),
    (
        "submit_all",
        ([{"action": "ADD", "delay": 1}, SubmitRun(action="SLEEP", timeout="2s")],),
        {},
        "POST /v1/runs",
        {
            "runs": [
                {"action": "ADD", "delay": "1000ms"},
                {"action": "SLEEP", "arguments": {}, "timeout": "2s"},
            ]
        },
        answered(202, {"runs": [{"run": "run_a2", "url": "/"}]}),
    ),
    ("run", ("run_a1",), {}, "GET /v1/runs/run_a1", None, answered(200, run_standing())),
    ("cancel", ("run_a1",), {}, "POST /v1/runs/run_a1/cancel", None, VERDICT),
    ("cancel", ("turn_a1",), {}, "POST /v1/turns/turn_a1/cancel", None, VERDICT),
    ("cancel", ("conv_a1",), {}, "POST /v1/conversations/conv_a1/cancel", None, VERDICT),
    ("interrupt", ("turn_a1",), {}, "POST /v1/turns/turn_a1/interrupt", None, VERDICT),
    ("approve", ("run_a1",), {"digest": "d"}, "POST /v1/runs/run_a1/approve", {"digest": "d"}, VERDICT),
    ("approve", ("run_a1",), {}, "POST /v1/runs/run_a1/approve", {}, VERDICT),
    ("deny", ("run_a1",), {"reason": "no"}, "POST /v1/runs/run_a1/deny", {"reason": "no"}, VERDICT),
    ("deny", ("run_a1", "no"), {}, "POST /v1/runs/run_a1/deny", {"reason": "no"}, VERDICT),
    ("replay", ("run_a1",), {"new_key": True}, "POST /v1/runs/run_a1/replay", {"new_key": True}, SUBMITTED),
    (
        "approvals",
        (),
        {},
        "GET /v1/approvals?limit=100",
        None,
        answered(200, {"approvals": [], "next": None}),
    ),
    ("undos", (), {}, "GET /v1/undos?limit=200", None, answered(200, {"undos": [], "next": None})),
    (
        "open_conversation",
        (),
        {"machine": "door", "context": {"hour": 1}, "participants": ("Ada",), "mode": "chain"},
        "POST /v1/conversations",
        {"machine": "door", "context": {"hour": 1}, "mode": "chain", "participants": {"Ada": ""}},
        answered(201, {"conversation": "conv_a1", "url": "/"}),
    ),
    ("forget", ("conv_a1",), {}, "DELETE /v1/conversations/conv_a1", None, NOTHING),
    (
        "say",
        ("conv_a1", "Hello"),
        {"busy": "inject"},
        "POST /v1/conversations/conv_a1/messages",
        {"text": "Hello", "busy": "inject"},
        ACCEPTED,
    ),
    (
        "post_reply",
        ("conv_a1", Completion(choices=["x"])),
        {"format": "openai_chat", "mode": "chain", "busy": "refuse", "lead": True},
        "POST /v1/conversations/conv_a1/replies?format=openai_chat&mode=chain&busy=refuse&lead=true",
        {"choices": ["x"]},
        ACCEPTED,
    ),
    ("action", ("A B/C",), {}, "GET /v1/actions/A%20B%2FC", None, None),
    (
        "tools",
        ("openai",),
        {"conversation": "conv_a1"},
        "GET /v1/actions?tools=openai&conversation=conv_a1",
        None,
        answered(200, {"format": "openai", "tools": [], "problems": []}),
    ),
    (
        "set_limit",
        ("ADD", 5),
        {"per": "1m", "key": "ADD:ada"},
        "PUT /v1/limits/ADD",
        {"n": 5, "per": "60000ms", "key": "ADD:ada"},
        answered(200, {"name": "ADD", "key": "ADD:ada", "n": 5, "per_s": 60, "burst": None, "cost": None}),
    ),
    ("unset_limit", ("ADD",), {"key": "ADD:ada"}, "DELETE /v1/limits/ADD?key=ADD%3Aada", None, NOTHING),
    (
        "runs",
        (),
        {"status": ("dead", "failed"), "action": "ADD", "since": AT},
        "GET /v1/runs?status=dead&status=failed&action=ADD&since=2026-01-31T12%3A00%3A00%2B00%3A00&limit=200",
        None,
        answered(200, {"runs": [], "next": None}),
    ),
    (
        "edit_dead",
        ("run_a1", {"a": 2}),
        {"merge": True},
        "PATCH /v1/dead/run_a1",
        {"arguments": {"a": 2}, "merge": True},
        answered(200, DEAD),
    ),
    ("discard", ("run_a1",), {}, "DELETE /v1/dead/run_a1", None, NOTHING),
    (
        "replay_dead",
        (),
        {"status": ["dead"], "before": AT, "error": "x", "new_key": True},
        "POST /v1/dead/replay",
        {"status": ["dead"], "before": "2026-01-31T12:00:00Z", "error": "x", "new_key": True},
        answered(200, {"done": [], "failed": []}),
    ),
    (
        "discard_dead",
        (),
        {"all": True, "cursor": "c"},
        "POST /v1/dead/discard",
        {"all": True, "cursor": "c"},
        answered(200, {"done": [], "failed": []}),
    ),
    ("retry_undo", ("run_a1",), {}, "POST /v1/undos/run_a1/retry", None, VERDICT),
]


@pytest.mark.parametrize(("method", "given", "named", "line", "body", "answer"), CASES)
async def test_both_clients_send_what_the_method_says(method, given, named, line, body, answer):
    service = Service(answer or httpx.Response(200))
    for client in service.both():
        if answer is None:
            with pytest.raises(Exception, match="not what was agreed"):
                await value(getattr(client, method)(*given, **named))
        else:
            await value(getattr(client, method)(*given, **named))
    for sent in service.heard:
        assert f"{sent.method} {sent.url.raw_path.decode()}" == line
        assert (json.loads(sent.content) if sent.content else None) == body
        assert sent.headers.get("content-type") == (None if body is None else "application/json")
        assert sent.headers["authorization"] == f"Bearer {KEY}"


def test_a_text_is_sent_as_text_and_bytes_as_they_are():
    service = Service(ACCEPTED)
    client = service.client()
    client.post_reply("conv_a1", "[ACTION:ADD]{}[/ACTION] ü")
    client.post_reply("conv_a1", b'{"choices":  []}')
    client.post_reply("conv_a1", b"I will.")
    client.post_reply("conv_a1", {"choices": []})
    assert [(each.headers["content-type"], each.content) for each in service.heard] == [
        ("text/plain; charset=utf-8", "[ACTION:ADD]{}[/ACTION] ü".encode()),
        ("application/json", b'{"choices":  []}'),
        ("text/plain; charset=utf-8", b"I will."),
        ("application/json", b'{"choices":[]}'),
    ]


def test_what_makes_something_has_a_key_and_the_callers_trace():
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    service = Service(SUBMITTED)
    client = service.client()
    client.submit("ADD", traceparent=trace, key="k")
    client.submit("ADD")
    assert [
        (each.headers.get("traceparent"), "idempotency-key" in each.headers) for each in service.heard
    ] == [
        (trace, True),
        (None, True),
    ]


@pytest.mark.parametrize("key", ["a", "two words", "~" * 255, "order 17: tea & rice!", '"'])
def test_a_key_may_be_all_that_the_service_takes(key):
    service = Service(SUBMITTED)
    service.client().submit("ADD", key=key)
    assert service.heard[0].headers["idempotency-key"] == key


@pytest.mark.parametrize(
    "id", ["", "run_", "..", "run_../keys", "conv_a1", None, 3, "run_a1?x=1", "run_a\n1"]
)
def test_an_id_never_leads_to_another_place(id):  # noqa: A002 - the field's word
    service = Service(answered(200, run_standing()))
    try:
        service.client().run(id)
    except InvalidId:
        assert not service.heard
        return
    (sent,) = service.heard
    place = sent.url.raw_path.decode()
    assert place.startswith("/v1/runs/run_")
    assert place.count("/") == 3
    assert not sent.url.query


@pytest.mark.parametrize("name", ["", ".", "..", " "])
def test_a_name_that_is_no_segment_is_refused(name):
    service = Service(SUBMITTED)
    with pytest.raises(InvalidId):
        service.client().action(name)
    assert not service.heard


@pytest.mark.parametrize(
    ("method", "given", "named"),
    [
        ("submit", ("ADD", {"a": object()}), {}),
        ("submit", ("ADD",), {"delay": "soon"}),
        ("submit", ("ADD",), {"key": ""}),
        ("submit", ("ADD",), {"key": " "}),
        ("submit", ("ADD",), {"key": "a "}),
        ("submit", ("ADD",), {"key": " a"}),
        ("submit", ("ADD",), {"key": "a\tb"}),
        ("submit", ("ADD",), {"key": "é"}),
        ("submit", ("ADD",), {"key": "k" * 256}),
        ("submit", ("ADD",), {"key": "k\r\nx-evil: 1"}),
        ("submit", ("ADD",), {"traceparent": "00-\r\nx: 1"}),
        ("submit_all", ([{"action": "ADD", "tenant": "x"}],), {}),
        ("submit_all", ([{}],), {}),
        ("post_reply", ("conv_a1", {"a": object()}), {}),
        ("runs", (), {"since": datetime(2026, 1, 1)}),  # noqa: DTZ001 - that is the point
    ],
)
def test_what_cannot_be_sent_is_said_before_anything_is(method, given, named):
    service = Service(SUBMITTED)
    with pytest.raises(DeclarationError):
        list(getattr(service.client(), method)(*given, **named))
    assert not service.heard


# The clients themselves.


def test_both_clients_have_the_same_methods_with_the_same_words():
    def public(kind: type) -> dict[str, object]:
        return {name: each for name, each in vars(kind).items() if not name.startswith("_")}

    assert public(Client).keys() == public(AsyncClient).keys()
    for name, method in public(Client).items():
        other = public(AsyncClient)[name]
        assert method.__doc__ == other.__doc__
        assert method.__doc__
        here, there = inspect.signature(method), inspect.signature(other)
        assert list(here.parameters.values()) == list(there.parameters.values()), name
        assert next(iter(here.parameters)) == "self"
        assert "core" not in here.parameters


def test_help_shows_what_a_method_takes_and_gives():
    assert str(inspect.signature(Client.wait)) == (
        "(self, run: 'str | OfRun', *, timeout_s: 'float' = 30.0) -> 'RunStanding'"
    )
    assert str(inspect.signature(Client.turns)).endswith("-> 'Iterator[TurnStanding]'")
    assert str(inspect.signature(AsyncClient.turns)).endswith("-> 'AsyncIterator[TurnStanding]'")
    assert inspect.iscoroutinefunction(AsyncClient.submit)


def test_address_and_key_come_from_the_environment(monkeypatch):
    with pytest.raises(ConfigError, match="UMBEL_API_URL"):
        Client()
    monkeypatch.setenv("UMBEL_API_URL", URL)
    monkeypatch.setenv("UMBEL_API_KEY", KEY)
    service = Service(VERDICT)
    with Client(transport=httpx.MockTransport(service)) as client:
        client.cancel("run_a1")
    assert service.heard[0].url.host == "umbel.example"
    assert service.heard[0].headers["authorization"] == f"Bearer {KEY}"
    assert repr(client) == f"Client({URL!r})"


def test_a_service_may_stand_below_a_path_and_need_no_key():
    service = Service(VERDICT)
    with Client(f"{URL}/umbel/", "", transport=httpx.MockTransport(service)) as client:
        client.cancel("run_a1")
    assert str(service.heard[0].url) == f"{URL}/umbel/v1/runs/run_a1/cancel"
    assert "authorization" not in service.heard[0].headers


@pytest.mark.parametrize(
    "url",
    ["umbel.example", "ftp://x", "http://", f"http://u:{KEY}@x", f"http://x/?key={KEY}", f"http://x#{KEY}"],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(url):
    with pytest.raises(ConfigError) as caught:
        Client(url)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", [f"{KEY}\n", f"a {KEY}", f"{KEY}é"])
def test_a_key_that_no_header_holds_is_refused_and_not_repeated(key):
    with pytest.raises(ConfigError) as caught:
        Client(URL, key)
    assert KEY not in str(caught.value)


def test_a_key_may_be_a_secret_text():
    service = Service(VERDICT)
    Client(URL, SecretStr(KEY), transport=httpx.MockTransport(service)).cancel("run_a1")
    assert service.heard[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_wait_gets_time_beyond_that_of_an_answer():
    service = Service(answered(200, run_standing()))
    client = service.client()
    client.wait("run_a1")
    client.run("run_a1")
    waited, read = (each.extensions["timeout"]["read"] for each in service.heard)
    assert (waited, read) == (30.0, 10.0)


async def test_a_client_that_was_closed_sends_nothing_more():
    service = Service(VERDICT)
    client, other = service.both()
    with client:
        client.cancel("run_a1")
    async with other:
        await other.cancel("run_a1")
    with pytest.raises(RuntimeError):
        client.cancel("run_a1")
    with pytest.raises(RuntimeError):
        await other.cancel("run_a1")


def test_several_threads_may_use_one_client():
    service = Service(VERDICT)
    client = service.client()
    threads = [threading.Thread(target=client.cancel, args=("run_a1",)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert len(service.heard) == 8
