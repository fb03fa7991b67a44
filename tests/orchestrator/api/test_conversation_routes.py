"""Conversations over HTTP: opened once under a key, read page by page, and one live turn at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.registry import Registry
from orchestrator import cursors, intake
from orchestrator.client import AsyncClient
from orchestrator.clients.errors import Invalid
from orchestrator.settings import Settings
from routes_under_test import Key, World, add, code_of, world

CALL = "[ACTION:ADD]{a: 1}[/ACTION]"
OPENAI = {
    "choices": [
        {
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "ADD", "arguments": '{"a": 1, "b": 2}'},
                    }
                ],
            }
        }
    ]
}


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[World]:
    async with world(settings.model_copy(update={"model_url": "http://127.0.0.1:9/v1"})) as made:
        yield made


async def posted(caller: Key, conversation: str, text: str = CALL, **params: Any) -> str:
    answer = await caller.reply(conversation, text, **params)
    assert answer.status_code == 202, answer.text
    return answer.json()["turn"]


async def status(here: World, turn: str) -> str:
    return (await here.ann.get(f"/v1/turns/{turn}")).json()["status"]


# Opening


async def test_a_conversation_has_what_was_asked_for(here: World):
    asked = {
        "machine": "door",
        "state": "SHUT",
        "context": {"goal": {"deep": [1, None]}},
        "mode": "chain",
        "agent": "Ada",
        "participants": {"Ada": "muted", "kim": ""},
        "dialects": ["coach.xml", "coach.tags"],
    }
    made = await here.ann.post("/v1/conversations", asked)
    assert made.status_code == 201
    url = made.headers["Location"]
    assert made.json() == {"conversation": url.rsplit("/", 1)[1], "url": url}
    told = (await here.ann.get(url)).json()
    assert (told["machine"], told["state"], told["mode"], told["agent"]) == ("door", "SHUT", "chain", "Ada")
    assert told["participants"] == {"Ada": "muted", "kim": ""}
    assert told["dialects"] == ["coach.tags", "coach.xml"]
    assert (await here.ann.get(f"{url}/context")).json() == {"context": asked["context"]}
    state = (await here.ann.get(f"{url}/state")).json()
    assert (state["state"], state["revision"]) == ("SHUT", 0)
    assert "SLEEP" in state["allowed"]
    assert "ADD" not in state["allowed"]


async def test_the_same_key_and_body_open_one_conversation(here: World):
    first, again = [await here.ann.post("/v1/conversations", {"mode": "all"}, key="k") for _ in range(2)]
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    other = await here.ann.post("/v1/conversations", {"mode": "chain"}, key="k")
    assert code_of(other) == (422, "idempotency_conflict")
    assert (await here.eve.post("/v1/conversations", {"mode": "all"}, key="k")).json() != first.json()
    many = await asyncio.gather(*(here.ann.post("/v1/conversations", {}, key="k2") for _ in range(10)))
    assert len({answer.content for answer in many}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in many) == 1


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"machine": "gate"}, "/machine"),
        ({"machine": "door", "state": "AJAR"}, "/state"),
        ({"state": "OPEN"}, ""),
        ({"mode": "parallel"}, "/mode"),
        ({"participants": {"kim": "loud"}}, "/participants/kim"),
        ({"participants": ["kim"]}, "/participants"),
        ({"context": []}, "/context"),
        ({"context": {"": 1}}, "/context//[key]"),
        ({"nonsense": 1}, "/nonsense"),
        ({"dialects": ["klingon"]}, "/dialects"),
        ({"dialects": "hermes"}, "/dialects"),
        ([], ""),
    ],
)
async def test_what_is_wrong_with_an_opening_is_said(here: World, asked: Any, pointer: str):
    answer = await here.ann.post("/v1/conversations", asked)
    assert code_of(answer) == (422, "validation")
    assert pointer in [each["pointer"] for each in answer.json()["errors"]], answer.text


async def test_a_context_that_nobody_could_read_back_is_refused(here: World):
    for key in ({}, {"Idempotency-Key": "k"}):
        for context in (b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": ' + b"[" * 190 + b"]" * 190 + b"}"):
            answer = await here.ann.ask(
                "POST",
                "/v1/conversations",
                content=b'{"context": ' + context + b"}",
                headers={"Content-Type": "application/json", **key},
            )
            assert answer.status_code in {400, 422}, answer.text
    agent = await here.ann.post("/v1/conversations", {"agent": "a\nb"})
    assert code_of(agent) == (422, "declaration")


# Reading


async def test_messages_come_page_by_page_oldest_first(here: World):
    conversation = await here.ann.open()
    for at in range(5):
        await posted(here.ann, conversation, f"text {at}")
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await here.ann.get(f"/v1/conversations/{conversation}/messages", limit=2, cursor=cursor)
        found += [each["content"] for each in answer.json()["messages"]]
        cursor = answer.json()["next"]
    assert found == [f"text {at}" for at in range(5)]


async def test_turns_come_page_by_page_newest_first(here: World):
    conversation = await here.ann.open()
    turns = [await posted(here.ann, conversation, f"text {at}") for at in range(5)]
    first = (await here.ann.get(f"/v1/conversations/{conversation}/turns", limit=3)).json()
    rest = (
        await here.ann.get(f"/v1/conversations/{conversation}/turns", limit=3, cursor=first["next"])
    ).json()
    assert [each["turn"] for page in (first, rest) for each in page["turns"]] == list(reversed(turns))
    assert rest["next"] is None


async def test_a_cursor_is_of_one_list_alone(here: World):
    mine, theirs = await here.ann.open(), await here.eve.open()
    for at in range(3):
        await posted(here.ann, mine, f"text {at}")
        secret = await posted(here.eve, theirs, f"secret {at}")
    messages, turns = f"/v1/conversations/{mine}/messages", f"/v1/conversations/{mine}/turns"
    own = (await here.ann.get(messages, limit=1)).json()["next"]
    other = await here.ann.open()
    for path, cursor in (
        (turns, own),
        (messages, own[:-2]),
        (messages, "x"),
        (f"/v1/conversations/{other}/messages", own),
        (messages, cursors.encode("messages", theirs, 0)),
        (messages, cursors.encode("messages", mine, "0")),
        (messages, cursors.encode("messages", mine, -1)),
        (turns, cursors.encode("turns", theirs, secret)),
    ):
        assert code_of(await here.ann.get(path, cursor=cursor)) == (422, "invalid_cursor")
    made_up = await here.ann.get(turns, cursor=cursors.encode("turns", mine, secret))
    assert made_up.json() == {"turns": [], "next": None}
    strange = await here.ann.get(turns, cursor=cursors.encode("turns", mine, "x\n* }"))
    assert strange.json() == {"turns": [], "next": None}


async def test_rounds_hold_the_runs_of_a_reply_in_call_order(here: World):
    conversation = await here.ann.open()
    turn = await posted(here.ann, conversation, f"{CALL} and [ACTION:NOPE]{{}}[/ACTION]")
    (round_,) = (await here.ann.get(f"/v1/turns/{turn}/rounds")).json()["rounds"]
    assert round_["round"] == 0
    assert [run["status"] for run in round_["runs"]] == ["ready", "refused"]
    silent = await posted(here.ann, await here.ann.open(), "no calls")
    assert (await here.ann.get(f"/v1/turns/{silent}/rounds")).json() == {"rounds": [{"round": 0, "runs": []}]}


async def test_a_deleted_conversation_is_gone_with_what_it_held(here: World):
    conversation = await here.ann.open()
    turn = await posted(here.ann, conversation)
    assert (await here.ann.ask("DELETE", f"/v1/conversations/{conversation}")).status_code == 204
    for path in (f"/v1/conversations/{conversation}", f"/v1/turns/{turn}"):
        assert (await here.ann.get(path)).status_code == 404
    assert (await here.ann.ask("DELETE", f"/v1/conversations/{conversation}")).status_code == 404
    assert [line["by"] for line in await here.audit("forget")] == ["ann"]


async def test_one_that_does_not_stop_at_once_is_gone_all_the_same(here: World):
    conversation = await here.ann.open()
    await posted(here.ann, conversation)
    assert len(await here.claim()) == 1
    assert (await here.ann.ask("DELETE", f"/v1/conversations/{conversation}")).status_code == 204
    assert (await here.ann.get(f"/v1/conversations/{conversation}")).status_code == 404


async def test_a_turn_before_its_first_round_has_none_and_its_leader_shows_nothing_of_the_house(here: World):
    conversation = await here.ann.open()
    await here.ann.post(f"/v1/conversations/{conversation}/messages", {"text": "hello", "mode": "chain"})
    live = (await here.ann.get(f"/v1/conversations/{conversation}")).json()["live_turn"]
    assert live["round"] is None
    assert [run["arguments"] for run in live["runs"]] == [{}]


# Replies


async def test_a_reply_of_a_provider_is_read_as_it_came(here: World):
    conversation = await here.ann.open()
    made = await here.ann.post(f"/v1/conversations/{conversation}/replies", OPENAI)
    turn = made.json()["turn"]
    assert made.status_code == 202
    assert made.json() == {"conversation": conversation, "turn": turn, "url": f"/v1/turns/{turn}"}
    assert made.headers["Location"] == f"/v1/turns/{turn}"
    await here.end(result=3)
    messages = (await here.ann.get(f"/v1/conversations/{conversation}/messages")).json()["messages"]
    assert [(each["role"], each.get("tool_call_id")) for each in messages] == [
        ("assistant", None),
        ("tool", "call_1"),
    ]


async def test_the_same_key_and_reply_begin_one_turn(here: World):
    conversation = await here.ann.open()
    first = await here.ann.reply(conversation, CALL, key="k")
    await here.end()
    again = await here.ann.reply(conversation, CALL, key="k")
    assert (again.status_code, again.content) == (202, first.content)
    assert (again.headers["Location"], again.headers["Idempotency-Replayed"]) == (
        first.headers["Location"],
        "true",
    )
    assert code_of(await here.ann.reply(conversation, "other", key="k")) == (422, "idempotency_conflict")
    for handled in ({"lead": "true"}, {"busy": "refuse"}, {"busy": "interrupt"}, {"mode": "chain"}):
        other = await here.ann.reply(conversation, CALL, key="k", **handled)
        assert code_of(other) == (422, "idempotency_conflict"), handled
    elsewhere = await here.ann.reply(await here.ann.open(), CALL, key="k")
    assert elsewhere.json()["turn"] != first.json()["turn"]


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b'{"choices": [{"mess', "application/json", (422, "unusable_reply")),
        (b"hello", "application/json", (422, "unusable_reply")),
        (b"", "application/json", (422, "unusable_reply")),
        (b"null", "application/json", (422, "unusable_reply")),
        (b'{"nonsense": 1}', "application/json", (422, "unusable_reply")),
        (b'{"choices": []}', "application/json; charset=utf-8", (422, "unusable_reply")),
        (b'{"text": "[ACTION:ADD]{a: 1}[/ACTION]"}', "application/json", (422, "unusable_reply")),
        (b'{"tool_calls": [{"a": 1}]}', "application/json", (422, "unusable_reply")),
        (b"[]", "application/json", (422, "unusable_reply")),
        (b"{" + b'"a":{' * 400 + b"}" * 401, "application/json", (422, "unusable_reply")),
        (b'{"choices": %s}' % (b"9" * 5_000), "application/json", (422, "unusable_reply")),
        (b"  \n", "text/plain", (422, "unusable_reply")),
        (b"\xff\xfe", "text/plain", (422, "unusable_reply")),
        (b'{"error": {"message": "overloaded"}}', "application/json", (422, "unusable_reply")),
        (b"[" * 5_000, "application/json", (422, "unusable_reply")),
        (b"hello", "text/plain; charset=latin-1", (415, "unsupported_media_type")),
        (b"a=b", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b"hello", "", (415, "unsupported_media_type")),
    ],
)
async def test_bodies_that_are_no_reply_change_nothing(
    here: World, content: bytes, kind: str, code: tuple[int, str]
):
    conversation = await here.ann.open()
    answer = await here.ann.ask(
        "POST",
        f"/v1/conversations/{conversation}/replies",
        content=content,
        headers={"Content-Type": kind} if kind else {},
    )
    assert code_of(answer) == code, answer.text
    assert (await here.ann.get(f"/v1/conversations/{conversation}/turns")).json()["turns"] == []


async def test_json_of_no_known_shape_is_no_reply_in_any_format(here: World):
    conversation = await here.ann.open()
    for name in intake.KNOWN:
        answer = await here.ann.post(
            f"/v1/conversations/{conversation}/replies?format={name}", {"nonsense": 1}
        )
        assert code_of(answer) == (422, "unusable_reply"), name
    client = AsyncClient("http://127.0.0.1", here.ann.key, transport=here.api.client._transport)
    with pytest.raises(Invalid, match="unexpected_body"):
        await client.post_reply(conversation, {"text": CALL})


async def test_a_json_string_is_a_text(here: World):
    conversation = await here.ann.open()
    made = await here.ann.post(f"/v1/conversations/{conversation}/replies?format=coach.tags", CALL)
    turn = (await here.ann.get(made.json()["url"])).json()
    assert [run["action"] for run in turn["runs"]] == ["ADD"]


async def test_a_format_is_one_of_those_that_there_are(here: World):
    conversation = await here.ann.open()
    assert code_of(await here.ann.reply(conversation, CALL, format="morse")) == (422, "unusable_reply")
    assert (await here.ann.reply(conversation, CALL, format="coach.tags")).status_code == 202
    wrong = await here.ann.reply(conversation, CALL, formt="coach.tags")
    assert code_of(wrong) == (422, "validation")


async def test_the_same_key_may_not_lead_another_time(here: World):
    conversation = await here.ann.open()
    first, again = [
        await here.ann.reply(conversation, CALL, key="k", lead="true", busy="refuse") for _ in range(2)
    ]
    assert (again.status_code, again.content) == (202, first.content)
    for handled in ({"lead": "true"}, {"busy": "refuse"}, {}):
        other = await here.ann.reply(conversation, CALL, key="k", **handled)
        assert code_of(other) == (422, "idempotency_conflict"), handled


async def test_a_machine_that_this_process_does_not_know_is_its_operators_to_bring(settings: Settings):
    async with world(settings) as here:
        conversation = await here.ann.open(machine="door")
        key = here.ann.key
    async with world(settings, Registry([add])) as there:  # as after a deployment that left it out
        caller = Key(there.api.client, key)
        answer = await caller.reply(conversation, CALL)
        assert code_of(answer) == (503, "config")
        assert "'door'" in answer.json()["detail"]
        assert "UMBEL_ACTIONS" in answer.json()["detail"]
        assert answer.headers["Retry-After"] == "1"
        assert (await caller.get(f"/v1/conversations/{conversation}/turns")).json()["turns"] == []


# One live turn


async def test_a_reply_that_finds_a_live_turn_waits_its_turn(here: World):
    conversation = await here.ann.open()
    live = await posted(here.ann, conversation)
    waits = await posted(here.ann, conversation, "later")
    assert [await status(here, turn) for turn in (live, waits)] == ["live", "queued"]
    await here.end()
    assert await status(here, live) == "done"
    assert await status(here, waits) == "live"


async def test_a_reply_or_a_message_may_be_refused_instead(here: World):
    conversation = await here.ann.open()
    await posted(here.ann, conversation)
    assert code_of(await here.ann.reply(conversation, "x", busy="refuse")) == (409, "conversation_busy")
    path = f"/v1/conversations/{conversation}/messages"
    said = await here.ann.post(path, {"text": "x", "busy": "refuse"})
    assert code_of(said) == (409, "conversation_busy")
    assert (await here.ann.get(f"/v1/conversations/{conversation}")).json()["queued"] == []


async def test_a_reply_or_a_message_may_end_the_live_turn(here: World):
    conversation = await here.ann.open()
    first = await posted(here.ann, conversation)
    second = await posted(here.ann, conversation, "instead", busy="interrupt")
    assert await status(here, first) == "cancelled"
    path = f"/v1/conversations/{conversation}/messages"
    third = (await here.ann.post(path, {"text": "no: this", "busy": "interrupt"})).json()["turn"]
    assert await status(here, second) == "cancelled"
    assert await status(here, third) == "live"


async def test_a_message_may_go_into_the_live_turn_and_a_reply_may_not(here: World):
    conversation = await here.ann.open()
    path = f"/v1/conversations/{conversation}/messages"
    live = (await here.ann.post(path, {"text": "first"})).json()["turn"]
    inside = await here.ann.post(path, {"text": "by the way", "busy": "inject"}, key="k")
    assert inside.status_code == 202
    assert (
        await here.ann.post(path, {"text": "by the way", "busy": "inject"}, key="k")
    ).content == inside.content
    assert await status(here, inside.json()["turn"]) in {"injected", "queued"}
    assert await status(here, live) == "live"
    assert code_of(await here.ann.reply(conversation, "x", busy="inject")) == (422, "declaration")


async def test_a_message_begins_one_turn_under_its_key(here: World):
    conversation = await here.ann.open()
    path = f"/v1/conversations/{conversation}/messages"
    first, again = [await here.ann.post(path, {"text": "hello"}, key="k") for _ in range(2)]
    assert (again.status_code, again.content) == (202, first.content)
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert code_of(await here.ann.post(path, {"text": "bye"}, key="k")) == (422, "idempotency_conflict")
    many = await asyncio.gather(*(here.ann.post(path, {"text": "x"}, key="k2") for _ in range(10)))
    assert len({answer.content for answer in many}) == 1
    assert (await here.ann.get(f"/v1/conversations/{conversation}")).json()["queued"] == [
        many[0].json()["turn"]
    ]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"text": 5}, "/text"),
        ({"text": "x", "busy": "later"}, "/busy"),
        ({"text": "x", "mode": ""}, "/mode"),
        ({"text": "x", "role": "system"}, "/role"),
        ({}, "/text"),
    ],
)
async def test_what_is_wrong_with_a_message_is_said(here: World, asked: dict[str, Any], pointer: str):
    conversation = await here.ann.open()
    answer = await here.ann.post(f"/v1/conversations/{conversation}/messages", asked)
    assert code_of(answer) == (422, "validation")
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


async def test_without_a_model_no_message_is_taken_and_no_turn_is_led(settings: Settings):
    async with world(settings) as here:
        conversation = await here.ann.open()
        said = await here.ann.post(f"/v1/conversations/{conversation}/messages", {"text": "hello"})
        assert code_of(said) == (422, "no_model")
        assert code_of(await here.ann.reply(conversation, CALL, lead="true")) == (422, "no_model")
        assert (await here.ann.reply(conversation, CALL)).status_code == 202


async def test_a_turn_that_is_led_on_goes_on_after_its_round(here: World):
    conversation = await here.ann.open()
    turn = await posted(here.ann, conversation, lead="true")
    await here.end(result=1)
    told = (await here.ann.get(f"/v1/turns/{turn}")).json()
    assert (told["status"], told["round"]) == ("live", 0)
    assert [run["action"] for run in told["runs"]] == ["ADD", "umbel.advance"]
    assert len((await here.ann.get(f"/v1/turns/{turn}/rounds")).json()["rounds"][0]["runs"]) == 1


async def test_a_trace_reaches_the_run(here: World):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await here.ann.ask(
        "POST", "/v1/runs", json={"action": "ADD", "arguments": {"a": 1}}, headers={"traceparent": trace}
    )
    view = await here.api.store.runs.read(answer.json()["run"])
    assert view is not None
    assert trace in view.payload
    assert json.loads(json.dumps(answer.json())) == {"run": view.id, "url": f"/v1/runs/{view.id}"}
