from __future__ import annotations

from typing import Any

import pytest

from actions.builtin.conversation import go_on, ignore, none
from actions.context import ActionContext
from actions.directives import Complete, Continue, Result
from actions.errors import InvalidArguments
from actions.params import bind
from actions.registry import Registry
from actions.validation import permitted

REGISTRY = Registry.from_modules([])


def user() -> dict[str, Any]:
    return {"role": "user", "content": "hello"}


def said(*names: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "text"}
    if names:
        message["tool_calls"] = [
            {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": "{}"}}
            for at, name in enumerate(names)
        ]
    return message


def result() -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "c0", "content": '"go on"'}


C = [said("CONTINUE"), result()]
LIMIT = "the last 3 messages all went on already: wait for the user"


async def verdict(view: Any, messages: list[dict[str, Any]], text: str = "and then") -> str | None:
    ctx = ActionContext("run_a1", "CONTINUE", conversation=view(messages), reply_text=text)
    refusal = await permitted(go_on, bind(go_on, {}), ctx)
    return refusal.reason if refusal else None


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ([], False),
        ([user()], False),
        ([user(), *C], False),
        ([user(), *C, *C], False),
        ([user(), *C, *C, *C], True),
        ([user(), *C, *C, *C, *C], True),
        ([user(), said(), *C, *C], False),
        ([user(), *C, said(), *C], False),
        ([user(), *C, said("TAKE_ORDER"), result(), *C, *C], False),
        ([user(), *C, *C, *C, user()], True),
        ([user(), *C, user(), *C, user(), *C], True),
        ([user(), *C, *C, *C, said(), user()], False),
        ([said("ELABORATE"), result(), said("keep talking"), result(), said("Continue"), result()], True),
        ([said("TAKE_ORDER", "CONTINUE"), result(), result(), *C, *C], True),
        ([said("CONTINUED"), result(), *C, *C], False),
        ([*C, *C, said("CONTINUE"), *[result()] * 90], True),
        ([*C, *C, *C, *[user()] * 500], True),
        ([said(), *[user()] * 500, *C, *C], False),
    ],
)
async def test_three_messages_in_a_row_may_go_on(before, refused, stored, view):
    this = [said("CONTINUE")] if stored else []

    assert await verdict(view, [*before, *this]) == (LIMIT if refused else None)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("What next?", True),
        ("Great!", True),
        ("Really?! ", True),
        ("so,\n", False),
        ("", False),
        ("? no", False),
        ("…", False),
    ],
)
async def test_after_a_question_or_an_exclamation_it_waits(text, refused, view):
    assert (await verdict(view, [user()], text) is not None) is refused


async def test_a_run_from_outside_has_no_history_to_ask():
    ctx = ActionContext("run_a1", "CONTINUE")

    assert await permitted(go_on, bind(go_on, {}), ctx) is None


def test_what_each_one_answers():
    assert go_on() == Result("go on", (Continue(),))
    assert ignore() == Result("the conversation is over", (Complete(),))
    assert none() == "nothing to do"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("NONE", "NONE"), ("NO_ACTION", "NONE"), ("NO_RESPONSE", "NONE"), ("NO_REACTION", "NONE"), ("RESPONSE", "NONE"),
        ("REPLY", "NONE"), ("DEFAULT", "NONE"), ("CONTINUE", "CONTINUE"), ("ELABORATE", "CONTINUE"),
        ("KEEP_TALKING", "CONTINUE"), ("IGNORE", "IGNORE"), ("STOP_TALKING", "IGNORE"), ("STOP_CHATTING", "IGNORE"),
        ("STOP_CONVERSATION", "IGNORE"),
    ],
)  # fmt: skip
def test_their_similes_are_elizas(asked, found):
    assert REGISTRY.resolve(asked).name == found


def test_they_take_no_arguments_and_every_state_allows_them():
    for one in (none, go_on, ignore):
        assert one.everywhere
        with pytest.raises(InvalidArguments):
            bind(one, {"x": 1})
