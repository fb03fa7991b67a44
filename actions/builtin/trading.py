"""TAKE_ORDER: an order at an exchange, over HTTP.

In: a ticker, a quantity and a side. Out: the exchange's receipt. The exchange gets the run's idempotency
key with each attempt, so that an order which is asked for again is still one order.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, cast

from pydantic import Field, PositiveInt

from actions.context import ActionContext
from actions.definition import action
from actions.errors import Fail, TryAgain
from actions.policy import Retry
from actions.services import HttpResponse

EXCHANGE: Final = "exchange_url"
"""The setting that says where the exchange is, for example "http://127.0.0.1:8900"."""

Ticker = Annotated[str, Field(pattern=r"^[A-Z]{1,5}$")]

_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
_REFUSED: Final = 300
_REASON: Final = 200


@action(
    "TAKE_ORDER",
    similes=("BUY_ORDER", "PLACE_ORDER"),
    category="trading",
    retry=Retry(5, initial="200ms", factor=2, cap="2s"),
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
        ctx.services.setting(EXCHANGE).rstrip("/") + "/orders",
        json={"ticker": ticker, "quantity": quantity, "side": side},
        headers={"Idempotency-Key": ctx.key},
    )
    return _receipt(answer)


def _receipt(answer: HttpResponse) -> Any:
    if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY_REQUESTS:
        raise TryAgain(_wait(answer), f"the exchange answered {answer.status}")
    if answer.status >= _REFUSED:
        raise Fail(f"the exchange refused the order ({answer.status}{_reason(answer)})")
    return answer.json()


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
