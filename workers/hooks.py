"""What an action has around its handler: processors and the hooks of its result, each called at its station.

In: the value of one station. Out: the value of the next. One that breaks fails the run, with its name (a hook with a
code of its own): trying again would repeat what the handler did. What they say by a signal counts as if the handler had
said it.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any, Final

from actions.directives import Result
from actions.errors import Fail, HookFailed, Signal
from actions.results import checked, opened

if TYPE_CHECKING:
    from actions.definition import Action
    from workers.context import RunContext
    from workers.flight import Flight
    from workers.threads import Threads

log: Final = logging.getLogger("umbel.execution")

_SLOTS: Final = {"preprocessor": "preprocessor", "postprocessor": "postprocessor"}
"""Where functions stand whose slot is not called `hook_` and their name."""


async def called(
    which: str, given: Any, flight: Flight, action: Action, ctx: RunContext, threads: Threads
) -> Any:
    """Call a processor or a hook by its name; beside an async handler a sync one runs on the loop."""
    function = getattr(action, _SLOTS.get(which) or f"hook_{which}")
    try:
        if action.is_async or inspect.iscoroutinefunction(function):
            value = function(given, ctx)
            return await value if inspect.isawaitable(value) else value
        return await threads.run(flight, function, given, ctx)
    except (Signal, asyncio.CancelledError):
        raise
    except BaseException as error:
        log.warning("the %s of %s failed", which, flight.run.id, exc_info=error)
        raise broken(which, action, f"failed with {type(error).__name__}") from error


def broken(which: str, action: Action, how: str) -> Exception:
    """What ends the run of an action one of whose processors or hooks is broken in this way."""
    text = f"the {which} of {action.name} {how}"
    return Fail(text) if which in _SLOTS else HookFailed(text)


async def finished(
    value: Any, flight: Flight, action: Action, ctx: RunContext, threads: Threads
) -> tuple[Result, bool]:
    """What becomes of a handler's value, and whether it was checked against the action's `output` on the way.

    Directives stay, whoever gave them.

    Raises:
        InvalidResult: it is not what the action's `output` promises.
    """
    result = opened(value)
    if action.postprocessor is not None:
        after = opened(await called("postprocessor", result.value, flight, action, ctx, threads))
        result = Result(after.value, (*result.directives, *after.directives))
    if not action.has_hooks:
        return result, False
    result = await _seen("before_output", result, flight, action, ctx, threads)
    result = Result(checked(action, result.value), result.directives)
    result = await _seen("after_output", result, flight, action, ctx, threads)
    return await _seen("after_run", result, flight, action, ctx, threads), True


async def _seen(
    which: str, result: Result, flight: Flight, action: Action, ctx: RunContext, threads: Threads
) -> Result:
    """Let a hook see the value; what it returns takes its place, unless it is None."""
    if getattr(action, f"hook_{which}") is None:
        return result
    after = opened(await called(which, result.value, flight, action, ctx, threads))
    value = result.value if after.value is None else after.value
    return Result(value, (*result.directives, *after.directives))
