"""The two parties outside, over real HTTP: the exchange and the model."""

import threading
import time

import httpx
import pytest

from umbel.demo.exchange import LARGE, Exchange
from umbel.demo.model import ScriptedModel
from umbel.demo.script import load_all

SCRIPTS = load_all()


@pytest.fixture
def exchange():
    with Exchange(large_takes_s=0.3) as server:
        yield server


@pytest.fixture
def model():
    with ScriptedModel(SCRIPTS, thinks_s=0) as server:
        yield server


def order(exchange, key="k1", **terms: object):
    body = {"ticker": "ACME", "quantity": 5} | terms
    return httpx.post(f"{exchange.url}/orders", json=body, headers={"Idempotency-Key": key})


def ask(model, *messages: object):
    return httpx.post(f"{model.url}/chat/completions", json={"messages": list(messages)})


def test_the_same_key_is_the_same_order(exchange):
    first, second = order(exchange), order(exchange)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert [(placed.key, placed.asked) for placed in exchange.orders] == [("k1", 2)]


def test_every_second_order_finds_the_exchange_busy_once(exchange):
    codes = [order(exchange, key).status_code for key in ("a", "b", "c", "d", "b", "d", "b")]
    assert codes == [201, 503, 201, 503, 201, 201, 200]
    assert exchange.times_busy == 2
    assert [(placed.key, placed.asked) for placed in exchange.orders] == [
        ("a", 1),
        ("c", 1),
        ("b", 3),
        ("d", 2),
    ]


def test_a_large_order_is_placed_before_it_is_answered(exchange):
    asking = threading.Thread(target=order, args=(exchange, "big"), kwargs={"quantity": LARGE})
    asking.start()
    limit = time.monotonic() + 5
    while not exchange.is_held("big"):
        assert time.monotonic() < limit
    assert [placed.key for placed in exchange.orders] == ["big"]
    again = order(exchange, "big", quantity=LARGE)
    assert again.status_code == 200
    assert exchange.is_held("big"), "the second answer does not wait for the first"
    asking.join()
    assert not exchange.is_held("big")


def test_a_client_that_goes_away_does_no_harm(exchange):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{exchange.url}/orders",
            json={"ticker": "ACME", "quantity": LARGE},
            headers={"Idempotency-Key": "x"},
            timeout=0.05,
        )
    assert order(exchange, "x").json()["order"] == "ord_001"


@pytest.mark.parametrize(
    "terms",
    [
        {"ticker": "acme"},
        {"ticker": "TOOLONG"},
        {"quantity": 0},
        {"quantity": True},
        {"quantity": "5"},
        {"side": "short"},
    ],
)
def test_a_wrong_order_is_refused(exchange, terms):
    answer = order(exchange, **terms)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert exchange.orders == []


def test_an_order_needs_a_key(exchange):
    assert httpx.post(f"{exchange.url}/orders", json={"ticker": "ACME", "quantity": 1}).status_code == 400


def test_the_orders_can_be_read(exchange):
    order(exchange)
    assert [placed["ticker"] for placed in httpx.get(f"{exchange.url}/orders").json()] == ["ACME"]
    assert httpx.get(f"{exchange.url}/elsewhere").status_code == 404


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_next_reply_goes_by_the_number_of_answers_so_far(model, name):
    script = SCRIPTS[name]
    messages = [{"role": "user", "content": script.turns[0].user}]
    for reply in script.replies:
        assert ask(model, *messages).json() == reply.body
        assert ask(model, *messages).json() == reply.body, "asking again gets the same reply"
        messages.append({"role": "assistant", "content": "…"})
    assert ask(model, *messages).status_code == 400


def test_the_model_refuses_what_no_script_begins_with(model):
    answer = ask(model, {"role": "user", "content": "Who are you?"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert httpx.post(f"{model.url}/chat/completions", content=b"not json").status_code == 400
    assert httpx.post(f"{model.url}/completions", json={}).status_code == 404
