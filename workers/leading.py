"""One attempt of leading a turn on: the run that stands between two rounds of a conversation.

In: such a run. Out: a `Finish`. A model that is away or busy is asked again; what asking again does not mend fails.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from actions.errors import Fail, Signal, StoreUnavailable, TryAgain, UmbelError
from orchestrator import turns
from workers import finishes, outcome

if TYPE_CHECKING:
    from orchestrator.store.incoming import Finish
    from orchestrator.store.records import Claimed
    from workers.means import Means

log: Final = logging.getLogger("umbel.execution")


async def lead(run: Claimed, means: Means) -> Finish:
    """Ask the model for the next round, and say how that ended."""
    try:
        bounds = means.bounds
        await turns.advance(
            run, means.store, means.registry, means.services.model,
            caps=bounds.caps, audit=bounds.audit, accepting=bounds.accepting,
        )  # fmt: skip
    except asyncio.CancelledError:
        raise
    except StoreUnavailable as error:
        return _stops(run, TryAgain(reason=str(error)))
    except UmbelError as error:  # no model, no such conversation: asking again does not mend it
        return _stops(run, Fail(f"{error.code}: {error}"))
    except Signal as error:
        return _stops(run, error)
    except BaseException as error:
        log.warning("%s (attempt %d) raised", run.id, run.attempt, exc_info=error)
        return outcome.raised(run, error, turns.RETRY)
    return finishes.led(run)


def _stops(run: Claimed, why: Signal) -> Finish:
    log.warning("the turn %s does not go on (attempt %d): %s", run.turn, run.attempt, why.reason)
    return outcome.raised(run, why, turns.RETRY)
