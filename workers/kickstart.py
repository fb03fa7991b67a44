"""Starts a pump in this worker's own pool, without a message: for when nudges do not arrive.

Nudges go through Celery's queue, and a link can die without a word: Celery's blocking read then waits for an answer
that never comes. The steward has a connection of its own, and sees ready work that none of this worker's processes
takes. In: the queue that has it. Out: a nudge, handed straight to Celery's consumer as if it had been read.
"""

from __future__ import annotations

import json
import logging
import secrets
from typing import TYPE_CHECKING, Any, Final

from celery.worker import state

from workers.nudge import PLACE, nudge_message
from workers.tasks import PUMP

if TYPE_CHECKING:
    from celery import Celery

log: Final = logging.getLogger("umbel.kickstart")


class Kickstart:
    """In the worker's parent, beside Celery's consumer."""

    def __init__(self, app: Celery, consumer: Any) -> None:
        """Hand nudges to this consumer."""
        self._app = app
        self._consumer = consumer

    @property
    def pumping(self) -> bool:
        """Whether a process of this worker pumps, or is about to."""
        return any(request.name == PUMP for request in list(state.reserved_requests))

    def start(self, queue: str) -> None:
        """Start a pump, soon; called from the steward's thread."""
        if state.should_stop is None:
            self._consumer.hub.call_soon(self._start, queue)

    def _start(self, queue: str) -> None:
        """On the consumer's own thread; while it reconnects there is nobody to hand a nudge to, and it comes again."""
        handle = self._consumer.strategies.get(PUMP)
        channel = getattr(self._consumer.task_consumer, "channel", None)
        if handle is None or channel is None or self.pumping:
            return
        text = nudge_message(self._app, queue).replace(PLACE, f"kick-{secrets.token_hex(6)}")
        message = channel.message_to_python(json.loads(text))
        handle(message, None, _nothing, _nothing, [])
        log.warning(
            "the queue %s had work although this worker was idle; a pump starts without a nudge", queue
        )


def _nothing(*_: Any, **__: Any) -> None:
    """Nobody waits to hear that this message was taken."""
