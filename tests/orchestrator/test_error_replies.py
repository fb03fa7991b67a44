from __future__ import annotations

import pytest

from actions import errors
from actions.errors import (
    ConfigError,
    ConversationBusy,
    Fail,
    ForbiddenAction,
    InvalidArguments,
    ModelError,
    OperatorError,
    StateConflict,
    StoreUnavailable,
    UmbelError,
    UnknownConversation,
)
from orchestrator.error_replies import TEXTS, Kind, error_reply
from orchestrator.operations.outcome import Acted, CallFailed


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ForbiddenAction("SELL is not allowed in the state INTRO"), Kind.STATE, "forbidden_action"),
        (StateConflict("it moved on"), Kind.STATE, "state_conflict"),
        (ConversationBusy("a turn lives"), Kind.STATE, "conversation_busy"),
        (UnknownConversation("no conv_a1"), Kind.CONTEXT, "unknown_conversation"),
        (InvalidArguments("a: an integer"), Kind.ACTION, "invalid_arguments"),
        (StoreUnavailable("Redis does not answer", where="redis://host"), Kind.SERVICE, "store_unavailable"),
        (ConfigError("no model is configured"), Kind.SERVICE, "config"),
        ({"error": "the shelf is empty", "code": "handler_failed"}, Kind.ACTION, "handler_failed"),
        ({"error": "closed on Sundays", "code": "shop_closed"}, Kind.ACTION, "shop_closed"),
        ({"error": "the run's record cannot be read", "code": "unreadable_record"}, Kind.CONTEXT, "unreadable_record"),
        ({"error": "?", "code": "store_unavailable"}, Kind.SERVICE, "store_unavailable"),
        (ValueError("password=hunter2"), Kind.SERVICE, "internal"),
        (TimeoutError(), Kind.SERVICE, "internal"),
        (Fail("a signal that has escaped"), Kind.SERVICE, "internal"),
        ({}, Kind.SERVICE, "internal"),
    ],
)  # fmt: skip
def test_each_error_has_its_kind_its_words_and_apart_from_them_its_code(error, kind, code):
    told = error_reply(error)
    assert (told.kind, told.code, told.text) == (kind, code, TEXTS[kind])
    assert set(told.as_dict()) == {"kind", "text", "code", "detail"}
    assert told.as_dict()["kind"] == f"{kind.name}_ERROR"


def test_the_detail_is_exact_for_ours_and_only_a_type_for_surprises():
    assert error_reply(UnknownConversation("no conv_a1")).detail == "no conv_a1"
    assert error_reply({"error": "the shelf is empty", "code": "x"}).detail == "the shelf is empty"
    assert error_reply(ValueError("password=hunter2")).detail == "ValueError"


def test_no_words_for_a_person_hold_anything_of_the_error():
    told = error_reply(StoreUnavailable("Redis does not answer", where="redis://host"))
    assert "redis" not in told.text.lower()
    assert "redis://host" in told.detail


def test_calls_that_failed_are_no_fault_of_the_service():
    failed = Acted(
        "TAKE_ORDER", {}, "failed", error={"error": "the shelf is empty", "code": "handler_failed"}
    )
    told = error_reply(CallFailed(failed, [failed]))
    assert (told.kind, told.code) == (Kind.ACTION, "call_failed")
    assert "the shelf is empty" in told.detail


def test_a_product_has_words_of_its_own():
    words = {Kind.ACTION: "Das hat nicht geklappt."}
    assert error_reply(InvalidArguments("a"), words).text == "Das hat nicht geklappt."
    assert error_reply(StateConflict("a"), words).text == TEXTS[Kind.STATE]


def test_every_error_of_the_tree_is_told_by_its_branch():
    def below(root):
        return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, root)]

    assert errors.Dead in below(UmbelError)
    for each in below(ModelError):
        assert error_reply({"error": "?", "code": each.code}).kind in {Kind.ACTION, Kind.STATE}
    for each in below(OperatorError):
        assert error_reply({"error": "?", "code": each.code}).kind != Kind.ACTION
    assert set(TEXTS) == set(Kind)
