from __future__ import annotations

import pytest

from actions.definition import action
from actions.errors import DeclarationError
from actions.registry import Registry

WORDS = {
    "before_validate": lambda arguments, ctx: arguments,
    "after_validate": lambda params, ctx: None,
    "before_output": lambda value, ctx: None,
    "after_output": lambda value, ctx: None,
    "after_run": lambda value, ctx: None,
}


def declared():
    return action("X")(lambda a=0: None)


def test_an_action_has_no_hooks_unless_it_says_so():
    one = declared()

    assert [getattr(one, f"hook_{word}") for word in WORDS] == [None] * 5
    assert (one.has_hooks, one.hooks_arguments) == (False, False)


@pytest.mark.parametrize("word", WORDS)
def test_a_hook_is_kept_stays_a_function_and_is_seen_at_a_glance(word):
    one, hook = declared(), WORDS[word]

    assert getattr(one, word)(hook) is hook
    assert [getattr(one, f"hook_{each}") for each in WORDS] == [
        hook if each == word else None for each in WORDS
    ]
    assert one.has_hooks is True
    assert one.hooks_arguments is word.endswith("validate")


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("wrong", [lambda: None, lambda one: None, lambda a, b, c: None, "text"])
def test_a_hook_that_cannot_be_called_as_it_will_be_is_refused(word, wrong):
    one = declared()

    with pytest.raises(DeclarationError, match=f"X: {word} "):
        getattr(one, word)(wrong)
    assert one.has_hooks is False


def test_a_hook_is_declared_once():
    one = declared()
    one.after_run(WORDS["after_run"])

    with pytest.raises(DeclarationError, match="X has a after_run already"):
        one.after_run(WORDS["after_run"])


def test_a_registered_action_takes_no_hook():
    one = declared()
    Registry([one])

    with pytest.raises(DeclarationError, match="X is registered and cannot change"):
        one.before_output(WORDS["before_output"])
