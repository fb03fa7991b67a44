"""The two parties outside, over real HTTP: the exchange, to which the action speaks too, and the model."""

import threading
import time

import httpx
import pytest

from actions.builtin.trading import cancel_order, take_order
from actions.context import ActionContext
from actions.errors import Fail, TryAgain
from actions.params import bind
from actions.services import Services
from orchestrator.services.http import HttpxHttp
from umbel.demo.exchange import DELISTED, LARGE, Exchange
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


def cancel(exchange, number="", **query: str):
    return httpx.delete(f"{exchange.url}/orders/{number}".rstrip("/"), params=query)


def book(exchange):
    return [(placed.key, placed.cancelled) for placed in exchange.orders]


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


@pytest.mark.parametrize("ticker", sorted(DELISTED))
def test_a_company_that_is_not_traded_any_more_is_refused_for_good(exchange, ticker):
    for _ in range(2):
        answer = order(exchange, ticker=ticker)
        assert (answer.status_code, answer.json()) == (
            422,
            {"error": f"{ticker} is not traded here any more"},
        )
    assert exchange.orders == []
    assert exchange.times_busy == 0


def test_an_order_is_cancelled_once_by_its_number_or_its_key(exchange):
    for key in ("a", "b", "b", "c/d &e"):
        order(exchange, key)
    by_key = cancel(exchange, key="c/d &e")
    assert (by_key.status_code, by_key.json()) == (200, {"order": "ord_003", "cancelled": True})
    assert cancel(exchange, "ord_001").status_code == 503, "every second one finds it busy"
    assert book(exchange) == [("a", 0), ("b", 0), ("c/d &e", 1)]
    assert cancel(exchange, "ord_001").status_code == 200
    again = cancel(exchange, "ord_003")
    assert (again.status_code, again.json()) == (200, by_key.json())
    assert book(exchange) == [("a", 2), ("b", 0), ("c/d &e", 1)]
    assert order(exchange, "a").status_code == 200
    assert book(exchange) == [("a", 2), ("b", 0), ("c/d &e", 1)], "who asks again does not bring it back"


def test_what_is_not_there_cannot_be_cancelled(exchange):
    assert cancel(exchange, "ord_001").status_code == 404
    assert cancel(exchange).status_code == 400
    order(exchange, "a")
    assert cancel(exchange, "ord_009", key="a").status_code == 404, "the number counts"
    assert book(exchange) == [("a", 0)]


def test_an_order_that_comes_after_its_cancellation_is_not_placed(exchange):
    assert cancel(exchange, key="late").status_code == 404
    assert [order(exchange, "late").status_code for _ in range(2)] == [409, 409]
    assert exchange.orders == []


@pytest.fixture
async def context(exchange):
    """What makes the context of a handler at this exchange, and of its undo."""
    http = HttpxHttp()
    services = Services({"http": http}, settings={"exchange_url": exchange.url})

    def made(key, original=""):
        return ActionContext("run_a", "TAKE_ORDER", key=key, original_key=original, services=services)

    yield made
    await http.close()


async def asked_again(doing):
    """What comes of it when it is tried once more after each TryAgain."""
    for _ in range(2):
        try:
            return await doing()
        except TryAgain:
            continue
    return await doing()


@pytest.mark.parametrize("has_receipt", [True, False])
async def test_the_action_takes_its_orders_back(exchange, context, has_receipt):
    for number in range(2):
        params = bind(take_order, {"ticker": "ACME", "quantity": 5})
        placed = await asked_again(lambda key=f"k{number}", it=params: take_order.invoke(it, context(key)))
        receipt, undo = placed if has_receipt else None, context(f"u{number}", f"k{number}")
        for _ in range(2):
            await asked_again(lambda told=receipt, ctx=undo, it=params: cancel_order(it, told, ctx))
    assert book(exchange) == [("k0", 1), ("k1", 2)]
    assert exchange.times_busy == 2, "one order and one cancellation were told to come again"


async def test_the_action_takes_back_what_was_never_ordered(exchange, context):
    params = bind(take_order, {"ticker": "ACME", "quantity": 5})
    await cancel_order(params, None, context("u1", "k1"))
    with pytest.raises(Fail, match="409: this order was cancelled before it came"):
        await take_order.invoke(params, context("k1"))
    with pytest.raises(Fail, match="404: there is no such order"):
        await cancel_order(params, {"order": "ord_001"}, context("u1", "k1"))


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
