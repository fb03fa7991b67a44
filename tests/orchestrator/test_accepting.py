"""Replies of no use: the model is told, asked again, and at last its turn ends with a reason. Which dialects count."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.definition import action
from actions.errors import ConfigError, DeclarationError, TryAgain
from actions.messages import Call, CallError, Reply
from actions.registry import Registry
from orchestrator import turns
from orchestrator.accepting import Accepting
from orchestrator.bad_replies import end_of, note_on
from orchestrator.dialects import check_dialects
from orchestrator.intake.calls import broken, call
from orchestrator.intake.dialects import DIALECTS
from orchestrator.judging import decide, fit
from orchestrator.planning import Plan, Refusal
from orchestrator.settings import Settings, load_settings
from orchestrator.store.incoming import Finish
from orchestrator.store.records import Claimed, ConversationRecord
from umbel import Umbel


@action("GO", permissions={"go"})
async def go(where: str) -> str:
    """Go there."""
    return where


@action("STAY")
async def stay(hours: int = 1) -> int:
    """Stay here."""
    return hours


REGISTRY = Registry([go, stay])
GOOD = {"name": "STAY", "arguments": '{"hours": 2}'}
CUT = {"name": "STAY", "arguments": '{"hours": 2'}
UNKNOWN = {"name": "FLY", "arguments": "{}"}
WRONG = {"name": "STAY", "arguments": '{"hours": "soon"}'}
FORBIDDEN = {"name": "GO", "arguments": '{"where": "home"}'}
TAG = '[ACTION:STAY]{"hours": 2}[/ACTION]'


class Saying:
    """A model that says what it is told to, and remembers what it was asked."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self.bodies = list(bodies)
        self.asked: list[dict[str, Any]] = []

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return self.bodies.pop(0)


def calls(*told: dict[str, Any]) -> dict[str, Any]:
    made = [{"id": f"c{at}", "type": "function", "function": each} for at, each in enumerate(told)]
    return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": made}}]}


