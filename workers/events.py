"""Runs as Celery task events, in batches, so that Flower lists actions by name with state, runtime and worker.

In: what the pump starts and ends. Out: every 250 ms one message with all of it. Arguments are masked, results are
told by their size only: nothing that a person would mind reaches the broker's subscribers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from celery.events.dispatcher import EventDispatcher
from kombu.exceptions import OperationalError

from orchestrator.store.incoming import EffectKind
from workers.finishes import ASKS

if TYPE_CHECKING:
    from celery import Celery

    from orchestrator.store.incoming import Finish
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.events")

FLUSH_S: Final = 0.25
"""Seconds between two batches; stock Celery sends one message an event and halves its throughput by it."""
BACKLOG: Final = 2_000
"""Events kept for one batch. What comes above that within a quarter of a second is not shown (Flower could not)."""
_FAILED: Final = {"failed", "timed_out", "refused"}


class RunEvents:
    """Collects events on the loop's thread and sends them from one of its own."""

    def __init__(self, app: Celery, hostname: str) -> None:
        """Send as this Celery node, as its worker's own events do."""
        self._app = app
        self._hostname = hostname
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque(maxlen=BACKLOG)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send_for_ever, name="umbel-events", daemon=True)
        self._thread.start()

    def started(self, flight: Flight) -> None:
        """A run was claimed and starts."""
        name = flight.action.name if flight.action else flight.payload.action or "unknown"
        if flight.run.undoes:
            name = f"{name}.undo"
        masked = flight.action.masked(flight.payload.arguments) if flight.action else {}
        now = time.time()
        told = {
            "uuid": flight.run.id, "name": name, "args": "()",
            "kwargs": "{" + ", ".join(f"{key}={value}" for key, value in masked.items()) + "}",
            "root_id": flight.run.turn or flight.run.id, "parent_id": flight.run.undoes or None,
            "retries": flight.run.attempt - 1, "eta": None, "expires": None, "local_received": now, "timestamp": now,
        }  # fmt: skip
        self._waiting.append(("task-received", told))
        self._waiting.append(
            ("task-started", {"uuid": flight.run.id, "timestamp": now, "local_received": now})
        )

    def ended(self, flight: Flight, finish: Finish, runtime_s: float) -> None:
        """An attempt ended."""
        now = time.time()
        told: dict[str, Any] = {"uuid": flight.run.id, "timestamp": now, "local_received": now}
        if finish.verdict == "succeeded":
            told |= {"result": f"{len(finish.result)} bytes", "runtime": runtime_s}
            self._waiting.append(("task-succeeded", told))
        elif finish.verdict == "cancelled":
            told |= {"terminated": True, "signum": None, "expired": False}
            self._waiting.append(("task-revoked", told))
        elif any(effect.kind == EffectKind.RESCUE for effect in finish.effects):
            told |= {"exception": f"{finish.verdict}, its on_error follows", "traceback": ""}
            self._waiting.append(("task-retried", told))
        elif finish.verdict == ASKS:
            told |= {"exception": "waits for an approval", "traceback": ""}
            self._waiting.append(("task-retried", told))
        elif finish.verdict in _FAILED:
            told |= {"exception": finish.verdict, "traceback": ""}
            self._waiting.append(("task-failed", told))
        else:
            told |= {"exception": f"{finish.verdict}, in {finish.delay_ms} ms", "traceback": ""}
            self._waiting.append(("task-retried", told))

    def close(self) -> None:
        """Send what is left and stop."""
        self._over.set()
        self._thread.join(timeout=2)

    def _send_for_ever(self) -> None:
        while not self._over.is_set():
            try:
                self._send_while_connected()
            except (OperationalError, OSError) as error:
                log.debug("events are not sent: %s", error)
                self._over.wait(1.0)
            except Exception:
                log.warning("events are not sent", exc_info=True)
                self._over.wait(5.0)

    def _send_while_connected(self) -> None:
        with self._app.connection_for_write() as connection:
            dispatcher = EventDispatcher(
                connection,
                hostname=self._hostname,
                app=self._app,
                buffer_while_offline=False,
                buffer_group={"task"},
                buffer_limit=2 * BACKLOG,
            )
            while not self._over.wait(FLUSH_S):
                self._send(dispatcher)
            self._send(dispatcher)

    def _send(self, dispatcher: EventDispatcher) -> None:
        if not self._waiting:
            return
        while self._waiting:
            kind, fields = self._waiting.popleft()
            dispatcher.send(kind, **fields)
        dispatcher.flush()
