from __future__ import annotations

import pytest

from orchestrator.people import agent_of, is_named, is_silent
from orchestrator.store.records import ConversationRecord


def record(agent: str | None = None, **participants: str) -> ConversationRecord:
    return ConversationRecord(
        "conv_a1", "idle", None, 0, None, 0, None, "", None, (), {}, agent=agent, participants=participants
    )


@pytest.mark.parametrize(
    ("state", "text", "silent"),
    [
        ("muted", "hello", True),
        ("muted", "Sage, are you there?", False),
        ("muted", "hello @sage!", False),
        ("muted", "the passage of sages", True),
        ("muted", "", True),
        ("followed", "hello", False),
        ("", "hello", False),
    ],
)
def test_a_muted_agent_is_silent_until_it_is_named(state, text, silent):
    assert is_silent(record("Sage", Sage=state), text) is silent


def test_nobody_is_silent_whom_nobody_has_muted():
    assert not is_silent(record(), "hello")
    assert not is_silent(record("Sage", Ada="muted"), "hello")


def test_an_agent_without_a_name_is_called_agent():
    assert agent_of(record()) == "agent"
    assert is_silent(record(agent="muted"), "hello") is False
    assert is_silent(ConversationRecord(
        "conv_a1", "idle", None, 0, None, 0, None, "", None, (), {}, participants={"agent": "muted"}
    ), "hello")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("Dr. No", "ask dr.  no about it", True),
        ("C++", "is c++ here", True),
        ("(.*)+$", "anything", False),
        ("Zoë", "zoe\u0308, please", True),
        ("", "anything", False),
        ("  ", "anything", False),
        ("Ada", "nevada", False),
        ("Ada", "ADA", True),
    ],
)
def test_a_name_is_a_whole_word_and_never_a_pattern(name, text, named):
    assert is_named(name, text) is named
