"""Digests and what a person is shown, for arguments that are no text."""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    Secret,
    SecretBytes,
    SecretStr,
    model_serializer,
)

from actions.approvals import Approval
from actions.canonical import canonical
from actions.chains import Chain
from actions.definition import action
from actions.limits import Dedupe
from actions.messages import Call, Reply, Status, TurnId
from actions.registry import Registry
from orchestrator.digests import shown_arguments
from orchestrator.planning import plan
from orchestrator.store.records import ConversationRecord


def make(name: str, **given: Any) -> Any:
    async def keep(data: Base64Bytes) -> None:
        """Keep some bytes."""

    return action(name, **given)(keep)


@pytest.mark.parametrize(
    "given",
    [
        {"approval": Approval()},
        {"approval": Approval(key="{data}")},
        {"lock": "x:{data}"},
        {"chain": Chain("x:{data}")},
        {"dedupe": Dedupe("1h")},
    ],
)
def test_bytes_that_are_no_text_are_an_argument_like_any(given: dict[str, Any]):
    record = ConversationRecord(
        id="conv_a", status="idle", live_turn=None, revision=0, state=None, state_revision=0, machine=None,
        tenant="", principal=None, permissions=(), context={},
    )  # fmt: skip
    reply = Reply(format="text", calls=(Call(name="KEEP", arguments={"data": "/////w=="}),))
    planned = plan(reply, record, TurnId("turn_aAAAAAAAAAAAA"), 0, Registry([make("KEEP", **given)]))
    assert planned.runs[0].status != Status.REFUSED


def test_different_bytes_have_different_texts():
    values = [b"\xff", b"\xfe", b"/w==", b"abc", "/w==x", b""]
    assert len({canonical([each]) for each in values}) == len(values)
    assert canonical([b"abc"]) == canonical(["abc"])


class Told(BaseModel):
    """Params that pydantic cannot write as JSON."""

    data: Annotated[bytes, BeforeValidator(bytes.fromhex)]
    to: str
    card: SecretStr


def test_a_person_is_shown_what_has_no_json_form_and_no_secret():
    shown = json.loads(shown_arguments(Told.model_validate({"data": "ff", "to": "Ada", "card": "hunter2"})))
    assert shown == {"data": "b'\\xff'", "to": "Ada", "card": "**********"}


class Inner(BaseModel):
    """A part of the arguments whose output hides most of it."""

    to: str
    amount: Annotated[int, PlainSerializer(lambda _: 1)] = Field(exclude=True)


class Several(RootModel[list[Inner]]):
    """Several of them."""


@dataclass
class Slip:
    """A part that is no model."""

    to: str
    inner: Inner
    pin: SecretStr = field(repr=False)


class Hiding(BaseModel):
    """Params that say little of themselves."""

    model_config = ConfigDict(extra="allow")

    inner: Inner
    several: Several
    slip: Slip
    queue: deque[Inner]
    note: str = Field(exclude=True, validation_alias="note_", serialization_alias="other")
    left: int = Field(default=7, exclude=True)
    how: Literal["fast"] = Field(default="fast", repr=False)
    keys: dict[SecretStr, int]
    mixed: dict[str | int, int]
    share: float = math.inf
    day: date = date(2026, 11, 21)
    blob: SecretBytes
    limit: Secret[int]

    @model_serializer
    def nothing(self) -> dict[str, Any]:
        """Hide all of it."""
        return {}


def test_a_person_is_shown_all_of_the_arguments_whatever_they_say_of_their_own_output():
    inner = {"to": "evil", "amount": 100_000}
    given = {
        "inner": inner, "several": [inner], "slip": {"to": "evil", "inner": inner, "pin": "1234"}, "queue": [inner],
        "note_": "hello", "keys": {"hunter2": 1, "hunter3": 2}, "mixed": {"1": 1, 1: 2}, "beside": "it",
        "blob": b"hunter2", "limit": 4711,
    }  # fmt: skip
    text = shown_arguments(Hiding.model_validate(given))
    hidden = "**********"
    assert json.loads(text) == {
        "inner": inner, "several": [inner], "slip": {"to": "evil", "inner": inner, "pin": hidden}, "queue": [inner],
        "note_": "hello", "left": 7, "how": "fast", "keys": [[hidden, 1], [hidden, 2]], "mixed": [["1", 1], [1, 2]],
        "share": "Infinity", "day": "2026-11-21", "blob": hidden, "limit": hidden, "beside": "it",
    }  # fmt: skip


def test_half_a_surrogate_pair_is_shown_as_python_writes_it():
    told = Told.model_construct(data=b"text", to="\ud800", card=SecretStr(""))
    assert json.loads(shown_arguments(told)) == {"data": "text", "to": "'\\ud800'", "card": "**********"}


def test_arguments_of_any_depth_that_a_record_takes_are_shown():
    deep: Any = {}
    for _ in range(149):
        deep = {"a": deep}

    class Tree(BaseModel):
        tree: Any

    assert shown_arguments(Tree(tree=deep)).count('"a"') == 149
