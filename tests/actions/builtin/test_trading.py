from __future__ import annotations

import json
from typing import Any

import pytest

from actions.builtin.trading import cancel_order, take_order
from actions.context import ActionContext
from actions.definition import MASK
from actions.errors import ConfigError, Fail, InvalidArguments, TryAgain
from actions.params import bind
from actions.registry import Registry
from actions.services import HttpResponse, Services
from actions.validation import permitted

ORDER = {"ticker": "ACME", "quantity": "5"}


class Exchange:
    """Answers every order alike and keeps what was asked."""

    def __init__(self, answer: HttpResponse) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    async def request(self, method: str, url: str, **rest: Any) -> HttpResponse:
        self.asked.append((method, url, rest))
        return self.answer


def context(exchange: Exchange, **kept: Any) -> ActionContext:
    services = Services({"http": exchange}, settings={"exchange_url": "http://exchange.test/"})
    return ActionContext("run_a1", "TAKE_ORDER", key="k1", services=services, **kept)


async def ordered(answer: HttpResponse, **arguments: Any) -> tuple[Any, Exchange]:
    exchange = Exchange(answer)
    return await take_order.invoke(bind(take_order, ORDER | arguments), context(exchange)), exchange


@pytest.mark.parametrize(("arguments", "side"), [({}, "buy"), ({"side": "sell"}, "sell")])
async def test_an_order_goes_to_the_exchange_with_the_runs_own_key(arguments, side):
    receipt, exchange = await ordered(HttpResponse(201, text='{"id": 0}'), **arguments)

    assert receipt == {"id": 0}
    (asked,) = exchange.asked
    assert asked[:2] == ("POST", "http://exchange.test/orders")
    assert asked[2] == {
        "json": {"ticker": "ACME", "quantity": 5, "side": side},
        "headers": {"Idempotency-Key": "k1"},
    }


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (503, {}, None),
        (500, {}, None),
        (429, {"retry-after": "2"}, 2.0),
        (429, {"retry-after": "soon"}, None),
        (502, {"retry-after": "0"}, 0.0),
    ],
)
async def test_a_busy_exchange_is_asked_again(status, headers, after):
    with pytest.raises(TryAgain, match=str(status)) as caught:
        await ordered(HttpResponse(status, headers))

    assert caught.value.after == after


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, '{"error": "no such ticker"}', "the exchange refused the order (400: no such ticker)"),
        (404, "<html>", "the exchange refused the order (404)"),
        (409, '["x"]', "the exchange refused the order (409)"),
        (422, json.dumps({"error": 5}), "the exchange refused the order (422)"),
        (302, "", "the exchange refused the order (302)"),
    ],
)
async def test_an_exchange_that_refuses_is_not_asked_again(status, body, reason):
    with pytest.raises(Fail) as caught:
        await ordered(HttpResponse(status, text=body))

    assert caught.value.reason == reason


async def cancelled(answer: HttpResponse, receipt: Any) -> Exchange:
    exchange = Exchange(answer)
    assert take_order.undoer is cancel_order
    undo = context(exchange, original_key="k0", phase="undo")
    await cancel_order(bind(take_order, ORDER), receipt, undo)
    return exchange


@pytest.mark.parametrize(("number", "path"), [("ord_001", "ord_001"), (0, "0"), ("a/b?c", "a%2Fb%3Fc")])
async def test_an_undone_order_is_cancelled_by_its_number(number, path):
    (asked,) = (await cancelled(HttpResponse(200, text="{}"), {"order": number, "ticker": "ACME"})).asked

    assert asked == (
        "DELETE",
        f"http://exchange.test/orders/{path}",
        {"headers": {"Idempotency-Key": "k1"}},
    )


