"""A coach's replies, tags and all, on a real worker: states say what may run, and what runs may change the state."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from actions.builtin.coach import drafts
from workers_under_test import settings_of, start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def coach_settings(valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    made = settings_of(valkey, tmp_path_factory.mktemp("home"), "actions.builtin.coach")
    with start_worker(made):
        yield made


@pytest.fixture
async def house(coach_settings: Settings) -> AsyncIterator[House]:
    from orchestrator.assembly import build

    built = build(coach_settings)
    yield built
    await built.close()


@dataclass
class Talk:
    """A conversation with a coach."""

    house: House
    id: str

    async def post(self, text: str) -> tuple[str, list[Any]]:
        """Post a reply; return its visible text and the results of its calls."""
        posted = await self.house.conductor.post_reply(self.id, {"role": "assistant", "content": text})
        assert await self.house.conductor.wait_for_turn(posted.turn) == "done"
        messages = (await self.house.conductor.messages(self.id))[-1 - len(posted.runs) :]
        return messages[0]["content"], [json.loads(message["content"]) for message in messages[1:]]

    async def state(self) -> str | None:
        return (await self.house.store.conversations.read(self.id)).state

    async def context(self) -> dict[str, Any]:
        record = await self.house.store.conversations.read(self.id)
        return {key: json.loads(value) for key, value in record.context.items()}


async def talk_in(house: House, state: str, **context: Any) -> Talk:
    opened = await house.conductor.open_conversation(machine="coach", state=state, context=context)
    return Talk(house, opened)


async def test_what_stands_after_a_transition_is_judged_by_the_new_state(house: House) -> None:
    talk = await talk_in(house, "INTRODUCTION")
    text, told = await talk.post(
        """Welcome, Sam!

[ACTION:SAVE_IDENTITY]{"identity": "Painter", "category": "PASSIONS"}[/ACTION]
[ACTION:SAVE_USER_INFO]{"key": "free_evenings", "value": 0}[/ACTION]
[ACTION:MARK_INTRODUCTION_COMPLETE]{}[/ACTION]
[ACTION:TRANSITION_STATE]{"target_state": "IDENTITY_BRAINSTORMING"}[/ACTION]
[ACTION:SAVE_IDENTITY]{identity: 'Gardener: beans', 'category': "PASSIONS",}[/ACTION]
[ACTION:MARK_INTRODUCTION_COMPLETE]{}[/ACTION]

Who else could you be?"""
    )
    assert text == "Welcome, Sam!\n\nWho else could you be?"
    too_early, *ran, too_late = told
    assert ran == [
        {"saved": "free_evenings"},
        {"introduction_completed": True},
        {"from": "INTRODUCTION", "to": "IDENTITY_BRAINSTORMING"},
        {"saved": "Gardener: beans"},
    ]
    assert too_early["code"] == too_late["code"] == "forbidden_action"
    assert "SAVE_IDENTITY is not allowed in the state INTRODUCTION" in too_early["error"]
    assert (
        "MARK_INTRODUCTION_COMPLETE is not allowed in the state IDENTITY_BRAINSTORMING" in too_late["error"]
    )
    assert await talk.state() == "IDENTITY_BRAINSTORMING"
    assert await talk.context() == {
        "user_info.free_evenings": 0,
        "introduction_completed": True,
        "identities": [{"identity": "Gardener: beans", "category": "PASSIONS", "description": ""}],
    }


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("ACCOUNTABILITY", "INTRODUCTION does not lead to ACCOUNTABILITY"),
        ("IDENTITY_BRAINSTORMING", "only when introduction_completed"),
        ("NOWHERE", "there is no state 'NOWHERE'"),
    ],
)
async def test_a_transition_that_is_not_open_changes_nothing(house: House, target: str, reason: str) -> None:
    talk = await talk_in(house, "INTRODUCTION")
    _, (moved, saved) = await talk.post(
        f"""<action name="TRANSITION_STATE"><param name="target_state">{target}</param></action>
<action name="SAVE_USER_INFO"><param name="key">mood</param><param name="value">false</param></action>"""
    )
    assert reason in moved["error"]
    assert saved == {"saved": "mood"}
    assert await talk.state() == "INTRODUCTION"
    assert await talk.context() == {"user_info.mood": False}


async def test_an_identity_that_was_never_saved_cannot_be_accepted(house: House) -> None:
    saved = {"identity": "Painter", "category": "PASSIONS", "description": ""}
    talk = await talk_in(house, "IDENTITY_REFINEMENT", identities=[saved])
    _, (unknown, accepted, updated) = await talk.post(
        """[ACTION:ACCEPT_IDENTITY]{"identity": "Plumber"}[/ACTION]
[ACTION:ACCEPT_IDENTITY]{"identity": "painter"}[/ACTION]
[ACTION:UPDATE_IDENTITY]{"identity": "PAINTER", "description": "At dusk"}[/ACTION]"""
    )
    assert unknown == {"error": "there is no identity 'Plumber'; saved are Painter", "code": "handler_failed"}
    assert (accepted, updated) == ({"accepted": "Painter"}, {"updated": "Painter"})
    assert drafts(await talk.context()) == [saved | {"accepted": True, "description": "At dusk"}]


async def test_a_state_that_the_machine_does_not_have_allows_nothing(house: House) -> None:
    await house.store.conversations.open(
        "conv_aOldState", machine="coach", state="SOMEWHERE"
    )  # of an older program
    talk = Talk(house, "conv_aOldState")
    _, (told,) = await talk.post('[ACTION:SAVE_USER_INFO]{"key": "a", "value": 1}[/ACTION]')
    assert told["code"] == "forbidden_action"
