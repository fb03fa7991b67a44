"""An action: a typed function, and what may happen to it."""

from umbel import Fail, Retry, TryAgain, action

PRICES = {"tea": 3, "rice": 2}


@action("TAKE_ORDER", similes=("BUY", "PLACE_ORDER"), retry=Retry(3, initial="200ms"), timeout="10s")
async def take_order(item: str, ctx, quantity: int = 1) -> dict[str, object]:
    """Order something from the shop.

    Args:
        item: what to order
        quantity: how many of it
    """
    if item not in PRICES:
        raise Fail(f"the shop has no {item}; it has {', '.join(PRICES)}")
    if ctx.attempt == 1:
        raise TryAgain(reason="the till was busy")
    return {"item": item, "quantity": quantity, "to_pay": quantity * PRICES[item]}
