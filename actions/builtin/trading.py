"""TAKE_ORDER: an order at an exchange, over HTTP, and its undo, which cancels it there.

In: a ticker, a quantity and a side. Out: the exchange's receipt. The exchange gets the run's idempotency
key with each attempt, so that an order which is asked for again is still one order; in a chain that failed the
order is cancelled by its number, or by that key where no receipt came back.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, cast
from urllib.parse import quote

from pydantic import Field, PositiveInt

from actions.context import ActionContext
from actions.definition import action
from actions.errors import Fail, TryAgain
from actions.policy import Retry
from actions.services import HttpResponse

EXCHANGE: Final = "exchange_url"
"""The setting that says where the exchange is, for example "http://127.0.0.1:8900"."""

Ticker = Annotated[str, Field(pattern=r"^[A-Z]{1,5}$")]

_AGAIN: Final = Retry(5, initial="200ms", factor=2, cap="2s")
_NOT_FOUND: Final = 404
_GONE: Final = 410
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
_REFUSED: Final = 300
_REASON: Final = 200


@action(
    "TAKE_ORDER",
    similes=("BUY_ORDER", "PLACE_ORDER"),
    category="trading",
    retry=_AGAIN,
    permissions={"trade"},
    queue="trading",
    show=("ticker", "side"),
)
async def take_order(  # noqa: D417 - ctx is no argument of the call
    ticker: Ticker, quantity: PositiveInt, side: Literal["buy", "sell"] = "buy", *, ctx: ActionContext
) -> Any:
    """Buy or sell shares of one company.

    Args:
        ticker: The company's symbol at the exchange, one to five capital letters.
        quantity: How many shares, a whole number above zero.
        side: Whether to buy or to sell.
    """
    answer = await ctx.http.request(
        "POST",
        _orders(ctx),
        json={"ticker": ticker, "quantity": quantity, "side": side},
        headers={"Idempotency-Key": ctx.key},
    )
    _check(answer, "the exchange refused the order")
    return answer.json()


@take_order.undo(retry=_AGAIN)
async def cancel_order(params: Any, receipt: Any | None, ctx: ActionContext) -> None:  # noqa: ARG001 - the receipt says all
    """Cancel the order: by its number, or without a receipt by the key that it was asked for under.

    Cancelling twice is cancelling once, so it may be tried again. Without a receipt perhaps nothing was ordered: an
    exchange that does not know the key has nothing to cancel.

    Args:
        params: The params of the order.
        receipt: The exchange's receipt; None if nobody knows whether the order was placed.
        ctx: The undo's own context.

    Raises:
        TryAgain: the exchange is busy or down.
        Fail: it will not cancel the order, or does not know one that it gave a receipt for.
    """
    number = _number(receipt)
    own = {"Idempotency-Key": ctx.key}
    if number is None:
        where = {"key": ctx.original_key}
        answer = await ctx.http.request("DELETE", _orders(ctx), params=where, headers=own)
    else:
        answer = await ctx.http.request("DELETE", f"{_orders(ctx)}/{quote(number, safe='')}", headers=own)
    is_gone = answer.status == _GONE or (answer.status == _NOT_FOUND and receipt is None)
    if not is_gone:
        _check(answer, "the exchange did not cancel the order")


def _number(receipt: Any) -> str | None:
    """The exchange's number for the order; None where the receipt holds none."""
    number = cast("dict[str, Any]", receipt).get("order") if isinstance(receipt, dict) else None
    return str(number) if isinstance(number, str | int) and number != "" else None


def _orders(ctx: ActionContext) -> str:
    return ctx.services.setting(EXCHANGE).rstrip("/") + "/orders"


def _check(answer: HttpResponse, refused: str) -> None:
    """Raise TryAgain if the exchange is busy or down, and Fail with `refused` if it says no."""
    if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY_REQUESTS:
        raise TryAgain(_wait(answer), f"the exchange answered {answer.status}")
    if answer.status >= _REFUSED:
        raise Fail(f"{refused} ({answer.status}{_reason(answer)})")


def _wait(answer: HttpResponse) -> float | None:
    """Return the seconds that the exchange asked for; None leaves the wait to the retry policy."""
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else None


def _reason(answer: HttpResponse) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    error = cast("dict[str, Any]", body).get("error") if isinstance(body, dict) else None
    return f": {error[:_REASON]}" if isinstance(error, str) else ""
