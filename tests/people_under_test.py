"""Actions that remember, keep things in the cache, look at conversations after a turn, and create records."""

from __future__ import annotations

from pydantic import BaseModel

from actions.context import ActionContext
from actions.definition import action
from actions.directives import AppendContext, Remember, Result, SetContext
from actions.errors import Fail

MODULE = "people_under_test"
"""The name under which workers import this file (`UMBEL_ACTIONS`)."""


@action("COUNT", lock="conversation")
async def count(ctx: ActionContext, forget: bool = False) -> Result:  # noqa: FBT001, FBT002 - arguments of a call
    """Count how often it was called in this conversation."""
    before = await ctx.conversation.memory() if ctx.conversation else None
    now = (before or 0) + 1
    return Result(now, (Remember(None if forget else now),))


@action("RECALL")
async def recall(ctx: ActionContext) -> object:
    """Say what it remembers itself: nothing, whatever COUNT does."""
    return await ctx.conversation.memory() if ctx.conversation else None


@action("KEEP")
async def keep(key: str, value: int, ctx: ActionContext) -> object:
    """Keep a value in the cache and say what stood there."""
    before = await ctx.cache.get(key)
    await ctx.cache.set(key, value, "1m")
    return before


@action("LOOK_UP")
async def look_up(ctx: ActionContext, service: str = "nobody") -> dict[str, object]:
    """Give a basic result, better with a service."""
    return await ctx.enhanced({"basic": 1}, service, _looked_up)


async def _looked_up(cache) -> dict[str, object]:
    return {"found": await cache.get("looked up")}


@action("CREATE")
async def create(title: str, ctx: ActionContext) -> Result:
    """Create a record."""
    if not title:
        raise Fail("a record needs a title")
    return Result(
        {"id": ctx.key}, (AppendContext("records", title), SetContext("component", f"card of {title}"))
    )


@action("SHOW", may_transition=True)
async def show(component: str) -> Result:
    """Show a component to the user; the last one stands."""
    return Result("shown", (SetContext("component", component),))


@action("BREAK")
async def break_down() -> None:
    """Raise something."""
    raise RuntimeError("secret")


@action("AFTER_ANSWERS", evaluates="answered")
async def after_answers(ctx: ActionContext) -> Result:
    """Run after turns that were answered."""
    said = await ctx.conversation.messages(last=1) if ctx.conversation else []
    return Result(None, (AppendContext("answered", [each["content"] for each in said]),))


@action("AFTER_ALL", evaluates="always")
async def after_all() -> Result:
    """Run after every turn."""
    return Result(None, (AppendContext("always", 1),))


@action("AFTER_NONE", evaluates="always")
async def after_none() -> Result:
    """Refused by its own validator."""
    return Result(None, (AppendContext("never", 1),))


@after_none.validate
async def not_now(params: BaseModel, ctx: ActionContext) -> bool:
    return False
