"""Modes: the calls of a reply each for itself, one after the other, or as a chain: all of it or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import from_json

from actions.approvals import Approval
from actions.chains import Chain
from actions.definition import action
from actions.errors import DeclarationError
from actions.limits import Lock
from actions.messages import Call, CallError, Payload, Reply, Status, TurnId
from actions.registry import Registry
from orchestrator.chaining import callers_locks
from orchestrator.digests import arguments_digest
from orchestrator.guards import Caps
from orchestrator.modes import Manner, check_mode
from orchestrator.planning import Plan, plan
from orchestrator.store.incoming import LockGuard
from orchestrator.store.records import ConversationRecord

TURN = TurnId("turn_aAAAAAAAAAAAA")
IDS = [f"run_aAAAAAAAAAAAA.2.{at}" for at in range(9)]


@action("READ")
async def read(page: int = 0) -> int:
    """Read a page."""
    return page


@action("WRITE", permissions={"write"})
async def write(text: str = "") -> str:
    """Write a text."""
    return text


@action("PAY", chain=Chain(["accounts:{account}", "orders:{principal}"]))
async def pay(account: str, amount: int = 1) -> None:
    """Pay from an account, in a chain alone."""


@pay.undo
async def pay_back(params: Any, receipt: Any, ctx: Any) -> None:
    """Give it back."""


@action("SHIP")
async def ship() -> None:
    """Ship it."""


@ship.undo
async def call_back(params: Any, receipt: dict[str, Any] | None, ctx: Any) -> None:
    """Call it back, whether or not it left."""


@ship.on_error
async def apologise(params: Any, error: Any, ctx: Any) -> None:
    """Say sorry."""


@action("BUY", approval=Approval(lambda params: params.price > 10, expires="5m", key="{principal}"))
async def buy(price: int) -> None:
    """Buy something."""


@action("FOR_PEOPLE", user_only=True)
async def for_people() -> None:
    """Only a button does this."""


@action("LOOK_BACK", evaluates="always")
async def look_back() -> None:
    """Look back at a turn."""


REGISTRY = Registry([read, write, pay, ship, buy, for_people, look_back])


def conversation(**fields: Any) -> ConversationRecord:
    given = {
        "id": "conv_a", "status": "idle", "live_turn": None, "revision": 0, "state": None, "state_revision": 0,
        "machine": None, "tenant": "", "principal": "ada", "permissions": (), "context": {},
    }  # fmt: skip
    return ConversationRecord(**{**given, **fields})


def planned(
    *calls: Call | str, to: ConversationRecord | None = None, caps: Caps | None = None, **manner: Any
) -> Plan:
    given = [Call(name=call, arguments={}) if isinstance(call, str) else call for call in calls]
    reply = Reply(format="text", calls=tuple(given))
    return plan(reply, to or conversation(), TURN, 2, REGISTRY, caps or Caps(), Manner(**manner))


def codes(made: Plan) -> list[str]:
    return [from_json(run.result)["code"] if run.status == Status.REFUSED else "" for run in made.runs]


def waits(made: Plan) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(str(run.status), run.open, run.dependents) for run in made.runs]


PAY = Call(name="PAY", arguments={"account": "a1"})


# Which mode


def test_calls_run_each_for_itself_unless_somebody_says_otherwise():
    made = planned("READ", "READ")
    assert made.mode == "all"
    assert waits(made) == [("ready", 0, ()), ("ready", 0, ())]


@pytest.mark.parametrize(
    ("asked", "usual", "calls", "mode"),
    [
        ("", "", ["READ"], "all"),
        ("", "sequence", ["READ"], "sequence"),
        ("all", "sequence", ["READ"], "all"),
        ("chain", "sequence", ["READ"], "chain"),
        ("all", "sequence", ["READ", PAY], "chain"),
    ],
)
def test_an_action_demands_before_the_caller_asks_before_the_conversation_says(asked, usual, calls, mode):
    assert planned(*calls, to=conversation(mode=usual), mode=asked).mode == mode


def test_there_are_three_modes():
    assert [check_mode(mode) for mode in (None, "all", "sequence", "chain")] == [
        "",
        "all",
        "sequence",
        "chain",
    ]
    with pytest.raises(DeclarationError, match="all, sequence, chain"):
        check_mode("parallel")


# Order


def test_in_a_sequence_each_waits_for_the_end_of_the_one_before():
    assert waits(planned("READ", "READ", "READ", mode="sequence")) == [
        ("ready", 0, (IDS[1],)),
        ("blocked", 1, (IDS[2],)),
        ("blocked", 1, ()),
    ]


def test_a_sequence_steps_over_what_is_refused():
    made = planned("READ", "NOTHING", "READ", mode="sequence")
    assert waits(made) == [("ready", 0, (IDS[2],)), ("refused", 0, ()), ("blocked", 1, ())]


def test_in_a_chain_each_waits_for_the_success_of_the_one_before():
    made = planned("READ", "SHIP", "READ", mode="chain")
    assert waits(made) == [
        ("ready", 0, (f"!{IDS[1]}",)),
        ("blocked", 1, (f"!{IDS[2]}",)),
        ("blocked", 1, ()),
    ]
    assert [run.chain for run in made.runs] == ["step"] * 3
    assert made.chain_lead is None


def test_one_call_alone_can_be_a_chain():
    made = planned("SHIP", mode="chain")
    assert waits(made) == [("ready", 0, ())]
    assert made.runs[0].chain == "step"


def test_a_record_says_how_its_run_is_undone_and_rescued():
    read_, pay_, ship_ = planned("READ", PAY, "SHIP").runs
    assert [run.undoes for run in (read_, pay_, ship_)] == ["", "1", "2"]
    assert [run.rescues for run in (read_, pay_, ship_)] == [False, False, True]


def test_no_cap_bounds_what_runs_one_by_one():
    many = ["READ"] * 5
    assert planned(*many, caps=Caps(turn=2)).runs[0].guards
    for mode in ("sequence", "chain"):
        assert not planned(*many, caps=Caps(turn=2), mode=mode).runs[0].guards


# All or none


@pytest.mark.parametrize(
    ("bad", "code", "told"),
    [
        (Call(name="NOTHING", arguments={}), "unknown_action", "NOTHING"),
        (Call(name="WRITE", arguments={}), "forbidden_action", "write"),
        (Call(name="READ", arguments={"page": "x"}), "invalid_arguments", "integer"),
        (
            Call(name="", error=CallError(code="malformed_call", message="no JSON here")),
            "malformed_call",
            "no JSON",
        ),
    ],
)
def test_one_refusal_refuses_the_whole_chain_and_the_others_are_told_which_step_and_why(bad, code, told):
    made = planned("READ", bad, "SHIP", mode="chain")
    assert codes(made) == ["chain_refused", code, "chain_refused"]
    error = from_json(made.runs[0].result)["error"]
    assert "step 2" in error
    assert told in error
    assert all(not run.dependents for run in made.runs)
    assert made.chain_lead is None
    assert len(made.refused) == 3


# Locks of a chain


def test_a_chain_takes_its_own_locks_before_its_first_step():
    made = planned("READ", PAY)
    lead = made.chain_lead
    assert lead is not None
    assert (lead.id, lead.chain, lead.status) == ("run_aAAAAAAAAAAAA.2.chain", "lead", Status.READY)
    assert [guard.key for guard in lead.guards] == ["~chain:accounts:a1", "~chain:orders:ada"]
    assert lead.dependents == (IDS[0],)
    assert lead.lane == made.runs[0].lane
    assert Payload.decode(lead.payload).action == "umbel.chain"
    assert waits(made)[0] == ("blocked", 1, (f"!{IDS[1]}",))


def test_a_lock_that_two_ask_for_is_taken_once():
    lead = planned(
        PAY, Call(name="PAY", arguments={"account": "a2"}), locks=(Lock("orders:{principal}"),)
    ).chain_lead
    assert lead is not None
    assert [guard.key for guard in lead.guards] == [
        "~chain:accounts:a1",
        "~chain:accounts:a2",
        "~chain:orders:ada",
    ]


def test_a_caller_can_name_locks_and_how_they_wait():
    locks = callers_locks([Lock("room:{conversation}", policy="refuse"), "who:{principal}"])
    lead = planned("READ", mode="chain", locks=locks).chain_lead
    assert lead is not None
    assert lead.guards == (LockGuard("~chain:room:conv_a", "refuse"), LockGuard("~chain:who:ada"))


@pytest.mark.parametrize(
    "bad", ["room:{number}", Lock("room:{tenant}", policy="replace"), "no colon here", 7]
)
def test_a_callers_lock_knows_no_parameters_and_replaces_nobody(bad):
    with pytest.raises(DeclarationError):
        callers_locks(bad)


@pytest.mark.parametrize("manner", [{"merge": True}, {"locks": (Lock("a:{tenant}"),)}])
def test_merging_and_locks_are_for_chains(manner):
    with pytest.raises(DeclarationError, match="chain"):
        planned("READ", "READ", mode="sequence", **manner)


# Who may call what


@pytest.mark.parametrize("name", ["FOR_PEOPLE", "LOOK_BACK"])
def test_what_is_not_for_models_is_refused_when_one_calls_it(name):
    assert codes(planned(name)) == ["user_only"]


# Approval


def test_a_run_asks_for_an_approval_of_exactly_its_arguments():
    (run,) = planned(Call(name="BUY", arguments={"price": 11})).runs
    ask = run.approval
    assert ask is not None
    assert ask.digest == arguments_digest(buy, buy.bind({"price": 11}))
    assert ask.digest != arguments_digest(buy, buy.bind({"price": 12}))
    assert (ask.expires_ms, ask.key) == (300_000, "BUY:ada")
    assert from_json(ask.shown) == {"price": 11}
    assert run.status == Status.READY  # the store blocks it


def test_what_is_not_to_be_approved_asks_nobody():
    assert planned(Call(name="BUY", arguments={"price": 10})).runs[0].approval is None
    assert planned("READ").runs[0].approval is None


def test_where_hooks_change_the_arguments_the_worker_asks():
    @action("HOOKED", approval=True)
    async def hooked(price: int) -> None:
        """Buy something."""

    @hooked.before_validate
    def mend(arguments: dict[str, Any], ctx: Any) -> dict[str, Any]:
        return arguments

    reply = Reply(format="text", calls=(Call(name="HOOKED", arguments={"price": 1}),))
    (run,) = plan(reply, conversation(), TURN, 2, Registry([hooked])).runs
    assert run.approval is None


def test_where_a_preprocessor_changes_the_params_the_worker_asks_too():
    @action("PREPARED", approval=True)
    async def prepared(price: int) -> None:
        """Buy something."""

    @prepared.preprocess
    def double(params: Any, ctx: Any) -> Any:
        return params

    reply = Reply(format="text", calls=(Call(name="PREPARED", arguments={"price": 1}),))
    (run,) = plan(reply, conversation(), TURN, 2, Registry([prepared])).runs
    assert run.approval is None


# Audit


def test_the_audit_hears_what_was_decided_of_each_call_and_sees_no_arguments():
    calls = [
        Call(name="BUY", arguments={"price": 987654}),
        Call(name="READ", arguments={"page": 1}),
        "NOTHING",
    ]
    lines = [from_json(run.audit) for run in planned(*calls, audit=True).runs]
    assert [line["decided"] for line in lines] == ["approval", "allowed", "unknown_action"]
    assert [line["called"] for line in lines] == ["BUY", "READ", "NOTHING"]
    assert {line["by"] for line in lines} == {"ada"}
    assert "987654" not in str(lines)
    assert all(run.audit == "" for run in planned("READ", "NOTHING").runs)


# The same action twice (D19)


def test_one_reply_may_ask_for_the_same_action_twice():
    made = planned(Call(name="WRITE", arguments={"text": "a"}), Call(name="WRITE", arguments={"text": "b"}),
                   to=conversation(permissions=("write",)))  # fmt: skip
    payloads = [Payload.decode(run.payload) for run in made.runs]
    assert [payload.arguments["text"] for payload in payloads] == ["a", "b"]
    assert len({payload.key for payload in payloads}) == len({run.id for run in made.runs}) == 2
    assert waits(made) == [("ready", 0, ()), ("ready", 0, ())]