@pytest.mark.parametrize(
    "receipt", [None, {}, {"order": None}, {"order": ""}, {"order": ["x"]}, [], "ord_001"]
)
async def test_an_order_without_a_receipt_is_cancelled_by_the_key_of_its_handler(receipt):
    (asked,) = (await cancelled(HttpResponse(200, text="{}"), receipt)).asked

    assert asked == (
        "DELETE",
        "http://exchange.test/orders",
        {"params": {"key": "k0"}, "headers": {"Idempotency-Key": "k1"}},
    )


@pytest.mark.parametrize("receipt", [None, {"order": "ord_001"}])
@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [(503, {}, None), (500, {"retry-after": "0"}, 0.0), (429, {"retry-after": "2"}, 2.0)],
)
async def test_a_busy_exchange_is_asked_to_cancel_again(status, headers, after, receipt):
    with pytest.raises(TryAgain, match=str(status)) as caught:
        await cancelled(HttpResponse(status, headers), receipt)

    assert caught.value.after == after


@pytest.mark.parametrize(
    ("status", "receipt"),
    [
        (200, {"order": "ord_001"}),
        (204, {"order": "ord_001"}),
        (204, None),
        (410, {"order": "ord_001"}),
        (410, None),
        (404, None),
    ],
)
async def test_an_order_that_is_not_there_any_more_is_cancelled(status, receipt):
    assert len((await cancelled(HttpResponse(status), receipt)).asked) == 1


@pytest.mark.parametrize(
    ("status", "receipt", "body", "reason"),
    [
        (404, {"order": "ord_001"}, "{}", "the exchange did not cancel the order (404)"),
        (404, {"id": 5}, "{}", "the exchange did not cancel the order (404)"),
        (409, None, '{"error": "it is filled"}', "the exchange did not cancel the order (409: it is filled)"),
        (302, {"order": "ord_001"}, "", "the exchange did not cancel the order (302)"),
    ],
)
async def test_an_order_that_the_exchange_will_not_cancel_is_left_to_a_person(status, receipt, body, reason):
    with pytest.raises(Fail) as caught:
        await cancelled(HttpResponse(status, text=body), receipt)

    assert caught.value.reason == reason


async def test_an_answer_that_is_no_json_is_no_receipt():
    with pytest.raises(ValueError, match="Expecting value"):
        await ordered(HttpResponse(200, text="ok"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ticker": "acme"}, {"ticker": "TOOLONG"}, {"ticker": ""}, {"ticker": "ACME\n"}, {"ticker": 5}, {"quantity": 0},
        {"quantity": -1}, {"quantity": 1.5}, {"quantity": True}, {"quantity": "5 shares"},
        {"side": "BUY"}, {"side": ""}, {"price": 1},
    ],
)  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InvalidArguments):
        bind(take_order, ORDER | wrong)


async def test_an_order_needs_the_permission_to_trade():
    params = bind(take_order, ORDER)
    refusal = await permitted(take_order, params, context(Exchange(HttpResponse(200))))

    assert refusal is not None
    assert refusal.reason == "TAKE_ORDER needs the permission trade"
    allowed = context(Exchange(HttpResponse(200)), permissions=frozenset({"trade"}))
    assert await permitted(take_order, params, allowed) is None


async def test_without_an_exchange_the_operator_is_told():
    ctx = ActionContext("run_a1", "TAKE_ORDER", services=Services({"http": Exchange(HttpResponse(200))}))

    with pytest.raises(ConfigError, match="no setting 'exchange_url'"):
        await take_order.invoke(bind(take_order, ORDER), ctx)


def test_it_is_declared_as_the_demo_and_the_docs_say():
    registry = Registry.from_modules(["actions.builtin.trading"])

    assert registry.resolve("BUY_ORDER") is registry.resolve("place order") is take_order
    assert take_order.queue == "trading"
    assert take_order.retry is not None
    assert take_order.retry.retries == take_order.undo_retry.retries == 5
    assert take_order.undo_takes_none
    assert take_order.masked({"ticker": "ACME", "quantity": 5}) == {"ticker": "ACME", "quantity": MASK}
