"""Texts made short: what others wrote, on its way into a message that a model or a person reads."""

from __future__ import annotations

import re
from typing import Final

MOST_BYTES: Final = 2_000
"""Bytes of UTF-8 that a model is told about one call, or about one reply."""
MOST_OF_A_NAME: Final = 80
"""Characters of a name that somebody else chose."""

_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def seen(text: str) -> str:
    """The text without characters that steer a terminal or turn the direction of reading; U+FFFD is in their place."""
    return _UNSEEN.sub("\ufffd", text)


def cut(text: str, length: int) -> str:
    """The text, or its beginning and a sign that there is more: at most `length` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def within(text: str, most: int = MOST_BYTES) -> str:
    """The text, or its beginning and a sign that there is more: at most `most` bytes of UTF-8."""
    if len(text) * 4 <= most or len(told := text.encode(errors="replace")) <= most:
        return text
    return told[: most - len("…".encode())].decode(errors="ignore") + "…"
