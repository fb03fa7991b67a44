from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from actions.approvals import Approval
from actions.definition import action
from actions.errors import DeclarationError


def declared(**fields: Any):
    return action("PAY", **fields)(lambda amount=0: None)


def test_nobody_is_asked_unless_it_is_declared():
    assert declared().approval is None
    assert declared(approval=None).approval is None
    assert declared(approval=False).approval is None


def test_true_asks_for_every_run_for_an_hour():
    approval = declared(approval=True).approval

    assert approval == Approval()
    assert approval.needed(SimpleNamespace()) is True
    assert (approval.expires, approval.template) == (timedelta(hours=1), None)


def test_the_condition_sees_the_params():
    approval = Approval(when=lambda params: params.amount > 100)

    assert approval.needed(SimpleNamespace(amount=101)) is True
    assert approval.needed(SimpleNamespace(amount=100)) is False


async def later() -> bool:
    return False


@pytest.mark.parametrize("answer", [True, None, 0, "", "no", []])
def test_only_a_clear_no_lets_a_run_pass(answer):
    assert Approval(when=lambda params: answer).needed(SimpleNamespace()) is True


def test_a_condition_that_fails_asks(caplog):
    def when(params):
        raise KeyError("secret")

    assert Approval(when=when).needed(SimpleNamespace()) is True
    assert "the condition of an approval failed" in caplog.text


def test_a_key_may_name_parameters():
    template = declared(approval=Approval(key="pay:{principal}:{amount}")).approval.template
    owned = {"action": "PAY", "principal": "ann", "tenant": None, "conversation": None}

    assert template.expand(owned, {"amount": 5}) == "pay:ann:5"


@pytest.mark.parametrize(
    ("made", "advice"),
    [
        (lambda: Approval(when=5), "when of an approval has to be a function"),
        (lambda: Approval(when=later), "declare it with def, not async def"),
        (lambda: Approval(when=lambda: True), r"is called with \(params\)"),
        (lambda: Approval(when=lambda params, ctx: True), r"is called with \(params\)"),
        (lambda: Approval(expires="soon"), "'soon' is no duration"),
        (lambda: Approval(expires=0), "an approval needs time"),
        (lambda: Approval(key=5), "a key has to be a text"),
        (
            lambda: declared(approval="1h"),
            r"PAY: approval has to be Approval\(...\), True or False, not '1h'",
        ),
        (lambda: declared(approval=Approval(key="{amont}")), r"PAY: the key '\{amont\}' names amont"),
    ],
)
def test_what_is_declared_wrongly_is_refused_with_advice(made, advice):
    with pytest.raises(DeclarationError, match=advice):
        made()
