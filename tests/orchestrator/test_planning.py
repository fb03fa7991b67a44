"""planning: which calls become runs, in what order, and what the others are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actions import context
from actions.definition import action
from actions.directives import Result, Transition
from actions.limits import RateLimit
from actions.messages import Call, CallError, Payload, Reply, Status, TurnId, run_id_of
from actions.registry import Registry
from actions.states import Edge, StateMachine
from orchestrator.chat_shape import assistant_message, call_ids, tool_head
from orchestrator.guards import Caps
from orchestrator.planning import Plan, plan
from orchestrator.store.incoming import Priority
from orchestrator.store.records import ConversationRecord

TURN = TurnId("turn_aAAAAAAAAAAAA")


@action("READ", similes=("LOOK_AT",))
def read(page: int = 0) -> int:
    """Read a page.

    Args:
        page: Which one.
    """
    return page


@action("WRITE", priority="high", queue="ink", permissions=frozenset({"write"}))
async def write(text: str) -> None:
    """Write a text.

    Args:
        text: What.
    """


@action("GO", may_transition=True)
async def go(ctx: context.ActionContext) -> Result:
    """Go on to the next state."""
    return Result(None, (Transition("LATER", 0),))


@action("HELP", everywhere=True)
def assist(ctx: context.ActionContext) -> str:
    """Say what the reply said."""
    return ctx.reply_text


@action(
    "ORDER", lock="orders:{principal}", rate_limit=RateLimit(10, "1m", cost="{quantity}"), on_unknown="fail"
)
async def order(quantity: int = 1) -> None:
    """Order something.

    Args:
        quantity: How much.
    """


MACHINE = StateMachine(
    "book",
    initial="NOW",
    states={"NOW": ("READ", "GO"), "LATER": ("WRITE",), "SHUT": ()},
    transitions=(Edge("NOW", "LATER"),),
)
REGISTRY = Registry([read, write, go, assist, order], [MACHINE])


def conversation(**fields: Any) -> ConversationRecord:
    given = {
        "id": "conv_a", "status": "idle", "live_turn": None, "revision": 0, "state": None, "state_revision": 0,
        "machine": None, "tenant": "", "principal": None, "permissions": (), "context": {},
    }  # fmt: skip
    return ConversationRecord(**{**given, **fields})


def in_state(state: str | None, *permissions: str) -> ConversationRecord:
    return conversation(machine="book", state=state, permissions=permissions)


def planned(
    *calls: Call | str, to: ConversationRecord | None = None, caps: Caps | None = None, **fields: Any
) -> Plan:
    given = [Call(name=call, arguments={}) if isinstance(call, str) else call for call in calls]
    reply = Reply(format="text", calls=tuple(given), **fields)
    return plan(reply, to or conversation(), TURN, 2, REGISTRY, caps or Caps())


def statuses(made: Plan) -> list[str]:
    return [str(run.status) for run in made.runs]


def codes(made: Plan) -> list[str]:
    return [refusal.error["code"] for refusal in made.refused]


# Which run


def test_a_call_becomes_a_run_of_its_action_under_any_of_its_names():
    for name in ("READ", "read", "Look-At", "LOOKAT"):
        (run,) = planned(Call(name=name, arguments={"page": 0})).runs
        payload = Payload.decode(run.payload)
        assert (run.status, run.lane, run.priority) == (Status.READY, "actions/t", Priority.NORMAL)
        assert (payload.action, payload.called, payload.arguments) == ("READ", name, {"page": 0})


def test_async_and_sync_handlers_have_lanes_of_their_own():
    made = planned(
        Call(name="WRITE", arguments={"text": ""}), "READ", to=conversation(permissions=("write",))
    )
    assert [run.lane for run in made.runs] == ["ink", "actions/t"]
    assert [run.priority for run in made.runs] == [Priority.HIGH, Priority.NORMAL]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (Call(name="", error=CallError(code="malformed_call", message="no JSON")), "malformed_call"),
        (Call(name="READ", error=CallError(code="truncated_call", message="cut off")), "truncated_call"),
        (Call(name="REA", arguments={}), "unknown_action"),
        (Call(name="READ_ALL", arguments={}), "unknown_action"),
        (Call(name="READ", arguments={"page": "one"}), "invalid_arguments"),
        (Call(name="READ", arguments={"page": 1, "line": 2}), "invalid_arguments"),
        (Call(name="WRITE", arguments={"text": "x"}), "forbidden_action"),
        (Call(name="ORDER", arguments={"quantity": 6}), "cost_too_high"),
    ],
)
def test_what_cannot_run_is_refused_with_its_reason_and_keeps_its_place(call, code):
    made = planned("READ", call, "READ")
    assert statuses(made) == ["ready", "refused", "ready"]
    assert codes(made) == [code]
    assert json.loads(made.runs[1].result) == made.refused[0].error
    assert set(made.refused[0].error) == {"error", "code"}
    assert made.refused[0].call == call
    assert [run.position for run in made.runs] == [0, 1, 2]


def test_a_permission_that_the_principal_has_is_enough():
    made = planned(
        Call(name="WRITE", arguments={"text": "x"}), to=conversation(permissions=("write", "other"))
    )
    assert statuses(made) == ["ready"]
    assert Payload.decode(made.runs[0].payload).permissions == ("write", "other")


def test_the_principal_and_tenant_are_the_conversations_never_the_calls():
    call = Call(name="READ", arguments={"page": 1})
    (run,) = planned(call, to=conversation(principal="ann", tenant="t")).runs
    assert (Payload.decode(run.payload).principal, run.tenant) == ("ann", "t")


def test_the_text_of_the_reply_rides_only_with_actions_that_are_allowed_everywhere():
    made = planned("HELP", "READ", text="x" * 100)
    assert [Payload.decode(run.payload).turn_text for run in made.runs] == ["x" * 100, ""]


def test_no_calls_are_no_runs():
    made = planned(text="hello")
    assert (made.runs, made.refused) == ([], [])
    assert json.loads(made.message) == {"role": "assistant", "content": "hello"}


# Ids and keys


def test_runs_are_named_by_turn_round_and_position():
    made = planned("READ", "NOPE", "READ")
    assert [run.id for run in made.runs] == [run_id_of(TURN, 2, at) for at in range(3)]


def test_the_key_is_the_same_each_time_and_another_for_each_place():
    def keys(number: int, *ids: str | None) -> list[str]:
        calls = tuple(Call(id=id_, name="READ", arguments={}) for id_ in ids)
        made = plan(Reply(format="text", calls=calls), conversation(), TURN, number, REGISTRY)
        return [Payload.decode(run.payload).key for run in made.runs]

    first = keys(0, "a", "a", None)
    assert len(set(first)) == 3
    assert keys(0, None, "b", "c") == first  # whatever the provider calls them
    assert not set(keys(1, "a", "a", None)) & set(first)


def test_each_call_has_an_id_of_its_own():
    calls = [Call(id=id_, name="X") for id_ in ("a", None, "a", "", "b", "call_aAAAAAAAAAAAA_0_6", None)]
    ids = call_ids(calls, TURN, 0)
    assert len(set(ids)) == len(ids)
    assert (ids[0], ids[4]) == ("a", "b")
    assert ids[1] == "call_aAAAAAAAAAAAA_0_1"


def test_an_id_that_imitates_ours_does_not_stand_twice():
    calls = [Call(id="call_aAAAAAAAAAAAA_0_1", name="X"), Call(name="X")]
    assert len(set(call_ids(calls, TURN, 0))) == 2


def test_call_message_and_result_name_the_same_id():
    made = planned(Call(id='q"', name="READ", arguments={}), "READ")
    asked = [call["id"] for call in json.loads(made.message)["tool_calls"]]
    told = [json.loads(run.head + '""}')["tool_call_id"] for run in made.runs]
    assert asked == told
    assert asked[0] == 'q"'


def test_a_tool_message_wants_only_its_content():
    assert json.loads(tool_head("a") + '"x"}') == {"role": "tool", "tool_call_id": "a", "content": "x"}


def test_the_assistants_message_says_what_the_model_said():
    calls = (
        Call(id="a", name="READ", arguments={"page": 0}, raw='{"page": 0}'),
        Call(name="WRITE", raw='{"text": ', error=CallError(code="truncated_call", message="cut off")),
    )
    message = json.loads(assistant_message(Reply(format="text", text="", calls=calls), ["a", "b"]))
    assert message["content"] is None
    assert [call["function"] for call in message["tool_calls"]] == [
        {"name": "READ", "arguments": '{"page":0}'},
        {"name": "WRITE", "arguments": '{"text": '},
    ]
    assert {call["type"] for call in message["tool_calls"]} == {"function"}


# State and order


@pytest.mark.parametrize(
    ("state", "allowed"), [("NOW", True), ("LATER", False), ("SHUT", False), (None, False)]
)
def test_the_state_says_what_may_run(state, allowed):
    made = planned("READ", to=in_state(state))
    assert statuses(made) == ["ready" if allowed else "refused"]
    if not allowed:
        assert codes(made) == ["forbidden_action"]
        assert str(state) in made.refused[0].error["error"]


@pytest.mark.parametrize("state", ["NOW", "LATER", "SHUT"])
def test_what_is_allowed_everywhere_may_run_in_every_state(state):
    assert statuses(planned("HELP", to=in_state(state))) == ["ready"]


def test_without_a_machine_every_state_is_as_good():
    assert statuses(planned("READ", "GO", "HELP")) == ["ready", "blocked", "blocked"]


def test_the_state_is_judged_up_to_the_first_possible_transition_only():
    written = Call(name="WRITE", arguments={"text": "x"})
    made = planned(written, "GO", written, to=in_state("NOW", "write"))
    assert statuses(made) == ["refused", "ready", "blocked"]


def test_a_transition_that_the_state_refuses_leaves_the_later_calls_to_be_judged_now():
    written = Call(name="WRITE", arguments={"text": "x"})
    made = planned("GO", "READ", written, to=in_state("LATER", "write"))
    assert statuses(made) == ["refused", "refused", "ready"]


def test_a_transition_that_does_not_bind_is_none():
    made = planned(Call(name="GO", arguments={"where": 1}), "READ", to=in_state("SHUT"))
    assert statuses(made) == ["refused", "refused"]


def follows(made: Plan) -> dict[int, list[int]]:
    """Positions to those that wait for them."""
    at = {run.id: run.position for run in made.runs}
    return {run.position: [at[later] for later in run.dependents] for run in made.runs if run.dependents}


def test_a_transition_parts_what_stands_before_it_from_what_stands_after():
    made = planned("READ", "READ", "GO", "READ", "READ", "GO", "READ")
    assert statuses(made) == ["ready", "ready", *["blocked"] * 5]
    assert follows(made) == {0: [2], 1: [2], 2: [3, 4], 3: [5], 4: [5], 5: [6]}
    assert [run.open for run in made.runs] == [0, 0, 2, 1, 1, 2, 1]


def test_transitions_in_a_row_follow_each_other():
    assert follows(planned("GO", "GO", "GO")) == {0: [1], 1: [2]}


def test_a_refused_call_is_waited_for_by_nobody_and_waits_for_nobody():
    made = planned("NOPE", "GO", "NOPE", "READ")
    assert statuses(made) == ["refused", "ready", "refused", "blocked"]
    assert follows(made) == {1: [3]}
    assert [run.open for run in made.runs] == [0, 0, 0, 1]


def test_calls_without_a_transition_run_at_once():
    assert statuses(planned(*["READ"] * 5)) == ["ready"] * 5


def test_every_dependent_waits_for_exactly_who_names_it():
    made = planned("READ", "NOPE", "GO", "READ", "GO", "NOPE", "GO", "READ")
    named = [later for run in made.runs for later in run.dependents]
    assert all(named.count(run.id) == run.open for run in made.runs)


# Guards and caps


def keys(made: Plan) -> list[list[str]]:
    return [[guard.key for guard in run.guards] for run in made.runs]


def test_a_run_has_the_guards_and_the_policy_that_its_action_declares():
    made = planned("ORDER", "READ", to=conversation(principal="ann"))

    assert keys(made) == [["orders:ann", "ORDER"], []]
    assert [run.on_unknown for run in made.runs] == ["fail", "retry"]


def test_a_round_that_is_larger_than_the_cap_is_capped_and_a_smaller_one_pays_nothing():
    most = Caps(turn=2, conversation=3)

    assert keys(planned("READ", "READ", caps=most)) == [[], []]
    assert keys(planned(*["READ"] * 3, caps=most)) == [[f"~turn:{TURN}"]] * 3
    assert keys(planned(*["READ"] * 4, caps=most)) == [["~conv:conv_a", f"~turn:{TURN}"]] * 4


def test_calls_that_do_not_run_count_for_no_cap():
    assert keys(planned("READ", "NOPE", "READ", "NOPE", caps=Caps(turn=2))) == [[], [], [], []]


def test_each_run_of_a_capped_tenant_counts():
    made = planned("ORDER", "NOPE", to=conversation(tenant="acme", principal="ann"), caps=Caps(tenant=5))

    assert keys(made) == [["orders:ann:~acme", "~tenant:acme", "ORDER"], []]
