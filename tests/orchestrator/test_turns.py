"""Leading a turn: what a model is offered, how its calls are run, who keeps silent, and what runs after the turn."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.approvals import Approval
from actions.definition import action
from actions.errors import DeclarationError, UnknownConversation
from actions.messages import Payload
from actions.registry import Registry
from actions.states import StateMachine
from actions.transcripts import last_said
from orchestrator import turns
from orchestrator.evaluators import draft_evaluators
from orchestrator.offers import offered
from orchestrator.people import is_silent
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish
from orchestrator.store.records import Claimed, ConversationRecord
from umbel import Umbel


@action("PING")
async def ping() -> str:
    """Answer."""
    return "pong"


@action("BUTTON", user_only=True)
async def button() -> None:
    """Only people."""


@action("ASKED", approval=Approval(), permissions={"ask"})
async def asked() -> None:
    """A person decides."""


@action("JUDGE", evaluates="answered", everywhere=True)
async def judge() -> None:
    """Look at an answered turn."""


@action("COUNT", evaluates="always", permissions={"count"})
async def count(step: int = 1) -> None:
    """Count all turns."""


MACHINE = StateMachine("m", initial="NOW", states={"NOW": ("PING",)}, transitions=())
REGISTRY = Registry([ping, button, asked, judge, count], [MACHINE])
TURNS = [("turns", 5)]


class Saying:
    """A model that says what it is told to, and remembers what it was asked."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self.bodies = list(bodies)
        self.asked: list[dict[str, Any]] = []

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return self.bodies.pop(0)


def calls(*names: str) -> dict[str, Any]:
    made = [{"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": "{}"}}
            for at, name in enumerate(names)]  # fmt: skip
    return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": made}}]}


