from __future__ import annotations

import random

import pytest

from actions.definition import action
from actions.errors import DeclarationError
from orchestrator.examples import NAMES, choose_examples, compose_examples


def an_action(name: str, count: int, *, user_only: bool = False):
    examples = [
        [
            {"role": "user", "content": f"{{{{user1}}}} wants {name} {at}"},
            {"role": "assistant", "content": "of course, {{user2}}"},
        ]
        for at in range(count)
    ]
    return action(name, description="Do.", examples=examples, user_only=user_only)(lambda: None)


SELL, BUY, LOOK = an_action("SELL", 3), an_action("BUY", 2), an_action("LOOK", 0)


def names_of(actions, count):
    return [one.name for one, _ in choose_examples(actions, count)]


@pytest.mark.parametrize(
    ("count", "taken"),
    [
        (0, []),
        (1, ["SELL"]),
        (3, ["SELL", "BUY", "SELL"]),
        (5, ["SELL", "BUY", "SELL", "BUY", "SELL"]),
        (50, ["SELL", "BUY", "SELL", "BUY", "SELL"]),
    ],
)
def test_actions_take_turns_until_there_are_enough(count, taken):
    assert names_of([SELL, BUY, LOOK], count) == taken
    told = [str(example) for _, example in choose_examples([SELL, BUY, LOOK], count)]
    assert len(set(told)) == len(told)


def test_the_same_seed_gives_the_same_text_whatever_else_was_drawn():
    first = compose_examples([SELL, BUY], 4, seed="turn_a1")
    random.seed(1)
    random.shuffle([1, 2, 3])
    assert compose_examples([SELL, BUY], 4, seed="turn_a1") == first
    assert len({compose_examples([SELL, BUY], 4, seed=str(seed)) for seed in range(20)}) > 5


def test_each_example_of_an_action_is_chosen_by_some_seed():
    first = {str(choose_examples([SELL], 1, seed=str(seed))[0][1]) for seed in range(50)}
    assert len(first) == 3


def test_one_more_action_changes_nothing_about_the_choices_of_the_others():
    alone = [example for one, example in choose_examples([SELL], 3, seed="s")]
    beside = [example for one, example in choose_examples([BUY, SELL, LOOK], 5, seed="s") if one is SELL]
    assert beside == alone


def test_what_no_model_may_call_is_no_example():
    secret = an_action("SECRET", 2, user_only=True)
    assert names_of([secret, SELL], 2) == ["SELL", "SELL"]


def test_the_text_is_the_one_that_it_was():
    """A prompt that changed between versions would cost every provider's cache."""
    assert compose_examples([BUY], 2, seed="s", agent="Sage", names=("Ada", "Ben")) == (
        "Ada: Ada wants BUY 1\nSage: of course, Ben\n\nBen: Ben wants BUY 0\nSage: of course, Ada"
    )


def test_names_are_put_in_once_and_are_never_patterns_themselves():
    one = action(
        "ONE",
        description="Do.",
        examples=[
            [
                {
                    "role": "user",
                    "content": "{{user1}} and {{ user2 }} and {{user3}} and {{agent}} {{other}}",
                },
                {"role": "assistant", "content": "{{agentName}}", "name": "{{user2}}"},
            ]
        ],
    )(lambda: None)
    people = ("{{user2}}", "\\1", "{{agent}}")
    text = compose_examples([one], agent="{{user1}}", names=people)
    speaker, said = text.splitlines()[0].split(": ", 1)
    assert speaker in people
    held = said.removesuffix(" and {{user1}} {{other}}").split(" and ")
    assert sorted(held) == sorted(people)
    assert text.splitlines()[1] == f"{held[1]}: {{{{user1}}}}"


def test_calls_and_results_stand_in_the_text():
    one = action(
        "TAKE_ORDER",
        description="Do.",
        examples=[
            [
                {"role": "user", "content": [{"type": "text", "text": "buy"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"function": {"name": "TAKE_ORDER", "arguments": '{"ticker":"UMB"}'}},
                        {"function": {"name": "LOOK", "arguments": "{}"}},
                        {"name": "SELL", "arguments": {"n": 1}},
                        "strange",
                    ],
                },
                {"role": "tool", "content": '{"ok":true}'},
            ]
        ],
    )(lambda: None)
    lines = compose_examples([one], names=["Ada"]).splitlines()
    assert lines == [
        'Ada: [{"type": "text", "text": "buy"}]',
        'agent: (TAKE_ORDER {"ticker":"UMB"}) (LOOK) (SELL {"n": 1}) (?)',
        'result: {"ok":true}',
    ]


@pytest.mark.parametrize("count", [-1, 1.5, "3", None, True])
def test_a_count_that_is_none_is_refused(count):
    with pytest.raises(DeclarationError, match="no number of examples"):
        choose_examples([SELL], count)


@pytest.mark.parametrize("names", ["Ada", (), []])
def test_names_are_several_texts(names):
    with pytest.raises(DeclarationError, match="names have to be"):
        compose_examples([SELL], names=names)


def test_without_examples_there_is_no_text():
    assert compose_examples([LOOK]) == ""
    assert compose_examples([]) == ""
    assert len(set(NAMES)) == len(NAMES)
