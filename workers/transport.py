"""The one private spot: kombu's Redis transport, made to survive what other programs put on its queues.

The stock channel lets the error of an item that is not a Celery message run up to the worker's main loop, which
ends the process (kombu 5.7, `Channel._brpop_read`). Here such an item is logged, and the next one is read.
"""

from __future__ import annotations

import logging
from typing import Any, Final

import kombu.transport
from kombu.transport import redis as stock

log: Final = logging.getLogger("umbel.transport")

_GARBAGE: Final = (ValueError, TypeError, KeyError, AttributeError)
"""What reading an item raises that is not JSON, is no object, or lacks a message's parts."""


class Channel(stock.Channel):
    """A channel on which one bad item is an incident and not an end."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except _GARBAGE as error:
            log.error(
                "an item on a Celery queue is no Celery message and was dropped: %s", type(error).__name__
            )
            return True


class Transport(stock.Transport):
    """The stock transport with that channel."""

    Channel = Channel


def install() -> None:
    """Let `redis://` mean this transport in this process; the URL stays what Flower can read."""
    kombu.transport.TRANSPORT_ALIASES["redis"] = f"{__name__}:Transport"
    kombu.transport.TRANSPORT_ALIASES["rediss"] = f"{__name__}:Transport"
