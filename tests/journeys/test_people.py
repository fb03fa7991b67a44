"""Rooms, memory, the cache and evaluators, on a real worker with a model behind HTTP."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from model_under_test import ScriptedModel, text
from people_under_test import MODULE
from workers_under_test import eventually, settings_of, start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes

ASKED_IN_WORDS = "Answer with YES or NO and nothing else."


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    server = ScriptedModel()
    yield server
    server.close()


@pytest.fixture(scope="module")
def room_settings(
    valkey: str, tmp_path_factory: pytest.TempPathFactory, model: ScriptedModel
) -> Iterator[Settings]:
    made = settings_of(
        valkey, tmp_path_factory.mktemp("home"), "actions.builtin.rooms", MODULE, model_url=model.url
    )
    with start_worker(made):
        yield made


@pytest.fixture
async def house(room_settings: Settings, model: ScriptedModel) -> AsyncIterator[House]:
    from orchestrator.assembly import build

    model.asked.clear()
    built = build(room_settings)
    yield built
    await built.close()


async def post(
    house: House, conversation: str, *calls: tuple[str, dict[str, Any]], said: str = ""
) -> list[Any]:
    """Post a reply with these calls and return their results."""
    tools = [
        {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for at, (name, arguments) in enumerate(calls)
    ]
    body = {"choices": [{"message": {"role": "assistant", "content": said, "tool_calls": tools}}]}
    posted = await house.conductor.post_reply(conversation, body)
    assert await house.conductor.wait_for_turn(posted.turn) == "done"
    results = (await house.conductor.messages(conversation))[-len(calls) :]
    return [json.loads(each["content"]) for each in results]


async def context(house: House, conversation: str) -> dict[str, Any]:
    record = await house.store.conversations.read(conversation)
    return {key: json.loads(value) for key, value in record.context.items()}


def in_words(answer: str, reply: dict[str, Any]) -> Any:
    """Answer YES or NO where it is asked in words, else with this reply once, then with a text."""

    def script(request: dict[str, Any]) -> tuple[int, Any]:
        if ASKED_IN_WORDS in str(request["messages"][-1]["content"]):
            return (500, {}) if answer == "away" else (200, text(answer))
        done = request["messages"][-1]["role"] == "tool"
        return 200, text("As you wish.") if done else reply

    return script


def calling(name: str) -> dict[str, Any]:
    tool = {"id": "c0", "type": "function", "function": {"name": name, "arguments": "{}"}}
    return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [tool]}}]}


async def ask(house: House, conversation: str, said: str) -> list[dict[str, Any]]:
    """Say something, wait for the turn's end, and return the messages since."""
    before = len(await house.conductor.messages(conversation))
    turn = await house.conductor.say(conversation, said)
    assert await house.conductor.wait_for_turn(turn) == "done"
    return (await house.conductor.messages(conversation))[before:]


async def state(house: House, conversation: str, name: str = "Sage") -> str | None:
    return (await house.store.conversations.read(conversation)).participants.get(name)


async def test_a_muted_agent_is_silent_until_it_is_called_by_name(house: House, model: ScriptedModel) -> None:
    conversation = await house.conductor.open_conversation(agent="Sage", participants=("Sage", "Ada"))
    model.answer = in_words("YES", calling("MUTE"))
    said = await ask(house, conversation, "please be quiet")
    assert json.loads(said[2]["content"]) == {"participant": "Sage", "state": "muted", "changed": True}
    assert await state(house, conversation) == "muted"
    model.asked.clear()
    said = await ask(house, conversation, "what a nice day")
    assert [each["role"] for each in said] == ["user"]
    assert model.asked == []
    model.answer = in_words("YES", calling("UNMUTE_ROOM"))
    said = await ask(house, conversation, "sage, come back")
    assert said[-1]["content"] == "As you wish."
    assert await state(house, conversation) == ""
    assert await state(house, conversation, "Ada") == ""


@pytest.mark.parametrize(("answer", "after"), [("YES", "followed"), ("NO", "")])
async def test_the_model_is_asked_in_words_before_the_state_changes(
    house: House, model: ScriptedModel, answer: str, after: str
) -> None:
    conversation = await house.conductor.open_conversation(agent="Sage", participants=("Sage",))
    model.answer = in_words(answer, calling("FOLLOW"))
    said = await ask(house, conversation, "join us")
    told = {"participant": "Sage", "state": after, "changed": answer == "YES"}
    assert json.loads(said[2]["content"]) == told
    assert await state(house, conversation) == after


