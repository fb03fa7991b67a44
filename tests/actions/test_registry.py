from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from actions.definition import Action, action
from actions.errors import (
    AmbiguousAction,
    ConfigError,
    DeclarationError,
    DuplicateAction,
    InvalidArguments,
    UnknownAction,
)
from actions.messages import Call
from actions.registry import Registry, normalise
from actions.states import StateMachine


def named(name: str, *similes: str) -> Action:
    return action(name, similes=similes)(lambda: name)


def machine(*names: str, name: str = "m") -> StateMachine:
    return StateMachine(name, "A", {"A": names})


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("TAKE_ORDER", "takeorder"),
        ("take order", "takeorder"),
        ("Take-Order", "takeorder"),
        (" TAKE__ORDER_ ", "takeorder"),
        ("\tTAKE_ORDER\n", "takeorder"),
        ("SEND_TOKEN_NOW", "sendtokennow"),
        ("SENDTOKENNOW", "sendtokennow"),
        ("TA\u212aE", "TA\u212aE"),  # the Kelvin sign is no k
        ("", ""),
    ],
)
def test_names_are_compared_without_case_and_separators(written, same):
    assert normalise(written) == same


REGISTRY = Registry(
    [
        named("TAKE_ORDER", "BUY_ORDER", "PLACE_ORDER"),
        named("FOLLOW_ROOM"),
        named("MUTE_ROOM", "IGNORE"),
        named("NONE", "REPLY"),
        named("REPLY_ALL"),
    ]
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("TAKE_ORDER", "TAKE_ORDER"), ("take order", "TAKE_ORDER"), ("TakeOrder", "TAKE_ORDER"),
        ("buy-order", "TAKE_ORDER"),
        ("PLACE_ORDER", "TAKE_ORDER"), ("ignore", "MUTE_ROOM"), ("reply", "NONE"), ("reply all", "REPLY_ALL"),
    ],
)  # fmt: skip
def test_a_name_or_simile_finds_its_action(asked, found):
    assert REGISTRY.resolve(asked).name == found
    assert asked in REGISTRY


@pytest.mark.parametrize(
    "asked",
    [
        "UNFOLLOW_ROOM",
        "UNMUTE_ROOM",
        "NO",
        "ORDER",
        "TAKE_ORDERS",
        "TAKE",
        "TAKE_ORDER.",
        "",
        " ",
        "_",
        "REPLYALLNOW",
        "TA\u212aE_ORDER",
    ],
)
def test_a_part_or_a_likeness_of_a_name_finds_nothing(asked):
    assert asked not in REGISTRY
    with pytest.raises(UnknownAction):
        REGISTRY.resolve(asked)


def test_an_unknown_name_is_answered_with_what_there_is():
    with pytest.raises(UnknownAction) as caught:
        REGISTRY.resolve("FLY" * 100)

    assert "there are TAKE_ORDER, FOLLOW_ROOM, MUTE_ROOM, NONE, REPLY_ALL" in str(caught.value)
    assert len(str(caught.value)) < 200


def test_of_many_actions_twenty_are_listed():
    many = Registry([named(f"A{number}") for number in range(50)])

    with pytest.raises(UnknownAction, match=r"A19 and 30 more$"):
        many.resolve("B")


def test_a_name_goes_before_a_simile():
    registry = Registry([named("A", "B"), named("B")])

    assert registry.resolve("b").name == "B"


@pytest.mark.parametrize(
    ("actions", "error", "told"),
    [
        ([named("TAKE_ORDER"), named("TakeOrder")], DuplicateAction, ["TAKE_ORDER"]),
        ([named("A", "X"), named("B", "x")], AmbiguousAction, ["X is a simile of A and of B"]),
        ([named("A"), named("A"), named("B"), named("B")], DuplicateAction, ["A (", "B ("]),
        (
            [named("A", "X", "Y"), named("B", "X"), named("C", "Y", "X")],
            AmbiguousAction,
            ["X is a simile of A and of B and of C", "Y is a simile of A and of C"],
        ),
        ([named("A"), "B"], DeclarationError, ["'B' is no action"]),
        ([lambda: None], DeclarationError, ["is no action"]),
    ],
)
def test_what_cannot_be_told_apart_is_reported_all_at_once(actions, error, told):
    with pytest.raises(error) as caught:
        Registry(actions)

    assert all(each in str(caught.value) for each in told)


def test_an_actions_own_similes_may_repeat_its_name():
    assert Registry([named("KEEP_TALKING", "keep talking", "KEEP-TALKING")]).resolve("keeptalking")


def test_an_action_or_its_function_is_in_the_registry():
    def ping() -> None: ...

    one, other = action()(ping), named("PONG")
    registry = Registry([one])

    assert one in registry
    assert ping in registry
    assert other not in registry
    assert 5 not in registry


def test_a_registered_action_does_not_change():
    one = named("A")
    Registry([one])

    with pytest.raises(DeclarationError):
        one.description = "other"


def test_an_action_is_replaced_only_when_asked():
    registry, newer = Registry([named("A"), named("B")]), named("a")

    with pytest.raises(DuplicateAction, match="update=True"):
        registry.with_(newer)
    assert registry.with_(newer, update=True).resolve("A") is newer
    assert registry.resolve("A") is not newer
    assert len(registry.with_(named("C"))) == 3


