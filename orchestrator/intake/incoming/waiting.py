"""Whether to wait for more text: patterns that know what they could yet match, and when to read again what is held.

In: text as it comes. Out: whether reading once more may bring something, and is paid for by what came: so the time is
linear. What is held is joined only when it is read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from actions.errors import ConfigError
from orchestrator.intake.brackets import Brackets

if TYPE_CHECKING:
    import regex

PAID: Final = 16
"""How many characters may be read again for each that came."""
ADVANCE: Final = 256 * 1024
"""How many may be before any came."""

_TAIL: Final = 16
_MAY_END: Final = re.compile(r"[}\])>`]|\n")


@lru_cache(maxsize=256)
def partial(pattern: str) -> regex.Pattern[str]:
    """The pattern, compiled so that it can be asked what it could match if more text came.

    Raises:
        ConfigError: the library for that is not installed.
    """
    try:
        import regex
    except ImportError:
        fix = 'Install it: pip install "umbel[worker]", or pip install "umbel[server]" for the HTTP API'
        raise ConfigError("this needs regex, which is not installed", fix=fix) from None
    return regex.compile(pattern)


class Held:
    """What came and was not read yet, and what would be worth reading it."""

    __slots__ = ("_ahead", "_more", "_new", "_paid", "_tail", "_uncounted", "_wake")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._ahead = Brackets()
        self._uncounted: list[str] = []
        self._more: list[str] = []
        self._new = 0
        self._tail = ""
        self._paid = ADVANCE
        self._wake: re.Pattern[str] | None = None

    def add(self, piece: str, held: int) -> bool:
        """Take a piece that comes after `held` characters; return whether to read."""
        self._more.append(piece)
        self._new += len(piece)
        self._paid += PAID * len(piece)
        tail = self._tail + piece
        self._tail = tail[-_TAIL:]
        if self._wake is not None:
            return self._wake.search(tail) is not None
        self._uncounted.append(piece)
        if not held:
            return True
        if self.open:
            return self._new >= held  # the count may be wrong: quotes need not come in pairs
        return self._new * 16 >= held or (self._paid > held and _MAY_END.search(piece) is not None)

    @property
    def is_spent(self) -> bool:
        """Whether more was read again than what came has paid for."""
        return self._paid <= 0

    @property
    def open(self) -> bool:
        """Whether a bracket or quote of what is held is open: the block cannot have ended."""
        for piece in self._uncounted:
            self._ahead.count(piece)
        self._uncounted = []
        return self._ahead.open

    def taken(self) -> str:
        """All that came since this was asked last."""
        text = "".join(self._more)
        self._more, self._new = [], 0
        return text

    def pay(self, read: int) -> None:
        """Note that so many characters were read."""
        self._paid -= read

    def wait(self, held: str, wake: str = "") -> None:
        """Say what is held, and if one thing alone can end it, the pattern of that."""
        self.pay(len(held))
        self._ahead, self._uncounted = Brackets(), [held] if held and not wake else []
        self._wake = re.compile(wake, re.IGNORECASE) if wake else None

    def go_on(self) -> None:
        """Say that nothing is held any more."""
        self._wake = None
