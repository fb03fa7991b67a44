"""What a model is offered: by state, by permissions, and never what is not for models."""

from __future__ import annotations

import pytest

from actions.errors import ConfigError, UnknownAction
from orchestrator.offers import allowed, offered, tools
from orchestrator.store.records import ConversationRecord
from tools_under_test import RICH


def names(**given: object) -> list[str]:
    return [each.name for each in allowed(RICH, **given)]  # type: ignore[arg-type]


def conversation(**fields: object) -> ConversationRecord:
    given = {
        "id": "conv_a", "status": "idle", "live_turn": None, "revision": 0, "state": None, "state_revision": 0,
        "machine": None, "tenant": "", "principal": None, "permissions": (), "context": {},
    }  # fmt: skip
    return ConversationRecord(**{**given, **fields})  # type: ignore[arg-type]


def test_without_a_machine_permissions_alone_decide():
    assert names() == ["KINDS", "PAY", "LABEL", "PLANT", "PING"]
    assert names(permissions=("trade", "other")) == ["TAKE_ORDER", "KINDS", "PAY", "LABEL", "PLANT", "PING"]


@pytest.mark.parametrize(
    ("state", "permissions", "wanted"),
    [
        (None, ("trade",), ["TAKE_ORDER", "PAY", "PING"]), ("OPEN", (), ["PAY", "PING"]),
        ("CLOSED", ("trade",), ["PAY", "LABEL"]), ("NOWHERE", ("trade",), []), ("", ("trade",), []),
    ],
)  # fmt: skip
def test_a_machine_allows_what_its_state_lists_and_what_is_everywhere(state, permissions, wanted):
    assert names(machine="shop", state=state, permissions=permissions) == wanted


def test_only_some_may_be_offered():
    assert names(offer=["PING", "BUY", "LABEL"]) == ["PING", "LABEL"]
    with pytest.raises(UnknownAction):
        names(offer="SELL")
    with pytest.raises(ConfigError):
        names(machine="bank")


def test_a_conversation_is_offered_what_its_state_and_permissions_allow():
    record = conversation(machine="shop", state="OPEN", permissions=("trade",))
    assert [each.name for each in offered(RICH, record)] == ["TAKE_ORDER", "PAY", "PING"]
    assert [tool["function"]["name"] for tool in tools(RICH, record)] == ["TAKE_ORDER", "PAY", "PING"]
