"""Progressive enhancement: a basic result that an optional service makes better, and that stands without it.

In: the basic result, the service (None if it is missing), and how to make the result better. Out: the result, which
says under "enhanced" which of the two it is.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from actions.signals import Signal

_log: Final = logging.getLogger(__name__)


async def enhance(
    service: Any, basic: Mapping[str, Any], name: str, how: Callable[[Any], Any]
) -> dict[str, Any]:
    """Return the basic result with what `how(service)` adds, or alone if the service is missing or that fails.

    `how` returns a mapping, or an awaitable of one. A failure is logged and goes no further; only a `Signal` does:
    it is no failure, it says what to do with the run.
    """
    if service is None:
        _log.info("there is no service %s: the result stays basic", name)
        return {**basic, "enhanced": False}
    try:
        more = how(service)
        if inspect.isawaitable(more):
            more = await more
        better = {**basic, **more, "enhanced": True}
    except Signal:
        raise
    except Exception:  # noqa: BLE001 - an optional service may fail in any way
        _log.warning("the service %s failed: the result stays basic", name, exc_info=True)
        return {**basic, "enhanced": False}
    return better
