"""The one private spot: kombu's Redis transport, made to survive what other programs put on its queues.

The stock channel lets the error of an item that is not a Celery message run up to the worker's main loop, which
ends the process (kombu 5.7, `Channel._brpop_read`, which decodes with the module's `loads`). Here such an item is
logged, and the next one is read. Errors of the tasks' own code are none of this: they go their usual way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import kombu.transport
from kombu.transport import redis as stock

log: Final = logging.getLogger("umbel.transport")

_decode: Final[Callable[[str], Any]] = vars(stock)["loads"]


class _Reading(threading.local):
    """Whether this thread reads a queue at this moment: the module's `loads` serves other ends too."""

    queue = False


_reading = _Reading()


class NoMessage(Exception):
    """An item on a queue is not a Celery message."""


def loads(text: str) -> Any:
    """Stand in for the module's `loads`: of a queue's item raise NoMessage if it has not the form of a message."""
    queue, _reading.queue = _reading.queue, False  # what is delivered now may decode things of its own
    try:
        message = _decode(text)
    except Exception as error:  # noqa: BLE001 - it makes dates and decimals of what it finds, as deep as it is told to
        raise (NoMessage if queue else ValueError)(type(error).__name__) from None
    if queue and not is_message(message):
        raise NoMessage(type(message).__name__)
    return message


def is_message(item: Any) -> bool:
    """Whether a decoded item has the parts that a message has."""
    try:
        properties = item["properties"]
        _ = item["body"], item["headers"].get, properties["delivery_tag"], properties["delivery_info"].get
    except (TypeError, KeyError, AttributeError):
        return False
    return True


class Channel(stock.Channel):
    """A channel on which one bad item is an incident and not an end."""

    def _brpop_read(self, **options: Any) -> Any:
        _reading.queue = True
        try:
            return super()._brpop_read(**options)
        except NoMessage as error:
            log.error("an item on a Celery queue is no Celery message and was dropped: %s", error)
            return True
        finally:
            _reading.queue = False

    def _deliver_fanout_message(self, message: Any, exchange: str) -> Any:
        """Deliver a broadcast (remote control), if it is one."""
        if not is_message(message):
            log.error("something on the channel of %s is no Celery message and was dropped", exchange)
            return None
        return super()._deliver_fanout_message(message, exchange)


class Transport(stock.Transport):
    """The stock transport with that channel."""

    Channel = Channel


def install() -> None:
    """Let `redis://` mean this transport in this process; the URL stays what Flower can read."""
    vars(stock)["loads"] = loads
    kombu.transport.TRANSPORT_ALIASES["redis"] = f"{__name__}:Transport"
    kombu.transport.TRANSPORT_ALIASES["rediss"] = f"{__name__}:Transport"
