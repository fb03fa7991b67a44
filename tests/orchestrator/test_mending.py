"""Calls that were mended: which run, under which keys, and what the model hears of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actions.approvals import Approval
from actions.definition import action
from actions.errors import DeclarationError
from actions.messages import Call, CallError, Payload, Reply, Status, TurnId
from actions.params import bind
from actions.registry import Registry
from orchestrator.planning import Plan, plan
from orchestrator.store.records import ConversationRecord
from orchestrator.submission import Submission, prepare


@action("NOTE", similar_keys=True)
def note(text: str, page: int = 0) -> None: ...


@action("PAY", permissions={"pay"})
def pay(amount: int) -> None: ...


@action("PAY_GLADLY", permissions={"pay"}, repaired="accept")
def pay_gladly(amount: int) -> None: ...


@action("ASK", approval=Approval())
def ask(amount: int) -> None: ...


@action("CAREFUL", repaired="refuse")
def careful(amount: int) -> None: ...


@action("QUOTE")
def quote() -> int:
    return 1


@action("BY_QUOTE", uses={"price": "QUOTE"}, similar_keys=True)
def by_quote(price: int) -> None: ...


@action("PEOPLE", user_only=True)
def people(pin: int) -> None: ...


REGISTRY = Registry([note, pay, pay_gladly, ask, careful, quote, by_quote, people])
FIELDS: dict[str, Any] = {
    "id": "conv_a", "status": "idle", "live_turn": None, "revision": 0, "state": None, "state_revision": 0,
    "machine": None, "tenant": "", "principal": None, "permissions": ("pay",), "context": {}, "evicted": 0,
    "mode": "all", "participants": {}, "did": (),
}  # fmt: skip


def planned(*calls: Call, **fields: Any) -> Plan:
    names = ConversationRecord.__dataclass_fields__
    record = ConversationRecord(**{key: each for key, each in {**FIELDS, **fields}.items() if key in names})
    return plan(Reply(format="text", calls=calls), record, TurnId("turn_aAAAAAAAAAAAA"), 0, REGISTRY)


def error_of(*calls: Call, **fields: Any) -> dict[str, Any]:
    [run] = planned(*calls, **fields).runs
    assert run.status is Status.REFUSED
    found: dict[str, Any] = json.loads(run.result or "")
    return found


def repaired(name: str, **arguments: Any) -> Call:
    return Call(name=name, arguments=arguments, repaired=("trailing comma", "single quotes"))


@pytest.mark.parametrize("name", ["PAY", "ASK", "CAREFUL"])
def test_what_permissions_or_people_guard_takes_no_mended_call(name):
    error = error_of(repaired(name, amount=5))

    assert error["code"] == "repaired_arguments"
    assert error["error"] == (
        f"{name} was not run: its call was not written well (trailing comma; single quotes). Send it again, whole, "
        "with its arguments as strict JSON"
    )


@pytest.mark.parametrize("name", ["PAY", "ASK", "CAREFUL", "PAY_GLADLY"])
def test_what_was_written_well_runs(name):
    [run] = planned(Call(name=name, arguments={"amount": 5})).runs

    assert run.status is not Status.REFUSED


@pytest.mark.parametrize(("name", "arguments"), [("PAY_GLADLY", {"amount": 5}), ("NOTE", {"text": "a"})])
def test_others_run_mended_calls_too(name, arguments):
    [run] = planned(repaired(name, **arguments)).runs

    assert run.status is not Status.REFUSED


def test_who_may_not_call_it_hears_that_first():
    assert error_of(repaired("PAY", amount=5), permissions=())["code"] == "forbidden_action"


def test_only_two_words_say_what_becomes_of_mended_calls():
    with pytest.raises(DeclarationError, match="repaired has to be one of accept, refuse"):
        action("X", repaired="perhaps")(lambda: None)  # type: ignore[arg-type]


def test_similar_keys_stand_in_the_record_under_their_own_names():
    [run] = planned(Call(name="NOTE", arguments={"txet": "a", "Page": "3"})).runs
    kept = Payload.decode(run.payload).arguments

    assert kept == {"text": "a", "page": "3"}
    assert bind(note, kept).page == 3  # type: ignore[attr-defined]


def test_a_refusal_tells_what_was_mended():
    call = Call(name="NOTE", arguments={"txet": "a", "Page": "x"}, repaired=("comments",))

    assert error_of(call) == {
        "code": "invalid_arguments",
        "error": 'page: an integer is wanted, got "x"\n'
        "the call was mended before: comments; Page read as page; txet read as text",
    }


def test_the_whole_refusal_keeps_within_two_kilobytes():
    arguments = {"txet": 1, "Page": "€" * 9_000, **{"€" * 500 + str(n): "€" * 999 for n in range(999)}}
    error = error_of(Call(name="NOTE", arguments=arguments, repaired=("€" * 9_000,)))

    assert error["code"] == "invalid_arguments"
    assert len(error["error"].encode()) <= 2_048


def test_two_keys_for_one_parameter_are_refused():
    error = error_of(Call(name="NOTE", arguments={"text": "a", "txet": "b"}))

    assert error["code"] == "invalid_arguments"
    assert "txet: is unknown and seems to mean text, which is given already" in error["error"]


def test_a_key_that_the_call_takes_from_a_result_is_given_already():
    calls = (
        Call(name="QUOTE", arguments={}),
        Call(name="BY_QUOTE", arguments={"prise": 1}, uses={"price": "QUOTE"}),
    )

    assert "which is given already" in planned(*calls).refused[0].error["error"]


def test_a_similar_key_is_taken_before_a_result_of_another():
    quoted, by = planned(Call(name="QUOTE", arguments={}), Call(name="BY_QUOTE", arguments={"prise": 1})).runs

    assert Payload.decode(by.payload).uses == ()
    assert Payload.decode(by.payload).arguments == {"price": 1}
    assert quoted.status is not Status.REFUSED


def test_names_of_actions_are_never_guessed():
    assert error_of(Call(name="NOET", arguments={"text": "a"}))["code"] == "unknown_action"


def test_a_trusted_caller_may_use_similar_keys_as_well():
    run = prepare(Submission("NOTE", {"txet": "a"}), REGISTRY, "a")

    assert Payload.decode(run.payload).arguments == {"text": "a"}


@pytest.mark.parametrize("code", ["malformed_call", "truncated_call"])
def test_a_call_that_cannot_be_read_hears_what_its_action_takes(code):
    call = Call(name="NOTE", error=CallError(code=code, message="There is no object."))

    assert error_of(call) == {
        "code": code,
        "error": "There is no object.\nNOTE takes text (text), page (integer, may be left out)",
    }


@pytest.mark.parametrize(
    ("name", "code", "fields"),
    [
        ("NOBODY", "malformed_call", {}),
        ("PEOPLE", "malformed_call", {}),
        ("PAY", "malformed_call", {"permissions": ()}),
        ("NOTE", "too_many_calls", {}),
    ],
)
def test_of_what_may_not_be_called_nothing_is_told(name, code, fields):
    assert error_of(Call(name=name, error=CallError(code=code, message="No.")), **fields)["error"] == "No."
