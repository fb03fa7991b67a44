"""What stands in the store: settings of a server that answers in; findings on queues, on keys and on what rests out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from actions.errors import OperatorError
from umbel.checkup.findings import Finding, ok, problem, warning

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.settings import Settings
    from orchestrator.store.api_keys import StoredKey
    from orchestrator.store.queues import QueueStanding

_NAMED: Final = 5
_SOON_S: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found in the store."""

    queues: Sequence[QueueStanding]
    keys: Sequence[StoredKey]
    dead: int
    stuck: int


def examine(settings: Settings, registry: Registry | None) -> Iterator[Finding]:
    """Queues that nobody serves, keys that open nothing any more, undos that wait for a person."""
    try:
        seen = asyncio.run(_look(settings))
    except ImportError as error:
        yield warning("records", f"not looked at: {error.name} is not installed. pip install 'umbel[worker]'")
        return
    except OperatorError as error:
        yield problem("records", str(error), error.exit_code)
        return
    yield _queues(seen.queues, registry)
    yield _keys(seen.keys, time.time())
    if seen.stuck:
        yield warning("undos", f"{seen.stuck:,} failed and wait for a person: umbel undo list")
    if seen.dead:
        yield ok("dead", f"{seen.dead:,} runs died or failed and can be run again: umbel dead list")


async def _look(settings: Settings) -> _Seen:
    from orchestrator.store.store import Store

    store = Store(settings)
    try:
        dead, stuck = await store.health.resting()
        return _Seen(await store.queues.standing(), await store.api_keys.list(), dead, stuck)
    finally:
        await store.close()


def _queues(found: Sequence[QueueStanding], registry: Registry | None) -> Finding:
    """Whether each queue that the actions need, or on which something is ready, is served by a worker."""
    from orchestrator.store.queues import ALIVE_S
    from umbel import starting

    wanted = set() if registry is None else {*starting.queues_of(registry), starting.TURNS}
    wanted |= {each.queue for each in found if each.ready}
    served = {each.queue for each in found if each.seen_s is not None and each.seen_s < ALIVE_S}
    missing = sorted(wanted - served)
    if not missing:
        return ok("queues", f"{', '.join(sorted(served))} are served by workers")
    ready = {each.queue: each.ready for each in found if each.ready}
    told = ", ".join(f"{name} ({_counted(ready[name])} ready)" if name in ready else name for name in missing)
    return warning("queues", f"no worker serves {told}: umbel worker -Q {','.join(missing)}")


def _keys(keys: Sequence[StoredKey], now_s: float) -> Finding:
    """Whether there are keys to the HTTP API, and whether their time is over."""
    from orchestrator.keyring import is_over

    if not keys:
        return ok("keys", "none yet: `umbel up` makes the first, `umbel keys create` one for a service")
    over = [key.id for key in keys if is_over(key, now_s)]
    soon = [key.id for key in keys if key.id not in over and is_over(key, now_s + _SOON_S)]
    left = len(keys) - len(over)
    told = f"{left:,} {'opens' if left == 1 else 'open'} the HTTP API"
    if over:
        return warning(
            "keys",
            f"{told}; expired: {_listed(over)}. `umbel keys revoke` takes them away",
        )
    if soon:
        return warning(
            "keys", f"{told}; {_listed(soon)} will expire within a week: `umbel keys create` makes new ones"
        )
    return ok("keys", told)


def _counted(runs: int) -> str:
    return "1 run is" if runs == 1 else f"{runs:,} runs are"


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