async def test_a_model_that_fails_leaves_the_state(house: House, model: ScriptedModel) -> None:
    conversation = await house.conductor.open_conversation(participants={"agent": "followed"})
    model.answer = in_words("away", {})
    (told,) = await post(house, conversation, ("UNFOLLOW", {}))
    assert told["code"] == "handler_failed"
    assert "500" in told["error"]
    assert len(model.asked) == 3
    assert await state(house, conversation, "agent") == "followed"


async def test_what_the_state_does_not_allow_asks_nobody(house: House, model: ScriptedModel) -> None:
    conversation = await house.conductor.open_conversation()
    told = await post(house, conversation, ("UNMUTE", {}), ("UNFOLLOW", {}), ("FOLLOW", {}))
    assert [each["code"] for each in told] == ["refused"] * 3
    assert model.asked == []


async def test_an_action_remembers_its_own_in_each_conversation(house: House) -> None:
    one, two = await house.conductor.open_conversation(), await house.conductor.open_conversation()
    assert await post(house, one, ("COUNT", {}), ("COUNT", {}), ("RECALL", {})) == [1, 2, None]
    assert await post(house, two, ("COUNT", {})) == [1]
    assert await post(house, one, ("COUNT", {"forget": True})) == [3]
    assert await post(house, one, ("COUNT", {})) == [1]


async def test_the_cache_is_a_tenants_own(house: House) -> None:
    ada = await house.conductor.open_conversation(tenant="ada")
    bob = await house.conductor.open_conversation(tenant="bob")
    key = f"k{secrets.token_hex(4)}"
    assert await post(house, ada, ("KEEP", {"key": key, "value": 1})) == [None]
    assert await post(house, bob, ("KEEP", {"key": key, "value": 2})) == [None]
    assert await post(house, ada, ("KEEP", {"key": key, "value": 3})) == [1]


async def test_an_optional_service_makes_it_better_and_its_lack_leaves_it_basic(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    told = await post(
        house,
        conversation,
        ("LOOK_UP", {}),
        ("LOOK_UP", {"service": "cache"}),
        ("LOOK_UP", {"service": "http"}),
    )
    assert told == [
        {"basic": 1, "enhanced": False},
        {"basic": 1, "found": None, "enhanced": True},
        {"basic": 1, "enhanced": False},
    ]


@pytest.mark.parametrize("answer", ["Done.", ""])
async def test_evaluators_run_after_a_turn_that_was_answered_or_always(house: House, answer: str) -> None:
    conversation = await house.conductor.open_conversation()
    await post(house, conversation, ("RECALL", {}), said=answer)

    async def looked() -> bool:
        found = await context(house, conversation)
        return found.get("always") == [1] and (not answer or "answered" in found)

    await eventually(looked)
    await post(house, conversation, ("RECALL", {}), said=answer)

    async def looked_again() -> bool:
        found = await context(house, conversation)
        return found.get("always") == [1, 1] and (not answer or len(found["answered"]) == 2)

    await eventually(looked_again)
    found = await context(house, conversation)
    assert "never" not in found
    assert ("answered" in found) == bool(answer)


async def test_no_model_calls_an_evaluator_or_is_offered_one(house: House, model: ScriptedModel) -> None:
    conversation = await house.conductor.open_conversation()
    (told,) = await post(house, conversation, ("AFTER_ALL", {}))
    assert told["code"] == "user_only"
    model.answer = lambda _: (200, text("Hello."))
    await ask(house, conversation, "hello")
    offered = {tool["function"]["name"] for tool in model.asked[0]["tools"]}
    assert "FOLLOW" in offered
    assert not offered & {"AFTER_ALL", "AFTER_ANSWERS", "AFTER_NONE"}


async def test_two_records_of_one_reply_are_both_created(house: House) -> None:
    conversation = await house.conductor.open_conversation()
    one, two = await post(house, conversation, ("CREATE", {"title": "a"}), ("CREATE", {"title": "b"}))
    assert one["id"] != two["id"]
    assert sorted((await context(house, conversation))["records"]) == ["a", "b"]


async def test_one_that_breaks_stops_no_other_and_the_last_component_stands(house: House) -> None:
    conversation = await house.conductor.open_conversation(mode="sequence")
    told = await post(
        house,
        conversation,
        ("SHOW", {"component": "first"}),
        ("BREAK", {}),
        ("NOBODY", {}),
        ("CREATE", {"title": ""}),
        ("SHOW", {"component": "last"}),
    )
    assert [each if isinstance(each, str) else each["code"] for each in told] == [
        "shown", "handler_failed", "unknown_action", "handler_failed", "shown",
    ]  # fmt: skip
    assert (await context(house, conversation))["component"] == "last"
