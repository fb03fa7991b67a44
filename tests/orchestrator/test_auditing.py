"""A line of the audit says who asked for what and what was decided, and holds nothing that must not be seen."""

from __future__ import annotations

import json

import pytest

from actions.definition import MASK, action
from actions.errors import ForbiddenAction, UnknownAction
from actions.messages import Payload
from actions.registry import Registry
from orchestrator import auditing
from orchestrator.submission import Submission, refused_submission

SECRET = "hunter2"


@action("PAY", similes=("TRANSFER",), show=("amount",))
async def pay(amount: int, card: str) -> None:
    """Pay."""


def read(**given: object) -> dict[str, object]:
    payload = Payload(
        "PAY", {"amount": 5, "card": SECRET}, called="TRANSFER", principal="ann", key="k", turn_text=SECRET
    )
    whole = {
        "run_id": "run_a1",
        "action": pay,
        "payload": payload,
        "tenant": "acme",
        "conversation": "conv_a1",
    }
    return json.loads(auditing.audit_line(**{**whole, "decided": auditing.ALLOWED, **given}))


def test_a_line_says_who_what_and_how_it_was_decided():
    assert read() == {
        "run": "run_a1",
        "what": "asked",
        "action": "PAY",
        "called": "TRANSFER",
        "by": "ann",
        "tenant": "acme",
        "conversation": "conv_a1",
        "arguments": {"amount": "5", "card": MASK},
        "decided": "allowed",
    }


def test_no_line_holds_what_is_not_shown():
    assert SECRET not in json.dumps(read())


def test_of_an_unknown_action_only_the_number_of_arguments_is_told():
    told = read(action=None, decided="unknown_action")
    assert (told["action"], told["called"], told["arguments"]) == ("", "TRANSFER", {"unknown keys": "2"})


def test_names_that_a_model_made_up_are_cut_and_storable():
    payload = Payload("PAY", {SECRET: 1}, called="A\ud800" + "B" * 5_000, principal="p" * 5_000)
    told = read(payload=payload)
    assert len(told["called"]) == 120
    assert told["called"].startswith("A�B")
    assert len(told["by"]) == 120
    assert told["arguments"] == {"unknown keys": "1"}


def test_a_refused_submission_has_a_line_though_it_has_no_record():
    given = Submission("TRANSFER", {"amount": 5, "card": SECRET}, principal="ann", tenant="acme")
    told = refused_submission(given, Registry([pay]), ForbiddenAction("no"))
    assert told == {
        "run": "",
        "what": "asked",
        "by": "ann",
        "action": "PAY",
        "called": "TRANSFER",
        "tenant": "acme",
        "conversation": "",
        "arguments": {"amount": "5", "card": MASK},
        "decided": "forbidden_action",
    }


def test_a_refused_submission_of_an_unknown_action_names_what_was_called():
    told = refused_submission(Submission("STEAL", {"card": SECRET}), Registry([pay]), UnknownAction("no"))
    assert (told["action"], told["called"], told["decided"]) == ("", "STEAL", "unknown_action")
    assert SECRET not in json.dumps(told)


@pytest.mark.parametrize("value", [None, ""])
def test_what_was_not_said_is_left_out_of_a_deed(value: str | None):
    told = auditing.line("run_a1", "deny", by="bob", reason=value)
    assert ("reason" in told) == (value is not None)