def text(said: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": said}}]}


@pytest.fixture
async def umbel(settings: Settings) -> AsyncIterator[Umbel]:
    async with Umbel(settings, REGISTRY) as opened:
        yield opened


async def claimed(umbel: Umbel, *lanes: str) -> list[Claimed]:
    return (await umbel._store.runs.claim("p", [(lane, 9) for lane in lanes or ("turns",)])).runs


async def lead(umbel: Umbel, model: Saying, limit: int = 3) -> str:
    (run,) = await claimed(umbel)
    return await turns.advance(run, umbel._store, REGISTRY, model, accepting=Accepting(bad_replies=limit))


@pytest.mark.parametrize("bad", [CUT, UNKNOWN, WRONG])
async def test_bad_replies_in_a_row_end_their_turn_with_a_reason(umbel: Umbel, bad: dict[str, Any]):
    conversation = await umbel.open_conversation()
    turn = await umbel.say(conversation, "hi")
    model = Saying(*[calls(bad)] * 3)
    for _ in range(3):
        assert await lead(umbel, model) == "ok"
    standing = await umbel.read(turn)
    assert (standing.status, model.bodies) == ("failed", [])
    assert standing.why.startswith("3 replies in a row were of no use; the last one: ")
    assert bad["name"] in standing.why
    assert await claimed(umbel) == []
    messages = await umbel.messages(conversation)
    assert [each["role"] for each in messages] == ["user", *["assistant", "tool"] * 3]
    assert (await umbel.read(conversation)).status == "idle"


async def test_the_model_hears_what_was_wrong_before_it_is_asked_again(umbel: Umbel):
    conversation = await umbel.open_conversation()
    await umbel.say(conversation, "hi")
    model = Saying(calls(WRONG), text("Sorry."))
    await lead(umbel, model)
    await lead(umbel, model)
    told = model.asked[1]["messages"][-1]
    assert (told["role"], told["tool_call_id"]) == ("tool", "c0")
    assert json.loads(told["content"])["code"] == "invalid_arguments"
    assert "hours" in told["content"]


async def test_calls_in_prose_that_cannot_be_read_are_told_too(umbel: Umbel):
    conversation = await umbel.open_conversation()
    turn = await umbel.say(conversation, "hi")
    model = Saying(text("[ACTION:STAY]{hours} [/ACTION]"), text("Sorry."))
    await lead(umbel, model)
    assert (await umbel.read(turn)).status == "live"
    await lead(umbel, model)
    assert "was not run" in model.asked[1]["messages"][-1]["content"]
    assert await umbel.wait_for_turn(turn) == "done"


async def test_an_answer_that_breaks_off_is_told_in_a_note(umbel: Umbel):
    conversation = await umbel.open_conversation()
    turn = await umbel.say(conversation, "hi")
    model = Saying(text('{"weather": {"city": "Par'), text("Sunny."))
    await lead(umbel, model)
    await lead(umbel, model)
    told = model.asked[1]["messages"][-1]
    assert (told["role"], told["name"]) == ("user", "umbel")
    assert told["content"].startswith("Your reply could not be read. The reply begins as a JSON object")
    assert await umbel.wait_for_turn(turn) == "done"


def gemini(*parts: dict[str, Any]) -> dict[str, Any]:
    """An answer whose call its provider could not read."""
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": "MALFORMED_FUNCTION_CALL"}]}


@pytest.mark.parametrize("parts", [(), ({"text": "I will book."},)])
async def test_a_mistake_is_told_with_and_without_text_beside_it(
    umbel: Umbel, parts: tuple[dict[str, Any], ...]
):
    conversation = await umbel.open_conversation()
    turn = await umbel.say(conversation, "hi")
    model = Saying(*[gemini(*parts)] * 3)
    await lead(umbel, model)
    await lead(umbel, model)
    notes = [each for each in model.asked[1]["messages"] if each.get("name") == "umbel"]
    assert len(notes) == 1
    assert "Send it again" in notes[0]["content"]
    await lead(umbel, model)
    assert (await umbel.read(turn)).status == "failed"
    last = (await umbel.messages(conversation))[-1]
    assert last["role"] == "assistant"  # nobody is asked to send it again


async def test_half_an_answer_of_a_provider_that_failed_is_asked_for_again(umbel: Umbel):
    conversation = await umbel.open_conversation()
    await umbel.say(conversation, "hi")
    half = {**text("Half an ans"), "error": {"message": "overloaded"}}
    half["choices"][0]["finish_reason"] = "error"
    with pytest.raises(TryAgain, match="overloaded"):
        await lead(umbel, Saying(half))


def test_what_a_model_is_told_is_never_long():
    long = CallError(code="not_json", message="\U0001f600" * 5_000)
    assert len(json.loads(note_on(long))["content"].encode()) <= 2_000
    name = "\U0001f600\x01" * 128
    one = broken(name, "\u00e9" * 10_000)
    assert one.error is not None
    assert len(one.error.message.encode()) <= 1_400
    refusal = Refusal(one, {"error": one.error.message * 3, "code": "malformed_call"})
    told = end_of(3, Reply(format="text", calls=(one,)), Plan("", [], [refusal]))
    assert len(told["error"].encode()) <= 2_000
    for given in ('{"hours": "' + "x" * 100_000 + '"}', '{"' + "k" * 100_000 + '": 1}'):
        found = decide_in(call("STAY", given))
        assert len(json.dumps(found, ensure_ascii=False).encode()) <= 2_000


def decide_in(one: Call) -> dict[str, Any] | None:
    """What the model is told of a call."""
    record = ConversationRecord("conv_a", "idle", None, 0, None, 0, None, "", None, (), {})
    found = decide(one, record, REGISTRY)
    fit(found, record, REGISTRY)
    assert found.error is not None
    return found.error


@pytest.mark.parametrize("useful", [calls(CUT, GOOD), calls(FORBIDDEN)])
async def test_a_reply_of_some_use_begins_the_count_anew(umbel: Umbel, useful: dict[str, Any]):
    conversation = await umbel.open_conversation()
    turn = await umbel.say(conversation, "hi")
    model = Saying(calls(CUT), useful, calls(CUT), text("Well."))
    await lead(umbel, model, limit=2)
    await lead(umbel, model, limit=2)
    for run in await claimed(umbel, "actions"):
        await umbel._store.runs.finish("p", [Finish(run.id, run.fence, "succeeded", "2")])
    await lead(umbel, model, limit=2)
    await lead(umbel, model, limit=2)
    assert await umbel.wait_for_turn(turn) == "done"


async def test_a_conversation_reads_only_its_dialects(umbel: Umbel):
    strict = await umbel.open_conversation(dialects=["coach.xml"])
    none = await umbel.open_conversation(dialects=[])
    every = await umbel.open_conversation()
    for conversation, number in ((strict, 0), (none, 0), (every, 1)):
        posted = await umbel.post_reply(conversation, TAG)
        assert len(posted.runs) == number
        assert posted.reply.text == ("" if number else TAG)
    assert len((await umbel.post_reply(none, calls(GOOD))).runs) == 1
    standings = [await umbel.read(each) for each in (strict, none, every)]
    assert [each.dialects for each in standings] == [("coach.xml",), (), None]


async def test_what_leads_a_turn_reads_them_too(umbel: Umbel):
    conversation = await umbel.open_conversation(dialects=["none"])
    turn = await umbel.say(conversation, "hi")
    await lead(umbel, Saying(text(TAG)))
    assert await umbel.wait_for_turn(turn) == "done"
    assert (await umbel.messages(conversation))[-1]["content"] == TAG


async def test_an_unknown_dialect_is_refused_where_it_is_named(umbel: Umbel):
    with pytest.raises(DeclarationError, match="No dialect is named 'klingon'"):
        await umbel.open_conversation(dialects=["klingon"])
    with pytest.raises(ConfigError, match="UMBEL_DIALECTS"):
        load_settings({"UMBEL_DIALECTS": "klingon"})


def test_settings_say_what_conversations_leave_open():
    settings = load_settings({"UMBEL_DIALECTS": "coach.xml,coach.tags", "UMBEL_BAD_REPLIES": "5"})
    accepting = Accepting.of(settings)
    assert accepting == Accepting(("coach.tags", "coach.xml"), 5)
    assert accepting.dialects_of("eliza.json") == ("eliza.json",)
    assert accepting.dialects_of("") == ("coach.tags", "coach.xml")
    assert Accepting.of(load_settings({"UMBEL_DIALECTS": "none"})).dialects == ()
    assert Accepting.of(load_settings({})) == Accepting()


def test_every_dialect_can_be_named():
    assert check_dialects(DIALECTS) == " ".join(DIALECTS)
    assert check_dialects(None) == ""
    assert check_dialects(()) == check_dialects(["none"]) == "none"
