"""The timers of flights: a flight whose clocks run in, and out of it the word that one has run out.

All live on the pump's loop; a flight has one at most, set to the first of its clocks that may run out.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.flight import Flight, Stop


class Timers:
    """The timers of one pump."""

    def __init__(self, over: Callable[[Flight, Stop], None]) -> None:
        """Tell `over` of each flight of which a clock has run out, and which."""
        self._over = over
        self._untimed: list[Flight] = []

    def begin(self, flight: Flight) -> None:
        """Its task starts now; most need no timer after its first step, and thousands of dead ones slow the loop."""
        if not self._untimed:
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._set_all)  # after the first step of all that start now
        self._untimed.append(flight)

    def rewind(self, flight: Flight) -> None:
        """The process of an isolated run is ready: its attempt begins now."""
        flight.begin(time.monotonic())
        self._set(flight)

    def _set_all(self) -> None:
        untimed, self._untimed = self._untimed, []
        for flight in untimed:
            if not flight.task.done():
                self._set(flight)

    def _set(self, flight: Flight) -> None:
        """Look again when the first of its clocks may have run out."""
        if flight.timer is not None:
            flight.timer.cancel()
        if not flight.task.done() and (look := flight.look) is not None:
            loop = asyncio.get_running_loop()
            flight.timer = loop.call_later(max(0.0, look - time.monotonic()), self._time_is_over, flight)

    def _time_is_over(self, flight: Flight) -> None:
        """If the loop stood still, what was done in time is only now seen to be done: it gets one more turn."""
        asyncio.get_running_loop().call_soon(self._time_is_really_over, flight)

    def _time_is_really_over(self, flight: Flight) -> None:
        if flight.task.done():
            return
        if over := flight.over(time.monotonic()):
            self._over(flight, over)
        else:
            self._set(flight)  # it has shown life since
