"""What an HTTP answer's `Retry-After` asks for: headers in, seconds out, an hour at most. It is text from outside."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST: Final = 3_600.0
"""Seconds for which it is believed: a mistaken date must not stop a limit for a year."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer's `Retry-After` asks to wait (RFC 9110, 10.2.3: seconds or a date), an hour at most."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:  # "-0000": no zone is claimed, and HTTP knows only one
        date = date.replace(tzinfo=UTC)
    return min(max(0.0, math.ceil((date - datetime.now(UTC)).total_seconds())), LONGEST)
