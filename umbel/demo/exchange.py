"""The exchange: orders over HTTP in, one order for each idempotency key out; each can be cancelled, once.

`POST /orders` places an order, or gives back the one that the same `Idempotency-Key` placed before. Every
second order finds it busy at first (503, nothing placed). A large order is placed at once and answered late,
so a worker that is killed in between leaves an order behind whose receipt nobody read: the case that
idempotency keys are for. A company that is not traded here any more is refused for good (422).

`DELETE /orders/<number>` cancels an order, and so does `DELETE /orders?key=<idempotency key>`, for who never got
the number. A second time changes nothing. Every second one finds it busy at first as well. A key that is cancelled
before its order has come never becomes an order (409). `GET /orders` lists them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any, Final, Self

from umbel.demo.loopback import Answer, Loopback, Request

LARGE: Final = 100
"""From this quantity on an order is answered late."""
DELISTED: Final = frozenset({"BLUTH"})
"""Companies that are not traded here any more: orders of them are refused for good."""

_TICKER: Final = re.compile(r"[A-Z]{1,5}")


@dataclass(slots=True)
class Order:
    """One order at the exchange."""

    id: str
    """The exchange's own number for it."""
    key: str
    """The idempotency key that it was placed under."""
    ticker: str
    """The company's symbol."""
    quantity: int
    """How many shares."""
    side: str
    """"buy" or "sell"."""
    asked: int = 1
    """How many requests asked for it, those that were told 503 too."""
    cancelled: int = 0
    """Which cancellation of the exchange it was, from 1; 0 while the order stands."""


@dataclass(slots=True)
class _Book:
    orders: dict[str, Order] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    cancels: dict[str, int] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    busy: int = 0


class Exchange:
    """The server; a context manager."""

    def __init__(self, *, large_takes_s: float = 4.0) -> None:
        """Answer large orders after `large_takes_s` seconds."""
        self._large_takes = large_takes_s
        self._book = _Book()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = Loopback(self._answer)

    @property
    def url(self) -> str:
        """Its base URL."""
        return self._server.url

    @property
    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        with self._lock:
            return [Order(**asdict(order)) for order in self._book.orders.values()]

    @property
    def times_busy(self) -> int:
        """How many requests were told 503."""
        return self._book.busy

    def is_held(self, key: str) -> bool:
        """Whether an order is placed and its answer still on the way."""
        with self._lock:
            return key in self._book.held

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._server.__exit__(*error)

    def _answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/orders":
                return Answer(200, [asdict(order) for order in self.orders])
            case "POST", "/orders":
                return self._take(request)
            case "DELETE", path if path == "/orders" or path.startswith("/orders/"):
                return self._cancel(path.removeprefix("/orders").lstrip("/"), request.query.get("key", ""))
            case _:
                return Answer(404, {"error": "there is nothing here but /orders"})

    def _take(self, request: Request) -> Answer:
        key = request.headers.get("idempotency-key", "")
        if not key:
            return Answer(400, {"error": "the header Idempotency-Key is missing"})
        if problem := _problem(request.body):
            return Answer(422, {"error": problem})
        with self._lock:
            order, status = self._place(key, request.body)
        if order is None:
            return _BUSY if status == HTTPStatus.SERVICE_UNAVAILABLE else _BARRED
        if status == HTTPStatus.CREATED:
            self._take_time(order)
        terms = {"ticker": order.ticker, "quantity": order.quantity, "side": order.side}
        return Answer(status, {"order": order.id, **terms})

    def _place(self, key: str, body: dict[str, Any]) -> tuple[Order | None, int]:
        """The order of this key, and whether it is new (201), known (200) or not placed (503, 409)."""
        book = self._book
        book.asked[key] = asked = book.asked.get(key, 0) + 1
        if known := book.orders.get(key):
            known.asked = asked
            return known, HTTPStatus.OK
        if key in book.barred:
            return None, HTTPStatus.CONFLICT
        if self._is_busy_for(key, book.asked):
            return None, HTTPStatus.SERVICE_UNAVAILABLE
        order = Order(f"ord_{len(book.orders) + 1:03}", key, asked=asked, **_terms(body))
        book.orders[key] = order
        if order.quantity >= LARGE:
            book.held.add(key)
        return order, HTTPStatus.CREATED

    def _is_busy_for(self, name: str, asked: Mapping[str, int]) -> bool:
        """Whether this is the first request of every second one; it is counted then."""
        is_busy = asked[name] == 1 and list(asked).index(name) % 2 == 1
        self._book.busy += is_busy
        return is_busy

    def _cancel(self, number: str, key: str) -> Answer:
        """Cancel the order of this number, or of this key."""
        if not number and not key:
            return Answer(400, {"error": "say which order: /orders/<number>, or /orders?key=<its key>"})
        book = self._book
        with self._lock:
            listed = book.orders.values()
            order = next((one for one in listed if number == one.id or (not number and key == one.key)), None)
            if order is None:
                if not number:
                    book.barred.add(key)
                return Answer(404, {"error": "there is no such order"})
            book.cancels[order.id] = book.cancels.get(order.id, 0) + 1
            if not order.cancelled:
                if self._is_busy_for(order.id, book.cancels):
                    return _BUSY
                order.cancelled = 1 + max(one.cancelled for one in listed)
            return Answer(200, {"order": order.id, "cancelled": True})

    def _take_time(self, order: Order) -> None:
        if order.quantity >= LARGE:
            self._closing.wait(self._large_takes)
            with self._lock:
                self._book.held.discard(order.key)


_BUSY: Final = Answer(503, {"error": "the exchange is busy"})
_BARRED: Final = Answer(409, {"error": "this order was cancelled before it came"})


def _terms(body: dict[str, Any]) -> dict[str, Any]:
    return {"ticker": body["ticker"], "quantity": body["quantity"], "side": body.get("side", "buy")}


def _problem(body: Any) -> str | None:
    """What is wrong with an order; None when nothing is."""
    if not isinstance(body, dict):
        return "an order is a JSON object"
    if not isinstance(body.get("ticker"), str) or not _TICKER.fullmatch(body["ticker"]):
        return "ticker: one to five capital letters"
    if body["ticker"] in DELISTED:
        return f"{body['ticker']} is not traded here any more"
    quantity = body.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
        return "quantity: a whole number above zero"
    if body.get("side", "buy") not in {"buy", "sell"}:
        return "side: buy or sell"
    return None
