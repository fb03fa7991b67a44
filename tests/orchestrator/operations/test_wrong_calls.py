"""What is asked for wrongly is answered with the option that it is about, and what is wanted there."""

from __future__ import annotations

from typing import Any

import pytest

from actions.errors import DeclarationError, InvalidId, UnknownAction, UnknownRecord
from actions.messages import Status
from orchestrator.operations.calls import read
from orchestrator.operations.options import ActOptions
from umbel import Umbel


@pytest.mark.parametrize("given", ["MAIL", b"MAIL", 5, None])
def test_what_holds_no_calls_is_refused_at_once(given: Any):
    with pytest.raises(DeclarationError, match="calls: one call or a list of calls is wanted, not"):
        read(given)


def test_a_call_without_a_name_says_where_one_is_looked_for_and_what_is_there():
    (call,) = read({"func": "MAIL", "args": {}})
    assert call.error is not None
    assert call.error.message.endswith(
        "its name is wanted under function, name or action, and its arguments under arguments; it has func, args."
    )


@pytest.mark.parametrize("option", ["throttle", "initial_delay", "retry_delay", "attempt_timeout", "timeout"])
def test_a_wrong_duration_names_its_option(option: str):
    with pytest.raises(DeclarationError, match=f"^{option}: 'one minute' is no duration"):
        ActOptions(retries=1, **{option: "one minute"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"deadline": "5 min"}, DeclarationError, "deadline: '5 min' is no duration"),
        ({"delay": "soon"}, DeclarationError, "delay: 'soon' is no duration"),
        ({"timeout": "soon"}, DeclarationError, "timeout: 'soon' is no duration"),
        ({"retry": "x"}, DeclarationError, "retry: a Retry or a whole number, 0 or more, is wanted, not 'x'"),
        ({"key": ""}, DeclarationError, "key: a text that is not empty is wanted"),
        ({"permissions": "abc"}, DeclarationError, "permissions: a list of words is wanted"),
        ({"tenant": None}, InvalidId, "None is no tenant"),
        ({"tenant": "a b"}, InvalidId, "'a b' is no tenant. A tenant is letters"),
    ],
)
async def test_a_wrong_option_of_submit_is_named(umbel: Umbel, given: dict[str, Any], error: Any, said: str):
    with pytest.raises(error) as caught:
        await umbel.submit("PING", **given)
    assert said in str(caught.value)


async def test_act_without_a_tenant_says_what_one_is(umbel: Umbel):
    with pytest.raises(InvalidId, match="None is no tenant"):
        await umbel.act({"function": "PING"}, tenant=None)  # type: ignore[arg-type]


async def test_one_call_alone_has_no_note_about_its_place(umbel: Umbel):
    with pytest.raises(UnknownAction) as caught:
        await umbel.submit("NOBODY")
    assert not hasattr(caught.value, "__notes__")


async def test_a_status_is_a_plain_text_however_a_call_ended(umbel: Umbel):
    told = await umbel.act([{"function": "NOBODY"}, {"function": "PING"}], timeout="1ms")
    assert [type(each.status) for each in told] == [str, str]
    assert told[0].status == Status.REFUSED


async def test_waiting_for_a_run_that_is_not_there_is_an_error_of_its_own(umbel: Umbel):
    for ask in (umbel.wait, umbel.read):
        with pytest.raises(UnknownRecord, match="there is no run run_nobody"):
            await ask("run_nobody")  # type: ignore[operator]
    assert await umbel.cancel("run_nobody") == "missing"
    with pytest.raises(UnknownRecord, match="there is no turn"):
        await umbel.read("turn_nobody")
