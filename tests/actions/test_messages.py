from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from actions import context, definition, guarantees, limits, messages, parts, payload, policy
from actions.errors import UnreadableRecord
from actions.messages import (
    MAX_RAW,
    TERMINAL,
    Call,
    CallError,
    Payload,
    Reply,
    Status,
    idempotency_key,
    new_conversation_id,
    new_run_id,
    new_turn_id,
    run_id_from_key,
    run_id_of,
    turn_id_from_key,
)
from actions.policy import Retry

GOLDEN = Path(__file__).parent / "golden"
FULL = Payload(
    action="TAKE_ORDER",
    arguments={"ticker": "ACME", "quantity": 5},
    call_id="call_1",
    called="BUY_ORDER",
    principal="alice",
    permissions=("trade",),
    key="00ff",
    turn_text="Buying.",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("make", "prefix"), [(new_conversation_id, "conv"), (new_turn_id, "turn"), (new_run_id, "run")]
)
def test_an_id_shows_its_kind_and_its_cell(make, prefix):
    made = {make("b") for _ in range(200)}

    assert len(made) == 200
    assert all(re.fullmatch(rf"{prefix}_b[0-9A-Za-z]{{12}}", each) for each in made)


def test_the_same_key_gives_the_same_turn():
    first = turn_id_from_key("conv_a1", "order-7")

    assert first == turn_id_from_key("conv_a1", "order-7")
    assert re.fullmatch(r"turn_a[0-9A-Za-z]{12}", first)
    assert first == "turn_abxyaClE2VuK5"  # stored ones must still be found


@pytest.mark.parametrize(
    ("conversation", "key"), [("conv_a2", "order-7"), ("conv_a1", "order-8"), ("conv_a1o", "rder-7")]
)
def test_another_conversation_or_key_gives_another_turn(conversation, key):
    assert turn_id_from_key(conversation, key) != turn_id_from_key("conv_a1", "order-7")


def test_the_same_key_of_a_tenant_gives_the_same_run():
    first = run_id_from_key("t", "order-7")

    assert re.fullmatch(r"run_b[0-9A-Za-z]{12}", run_id_from_key("t", "order-7", "b"))
    assert first == run_id_from_key("t", "order-7")
    assert (
        len(
            {
                first,
                *(run_id_from_key(*pair) for pair in [("u", "order-7"), ("t", "order-8"), ("to", "rder-7")]),
            }
        )
        == 4
    )
    assert first == "run_a8BgphjDn5QWW"  # stored ones must still be found


def test_a_run_is_named_after_its_turn_and_place():
    assert run_id_of("turn_aXYZ", 2, 10) == "run_aXYZ.2.10"


def test_an_idempotency_key_depends_on_every_part_of_the_place():
    places = [
        ("c", "t", 0, 1),
        ("d", "t", 0, 1),
        ("c", "u", 0, 1),
        ("c", "t", 1, 1),
        ("c", "t", 0, 2),
        ("c", "t", 1, 0),
        ("ct", "", 0, 1),
    ]

    assert len({idempotency_key(*place) for place in places}) == len(places)
    assert idempotency_key("c", "t", 0, 1) == "2e282d8bf8dc88b6d907b1f9c4263ddc"  # stored


def test_the_last_eight_statuses_are_terminal():
    assert set(list(Status)[-8:]) == TERMINAL
    assert Status.RUNNING not in TERMINAL


def test_a_stored_payload_of_version_1_still_loads():
    assert Payload.decode((GOLDEN / "payload_v1.json").read_bytes()) == FULL


def test_the_stored_form_of_a_payload_has_not_changed():
    assert json.loads(FULL.encode()) == json.loads((GOLDEN / "payload_v1.json").read_bytes())


def test_what_is_said_of_one_run_alone_is_stored_in_its_payload():
    data = (GOLDEN / "payload_v1_overrides.json").read_bytes()
    told = Payload("X", retry=Retry(3, initial="250ms", factor=1.5, cap="10s"), timeout_ms=1500)

    assert json.loads(told.encode()) == json.loads(data)
    assert Payload.decode(data) == told