def text(said: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": said}}]}


@pytest.fixture
async def umbel(settings: Settings) -> AsyncIterator[Umbel]:
    async with Umbel(settings, REGISTRY) as opened:
        yield opened


async def claimed(umbel: Umbel, *lanes: str) -> list[Claimed]:
    wanted = [(lane, 9) for lane in lanes] or TURNS
    return (await umbel._store.runs.claim("p", wanted)).runs


async def lead(umbel: Umbel, model: Saying) -> str:
    (run,) = await claimed(umbel)
    return await turns.advance(run, umbel._store, REGISTRY, model, audit=True)


# Offers


async def test_a_model_is_offered_what_it_may_call_now(umbel: Umbel):
    plain = await umbel.open_conversation(permissions=("ask",))
    record = await umbel._store.conversations.read(plain)
    assert {action.name for action in offered(REGISTRY, record)} == {"PING", "ASKED"}
    in_state = await umbel.open_conversation(machine="m", permissions=("ask",))
    record = await umbel._store.conversations.read(in_state)
    assert [action.name for action in offered(REGISTRY, record)] == ["PING"]


# Modes


async def test_the_mode_that_was_asked_for_holds_for_every_round_of_the_turn(umbel: Umbel):
    conversation = await umbel.open_conversation(mode="chain")
    turn = await umbel.say(conversation, "hi", mode="sequence")
    model = Saying(calls("PING", "PING"), calls("PING", "PING"))
    for number in (0, 1):
        assert await lead(umbel, model) == "ok"
        one = f"run_{turn[5:]}.{number}"
        views = await umbel._store.runs.read_all([f"{one}.0", f"{one}.1"])
        assert [view.status for view in views if view] == ["ready", "blocked"]
        for _ in range(2):  # in a chain the second would not run
            (run,) = await claimed(umbel, "actions")
            await umbel._store.runs.finish("p", [Finish(run.id, run.fence, "failed", "1")])


async def test_the_conversations_mode_holds_where_nobody_asks(umbel: Umbel):
    conversation = await umbel.open_conversation(mode="chain")
    turn = await umbel.say(conversation, "hi")
    await lead(umbel, Saying(calls("PING", "NOTHING")))
    views = await umbel._store.runs.read_all([f"run_{turn[5:]}.0.0", f"run_{turn[5:]}.0.1"])
    codes = [json.loads(view.result or "{}")["code"] for view in views if view]
    assert codes == ["chain_refused", "unknown_action"]
    with pytest.raises(DeclarationError):
        await umbel.say(conversation, "hi", mode="any")  # type: ignore[arg-type]


def test_a_plain_leading_run_says_nothing_of_modes():
    assert turns.lead().payload == b'{"v":1,"a":"umbel.advance"}'
    assert Payload.decode(turns.lead(mode="chain").payload).mode == "chain"


# Who keeps silent


async def test_a_muted_agent_is_silent_until_it_is_named(umbel: Umbel):
    conversation = await umbel.open_conversation(agent="Umba", participants={"Umba": "muted", "Ada": ""})
    turn = await umbel.say(conversation, "What do you think?")
    model = Saying(text("I am here."))
    assert await lead(umbel, model) == "ok"
    assert await umbel.wait_for_turn(turn) == "done"
    assert model.asked == []
    turn = await umbel.say(conversation, "And you, @umba?")
    assert await lead(umbel, model) == "ok"
    assert await umbel.wait_for_turn(turn) == "done"
    assert [message["role"] for message in await umbel.messages(conversation)] == [
        "user",
        "user",
        "assistant",
    ]


async def test_the_newest_words_of_the_user_count():
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert last_said(messages) == "a"
    assert last_said([{"role": "user", "content": None}]) == ""
    assert last_said([{"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "image"}]}]) == "b"
    assert last_said([*messages, {"role": "user", "name": "umbel", "content": "a note"}]) == "a"
    assert last_said([]) == ""


async def test_a_note_of_the_house_names_nobody(umbel: Umbel):
    messages = [
        {"role": "user", "content": "hm"},
        {"role": "user", "name": "umbel", "content": "Umba was run"},
    ]
    there = ConversationRecord(
        id="conv_a", status="idle", live_turn=None, revision=0, state=None, state_revision=0, machine=None,
        tenant="", principal=None, permissions=(), context={}, agent="Umba", participants={"Umba": "muted"},
    )  # fmt: skip
    assert is_silent(there, last_said(messages))


# Evaluators


async def evaluators_of(umbel: Umbel) -> list[str]:
    return sorted(Payload.decode(run.payload).action for run in await claimed(umbel, "actions"))


async def test_evaluators_run_after_a_turn_that_was_answered_or_after_each(umbel: Umbel):
    conversation = await umbel.open_conversation(permissions=("count",))
    await umbel.say(conversation, "hi")
    await lead(umbel, Saying(text("hello")))
    assert await evaluators_of(umbel) == ["COUNT", "JUDGE"]
    posted = await umbel.post_reply(conversation, "[ACTION:NOTHING]{}[/ACTION]")
    assert await umbel.wait_for_turn(posted.turn) == "done"
    assert await evaluators_of(umbel) == ["COUNT"]


async def test_an_evaluator_needs_its_permissions(umbel: Umbel):
    conversation = await umbel.open_conversation()
    await umbel.post_reply(conversation, "Only words.")
    assert await evaluators_of(umbel) == ["JUDGE"]


async def test_evaluators_are_numbered_without_gaps(umbel: Umbel):
    both = await umbel._store.conversations.read(await umbel.open_conversation(permissions=("count",)))
    one = await umbel._store.conversations.read(await umbel.open_conversation())
    registry = Registry([count, judge])
    assert [run.id for _, run in draft_evaluators(both, "turn_x", registry)] == ["run_x.ev.0", "run_x.ev.1"]
    assert [run.id for _, run in draft_evaluators(one, "turn_x", registry)] == ["run_x.ev.0"]


async def test_where_something_evaluates_a_message_still_needs_a_conversation(umbel: Umbel):
    with pytest.raises(UnknownConversation):
        await umbel.say("conv_nobody", "hi")


# Rooms


async def test_who_takes_part_is_a_trusted_callers_to_say(umbel: Umbel):
    conversation = await umbel.open_conversation(participants=["Ada"])
    await umbel.set_participant(conversation, "Bob", "followed")
    await umbel.set_participant(conversation, "Ada", None)
    assert (await umbel._store.conversations.read(conversation)).participants == {"Bob": "followed"}
    with pytest.raises(UnknownConversation):
        await umbel.set_participant("conv_nobody", "Bob")


@pytest.mark.parametrize("given", ["Ada", ["", "x"], {"Ada": "loud"}, ["a\nb"], ["x" * 201], [7], ["\ud800"]])
async def test_a_participant_needs_a_name_and_a_known_state(umbel: Umbel, given: Any):
    with pytest.raises(DeclarationError, match="participants"):
        await umbel.open_conversation(participants=given)
