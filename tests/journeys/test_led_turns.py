"""A user's message, a model behind HTTP, several rounds, an answer: the whole loop, on a real worker."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from model_under_test import ScriptedModel, text
from orchestrator import turns
from workers_under_test import MODULE, settings_of, start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes


def calls(*names: str, arguments: str = '{"a": 1, "b": 1}') -> dict[str, Any]:
    tools = [
        {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for at, name in enumerate(names)
    ]
    return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": tools}}]}


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    server = ScriptedModel()
    yield server
    server.close()


@pytest.fixture(scope="module")
def led_settings(
    valkey: str, tmp_path_factory: pytest.TempPathFactory, model: ScriptedModel
) -> Iterator[Settings]:
    made = settings_of(valkey, tmp_path_factory.mktemp("home"), MODULE, model_url=model.url)
    with start_worker(made):
        yield made


@pytest.fixture
async def house(led_settings: Settings, model: ScriptedModel) -> AsyncIterator[House]:
    from orchestrator.assembly import build

    model.asked.clear()
    built = build(led_settings)
    yield built
    await built.close()


def rounds_so_far(request: dict[str, Any]) -> int:
    return sum(message["role"] == "assistant" for message in request["messages"])


async def test_the_model_sees_its_results_and_answers(house: House, model: ScriptedModel) -> None:
    script = [calls("ADD", "ADD"), calls("NOBODY"), text("It is 2.")]
    model.answer = lambda request: (200, script[rounds_so_far(request)])
    conversation = await house.conductor.open_conversation()
    turn = await house.conductor.say(conversation, "What is 1 + 1?")
    assert await house.conductor.wait_for_turn(turn) == "done"
    messages = await house.conductor.messages(conversation)
    roles = [message["role"] for message in messages]
    assert roles == ["user", "assistant", "tool", "tool", "assistant", "tool", "assistant"]
    assert messages[-1]["content"] == "It is 2."
    assert len(model.asked) == 3
    assert model.asked[2]["messages"] == messages[:-1]
    assert {"ADD", "SLEEP"} <= {tool["function"]["name"] for tool in model.asked[0]["tools"]}


async def test_a_message_that_comes_meanwhile_waits_its_turn(house: House, model: ScriptedModel) -> None:
    release = threading.Event()

    def answer(request: dict[str, Any]) -> tuple[int, Any]:
        release.wait(10)
        return 200, text(f"answer to {request['messages'][-1]['content']}")

    model.answer = answer
    conversation = await house.conductor.open_conversation()
    first = await house.conductor.say(conversation, "one")
    second = await house.conductor.say(conversation, "two")
    release.set()
    assert await house.conductor.wait_for_turn(first) == "done"
    assert await house.conductor.wait_for_turn(second) == "done"
    told = [message["content"] for message in await house.conductor.messages(conversation)]
    assert told == ["one", "answer to one", "two", "answer to two"]


async def test_an_injected_message_is_heard_in_the_turn_that_lives(
    house: House, model: ScriptedModel
) -> None:
    release = threading.Event()

    def answer(request: dict[str, Any]) -> tuple[int, Any]:
        release.wait(10)
        return 200, calls("ADD") if rounds_so_far(request) == 0 else text("both heard")

    model.answer = answer
    conversation = await house.conductor.open_conversation()
    first = await house.conductor.say(conversation, "one")
    second = await house.conductor.say(conversation, "and two", busy="inject")
    release.set()
    assert await house.conductor.wait_for_turn(first) == "done"
    assert await house.conductor.wait_for_turn(second) == "injected"
    messages = await house.conductor.messages(conversation)
    assert [each["role"] for each in messages] == ["user", "assistant", "tool", "user", "assistant"]
    assert model.asked[-1]["messages"][-1]["content"] == "and two"
    assert (await house.conductor.read(second)).into == first


async def test_an_interrupting_message_stops_the_model_and_is_answered(
    house: House, model: ScriptedModel
) -> None:
    release = threading.Event()

    def answer(request: dict[str, Any]) -> tuple[int, Any]:
        if request["messages"][-1]["content"] == "one":
            release.wait(10)
        return 200, text(f"answer to {request['messages'][-1]['content']}")

    model.answer = answer
    conversation = await house.conductor.open_conversation()
    first = await house.conductor.say(conversation, "one")
    second = await house.conductor.say(conversation, "two", busy="interrupt")
    assert await house.conductor.wait_for_turn(second) == "done"
    release.set()
    assert await house.conductor.wait_for_turn(first) == "cancelled"
    told = [message["content"] for message in await house.conductor.messages(conversation)]
    assert told == ["one", "two", "answer to two"]


async def test_a_reply_that_waited_is_led_on_by_the_model(house: House, model: ScriptedModel) -> None:
    model.answer = lambda request: (200, text(f"seen {request['messages'][-1]['role']}"))
    conversation = await house.conductor.open_conversation()
    slow = calls("SLEEP", arguments='{"seconds": 0.2}')
    first = await house.conductor.post_reply(conversation, slow)
    waits = await house.conductor.post_reply(conversation, calls("ADD"), then=turns.lead(), key="k")
    again = await house.conductor.post_reply(conversation, calls("ADD"), then=turns.lead(), key="k")
    assert (waits.queued, again.repeated, again.turn) == (True, True, waits.turn)
    assert await house.conductor.wait_for_turn(first.turn) == "done"
    assert await house.conductor.wait_for_turn(waits.turn) == "done"
    messages = await house.conductor.messages(conversation)
    assert [each["role"] for each in messages] == ["assistant", "tool", "assistant", "tool", "assistant"]
    assert messages[-1]["content"] == "seen tool"


async def test_a_message_with_the_same_key_is_said_once(house: House, model: ScriptedModel) -> None:
    model.answer = lambda _: (200, text("hello"))
    conversation = await house.conductor.open_conversation()
    turns = {await house.conductor.say(conversation, "hi", key="once") for _ in range(2)}
    assert len(turns) == 1
    assert await house.conductor.wait_for_turn(turns.pop()) == "done"
    assert len(await house.conductor.messages(conversation)) == 2


async def test_a_model_that_is_busy_is_asked_again(house: House, model: ScriptedModel) -> None:
    answers = [(503, {"error": "busy"}), (200, b"<html>not JSON</html>"), (200, text("here I am"))]
    model.answer = lambda _: answers[min(len(model.asked), 3) - 1]
    conversation = await house.conductor.open_conversation()
    turn = await house.conductor.say(conversation, "hi")
    assert await house.conductor.wait_for_turn(turn) == "done"
    assert (await house.conductor.messages(conversation))[-1]["content"] == "here I am"


async def test_a_model_that_refuses_ends_the_turn_and_the_next_one_goes_on(
    house: House, model: ScriptedModel
) -> None:
    model.answer = lambda request: (
        (400, {}) if request["messages"][-1]["content"] == "bad" else (200, text("ok"))
    )
    conversation = await house.conductor.open_conversation()
    bad = await house.conductor.say(conversation, "bad")
    assert await house.conductor.wait_for_turn(bad) == "failed"
    good = await house.conductor.say(conversation, "good")
    assert await house.conductor.wait_for_turn(good) == "done"


async def test_a_model_that_never_stops_calling_is_stopped(house: House, model: ScriptedModel) -> None:
    model.answer = lambda _: (200, calls("ADD"))
    conversation = await house.conductor.open_conversation()
    turn = await house.conductor.say(conversation, "for ever")
    assert await house.conductor.wait_for_turn(turn) == "max_rounds"
    messages = await house.conductor.messages(conversation)
    assert len(model.asked) == 10
    assert [message["role"] for message in messages[-2:]] == ["assistant", "tool"]


def eliza(action: str, said: str = "") -> dict[str, Any]:
    """A reply in Eliza's JSON, as it arrives: inside a provider's body."""
    return text(json.dumps({"user": "Trader", "text": said, "action": action}))


async def test_a_model_that_goes_on_is_stopped_after_three_messages_in_a_row(
    house: House, model: ScriptedModel
) -> None:
    model.answer = lambda request: (200, eliza("ELABORATE", f"part {rounds_so_far(request)}"))
    conversation = await house.conductor.open_conversation()
    turn = await house.conductor.say(conversation, "Tell me a story.")
    assert await house.conductor.wait_for_turn(turn) == "done"
    messages = await house.conductor.messages(conversation)
    assert [message["content"] for message in messages if message["role"] == "assistant"] == [
        "part 0", "part 1", "part 2", "part 3",
    ]  # fmt: skip
    told = [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
    assert told[:3] == ["go on"] * 3
    assert told[3]["code"] == "refused"
    assert len(model.asked) == 4


async def test_after_a_question_the_model_waits_for_the_answer(house: House, model: ScriptedModel) -> None:
    model.answer = lambda _: (200, eliza("CONTINUE", "Shall I go on?"))
    conversation = await house.conductor.open_conversation()
    turn = await house.conductor.say(conversation, "Tell me a story.")
    assert await house.conductor.wait_for_turn(turn) == "done"
    assert len(model.asked) == 1
    assert json.loads((await house.conductor.messages(conversation))[-1]["content"])["code"] == "refused"


@pytest.mark.parametrize("wire", ["eliza", "openai"])
async def test_a_model_that_ignores_ends_the_conversation_without_a_reply(
    house: House, model: ScriptedModel, wire: str
) -> None:
    stop = {"id": "call_0", "function": {"name": "STOP_TALKING", "arguments": "{}"}}
    asks = {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [stop]}}]}
    model.answer = lambda _: (200, asks if wire == "openai" else eliza("IGNORE"))
    conversation = await house.conductor.open_conversation()
    turn = await house.conductor.say(conversation, "Goodbye.")
    assert await house.conductor.wait_for_turn(turn) == "done"
    said = [message["content"] for message in await house.conductor.messages(conversation)]
    assert said == ["Goodbye.", None, '"the conversation is over"']
    assert (await house.store.conversations.read(conversation)).status == "completed"
    assert len(model.asked) == 1


async def test_a_model_that_does_nothing_has_only_answered(house: House, model: ScriptedModel) -> None:
    model.answer = lambda _: (200, eliza("NO_ACTION", "Hello!"))
    conversation = await house.conductor.open_conversation(context={"kept": 0})
    turn = await house.conductor.say(conversation, "Hi.")
    assert await house.conductor.wait_for_turn(turn) == "done"
    assert [message["content"] for message in await house.conductor.messages(conversation)] == [
        "Hi.", "Hello!", '"nothing to do"',
    ]  # fmt: skip
    record = await house.store.conversations.read(conversation)
    assert (record.status, record.context) == ("idle", {"kept": "0"})
    assert len(model.asked) == 1