def test_a_payloads_numbers_of_retries_leave_the_exceptions_to_the_action():
    own = Retry(1, on=OSError, never=FileNotFoundError)
    told = Payload.decode(Payload("X", retry=Retry(5, on=ValueError)).encode())
    policy = told.retry_policy(own)

    assert policy is not None
    assert (policy.retries, policy.on, policy.never) == (5, own.on, own.never)
    assert told.retry_policy(None) == Retry(5)
    assert Payload("X").retry_policy(own) is own
    assert Payload("X").retry_policy(None) is None


def test_a_payload_stores_no_empty_fields():
    assert Payload("NONE").encode() == b'{"v":1,"a":"NONE"}'
    assert Payload.decode(b'{"v":1,"a":"NONE"}') == Payload("NONE")


@given(st.dictionaries(st.text(), JSON, max_size=4), st.text(), st.none() | st.text())
def test_a_payload_comes_back_as_it_was(arguments, text, principal):
    payload = Payload("X", arguments=arguments, turn_text=text, principal=principal)

    assert Payload.decode(payload.encode()) == payload


def test_half_a_surrogate_pair_does_not_stop_a_payload():
    payload = Payload("X", arguments={"a\ud800": ["\udc00", {"b": 1}]}, turn_text="\ud83d")

    assert Payload.decode(payload.encode()) == Payload("X", arguments={"a�": ["�", {"b": 1}]}, turn_text="�")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"v":1}',
        b'{"v":2,"a":"X"}',
        b'{"v":1,"a":"X","m":5}',
        b'{"v":1,"a":"X","r":5}',
        b'{"v":1,"a":"X","r":[-1,0,1,0]}',
        b"\xff",
    ],
)
def test_an_unreadable_payload_is_refused(data):
    with pytest.raises(UnreadableRecord):
        Payload.decode(data)


def test_a_payload_of_a_newer_version_says_so():
    with pytest.raises(UnreadableRecord, match="version 2, this program reads 1"):
        Payload.decode(b'{"v":2,"a":"X"}')


def test_a_long_raw_text_is_cut():
    call = Call(name="X", raw="a" * (MAX_RAW + 1), error=CallError(code="malformed_call", message="no JSON"))

    assert len(call.raw) == MAX_RAW
    assert call.malformed
    assert Call(name="X", arguments={}, raw="a" * MAX_RAW).raw == "a" * MAX_RAW


@pytest.mark.parametrize("arguments", [{}, {"x": 0}, {"x": False}, {"x": ""}])
def test_falsy_arguments_are_arguments(arguments):
    assert Call(name="X", arguments=arguments).arguments == arguments
    assert not Call(name="X", arguments=arguments).malformed


def test_what_intake_read_does_not_change():
    reply = Reply(format="text", text="hello")

    with pytest.raises(ValidationError):
        reply.text = "bye"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("module", "model"),
    [
        (messages, "CallError"), (messages, "Call"), (messages, "Reply"), (payload, "Payload"),
        (limits, "RateLimit"), (limits, "Lock"), (limits, "Dedupe"),
        (policy, "Retry"), (policy, "Timeouts"), (policy, "Isolation"), (context, "ActionContext"),
        (guarantees, "Guaranteed"), (parts, "Parts"), (definition, "Action"),
    ],
)  # fmt: skip
def test_every_field_of_a_model_and_a_policy_has_a_sentence(module, model):
    (tree,) = (
        each for each in ast.parse(inspect.getsource(module)).body if getattr(each, "name", "") == model
    )
    lines = [each for each in tree.body if isinstance(each, ast.AnnAssign | ast.Expr)]  # type: ignore[attr-defined]
    for here, after in zip(lines, [*lines[1:], None], strict=True):
        if isinstance(here, ast.AnnAssign) and not ast.unparse(here).startswith("_"):
            assert isinstance(after, ast.Expr), ast.unparse(here)