def test_built_in_actions_give_way():
    mine, theirs = named("NONE", "REPLY"), named("IGNORE", "REPLY", "STOP")
    registry = Registry([mine], builtins=[named("NONE"), theirs])

    assert registry.resolve("none") is mine
    assert registry.resolve("reply") is mine
    assert registry.resolve("stop") is theirs
    assert registry.with_(named("X", "STOP")).resolve("stop").name == "X"


ONE, TWO = named("ONE", "UNO"), named("TWO")


@pytest.mark.parametrize(
    ("spec", "chosen"),
    [
        (True, ["ONE", "TWO"]), (False, []), ("one", ["ONE"]), ("uno", ["ONE"]), (TWO, ["TWO"]), (TWO.handler, ["TWO"]),
        (["two", ONE], ["TWO", "ONE"]), (["one", "uno", ONE], ["ONE"]), ([], []), (("two",), ["TWO"]),
    ],
)  # fmt: skip
def test_what_is_offered_can_be_chosen(spec, chosen):
    assert [each.name for each in Registry([ONE, TWO]).select(spec)] == chosen


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("three", UnknownAction),
        (["one", "three"], UnknownAction),
        (5, TypeError),
        (None, TypeError),
        ([None], TypeError),
        (named("ONE"), TypeError),
    ],
)
def test_a_choice_of_something_else_is_refused(spec, error):
    with pytest.raises(error):
        Registry([ONE, TWO]).select(spec)


@pytest.mark.parametrize(
    "request_",
    [
        {"name": "uno", "arguments": {"a": 0}},
        {"function": "ONE", "arguments": {"a": 0}},
        Call(name="one", arguments={"a": 0}),
    ],
)
def test_a_request_is_matched_by_name_or_function(request_):
    assert Registry([ONE]).match(request_) == (ONE, {"a": 0})


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"name": "three", "arguments": {}}, UnknownAction), ({"arguments": {}}, InvalidArguments),
        ({"name": 5, "arguments": {}}, InvalidArguments),
        ({"name": "one"}, InvalidArguments), ({"name": "one", "arguments": "{}"}, InvalidArguments),
        (Call(name="one"), InvalidArguments),
    ],
)  # fmt: skip
def test_a_request_that_means_nothing_is_refused(request_, error):
    with pytest.raises(error):
        Registry([ONE]).match(request_)


def test_machines_are_found_by_name():
    one = machine("ONE")
    registry = Registry([ONE], [one])

    assert registry.machine("m") is one
    assert registry.machines == (one,)
    with pytest.raises(ConfigError, match=r"no state machine 'other'.*machines here: m"):
        registry.machine("other")


@pytest.mark.parametrize(
    ("machines", "told"),
    [
        ([machine("ONE"), machine("ONE")], "two state machines are called 'm'"),
        ([machine("ONE", "THREE")], "A allows THREE, which is no action's name"),
        ([machine("UNO")], "A allows UNO, which is no action's name"),
    ],
)
def test_a_machine_that_does_not_fit_is_refused(machines, told):
    with pytest.raises(DeclarationError, match=told):
        Registry([ONE], machines)


@pytest.fixture
def module(monkeypatch):
    def make(name: str, **held: Any) -> str:
        made = types.ModuleType(name)
        vars(made).update(held)
        monkeypatch.setitem(sys.modules, name, made)
        return name

    return make


def test_modules_give_their_actions_and_machines_and_the_built_in_ones(module):
    one, way = named("PING"), machine("PING", "NONE")
    registry = Registry.from_modules([module("mine", one=one, way=way, other=5), module("again", one=one)])

    assert [each.name for each in registry.actions] == ["PING", "NONE", "CONTINUE", "IGNORE"]
    assert registry.machine("m") is way


def test_no_modules_give_the_built_in_actions():
    assert [each.name for each in Registry.from_modules([]).actions] == ["NONE", "CONTINUE", "IGNORE"]


def test_a_module_may_replace_a_built_in_action(module):
    mine = named("IGNORE")

    assert Registry.from_modules([module("mine", mine=mine)]).resolve("ignore") is mine


def test_a_module_that_is_not_there_is_the_operators_to_name_right():
    with pytest.raises(
        ConfigError, match=r"no_such_module cannot be imported: ModuleNotFoundError.*PYTHONPATH"
    ):
        Registry.from_modules(["no_such_module"])


def test_a_module_without_actions_is_said_to_have_none(module):
    with pytest.raises(ConfigError, match="the module mine holds no action"):
        Registry.from_modules([module("mine", five=5)])


def test_a_declaration_in_a_module_that_is_wrong_says_so_itself(tmp_path, monkeypatch):
    (tmp_path / "wrongly_declared.py").write_text(
        "from actions.definition import action\naction('1X')(lambda: None)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(DeclarationError, match="'1X' is no action name"):
        Registry.from_modules(["wrongly_declared"])


def test_a_module_that_fails_while_imported_is_named(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(ConfigError, match="broken_module cannot be imported: ZeroDivisionError"):
        Registry.from_modules(["broken_module"])
