"""The scripts: every reply is one that intake reads, as many calls as it expects, every format among them."""

import pytest

from actions.messages import Status
from orchestrator import intake
from umbel.demo.exchange import DELISTED
from umbel.demo.script import NAMES, load, load_all

SCRIPTS = load_all()
REPLIES = [(name, number, reply) for name in NAMES for number, reply in enumerate(SCRIPTS[name].replies)]


@pytest.mark.parametrize(("name", "number", "reply"), REPLIES)
def test_a_reply_has_as_many_calls_as_it_expects(name, number, reply):
    read = intake.read(reply.body)
    assert len(read.calls) == len(reply.expect), read
    malformed = [expected for call, expected in zip(read.calls, reply.expect, strict=True) if call.malformed]
    assert all(expected.endswith(("malformed_call", "truncated_call")) for expected in malformed)


@pytest.mark.parametrize(("name", "number", "reply"), REPLIES)
def test_what_is_expected_is_a_status_and_a_code(name, number, reply):
    for expected in reply.expect:
        status, _, code = expected.partition(" ")
        assert status in set(Status)
        assert bool(code) == (status != "succeeded") or expected == "succeeded undone"


def test_every_format_is_spoken():
    spoken = {intake.read(reply.body).format for _, _, reply in REPLIES}
    assert spoken == {"openai.chat", "anthropic.messages", "eliza.json", "coach.tags", "coach.xml"}


def test_scripts_are_told_apart_by_their_first_message():
    assert len({script.turns[0].user for script in SCRIPTS.values()}) == len(NAMES)


def test_the_coach_ends_with_a_zero_that_counts():
    assert load("coach").ends.context["user_info.free_evenings"] == 0


def test_the_broker_orders_a_chain_that_cannot_be_completed():
    broker = load("broker")
    assert [name for name, script in SCRIPTS.items() if script.mode == "chain"] == ["broker"]
    tickers = [call.arguments["ticker"] for call in intake.read(broker.replies[0].body).calls]
    assert [ticker in DELISTED for ticker in tickers] == [False, False, True]
    assert [each.partition(" ")[0] for each in broker.replies[0].expect] == [
        "succeeded",
        "succeeded",
        "failed",
    ]
