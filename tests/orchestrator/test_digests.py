"""Digests and what a person is shown, for arguments that are no text."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from pydantic import Base64Bytes, BaseModel, BeforeValidator, SecretStr

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
