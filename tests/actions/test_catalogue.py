"""The catalogue: what there is to know of an action, the same for the command and for the service."""

from __future__ import annotations

import json

from actions.approvals import Approval
from actions.catalogue import entry
from actions.definition import action
from actions.limits import Lock, RateLimit
from actions.policy import Retry
from orchestrator.wire import ActionCard
from tools_under_test import RICH


@action(
    "ORDER",
    similes=("BUY",),
    category="trade",
    tags=("a", "b"),
    version="2",
    queue="trading",
    priority="high",
    permissions={"y", "x"},
    approval=Approval(lambda params: params.n > 1),
    isolated=True,
    chain=True,
    may_transition=True,
    everywhere=True,
    depends_on="QUOTE",
    timeout="90s",
    retry=Retry(3),
    rate_limit=RateLimit(5, per="1m", name="exchange"),
    lock=Lock("orders:{principal}"),
)
def order(n: int = 1) -> None:
    """Order it."""


@order.undo
def undo(params, receipt, ctx): ...


def test_an_action_tells_what_it_declares():
    assert entry(order) == {
        "name": "ORDER", "description": "Order it.", "similes": ["BUY"], "category": "trade", "tags": ["a", "b"],
        "version": "2", "queue": "trading", "priority": "high", "permissions": ["x", "y"], "approval": "sometimes",
        "isolated": True, "user_only": False, "evaluates": None, "chain_only": True, "undoable": True,
        "may_transition": True, "everywhere": True, "depends_on": ["QUOTE"], "timeout_s": 90.0, "retries": 3,
        "limits": ["exchange"], "locks": ["orders:{principal}"],
        "parameters": {
            "type": "object", "properties": {"n": {"type": "integer", "default": 1}}, "additionalProperties": False,
        },
    }  # fmt: skip


def test_each_entry_is_the_card_that_the_service_answers_with():
    for each in RICH.actions:
        told = entry(each)
        assert told.keys() == ActionCard.model_fields.keys()
        assert json.loads(ActionCard(**told).model_dump_json()) == json.loads(json.dumps(told))


def test_whether_a_person_is_asked_is_one_of_three():
    asked = {
        each.name: entry(each)["approval"] for each in (RICH.resolve("TAKE_ORDER"), RICH.resolve("PING"))
    }
    assert asked == {"TAKE_ORDER": "always", "PING": "never"}
