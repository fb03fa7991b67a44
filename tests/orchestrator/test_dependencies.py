"""Dependencies: what has to have succeeded before, and results that one call takes from another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic_core import from_json

from actions import context
from actions.definition import action
from actions.directives import Result, Transition
from actions.errors import BadReference, InvalidArguments
from actions.limits import Dedupe, RateLimit
from actions.messages import Call, Payload, Reply, Status, TurnId
from actions.registry import Registry
from orchestrator import dependencies
from orchestrator.dependencies import circles
from orchestrator.guards import Caps
from orchestrator.modes import Manner
from orchestrator.planning import Plan, plan
from orchestrator.references import at, bind_part, filled, needed, parted
from orchestrator.store.records import ConversationRecord

TURN = TurnId("turn_aAAAAAAAAAAAA")
IDS = [f"run_aAAAAAAAAAAAA.0.{at}" for at in range(200)]


@action("QUOTE", similes=("GET_QUOTE",))
async def quote(ticker: str = "X") -> dict[str, float]:
    """Say what it costs."""
    return {"price": 1.5}


@action("CHECK", depends_on="GET_QUOTE")
async def check() -> None:
    """Needs a quote before."""


@action("ORDER", depends_on=("CHECK",), uses={"price": "QUOTE.price"})
async def order(price: float, note: str = "") -> None:
    """Needs a check, and takes its price from the quote."""


@action("FREE")
async def free(value: int = 0, text: str = "") -> int:
    """Needs nothing."""
    return value


@action("PAIR")
async def pair(left: int, right: int) -> int:
    """Take two numbers."""
    return left + right


@action("GO", may_transition=True)
async def go(ctx: context.ActionContext) -> Result:
    """Move on."""
    return Result(None, (Transition("X", 0),))


@action("KEYED", lock="keys:{key}")
async def keyed(key: str, value: int = 0) -> None:
    """Lock a key."""


@action("COSTLY", rate_limit=RateLimit(10, "1m", cost=lambda params: params.value))
async def costly(value: int) -> None:
    """Cost what a function says."""


@action("ONCE", dedupe=Dedupe("1m"))
async def once(value: int) -> None:
    """Deduplicate."""


REGISTRY = Registry([quote, check, order, free, pair, go, keyed, costly, once])


def conversation(**fields: Any) -> ConversationRecord:
    given = {
        "id": "conv_a", "status": "idle", "live_turn": None, "revision": 0, "state": None, "state_revision": 0,
        "machine": None, "tenant": "", "principal": None, "permissions": (), "context": {},
    }  # fmt: skip
    return ConversationRecord(**{**given, **fields})


def call(
    name: str,
    *depends_on: str,
    given_id: str | None = None,
    step: str = "",
    uses: Any = None,
    **arguments: Any,
) -> Call:
    return Call(
        name=name, arguments=arguments, id=given_id, step=step, depends_on=depends_on, uses=uses or {}
    )


def planned(*calls: Call, did: tuple[str, ...] = (), **manner: Any) -> Plan:
    reply = Reply(format="text", calls=tuple(calls))
    return plan(reply, conversation(did=frozenset(did)), TURN, 0, REGISTRY, Caps(), Manner(**manner))


def codes(made: Plan) -> list[str]:
    return [from_json(run.result)["code"] if run.status == Status.REFUSED else "" for run in made.runs]


def error(made: Plan, place: int) -> str:
    return str(from_json(made.runs[place].result)["error"])


def needs(made: Plan) -> list[list[int]]:
    """For each run the positions whose success it waits for."""
    return [
        [before for before, run in enumerate(made.runs) if f"!{later.id}" in run.dependents]
        for later in made.runs
    ]


# Between actions


def test_what_an_action_depends_on_may_have_succeeded_earlier_in_the_conversation():
    made = planned(call("CHECK"), did=("QUOTE",))
    assert codes(made) == [""]
    assert made.runs[0].open == 0


def test_what_has_not_succeeded_is_named_with_what_to_call_first():
    made = planned(call("CHECK"))
    assert codes(made) == ["missing_dependency"]
    assert "call QUOTE first" in error(made, 0)


def test_a_call_of_the_same_reply_is_waited_for_whatever_its_place():
    assert needs(planned(call("QUOTE"), call("CHECK"))) == [[], [0]]
    assert needs(planned(call("CHECK"), call("QUOTE"))) == [[1], []]


def test_the_nearest_earlier_call_counts():
    made = planned(call("QUOTE"), call("QUOTE"), call("CHECK"), call("QUOTE"))
    assert needs(made) == [[], [], [1], []]
    assert [run.open for run in made.runs] == [0, 0, 1, 0]


def test_what_succeeded_before_is_not_waited_for_again():
    assert needs(planned(call("QUOTE"), call("CHECK"), did=("QUOTE",))) == [[], []]


def test_a_refused_call_is_no_dependency_and_that_goes_on_down_the_line():
    made = planned(call("QUOTE", ticker=7), call("CHECK"), call("ORDER", price=1.0))
    assert codes(made) == ["invalid_arguments", "missing_dependency", "missing_dependency"]
    assert "call CHECK first" in error(made, 2)


def test_in_a_sequence_what_comes_later_is_no_dependency():
    made = planned(call("CHECK"), call("QUOTE"), mode="sequence")
    assert codes(made) == ["missing_dependency", ""]


def test_only_what_others_depend_on_is_remembered():
    made = planned(call("QUOTE"), call("CHECK"), call("FREE"))
    assert [run.did for run in made.runs] == ["QUOTE", "CHECK", ""]


# Between calls


def test_a_call_can_depend_on_a_call_id_a_step_or_an_action():
    first = call("FREE", given_id="call_7", step="begin")
    for name in ("call_7", "begin", "FREE", "free"):
        assert needs(planned(first, call("PAIR", name, left=1, right=2))) == [[], [0]]


def test_an_unknown_name_is_refused_with_the_names_there_are():
    made = planned(call("FREE", given_id="call_7"), call("PAIR", "call_8", left=1, right=2))
    assert codes(made) == ["", "bad_reference"]
    assert "call_8" in error(made, 1)
    assert "call_7" in error(made, 1)


def test_a_circle_is_refused_with_its_path_and_the_rest_runs():
    made = planned(
        call("FREE", "c", step="a"),
        call("FREE", "a", step="b"),
        call("FREE", "b", step="c"),
        call("FREE", step="d"),
    )
    assert codes(made) == ["dependency_cycle"] * 3 + [""]
    assert "a -> c -> b -> a" in error(made, 0)


def test_a_long_circle_is_told_shortly():
    made = planned(*(call("FREE", f"s{(at + 1) % 100}", step=f"s{at}") for at in range(100)))
    assert set(codes(made)) == {"dependency_cycle"}
    assert len(error(made, 0)) < 200
    assert error(made, 0).endswith("-> … -> s0")


def test_what_depends_on_itself_is_refused():
    made = planned(call("FREE", "me", given_id="me"))
    assert codes(made) == ["dependency_cycle"]


def test_what_depends_on_a_refused_call_is_refused():
    made = planned(call("NOTHING", given_id="x"), call("FREE", "x"))
    assert codes(made) == ["unknown_action", "dependency_failed"]


def test_nothing_before_a_possible_transition_can_need_what_stands_behind_it():
    made = planned(call("FREE", "late"), call("GO"), call("FREE", step="late"))
    assert codes(made) == ["missing_dependency", "", ""]
    assert codes(planned(call("FREE", "GO"), call("GO"))) == ["missing_dependency", ""]
    assert codes(planned(call("GO", "late"), call("FREE", step="late"))) == ["missing_dependency", ""]


@given(
    some.lists(some.lists(some.integers(0, 7), max_size=4), min_size=1, max_size=8),
    some.sampled_from(["", "sequence"]),
)
def test_no_plan_waits_for_ever(wishes, mode):
    """Whatever calls say of each other, what is not refused can be brought in an order."""
    calls = [
        call("GO" if at % 5 == 4 else "FREE", *(f"s{each}" for each in wish), step=f"s{at}")
        for at, wish in enumerate(wishes)
    ]
    made = planned(*calls, mode=mode)
    left = {run.id: run.open for run in made.runs if run.status != Status.REFUSED}
    by_id = {run.id: run for run in made.runs}
    ready = [run for run, open_ in left.items() if not open_]
    while ready:
        run = ready.pop()
        del left[run]
        for name in by_id[run].dependents:
            later = name.removeprefix("!")
            left[later] -= 1
            if not left[later]:
                ready.append(later)
    assert not left


def test_circles_are_found_once_each():
    assert circles({0: [1], 1: [0], 2: [3], 3: [2], 4: [0]}) in ([[0, 1], [2, 3]], [[1, 0], [3, 2]])
    assert circles({0: [1], 1: [2], 2: []}) == []


# References


def test_a_parameter_takes_the_result_of_an_earlier_call():
    made = planned(call("FREE", step="a"), call("PAIR", uses={"left": "a.value.0"}, right=2))
    payload = Payload.decode(made.runs[1].payload)
    assert payload.uses == (("left", IDS[0], "value.0"),)
    assert needed(payload) == (IDS[0],)
    assert needs(made) == [[], [0]]


def test_an_action_names_where_its_parameters_come_from():
    made = planned(call("QUOTE"), call("CHECK"), call("ORDER", note="soon"))
    assert codes(made) == ["", "", ""]
    assert Payload.decode(made.runs[2].payload).uses == (("price", IDS[0], "price"),)
    assert needs(made)[2] == [0, 1]


@pytest.mark.parametrize("name", ["QUOTE", "GET_QUOTE"])
def test_no_id_that_a_model_writes_stands_for_the_action_that_an_author_named(name):
    made = planned(call("QUOTE"), call("FREE", id=name, value=9), call("CHECK"), call("ORDER", note="soon"))
    assert Payload.decode(made.runs[3].payload).uses == (("price", IDS[0], "price"),)
    assert needs(made)[3] == [0, 2]
    alone = planned(call("FREE", step=name, value=9), call("ORDER"), did=("CHECK",))
    assert codes(alone) == ["", "invalid_arguments"]


def test_what_the_call_gives_itself_is_taken_from_nowhere():
    made = planned(call("QUOTE"), call("CHECK"), call("ORDER", price=2.0))
    assert Payload.decode(made.runs[2].payload).uses == ()


def test_without_such_a_call_the_parameter_is_just_missing():
    made = planned(call("ORDER"), did=("CHECK",))
    assert codes(made) == ["invalid_arguments"]
    assert "price" in error(made, 0)


@pytest.mark.parametrize("reference", ["b", "nobody.x", "b.x", "", ".x", "a..x"])
def test_a_reference_has_to_name_an_earlier_call(reference):
    made = planned(
        call("FREE", step="a"), call("PAIR", uses={"left": reference}, right=2), call("FREE", step="b")
    )
    assert codes(made)[1] == "bad_reference"


def test_what_is_given_is_validated_at_once_though_something_is_still_to_come():
    made = planned(call("FREE", step="a"), call("PAIR", uses={"left": "a"}, right="two"))
    assert codes(made) == ["", "invalid_arguments"]
    assert "right" in error(made, 1)
    assert "left" not in error(made, 1)
    made = planned(call("FREE", step="a"), call("PAIR", uses={"left": "a"}))
    assert codes(made) == ["", "invalid_arguments"]


@pytest.mark.parametrize(("name", "parameter"), [("KEYED", "key"), ("COSTLY", "value"), ("ONCE", "value")])
def test_keys_cannot_be_made_of_what_is_not_known_yet(name, parameter):
    made = planned(call("FREE", step="a"), call(name, uses={parameter: "a"}))
    assert codes(made) == ["", "bad_reference"]


def test_a_key_of_what_is_given_is_taken_though_something_else_is_still_to_come():
    made = planned(call("FREE", step="a"), call("KEYED", uses={"value": "a"}, key="k"))
    assert [guard.key for guard in made.runs[1].guards] == ["keys:k"]


def test_a_reference_to_a_parameter_that_is_not_there_is_refused():
    made = planned(call("FREE", step="a"), call("PAIR", uses={"middle": "a"}, left=1, right=1))
    assert codes(made) == ["", "bad_reference"]


# Merging


def test_each_step_of_a_chain_may_take_what_those_before_it_returned():
    made = planned(
        call("QUOTE"), call("FREE"), call("PAIR", left=1), mode="chain", merge=True, base={"right": 3}
    )
    assert codes(made) == ["", "", ""]
    payloads = [Payload.decode(run.payload) for run in made.runs]
    assert [payload.merge for payload in payloads] == [(), (IDS[0],), (IDS[0], IDS[1])]
    assert [payload.base for payload in payloads] == [{}, {"right": 3}, {"right": 3}]


def test_a_key_cannot_be_made_of_what_a_merge_may_bring():
    made = planned(call("FREE"), call("KEYED", value=1), mode="chain", merge=True)
    assert codes(made) == ["chain_refused", "bad_reference"]


# What the worker does with it


def test_the_later_wins_of_base_results_references_and_arguments():
    payload = Payload(
        "PAIR",
        {"right": 9},
        uses=(("left", "r2", "a.0"),),
        merge=("r1", "r2"),
        base={"left": 0, "right": 0, "no": 1},
    )
    results = {"r1": {"left": 1, "right": 1, "other": 5}, "r2": {"a": [7]}}
    assert filled(pair, payload, results) == {"left": 7, "right": 9}
    assert filled(pair, Payload("PAIR", merge=("r1",)), {"r1": "no object"}) == {}


def test_a_value_is_found_by_keys_and_places():
    value = {"items": [{"id": 3}, "x"], "": 1}
    assert at(value, "", "p") == value
    assert at(value, "items.0.id", "p") == 3
    for path in (
        "items.2",
        "items.-1",
        "items.x",
        "items.1.id",
        "nothing",
        "items.0.id.deeper",
        "items.\u0660",
    ):
        with pytest.raises(BadReference):
            at(value, path, "p")


def test_a_reference_is_a_name_and_a_path():
    assert parted("SEARCH") == ("SEARCH", "")
    assert parted("call_1.a.0") == ("call_1", "a.0")
    with pytest.raises(BadReference):
        parted("a" + ".b" * 40)


def test_a_part_of_the_arguments_is_bound_by_the_rules_of_the_whole():
    bound = bind_part(pair, {"left": "1"}, {"right"})
    assert bound is not None
    assert (bound.left, bound.right) == (1, None)  # type: ignore[attr-defined]
    with pytest.raises(InvalidArguments, match="middle"):
        bind_part(pair, {"left": 1, "middle": 2}, {"right"})


def test_refusals_that_reach_back_through_a_long_reply_are_found_without_judging_all_of_it_each_time(
    monkeypatch: pytest.MonkeyPatch,
):
    judged: list[int] = []
    found_needs = dependencies._needs

    def counted(at: int, *given: Any, **named: Any) -> set[int]:
        judged.append(at)
        return found_needs(at, *given, **named)

    monkeypatch.setattr(dependencies, "_needs", counted)
    chained = [call("FREE", "QUOTE", f"a{at + 1}", given_id=f"a{at}") for at in range(80)]
    made = planned(*chained, call("CHECK", "nobody", given_id="a80"), *[call("QUOTE")] * 40)
    assert codes(made) == ["dependency_failed"] * 80 + ["bad_reference"] + [""] * 40
    assert len(judged) <= 2 * len(made.runs)


# Null for "not given", as models write it that have to write every key


def test_a_null_for_what_a_result_fills_is_not_in_its_way():
    made = planned(call("QUOTE"), call("CHECK"), call("ORDER", price=None, note=None), did=())
    assert codes(made) == ["", "", ""]
    payload = Payload.decode(made.runs[2].payload)
    assert payload.uses == (("price", IDS[0], "price"),)
    assert filled(order, payload, {IDS[0]: {"price": 1.5}}) == {"price": 1.5}


def test_a_null_for_what_may_be_left_out_lets_a_merge_bring_it():
    made = planned(call("QUOTE"), call("FREE", value=None, text="x"), mode="chain", merge=True)
    assert codes(made) == ["", ""]
    payload = Payload.decode(made.runs[1].payload)
    assert filled(free, payload, {IDS[0]: {"value": 4, "text": "y"}}) == {"value": 4, "text": "x"}
