"""Follow-ups: what a handler asks for beside its result is planned like a call, and bounded."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import from_json

from actions.approvals import Approval
from actions.definition import action
from actions.directives import FollowUp
from actions.messages import Payload, Status
from actions.registry import Registry
from actions.states import StateMachine
from orchestrator.follow_ups import DEEPEST, draft_follow_up
from orchestrator.store.incoming import NewRun
from orchestrator.store.records import Claimed, ConversationRecord


@action("COUNT")
async def count(n: int = 0) -> None:
    """Count down."""


@action("STEP_ONLY", chain=True)
async def step_only() -> None:
    """Only in a chain."""


@action("PEOPLE", user_only=True)
async def people() -> None:
    """Only by hand."""


@action("SECRET", permissions={"secret"})
async def secret() -> None:
    """Needs a permission."""


@action("AFTER", depends_on="FIRST")
async def after() -> None:
    """Needs FIRST."""


@action("FIRST")
async def first() -> None:
    """Comes first."""


@action("ASKED", approval=Approval())
async def asked() -> None:
    """Needs a person."""


MACHINE = StateMachine("m", initial="NOW", states={"NOW": ("COUNT",), "LATER": ("FIRST",)}, transitions=())
REGISTRY = Registry([count, step_only, people, secret, after, first, asked], [MACHINE])


def parent(**fields: Any) -> Claimed:
    given = {
        "id": "run_aP.0.0", "lane": "actions", "payload": "", "attempt": 1, "conversation": "", "turn": "",
        "tenant": "t", "state": "", "state_revision": 0, "level": "", "machine": "", "principal": "", "fence": "1",
    }  # fmt: skip
    return Claimed(**{**given, **fields})


def conversation(**fields: Any) -> ConversationRecord:
    given = {
        "id": "conv_a", "status": "live", "live_turn": None, "revision": 0, "state": None, "state_revision": 0,
        "machine": None, "tenant": "t", "principal": None, "permissions": (), "context": {},
    }  # fmt: skip
    return ConversationRecord(**{**given, **fields})


def drafted(
    name: str, arguments: dict[str, Any] | None = None, *, of: Payload | None = None,
    room: ConversationRecord | None = None, left_ms: int | None = None, number: int = 0,
) -> NewRun:  # fmt: skip
    given = of or Payload("COUNT", {"n": 3}, principal="ada")
    place = parent(conversation=room.id if room else "")
    return draft_follow_up(FollowUp(name, arguments or {}), place, given, number, room, REGISTRY, left_ms)


def code(run: NewRun) -> str:
    return str(from_json(run.result)["code"]) if run.status == Status.REFUSED else ""


def test_a_follow_up_is_a_run_on_behalf_of_the_same_principal():
    run = drafted("count", {"n": 2}, left_ms=5_000, number=4)
    payload = Payload.decode(run.payload)
    assert (run.id, run.position, run.tenant, run.status) == ("run_aP.0.0.f4", "f", "t", Status.READY)
    assert (payload.action, payload.arguments, payload.principal) == ("COUNT", {"n": 2}, "ada")
    assert (payload.depth, payload.root) == (1, "run_aP.0.0")
    assert run.total_ms == 5_000


def test_its_key_is_its_own_and_the_same_each_time():
    keys = {Payload.decode(drafted("COUNT", {"n": 1}, number=number).payload).key for number in (0, 1, 0)}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("NOTHING", {}, "unknown_action"),
        ("COUNT", {"n": "x"}, "invalid_arguments"),
        ("COUNT", {"n": object()}, "invalid_arguments"),
        ("COUNT", {"n": 10**5000}, "invalid_arguments"),
        ("STEP_ONLY", {}, "chain_only"),
        ("PEOPLE", {}, "user_only"),
        ("SECRET", {}, "forbidden_action"),
        ("AFTER", {}, "missing_dependency"),
        ("COUNT", {"n": 3}, "follow_up_cycle"),
    ],
)
def test_what_may_not_be_is_refused_with_its_reason_as_its_result(name, arguments, told):
    assert code(drafted(name, arguments)) == told


def test_what_its_parent_or_its_conversation_did_is_done():
    assert code(drafted("AFTER", of=Payload("FIRST"))) == ""
    assert code(drafted("AFTER", room=conversation(did=frozenset({"FIRST"})))) == ""
    assert code(drafted("AFTER", room=conversation())) == "missing_dependency"


def test_none_goes_deeper_than_the_fifth_or_round_in_a_circle():
    payload = Payload("COUNT", {"n": 100})
    for depth in range(1, DEEPEST + 1):
        run = drafted("COUNT", {"n": depth}, of=payload)
        assert code(run) == ""
        payload = Payload.decode(run.payload)
        assert payload.depth == depth
        assert payload.root == "run_aP.0.0"
    assert code(drafted("COUNT", {"n": 2}, of=payload)) == "follow_up_depth"
    payload.depth = 3
    assert code(drafted("COUNT", {"n": 100}, of=payload)) == "follow_up_cycle"
    assert code(drafted("COUNT", {"n": 99}, of=payload)) == ""


def test_the_state_of_the_conversation_allows_it_or_not():
    room = conversation(machine="m", state="NOW")
    assert code(drafted("COUNT", room=room)) == ""
    assert code(drafted("FIRST", room=room)) == "forbidden_action"


def test_a_person_may_have_to_approve_it():
    assert drafted("ASKED").approval is not None
