"""Texts of strangers, as a terminal may have them: any text or value in, printable text out.

A model chooses arguments and names; a control character among them could hide or rewrite what a person is about to
approve. Whatever does not print is written as an escape, letters of all languages stay as they are.
"""

from __future__ import annotations

import json
from typing import Any


def plain(text: str, *, lines: bool = False) -> str:
    """The text with everything escaped that does not print; `lines` keeps its line ends."""
    return "".join(each if each.isprintable() or (lines and each == "\n") else _escape(each) for each in text)


def document(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON that is safe to look at, and still the same JSON."""
    return plain(json.dumps(value, ensure_ascii=False, indent=indent, default=str), lines=True)


def _escape(each: str) -> str:
    """As JSON writes it, with the digits of its code units; DEL too, which JSON leaves alone."""
    return json.dumps(each)[1:-1] if each != "\x7f" else "\\u007f"
