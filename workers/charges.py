"""What an attempt makes of the rate limits that it stands under: units that it really used, and pauses for everybody.

In: a flight. Out: effects for its finish. The limits' keys are computed anew when one of them is needed, from what
the guards of the run were made of; a run that needs none pays nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from actions.errors import UmbelError
from actions.params import bind
from orchestrator.guards import guards_of, limit_keys
from orchestrator.store.incoming import Effect, EffectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.errors import TryAgain
    from actions.registry import Registry
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.execution")


def limits_of(
    flight: Flight, registry: Registry, name: str = "", *, weighed: bool = False
) -> tuple[str, ...]:
    """The keys of the rate limits that the run had to be within, or of the one with this name.

    `weighed`: only those that count units of cost.
    """
    if flight.action is None or flight.params is None or not flight.action.rate_limits:
        return ()  # its arguments were never found valid, or there are none
    try:
        guards = guards_of(
            flight.action,
            flight.params,
            principal=flight.payload.principal,
            tenant=flight.run.tenant,
            conversation=flight.run.conversation,
            registry=registry,
        )
    except UmbelError as error:  # the action was declared otherwise when the run was planned
        log.warning("the limits of %s are not known: %s", flight.run.id, error)
        return ()
    return limit_keys(guards, name, weighed=weighed)


def cooled(flight: Flight, registry: Registry, signal: TryAgain, ms: int) -> Iterable[Effect]:
    """For `TryAgain(cool=…)`: nobody passes these limits for so long."""
    if signal.cool is False or ms <= 0:
        return
    named = signal.cool if isinstance(signal.cool, str) else ""
    keys = limits_of(flight, registry, named)
    if named and not keys:
        log.warning("%s has no rate limit %r to cool", flight.run.id, named)
    for key in keys:
        yield Effect(EffectKind.COOL, key, str(ms))


def spent(flight: Flight, registry: Registry) -> Iterable[Effect]:
    """For `ctx.spent(…)`: what was reserved at the start is settled with what was used."""
    units = flight.spending or (flight.ctx.spending if flight.ctx is not None else {})
    if flight.params is None and flight.action is not None:  # its process knew them, and is gone
        try:
            flight.params = bind(flight.action, flight.payload.arguments)
        except UmbelError:
            return
    for name, amount in units.items():
        keys = limits_of(flight, registry, name, weighed=True)
        if not keys:
            log.warning("%s has no rate limit %r that is weighed by cost", flight.run.id, name)
        for key in keys:
            yield Effect(EffectKind.SPENT, key, str(amount))
