from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from actions.definition import Action, action
from actions.dependencies import source_of
from actions.errors import DeclarationError
from actions.registry import Registry


def declared(name: str, **fields: Any) -> Action:
    return action(name, **fields)(lambda quote="", size=0: None)


# Success of others


def test_an_action_depends_on_nothing_unless_it_says_so():
    registry = Registry([declared("A")])

    assert registry.resolve("A").depends_on == ()
    assert registry.dependencies(registry.resolve("A")) == ()
    assert registry.depended_on == frozenset()


@pytest.mark.parametrize("given", ["LOG_IN", ("LOG_IN",), ["LOG_IN", "LOG_IN"], {"LOG_IN"}, " LOG_IN "])
def test_one_name_or_several_each_counts_once(given):
    assert declared("A", depends_on=given).depends_on == ("LOG_IN",)


def test_the_registry_knows_the_actions_behind_names_and_similes():
    log_in, quote = declared("LOG_IN", similes=("SIGN_IN",)), declared("GET_QUOTE")
    order = declared("TAKE_ORDER", depends_on=["sign in", "getquote", "LOG_IN"])
    registry = Registry([order, quote, log_in])

    assert registry.dependencies(order) == (log_in, quote)
    assert registry.depended_on == {"LOG_IN", "GET_QUOTE"}


def test_a_built_in_action_can_be_depended_on():
    one = declared("A", depends_on="CONTINUE")
    with pytest.raises(DeclarationError, match="A: depends_on names 'CONTINUE'"):
        Registry([one])

    registry = Registry([one], builtins=[declared("CONTINUE")])
    assert registry.depended_on == {"CONTINUE"}


def test_an_unknown_name_is_answered_with_what_there_is():
    with pytest.raises(
        DeclarationError,
        match=r"A: depends_on names 'LOG_OUT', which is no action here; there are A, B$",
    ):
        Registry([declared("A", depends_on="LOG_OUT"), declared("B")])


def test_an_action_cannot_depend_on_itself_by_any_of_its_names():
    for name in ("A", "a", "ME"):
        with pytest.raises(DeclarationError, match="so none can be first: A -> A;"):
            Registry([declared("A", similes=("ME",), depends_on=name)])


def test_a_circle_is_told_with_its_path():
    circle = [
        declared("A", depends_on="B"),
        declared("B", depends_on=["D", "C"]),
        declared("C", depends_on="A"),
        declared("D"),
    ]

    with pytest.raises(DeclarationError) as raised:
        Registry(circle)
    path = str(raised.value).partition("first: ")[2].partition(";")[0].split(" -> ")
    wants = {("A", "B"), ("B", "C"), ("C", "A")}
    assert path[0] == path[-1]
    assert set(pairwise(path)) == wants


def test_two_ways_to_one_action_are_no_circle():
    registry = Registry(
        [
            declared("A", depends_on=["B", "C"]),
            declared("B", depends_on="D"),
            declared("C", depends_on="D"),
            declared("D"),
        ]
    )

    assert registry.depended_on == {"B", "C", "D"}


def test_a_long_row_of_dependencies_is_no_circle_either():
    row = [declared(f"A{n}", depends_on=f"A{n + 1}") for n in range(2_000)]

    assert len(Registry([*row, declared("A2000")]).depended_on) == 2_000


def test_a_registry_with_more_actions_is_checked_again():
    registry = Registry([declared("A"), declared("B", depends_on="A")])

    with pytest.raises(DeclarationError, match=r"A -> B -> A|B -> A -> B"):
        registry.with_(declared("A", depends_on="B"), update=True)


def test_a_registry_that_was_refused_leaves_its_actions_open():
    one = declared("A", depends_on="B")
    with pytest.raises(DeclarationError):
        Registry([one])

    one.undo(lambda params, receipt, ctx: None)
    assert one.undoer is not None


@pytest.mark.parametrize(("given", "advice"), [(5, "several texts"), ([5], "is no text"), ("", "is no text")])
def test_what_is_no_name_is_refused(given, advice):
    with pytest.raises(DeclarationError, match=f"A: depends_on .*{advice}"):
        declared("A", depends_on=given)


# Values of others


def test_arguments_may_come_from_results():
    uses = {"quote": "GET_QUOTE.best.0.price", "size": "GET_SIZE"}
    one = declared("A", uses=uses)
    uses.clear()

    assert one.uses == {"quote": "GET_QUOTE.best.0.price", "size": "GET_SIZE"}
    assert source_of(one.uses["quote"]) == ("GET_QUOTE", "best.0.price")
    assert source_of(one.uses["size"]) == ("GET_SIZE", "")
    assert declared("B").uses == {}


def test_a_result_is_named_by_a_simile_too_and_may_be_an_earlier_one_of_the_same_action():
    one = declared("GET_QUOTE", similes=("QUOTE",), uses={"quote": "Quote.next", "size": "GET_QUOTE.size"})

    assert Registry([one]).depended_on == frozenset()


@pytest.mark.parametrize(
    ("uses", "advice"),
    [
        (["GET_QUOTE"], "uses has to be a dict such as"),
        ("GET_QUOTE", "uses has to be a dict such as"),
        ({"quot": "GET_QUOTE"}, "uses fills quot, which is no parameter; it has quote, size"),
        ({5: "GET_QUOTE"}, "uses fills 5, which is no parameter"),
        ({"quote": 5}, "uses fills quote from 5"),
        ({"quote": ""}, "uses fills quote from ''"),
        ({"quote": ".price"}, "from '.price'"),
        ({"quote": "GET_QUOTE."}, "from 'GET_QUOTE.'"),
        ({"quote": "GET_QUOTE..price"}, "write an action's name, and behind dots the way"),
        ({"quote": "GET_QUOTE. b"}, "from 'GET_QUOTE. b'"),
        ({"quote": "GET_QUOTE.a\nb"}, "from 'GET_QUOTE.a"),
    ],
)
def test_a_reference_that_means_nothing_is_refused(uses, advice):
    with pytest.raises(DeclarationError, match=f"A: .*{advice}"):
        declared("A", uses=uses)


def test_a_result_of_an_unknown_action_is_refused_when_registered():
    with pytest.raises(
        DeclarationError, match="A: uses names 'GET_QUOTE', which is no action here; there are A"
    ):
        Registry([declared("A", uses={"quote": "GET_QUOTE.price"})])
